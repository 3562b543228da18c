// SPDX-License-Identifier: Apache-2.0
//
// The f32 functions. Branchless: every path is computed and a select keeps the right one, so a lane
// that is not meant for a path may hold any bits there. A bit cast of a float is used only where
// its value for NaN is multiplied into a NaN or discarded, since the bits of a NaN differ between
// executors.
//
// Polynomials: minimax, from Sollya's fpminimax with single-precision coefficients.

#include <optional>

#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

// Adding 1.5 * 2^23 rounds to an integer, half to even, and leaves it in the low bits of the sum.
constexpr double kMagic = 0x1.8p23;
constexpr int64_t kMagicBits = 0x4b400000;
// exp rounds to 0 below, by far.
constexpr double kExpZero = -104;

Scalar Int(Scalar like, int64_t value) { return like.builder()->ConstInt(DType::kI32, value); }

// 2^n for a normal result; garbage, but a float, for other n.
Scalar PowerOfTwo(Scalar n) { return Bitcast((n + Int(n, 127)) << 23, DType::kF32); }

// The part of ln2 that n multiplies first has trailing zeros, so that the first step is exact.
ReducedByLn2 ReduceByLn2(Scalar x) {
  const Scalar t = Fma(x, Like(x, 0x1.715476p0), Like(x, kMagic));
  const Scalar n = Bitcast(t, DType::kI32) - Int(x, kMagicBits);
  const Scalar nf = t - kMagic;
  Scalar r = Fma(nf, Like(x, -0x1.62e400p-1), x);
  r = Fma(nf, Like(x, -0x1.7f7d1cp-20), r);
  return {n, r};
}

// (exp(r) - 1 - r) / r^2
Scalar ExpTail(Scalar r) {
  return Horner(r, {0x1.fffff8p-2, 0x1.55548cp-3, 0x1.555b92p-5, 0x1.123d52p-7, 0x1.685b36p-10});
}

Scalar Expm1Reduced(Scalar r) { return Fma(r * r, ExpTail(r), r); }
Scalar ExpReduced(Scalar r) { return Fma(Fma(ExpTail(r), r, Like(r, 1)), r, Like(r, 1)); }

// exp(x) where neither exp(x) nor a factor of it is subnormal or infinite.
Scalar ExpNormal(Scalar x) {
  const auto [n, r] = ReduceByLn2(x);
  return ExpReduced(r) * PowerOfTwo(n);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for a normal x.
struct LogParts {
  Scalar k;
  Scalar f;
};

LogParts SplitForLog(Scalar normal) {
  const Scalar bits = Bitcast(normal, DType::kI32);
  const Scalar e = (bits - Int(normal, 0x3f3504f3)) & Int(normal, -0x800000);
  return {Convert(e >> 23, DType::kF32), Bitcast(bits - e, DType::kF32) - 1.0};
}

// (log(1 + f) - f) / f^2
Scalar LogTail(Scalar f) {
  const Scalar q = Horner(f, {0x1.555554p-2, -0x1.ffffe6p-3, 0x1.999d2ap-3, -0x1.556288p-3, 0x1.23de4p-3,
                              -0x1.fbbf2ep-4, 0x1.dc75eap-4, -0x1.ddb2dp-4, 0x1.2cb406p-4});
  return Fma(q, f, Like(f, -0.5));
}

// Limits and NaN for a logarithm y of x >= 0, whose bits went through integers.
Scalar WithLimits(Scalar x, Scalar y) {
  y = Select(x < __builtin_inf(), y, x);
  y = Select(x == 0.0, Like(x, -__builtin_inf()), y);
  return Select(x < 0.0, Like(x, __builtin_nan("")), y);
}

}  // namespace

Scalar ExpF32(Scalar x) {
  const auto [n, r] = ReduceByLn2(x);
  // In two steps: 2^n alone may be out of range where the result is not.
  const Scalar half = n >> 1;
  Scalar y = ExpReduced(r) * PowerOfTwo(half) * PowerOfTwo(n - half);
  y = Select(x > 0x1.62e42ep6, Like(x, __builtin_inf()), y);
  return Select(x < kExpZero, Like(x, 0), y);
}

