// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/transpose_block.h"

#include <algorithm>
#include <cstring>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace tenfold {
namespace {

constexpr int kLineBytes = 64;
constexpr int kRegisterBytes = 16;  // which every machine has
constexpr int kAhead = 4;           // tiles

template <typename Word>
constexpr int kTile = kLineBytes / static_cast<int>(sizeof(Word));  // a line by a line
template <typename Word>
constexpr int kLanes = kRegisterBytes / static_cast<int>(sizeof(Word));

// --- Any machine -------------------------------------------------------------------------------------------

template <typename Word>
using Lanes [[gnu::vector_size(kRegisterBytes)]] = Word;

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

// Lines are read whole, turned in a buffer, and written whole, so that none is met twice, however many of
// them share a place in the caches.
template <typename Word>
void TransposeTile(const Word* in, int64_t in_step, Word* out, int64_t out_step, const MoveOptions& options) {
  constexpr int tile = kTile<Word>, n = kLanes<Word>;
  alignas(kLineBytes) Word lines[tile * tile];
  for (int c = 0; c < tile; ++c) {
    __builtin_prefetch(in + c * in_step + kAhead * tile);
    std::memcpy(lines + c * tile, in + c * in_step, kLineBytes);
  }
  if (options.nans) CanonicalizeWords(options.nans, lines, tile * tile);
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
      MoveRun(turned + i * tile, out + (r + i) * out_step, tile, {.stream = options.stream, .nans = {}});
    }
  }
}

// --- AVX-512 -----------------------------------------------------------------------------------------------

#ifdef __x86_64__
// GCC 12's own header leaves what it ignores uninitialised, and warns of it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"

// Templates over vectors are lowered for the baseline before they are inlined: hence intrinsics.
#define TENFOLD_AVX512 [[gnu::target("arch=x86-64-v4")]]
#define TENFOLD_AVX512_INLINE [[gnu::target("arch=x86-64-v4"), gnu::always_inline]] inline

// Within each 16 bytes, the lower, or the upper, halves of a and b, word by word in turn.
template <typename Word>
TENFOLD_AVX512_INLINE __m512i InterleaveLow(__m512i a, __m512i b) {
  if constexpr (sizeof(Word) == 1) return _mm512_unpacklo_epi8(a, b);
  if constexpr (sizeof(Word) == 2) return _mm512_unpacklo_epi16(a, b);
  if constexpr (sizeof(Word) == 4) return _mm512_unpacklo_epi32(a, b);
  if constexpr (sizeof(Word) == 8) return _mm512_unpacklo_epi64(a, b);
}
template <typename Word>
TENFOLD_AVX512_INLINE __m512i InterleaveHigh(__m512i a, __m512i b) {
  if constexpr (sizeof(Word) == 1) return _mm512_unpackhi_epi8(a, b);
  if constexpr (sizeof(Word) == 2) return _mm512_unpackhi_epi16(a, b);
  if constexpr (sizeof(Word) == 4) return _mm512_unpackhi_epi32(a, b);
  if constexpr (sizeof(Word) == 8) return _mm512_unpackhi_epi64(a, b);
}

template <typename Word>
TENFOLD_AVX512_INLINE __m512i Broadcast(uint64_t word) {
  if constexpr (sizeof(Word) == 1) return _mm512_set1_epi8(static_cast<char>(word));
  if constexpr (sizeof(Word) == 2) return _mm512_set1_epi16(static_cast<int16_t>(word));
  if constexpr (sizeof(Word) == 4) return _mm512_set1_epi32(static_cast<int32_t>(word));
  if constexpr (sizeof(Word) == 8) return _mm512_set1_epi64(static_cast<int64_t>(word));
}

