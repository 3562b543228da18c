// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/box_copy.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tenfold/graph/tensor.h"

namespace tenfold {
namespace {

struct Box {
  Dims extents;
  int64_t from;
  Dims from_strides;
  int64_t to;
  Dims to_strides;
};

// Element by element, as the header of Piece says.
template <typename Word>
void CopySlowly(const Box& box, const std::vector<Word>& in, std::vector<Word>& out) {
  Dims index(box.extents.size());
  while (true) {
    int64_t from = box.from, to = box.to;
    for (size_t d = 0; d < index.size(); ++d) {
      from += index[d] * box.from_strides[d];
      to += index[d] * box.to_strides[d];
    }
    out[to] = in[from];
    size_t d = index.size();
    while (d > 0 && ++index[d - 1] == box.extents[d - 1]) index[--d] = 0;
    if (d == 0) return;
  }
}

// The whole at once, and in pieces that no boundary of the box knows.
template <typename Word>
void Check(const Box& box, int64_t in_count, int64_t out_count) {
  std::vector<Word> in(in_count);
  for (int64_t i = 0; i < in_count; ++i) in[i] = static_cast<Word>(i * 0x9e3779b97f4a7c15u >> 40);
  std::vector<Word> want(out_count, Word(7));
  CopySlowly(box, in, want);
  const BoxCopy copy(box.extents, box.from, box.from_strides, box.to, box.to_strides, sizeof(Word));
  ASSERT_TRUE(copy.StaysWithin(in_count, out_count));
  for (int64_t piece : {copy.units(), int64_t{1}, int64_t{37}}) {
    std::vector<Word> out(out_count, Word(7));
    for (int64_t at = 0; at < copy.units(); at += piece) {
      copy.Run(in.data(), out.data(), at, std::min(at + piece, copy.units()));
    }
    EXPECT_EQ(out, want) << "in pieces of " << piece;
  }
}

void CheckAll(const char* what, const Box& box, int64_t in_count, int64_t out_count) {
  SCOPED_TRACE(what);
  Check<uint8_t>(box, in_count, out_count);
  Check<uint16_t>(box, in_count, out_count);
  Check<uint32_t>(box, in_count, out_count);
  Check<uint64_t>(box, in_count, out_count);
}

TEST(BoxCopy, CopiesEveryKindOfBox) {
  CheckAll("all of it", {{3, 5}, 0, {5, 1}, 0, {5, 1}}, 15, 15);
  CheckAll("a part, backwards", {{2, 3}, 9, {-5, -2}, 1, {4, 1}}, 15, 10);
  CheckAll("one value", {{4, 3}, 2, {0, 0}, 0, {3, 1}}, 5, 12);
  CheckAll("rows repeated", {{4, 3}, 0, {0, 1}, 0, {3, 1}}, 3, 12);
  CheckAll("columns that lie apart", {{7, 3}, 0, {3, 1}, 2, {9, 1}}, 21, 63);
  CheckAll("a scalar", {{}, 2, {}, 1, {}}, 3, 2);
  CheckAll("dims of 1", {{1, 4, 1}, 0, {99, 1, 99}, 0, {99, 1, 99}}, 4, 4);
  CheckAll("written apart", {{3, 4}, 0, {4, 1}, 0, {1, 3}}, 12, 12);
}

TEST(BoxCopy, Transposes) {
  CheckAll("smaller than a tile", {{3, 5}, 0, {1, 3}, 0, {5, 1}}, 15, 15);
  CheckAll("a tile", {{64, 64}, 0, {1, 64}, 0, {64, 1}}, 4096, 4096);
  CheckAll("ends within tiles", {{131, 203}, 0, {1, 131}, 0, {203, 1}}, 131 * 203, 131 * 203);
  CheckAll("several blocks", {{1100, 70}, 0, {1, 1100}, 0, {70, 1}}, 77000, 77000);
  CheckAll("a batch", {{3, 70, 65}, 0, {70 * 65, 1, 70}, 0, {70 * 65, 65, 1}}, 3 * 70 * 65, 3 * 70 * 65);
  CheckAll("rows between", {{70, 3, 65}, 0, {1, 70, 210}, 5, {195, 65, 1}}, 70 * 3 * 65, 70 * 3 * 65 + 5);
  CheckAll("of a part, to a part", {{80, 90}, 3, {1, 100}, 7, {120, 1}}, 9100, 9700);
}

// Larger than the caches, where stores go past them.
TEST(BoxCopy, TransposesWhatIsLarge) {
  const int64_t rows = 2000, columns = 1203;
  Check<uint32_t>({{rows, columns}, 0, {1, rows}, 0, {columns, 1}}, rows * columns, rows * columns);
}

TEST(BoxCopy, CopiesWhatIsLarge) {
  // Rows that start anywhere within a line of memory.
  const int64_t rows = 3001, columns = 1203;
  Check<uint32_t>({{rows, columns}, 0, {columns + 3, 1}, 1, {columns + 5, 1}}, rows * (columns + 3),
                  rows * (columns + 5) + 1);
}

// Every way of copying `box` gives what a copy gives whose NaNs are made canonical behind it.
template <typename Word>
void CheckNans(DType dtype, const Box& box, int64_t in_count, int64_t out_count) {
  const NanPattern nans = NanPatternOf(dtype);
  std::vector<Word> in(in_count);
  for (int64_t i = 0; i < in_count; ++i) in[i] = static_cast<Word>(i * 0x9e3779b97f4a7c15u >> 13);
  // NaNs of either sign, the largest and the least payload, and infinities, which are none.
  for (int64_t i = 0; i < in_count; i += 7) {
    const uint64_t sign = i % 2 == 0 ? nans.magnitude + 1 : 0;
    const uint64_t bits = i % 3 == 0 ? nans.magnitude : i % 3 == 1 ? nans.largest + 1 : nans.largest;
    in[i] = static_cast<Word>(bits | sign);
  }
  std::vector<Word> want(out_count, Word(7));
  CopySlowly(box, in, want);
  CanonicalizeNans(dtype, want.data(), out_count);
  const BoxCopy copy(box.extents, box.from, box.from_strides, box.to, box.to_strides, sizeof(Word));
  std::vector<Word> out(out_count, Word(7));
  copy.Run(in.data(), out.data(), 0, copy.units(), nans);
  EXPECT_EQ(out, want) << Name(dtype);
}

void CheckNansOfAll(const char* what, const Box& box, int64_t in_count, int64_t out_count) {
  SCOPED_TRACE(what);
  CheckNans<uint8_t>(DType::kF8E4M3FN, box, in_count, out_count);
  CheckNans<uint8_t>(DType::kF8E5M2, box, in_count, out_count);
  CheckNans<uint16_t>(DType::kF16, box, in_count, out_count);
  CheckNans<uint16_t>(DType::kBF16, box, in_count, out_count);
  CheckNans<uint32_t>(DType::kF32, box, in_count, out_count);
  CheckNans<uint64_t>(DType::kF64, box, in_count, out_count);
}

TEST(BoxCopy, MakesNansCanonicalOnTheWay) {
  CheckNansOfAll("runs", {{3, 500}, 0, {500, 1}, 0, {500, 1}}, 1500, 1500);
  CheckNansOfAll("a NaN spread", {{4, 300}, 7, {0, 0}, 0, {300, 1}}, 8, 1200);
  CheckNansOfAll("read apart", {{200}, 0, {3}, 0, {1}}, 600, 200);
  CheckNansOfAll("written apart", {{200}, 0, {1}, 0, {3}}, 200, 600);
  CheckNansOfAll("turned", {{131, 203}, 0, {1, 131}, 0, {203, 1}}, 131 * 203, 131 * 203);
  // Larger than the caches.
  CheckNans<uint32_t>(DType::kF32, {{2000, 1203}, 0, {1, 2000}, 0, {1203, 1}}, 2000 * 1203, 2000 * 1203);
  CheckNans<uint32_t>(DType::kF32, {{2000, 1203}, 0, {1204, 1}, 0, {1203, 1}}, 2000 * 1204, 2000 * 1203);
}

TEST(BoxCopy, SaysWhatLeavesATensor) {
  const auto within = [](const Box& box, int64_t in, int64_t out) {
    return BoxCopy(box.extents, box.from, box.from_strides, box.to, box.to_strides, 4).StaysWithin(in, out);
  };
  EXPECT_TRUE(within({{3}, 2, {-1}, 0, {1}}, 3, 3));
  EXPECT_FALSE(within({{3}, 1, {-1}, 0, {1}}, 3, 3));
  EXPECT_FALSE(within({{3}, 1, {1}, 0, {1}}, 3, 3));
  EXPECT_FALSE(within({{3}, 0, {1}, 1, {1}}, 3, 3));
  EXPECT_FALSE(within({{1}, 3, {1}, 0, {1}}, 3, 3));
  EXPECT_TRUE(within({{0}, 100, {1}, 100, {1}}, 3, 3));
  EXPECT_FALSE(within({{int64_t{1} << 40, int64_t{1} << 20}, 0, {int64_t{1} << 40, 1}, 0, {0, 0}}, 3, 3));
}

}  // namespace
}  // namespace tenfold
