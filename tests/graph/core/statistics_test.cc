// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/statistics.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

ArrayStatistics Of(absl::string_view literal, int64_t columns = 20) {
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(literal);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return Summarize(*tensor, columns);
}

TEST(Statistics, CountsAndMeasuresEachColumn) {
  const ArrayStatistics s = Of("f32[4,2] 1 nan, 2 inf, 3 -inf, 4 -0");
  EXPECT_EQ(s.num_columns, 2);
  EXPECT_EQ(s.all.values, 8);
  EXPECT_EQ(s.all.nans, 1);
  EXPECT_EQ(s.all.positive_infs, 1);
  EXPECT_EQ(s.all.negative_infs, 1);
  EXPECT_EQ(s.all.zeros, 1);
  EXPECT_EQ(s.all.min, "-inf");
  EXPECT_EQ(s.all.max, "inf");
  EXPECT_EQ(s.all.mean, 2.0);
  EXPECT_EQ(s.all.stddev, std::sqrt(2.0));
  ASSERT_EQ(s.columns.size(), 2u);
  EXPECT_EQ(s.columns[0].min, "1");
  EXPECT_EQ(s.columns[0].max, "4");
  EXPECT_EQ(s.columns[0].mean, 2.5);
  EXPECT_EQ(s.columns[0].stddev, std::sqrt(1.25));
  EXPECT_EQ(s.columns[1].mean, 0.0);
  EXPECT_EQ(s.columns[1].stddev, 0.0);
}

TEST(Statistics, ColumnsAreThoseOfTheLastAxis) {
  const ArrayStatistics s = Of("i32[2,2,3] 1 2 3, 4 5 6, 7 8 9, 10 11 12", 2);
  EXPECT_EQ(s.num_columns, 3);
  ASSERT_EQ(s.columns.size(), 2u);
  EXPECT_EQ(s.columns[1].min, "2");
  EXPECT_EQ(s.columns[1].max, "11");
  EXPECT_EQ(s.columns[1].mean, 6.5);
  EXPECT_TRUE(Of("i32[3] 1 2 3").columns.empty());
  EXPECT_TRUE(Of("i32[1,3] 1 2 3", 0).columns.empty());
}

TEST(Statistics, EmptyScalarAndSplat) {
  const ArrayStatistics empty = Of("f64[0,2] splat 0");
  EXPECT_EQ(empty.all.values, 0);
  EXPECT_EQ(empty.all.min, "");
  EXPECT_EQ(empty.all.mean, std::nullopt);
  ASSERT_EQ(empty.columns.size(), 2u);
  EXPECT_EQ(empty.columns[0].values, 0);
  EXPECT_EQ(Of("u8[] 7").all.max, "7");
  const ArrayStatistics splat = Of("f16[1000,3] splat 0.5");
  EXPECT_EQ(splat.all.values, 3000);
  EXPECT_EQ(splat.all.mean, 0.5);
  EXPECT_EQ(splat.all.stddev, 0.0);
  EXPECT_EQ(Of("f32[2] nan nan").all.mean, std::nullopt);
}

TEST(Statistics, IntegersAreExact) {
  const ArrayStatistics s = Of("i64[3] 9223372036854775807 9223372036854775807 -9223372036854775807");
  EXPECT_EQ(s.all.min, "-9223372036854775807");
  EXPECT_EQ(s.all.mean, 9223372036854775807.0 / 3);
  EXPECT_EQ(Of("u64[2] 18446744073709551615 18446744073709551613").all.mean, 18446744073709551614.0);
  EXPECT_EQ(Of("bool[4] true false true true").all.mean, 0.75);
  EXPECT_EQ(Of("bool[4] true false true true").all.max, "true");
}

TEST(Statistics, NothingLeavesTheRangeOfADouble) {
  const ArrayStatistics large = Of("f64[2] 1.5e308 1.5e308");
  EXPECT_EQ(large.all.mean, 1.5e308);
  EXPECT_EQ(large.all.stddev, 0.0);
  EXPECT_NEAR(*Of("f64[2] 1.5e308 -1.5e308").all.stddev / 1.5e308, 1.0, 1e-15);
  EXPECT_NEAR(*Of("f64[2] 3e-300 -3e-300").all.stddev / 3e-300, 1.0, 1e-15);
  EXPECT_EQ(Of("f64[2] 5e-324 5e-324").all.stddev, 0.0);
}

// A naive sum of squares would lose all of it.
TEST(Statistics, AnOffsetCostsNoDigits) {
  EXPECT_NEAR(*Of("f64[3] 1000000001 1000000002 1000000003").all.stddev, std::sqrt(2.0 / 3), 1e-12);
}

}  // namespace
}  // namespace tenfold
