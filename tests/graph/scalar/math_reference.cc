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

constexpr mpfr_rnd_t kNearest = MPFR_RNDN;

void ExactSigmoid(mpfr_t result, const mpfr_t x) {
  mpfr_neg(result, x, kNearest);
  mpfr_exp(result, result, kNearest);
  mpfr_add_ui(result, result, 1, kNearest);
  mpfr_ui_div(result, 1, result, kNearest);
}

// Without an overflow of MPFR's own: for positive x, x + log(1 + exp(-x)).
void ExactSoftplus(mpfr_t result, const mpfr_t x) {
  mpfr_abs(result, x, kNearest);
  mpfr_neg(result, result, kNearest);
  mpfr_exp(result, result, kNearest);
  mpfr_log1p(result, result, kNearest);
  if (mpfr_sgn(x) > 0) mpfr_add(result, result, x, kNearest);
}

// The limit, -0, for -inf.
void TimesX(mpfr_t result, const mpfr_t x) {
  if (mpfr_inf_p(x) && mpfr_sgn(x) < 0) {
    mpfr_set_zero(result, -1);
  } else {
    mpfr_mul(result, result, x, kNearest);
  }
}

void ExactSwish(mpfr_t result, const mpfr_t x) {
  ExactSigmoid(result, x);
  TimesX(result, x);
}

void ExactMish(mpfr_t result, const mpfr_t x) {
  ExactSoftplus(result, x);
  mpfr_tanh(result, result, kNearest);
  TimesX(result, x);
}

void ExactSoftsign(mpfr_t result, const mpfr_t x) {
  if (mpfr_inf_p(x)) {
    mpfr_set_si(result, mpfr_sgn(x), kNearest);
    return;
  }
  mpfr_abs(result, x, kNearest);
  mpfr_add_ui(result, result, 1, kNearest);
  mpfr_div(result, x, result, kNearest);
}

void ExactHardSwish(mpfr_t result, const mpfr_t x) {
  if (mpfr_cmp_si(x, -3) <= 0 && !mpfr_nan_p(x)) {
    mpfr_set_zero(result, -1);
  } else if (mpfr_cmp_si(x, 3) >= 0 && !mpfr_nan_p(x)) {
    mpfr_set(result, x, kNearest);
  } else {
    mpfr_add_ui(result, x, 3, kNearest);
    mpfr_mul(result, result, x, kNearest);
    mpfr_div_ui(result, result, 6, kNearest);
  }
}

void ExactElu(mpfr_t result, const mpfr_t x) {
  if (mpfr_sgn(x) < 0) {
    mpfr_expm1(result, x, kNearest);
  } else {
    mpfr_set(result, x, kNearest);
  }
}

constexpr double kSeluAlpha = 1.67326319217681884765625, kSeluGamma = 1.05070102214813232421875;

void ExactSelu(mpfr_t result, const mpfr_t x) {
  ExactElu(result, x);
  if (mpfr_sgn(x) < 0) mpfr_mul_d(result, result, kSeluAlpha, kNearest);
  mpfr_mul_d(result, result, kSeluGamma, kNearest);
}

// e / (1 + e) has no cancellation, and for x < -709 no overflow.
double FastSigmoid(double x) {
  const double e = std::exp(-std::fabs(x));
  return (x < 0 ? e : 1.0) / (1.0 + e);
}