template <typename Word>
TENFOLD_AVX512_INLINE __m512i Larger(__m512i a, __m512i b) {
  if constexpr (sizeof(Word) == 1) return _mm512_max_epi8(a, b);
  if constexpr (sizeof(Word) == 2) return _mm512_max_epi16(a, b);
  if constexpr (sizeof(Word) == 4) return _mm512_max_epi32(a, b);
  if constexpr (sizeof(Word) == 8) return _mm512_max_epi64(a, b);
}
template <typename Word>
TENFOLD_AVX512_INLINE bool AnyLarger(__m512i a, __m512i b) {
  if constexpr (sizeof(Word) == 1) return _mm512_cmpgt_epi8_mask(a, b) != 0;
  if constexpr (sizeof(Word) == 2) return _mm512_cmpgt_epi16_mask(a, b) != 0;
  if constexpr (sizeof(Word) == 4) return _mm512_cmpgt_epi32_mask(a, b) != 0;
  if constexpr (sizeof(Word) == 8) return _mm512_cmpgt_epi64_mask(a, b) != 0;
}

TENFOLD_AVX512_INLINE void StoreLine(void* to, __m512i line, bool stream) {
  if (stream) {
    _mm512_stream_si512(static_cast<__m512i*>(to), line);
  } else {
    _mm512_storeu_si512(to, line);
  }
}