Scalar LogF32(Scalar x) {
  const Scalar subnormal = x < 0x1p-126;
  const Scalar normal = Select(subnormal, x * 0x1p23, x);
  auto [k, f] = SplitForLog(normal);
  k = Select(subnormal, k - 23.0, k);
  const Scalar log_m = Fma(f * f, LogTail(f), f);
  return WithLimits(x, Fma(k, Like(x, 0x1.62e430p-1), log_m));
}

Scalar TanhF32(Scalar x) {
  const Scalar a = Abs(x);
  const Scalar s = x * x;
  const Scalar near = Fma(x * s,
                          Horner(s, {-0x1.555556p-2, 0x1.11112ep-3, -0x1.ba1b88p-5, 0x1.66071ap-6,
                                     -0x1.1ed0fep-7, 0x1.ada9a4p-9, -0x1.fcb97ep-11, 0x1.453358p-13}),
                          x);
  const Scalar c = Select(a > 10.0, Like(x, 10), a);
  const Scalar far = 1.0 - 2.0 / (ExpNormal(c + c) + 1.0);
  // The near path turns -0 into 0.
  return CopySign(Select(a < 1.0, near, far), x);
}

Scalar ErfF32(Scalar x) {
  const Scalar a = Abs(x);
  const Scalar near = Fma(x,
                          Horner(x * x, {0x1.06eba8p-3, -0x1.81274p-2, 0x1.ce2d52p-4, -0x1.b7fec4p-6,
                                         0x1.542fecp-8, -0x1.a5197ap-11, 0x1.4c5cb4p-14}),
                          x);
  // 1 - erfc, and a polynomial for -log(erfc(c)) / c.
  const Scalar c = Select(a > 4.0, Like(x, 4), a);
  const Scalar h = Horner(c, {0x1.20f538p0, 0x1.450534p-1, 0x1.b52a58p-4, -0x1.8a884p-6, 0x1.e57c3cp-9,
                              -0x1.2ef82ap-12, -0x1.51295p-17, 0x1.17faccp-18, -0x1.181adep-22});
  const Scalar far = 1.0 - ExpNormal(-(c * h));
  return Select(a < 0.97, near, CopySign(far, x));
}

Scalar Expm1F32(Scalar x) {
  const Scalar c = Select(x < -30.0, Like(x, -30), Select(x > 89.0, Like(x, 89), x));
  const auto [n, r] = ReduceByLn2(c);
  // 2^128 is out of range where the result is not.
  const Scalar exponent = Min(n, Int(x, 127));
  const Scalar scale = PowerOfTwo(exponent);
  const Scalar y = Fma(Expm1Reduced(r), scale, scale - 1.0);
  return CopySign(y * PowerOfTwo(n - exponent), x);
}

// log(u) + error / u, where u = 1 + x - error.
Scalar Log1pF32(Scalar x) {
  const Scalar u = 1.0 + x;
  const Scalar x_part = u - 1.0;
  const Scalar error = (1.0 - (u - x_part)) + (x - x_part);
  const auto [k, f] = SplitForLog(u);
  const Scalar low = Fma(f * f, LogTail(f), Fma(k, Like(x, -0x1.05c610p-29), error / u));
  Scalar y = Fma(k, Like(x, 0x1.62e430p-1), f + low);
  y = Select(x < __builtin_inf(), y, x);
  y = Select(x == 0.0, x, y);
  y = Select(x == -1.0, Like(x, -__builtin_inf()), y);
  return Select(x < -1.0, Like(x, __builtin_nan("")), y);
}

ExpParts ExpPartsF32(Scalar t, std::optional<Scalar> t_low) {
  // x exp(x) is subnormal until -109.
  const Scalar vanishes = t < -110.0;
  const auto [n, r] = ReduceByLn2(Select(vanishes, Like(t, -110), t));
  const Scalar half = n >> 1;
  return {.vanishes = vanishes,
          .expm1 = Expm1Reduced(t_low.has_value() ? r + *t_low : r),
          .scale1 = PowerOfTwo(half),
          .scale2 = PowerOfTwo(n - half)};
}

}  // namespace tenfold::math
