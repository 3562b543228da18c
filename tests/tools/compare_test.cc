// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/compare.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

constexpr float kNext = 1.00000012f;  // the float after 1

TEST(CompareTest, WithoutToleranceOnlyEqualValuesPass) {
  EXPECT_TRUE(Compare(T("f32[3] 1 -2 inf"), T("f32[3] 1 -2 inf"), {}).passed());
  EXPECT_TRUE(Compare(T("f32[1] -0.0"), T("f32[1] 0"), {}).passed());
  const Comparison c = Compare(Tensor::Scalar(kNext), Tensor::Scalar(1.0f), {});
  EXPECT_EQ(c.mismatches, 1);
  EXPECT_EQ(c.worst.ulp, 1u);
}

TEST(CompareTest, AllowsErrorsRelativeToTheReference) {
  EXPECT_TRUE(Compare(T("f64[2] 101 -9.9"), T("f64[2] 100 -10"), {.rtol = 0.0101}).passed());
  EXPECT_FALSE(Compare(T("f64[1] 102"), T("f64[1] 100"), {.rtol = 0.0101}).passed());
  EXPECT_TRUE(Compare(T("f64[1] 0.5"), T("f64[1] 0"), {.atol = 0.5}).passed());
  EXPECT_FALSE(Compare(T("f64[1] 0.5"), T("f64[1] 0"), {.rtol = 0.5}).passed());
}

TEST(CompareTest, CountsUlpAcrossZeroAndInEveryFloatType) {
  EXPECT_TRUE(Compare(T("f32[1] 1e-45"), T("f32[1] -1e-45"), {.max_ulp = 2}).passed());
  EXPECT_FALSE(Compare(T("f32[1] 1e-45"), T("f32[1] -1e-45"), {.max_ulp = 1}).passed());
  EXPECT_EQ(Compare(T("f16[1] 1.001"), T("f16[1] 1"), {}).worst.ulp, 1u);
  EXPECT_EQ(Compare(T("bf16[1] 1.0078125"), T("bf16[1] 1"), {}).worst.ulp, 1u);
  EXPECT_EQ(Compare(T("f64[1] -1.7976931348623157e308"), T("f64[1] 1.7976931348623157e308"), {}).worst.ulp,
            2 * 0x7fefffffffffffffu);
}

TEST(CompareTest, ComparesIntegersExactly) {
  // Neighbours that are one and the same double.
  const Comparison c = Compare(T("i64[1] 9007199254740993"), T("i64[1] 9007199254740992"), {});
  EXPECT_EQ(c.mismatches, 1);
  EXPECT_EQ(c.worst.absolute, 1);
  EXPECT_EQ(Compare(T("u64[1] 18446744073709551615"), T("u64[1] 0"), {}).worst.ulp, UINT64_MAX);
  EXPECT_TRUE(Compare(T("i32[1] 5"), T("i32[1] 7"), {.max_ulp = 2}).passed());
  EXPECT_FALSE(Compare(T("bool[2] true false"), T("bool[2] true true"), {}).passed());
}

TEST(CompareTest, NanEqualsNanOnlyIfAsked) {
  EXPECT_FALSE(Compare(T("f32[1] nan"), T("f32[1] nan"), {.atol = 1e30}).passed());
  EXPECT_TRUE(Compare(T("f32[1] nan"), T("f32[1] nan"), {.equal_nan = true}).passed());
  EXPECT_FALSE(Compare(T("f32[1] nan"), T("f32[1] 0"), {.max_ulp = INT64_MAX, .equal_nan = true}).passed());
}

TEST(CompareTest, AnInfinityIsNearNothing) {
  EXPECT_FALSE(Compare(T("f32[1] inf"), T("f32[1] 3.4028235e38"), {.rtol = 1e30, .max_ulp = 1}).passed());
  EXPECT_FALSE(Compare(T("f32[1] 1"), T("f32[1] inf"), {.rtol = 1}).passed());
}

TEST(CompareTest, TypesMustAgree) {
  EXPECT_EQ(Compare(T("f32[2] 1 2"), T("f64[2] 1 2"), {}).ToString("y", {}),
            "compare y: types differ: got f32[2], want f64[2]");
  EXPECT_FALSE(Compare(T("f32[2] 1 2"), T("f32[2,1] 1 2"), {}).passed());
}

TEST(CompareTest, EmptyTensorsAgree) {
  EXPECT_EQ(Compare(T("f32[0,4] {}"), T("f32[0,4] {}"), {}).ToString("y", {}),
            "compare y: 0 elements agree (exactly)");
}

TEST(CompareTest, NamesTheElementThatIsFurthestOutside) {
  const Tolerance tolerance = {.rtol = 0.01, .atol = 0.001};
  // In absolute terms [0,0] is worst; by the tolerance it is [1,2].
  const Comparison c = Compare(T("f32[2,3] 1100 2 3 4 5 1"), T("f32[2,3] 1000 2 3 4 5.5 0.5"), tolerance);
  EXPECT_EQ(c.ToString("p", tolerance),
            "compare p: 3 of 6 elements outside the tolerance (rtol 0.01, atol 0.001)\n"
            "  worst: element [1,2]: got 1, want 0.5; abs error 0.5, rel error 1, 8388608 ulp");
}

TEST(CompareTest, NamesTheLargestDifferenceIfAllPass) {
  EXPECT_EQ(Compare(T("f32[2] 1 2.5"), T("f32[2] 1 2"), {.atol = 1}).ToString("p", {.atol = 1}),
            "compare p: 2 elements agree (atol 1); furthest: element [1]: got 2.5, want 2; abs error 0.5, "
            "rel error 0.25, "
            "2097152 ulp");
  EXPECT_EQ(Compare(T("f32[1] 7"), T("f32[1] 7"), {}).ToString("p", {}),
            "compare p: 1 element agrees (exactly)");
}

TEST(CompareTest, ANanIsWorseThanAnyNumber) {
  const Comparison c = Compare(T("f32[3] 1e30 nan 0"), T("f32[3] 0 0 0"), {.atol = 1});
  EXPECT_EQ(c.worst.index, 1);
  EXPECT_EQ(c.ToString("p", {.atol = 1}),
            "compare p: 2 of 3 elements outside the tolerance (atol 1)\n"
            "  worst: element [1]: got nan, want 0; one of them is NaN");
}

}  // namespace
}  // namespace tenfold
