// SPDX-License-Identifier: Apache-2.0
//
// Arithmetic, and rounding to integers.
#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/elementwise.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

// --- What the ops give for dims ----------------------------------------------------------------------------

std::optional<Dim> AddDims(const Dim& a, const Dim& b) { return a + b; }
std::optional<Dim> SubtractDims(const Dim& a, const Dim& b) { return a - b; }
std::optional<Dim> MultiplyDims(const Dim& a, const Dim& b) { return a * b; }
std::optional<Dim> NegateDim(const Dim& a, const Dim&) { return Dim(0) - a; }
std::optional<Dim> SmallerDim(const Dim& a, const Dim& b) { return Min(a, b); }
std::optional<Dim> LargerDim(const Dim& a, const Dim& b) { return Max(a, b); }

bool IsNeverNegative(const Dim& d) { return Max(d, Dim(0)) == d; }
bool IsPositiveConstant(const Dim& d) { return d.is_constant() && d.constant() > 0; }

// Division of integers truncates, that of dims rounds down: the same where nothing is negative. A divisor
// that may be 0 is left to the run, which reports it.
std::optional<Dim> DivideDims(const Dim& a, const Dim& b) {
  if (!IsPositiveConstant(b)) return std::nullopt;
  if (std::optional<Dim> exact = Dim::DivideExactly(a, b)) return exact;
  if (a.is_constant()) return Dim(a.constant() / b.constant());
  return IsNeverNegative(a) ? std::optional<Dim>(FloorDiv(a, b)) : std::nullopt;
}

// --- Formulas that need more than a line -------------------------------------------------------------------

Scalar SignOf(Scalar x) {
  const Scalar zero = Like(x, 0);
  const Scalar positive = Select(x > 0.0, Like(x, 1), zero);
  if (IsUnsignedInteger(x.type())) return positive;
  const Scalar sign = Select(x < 0.0, Like(x, -1), positive);
  return IsFloat(x.type()) ? Select(IsNan(x), x, sign) : sign;
}

// The remainder of a truncated quotient has the sign of a; that of Mod has the sign of b, as in Python.
Scalar ModFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar a = in[0], b = in[1];
  if (IsFloat(a.type())) return math::Fmod(a, b);
  const Scalar r = a % b;
  if (IsUnsignedInteger(a.type()) || attrs.Get<bool>("fmod")) return r;
  const Scalar zero = Like(a, 0);
  return Select((r != zero) & ((r ^ b) < zero), r + b, r);
}

// By repeated squaring, modulo 2^width. A power with a negative exponent is 1 over an integer, truncated:
// 0 but for bases of 1 and -1, and a division by zero for a base of 0.
Scalar IntegerPower(Scalar base, Scalar exponent) {
  const Scalar one = Like(base, 1);
  Scalar power = one, square = base;
  for (int bit = 0; bit < BitWidth(exponent.type()); ++bit) {
    const Scalar is_set = (exponent >> bit & Like(exponent, 1)) != Like(exponent, 0);
    power = Select(is_set, power * square, power);
    square = square * square;
  }
  if (IsUnsignedInteger(exponent.type())) return power;
  const Scalar negative = exponent < 0.0;
  const Scalar inverse = one / Select(negative, base, one);
  // The last bit alone says what 1 and -1 become.
  const Scalar odd = (exponent & Like(exponent, 1)) != Like(exponent, 0);
  return Select(negative, Select(odd, inverse, inverse * inverse), power);
}

Scalar PowFormula(Scalar base, Scalar exponent) {
  return IsFloat(base.type()) ? math::Pow(base, exponent) : IntegerPower(base, exponent);
}

// The inputs combined from left to right.
template <Scalar (*combine)(Scalar, Scalar)>
Scalar Fold(std::span<const Scalar> in, const Attrs&) {
  Scalar result = in[0];
  for (const Scalar& x : in.subspan(1)) result = combine(result, x);
  return result;
}

Scalar Plus(Scalar a, Scalar b) { return a + b; }
Scalar Larger(Scalar a, Scalar b) { return Max(a, b); }
Scalar Smaller(Scalar a, Scalar b) { return Min(a, b); }

Scalar MeanFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return Fold<Plus>(in, attrs) / static_cast<double>(in.size());
}

Scalar ClipFormula(std::span<const Scalar> in, const Attrs&) {
  const Scalar x = in[0], min = in[1], max = in[2];
  const Scalar raised = min.builder() != nullptr ? Max(x, min) : x;
  return max.builder() != nullptr ? Min(raised, max) : raised;
}

absl::Status InferMod(InferContext& c) {
  const bool fmod = c.attrs().Get<bool>("fmod");
  if (IsFloat(c.dtype(0)) && !fmod) {
    return c.Fail("E0206", "floats have no Mod with the sign of the divisor", "Mod(a, b, fmod=true)");
  }
  // Of a dim that is never negative and a positive divisor both remainders are the same.
  return InferByRule(c, [](const Dim& a, const Dim& b) -> std::optional<Dim> {
    if (!IsPositiveConstant(b) || !IsNeverNegative(a)) return std::nullopt;
    return Mod(a, b);
  });
}

}  // namespace

