// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/bits/bit_patterns.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "tenfold/tests/float_bits.h"

namespace tenfold::testing {
namespace {

// Values near which something happens: rounding, overflow of exp, tanh and sigmoid, limits of conversions.
constexpr double kPositiveValues[] = {
    0,      0.1,    0.5,    0.75,   0.97,   1,       1.5,   2,     2.5,   3.140625, 7,         10,
    11.09,  16.7,   22.5,   88.72,  88.73,  87.34,   103.9, 104.1, 127.5, 128,      255.5,     256,
    709.7,  709.8,  745.1,  745.2,  2047.5, 32767.5, 32768, 65504, 65520, 65535.5,  16777217., 2147483647.5,
    0x1p31, 0x1p32, 0x1p62, 0x1p63, 0x1p64, 3e38,    1e-4,  6e-8,  1e-30, 1e-38,    1e-45};

struct FloatFormat {
  int bits, mantissa;
};
FloatFormat FormatOf(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return {16, 10};
    case DType::kBF16:
      return {16, 7};
    case DType::kF32:
      return {32, 23};
    default:
      return {64, 52};
  }
}

std::vector<uint64_t> FloatSpecials(DType dtype) {
  const auto [bits, mantissa] = FormatOf(dtype);
  const uint64_t sign = uint64_t{1} << (bits - 1), one = uint64_t{1} << mantissa;
  const uint64_t infinity = sign - one;
  std::vector<uint64_t> patterns = {
      1,             // the least denormal
      one - 1,       // the greatest
      one,           // the least normal number
      infinity - 1,  // the greatest finite one
      infinity,
      infinity | (one >> 1),      // the quiet NaN
      infinity | (one >> 1) | 5,  // with a payload
      infinity | 1,               // a signalling one
      sign - 1,                   // all bits of the payload
  };
  for (double value : kPositiveValues) patterns.push_back(FloatBits(dtype, value));
  const size_t positive = patterns.size();
  for (size_t i = 0; i < positive; ++i) patterns.push_back(patterns[i] | sign);
  return patterns;
}

std::vector<uint64_t> IntegerSpecials(DType dtype) {
  const int bits = BitWidth(dtype);
  const uint64_t mask = bits == 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1;
  const uint64_t top = uint64_t{1} << (bits - 1);
  std::vector<uint64_t> patterns;
  for (uint64_t v :
       std::array<uint64_t, 17>{0, 1, 2, 3, 7, 64, 100, uint64_t{1} << (bits / 2), top - 2, top - 1, top,
                                top + 1, top / 2, top / 3, mask, mask - 1, mask - 2}) {
    patterns.push_back(v & mask);
  }
  return patterns;
}

std::vector<uint64_t> MakeSpecials(DType dtype) {
  std::vector<uint64_t> patterns = IsBool(dtype)    ? std::vector<uint64_t>{0, 1}
                                   : IsFloat(dtype) ? FloatSpecials(dtype)
                                                    : IntegerSpecials(dtype);
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  return patterns;
}

uint64_t Moderate(DType dtype, uint64_t random) {
  if (IsInteger(dtype)) {
    const uint64_t small = random & 15;
    return IsSignedInteger(dtype) && (random & 16) != 0 ? -small : small;
  }
  const auto [bits, mantissa] = FormatOf(dtype);
  const int exponent_bits = bits - 1 - mantissa;
  const uint64_t bias = (uint64_t{1} << (exponent_bits - 1)) - 1;
  const uint64_t exponent = bias - 10 + (random >> 56) % 21;
  const uint64_t sign = (random >> 55 & 1) << (bits - 1);
  return sign | exponent << mantissa | (random & ((uint64_t{1} << mantissa) - 1));
}

template <typename Unsigned>
void Fill(Tensor& tensor, Mix mix, BitSource& source) {
  auto* out = static_cast<Unsigned*>(tensor.mutable_data());
  const int64_t count = tensor.num_elements();
  const DType dtype = tensor.dtype();
  if (IsBool(dtype)) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Unsigned>(source.Next() & 1);
    return;
  }
  if (mix == Mix::kRaw) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<Unsigned>(source.Next());
    return;
  }
  const std::vector<uint64_t>& specials = SpecialPatterns(dtype);
  for (int64_t i = 0; i < count; ++i) {
    const bool special = mix == Mix::kSprinkled && source.Next() % 256 == 0;
    const uint64_t random = source.Next();
    out[i] = static_cast<Unsigned>(special ? specials[random % specials.size()] : Moderate(dtype, random));
  }
}

}  // namespace

const std::vector<uint64_t>& SpecialPatterns(DType dtype) {
  static const auto* const kAll = [] {
    auto* all = new std::array<std::vector<uint64_t>, kNumDTypes>();
    for (DType t : kComputedDTypes) (*all)[static_cast<int>(t)] = MakeSpecials(t);
    return all;
  }();
  return (*kAll)[static_cast<int>(dtype)];
}

void SetPattern(Tensor& tensor, int64_t i, uint64_t pattern) {
  const size_t size = SizeOf(tensor.dtype());
  std::memcpy(static_cast<char*>(tensor.mutable_data()) + i * size, &pattern,
              size);  // little-endian, as x86 is
}

void FillRandom(Tensor& tensor, Mix mix, BitSource& source) {
  switch (SizeOf(tensor.dtype())) {
    case 1:
      return Fill<uint8_t>(tensor, mix, source);
    case 2:
      return Fill<uint16_t>(tensor, mix, source);
    case 4:
      return Fill<uint32_t>(tensor, mix, source);
    default:
      return Fill<uint64_t>(tensor, mix, source);
  }
}

void AvoidZeros(Tensor& tensor) {
  VisitComputed(tensor.dtype(), [&]<typename T>(std::type_identity<T>) {
    if constexpr (std::is_integral_v<T>) {
      for (T& value : tensor.mutable_values<T>()) {
        if (value == 0) value = 1;
      }
    }
  });
}

}  // namespace tenfold::testing
