// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/float8.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

// A format as its specification has it (OCP 8-bit floating point, 2023).
struct Format {
  int mantissa, bias;
  bool has_infinity;
};
template <typename T>
constexpr Format kFormat = {3, 7, false};
template <>
constexpr Format kFormat<F8E5M2> = {2, 15, true};

template <typename T>
double Defined(uint8_t bits) {
  const Format f = kFormat<T>;
  const int exponent = (bits & 0x7f) >> f.mantissa, fraction = bits & ((1 << f.mantissa) - 1);
  const double sign = (bits & 0x80) != 0 ? -1 : 1;
  if (f.has_infinity && exponent == 31) {
    return fraction == 0 ? sign * HUGE_VAL : std::numeric_limits<double>::quiet_NaN();
  }
  if (!f.has_infinity && (bits & 0x7f) == 0x7f) return std::numeric_limits<double>::quiet_NaN();
  const double significand = fraction / std::exp2(f.mantissa) + (exponent == 0 ? 0 : 1);
  return sign * std::ldexp(significand, std::max(exponent, 1) - f.bias);
}

// The magnitudes that are finite, ascending; their indices are their bits.
template <typename T>
std::vector<double> Magnitudes() {
  std::vector<double> values;
  for (int bits = 0; bits < 128 && std::isfinite(Defined<T>(static_cast<uint8_t>(bits))); ++bits) {
    values.push_back(Defined<T>(static_cast<uint8_t>(bits)));
  }
  return values;
}

// By search in the table: the nearest, of two the one with an even last bit.
template <typename T>
uint8_t Nearest(double x, Overflow overflow) {
  static const std::vector<double> table = Magnitudes<T>();
  const uint8_t sign = std::signbit(x) ? 0x80 : 0;
  if (std::isnan(x)) return kFormat<T>.has_infinity ? 0x7e : 0x7f;
  const double a = std::fabs(x);
  const double last = table.back(), next = last + (last - table[table.size() - 2]);
  const auto last_bits = static_cast<uint8_t>(table.size() - 1);
  const double tie = last + (next - last) / 2;
  if (a > tie || (a == tie && last_bits % 2 == 1)) {
    if (overflow == Overflow::kSaturate) return sign | last_bits;
    return kFormat<T>.has_infinity ? sign | 0x7c : 0x7f;
  }
  if (a >= last) return sign | last_bits;
  const auto above = static_cast<size_t>(std::upper_bound(table.begin(), table.end(), a) - table.begin());
  const double down = a - table[above - 1], up = table[above] - a;  // exact
  const size_t nearest = down < up || (down == up && above % 2 == 1) ? above - 1 : above;
  return static_cast<uint8_t>(sign | nearest);
}

template <typename T>
class Float8 : public ::testing::Test {
 public:
  template <typename Wide>
  static void ExpectRounds(Wide x) {
    for (Overflow overflow : {Overflow::kSaturate, Overflow::kBeyond}) {
      ASSERT_EQ(ToFloat8<T>(x, overflow).bits, Nearest<T>(x, overflow)) << std::hexfloat << x;
    }
  }
};

using Formats = ::testing::Types<F8E4M3FN, F8E5M2>;
TYPED_TEST_SUITE(Float8, Formats);

TYPED_TEST(Float8, EveryValueIsItsDefinition) {
  for (int bits = 0; bits < 256; ++bits) {
    const TypeParam x{static_cast<uint8_t>(bits)};
    const double want = Defined<TypeParam>(x.bits);
    ASSERT_EQ(IsNan(x), std::isnan(want)) << bits;
    if (std::isnan(want)) {
      ASSERT_TRUE(std::isnan(ToFloat(x)));
      continue;
    }
    ASSERT_EQ(ToFloat(x), want) << bits;
    ASSERT_EQ(std::signbit(ToFloat(x)), bits >= 128);
    ASSERT_EQ(ToFloat8<TypeParam>(ToFloat(x), Overflow::kBeyond), x) << bits;
  }
}

TYPED_TEST(Float8, EveryHalfRoundsOnce) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    this->ExpectRounds(ToFloat(F16{static_cast<uint16_t>(bits)}));
    this->ExpectRounds(ToFloat(BF16{static_cast<uint16_t>(bits)}));
  }
}

// Each number, each point halfway to the next, and their neighbours in the wider type.
TYPED_TEST(Float8, TiesAndTheirNeighboursRoundOnce) {
  const std::vector<double> table = Magnitudes<TypeParam>();
  std::vector<double> points = {2 * table.back(), 1e30, 1e-30, 1e-300, HUGE_VAL, NAN};
  for (size_t i = 0; i < table.size(); ++i) {
    const double next = i + 1 < table.size() ? table[i + 1] : 2 * table[i] - table[i - 1];
    points.push_back(table[i]);
    points.push_back((table[i] + next) / 2);
  }
  for (double point : points) {
    for (double sign : {1.0, -1.0}) {
      for (double x : {point, std::nextafter(point, 0.0), std::nextafter(point, HUGE_VAL)}) {
        this->ExpectRounds(sign * x);
      }
      const auto f = static_cast<float>(point);
      for (float x : {f, std::nextafter(f, 0.0f), std::nextafter(f, HUGE_VALF)}) {
        this->ExpectRounds(static_cast<float>(sign) * x);
      }
    }
  }
}

TYPED_TEST(Float8, FloatsOfAllBinadesRoundOnce) {
  for (uint64_t bits = 0; bits <= 0xffffffffu; bits += 4099) {
    this->ExpectRounds(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
}

}  // namespace
}  // namespace tenfold
