// SPDX-License-Identifier: Apache-2.0
//
// Functions of exp(x) that networks use as activations. Where the roundings of a few steps would add up
// beyond 2 ULP, numbers are carried as sums of two floats. A factor of exp that may be subnormal is
// multiplied last.

#include <optional>

#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {
namespace {

// The sum of a and b without error.
Pair TwoSum(Scalar a, Scalar b) {
  const Scalar sum = a + b;
  const Scalar b_part = sum - a;
  return {sum, (a - (sum - b_part)) + (b - b_part)};
}

// The same for |a| >= |b| or a = 0.
Pair FastTwoSum(Scalar a, Scalar b) {
  const Scalar sum = a + b;
  return {sum, b - (sum - a)};
}

Pair Times(Scalar a, const Pair& b) {
  const Scalar high = a * b.high;
  return {high, Fma(a, b.low, Fma(a, b.high, -high))};
}

Pair Times(const Pair& a, const Pair& b) {
  const Scalar high = a.high * b.high;
  return {high, Fma(a.high, b.low, Fma(a.low, b.high, Fma(a.high, b.high, -high)))};
}

Pair Plus(double a, const Pair& b) {
  const Pair sum = TwoSum(Like(b.high, a), b.high);
  return {sum.high, sum.low + b.low};
}

// One number, off by little more than its rounding. The quotient's remainder is exact.
Scalar Quotient(const Pair& a, const Pair& b) {
  const Scalar q = a.high / b.high;
  const Scalar remainder = Fma(-q, b.low, Fma(-q, b.high, a.high) + a.low);
  return q + remainder / b.high;
}

Pair Choose(Scalar condition, const Pair& a, const Pair& b) {
  return {Select(condition, a.high, b.high), Select(condition, a.low, b.low)};
}

Pair OneNumber(Scalar x) { return {x, Like(x, 0)}; }

// exp(t) for t <= 0 in pieces; `scaled` is it without its factor scale2, and so never subnormal.
struct SmallExp {
  Pair scaled;
  Scalar scale2;
  Pair value;
};

SmallExp SmallExpOf(Scalar t, std::optional<Scalar> t_low = std::nullopt) {
  const ExpParts parts = IsF64(t) ? ExpPartsF64(t, t_low) : ExpPartsF32(t, t_low);
  const Scalar zero = Like(t, 0);
  const Pair p = FastTwoSum(Like(t, 1), parts.expm1);
  const auto unless_it_vanishes = [&](Scalar x) { return Select(parts.vanishes, zero, x); };
  const Pair scaled = {unless_it_vanishes(p.high * parts.scale1), unless_it_vanishes(p.low * parts.scale1)};
  return {scaled, parts.scale2, {scaled.high * parts.scale2, scaled.low * parts.scale2}};
}

// Infinite numbers as the largest finite ones: times a factor that is 0 they give 0, and not NaN.
Scalar Finite(Scalar x) {
  const Scalar largest = Like(x, IsF64(x) ? 0x1.fffffffffffffp1023 : 0x1.fffffep127);
  return Select(x > largest, largest, Select(x < -largest, -largest, x));
}

// y = x/2 + c x^2, c > 0, where the second term is lost. Where x/2 is subnormal it can be a tie of bf16, and
// then it decides to which side bf16 rounds: the next f32 above does as well, and is as near as 1 ULP.
Scalar NoTie(Scalar x, Scalar y) {
  if (IsF64(x)) return y;
  const Scalar lost = (Abs(x) < 0x1p-125) & (x != Like(x, 0));
  return y + Select(lost, Like(x, 0x1p-149), Like(x, 0));
}

}  // namespace

