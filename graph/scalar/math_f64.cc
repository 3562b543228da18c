// SPDX-License-Identifier: Apache-2.0
//
// The f64 functions; math_f32.cc explains the form they share.
//
// Polynomials: minimax, from Sollya's fpminimax with double-precision coefficients.

#include <optional>

#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

constexpr double kMagic = 0x1.8p52;
constexpr int64_t kMagicBits = 0x4338000000000000;
constexpr double kExpZero = -746;

Scalar Int(Scalar like, int64_t value) { return like.builder()->ConstInt(DType::kI64, value); }

// (exp(r) - 1 - r) / r^2
Scalar ExpTail(Scalar r) {
  return Horner(r,
                {0.5, 0x1.555555555555cp-3, 0x1.555555555554p-5, 0x1.111111110e9dbp-7, 0x1.6c16c16c2016ep-10,
                 0x1.a01a01b459a1ep-13, 0x1.a01a0174f5b79p-16, 0x1.71ddee2df161ep-19, 0x1.27e544668ad66p-22,
                 0x1.af6f0fa706b77p-26, 0x1.1ed4d57d6d9f8p-29});
}

Scalar ExpReduced(Scalar r) { return Fma(Fma(ExpTail(r), r, Like(r, 1)), r, Like(r, 1)); }

Scalar ExpNormal(Scalar x) {
  const auto [n, r] = ReduceByLn2F64(x);
  return ExpReduced(r) * PowerOfTwoF64(n);
}

// p 2^n, where either may be out of range but the result, which rounds once.
Scalar Scaled(Scalar p, Scalar n) {
  const Scalar half = n >> 1;
  return p * PowerOfTwoF64(half) * PowerOfTwoF64(n - half);
}

// x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), for a normal x.
struct LogParts {
  Scalar k;
  Scalar f;
};

LogParts SplitForLog(Scalar normal) {
  const Scalar bits = Bitcast(normal, DType::kI64);
  const Scalar e = (bits - Int(normal, 0x3fe6a09e667f3bcd)) & Int(normal, -(int64_t{1} << 52));
  return {Convert(Convert(e >> 52, DType::kI32), DType::kF64), Bitcast(bits - e, DType::kF64) - 1.0};
}

// log(2^k (1 + f)) + k_low, where k_low holds k times the low part of ln2 and what else is small.
// log(1 + f) = 2 atanh(s) = f - (f^2/2 - s (f^2/2 + R)), where R depends on s^2 alone.
Scalar LogOfParts(Scalar k, Scalar f, Scalar k_low) {
  const Scalar s = f / (2.0 + f);
  const Scalar z = s * s;
  const Scalar tail =
      z * Horner(z, {0x1.5555555555555p-1, 0x1.9999999999d59p-2, 0x1.249249242ee1ap-2, 0x1.c71c725c5f16ep-3,
                     0x1.745cdb7506ce5p-3, 0x1.3b21593a96093p-3, 0x1.0f4a1477ee15ap-3, 0x1.1023c185119c7p-3});
  const Scalar h = f * f * 0.5;
  const Scalar low = Fma(s, h + tail, k_low);
  return Fma(k, Like(k, 0x1.62e42fee00000p-1), f - (h - low));
}

constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

}  // namespace

Scalar PowerOfTwoF64(Scalar n) { return Bitcast((n + Int(n, 1023)) << 52, DType::kF64); }

ReducedByLn2 ReduceByLn2F64(Scalar x) {
  const Scalar t = Fma(x, Like(x, 0x1.71547652b82fep0), Like(x, kMagic));
  const Scalar n = Bitcast(t, DType::kI64) - Int(x, kMagicBits);
  const Scalar nf = t - kMagic;
  Scalar r = Fma(nf, Like(x, -0x1.62e42fefa39efp-1), x);
  r = Fma(nf, Like(x, -0x1.abc9e3b39803fp-56), r);
  return {n, r};
}

Scalar Expm1ReducedF64(Scalar r) { return Fma(r * r, ExpTail(r), r); }

Scalar ExpF64(Scalar x) {
  const auto [n, r] = ReduceByLn2F64(x);
  Scalar y = Scaled(ExpReduced(r), n);
  y = Select(x > 0x1.62e42fefa39efp9, Like(x, __builtin_inf()), y);
  return Select(x < kExpZero, Like(x, 0), y);
}

Scalar ExpOfPairF64(Scalar high, Scalar low) {
  const auto [n, r] = ReduceByLn2F64(high);
  Scalar y = Scaled(ExpReduced(r + low), n);
  y = Select(high > 710.0, Like(high, __builtin_inf()), y);
  return Select(high < kExpZero, Like(high, 0), y);
}

Scalar LogF64(Scalar x) {
  const Scalar subnormal = x < 0x1p-1022;
  const Scalar normal = Select(subnormal, x * 0x1p54, x);
  auto [k, f] = SplitForLog(normal);
  k = Select(subnormal, k - 54.0, k);
  Scalar y = LogOfParts(k, f, k * kLn2Low);
  y = Select(x < __builtin_inf(), y, x);
  y = Select(x == 0.0, Like(x, -__builtin_inf()), y);
  return Select(x < 0.0, Like(x, __builtin_nan("")), y);
}

