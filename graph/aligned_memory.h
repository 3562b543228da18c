// SPDX-License-Identifier: Apache-2.0
//
// Raw memory for elements, arenas and scratch.
#ifndef TENFOLD_GRAPH_ALIGNED_MEMORY_H_
#define TENFOLD_GRAPH_ALIGNED_MEMORY_H_

#include <cstddef>
#include <memory>

namespace tenfold {

// Bytes; a line of memory, and a vector of AVX-512.
inline constexpr size_t kMemoryAlignment = 64;

struct FreeAligned {
  void operator()(void* memory) const;
};
using AlignedMemory = std::unique_ptr<char, FreeAligned>;

// `bytes` rounded up to whole units of kMemoryAlignment, at least one; 0 if that does not fit.
size_t PaddedSize(size_t bytes);

// PaddedSize(bytes) of them, aligned, not initialised; null if there is no memory. Where much is asked for,
// the system is asked for huge pages: fewer faults at first use, and fewer pages to look up when it is walked
// across.
AlignedMemory AllocateAligned(size_t bytes);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_ALIGNED_MEMORY_H_
