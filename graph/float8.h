// SPDX-License-Identifier: Apache-2.0
//
// f8e4m3fn and f8e5m2 as storage: one byte, and conversions that round once, half to even. Arithmetic on them
// is done in f32 (docs/numerics.md).
//
// e4m3fn has no infinity and one NaN; its largest number is 448. e5m2 is the upper byte of an f16: it has
// infinities, and its largest number is 57344.
#ifndef TENFOLD_GRAPH_FLOAT8_H_
#define TENFOLD_GRAPH_FLOAT8_H_

#include <bit>
#include <cstdint>

#include "tenfold/graph/half.h"

namespace tenfold {

struct F8E4M3FN {
  uint8_t bits = 0;
  bool operator==(const F8E4M3FN&) const = default;
};

struct F8E5M2 {
  uint8_t bits = 0;
  bool operator==(const F8E5M2&) const = default;
};

// What tells the two formats apart.
template <typename T>
struct Float8Format;

template <>
struct Float8Format<F8E4M3FN> {
  static constexpr int kMantissaBits = 3;
  static constexpr int kBias = 7;
  static constexpr uint8_t kLargest = 0x7e;  // 448
  static constexpr uint8_t kNan = 0x7f;      // the canonical one
  static constexpr uint8_t kBeyond = 0x7f;   // what lies beyond the largest number: NaN
  static constexpr float kTie = 464;         // half a step above: rounds to 448, which is even
  static constexpr bool kTieIsBeyond = false;
};

template <>
struct Float8Format<F8E5M2> {
  static constexpr int kMantissaBits = 2;
  static constexpr int kBias = 15;
  static constexpr uint8_t kLargest = 0x7b;  // 57344
  static constexpr uint8_t kNan = 0x7e;      // the canonical one
  static constexpr uint8_t kBeyond = 0x7c;   // infinity
  static constexpr float kTie = 61440;       // half a step above: rounds to 65536, which is even
  static constexpr bool kTieIsBeyond = true;
};

// What becomes of a number beyond the range, an infinity included: the end of the range, or what the format
// has beyond it. A NaN is a NaN either way.
enum class Overflow : uint8_t { kSaturate, kBeyond };

constexpr bool IsNan(F8E4M3FN x) { return (x.bits & 0x7f) == 0x7f; }
constexpr bool IsNan(F8E5M2 x) { return (x.bits & 0x7f) > 0x7c; }

// Exact; a NaN becomes the canonical f32 NaN with the sign dropped.
constexpr float ToFloat(F8E5M2 x) { return ToFloat(F16{static_cast<uint16_t>(x.bits << 8)}); }

constexpr float ToFloat(F8E4M3FN x) {
  const uint32_t sign = uint32_t{x.bits & 0x80u} << 24;
  const uint32_t magnitude = x.bits & 0x7fu;
  if (magnitude == 0x7f) return std::bit_cast<float>(0x7fc00000u);
  const float positive = magnitude < 8 ? static_cast<float>(magnitude) * 0x1p-9f
                                       : std::bit_cast<float>((magnitude << 20) + (120u << 23));
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(positive));
}

// Rounds half to even.
template <typename T>
constexpr T ToFloat8(float f, Overflow overflow = Overflow::kSaturate) {
  using Format = Float8Format<T>;
  constexpr int kShift = 23 - Format::kMantissaBits;
  const uint32_t u = std::bit_cast<uint32_t>(f);
  const uint8_t sign = static_cast<uint8_t>((u >> 24) & 0x80u);
  const uint32_t a = u & 0x7fffffffu;
  if (a > 0x7f800000u) return {Format::kNan};
  const float magnitude = std::bit_cast<float>(a);
  if (Format::kTieIsBeyond ? magnitude >= Format::kTie : magnitude > Format::kTie) {
    const uint8_t end = overflow == Overflow::kSaturate ? Format::kLargest : Format::kBeyond;
    return {end == Format::kNan ? end : static_cast<uint8_t>(sign | end)};
  }
  if (a < (uint32_t{128 - Format::kBias} << 23)) {
    // Subnormal: adding this number puts the last f8 bit at the last f32 bit.
    constexpr uint32_t kMagic = uint32_t{127 + 1 - Format::kBias - Format::kMantissaBits + 23} << 23;
    const float shifted = magnitude + std::bit_cast<float>(kMagic);
    return {static_cast<uint8_t>(sign | (std::bit_cast<uint32_t>(shifted) - kMagic))};
  }
  const uint32_t rounded = a + ((uint32_t{1} << (kShift - 1)) - 1) + ((a >> kShift) & 1u);
  return {static_cast<uint8_t>(sign | ((rounded - (uint32_t{127 - Format::kBias} << 23)) >> kShift))};
}

template <typename T>
constexpr T ToFloat8(double d, Overflow overflow = Overflow::kSaturate) {
  return ToFloat8<T>(RoundToOddFloat(d), overflow);
}

// Widen and Narrow of graph/half.h, for these. What lies beyond the range becomes what the format has there.
template <typename T>
concept Float8 = requires { Float8Format<T>::kBias; };

// Floats that are stored alone: computed with as f32.
template <typename T>
concept StorageFloat = Half<T> || Float8<T>;

template <Float8 T>
constexpr float Widen(T x) {
  return ToFloat(x);
}

template <Float8 T, typename X>
constexpr T Narrow(X x) {
  return ToFloat8<T>(x, Overflow::kBeyond);
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FLOAT8_H_
