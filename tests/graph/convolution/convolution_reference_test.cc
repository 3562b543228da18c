// SPDX-License-Identifier: Apache-2.0
//
// The loop nest of convolutions, bit for bit against its definition written down naively.
#include "tenfold/graph/convolution_reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "tenfold/graph/half.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tests/graph/convolution/random_window.h"

namespace tenfold {
namespace {

using testing::Pick;
using testing::RandomWindow;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr IsaLevel kLevels[] = {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512};

// --- The definition ----------------------------------------------------------------------------------------

float MultiplyAdd(float a, float b, float c) { return std::fma(a, b, c); }
double MultiplyAdd(double a, double b, double c) { return std::fma(a, b, c); }
uint64_t MultiplyAdd(uint64_t a, uint64_t b, uint64_t c) { return a * b + c; }

// As the type that sums are kept in.
template <typename T>
auto Wide(T v) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<uint64_t>(v);
  } else {
    return Widen(v);
  }
}

// Whether output o takes input i through kernel position k.
bool Meets(const WindowExtents& axis, bool transposed, int64_t o, int64_t i, int64_t k) {
  return transposed ? o == i * axis.stride - axis.pad_begin + k * axis.dilation
                    : i == o * axis.stride - axis.pad_begin + k * axis.dilation;
}

struct Position {
  int64_t at[3];
};
std::vector<Position> Positions(int64_t a, int64_t b, int64_t c) {
  std::vector<Position> all;
  for (int64_t i = 0; i < a; ++i)
    for (int64_t j = 0; j < b; ++j)
      for (int64_t k = 0; k < c; ++k) all.push_back({{i, j, k}});
  return all;
}

template <typename X, typename W, typename Y>
void Define(const ConvolutionExtents& e, const X* x, const W* w, const Y* bias, Y* y, auto x_zero,
            auto w_zero_of) {
  const auto inputs = Positions(e.window[0].input, e.window[1].input, e.window[2].input);
  const auto kernels = Positions(e.window[0].kernel, e.window[1].kernel, e.window[2].kernel);
  const auto outputs = Positions(e.window[0].output, e.window[1].output, e.window[2].output);
  // Of each output and kernel position: the one input that they meet, or -1.
  std::vector<int64_t> met(outputs.size() * kernels.size(), -1);
  for (size_t o = 0; o < outputs.size(); ++o)
    for (size_t k = 0; k < kernels.size(); ++k)
      for (size_t i = 0; i < inputs.size(); ++i) {
        bool meets = true;
        for (int d = 0; d < 3; ++d)
          meets =
              meets && Meets(e.window[d], e.transposed, outputs[o].at[d], inputs[i].at[d], kernels[k].at[d]);
        if (meets) met[o * kernels.size() + k] = static_cast<int64_t>(i);
      }
  for (int64_t n = 0; n < e.batch; ++n)
    for (int64_t g = 0; g < e.groups; ++g)
      for (int64_t m = 0; m < e.out_channels; ++m)
        for (size_t o = 0; o < outputs.size(); ++o) {
          decltype(Wide(Y())) sum{};
          for (int64_t c = 0; c < e.in_channels; ++c)
            for (size_t k = 0; k < kernels.size(); ++k) {
              const int64_t i = met[o * kernels.size() + k];
              if (i < 0) continue;
              const int64_t from = ((n * e.groups + g) * e.in_channels + c) * inputs.size() + i;
              const int64_t channels = e.transposed ? (g * e.in_channels + c) * e.out_channels + m
                                                    : (g * e.out_channels + m) * e.in_channels + c;
              sum = MultiplyAdd(Wide(x[from]) - x_zero,
                                Wide(w[channels * kernels.size() + k]) - w_zero_of(g * e.out_channels + m),
                                sum);
            }
          const int64_t channel = g * e.out_channels + m;
          if (bias != nullptr) sum = sum + Wide(bias[channel]);
          y[(n * e.groups * e.out_channels + channel) * outputs.size() + o] = Narrow<Y>(sum);
        }
}

