// SPDX-License-Identifier: Apache-2.0

#include "tenfold/tests/graph/scalar/math_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tenfold/graph/scalar/math.h"

namespace tenfold::testing {
namespace {

// Far beyond f64, so that a rounding of MPFR's own is not seen.
constexpr int kPrecision = 128;

void ExactSigmoid(mpfr_t result, const mpfr_t x) {
  mpfr_neg(result, x, MPFR_RNDN);
  mpfr_exp(result, result, MPFR_RNDN);
  mpfr_add_ui(result, result, 1, MPFR_RNDN);
  mpfr_ui_div(result, 1, result, MPFR_RNDN);
}

// e / (1 + e) has no cancellation, and for x < -709 no overflow.
double FastSigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}

constexpr MathFunction kFunctions[] = {
    {"exp", math::Exp, [](mpfr_t r, const mpfr_t x) { mpfr_exp(r, x, MPFR_RNDN); },
     [](double x) { return std::exp(x); }, 1, 1},
    {"log", math::Log, [](mpfr_t r, const mpfr_t x) { mpfr_log(r, x, MPFR_RNDN); },
     [](double x) { return std::log(x); }, 1, 1},
    {"tanh", math::Tanh, [](mpfr_t r, const mpfr_t x) { mpfr_tanh(r, x, MPFR_RNDN); },
     [](double x) { return std::tanh(x); }, 1, 1.5},
    {"erf", math::Erf, [](mpfr_t r, const mpfr_t x) { mpfr_erf(r, x, MPFR_RNDN); },
     [](double x) { return std::erf(x); }, 1.25, 1.5},
    {"sigmoid", math::Sigmoid, ExactSigmoid, FastSigmoid, 1, 1},
};

}  // namespace

std::span<const MathFunction> MathFunctions() { return kFunctions; }

ScalarProgram ProgramOf(const MathFunction& function, DType type) {
  const DType inputs[] = {type};
  return ScalarBuilder::Record(
      inputs, [&](std::span<const Scalar> in) { return std::vector<Scalar>{function.formula(in[0])}; });
}

UlpMeter::UlpMeter(const MathFunction& function, DType type)
    : function_(function),
      precision_(type == DType::kF32 ? 24 : 53),
      min_exponent_(type == DType::kF32 ? -126 : -1022),
      max_exponent_(type == DType::kF32 ? 127 : 1023) {
  mpfr_inits2(kPrecision, x_, exact_, difference_, static_cast<mpfr_ptr>(nullptr));
}

UlpMeter::~UlpMeter() { mpfr_clears(x_, exact_, difference_, static_cast<mpfr_ptr>(nullptr)); }

double UlpMeter::Error(double x, double y) {
  constexpr double kWrong = std::numeric_limits<double>::infinity();
  mpfr_set_d(x_, x, MPFR_RNDN);
  function_.exact(exact_, x_);
  if (mpfr_nan_p(exact_) || std::isnan(y)) return mpfr_nan_p(exact_) && std::isnan(y) ? 0 : kWrong;
  const bool negative = mpfr_signbit(exact_) != 0;
  if (mpfr_inf_p(exact_)) return std::isinf(y) && std::signbit(y) == negative ? 0 : kWrong;
  if (mpfr_zero_p(exact_)) return y == 0 && std::signbit(y) == negative ? 0 : kWrong;

  // MPFR's significands are in [1/2, 1).
  const int exponent = static_cast<int>(std::max<mpfr_exp_t>(mpfr_get_exp(exact_) - 1, min_exponent_));
  if (std::isinf(y)) {
    if (std::signbit(y) != negative) return kWrong;
    mpfr_set_si_2exp(difference_, negative ? -1 : 1, max_exponent_ + 1, MPFR_RNDN);
    mpfr_sub(difference_, difference_, exact_, MPFR_RNDN);
    mpfr_abs(difference_, difference_, MPFR_RNDN);
    if (exponent > max_exponent_) return 0;
    mpfr_mul_2si(difference_, difference_, precision_ - 1 - exponent, MPFR_RNDN);
    const double error = mpfr_get_d(difference_, MPFR_RNDN);
    return error <= 0.5 ? 0 : error;
  }
  mpfr_sub_d(difference_, exact_, y, MPFR_RNDN);
  mpfr_mul_2si(difference_, difference_, precision_ - 1 - exponent, MPFR_RNDN);
  return std::fabs(mpfr_get_d(difference_, MPFR_RNDN));
}

}  // namespace tenfold::testing
