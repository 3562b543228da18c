// SPDX-License-Identifier: Apache-2.0
//
// The transcendental functions, as portable code over ScalarProgram primitives: never a libm or
// libdevice call, so that every executor gives the same bits. Each takes f32 or f64. Bounds:
// docs/numerics.md.
//
// A function of the first group gives the type it takes. Those of the second compute in f64 and give
// f64, also for f32: the caller rounds, once, to f32 or to 16 bits.
#ifndef TENFOLD_GRAPH_SCALAR_MATH_H_
#define TENFOLD_GRAPH_SCALAR_MATH_H_

#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::math {

Scalar Exp(Scalar x);
Scalar Log(Scalar x);
Scalar Tanh(Scalar x);
Scalar Erf(Scalar x);
Scalar Expm1(Scalar x);  // exp(x) - 1
Scalar Log1p(Scalar x);  // log(1 + x)
// 1 / (1 + exp(-x)), accurate down to subnormal results.
Scalar Sigmoid(Scalar x);
Scalar Softplus(Scalar x);                          // log(1 + exp(x))
Scalar Softsign(Scalar x);                          // x / (1 + |x|)
Scalar Swish(Scalar x, double alpha);               // x / (1 + exp(-alpha x))
Scalar HardSwish(Scalar x);                         // x clamp(x / 6 + 1/2, 0, 1)
Scalar Mish(Scalar x);                              // x tanh(softplus(x))
Scalar Elu(Scalar x, double alpha);                 // x, below zero alpha expm1(x)
Scalar Celu(Scalar x, double alpha);                // x, below zero alpha expm1(x / alpha)
Scalar Selu(Scalar x, double alpha, double gamma);  // gamma elu(x, alpha)
// C's fmod: exact, with the sign of a; NaN for an infinite a or a zero b.
Scalar Fmod(Scalar a, Scalar b);

Scalar Sin(Scalar x);
Scalar Cos(Scalar x);
Scalar Tan(Scalar x);
Scalar Asin(Scalar x);
Scalar Acos(Scalar x);
Scalar Atan(Scalar x);
Scalar Sinh(Scalar x);
Scalar Cosh(Scalar x);
Scalar Asinh(Scalar x);
Scalar Acosh(Scalar x);
Scalar Atanh(Scalar x);
// x to the power y, both of one type; special cases as IEEE 754-2019's pow.
Scalar Pow(Scalar x, Scalar y);

}  // namespace tenfold::math

#endif  // TENFOLD_GRAPH_SCALAR_MATH_H_
