// SPDX-License-Identifier: Apache-2.0
//
// What the f32 and f64 forms of the transcendental functions share.
#ifndef TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_
#define TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_

#include <initializer_list>
#include <iterator>

#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::math {

// c0 + x (c1 + x (c2 + ...)), a fused multiply-add a step. At least one coefficient, low degree
// first.
inline Scalar Horner(Scalar x, std::initializer_list<double> coefficients) {
  auto c = std::rbegin(coefficients);
  Scalar sum = Like(x, *c);
  while (++c != std::rend(coefficients)) sum = Fma(sum, x, Like(x, *c));
  return sum;
}

// What the sigmoid needs of e = exp(-|x|) = (1 + expm1) * scale1 * scale2.
struct SigmoidParts {
  Scalar negative;  // x < 0
  Scalar vanishes;  // e rounds to 0
  Scalar expm1;
  Scalar scale1;
  Scalar scale2;
};
Scalar SigmoidFromExp(const SigmoidParts& parts);

// One function an element type; math.cc picks.
Scalar ExpF32(Scalar x);
Scalar LogF32(Scalar x);
Scalar TanhF32(Scalar x);
Scalar ErfF32(Scalar x);
Scalar SigmoidF32(Scalar x);

Scalar ExpF64(Scalar x);
Scalar LogF64(Scalar x);
Scalar TanhF64(Scalar x);
Scalar ErfF64(Scalar x);
Scalar SigmoidF64(Scalar x);

}  // namespace tenfold::math

#endif  // TENFOLD_GRAPH_SCALAR_MATH_INTERNAL_H_