// A register holds a line of four parts of n words. First parts are turned as TransposeRegisters does, n
// lines at a time: part l of line j of group g holds the words of lines g * n and following at l * n + j.
// Then the parts that belong together are brought together.
template <typename Word, bool kNans>
TENFOLD_AVX512 void TransposeTileAvx512(const Word* in, int64_t in_step, Word* out, int64_t out_step,
                                        const MoveOptions& options) {
  constexpr int tile = kTile<Word>, n = kLanes<Word>;
  __m512i lines[tile];
#pragma GCC unroll 64
  for (int c = 0; c < tile; ++c) {
    __builtin_prefetch(in + c * in_step + kAhead * tile);
    lines[c] = _mm512_loadu_si512(in + c * in_step);
  }
  if constexpr (kNans) {
    const __m512i mask = Broadcast<Word>(options.nans.magnitude);
    const __m512i largest = Broadcast<Word>(options.nans.largest);
    __m512i most = _mm512_and_si512(lines[0], mask);
#pragma GCC unroll 64
    for (int c = 1; c < tile; ++c) most = Larger<Word>(most, _mm512_and_si512(lines[c], mask));
    if (AnyLarger<Word>(most, largest)) {  // hardly ever
      alignas(kLineBytes) Word canonical[tile * tile];
      for (int c = 0; c < tile; ++c) std::memcpy(canonical + c * tile, in + c * in_step, kLineBytes);
      CanonicalizeWords(options.nans, canonical, tile * tile);
#pragma GCC unroll 64
      for (int c = 0; c < tile; ++c) lines[c] = _mm512_load_si512(canonical + c * tile);
    }
  }
#pragma GCC unroll 4
  for (int group = 0; group < tile; group += n) {
#pragma GCC unroll 4
    for (int step = 1; step < n; step *= 2) {
      __m512i turned[n];
#pragma GCC unroll 8
      for (int i = 0; i < n / 2; ++i) {
        turned[2 * i] = InterleaveLow<Word>(lines[group + i], lines[group + i + n / 2]);
        turned[2 * i + 1] = InterleaveHigh<Word>(lines[group + i], lines[group + i + n / 2]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < n; ++i) lines[group + i] = turned[i];
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < n; ++j) {
    const __m512i a = lines[j], b = lines[n + j], c = lines[2 * n + j], d = lines[3 * n + j];
    const __m512i ab_low = _mm512_shuffle_i32x4(a, b, 0x44), ab_high = _mm512_shuffle_i32x4(a, b, 0xee);
    const __m512i cd_low = _mm512_shuffle_i32x4(c, d, 0x44), cd_high = _mm512_shuffle_i32x4(c, d, 0xee);
    StoreLine(out + j * out_step, _mm512_shuffle_i32x4(ab_low, cd_low, 0x88), options.stream);
    StoreLine(out + (n + j) * out_step, _mm512_shuffle_i32x4(ab_low, cd_low, 0xdd), options.stream);
    StoreLine(out + (2 * n + j) * out_step, _mm512_shuffle_i32x4(ab_high, cd_high, 0x88), options.stream);
    StoreLine(out + (3 * n + j) * out_step, _mm512_shuffle_i32x4(ab_high, cd_high, 0xdd), options.stream);
  }
}
#pragma GCC diagnostic pop
#endif

// --- A block -----------------------------------------------------------------------------------------------

template <typename Word>
using TileFunction = void (*)(const Word* in, int64_t in_step, Word* out, int64_t out_step,
                              const MoveOptions& options);

template <typename Word>
TileFunction<Word> TileFunctionFor([[maybe_unused]] IsaLevel level, [[maybe_unused]] bool nans) {
#ifdef __x86_64__
  if (level == IsaLevel::kAvx512) {
    return nans ? TransposeTileAvx512<Word, true> : TransposeTileAvx512<Word, false>;
  }
#endif
  return TransposeTile<Word>;
}

bool IsWholeLines(const void* out, int64_t step_bytes) {
  return reinterpret_cast<uintptr_t>(out) % kLineBytes == 0 && step_bytes % kLineBytes == 0;
}

}  // namespace

template <typename Word>
void TransposeBlock(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows,
                    int64_t columns, const MoveOptions& options, IsaLevel level) {
  constexpr int64_t tile = kTile<Word>;
  const TileFunction<Word> transpose_tile = TileFunctionFor<Word>(level, static_cast<bool>(options.nans));
  const int64_t whole_rows = rows / tile * tile, whole_columns = columns / tile * tile;
  const bool whole_lines = IsWholeLines(out, out_step * static_cast<int64_t>(sizeof(Word)));
  if (!options.stream || whole_lines) {
    // Along the lines of the input, as the hardware fetches them.
    for (int64_t c = 0; c < whole_columns; c += tile) {
      for (int64_t r = 0; r < whole_rows; r += tile) {
        transpose_tile(in + r + c * in_step, in_step, out + r * out_step + c, out_step, options);
      }
    }
  } else {
    // Tiles lie across lines, and parts of lines cannot be streamed well: long rows are put together first.
    constexpr int64_t kMaxColumns = kMaxTransposedBytes / sizeof(Word);
    alignas(kLineBytes) Word strip[tile * kMaxColumns];
    for (int64_t r = 0; r < whole_rows; r += tile) {
      for (int64_t c = 0; c < whole_columns; c += tile) {
        transpose_tile(in + r + c * in_step, in_step, strip + c, kMaxColumns,
                       {.stream = false, .nans = options.nans});
      }
      for (int64_t i = 0; i < tile; ++i) {
        MoveRun(strip + i * kMaxColumns, out + (r + i) * out_step, whole_columns,
                {.stream = true, .nans = {}});
      }
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t first = r < whole_rows ? whole_columns : 0;
    Word* const row = out + r * out_step;
    for (int64_t c = first; c < columns; ++c) row[c] = in[r + c * in_step];
    if (options.nans) CanonicalizeWords(options.nans, row + first, columns - first);
  }
  FinishStreaming(options);
}

template void TransposeBlock(const uint8_t*, int64_t, uint8_t*, int64_t, int64_t, int64_t, const MoveOptions&,
                             IsaLevel);
template void TransposeBlock(const uint16_t*, int64_t, uint16_t*, int64_t, int64_t, int64_t,
                             const MoveOptions&, IsaLevel);
template void TransposeBlock(const uint32_t*, int64_t, uint32_t*, int64_t, int64_t, int64_t,
                             const MoveOptions&, IsaLevel);
template void TransposeBlock(const uint64_t*, int64_t, uint64_t*, int64_t, int64_t, int64_t,
                             const MoveOptions&, IsaLevel);

}  // namespace tenfold
