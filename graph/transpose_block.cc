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

template <typename Word>
constexpr int kTile = kLineBytes / static_cast<int>(sizeof(Word));  // a line by a line
// What is fetched while a tile is turned lies so many tiles further along the lines of the input: measured.
template <typename Word>
constexpr int kTilesAhead = sizeof(Word) == 1 ? 16 : 2;
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
// them share a place in the caches. The tile at `next` is fetched meanwhile.
template <typename Word>
void TransposeTile(const Word* in, int64_t in_step, Word* out, int64_t out_step, const Word* next,
                   const MoveOptions& options) {
  constexpr int tile = kTile<Word>, n = kLanes<Word>;
  alignas(kLineBytes) Word lines[tile * tile];
  for (int c = 0; c < tile; ++c) {
    __builtin_prefetch(next + c * in_step);
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

// The words of a row from two tiles that follow one another.
template <typename Word>
struct alignas(kLineBytes) TwoLines {
  Word words[2 * kTile<Word>];
};

// Of each row, the line of the output that begins `firsts` words behind the first of its two lines; then the
// second takes the place of the first. They were put there so long ago that no store is waited for.
template <typename Word>
void StreamAcross(TwoLines<Word>* rows, const int8_t* firsts, int64_t count, Word* out, int64_t out_step) {
  constexpr int tile = kTile<Word>;
  for (int64_t r = 0; r < count; ++r) {
    Word* const words = rows[r].words;
    StreamLine(words + firsts[r], out + r * out_step + firsts[r]);
    std::memcpy(words, words + tile, kLineBytes);
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
                                        const Word* next, const MoveOptions& options) {
  constexpr int tile = kTile<Word>, n = kLanes<Word>;
  __m512i lines[tile];
#pragma GCC unroll 64
  for (int c = 0; c < tile; ++c) {
    __builtin_prefetch(next + c * in_step);
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

template <typename Word>
TENFOLD_AVX512 void StreamAcrossAvx512(TwoLines<Word>* rows, const int8_t* firsts, int64_t count, Word* out,
                                       int64_t out_step) {
  constexpr int tile = kTile<Word>;
  for (int64_t r = 0; r < count; ++r) {
    Word* const words = rows[r].words;
    StoreLine(out + r * out_step + firsts[r], _mm512_loadu_si512(words + firsts[r]), /*stream=*/true);
    _mm512_store_si512(words, _mm512_load_si512(words + tile));
  }
}
#pragma GCC diagnostic pop
#endif

// --- A block -----------------------------------------------------------------------------------------------

template <typename Word>
struct Functions {
  decltype(&TransposeTile<Word>) transpose_tile = TransposeTile<Word>;
  decltype(&StreamAcross<Word>) stream_across = StreamAcross<Word>;
};

template <typename Word>
Functions<Word> FunctionsFor([[maybe_unused]] IsaLevel level, [[maybe_unused]] bool nans) {
#ifdef __x86_64__
  if (level == IsaLevel::kAvx512) {
    return {nans ? TransposeTileAvx512<Word, true> : TransposeTileAvx512<Word, false>,
            StreamAcrossAvx512<Word>};
  }
#endif
  return {};
}

template <typename Word>
class Block {
 public:
  Block(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows, int64_t columns,
        const MoveOptions& options, IsaLevel level)
      : in_(in),
        out_(out),
        in_step_(in_step),
        out_step_(out_step),
        rows_(rows),
        columns_(columns),
        options_(options),
        functions_(FunctionsFor<Word>(level, static_cast<bool>(options.nans))) {}

  void Transpose() const {
    const bool whole_lines = FirstLine(0) == 0 && out_step_ % kTile<Word> == 0;
    if (options_.stream && !whole_lines) return TransposeAcrossLines();
    // Along the lines of the input, as the hardware fetches them.
    for (int64_t c = 0; c < columns_; c += tile) {
      for (int64_t r = 0; r < rows_; r += tile) Tile(r, c, out_ + r * out_step_ + c, out_step_, options_);
    }
  }

 private:
  static constexpr int64_t tile = kTile<Word>;

  // How many words of row `r` lie before the first line of memory that begins in it.
  int64_t FirstLine(int64_t r) const {
    const auto address = reinterpret_cast<uintptr_t>(out_ + r * out_step_);
    return static_cast<int64_t>((kLineBytes - address % kLineBytes) % kLineBytes / sizeof(Word));
  }

  // The tile, or what there is of it, from row r and column c on.
  void Tile(int64_t r, int64_t c, Word* to, int64_t to_step, const MoveOptions& options) const {
    const Word* const from = in_ + r + c * in_step_;
    const int64_t rows = std::min(tile, rows_ - r), columns = std::min(tile, columns_ - c);
    if (rows == tile && columns == tile) {
      return functions_.transpose_tile(from, in_step_, to, to_step, Ahead(r, c), options);
    }
    alignas(kLineBytes) Word lines[tile * tile] = {}, turned[tile * tile];
    for (int64_t i = 0; i < columns; ++i) {
      std::memcpy(lines + i * tile, from + i * in_step_, static_cast<size_t>(rows) * sizeof(Word));
    }
    functions_.transpose_tile(lines, tile, turned, tile, lines, {.stream = false, .nans = options.nans});
    for (int64_t i = 0; i < rows; ++i) {
      std::memcpy(to + i * to_step, turned + i * tile, static_cast<size_t>(columns) * sizeof(Word));
    }
  }

  // The tile to fetch while the one at (r, c) is turned; behind the last one, to fetch does nothing.
  const Word* Ahead(int64_t r, int64_t c) const {
    const int64_t along = r + kTilesAhead<Word> * tile;
    if (along < rows_) return in_ + along + c * in_step_;
    const int64_t over = along - (rows_ + tile - 1) / tile * tile;
    return in_ + std::clamp(over, int64_t{0}, rows_ - 1) + (c + tile) * in_step_;
  }

  // Lines of the output lie across two tiles. So these are put together, and what is written is whole lines
  // but at both ends of a row: parts of lines cannot be streamed well.
  void TransposeAcrossLines() const {
    TwoLines<Word> last[kMaxStreamedRows];
    int8_t firsts[kMaxStreamedRows];
    for (int64_t r = 0; r < rows_; ++r) firsts[r] = static_cast<int8_t>(FirstLine(r));
    for (int64_t c = 0; c < columns_; c += tile) {
      for (int64_t r = 0; r < rows_; r += tile) {
        const int64_t count = std::min(tile, rows_ - r);
        if (c == tile) Begin(last, firsts, r, count);
        if (c > tile) {
          functions_.stream_across(last + r, firsts + r, count, out_ + r * out_step_ + c - 2 * tile,
                                   out_step_);
        }
        Tile(r, c, last[r].words + tile, 2 * tile, {.stream = false, .nans = options_.nans});
      }
    }
    End(last, firsts);
  }

  // Of the rows of the first tile, the words before their first lines.
  void Begin(TwoLines<Word>* last, const int8_t* firsts, int64_t r, int64_t count) const {
    for (int64_t i = r; i < r + count; ++i) {
      Word* const words = last[i].words;
      std::memcpy(out_ + i * out_step_, words + tile, static_cast<size_t>(firsts[i]) * sizeof(Word));
      std::memcpy(words, words + tile, kLineBytes);
    }
  }

  // Of each row, what its last two tiles still hold.
  void End(const TwoLines<Word>* last, const int8_t* firsts) const {
    const int64_t column = (columns_ + tile - 1) / tile * tile - 2 * tile;  // of the first of two lines
    for (int64_t r = 0; r < rows_; ++r) {
      const int64_t first = column < 0 ? tile : firsts[r];
      if (column + first >= columns_) continue;
      MoveRun(last[r].words + first, out_ + r * out_step_ + column + first, columns_ - column - first,
              {.stream = true, .nans = {}});
    }
  }

  const Word* const in_;
  Word* const out_;
  const int64_t in_step_, out_step_, rows_, columns_;
  const MoveOptions options_;
  const Functions<Word> functions_;
};

}  // namespace

template <typename Word>
void TransposeBlock(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows,
                    int64_t columns, const MoveOptions& options, IsaLevel level) {
  const int64_t height = options.stream ? kMaxStreamedRows : rows;
  for (int64_t r = 0; r < rows; r += height) {
    Block<Word>(in + r, in_step, out + r * out_step, out_step, std::min(height, rows - r), columns, options,
                level)
        .Transpose();
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
