// SPDX-License-Identifier: Apache-2.0
//
// Element types, their names as written in text (`f32`), and small closed sets of them.
#ifndef TENFOLD_GRAPH_DTYPE_H_
#define TENFOLD_GRAPH_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/string_view.h"
#include "tenfold/graph/float8.h"
#include "tenfold/graph/half.h"

namespace tenfold {

// The order is that of the documentation; files store names, never these numbers.
enum class DType : uint8_t {
  kBool,
  kI8,
  kI16,
  kI32,
  kI64,
  kU8,
  kU16,
  kU32,
  kU64,
  kF16,
  kBF16,
  kF32,
  kF64,
  // Storage alone: they are moved and converted, and no arithmetic is done on them.
  kF8E4M3FN,
  kF8E5M2,
  kI4,
  kU4,
};

inline constexpr int kNumDTypes = 17;

// Every dtype, for tables and tests that walk them all.
inline constexpr DType kAllDTypes[kNumDTypes] = {
    DType::kBool, DType::kI8,       DType::kI16,    DType::kI32, DType::kI64,  DType::kU8,
    DType::kU16,  DType::kU32,      DType::kU64,    DType::kF16, DType::kBF16, DType::kF32,
    DType::kF64,  DType::kF8E4M3FN, DType::kF8E5M2, DType::kI4,  DType::kU4};

// Those that arithmetic is done on, which come first.
inline constexpr std::span<const DType> kComputedDTypes(kAllDTypes, 13);

constexpr bool IsBool(DType t) { return t == DType::kBool; }
// What arithmetic is done on: neither f8 nor i4 and u4.
constexpr bool IsFloat(DType t) { return t >= DType::kF16 && t <= DType::kF64; }
constexpr bool IsInteger(DType t) { return t >= DType::kI8 && t <= DType::kU64; }
constexpr bool IsSignedInteger(DType t) { return t >= DType::kI8 && t <= DType::kI64; }
constexpr bool IsUnsignedInteger(DType t) { return t >= DType::kU8 && t <= DType::kU64; }
// The two formats that are stored in 16 bits and computed in f32.
constexpr bool IsHalf(DType t) { return t == DType::kF16 || t == DType::kBF16; }
constexpr bool IsFloat8(DType t) { return t == DType::kF8E4M3FN || t == DType::kF8E5M2; }
// Two elements to a byte, the first in its low half: an element has no address of its own (graph/packed.h).
constexpr bool IsPacked(DType t) { return t == DType::kI4 || t == DType::kU4; }
constexpr bool HasNan(DType t) { return IsFloat(t) || IsFloat8(t); }

// Bytes of one element that stands alone; a bool takes one byte, 0 or 1. Of several elements: BytesOf.
constexpr size_t SizeOf(DType t) {
  constexpr uint8_t kSizes[kNumDTypes] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 1, 1, 1, 1};
  return kSizes[static_cast<int>(t)];
}
constexpr int BitWidth(DType t) { return IsPacked(t) ? 4 : static_cast<int>(SizeOf(t)) * 8; }
// Bytes of `count` elements as they are stored.
constexpr uint64_t BytesOf(DType t, uint64_t count) {
  return IsPacked(t) ? count / 2 + count % 2 : count * SizeOf(t);
}

// The type in which arithmetic on `t` is done: f32 for narrower floats, else `t` itself.
constexpr DType ComputeType(DType t) { return IsHalf(t) || IsFloat8(t) ? DType::kF32 : t; }

// The unsigned integer of the same width, for bit casts.
constexpr DType BitsType(DType t) {
  switch (SizeOf(t)) {
    case 1:
      return DType::kU8;
    case 2:
      return DType::kU16;
    case 4:
      return DType::kU32;
    default:
      return DType::kU64;
  }
}

// "bool", "i8", ..., "f64", "f8e4m3fn", "f8e5m2", "i4", "u4".
absl::string_view Name(DType t);

// The inverse of Name; nullopt for anything else.
std::optional<DType> ParseDType(absl::string_view name);
// What NumPy, C, ONNX or PyTorch call one of ours, for "did you mean": float32, half, long, uint8.
std::optional<DType> DTypeOfForeignName(absl::string_view name);

// A set of dtypes, as an op's type constraint.
class DTypeSet {
 public:
  constexpr DTypeSet() = default;
  constexpr DTypeSet(std::initializer_list<DType> types) {
    for (DType t : types) bits_ |= uint32_t{1} << static_cast<int>(t);
  }
  static constexpr DTypeSet Where(bool (*predicate)(DType)) {
    DTypeSet set;
    for (DType t : kAllDTypes) {
      if (predicate(t)) set.bits_ |= uint32_t{1} << static_cast<int>(t);
    }
    return set;
  }
  constexpr bool Contains(DType t) const { return (bits_ >> static_cast<int>(t)) & 1; }
  constexpr DTypeSet operator|(DTypeSet other) const {
    DTypeSet set;
    set.bits_ = bits_ | other.bits_;
    return set;
  }
  constexpr bool operator==(const DTypeSet&) const = default;
  // "f16, bf16, f32 or f64".
  std::string ToString() const;

