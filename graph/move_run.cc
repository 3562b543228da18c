// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/move_run.h"

#include <algorithm>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tenfold {
namespace {

constexpr int kLineBytes = 64;

}  // namespace

void StreamLine(const void* line, void* to) {
#ifdef __SSE2__
  for (int i = 0; i < kLineBytes / 16; ++i) {
    _mm_stream_si128(static_cast<__m128i*>(to) + i, _mm_loadu_si128(static_cast<const __m128i*>(line) + i));
  }
#else
  std::memcpy(to, line, kLineBytes);
#endif
}

namespace {

// Whole lines are streamed; the parts of lines at both ends meet their neighbours' in the caches.
template <typename Word, bool kNans>
void Stream(const Word* from, Word* to, int64_t count, const NanPattern& nans) {
  constexpr int kWords = kLineBytes / sizeof(Word);
  const auto move = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = from[i];
    if (kNans) CanonicalizeWords(nans, to + begin, end - begin);
  };
  const auto misaligned = static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % kLineBytes / sizeof(Word));
  int64_t i = std::min(count, (kWords - misaligned) % kWords);
  move(0, i);
  const auto move_lines = [&]<int kLines>(std::integral_constant<int, kLines>) {
    constexpr int kTogether = kLines * kWords;
    for (; i + kTogether <= count; i += kTogether) {
      const Word* line = from + i;
      Word canonical[kTogether];
      if (kNans && AnyNan<Word, kTogether>(nans, line)) {
        std::memcpy(canonical, line, sizeof(canonical));
        CanonicalizeWords(nans, canonical, kTogether);
        line = canonical;
      }
      for (int l = 0; l < kLines; ++l) StreamLine(line + l * kWords, to + i + l * kWords);
    }
  };
  move_lines(std::integral_constant<int, 4>());
  move_lines(std::integral_constant<int, 1>());
  move(i, count);
}

}  // namespace

template <typename Word>
void MoveRun(const Word* from, Word* to, int64_t count, const MoveOptions& options) {
  if (options.stream) {
    options.nans ? Stream<Word, true>(from, to, count, options.nans)
                 : Stream<Word, false>(from, to, count, options.nans);
    return;
  }
  std::memcpy(to, from, static_cast<size_t>(count) * sizeof(Word));
  if (options.nans) CanonicalizeWords(options.nans, to, count);
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
