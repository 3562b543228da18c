// SPDX-License-Identifier: Apache-2.0
//
// The tools' smaller parts: random tensors, arguments that name arrays, timing.
#include <cmath>
#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/random_tensor.h"
#include "tenfold/tools/timing.h"

namespace tenfold {
namespace {

TEST(RandomTensorTest, FloatsAreNearlyNormal) {
  const Tensor t = *RandomTensor(DType::kF64, Dims{100000}, 7, "x");
  double sum = 0, squares = 0, fourths = 0;
  for (const double v : t.values<double>()) {
    EXPECT_LT(std::abs(v), 6);
    sum += v;
    squares += v * v;
    fourths += v * v * v * v;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.02);
  EXPECT_NEAR(squares / 1e5, 1, 0.02);
  EXPECT_NEAR(fourths / 1e5, 2.9, 0.1);  // 3 for a normal distribution, 3 - 0.1 for twelve uniform ones
}

TEST(RandomTensorTest, IntegersCoverTheirRange) {
  const auto extremes = [](DType dtype) {
    const Tensor t = *RandomTensor(dtype, Dims{20000}, 0, "x");
    int low = 1000, high = -1000;
    VisitComputed(dtype, [&]<typename E>(std::type_identity<E>) {
      if constexpr (std::is_integral_v<E>) {
        for (const E v : t.values<E>())
          low = std::min(low, static_cast<int>(v)), high = std::max(high, static_cast<int>(v));
      }
    });
    return std::pair(low, high);
  };
  EXPECT_EQ(extremes(DType::kI8), std::pair(-100, 100));
  EXPECT_EQ(extremes(DType::kI64), std::pair(-100, 100));
  EXPECT_EQ(extremes(DType::kU16), std::pair(0, 100));
  EXPECT_EQ(extremes(DType::kBool), std::pair(0, 1));
}

TEST(RandomTensorTest, DependsOnSeedAndNameAlone) {
  const Tensor x = *RandomTensor(DType::kF32, Dims{8}, 1, "x");
  EXPECT_TRUE(SameBits(x, *RandomTensor(DType::kF32, Dims{8}, 1, "x")));
  EXPECT_FALSE(SameBits(x, *RandomTensor(DType::kF32, Dims{8}, 2, "x")));
  EXPECT_FALSE(SameBits(x, *RandomTensor(DType::kF32, Dims{8}, 1, "y")));
  // The values themselves, so that a change is noticed: people compare results over time.
  EXPECT_EQ(RandomTensor(DType::kI32, Dims{6}, 0, "x")->ToString(), "i32[6] {3, 18, -11, 1, 63, 69}");
}

TEST(RandomTensorTest, MakesEveryDTypeAndEmptyTensors) {
  for (const DType dtype : kAllDTypes) {
    EXPECT_EQ(RandomTensor(dtype, Dims{2, 3}, 0, "x")->num_elements(), 6);
    EXPECT_EQ(RandomTensor(dtype, Dims{0}, 0, "x")->num_elements(), 0);
  }
}

TEST(ArrayArgumentTest, SplitsAtTheFirstEqualsSign) {
  const NamedArgument argument = *SplitNamedArgument("x=a=b.npy");
  EXPECT_EQ(argument.name, "x");
  EXPECT_EQ(argument.value, "a=b.npy");
  for (const char* wrong : {"x.npy", "=x.npy", "x="})
    EXPECT_FALSE(SplitNamedArgument(wrong).has_value()) << wrong;
}

TEST(ArrayArgumentTest, TellsTheFormsApart) {
  EXPECT_EQ(FormOf("x.npy"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("w.npz:w1"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("@f32[2] 1 2"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("@random"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("random.npy"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("x[1].npy"), ArrayForm::kFile);
  EXPECT_EQ(FormOf("f32[2] 1 2"), ArrayForm::kLiteral);
  EXPECT_EQ(FormOf("bool[] true"), ArrayForm::kLiteral);
  EXPECT_EQ(FormOf("random"), ArrayForm::kRandom);
  EXPECT_EQ(FormOf("random:f32[2]"), ArrayForm::kRandom);
}

TEST(TimingTest, PercentilesAreMeasuredValues) {
  std::vector<int64_t> times;
  for (int64_t i = 100; i >= 1; --i) times.push_back(i);
  EXPECT_EQ(Summarize(times).ToString(), "min 1 ns, median 50 ns, p95 95 ns, max 100 ns");
  EXPECT_EQ(Summarize({1'523'400}).ToString(), "min 1.523 ms, median 1.523 ms, p95 1.523 ms, max 1.523 ms");
}

TEST(TimingTest, ChoosesUnits) {
  EXPECT_EQ(DurationToString(999), "999 ns");
  EXPECT_EQ(DurationToString(1520), "1.52 us");
  EXPECT_EQ(DurationToString(999'600), "999.6 us");
  EXPECT_EQ(DurationToString(2'050'000'000), "2.05 s");
}

}  // namespace
}  // namespace tenfold
