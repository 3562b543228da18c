// SPDX-License-Identifier: Apache-2.0
//
// f16 (IEEE 754 binary16) and bf16 as storage: two bytes, and conversions that round once, half to even.
// Arithmetic on them is done in f32 (docs/numerics.md).
#ifndef TENFOLD_GRAPH_HALF_H_
#define TENFOLD_GRAPH_HALF_H_

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace tenfold {

struct F16 {
  uint16_t bits = 0;
  bool operator==(const F16&) const = default;
};

struct BF16 {
  uint16_t bits = 0;
  bool operator==(const BF16&) const = default;
};

// Exact; a NaN becomes the canonical f32 NaN with the sign dropped.
constexpr float ToFloat(BF16 h) { return std::bit_cast<float>(uint32_t{h.bits} << 16); }

constexpr float ToFloat(F16 h) {
  const uint32_t sign = uint32_t{h.bits & 0x8000u} << 16;
  const uint32_t magnitude = h.bits & 0x7fffu;
  if (magnitude >= 0x7c00u) {  // Inf, NaN
    return std::bit_cast<float>(magnitude == 0x7c00u ? sign | 0x7f800000u : 0x7fc00000u);
  }
  // Neither branch touches a subnormal f32, so that a caller with denormals-are-zero gets the same value.
  const float positive = magnitude < 0x400u ? static_cast<float>(magnitude) * 0x1p-24f
                                            : std::bit_cast<float>((magnitude << 13) + (112u << 23));
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(positive));
}

// Rounds half to even; NaN becomes 7fc0.
constexpr BF16 ToBF16(float f) {
  const uint32_t u = std::bit_cast<uint32_t>(f);
  if ((u & 0x7fffffffu) > 0x7f800000u) return {0x7fc0};
  return {static_cast<uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16)};
}

// Rounds half to even; overflow gives Inf; NaN becomes 7e00.
constexpr F16 ToF16(float f) {
  const uint32_t u = std::bit_cast<uint32_t>(f);
  const uint16_t sign = static_cast<uint16_t>((u >> 16) & 0x8000u);
  const uint32_t a = u & 0x7fffffffu;
  if (a > 0x7f800000u) return {0x7e00};
  if (a >= 0x477ff000u) return {static_cast<uint16_t>(sign | 0x7c00u)};  // at or above 65520
  if (a < 0x38800000u) {  // subnormal f16: adding 0.5 puts the last f16 bit at the last f32 bit
    const float shifted = std::bit_cast<float>(a) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u))};
  }
  const uint32_t rounded = a + 0xfffu + ((a >> 13) & 1u);
  return {static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13))};
}

// f64 to f32 with the last bit made sticky (round to odd), so that a second rounding to 16 bits is the only
// one.
constexpr float RoundToOddFloat(double d) {
  if (d != d) return std::bit_cast<float>(0x7fc00000u);
  const float f = static_cast<float>(d);
  const double back = f;
  const uint32_t u = std::bit_cast<uint32_t>(f);
  if (back == d || (u & 1u) != 0) return f;
  if ((u & 0x7fffffffu) == 0x7f800000u) return f;  // far above any 16-bit range either way
  // Inexact and even: step one ulp towards d, which makes it odd.
  const bool away = (d < 0 ? back > d : back < d);
  return std::bit_cast<float>(away ? u + 1 : u - 1);
}

constexpr F16 ToF16(double d) { return ToF16(RoundToOddFloat(d)); }
constexpr BF16 ToBF16(double d) { return ToBF16(RoundToOddFloat(d)); }

template <typename T>
concept Half = std::same_as<T, F16> || std::same_as<T, BF16>;

// A stored value as the type that it is computed in: float for a half, its own type for any other.
template <typename T>
constexpr auto Widen(T x) {
  if constexpr (Half<T>) {
    return ToFloat(x);
  } else {
    return x;
  }
}

// And back; halves are rounded, integers wrap.
template <typename T, typename X>
constexpr T Narrow(X x) {
  if constexpr (std::is_same_v<T, F16>) {
    return ToF16(x);
  } else if constexpr (std::is_same_v<T, BF16>) {
    return ToBF16(x);
  } else {
    return static_cast<T>(x);
  }
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_HALF_H_