// --- Random cases
// --------------------------------------------------------------------------------------------

int64_t Volume(const Window& window, int64_t WindowExtents::* extent) {
  return window[0].*extent * window[1].*extent * window[2].*extent;
}

Tensor RandomTensor(DType dtype, int64_t count, std::mt19937& random) {
  Tensor tensor = *Tensor::Allocate(dtype, Dims{count});
  std::normal_distribution<double> normal;
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    for (T& v : tensor.mutable_values<T>()) {
      if constexpr (std::is_integral_v<T>)
        v = static_cast<T>(random());
      else
        v = Narrow<T>(std::is_same_v<T, double> ? normal(random) : static_cast<float>(normal(random)));
    }
  });
  return tensor;
}

ConvolutionExtents RandomExtents(std::mt19937& random, bool transposed) {
  ConvolutionExtents e;
  e.batch = Pick(random, 1, 2);
  e.groups = Pick(random, 1, 3);
  e.in_channels = Pick(random, 1, 4);
  e.out_channels = Pick(random, 1, 3) * Pick(random, 1, 6);
  e.transposed = transposed;
  e.window = RandomWindow(random, static_cast<int>(Pick(random, 1, 3)), transposed);
  return e;
}

struct Sizes {
  int64_t x, w, y, channels;
};
Sizes SizesOf(const ConvolutionExtents& e) {
  return {e.batch * e.groups * e.in_channels * Volume(e.window, &WindowExtents::input),
          e.groups * e.out_channels * e.in_channels * Volume(e.window, &WindowExtents::kernel),
          e.batch * e.groups * e.out_channels * Volume(e.window, &WindowExtents::output),
          e.groups * e.out_channels};
}

std::string Text(const ConvolutionExtents& e) {
  std::string text = e.transposed ? "transposed" : "plain";
  for (int64_t v : {e.batch, e.groups, e.in_channels, e.out_channels}) text += " " + std::to_string(v);
  for (const WindowExtents& a : e.window) {
    text += " |";
    for (int64_t v : {a.input, a.kernel, a.output, a.stride, a.dilation, a.pad_begin, a.pad_end})
      text += " " + std::to_string(v);
  }
  return text;
}

TEST(ConvolutionReference, IsItsDefinitionForEveryDTypeAtEveryLevel) {
  std::mt19937 random(20);
  for (DType dtype : kComputedDTypes) {
    if (IsBool(dtype)) continue;
    for (int round = 0; round < 40; ++round) {
      const ConvolutionExtents e = RandomExtents(random, round % 2 == 1);
      SCOPED_TRACE(std::string(Name(dtype)) + " " + Text(e));
      const Sizes sizes = SizesOf(e);
      const Tensor x = RandomTensor(dtype, sizes.x, random), w = RandomTensor(dtype, sizes.w, random),
                   bias = RandomTensor(dtype, sizes.channels, random);
      const bool has_bias = round % 3 != 0;
      Tensor want = *Tensor::Allocate(dtype, Dims{sizes.y});
      VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
        if constexpr (!std::is_same_v<T, bool>) {
          Define<T, T, T>(e, x.values<T>().data(), w.values<T>().data(),
                          has_bias ? bias.values<T>().data() : nullptr, want.mutable_values<T>().data(),
                          decltype(Wide(T())){}, [](int64_t) { return decltype(Wide(T())){}; });
        }
      });
      for (IsaLevel level : kLevels) {
        Tensor got = *Tensor::Allocate(dtype, Dims{sizes.y});
        std::memset(got.mutable_data(), 0xff, got.stored_bytes());
        const ConvolutionOperands operands = {x.data(), w.data(), has_bias ? bias.data() : nullptr,
                                              got.mutable_data()};
        // In two calls, the later units first.
        const int64_t units = e.num_units(), half = units / 2;
        ConvolutionReference(dtype, e, operands, half, units, level);
        ConvolutionReference(dtype, e, operands, 0, half, level);
        ASSERT_TRUE(SameBits(got, want)) << "at " << Name(level);
      }
    }
  }
}

