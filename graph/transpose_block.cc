// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/transpose_block.h"

#include <cstring>
#include <utility>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tenfold {
namespace {

constexpr int kLineBytes = 64;
constexpr int kRegisterBytes = 16;  // which every machine has

template <typename Word>
using Lanes [[gnu::vector_size(kRegisterBytes)]] = Word;
template <typename Word>
constexpr int kLanes = kRegisterBytes / static_cast<int>(sizeof(Word));

// Half of a and half of b from lane kFirst on, lane by lane in turn.
template <int kFirst, typename Word, size_t... kLane>
Lanes<Word> Interleave(Lanes<Word> a, Lanes<Word> b, std::index_sequence<kLane...>) {
  constexpr int n = kLanes<Word>;
  return __builtin_shufflevector(a, b, (kLane % 2 == 0 ? kFirst + kLane / 2 : n + kFirst + kLane / 2)...);
}

// n registers of n lanes are transposed by interleaving those of the first half with those of the second,
// log2(n) times.
template <typename Word>
void TransposeRegisters(Lanes<Word>* registers) {
  constexpr int n = kLanes<Word>;
  constexpr auto kEach = std::make_index_sequence<n>();
#pragma GCC unroll 4
  for (int step = 1; step < n; step *= 2) {
    Lanes<Word> turned[n];
#pragma GCC unroll 8
    for (int i = 0; i < n / 2; ++i) {
      turned[2 * i] = Interleave<0, Word>(registers[i], registers[i + n / 2], kEach);
      turned[2 * i + 1] = Interleave<n / 2, Word>(registers[i], registers[i + n / 2], kEach);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) registers[i] = turned[i];
  }
}

void StoreLine(char* to, const char* line, [[maybe_unused]] bool stream) {
#ifdef __SSE2__
  if (stream && reinterpret_cast<uintptr_t>(to) % kRegisterBytes == 0) {
    for (int i = 0; i < kLineBytes; i += kRegisterBytes) {
      _mm_stream_si128(reinterpret_cast<__m128i*>(to + i),
                       _mm_load_si128(reinterpret_cast<const __m128i*>(line + i)));
    }
    return;
  }
#endif
  std::memcpy(to, line, kLineBytes);
}

// A tile of a line by a line. Lines are read whole, turned in a buffer, and written whole, so that none is
// met twice, however many of them share a place in the caches.
template <typename Word>
void TransposeTile(const Word* in, int64_t in_step, Word* out, int64_t out_step, bool stream) {
  constexpr int tile = kLineBytes / static_cast<int>(sizeof(Word)), n = kLanes<Word>;
  constexpr int kAhead = 4;  // tiles
  alignas(kLineBytes) Word lines[tile * tile];
  for (int c = 0; c < tile; ++c) {
    __builtin_prefetch(in + c * in_step + kAhead * tile);
    std::memcpy(lines + c * tile, in + c * in_step, kLineBytes);
  }
  for (int r = 0; r < tile; r += n) {
    alignas(kLineBytes) Word turned[n * tile];
    for (int c = 0; c < tile; c += n) {
      Lanes<Word> registers[n];
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i) std::memcpy(&registers[i], lines + (c + i) * tile + r, kRegisterBytes);
      TransposeRegisters<Word>(registers);
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i) std::memcpy(turned + i * tile + c, &registers[i], kRegisterBytes);
    }
    for (int i = 0; i < n; ++i) {
      StoreLine(reinterpret_cast<char*>(out + (r + i) * out_step),
                reinterpret_cast<const char*>(turned + i * tile), stream);
    }
  }
}

}  // namespace

template <typename Word>
void TransposeBlock(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows,
                    int64_t columns, bool stream) {
  constexpr int64_t tile = kLineBytes / sizeof(Word);
  const int64_t whole_rows = rows / tile * tile, whole_columns = columns / tile * tile;
  // Along the lines of the input, as the hardware fetches them.
  for (int64_t c = 0; c < whole_columns; c += tile) {
    for (int64_t r = 0; r < whole_rows; r += tile) {
      TransposeTile(in + r + c * in_step, in_step, out + r * out_step + c, out_step, stream);
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = r < whole_rows ? whole_columns : 0; c < columns; ++c) {
      out[r * out_step + c] = in[r + c * in_step];
    }
  }
#ifdef __SSE2__
  if (stream) _mm_sfence();  // whoever hears that this is done sees it
#endif
}

template void TransposeBlock(const uint8_t*, int64_t, uint8_t*, int64_t, int64_t, int64_t, bool);
template void TransposeBlock(const uint16_t*, int64_t, uint16_t*, int64_t, int64_t, int64_t, bool);
template void TransposeBlock(const uint32_t*, int64_t, uint32_t*, int64_t, int64_t, int64_t, bool);
template void TransposeBlock(const uint64_t*, int64_t, uint64_t*, int64_t, int64_t, int64_t, bool);

}  // namespace tenfold
