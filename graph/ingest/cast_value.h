// SPDX-License-Identifier: Apache-2.0
//
// One value cast from one C++ type to another, rounding once, half to even.
#ifndef TENFOLD_GRAPH_INGEST_CAST_VALUE_H_
#define TENFOLD_GRAPH_INGEST_CAST_VALUE_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>

#include "tenfold/graph/float8.h"
#include "tenfold/graph/half.h"

namespace tenfold {

enum class CastOutcome : uint8_t {
  kSame,       // the target has the value
  kChanged,    // rounded
  kOutside,    // finite, and rounds to no finite value of the target: the value is the end of its range
  kNotFinite,  // NaN or Inf, and the target has neither: the value is 0
};

template <typename To>
struct CastValue {
  To value;
  CastOutcome outcome;
};

// The value as the widest type of its kind; exact.
template <typename T>
constexpr auto Widest(T value) {
  if constexpr (StorageFloat<T>) {
    return static_cast<double>(ToFloat(value));
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return static_cast<uint64_t>(value);
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<int64_t>(value);
  } else {
    return static_cast<uint64_t>(value);
  }
}

// |after - before|, rounded to a double.
template <typename From, typename To>
double Distance(From before, To after) {
  // 64 bits of precision hold every integer and every double.
  return static_cast<double>(
      std::fabs(static_cast<long double>(Widest(after)) - static_cast<long double>(Widest(before))));
}

// To the nearest integer, half to even, whatever the rounding mode.
inline double RoundHalfEven(double d) {
  const double below = std::floor(d), rest = d - below;  // exact: they share their exponent or rest is small
  if (rest == 0.5) return below + (std::fmod(below, 2.0) != 0 ? 1.0 : 0.0);
  return rest > 0.5 ? below + 1 : below;
}

// A 64-bit integer as a double whose last bit is sticky, so that a second rounding is the only one.
inline double RoundToOdd(uint64_t magnitude) {
  const int excess = std::max(0, static_cast<int>(std::bit_width(magnitude)) - 53);
  const uint64_t kept = magnitude >> excess;
  const uint64_t lost = magnitude & ((uint64_t{1} << excess) - 1);
  return std::ldexp(static_cast<double>(kept | (lost != 0 ? 1 : 0)), excess);
}

template <typename To>
To LargestFinite() {
  if constexpr (std::is_same_v<To, F16>) {
    return F16{0x7bff};
  } else if constexpr (std::is_same_v<To, BF16>) {
    return BF16{0x7f7f};
  } else if constexpr (Float8<To>) {
    return To{Float8Format<To>::kLargest};
  } else {
    return std::numeric_limits<To>::max();
  }
}

template <typename To>
To Negated(To value) {
  if constexpr (Float8<To>) {
    return To{static_cast<uint8_t>(value.bits ^ 0x80u)};
  } else if constexpr (StorageFloat<To>) {
    return To{static_cast<uint16_t>(value.bits ^ 0x8000u)};
  } else {
    return -value;
  }
}

template <typename To>
CastValue<To> CastToFloat(double from) {
  const To to = Narrow<To>(from);
  const double back = Widest(to);
  if (back == from || from != from) return {to, CastOutcome::kSame};
  if constexpr (std::is_same_v<To, F8E4M3FN>) {
    if (std::isinf(from)) return {To{}, CastOutcome::kNotFinite};  // it has none
  }
  if (std::isfinite(back)) return {to, CastOutcome::kChanged};
  const To largest = LargestFinite<To>();
  return {from < 0 ? Negated(largest) : largest, CastOutcome::kOutside};
}

template <typename To, typename From>
CastValue<To> CastIntegerToFloat(From from) {
  const bool negative = from < From{0};
  const uint64_t magnitude =
      negative ? uint64_t{0} - static_cast<uint64_t>(from) : static_cast<uint64_t>(from);
  if constexpr (StorageFloat<To>) {
    const double rounded = RoundToOdd(magnitude);
    return CastToFloat<To>(negative ? -rounded : rounded);
  } else {
    const To to = static_cast<To>(magnitude);
    const int significant = magnitude == 0 ? 0 : std::bit_width(magnitude) - std::countr_zero(magnitude);
    return {negative ? -to : to,
            significant <= std::numeric_limits<To>::digits ? CastOutcome::kSame : CastOutcome::kChanged};
  }
}

template <typename To>
CastValue<To> CastFloatToInteger(double from) {
  if (!std::isfinite(from)) return {To{0}, CastOutcome::kNotFinite};
  const double rounded = RoundHalfEven(from);
  // The lowest value and the first beyond the range are powers of two or zero, which a double holds.
  const double lower = static_cast<double>(std::numeric_limits<To>::min());
  const double beyond = std::ldexp(1.0, std::numeric_limits<To>::digits);
  if (rounded < lower) return {std::numeric_limits<To>::min(), CastOutcome::kOutside};
  if (rounded >= beyond) return {std::numeric_limits<To>::max(), CastOutcome::kOutside};
  return {static_cast<To>(rounded), rounded == from ? CastOutcome::kSame : CastOutcome::kChanged};
}

template <typename To, typename From>
CastValue<To> CastInteger(From from) {
  if constexpr (std::is_same_v<To, bool>) {
    if (from == From{0} || from == From{1}) return {from == From{1}, CastOutcome::kSame};
    return {from > From{0}, CastOutcome::kOutside};
  } else {
    if (std::in_range<To>(from)) return {static_cast<To>(from), CastOutcome::kSame};
    return {from < From{0} ? std::numeric_limits<To>::min() : std::numeric_limits<To>::max(),
            CastOutcome::kOutside};
  }
}

template <typename To, typename From>
CastValue<To> CastOne(From from) {
  const auto wide = Widest(from);
  constexpr bool kToFloat = StorageFloat<To> || std::is_floating_point_v<To>;
  if constexpr (std::is_same_v<decltype(wide), const double>) {
    if constexpr (kToFloat) {
      return CastToFloat<To>(wide);
    } else {
      return CastFloatToInteger<To>(wide);
    }
  } else if constexpr (kToFloat) {
    return CastIntegerToFloat<To>(wide);
  } else {
    return CastInteger<To>(wide);
  }
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_CAST_VALUE_H_
