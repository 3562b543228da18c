// SPDX-License-Identifier: Apache-2.0
//
// What the f32 and f64 forms of the transcendental functions share.
#ifndef TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_
#define TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_

#include <initializer_list>
#include <iterator>
#include <optional>

#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::math {

inline bool IsF64(Scalar x) { return x.type() == DType::kF64; }
inline Scalar ToF64(Scalar x) { return Convert(x, DType::kF64); }

// c0 + x (c1 + x (c2 + ...)), a fused multiply-add a step. At least one coefficient, low degree
// first.
inline Scalar Horner(Scalar x, std::initializer_list<double> coefficients) {
  auto c = std::rbegin(coefficients);
  Scalar sum = Like(x, *c);
  while (++c != std::rend(coefficients)) sum = Fma(sum, x, Like(x, *c));
  return sum;
}

// x = n ln2 + r with |r| <= ln2 / 2; n is i32 or i64, as wide as x.
struct ReducedByLn2 {
  Scalar n;
  Scalar r;
};

// e = exp(t) = (1 + expm1) * scale1 * scale2 for t <= 0: what functions need of it that cannot bear its
// rounding, or the rounding to a subnormal number that is then multiplied.
struct ExpParts {
  Scalar vanishes;  // e rounds to 0, and so does any multiple of it that is asked for
  Scalar expm1;
  Scalar scale1;
  Scalar scale2;
};

// The same number as two floats, the second a correction of the first.
struct Pair {
  Scalar high;
  Scalar low;
};

// One function an element type; math.cc picks.
Scalar ExpF32(Scalar x);
Scalar LogF32(Scalar x);
Scalar TanhF32(Scalar x);
Scalar ErfF32(Scalar x);
Scalar Expm1F32(Scalar x);
Scalar Log1pF32(Scalar x);
// exp(t + t_low)
ExpParts ExpPartsF32(Scalar t, std::optional<Scalar> t_low);

Scalar ExpF64(Scalar x);
Scalar LogF64(Scalar x);
Scalar TanhF64(Scalar x);
Scalar ErfF64(Scalar x);
Scalar Expm1F64(Scalar x);
Scalar Log1pF64(Scalar x);
ExpParts ExpPartsF64(Scalar t, std::optional<Scalar> t_low);

// What other functions of f64 are made of. 2^n must be a normal number.
ReducedByLn2 ReduceByLn2F64(Scalar x);
Scalar Expm1ReducedF64(Scalar r);
Scalar PowerOfTwoF64(Scalar n);
// exp(high + low); |high| may be anything, low is small against it.
Scalar ExpOfPairF64(Scalar high, Scalar low);

}  // namespace tenfold::math

#endif  // TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_
