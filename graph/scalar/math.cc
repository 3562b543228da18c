// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/math.h"

#include "tenfold/graph/scalar/math_internal.h"

namespace tenfold::math {

// 1 / (1 + e), or e / (1 + e) for negative x: neither cancels. e and 1 + e are carried as sums of
// two floats and the quotient gets one Newton step, since their roundings would add up to 2.4 ULP.
Scalar SigmoidFromExp(const SigmoidParts& parts) {
  const Scalar p_high = 1.0 + parts.expm1;
  const Scalar p_low = parts.expm1 - (p_high - 1.0);
  const Scalar zero = Like(p_high, 0);
  const Scalar e_high = Select(parts.vanishes, zero, p_high * parts.scale1 * parts.scale2);
  const Scalar e_low = Select(parts.vanishes, zero, p_low * parts.scale1 * parts.scale2);
  const Scalar d_high = 1.0 + e_high;
  const Scalar d_low = (e_high - (d_high - 1.0)) + e_low;

  const Scalar numerator = Select(parts.negative, e_high, Like(p_high, 1));
  const Scalar q = numerator / d_high;
  Scalar remainder = Fma(-q, d_high, numerator) + Select(parts.negative, e_low, zero);
  remainder = Fma(-q, d_low, remainder);
  const Scalar reciprocal = Select(parts.negative, 1.0 - q, q);  // of the denominator
  return Fma(remainder, reciprocal, q);
}

Scalar Exp(Scalar x) { return x.type() == DType::kF64 ? ExpF64(x) : ExpF32(x); }
Scalar Log(Scalar x) { return x.type() == DType::kF64 ? LogF64(x) : LogF32(x); }
Scalar Tanh(Scalar x) { return x.type() == DType::kF64 ? TanhF64(x) : TanhF32(x); }
Scalar Erf(Scalar x) { return x.type() == DType::kF64 ? ErfF64(x) : ErfF32(x); }
Scalar Sigmoid(Scalar x) { return x.type() == DType::kF64 ? SigmoidF64(x) : SigmoidF32(x); }

}  // namespace tenfold::math
