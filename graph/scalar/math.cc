// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/math.h"

#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {

Scalar Exp(Scalar x) { return IsF64(x) ? ExpF64(x) : ExpF32(x); }
Scalar Log(Scalar x) { return IsF64(x) ? LogF64(x) : LogF32(x); }
Scalar Tanh(Scalar x) { return IsF64(x) ? TanhF64(x) : TanhF32(x); }
Scalar Erf(Scalar x) { return IsF64(x) ? ErfF64(x) : ErfF32(x); }
Scalar Expm1(Scalar x) { return IsF64(x) ? Expm1F64(x) : Expm1F32(x); }
Scalar Log1p(Scalar x) { return IsF64(x) ? Log1pF64(x) : Log1pF32(x); }

}  // namespace tenfold::math
