// SPDX-License-Identifier: Apache-2.0
//
// Activation functions. NaN stays NaN, but in Shrink, and infinities give the limit.
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/elementwise.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

AttrDef FloatAttr(const char* name, double value, const char* doc) {
  return {name, AttrKind::kFloat, AttrValue(value), doc};
}

// A number given by an attribute, rounded to the type of x.
Scalar AttrLike(Scalar x, const Attrs& attrs, const char* name) { return Like(x, attrs.Get<double>(name)); }

// The lowest finite number for -inf, everything else as it is: so that x times a factor that is 0 far left
// gives the limit, -0, and not NaN.
Scalar FiniteBelow(Scalar x) {
  const Scalar lowest =
      Like(x, x.type() == DType::kF32 ? -static_cast<double>(std::numeric_limits<float>::max())
                                      : -std::numeric_limits<double>::max());
  return Select(x < lowest, lowest, x);
}

// --- Straight lines ----------------------------------------------------------------------------------------

Scalar LeakyReluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar x = in[0];
  return Select(x < 0.0, AttrLike(x, attrs, "alpha") * x, x);
}

Scalar ThresholdedReluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar x = in[0];
  return Select(x <= AttrLike(x, attrs, "alpha"), Like(x, 0), x);
}

Scalar HardSigmoidFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar x = in[0];
  const Scalar line = Fma(AttrLike(x, attrs, "alpha"), x, AttrLike(x, attrs, "beta"));
  return Max(Like(x, 0), Min(Like(x, 1), line));
}

// The slope is spread over x, never x over the slope.
absl::Status InferPRelu(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Shape shape, c.BroadcastAll());
  const Shape& x = c.shape(0);
  if (x.has_rank() && shape.has_rank() && !(shape == x)) {
    return c.Fail("E0202", "slope does not broadcast to the shape of x");
  }
  return c.SetOutput(0, x);
}

// The bias of integers is one of them, since the result is; between which of them lambd lies is all that
// matters of it.
absl::Status InferShrink(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"bias", "lambd"}));
  if (IsInteger(c.dtype(0))) TENFOLD_RETURN_IF_ERROR(CheckIsOne(c, "bias", c.dtype(0)));
  return InferBroadcast(c);
}

Scalar ShrinkFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar x = in[0], zero = Like(x, 0), bias = AttrLike(x, attrs, "bias");
  if (IsFloat(x.type())) {
    const Scalar lambd = AttrLike(x, attrs, "lambd");
    return Select(x < -lambd, x + bias, Select(lambd < x, x - bias, zero));
  }
  const double lambd = attrs.Get<double>("lambd");
  const double above = std::floor(lambd), below = std::ceil(-lambd);  // x > above; x < below
  const double lowest = LowestOf(x.type()), end = EndOf(x.type());    // end: behind the largest
  const Scalar up = above < lowest    ? x - bias
                    : above < end - 1 ? Select(Like(x, above) < x, x - bias, zero)
                                      : zero;
  return below >= end ? x + bias : below > lowest ? Select(x < Like(x, below), x + bias, up) : up;
}

// --- Exponential -------------------------------------------------------------------------------------------

// x * Phi(x), the Gaussian error linear unit. The tanh form, x/2 * (1 + tanh(u)) with u = sqrt(2/pi) *
// (x + 0.044715 x^3), is computed as x / (1 + exp(-2u)), an identity: it needs one exponential, and where
// tanh(u) is near -1 it does not cancel.
Scalar GeluTanh(Scalar x) {
  constexpr double kTwoSqrtTwoOverPi = 1.5957691216057308;  // 2 sqrt(2/pi)
  const Scalar minus_two_u =
      x * Fma(x * x, Like(x, -kTwoSqrtTwoOverPi * 0.044715), Like(x, -kTwoSqrtTwoOverPi));
  return FiniteBelow(x) / (1 + math::Exp(minus_two_u));
}

Scalar GeluErf(Scalar x) {
  constexpr double kSqrtHalf = 0.70710678118654752;
  return 0.5 * FiniteBelow(x) * (1 + math::Erf(x * kSqrtHalf));
}

Scalar GeluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return attrs.Get<std::string>("approximate") == "tanh" ? GeluTanh(in[0]) : GeluErf(in[0]);
}

Scalar SwishFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return math::Swish(in[0], attrs.Get<double>("alpha"));
}

Scalar EluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return math::Elu(in[0], attrs.Get<double>("alpha"));
}

Scalar CeluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return math::Celu(in[0], attrs.Get<double>("alpha"));
}

Scalar SeluFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return math::Selu(in[0], attrs.Get<double>("alpha"), attrs.Get<double>("gamma"));
}

// Where bf16 too is computed in f64, a number that is given rounds too little for f32 to be enough.
constexpr DTypeSet kHalves = {DType::kF16, DType::kBF16};

}  // namespace

