// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/move_run.h"

#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tenfold {
namespace {

constexpr int64_t kLineBytes = 64;

// Any bytes. Whole lines of memory are streamed; the parts of lines at both ends meet their neighbours' in
// the caches.
void StreamBytes(const char* from, char* to, int64_t bytes) {
#ifdef __SSE2__
  const auto misaligned = static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % kLineBytes);
  const int64_t head = std::min(bytes, (kLineBytes - misaligned) % kLineBytes);
  std::memcpy(to, from, static_cast<size_t>(head));
  int64_t i = head;
  for (; i + kLineBytes <= bytes; i += kLineBytes) {
    for (int64_t j = i; j < i + kLineBytes; j += 16) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + j),
                       _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + j)));
    }
  }
  std::memcpy(to + i, from + i, static_cast<size_t>(bytes - i));
#else
  std::memcpy(to, from, static_cast<size_t>(bytes));
#endif
}

template <typename Word>
void Stream(const Word* from, Word* to, int64_t count) {
  StreamBytes(reinterpret_cast<const char*>(from), reinterpret_cast<char*>(to),
              count * static_cast<int64_t>(sizeof(Word)));
}

}  // namespace

template <typename Word>
void MoveRun(const Word* from, Word* to, int64_t count, const MoveOptions& options) {
  if (!options.stream) {
    std::memcpy(to, from, static_cast<size_t>(count) * sizeof(Word));
    if (options.nans) CanonicalizeWords(options.nans, to, count);
    return;
  }
  if (!options.nans) return Stream(from, to, count);
  // What was streamed is in no cache any more: NaNs are mended before.
  constexpr int64_t kBlock = 4096 / sizeof(Word);
  Word block[kBlock];
  for (; count > 0; count -= kBlock, from += kBlock, to += kBlock) {
    const int64_t part = std::min(count, kBlock);
    std::memcpy(block, from, static_cast<size_t>(part) * sizeof(Word));
    CanonicalizeWords(options.nans, block, part);
    Stream(block, to, part);
  }
}

template void MoveRun(const uint8_t*, uint8_t*, int64_t, const MoveOptions&);
template void MoveRun(const uint16_t*, uint16_t*, int64_t, const MoveOptions&);
template void MoveRun(const uint32_t*, uint32_t*, int64_t, const MoveOptions&);
template void MoveRun(const uint64_t*, uint64_t*, int64_t, const MoveOptions&);

void FinishStreaming([[maybe_unused]] const MoveOptions& options) {
#ifdef __SSE2__
  if (options.stream) _mm_sfence();
#endif
}

}  // namespace tenfold
