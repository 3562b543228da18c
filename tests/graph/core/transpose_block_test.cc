// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/transpose_block.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace tenfold {
namespace {

struct Case {
  int64_t rows, columns, in_step, out_step, out_offset;
};

// Every level that this machine has, past the caches or not, wherever the lines of the output start.
template <typename Word>
void Check(const Case& c, NanPattern nans) {
  std::vector<Word> in(c.columns * c.in_step);
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<Word>(i * 0x9e3779b97f4a7c15u >> 31);
  if (nans) {
    for (size_t i = 0; i < in.size(); i += 5)
      in[i] = static_cast<Word>(i % 2 == 0 ? ~uint64_t{0} : nans.largest + 1);
  }
  const auto out_size = static_cast<size_t>(c.out_offset + c.rows * c.out_step);
  // Aligned to a line, so that offsets say where lines start.
  std::vector<Word> memory(out_size + 64);
  const size_t misaligned = reinterpret_cast<uintptr_t>(memory.data()) % 64 / sizeof(Word);
  Word* const base = memory.data() + (64 / sizeof(Word) - misaligned) % (64 / sizeof(Word));
  std::vector<Word> want(out_size, Word(9));
  for (int64_t r = 0; r < c.rows; ++r) {
    for (int64_t k = 0; k < c.columns; ++k) {
      Word& word = want[c.out_offset + r * c.out_step + k];
      word = in[r + k * c.in_step];
      if ((word & nans.magnitude) > nans.largest) word = static_cast<Word>(nans.canonical);
    }
  }
  for (IsaLevel level : {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512}) {
    if (level > HostIsaLevel()) continue;
    for (bool stream : {false, true}) {
      std::fill(base, base + out_size, Word(9));
      TransposeBlock(in.data(), c.in_step, base + c.out_offset, c.out_step, c.rows, c.columns,
                     {.stream = stream, .nans = nans}, level);
      EXPECT_EQ(std::vector<Word>(base, base + out_size), want)
          << sizeof(Word) << " bytes, " << c.rows << "x" << c.columns << " into lines of " << c.out_step
          << " at " << c.out_offset << ", " << Name(level) << (stream ? ", streamed" : "");
    }
  }
}

class TransposeBlockTest : public ::testing::TestWithParam<Case> {};

TEST_P(TransposeBlockTest, IsTheSameAtEveryLevel) {
  Check<uint8_t>(GetParam(), {});
  Check<uint16_t>(GetParam(), {});
  Check<uint32_t>(GetParam(), {});
  Check<uint64_t>(GetParam(), {});
}

TEST_P(TransposeBlockTest, MakesNansCanonical) {
  Check<uint8_t>(GetParam(), NanPatternOf(DType::kF8E4M3FN));
  Check<uint8_t>(GetParam(), NanPatternOf(DType::kF8E5M2));
  Check<uint16_t>(GetParam(), NanPatternOf(DType::kF16));
  Check<uint16_t>(GetParam(), NanPatternOf(DType::kBF16));
  Check<uint32_t>(GetParam(), NanPatternOf(DType::kF32));
  Check<uint64_t>(GetParam(), NanPatternOf(DType::kF64));
}

INSTANTIATE_TEST_SUITE_P(Shapes, TransposeBlockTest,
                         ::testing::Values(Case{64, 64, 64, 64, 0},       // whole lines
                                           Case{128, 128, 128, 192, 64},  // of a larger matrix
                                           Case{64, 128, 67, 131, 0},     // lines that start anywhere
                                           Case{64, 128, 64, 128, 3},     // and the first one, too
                                           Case{77, 101, 80, 105, 1},     // rests of tiles on both sides
                                           Case{130, 257, 130, 259, 5},   // of several tiles
                                           Case{9, 70, 9, 71, 2},         // within the second tile
                                           Case{1100, 70, 1100, 77, 0},   // more than are put together
                                           Case{3, 128, 3, 128, 0},       // less than a tile
                                           Case{128, 5, 128, 5, 0}, Case{1, 1, 1, 1, 0}));

}  // namespace
}  // namespace tenfold