std::vector<OpDef> ActivationOps() {
  return ElementwiseOpsOf({
      {.name = "Sigmoid",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return math::Sigmoid(x); },
       .doc = "1 / (1 + exp(-x)).",
       .bound = "At most 1 ULP, subnormal results included.",
       .in_f64 = {DType::kF16}},
      {.name = "Gelu",
       .dtypes = kFloat,
       .formula = GeluFormula,
       .doc = "The Gaussian error linear unit, x times the normal distribution's cumulative function.",
       .bound = "Follows from Erf and Exp; absolute error at most 2 ULP of max(|x|, 1).",
       .attrs = {{"approximate",
                  AttrKind::kString,
                  AttrValue(std::string("none")),
                  "\"none\": by erf; \"tanh\": by the tanh approximation",
                  {"none", "tanh"}}}},
      {.name = "Relu",
       .dtypes = kSignedOrFloat,
       .formula = [](Scalar x) { return Max(x, Like(x, 0)); },
       .doc = "x where it is positive, else 0. 0 for -0."},
      {.name = "LeakyRelu",
       .dtypes = kFloat,
       .formula = LeakyReluFormula,
       .doc = "x, below zero times alpha.",
       .bound = "Correctly rounded for the alpha of x's dtype.",
       .attrs = {FloatAttr("alpha", 0.01, "the slope below zero")},
       .in_f64 = kHalves},
      {.name = "PRelu",
       .dtypes = kNumeric,
       .formula = [](Scalar x, Scalar slope) { return Select(x < 0.0, slope * x, x); },
       .doc = "x, below zero times slope, which broadcasts to the shape of x. Integers wrap.",
       .inputs = {"x", "slope"},
       .infer = InferPRelu},
      {.name = "ThresholdedRelu",
       .dtypes = kFloat,
       .formula = ThresholdedReluFormula,
       .doc = "x where it is greater than alpha, else 0.",
       .attrs = {FloatAttr("alpha", 1.0, "the threshold")}},
      {.name = "Shrink",
       .dtypes = kNumeric,
       .formula = ShrinkFormula,
       .doc = "x + bias below -lambd, x - bias above lambd, and 0 between, also for NaN. Integers wrap.",
       .bound = "Correctly rounded for the lambd and bias of x's dtype.",
       .attrs = {FloatAttr("bias", 0.0, "how far x is brought nearer to 0; of integers a whole number"),
                 FloatAttr("lambd", 0.5, "the threshold")},
       .in_f64 = kHalves,
       .infer = InferShrink},
      {.name = "HardSigmoid",
       .dtypes = kFloat,
       .formula = HardSigmoidFormula,
       .doc = "alpha * x + beta, clamped to [0, 1].",
       .bound = "Correctly rounded for the alpha and beta of x's dtype.",
       .attrs = {FloatAttr("alpha", 0.2, "the slope"), FloatAttr("beta", 0.5, "the value at 0")},
       .in_f64 = kHalves},
      {.name = "HardSwish",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return math::HardSwish(x); },
       .doc = "x * clamp(x / 6 + 1/2, 0, 1). -0 from -3 downwards.",
       .bound = "At most 2 ULP.",
       .in_f64 = {DType::kF16}},
      {.name = "Swish",
       .dtypes = kFloat,
       .formula = SwishFormula,
       .doc = "x / (1 + exp(-alpha * x)), with alpha 1 also known as SiLU.",
       .bound = "At most 1.5 ULP (f32), 1.25 ULP (f64).",
       .attrs = {FloatAttr("alpha", 1.0, "the factor of x inside")},
       .in_f64 = {DType::kF16}},
      {.name = "Mish",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return math::Mish(x); },
       .doc = "x * tanh(log(1 + exp(x))).",
       .bound = "At most 1.25 ULP.",
       .in_f64 = {DType::kF16}},
      {.name = "Softplus",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return math::Softplus(x); },
       .doc = "log(1 + exp(x)).",
       .bound = "At most 2 ULP.",
       .in_f64 = {DType::kF16}},
      {.name = "Softsign",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return math::Softsign(x); },
       .doc = "x / (1 + |x|).",
       .bound = "At most 1.5 ULP."},
      {.name = "Elu",
       .dtypes = kFloat,
       .formula = EluFormula,
       .doc = "x, below zero alpha * (exp(x) - 1).",
       .bound = "At most 1.5 ULP with the default alpha; else at most 2.",
       .attrs = {FloatAttr("alpha", 1.0, "minus the limit far left")},
       .in_f64 = {DType::kF16}},
      {.name = "Celu",
       .dtypes = kFloat,
       .formula = CeluFormula,
       .doc = "x, below zero alpha * (exp(x / alpha) - 1).",
       .bound = "At most 1.5 ULP with the default alpha; else at most 2.",
       .attrs = {FloatAttr("alpha", 1.0, "minus the limit far left")},
       .in_f64 = {DType::kF16}},
      {.name = "Selu",
       .dtypes = kFloat,
       .formula = SeluFormula,
       .doc = "gamma * x, below zero gamma * alpha * (exp(x) - 1).",
       .bound = "At most 2 ULP.",
       .attrs = {FloatAttr("alpha", 1.67326319217681884765625, "minus the limit far left, over gamma"),
                 FloatAttr("gamma", 1.05070102214813232421875, "the slope above zero")},
       .in_f64 = {DType::kF16}},
  });
}

}  // namespace tenfold