 private:
  uint32_t bits_ = 0;
};

inline constexpr DTypeSet kAnyType = DTypeSet::Where([](DType) { return true; });
inline constexpr DTypeSet kFloat8 = DTypeSet::Where(IsFloat8);
// Whose elements have addresses.
inline constexpr DTypeSet kUnpacked = DTypeSet::Where([](DType t) { return !IsPacked(t); });
// What there is arithmetic on, and bool.
inline constexpr DTypeSet kComputed = DTypeSet::Where([](DType t) { return !IsPacked(t) && !IsFloat8(t); });
inline constexpr DTypeSet kFloat = DTypeSet::Where(IsFloat);
inline constexpr DTypeSet kInteger = DTypeSet::Where(IsInteger);
inline constexpr DTypeSet kNumeric = kFloat | kInteger;
inline constexpr DTypeSet kSignedOrFloat = DTypeSet::Where(IsSignedInteger) | kFloat;
inline constexpr DTypeSet kBoolOnly = {DType::kBool};
inline constexpr DTypeSet kIndex = {DType::kI32, DType::kI64};

// C++ type -> DType, for typed spans and literals: DTypeOf<float>() is kF32. `bool` is a byte.
template <typename T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, bool>)
    return DType::kBool;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DType::kI8;
  else if constexpr (std::is_same_v<T, int16_t>)
    return DType::kI16;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::kI32;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DType::kU8;
  else if constexpr (std::is_same_v<T, uint16_t>)
    return DType::kU16;
  else if constexpr (std::is_same_v<T, uint32_t>)
    return DType::kU32;
  else if constexpr (std::is_same_v<T, F16>)
    return DType::kF16;
  else if constexpr (std::is_same_v<T, BF16>)
    return DType::kBF16;
  else if constexpr (std::is_same_v<T, float>)
    return DType::kF32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::kF64;
  else if constexpr (std::is_same_v<T, F8E4M3FN>)
    return DType::kF8E4M3FN;
  else if constexpr (std::is_same_v<T, F8E5M2>)
    return DType::kF8E5M2;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
    return std::is_signed_v<T> ? DType::kI64 : DType::kU64;
  } else {
    static_assert(!sizeof(T*), "no dtype for this C++ type");
  }
}

// Calls `f(std::type_identity<T>{})` with the C++ element type of `t`, which arithmetic is done on: for
// loops that compute.
template <typename F>
decltype(auto) VisitComputed(DType t, F&& f) {
  switch (t) {
    case DType::kBool:
      return std::forward<F>(f)(std::type_identity<bool>{});
    case DType::kI8:
      return std::forward<F>(f)(std::type_identity<int8_t>{});
    case DType::kI16:
      return std::forward<F>(f)(std::type_identity<int16_t>{});
    case DType::kI32:
      return std::forward<F>(f)(std::type_identity<int32_t>{});
    case DType::kI64:
      return std::forward<F>(f)(std::type_identity<int64_t>{});
    case DType::kU8:
      return std::forward<F>(f)(std::type_identity<uint8_t>{});
    case DType::kU16:
      return std::forward<F>(f)(std::type_identity<uint16_t>{});
    case DType::kU32:
      return std::forward<F>(f)(std::type_identity<uint32_t>{});
    case DType::kU64:
      return std::forward<F>(f)(std::type_identity<uint64_t>{});
    case DType::kF16:
      return std::forward<F>(f)(std::type_identity<F16>{});
    case DType::kBF16:
      return std::forward<F>(f)(std::type_identity<BF16>{});
    case DType::kF32:
      return std::forward<F>(f)(std::type_identity<float>{});
    default:
      return std::forward<F>(f)(std::type_identity<double>{});
  }
}

// The same for every dtype; of a packed one, with the type of an element that was unpacked.
template <typename F>
decltype(auto) VisitDType(DType t, F&& f) {
  switch (t) {
    case DType::kF8E4M3FN:
      return std::forward<F>(f)(std::type_identity<F8E4M3FN>{});
    case DType::kF8E5M2:
      return std::forward<F>(f)(std::type_identity<F8E5M2>{});
    case DType::kI4:
      return std::forward<F>(f)(std::type_identity<int8_t>{});
    case DType::kU4:
      return std::forward<F>(f)(std::type_identity<uint8_t>{});
    default:
      return VisitComputed(t, std::forward<F>(f));
  }
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_DTYPE_H_
