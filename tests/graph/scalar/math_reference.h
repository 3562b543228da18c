// SPDX-License-Identifier: Apache-2.0
//
// What the transcendental functions are measured against: MPFR.
#ifndef TENFOLD_TESTS_GRAPH_SCALAR_MATH_REFERENCE_H_
#define TENFOLD_TESTS_GRAPH_SCALAR_MATH_REFERENCE_H_

#include <mpfr.h>

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::testing {

struct MathFunction {
  absl::string_view name;
  Scalar (*formula)(Scalar);
  void (*exact)(mpfr_t result, const mpfr_t x);  // to the precision of `result`, about
  // In f64, good to a few ULP: what f32 results are compared with first.
  double (*fast)(double);
  double max_ulp_f32;  // what docs/numerics.md promises
  double max_ulp_f64;
};
std::span<const MathFunction> MathFunctions();

// `exact` rounded once, half to even, to f16 or bf16: a bit pattern, of a NaN the canonical one.
uint16_t RoundToHalf(DType type, const mpfr_t exact);

// The program of one function on f32 or f64.
ScalarProgram ProgramOf(const MathFunction& function, DType type);

// The error of a result in units in the last place of the exact one (the spacing of floats at its size, never
// below that of subnormals). Infinity counts as the power of two that follows the largest float; it is right
// where rounding to nearest gives it. A NaN that should not be, or a missing one, is an infinite error, as is
// a zero of the wrong sign where the exact result is zero. Holds its MPFR variables: one a thread.
class UlpMeter {
 public:
  UlpMeter(const MathFunction& function, DType type);
  ~UlpMeter();
  UlpMeter(const UlpMeter&) = delete;
  // f32 values are exact as doubles.
  double Error(double x, double y);

 private:
  const MathFunction& function_;
  int precision_;
  int min_exponent_;
  int max_exponent_;
  mpfr_t x_, exact_, difference_;
};

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_GRAPH_SCALAR_MATH_REFERENCE_H_
