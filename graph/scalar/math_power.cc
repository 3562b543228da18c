// SPDX-License-Identifier: Apache-2.0
//
// pow and fmod, in f64.

#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

Scalar Int(Scalar like, int64_t value) { return like.builder()->ConstInt(DType::kI64, value); }

// log(a) for a positive finite a, to about 2^-65: the exponent of pow is up to 745, and each bit of it that
// is wrong is one of the result's.
//
// a = 2^k m with m in [sqrt(1/2), sqrt(2)), s = (m - 1) / (m + 1), z = s^2:
// log m = 2 s + s z (2/3 + z Q(z)). All but Q is carried as sums of two floats. Q: minimax, from Sollya's
// fpminimax.
Pair LogPair(Scalar a) {
  const Scalar subnormal = a < 0x1p-1022;
  const Scalar bits = Bitcast(Select(subnormal, a * 0x1p54, a), DType::kI64);
  const Scalar e = (bits - Int(a, 0x3fe6a09e667f3bcd)) & Int(a, -(int64_t{1} << 52));
  Scalar k = Convert(Convert(e >> 52, DType::kI32), DType::kF64);
  k = Select(subnormal, k - 54.0, k);
  const Scalar f = Bitcast(bits - e, DType::kF64) - 1.0;

  const Scalar d = 2.0 + f;
  const Scalar d_low = f - (d - 2.0);
  const Scalar s = f / d;
  const Scalar s_low = Fma(-s, d_low, Fma(-s, d, f)) / d;
  const Scalar z = s * s;
  const Scalar z_low = Fma(s, s, -z) + 2.0 * s * s_low;
  const Scalar q =
      z * Horner(z, {0x1.999999999999ap-2, 0x1.24924924922fep-2, 0x1.c71c71c74c77ap-3, 0x1.745d173ce41bap-3,
                     0x1.3b13a9cbb9294p-3, 0x1.111551154f755p-3, 0x1.e01971bc08f3ap-4, 0x1.daa559ed8cce9p-4});
  constexpr double kTwoThirds = 0x1.5555555555555p-1, kTwoThirdsLow = 0x1.5555555555555p-55;
  const Scalar w = q + kTwoThirds;
  const Scalar w_low = (q - (w - kTwoThirds)) + kTwoThirdsLow;
  const Scalar t = z * w;
  const Scalar t_low = Fma(z, w, -t) + Fma(z, w_low, z_low * w);
  const Scalar u = s * t;
  const Scalar u_low = Fma(s, t, -u) + Fma(s, t_low, s_low * t);
  const Scalar two_s = s + s;
  const Scalar log_m = two_s + u;
  const Scalar log_m_low = (u - (log_m - two_s)) + (2.0 * s_low + u_low);

  // The high part of ln2 has zeros at its end, so that k times it is exact.
  const Scalar k_ln2 = k * 0x1.62e42fee00000p-1;
  const Scalar sum = k_ln2 + log_m;
  const Scalar low = (log_m - (sum - k_ln2)) + Fma(k, Like(a, 0x1.a39ef35793c76p-33), log_m_low);
  const Scalar high = sum + low;
  return {high, low - (high - sum)};
}

// x = m 2^exponent with m in [1, 2), for finite x > 0.
struct Split {
  Scalar m;
  Scalar exponent;  // i64
};

Split SplitOf(Scalar x) {
  const Scalar subnormal = x < 0x1p-1022;
  const Scalar bits = Bitcast(Select(subnormal, x * 0x1p54, x), DType::kI64);
  const Scalar m = Bitcast((bits & Int(x, 0xfffffffffffff)) | Int(x, 0x3ff0000000000000), DType::kF64);
  return {m, (bits >> 52) - Select(subnormal, Int(x, 1023 + 54), Int(x, 1023))};
}

}  // namespace

Scalar Pow(Scalar x, Scalar y) {
  x = ToF64(x);
  y = ToF64(y);
  const Scalar one = Like(x, 1), zero = Like(x, 0), inf = Like(x, __builtin_inf());
  const Scalar a = Abs(x);
  const Pair log = LogPair(a);
  const Scalar high = y * log.high;
  // Beyond the bounds of exp the low part says nothing, and an overflow would make it NaN.
  const Scalar bounded = Abs(high) < 1000.0;
  const Scalar low = Select(bounded, Fma(y, log.low, Fma(y, log.high, -high)), zero);
  Scalar power = ExpOfPairF64(high, low);

  // 0 and infinity, whose logarithms went through integers: the exponent's sign decides.
  const Scalar grows = (a > 1.0) == (y > 0.0);
  power = Select((a == 0.0) | (a == inf), Select(grows, inf, zero), power);
  power = Select(Abs(y) == inf, Select(a == 1.0, one, Select(grows, inf, zero)), power);

  const Scalar half = 0.5 * y;
  const Scalar is_integer = Trunc(y) == y;
  const Scalar is_odd = is_integer & (Trunc(half) != half);
  const Scalar negative = Bitcast(x, DType::kI64) < Int(x, 0);
  power = Select(negative & is_odd, -power, power);
  power = Select((x < 0.0) & (x != -inf) & ~is_integer, Like(x, __builtin_nan("")), power);
  power = Select(IsNan(x) | IsNan(y), x + y, power);
  return Select((y == 0.0) | (x == 1.0), one, power);
}

// Long division. Each step takes 52 bits of the quotient: floor(t / m) of the rounded quotient is right or
// one too large, and the fused remainder is exact in both cases.
Scalar Fmod(Scalar a, Scalar b) {
  const Scalar x = Abs(ToF64(a)), y = Abs(ToF64(b));
  constexpr int kBits = 52;
  // How far the exponents of two finite numbers can be apart: 2^1024 / 2^-1074, 2^128 / 2^-149.
  const int farthest = IsF64(a) ? 2098 : 277;
  const auto [x_m, x_exponent] = SplitOf(x);
  const auto [y_m, y_exponent] = SplitOf(y);
  const Scalar zero = Int(x, 0);
  Scalar left = x_exponent - y_exponent;  // bits of the quotient behind the first
  Scalar r = Select(x_m >= y_m, x_m - y_m, x_m);
  for (int bits = 0; bits < farthest; bits += kBits) {
    const Scalar step = Max(Min(left, Int(x, kBits)), zero);
    const Scalar t = r * PowerOfTwoF64(step);
    const Scalar remainder = Fma(-Trunc(t / y_m), y_m, t);
    r = Select(remainder < 0.0, remainder + y_m, remainder);
    left = left - step;
  }
  // In two steps: 2^exponent alone may be subnormal.
  const Scalar half = y_exponent >> 1;
  const Scalar scaled = r * PowerOfTwoF64(half) * PowerOfTwoF64(y_exponent - half);
  Scalar result = Select(x < y, x, scaled);
  result = Select((x < __builtin_inf()) & (y > 0.0), result, Like(x, __builtin_nan("")));
  return Convert(CopySign(result, ToF64(a)), a.type());
}

}  // namespace tenfold::math