template <typename X, typename W>
void CheckIntegers(std::mt19937& random) {
  for (int round = 0; round < 20; ++round) {
    const ConvolutionExtents e = RandomExtents(random, false);
    SCOPED_TRACE(Text(e));
    const Sizes sizes = SizesOf(e);
    const Tensor x = RandomTensor(DTypeOf<X>(), sizes.x, random),
                 w = RandomTensor(DTypeOf<W>(), sizes.w, random),
                 w_zeros = RandomTensor(DTypeOf<W>(), sizes.channels, random);
    const X x_zero = static_cast<X>(random());
    const bool per_channel = round % 2 == 0;
    Tensor want = *Tensor::Allocate(DType::kI32, Dims{sizes.y}), got = want;
    got = *Tensor::Allocate(DType::kI32, Dims{sizes.y});
    Define<X, W, int32_t>(e, x.values<X>().data(), w.values<W>().data(), nullptr,
                          want.mutable_values<int32_t>().data(), Wide(x_zero),
                          [&](int64_t m) { return Wide(w_zeros.values<W>()[per_channel ? m : 0]); });
    for (IsaLevel level : kLevels) {
      IntegerConvolutionReference(DTypeOf<X>(), DTypeOf<W>(), e,
                                  {x.data(), w.data(), nullptr, got.mutable_data()},
                                  {&x_zero, w_zeros.data(), per_channel}, 0, e.num_units(), level);
      ASSERT_TRUE(SameBits(got, want)) << "at " << Name(level);
    }
  }
}

TEST(ConvolutionReference, IntegersSubtractZeroPointsAndAccumulateIn32Bits) {
  std::mt19937 random(21);
  CheckIntegers<int8_t, int8_t>(random);
  CheckIntegers<int8_t, uint8_t>(random);
  CheckIntegers<uint8_t, int8_t>(random);
  CheckIntegers<uint8_t, uint8_t>(random);
}

// --- What it says by name
// ------------------------------------------------------------------------------------

// One channel, 3x3 over 3x3 with one row of padding all around: the middle output sees everything, the corner
// four elements.
ConvolutionExtents ThreeByThree() {
  ConvolutionExtents e;
  e.window[1] = e.window[2] = {.input = 3, .kernel = 3, .output = 3, .pad_begin = 1, .pad_end = 1};
  return e;
}

TEST(ConvolutionReference, PaddingContributesNothing) {
  const std::vector<float> x(9, 1.0f);
  std::vector<float> w(9, 1.0f);
  w[0] = kInf;  // over padding at the first row and column of outputs
  for (IsaLevel level : kLevels) {
    std::vector<float> y(9);
    const ConvolutionExtents e = ThreeByThree();
    ConvolutionReference(DType::kF32, e, {x.data(), w.data(), nullptr, y.data()}, 0, e.num_units(), level);
    EXPECT_EQ(y, (std::vector<float>{4, 6, 4, 6, kInf, kInf, 4, kInf, kInf})) << Name(level);
  }
}

TEST(ConvolutionReference, NanAndInfinityReachTheWindowsThatSeeThem) {
  std::vector<float> x(9, 1.0f);
  x[0] = std::nanf("");
  x[8] = kInf;
  const std::vector<float> w(9, 1.0f);
  for (IsaLevel level : kLevels) {
    std::vector<float> y(9);
    const ConvolutionExtents e = ThreeByThree();
    ConvolutionReference(DType::kF32, e, {x.data(), w.data(), nullptr, y.data()}, 0, e.num_units(), level);
    for (int i : {0, 1, 3, 4}) EXPECT_TRUE(std::isnan(y[i])) << i;
    for (int i : {5, 7, 8}) EXPECT_EQ(y[i], kInf) << i;
    for (int i : {2, 6}) EXPECT_EQ(y[i], 4) << i;
  }
}