// 1 / (1 + e), or e / (1 + e) for negative x: neither cancels. e and 1 + e are carried as sums of
// two floats and the quotient gets one Newton step, since their roundings would add up to 2.4 ULP.
Scalar Sigmoid(Scalar x) {
  const Scalar negative = x < 0.0;
  const Pair e = SmallExpOf(-Abs(x)).value;
  const Pair d = FastTwoSum(Like(x, 1), e.high);
  const Scalar d_low = d.low + e.low;

  const Scalar numerator = Select(negative, e.high, Like(x, 1));
  const Scalar q = numerator / d.high;
  Scalar remainder = Fma(-q, d.high, numerator) + Select(negative, e.low, Like(x, 0));
  remainder = Fma(-q, d_low, remainder);
  const Scalar reciprocal = Select(negative, 1.0 - q, q);  // of the denominator
  return Fma(remainder, reciprocal, q);
}

Scalar Softplus(Scalar x) { return Max(x, Like(x, 0)) + Log1p(Exp(-Abs(x))); }

Scalar Softsign(Scalar x) {
  const Scalar a = Abs(x);
  return CopySign(Select(a < __builtin_inf(), a / (1.0 + a), Select(IsNan(x), x, Like(x, 1))), x);
}

Scalar Elu(Scalar x, double alpha) { return Select(x < 0.0, alpha * Expm1(x), x); }

Scalar Celu(Scalar x, double alpha) { return Select(x < 0.0, alpha * Expm1(x / alpha), x); }

Scalar Selu(Scalar x, double alpha, double gamma) {
  return Select(x < 0.0, gamma * alpha * Expm1(x), gamma * x);
}

// x (x + 3) / 6 between -3 and 3: x + 3 is exact near -3, where x / 6 + 1/2 would cancel.
Scalar HardSwish(Scalar x) {
  const Scalar between = CopySign(NoTie(x, x * (x + 3.0) / 6.0), x);
  const Scalar left = Like(x, -0.0);
  return Select(x <= -3.0, left, Select(x >= 3.0, x, between));
}

// x / (1 + e), or x e / (1 + e) where alpha x is negative, with e = exp(-|alpha x|).
Scalar Swish(Scalar x, double alpha) {
  const Scalar a = Like(x, alpha);
  const Scalar t = a * x;
  // What rounding took from the exponent; of an infinite one, nothing.
  const Scalar lost = Select(Abs(t) < __builtin_inf(), Fma(a, x, -t), Like(x, 0));
  const Scalar negative = t < 0.0;
  const SmallExp e = SmallExpOf(-Abs(t), Select(negative, lost, -lost));
  const Scalar finite = Finite(x);
  const Pair numerator = Choose(negative, Times(finite, e.scaled), OneNumber(finite));
  const Pair denominator = Plus(1, e.value);
  const Scalar y = Quotient(numerator, denominator) * Select(negative, e.scale2, Like(x, 1));
  return CopySign(Select((Abs(x) == __builtin_inf()) & ~negative, x, NoTie(x, y)), x);
}

// With e = exp(x), tanh(log(1 + e)) is n / (n + 2) for n = e (e + 2). Where x is positive, both are divided
// by e^2: with e = exp(-x), (1 + 2e) / (1 + 2e + 2e^2).
Scalar Mish(Scalar x) {
  const Scalar negative = x < 0.0;
  const SmallExp e = SmallExpOf(-Abs(x));
  const Scalar finite = Finite(x);
  const Pair twice = {2.0 * e.value.high, 2.0 * e.value.low};
  const Pair e_plus_2 = Plus(2, e.value);
  const Pair one_plus_2e = Plus(1, twice);
  const Pair square = Times(e.value, Choose(negative, e_plus_2, twice));
  const Pair numerator =
      Choose(negative, Times(Times(finite, e.scaled), e_plus_2), Times(finite, one_plus_2e));
  const Pair base = Choose(negative, {Like(x, 2), Like(x, 0)}, one_plus_2e);
  const Pair sum = TwoSum(base.high, square.high);
  const Pair denominator = {sum.high, sum.low + base.low + square.low};
  const Scalar y = Quotient(numerator, denominator) * Select(negative, e.scale2, Like(x, 1));
  return CopySign(Select(x == __builtin_inf(), x, y), x);
}

}  // namespace tenfold::math
