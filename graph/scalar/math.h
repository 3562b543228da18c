// SPDX-License-Identifier: Apache-2.0
//
// The transcendental functions, as portable code over ScalarProgram primitives: never a libm or
// libdevice call, so that every executor gives the same bits. Each takes f32 or f64. Bounds:
// docs/numerics.md.
#ifndef TENFOLD_GRAPH_SCALAR_MATH_H_
#define TENFOLD_GRAPH_SCALAR_MATH_H_

#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::math {

Scalar Exp(Scalar x);
Scalar Log(Scalar x);
Scalar Tanh(Scalar x);
Scalar Erf(Scalar x);
// 1 / (1 + exp(-x)), accurate down to subnormal results.
Scalar Sigmoid(Scalar x);

}  // namespace tenfold::math

#endif  // TENFOLD_GRAPH_SCALAR_MATH_H_
