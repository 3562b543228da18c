// SPDX-License-Identifier: Apache-2.0
//
// Hyperbolic functions and their inverses, in f64. (tanh, which networks use most, has a form of its own for
// f32 too.)

#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
// From here on, exp(-a) is lost in exp(a).
constexpr double kFar = 22;
// From here on, 1 is lost in a, and a^2 would soon overflow.
constexpr double kHuge = 0x1p60;

// exp(a) for a >= 0 in the forms that do not lose precision or overflow early.
struct GrowingExp {
  Scalar exp, expm1;  // for a < kFar
  Scalar half;        // exp(a) / 2
};

GrowingExp GrowingExpOf(Scalar a) {
  const auto [n, r] = ReduceByLn2F64(Select(a > 710.6, Like(a, 710.6), a));
  const Scalar p = Expm1ReducedF64(r);
  const Scalar t = PowerOfTwoF64(n);
  const Scalar quarter = PowerOfTwoF64(n - n.builder()->ConstInt(DType::kI64, 2));
  return {.exp = Fma(p, t, t), .expm1 = Fma(p, t, t - 1.0), .half = 2.0 * Fma(p, quarter, quarter)};
}

}  // namespace

Scalar Sinh(Scalar x) {
  x = ToF64(x);
  const Scalar a = Abs(x);
  const GrowingExp e = GrowingExpOf(a);
  const Scalar near = 0.5 * (e.expm1 + e.expm1 / (e.expm1 + 1.0));
  return CopySign(Select(a < kFar, near, e.half), x);
}

Scalar Cosh(Scalar x) {
  x = ToF64(x);
  const Scalar a = Abs(x);
  const GrowingExp e = GrowingExpOf(a);
  return Select(a < kFar, 0.5 * e.exp + 0.5 / e.exp, e.half);
}

// log(a + sqrt(a^2 + 1)) as log1p of something that does not cancel.
Scalar Asinh(Scalar x) {
  x = ToF64(x);
  const Scalar a = Abs(x);
  const Scalar huge = a > kHuge;
  const Scalar square = a * a;
  const Scalar t = a + square / (1.0 + Sqrt(square + 1.0));
  const Scalar y = Log1p(Select(huge, a, t)) + Select(huge, Like(x, kLn2), Like(x, 0));
  return CopySign(y, x);
}

Scalar Acosh(Scalar x) {
  x = ToF64(x);
  const Scalar huge = x > kHuge;
  const Scalar t = x - 1.0;
  const Scalar root = Sqrt(Fma(t, t, t + t));
  const Scalar y = Log1p(Select(huge, x, t + root)) + Select(huge, Like(x, kLn2), Like(x, 0));
  return Select(x < 1.0, Like(x, __builtin_nan("")), y);
}

Scalar Atanh(Scalar x) {
  x = ToF64(x);
  const Scalar a = Abs(x);
  return CopySign(0.5 * Log1p((a + a) / (1.0 - a)), x);
}

}  // namespace tenfold::math
