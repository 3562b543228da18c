// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/aligned_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

namespace tenfold {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
// A few of them.
constexpr size_t kLarge = 4 * kHugePage;

// Of whole pages that lie within: the system may do so, or not.
void AskForHugePages(char* memory, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t behind = (begin + bytes) / kHugePage * kHugePage;
  ::madvise(reinterpret_cast<void*>(first), behind - first, MADV_HUGEPAGE);
}

}  // namespace

void FreeAligned::operator()(void* memory) const {
  ::operator delete(memory, std::align_val_t{kMemoryAlignment});
}

size_t PaddedSize(size_t bytes) {
  const size_t units = bytes / kMemoryAlignment + (bytes % kMemoryAlignment != 0);
  return std::max(units, size_t{1}) * kMemoryAlignment;  // wraps to 0
}

AlignedMemory AllocateAligned(size_t bytes) {
  const size_t padded = PaddedSize(bytes);
  if (padded == 0) return nullptr;
  AlignedMemory memory(
      static_cast<char*>(::operator new(padded, std::align_val_t{kMemoryAlignment}, std::nothrow)));
  if (memory != nullptr && padded >= kLarge) AskForHugePages(memory.get(), padded);
  return memory;
}

}  // namespace tenfold