std::vector<OpDef> ArithmeticOps() {
  return ElementwiseOpsOf({
      {.name = "Add",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a + b; },
       .doc = "The sum. Integers wrap.",
       .infer = InferFollowing<AddDims>},
      {.name = "Sub",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a - b; },
       .doc = "The difference. Integers wrap.",
       .infer = InferFollowing<SubtractDims>},
      {.name = "Mul",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a * b; },
       .doc = "The product. Integers wrap.",
       .infer = InferFollowing<MultiplyDims>},
      {.name = "Div",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a / b; },
       .doc = "The quotient. Integers truncate; an integer divided by zero is an error at run time that "
              "names the element.",
       .infer = InferFollowing<DivideDims>},
      {.name = "Mod",
       .dtypes = kNumeric,
       .formula = ModFormula,
       .doc =
           "The remainder of a division. Of integers it has the sign of b, as in Python, or with fmod that "
           "of a; an integer divided by zero is an error at run time that names the element. Floats need "
           "fmod: C's fmod, which is exact, NaN for an infinite a or a zero b.",
       .attrs = {{"fmod", AttrKind::kBool, AttrValue(false), "the remainder has the sign of a"}},
       .inputs = {"a", "b"},
       .infer = InferMod},
      {.name = "Pow",
       .dtypes = kNumeric,
       .formula = PowFormula,
       .doc =
           "base to the power exponent. Special cases as IEEE 754-2019's pow: 1 for an exponent of 0 and "
           "for a base of 1, NaN for a negative base and a fraction. Integers wrap; with a negative exponent "
           "they truncate, and a base of 0 is an error at run time that names the element.",
       .bound = "At most 0.51 ULP (f32), 1.25 ULP (f64); exact where it can be.",
       .inputs = {"base", "exponent"}},
      {.name = "Max",
       .dtypes = kNumeric,
       .formula = Fold<Larger>,
       .doc = "The largest one, IEEE 754-2019 maximum: NaN if any is NaN, and -0 is less than +0.",
       .any_number = true,
       .infer = InferFolding<LargerDim>},
      {.name = "Min",
       .dtypes = kNumeric,
       .formula = Fold<Smaller>,
       .doc = "The smallest one, IEEE 754-2019 minimum: NaN if any is NaN, and -0 is less than +0.",
       .any_number = true,
       .infer = InferFolding<SmallerDim>},
      {.name = "Sum",
       .dtypes = kNumeric,
       .formula = Fold<Plus>,
       .doc = "The sum of all inputs, from left to right. Integers wrap; halves are rounded once.",
       .any_number = true,
       .infer = InferFolding<AddDims>},
      {.name = "Mean",
       .dtypes = kFloat,
       .formula = MeanFormula,
       .doc = "The sum of all inputs, from left to right, divided by their number. Halves are rounded once.",
       .any_number = true},
      {.name = "Clip",
       .dtypes = kNumeric,
       .formula = ClipFormula,
       .doc =
           "x, but at least min and at most max, where they are given: max if min is larger. NaN if x or a "
           "bound is NaN. Bounds broadcast, as in NumPy.",
       .inputs = {"x", "min", "max"},
       .optional_inputs = 2},
      {.name = "Neg",
       .dtypes = kSignedOrFloat,
       .formula = [](Scalar x) { return -x; },
       .doc = "Flips the sign, also of zero. Integers wrap.",
       .infer = InferFollowing<NegateDim>},
      {.name = "Abs",
       .dtypes = kNumeric,
       .formula = [](Scalar x) { return Abs(x); },
       .doc = "The magnitude. Clears the sign bit; integers wrap: the lowest one stays."},
      {.name = "Sign",
       .dtypes = kNumeric,
       .formula = SignOf,
       .doc = "-1, 0 or 1. 0 for -0, and NaN for NaN."},
      {.name = "Reciprocal",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return 1.0 / x; },
       .doc = "1 / x, correctly rounded; an infinity of its sign for a zero."},
      {.name = "Sqrt",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return Sqrt(x); },
       .doc = "The square root, correctly rounded; NaN below zero, -0 for -0."},
      {.name = "Floor",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return Floor(x); },
       .doc = "The next integer below or at x. Keeps the sign of zero."},
      {.name = "Ceil",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return Ceil(x); },
       .doc = "The next integer above or at x. Keeps the sign of zero: Ceil(-0.5) is -0."},
      {.name = "Round",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return RoundEven(x); },
       .doc = "The nearest integer, half to even. Keeps the sign of zero."},
  });
}

}  // namespace tenfold
