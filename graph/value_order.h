// SPDX-License-Identifier: Apache-2.0
//
// How the values of a dtype are ordered: by keys that the CPU compares many at a time. A half's key is an
// integer, so that no conversion stands in a loop over an array.
#ifndef TENFOLD_GRAPH_VALUE_ORDER_H_
#define TENFOLD_GRAPH_VALUE_ORDER_H_

#include <bit>
#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "tenfold/graph/float8.h"
#include "tenfold/graph/half.h"

namespace tenfold {

template <typename T>
inline constexpr bool kHasNan = StorageFloat<T> || std::floating_point<T>;

// Sign and magnitude as two's complement: the integers are ordered as the values are, -0 just below +0, a NaN
// outside the infinities. Its own inverse.
constexpr int16_t FlipMagnitude(int16_t bits) {
  return static_cast<int16_t>(bits ^ static_cast<int16_t>((bits >> 15) & 0x7fff));
}
constexpr int8_t FlipMagnitude(int8_t bits) {
  return static_cast<int8_t>(bits ^ static_cast<int8_t>((bits >> 7) & 0x7f));
}

template <typename T>
constexpr auto OrderKey(T value) {
  if constexpr (StorageFloat<T>) {
    using Key = std::conditional_t<Float8<T>, int8_t, int16_t>;
    return FlipMagnitude(static_cast<Key>(value.bits));
  } else if constexpr (std::same_as<T, bool>) {
    return static_cast<uint8_t>(value);
  } else {
    return value;
  }
}
template <typename T>
using OrderKeyOf = decltype(OrderKey(T{}));

template <typename T>
constexpr T FromOrderKey(OrderKeyOf<T> key) {
  if constexpr (StorageFloat<T>) {
    return {static_cast<decltype(T::bits)>(FlipMagnitude(key))};
  } else {
    return static_cast<T>(key);
  }
}

// Of a key.
template <typename T>
constexpr bool IsNanKey(OrderKeyOf<T> key) {
  if constexpr (StorageFloat<T>) {
    using Key = OrderKeyOf<T>;
    // Beyond it are the NaNs.
    constexpr Key kLast = std::same_as<T, F16>        ? 0x7c00
                          : std::same_as<T, BF16>     ? 0x7f80
                          : std::same_as<T, F8E4M3FN> ? 0x7e
                                                      : 0x7c;
    return (key > kLast) | (key < FlipMagnitude(static_cast<Key>(kLast | std::numeric_limits<Key>::min())));
  } else {
    return key != key;
  }
}

// Zeros have no sign, for those who compare keys of halves.
template <typename T>
constexpr T UnsignedZero(T value) {
  if constexpr (StorageFloat<T>) {
    return ToFloat(value) == 0 ? T{} : value;
  } else {
    return value == T{} ? T{} : value;
  }
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_VALUE_ORDER_H_