// The sum starts at +0, and the bias is added to it: a product of -0 leaves 0, and 0 + -0 is 0.
TEST(ConvolutionReference, SumsOfNegativeZerosAreZero) {
  const std::vector<float> x(9, -0.0f), w(9, 1.0f);
  const float bias = -0.0f;
  std::vector<float> y(9, 1.0f);
  const ConvolutionExtents e = ThreeByThree();
  ConvolutionReference(DType::kF32, e, {x.data(), w.data(), &bias, y.data()}, 0, e.num_units());
  for (float v : y) {
    EXPECT_EQ(v, 0);
    EXPECT_FALSE(std::signbit(v));
  }
}

TEST(ConvolutionReference, OutputsThatNoInputReachesAreTheBias) {
  ConvolutionExtents e;
  e.transposed = true;
  e.window[2] = {.input = 2, .kernel = 1, .output = 7, .stride = 3};
  const std::vector<float> x = {5, 7}, w = {2};
  const float bias = 0.5f;
  std::vector<float> y(7, -1.0f);
  ConvolutionReference(DType::kF32, e, {x.data(), w.data(), &bias, y.data()}, 0, e.num_units());
  EXPECT_EQ(y, (std::vector<float>{10.5, 0.5, 0.5, 14.5, 0.5, 0.5, 0.5}));
}

TEST(ConvolutionReference, HalvesRoundOnce) {
  ConvolutionExtents e;
  e.in_channels = 3;
  // 1 + 2^-9 + 2^-9 is above halfway to the next bf16; rounded after each term it would stay 1.
  const std::vector<BF16> x(3, ToBF16(1.0f));
  const std::vector<BF16> w = {ToBF16(1.0f), ToBF16(0x1p-9f), ToBF16(0x1.8p-9f)};
  BF16 y;
  ConvolutionReference(DType::kBF16, e, {x.data(), w.data(), nullptr, &y}, 0, 1);
  EXPECT_EQ(y.bits, ToBF16(0x1.02p0f).bits);
}

TEST(ConvolutionReference, EmptyResultsHaveNoUnits) {
  ConvolutionExtents e = ThreeByThree();
  e.batch = 0;
  EXPECT_EQ(e.num_units(), 0);
  e.batch = 1;
  e.window[2].output = 0;
  EXPECT_EQ(e.num_units(), 0);
  e.window[2].output = 3;
  e.out_channels = 0;
  EXPECT_EQ(e.num_units(), 0);
}

// Without input channels there is nothing to add up.
TEST(ConvolutionReference, ASumOfNothingIsTheBias) {
  ConvolutionExtents e = ThreeByThree();
  e.in_channels = 0;
  const float bias = 3;
  std::vector<float> y(9, -1.0f);
  ConvolutionReference(DType::kF32, e, {nullptr, nullptr, &bias, y.data()}, 0, e.num_units());
  EXPECT_EQ(y, std::vector<float>(9, 3.0f));
}

int32_t StopAtOnce(void* polls) { return ++*static_cast<int*>(polls); }

TEST(ConvolutionReference, StopsWithinALongUnit) {
  ConvolutionExtents e;
  e.in_channels = 4096;
  e.out_channels = 8;
  e.window[2] = {.input = 256, .kernel = 1, .output = 256};
  const std::vector<float> x(e.in_channels * 256), w(e.in_channels * 8);
  std::vector<float> y(8 * 256, -1.0f);
  int polls = 0;
  const KernelInterrupt interrupt = {&StopAtOnce, &polls};
  ASSERT_EQ(e.num_units(), 1);
  EXPECT_EQ(e.unit_products(), 4096 * 8 * 256);
  ConvolutionReference(DType::kF32, e, {x.data(), w.data(), nullptr, y.data()}, 0, 1, std::nullopt,
                       &interrupt);
  EXPECT_EQ(polls, 1);
  EXPECT_EQ(y, std::vector<float>(8 * 256, -1.0f));
}

}  // namespace
}  // namespace tenfold
