// SPDX-License-Identifier: Apache-2.0
//
// f8 to and from the types that are computed in, over the other primitives: the same arithmetic as in
// graph/float8.h, so that no executor needs to know the two formats.
#include "tenfold/graph/float8.h"

#include <bit>
#include <cstdint>

#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

Scalar Bits(Scalar like, uint64_t bits) { return like.builder()->ConstBits(like.type(), bits); }

// How an f32 or f64 lies in its bits.
struct Wide {
  DType type, bits;
  int width, mantissa, bias;
};
constexpr Wide kF32 = {DType::kF32, DType::kU32, 32, 23, 127};
constexpr Wide kF64 = {DType::kF64, DType::kU64, 64, 52, 1023};

// The bits of 2^exponent.
uint64_t PowerOfTwo(const Wide& wide, int exponent) {
  return static_cast<uint64_t>(wide.bias + exponent) << wide.mantissa;
}

template <typename T>
Scalar Narrow(Scalar x, Overflow overflow) {
  using Format = Float8Format<T>;
  const Wide& wide = x.type() == DType::kF64 ? kF64 : kF32;
  const int shift = wide.mantissa - Format::kMantissaBits;
  const Scalar u = Bitcast(x, wide.bits);
  const Scalar sign = (u >> (wide.width - 8)) & Bits(u, 0x80);
  const Scalar magnitude = Abs(x);
  const Scalar a = Bitcast(magnitude, wide.bits);
  // Adding this number puts the last bit of a subnormal f8 at the last bit of x's type.
  const uint64_t magic = PowerOfTwo(wide, wide.mantissa + 1 - Format::kBias - Format::kMantissaBits);
  const Scalar shifted = magnitude + Bitcast(Bits(u, magic), wide.type);
  const Scalar subnormal = Bitcast(shifted, wide.bits) - Bits(u, magic);
  const Scalar rounded = a + Bits(u, (uint64_t{1} << (shift - 1)) - 1) + ((a >> shift) & Bits(u, 1));
  const Scalar normal = (rounded - Bits(u, PowerOfTwo(wide, -Format::kBias))) >> shift;
  const Scalar in_range = Select(a < Bits(u, PowerOfTwo(wide, 1 - Format::kBias)), subnormal, normal);
  const Scalar beyond = Format::kTieIsBeyond ? magnitude >= Format::kTie : magnitude > Format::kTie;
  const bool to_nan = overflow == Overflow::kBeyond && Format::kBeyond == Format::kNan;
  const uint8_t end = overflow == Overflow::kSaturate ? Format::kLargest : Format::kBeyond;
  Scalar r = to_nan ? in_range : Select(beyond, Bits(u, end), in_range);
  r = r | sign;
  r = Select(to_nan ? IsNan(x) | beyond : IsNan(x), Bits(u, Format::kNan), r);
  return Bitcast(Convert(r, DType::kU8), DTypeOf<T>());
}

Scalar WidenE4M3FN(Scalar x) {
  const Scalar u = Convert(Bitcast(x, DType::kU8), DType::kU32);
  const Scalar sign = (u & Bits(u, 0x80)) << 24;
  const Scalar magnitude = u & Bits(u, 0x7f);
  const Scalar normal = (magnitude << 20) + Bits(u, uint64_t{120} << 23);
  // The last bit of 2^14 is worth 2^-9, that of a subnormal.
  const Scalar base = Bits(u, PowerOfTwo(kF32, 14));
  const Scalar subnormal =
      Bitcast(Bitcast(magnitude | base, DType::kF32) - Bitcast(base, DType::kF32), DType::kU32);
  Scalar r = Select(magnitude < Bits(u, 8), subnormal, normal);
  r = Select(magnitude == Bits(u, 0x7f), Bits(u, 0x7fc00000), r);
  return Bitcast(r | sign, DType::kF32);
}

}  // namespace

Scalar WidenFloat8(Scalar x) {
  if (x.type() == DType::kF8E4M3FN) return WidenE4M3FN(x);
  // The upper byte of an f16.
  const Scalar half = Convert(Bitcast(x, DType::kU8), DType::kU16) << 8;
  return Convert(Bitcast(half, DType::kF16), DType::kF32);
}

Scalar ConvertToFloat8(Scalar x, DType type, Overflow overflow) {
  if (x.type() == type) return x;
  // Integers that f32 rounds lie beyond every f8.
  if (x.type() != DType::kF64) x = Convert(x, DType::kF32);
  return type == DType::kF8E4M3FN ? Narrow<F8E4M3FN>(x, overflow) : Narrow<F8E5M2>(x, overflow);
}

Scalar IsNanFloat8(Scalar x) {
  const Scalar u = Bitcast(x, DType::kU8);
  const uint64_t largest =
      x.type() == DType::kF8E4M3FN ? Float8Format<F8E4M3FN>::kLargest : Float8Format<F8E5M2>::kBeyond;
  return (u & Bits(u, 0x7f)) > Bits(u, largest);
}

}  // namespace tenfold