Scalar Expm1F64(Scalar x) {
  const Scalar c = Select(x < -60.0, Like(x, -60), Select(x > 710.0, Like(x, 710), x));
  const auto [n, r] = ReduceByLn2F64(c);
  const Scalar exponent = Min(n, Int(x, 1023));
  const Scalar scale = PowerOfTwoF64(exponent);
  const Scalar y = Fma(Expm1ReducedF64(r), scale, scale - 1.0);
  return CopySign(y * PowerOfTwoF64(n - exponent), x);
}

Scalar Log1pF64(Scalar x) {
  const Scalar u = 1.0 + x;
  const Scalar x_part = u - 1.0;
  const Scalar error = (1.0 - (u - x_part)) + (x - x_part);
  const auto [k, f] = SplitForLog(u);
  Scalar y = LogOfParts(k, f, Fma(k, Like(x, kLn2Low), error / u));
  y = Select(x < __builtin_inf(), y, x);
  y = Select(x == 0.0, x, y);
  y = Select(x == -1.0, Like(x, -__builtin_inf()), y);
  return Select(x < -1.0, Like(x, __builtin_nan("")), y);
}

Scalar TanhF64(Scalar x) {
  const Scalar a = Abs(x);
  const Scalar s = x * x;
  const Scalar near = Fma(x * s,
                          Horner(s, {-0x1.5555555555555p-2, 0x1.1111111111032p-3, -0x1.ba1ba1ba07632p-5,
                                     0x1.664f487c30612p-6, -0x1.226e34345036dp-7, 0x1.d6d3907892264p-9,
                                     -0x1.7d9ee2a942f52p-10, 0x1.35220fa5fec5p-11, -0x1.f20b87ed10725p-13,
                                     0x1.837abd8ae399dp-14, -0x1.041904306dd4ap-15, 0x1.ad558003011d7p-18}),
                          x);
  const Scalar c = Select(a > 22.0, Like(x, 22), a);
  const Scalar far = 1.0 - 2.0 / (ExpNormal(c + c) + 1.0);
  // The near path turns -0 into 0.
  return CopySign(Select(a < 0.625, near, far), x);
}

Scalar ErfF64(Scalar x) {
  const Scalar a = Abs(x);
  const Scalar near =
      Fma(x,
          Horner(x * x,
                 {0x1.06eba8214db69p-3, -0x1.812746b0379fcp-2, 0x1.ce2f21a0434cbp-4, -0x1.b82ce312a1ea7p-6,
                  0x1.565bcd1066fa8p-8, -0x1.c02db40ed280fp-11, 0x1.f9a31f8ea7b3cp-14, -0x1.f4d108caa2124p-17,
                  0x1.b9ca094e6715p-20, -0x1.5e051fcb8165p-23, 0x1.e6a224ca106ap-27, -0x1.e01e84c45196bp-31}),
          x);
  // 1 - erfc, and a polynomial for -log(erfc(c)) / c on [0.89, 6] whose error is weighted by c
  // erfc(c): what it does to erf. From 5.93 on, erf rounds to 1.
  const Scalar c = Select(a > 6.0, Like(x, 6), a);
  const Scalar h = Horner(
      c, {0x1.20dd759492a7ap0, 0x1.45f2f95b84267p-1, 0x1.a4f7429fbe786p-4, -0x1.3987f3126cbabp-6,
          -0x1.8d77f7c4e8e08p-13, 0x1.b32ac97401bc9p-10, -0x1.1a6cc9ddf154fp-11, -0x1.0c27437c2e7e6p-15,
          0x1.e90a567526374p-14, -0x1.1b14986affd45p-14, 0x1.a8ab463e8e35bp-16, -0x1.dc3e3bc80f9dp-18,
          0x1.9eacce1efca8p-20, -0x1.1995ec59c372cp-22, 0x1.25f1c250b16d9p-25, -0x1.c897c66c36c4ep-29,
          0x1.f162a26ff0404p-33, -0x1.530b153373211p-37, 0x1.b315a97c6dc1cp-43});
  const Scalar far = 1.0 - ExpNormal(-(c * h));
  return Select(a < 0.9, near, CopySign(far, x));
}

ExpParts ExpPartsF64(Scalar t, std::optional<Scalar> t_low) {
  const Scalar vanishes = t < -753.0;
  const auto [n, r] = ReduceByLn2F64(Select(vanishes, Like(t, -753), t));
  const Scalar half = n >> 1;
  return {.vanishes = vanishes,
          .expm1 = Expm1ReducedF64(t_low.has_value() ? r + *t_low : r),
          .scale1 = PowerOfTwoF64(half),
          .scale2 = PowerOfTwoF64(n - half)};
}

}  // namespace tenfold::math