double FastSoftplus(double x) { return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double FastTimesX(double x, double factor) { return std::isinf(x) && x < 0 ? -0.0 : x * factor; }

// e (e + 2) / (e (e + 2) + 2) for e = exp(x), divided by e^2 where that is large.
double FastMish(double x) {
  const double e = std::exp(-std::fabs(x));
  const double n = x < 0 ? e * (e + 2) : 1 + 2 * e;
  return FastTimesX(x, n / (x < 0 ? n + 2 : n + 2 * e * e));
}

double FastSoftsign(double x) { return std::isinf(x) ? std::copysign(1.0, x) : x / (1 + std::fabs(x)); }

double FastHardSwish(double x) { return x <= -3 ? -0.0 : x >= 3 ? x : x * (x + 3) / 6; }

double FastElu(double x) { return x < 0 ? std::expm1(x) : x; }

double FastSelu(double x) { return (x < 0 ? kSeluAlpha : 1) * kSeluGamma * FastElu(x); }

Scalar Swish(Scalar x) { return math::Swish(x, 1); }
Scalar Elu(Scalar x) { return math::Elu(x, 1); }
Scalar Celu(Scalar x) { return math::Celu(x, 1); }
Scalar Selu(Scalar x) { return math::Selu(x, kSeluAlpha, kSeluGamma); }

// What MPFR and the C library have under one name.
#define TENFOLD_NAMED(NAME) \
  [](mpfr_t r, const mpfr_t x) { mpfr_##NAME(r, x, kNearest); }, [](double x) { return std::NAME(x); }

constexpr MathFunction kFunctions[] = {
    {"exp", math::Exp, TENFOLD_NAMED(exp), 1, 1},
    {"expm1", math::Expm1, TENFOLD_NAMED(expm1), 1.5, 2},
    {"log", math::Log, TENFOLD_NAMED(log), 1, 1},
    {"log1p", math::Log1p, TENFOLD_NAMED(log1p), 1, 1},
    {"erf", math::Erf, TENFOLD_NAMED(erf), 1.25, 1.5},
    {"sin", math::Sin, TENFOLD_NAMED(sin), 0.51, 1},
    {"cos", math::Cos, TENFOLD_NAMED(cos), 0.51, 1},
    {"tan", math::Tan, TENFOLD_NAMED(tan), 0.51, 2.5},
    {"asin", math::Asin, TENFOLD_NAMED(asin), 0.51, 2},
    {"acos", math::Acos, TENFOLD_NAMED(acos), 0.51, 1.5},
    {"atan", math::Atan, TENFOLD_NAMED(atan), 0.51, 2},
    {"sinh", math::Sinh, TENFOLD_NAMED(sinh), 0.51, 2.5},
    {"cosh", math::Cosh, TENFOLD_NAMED(cosh), 0.51, 2},
    {"tanh", math::Tanh, TENFOLD_NAMED(tanh), 1, 1.5},
    {"asinh", math::Asinh, TENFOLD_NAMED(asinh), 0.51, 2.5},
    {"acosh", math::Acosh, TENFOLD_NAMED(acosh), 0.51, 2.5},
    {"atanh", math::Atanh, TENFOLD_NAMED(atanh), 0.51, 2.5},
    {"sigmoid", math::Sigmoid, ExactSigmoid, FastSigmoid, 1, 1},
    {"softplus", math::Softplus, ExactSoftplus, FastSoftplus, 2, 2},
    {"softsign", math::Softsign, ExactSoftsign, FastSoftsign, 1.5, 1.5},
    {"swish", Swish, ExactSwish, [](double x) { return FastTimesX(x, FastSigmoid(x)); }, 1.5, 1.25},
    {"hard_swish", math::HardSwish, ExactHardSwish, FastHardSwish, 2, 2},
    {"mish", math::Mish, ExactMish, FastMish, 1.25, 1.25},
    {"elu", Elu, ExactElu, FastElu, 1.5, 2},
    {"celu", Celu, ExactElu, FastElu, 1.5, 2},
    {"selu", Selu, ExactSelu, FastSelu, 2, 2},
};

}  // namespace

std::span<const MathFunction> MathFunctions() { return kFunctions; }

uint16_t RoundToHalf(DType type, const mpfr_t exact) {
  const bool is_f16 = type == DType::kF16;
  const uint16_t infinity = is_f16 ? 0x7c00 : 0x7f80;
  const int fraction = is_f16 ? 10 : 7, lowest = is_f16 ? -14 : -126, highest = is_f16 ? 15 : 127;
  if (mpfr_nan_p(exact)) return is_f16 ? 0x7e00 : 0x7fc0;
  const uint16_t sign = mpfr_signbit(exact) ? 0x8000 : 0;
  if (mpfr_inf_p(exact)) return sign | infinity;
  if (mpfr_zero_p(exact)) return sign;
  const mpfr_exp_t exponent = std::max<mpfr_exp_t>(mpfr_get_exp(exact) - 1, lowest);
  if (exponent > highest) return sign | infinity;
  // In units of the last place, an integer of at most 11 bits.
  mpfr_t units;
  mpfr_init2(units, mpfr_get_prec(exact));
  mpfr_abs(units, exact, kNearest);
  mpfr_mul_2si(units, units, fraction - exponent, kNearest);
  mpfr_roundeven(units, units);
  const uint16_t significand = static_cast<uint16_t>(mpfr_get_ui(units, kNearest));
  mpfr_clear(units);
  // A carry into the exponent is what it should be; so is the one that makes infinity.
  return static_cast<uint16_t>(sign | (((exponent - lowest) << fraction) + significand));
}

ScalarProgram ProgramOf(const MathFunction& function, DType type) {
  const DType inputs[] = {type};
  return ScalarBuilder::Record(inputs, [&](std::span<const Scalar> in) {
    return std::vector<Scalar>{Convert(function.formula(in[0]), type)};
  });
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
