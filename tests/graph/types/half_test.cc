// SPDX-License-Identifier: Apache-2.0
//
// Every 16-bit pattern against its value in double arithmetic, and rounding at every midpoint between
// neighbours and just beside it.
#include "tenfold/graph/half.h"

#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

// The value of sign, exponent and mantissa fields by the definition of IEEE 754.
double Value(uint16_t bits, int mantissa_bits, int bias) {
  const int exponent_bits = 15 - mantissa_bits;
  const int exponent = (bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double fraction = std::ldexp(bits & ((1 << mantissa_bits) - 1), -mantissa_bits);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : std::nan("");
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias);
  return sign * std::ldexp(1 + fraction, exponent - bias);
}

template <typename Half>
struct Format;
template <>
struct Format<F16> {
  static constexpr uint16_t kInfinity = 0x7c00, kNan = 0x7e00;
  static double ValueOf(uint16_t bits) { return Value(bits, 10, 15); }
  template <typename T>
  static uint16_t Round(T x) {
    return ToF16(x).bits;
  }
};
template <>
struct Format<BF16> {
  static constexpr uint16_t kInfinity = 0x7f80, kNan = 0x7fc0;
  static double ValueOf(uint16_t bits) { return Value(bits, 7, 127); }
  template <typename T>
  static uint16_t Round(T x) {
    return ToBF16(x).bits;
  }
};

template <typename Half>
class HalfTest : public testing::Test {};
using Halves = testing::Types<F16, BF16>;
TYPED_TEST_SUITE(HalfTest, Halves);

TYPED_TEST(HalfTest, EveryPatternHasItsValueAndRoundsBack) {
  using F = Format<TypeParam>;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const TypeParam half = {static_cast<uint16_t>(bits)};
    const double value = F::ValueOf(half.bits);
    const float f = ToFloat(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f));
      EXPECT_EQ(F::Round(f), F::kNan);
      EXPECT_EQ(F::Round(static_cast<double>(f)), F::kNan);
      continue;
    }
    ASSERT_EQ(f, value) << bits;
    ASSERT_EQ(std::signbit(f), std::signbit(value)) << bits;
    ASSERT_EQ(F::Round(f), half.bits);
    ASSERT_EQ(F::Round(value), half.bits);
  }
}

TYPED_TEST(HalfTest, RoundsHalfToEvenAtEveryMidpoint) {
  using F = Format<TypeParam>;
  for (uint32_t low = 0; low < F::kInfinity; ++low) {
    const uint16_t high = static_cast<uint16_t>(low + 1);
    const double a = F::ValueOf(static_cast<uint16_t>(low));
    // The step beyond the greatest finite value is as long as the one before it.
    const double b =
        high == F::kInfinity ? a + (a - F::ValueOf(static_cast<uint16_t>(low - 1))) : F::ValueOf(high);
    const double middle = a + (b - a) / 2;
    const uint16_t even = low % 2 == 0 ? static_cast<uint16_t>(low) : high;
    ASSERT_EQ(F::Round(middle), even) << low;
    ASSERT_EQ(F::Round(-middle), even | 0x8000) << low;
    ASSERT_EQ(F::Round(std::nextafter(middle, 0.0)), low);
    ASSERT_EQ(F::Round(std::nextafter(middle, 1e300)), high);
    const float f = static_cast<float>(middle);
    if (f != middle) continue;
    ASSERT_EQ(F::Round(f), even);
    ASSERT_EQ(F::Round(std::nextafter(f, 0.0f)), low);
    ASSERT_EQ(F::Round(std::nextafter(f, std::numeric_limits<float>::infinity())), high);
  }
}

TYPED_TEST(HalfTest, FarAwayValuesGiveInfinityOrZero) {
  using F = Format<TypeParam>;
  EXPECT_EQ(F::Round(1e300), F::kInfinity);
  EXPECT_EQ(F::Round(-std::numeric_limits<double>::infinity()), F::kInfinity | 0x8000);
  EXPECT_EQ(F::Round(std::numeric_limits<float>::max()), F::kInfinity);
  EXPECT_EQ(F::Round(std::numeric_limits<double>::denorm_min()), 0);
  EXPECT_EQ(F::Round(-1e-300), 0x8000);
}

// Rounding twice, to f32 and then to 16 bits, would give the wrong neighbour here.
TYPED_TEST(HalfTest, DoublesRoundOnce) {
  using F = Format<TypeParam>;
  const double middle = (F::ValueOf(0x3c01) + F::ValueOf(0x3c02)) / 2;
  EXPECT_EQ(F::Round(middle), 0x3c02);
  EXPECT_EQ(F::Round(middle * (1 - 0x1p-40)), 0x3c01);
  const double even_middle = (F::ValueOf(0x3c02) + F::ValueOf(0x3c03)) / 2;
  EXPECT_EQ(F::Round(even_middle * (1 + 0x1p-40)), 0x3c03);
}

TEST(F16, DecodesTheSameUnderDenormalsAreZero) {
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040);
  const volatile uint16_t bits = 0x0001;
  const float f = ToFloat(F16{bits});
  _mm_setcsr(saved);
  EXPECT_EQ(f, 0x1p-24f);
}

}  // namespace
}  // namespace tenfold
