// SPDX-License-Identifier: Apache-2.0
//
// One row per op. The formula is the op: the interpreter, the folder, both code generators and the cost model
// read it, so they cannot disagree.
#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

struct ElementwiseRow {
  const char* name;
  DTypeSet dtypes;  // of every input of the type variable T
  Formula formula;
  const char* doc;
  const char* bound = "";
};

// --- Formulas that need more than a line -------------------------------------------------------------------

// The lowest finite number for -inf, everything else as it is: so that x times a factor that is 0 far left
// gives the limit, -0, and not NaN.
Scalar FiniteBelow(Scalar x) {
  const Scalar lowest =
      Like(x, x.type() == DType::kF32 ? -static_cast<double>(std::numeric_limits<float>::max())
                                      : -std::numeric_limits<double>::max());
  return Select(x < lowest, lowest, x);
}

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

Scalar CastFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return Convert(in[0], attrs.Get<DType>("to"));
}

// --- The rows ----------------------------------------------------------------------------------------------

const ElementwiseRow kRows[] = {
    {"Add", kNumeric, [](Scalar a, Scalar b) { return a + b; }, "The sum. Integers wrap."},
    {"Sub", kNumeric, [](Scalar a, Scalar b) { return a - b; }, "The difference. Integers wrap."},
    {"Mul", kNumeric, [](Scalar a, Scalar b) { return a * b; }, "The product. Integers wrap."},
    {"Div", kNumeric, [](Scalar a, Scalar b) { return a / b; },
     "The quotient. Integers truncate; an integer divided by zero is an error at run time that names the "
     "element."},
    {"Max", kNumeric, [](Scalar a, Scalar b) { return Max(a, b); },
     "The larger one, IEEE 754-2019 maximum: NaN if either is NaN, and -0 is less than +0."},
    {"Neg", kSignedOrFloat, [](Scalar x) { return -x; }, "Flips the sign, also of zero. Integers wrap."},
    {"Exp", kFloat, [](Scalar x) { return math::Exp(x); }, "e to the power x.", "At most 1 ULP."},
    {"Tanh", kFloat, [](Scalar x) { return math::Tanh(x); }, "The hyperbolic tangent.",
     "At most 1 ULP (f32), 1.5 ULP (f64)."},
    {"Sigmoid", kFloat, [](Scalar x) { return math::Sigmoid(x); }, "1 / (1 + exp(-x)).",
     "At most 1 ULP, subnormal results included."},
};

PortDef InputPort(const ElementwiseRow& row, int i) {
  static constexpr const char* kNames[3][3] = {{"x", "", ""}, {"a", "b", ""}, {"a", "b", "c"}};
  return {kNames[row.formula.arity() - 1][i], "T", row.dtypes, ""};
}

absl::Status InferBroadcast(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(Shape shape, c.BroadcastAll());
  return c.SetOutput(0, std::move(shape));
}

// Small integers are followed through arithmetic, so that shapes computed from shapes resolve.
absl::Status InferArithmetic(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(InferBroadcast(c));
  if (c.num_inputs() != 2 || !c.contents(0).has_value() || !c.contents(1).has_value())
    return absl::OkStatus();
  const Contents& a = *c.contents(0);
  const Contents& b = *c.contents(1);
  if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1))
    return absl::OkStatus();
  Contents result;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const Dim& x = a[a.size() == 1 ? 0 : i];
    const Dim& y = b[b.size() == 1 ? 0 : i];
    if (c.op().name == "Add")
      result.push_back(x + y);
    else if (c.op().name == "Sub")
      result.push_back(x - y);
    else if (c.op().name == "Mul")
      result.push_back(x * y);
    else
      return absl::OkStatus();
  }
  // [2,1] against [2] gives four elements: only what is not broadcast, or from one element, is followed.
  TENFOLD_ASSIGN_OR_RETURN(const Shape shape, c.BroadcastAll());
  if (!shape.has_rank() || !(shape.num_elements() == Dim(static_cast<int64_t>(result.size())))) {
    return absl::OkStatus();
  }
  // Narrow integers wrap at run time; only i64 is followed.
  return c.dtype(0) == DType::kI64 ? c.SetContents(0, std::move(result)) : absl::OkStatus();
}

OpDef FromRow(const ElementwiseRow& row) {
  OpDef op;
  op.name = row.name;
  for (int i = 0; i < row.formula.arity(); ++i) op.inputs.push_back(InputPort(row, i));
  op.outputs = {{"y", "T", row.dtypes, ""}};
  op.doc = row.doc;
  op.bound = row.bound;
  op.infer = InferArithmetic;
  op.computation = Elementwise{row.formula};
  return op;
}

}  // namespace

std::vector<OpDef> ElementwiseOps() {
  std::vector<OpDef> ops;
  for (const ElementwiseRow& row : kRows) ops.push_back(FromRow(row));

  ops.push_back(
      {.name = "Gelu",
       .inputs = {{"x", "T", kFloat, ""}},
       .attrs = {{"approximate",
                  AttrKind::kString,
                  AttrValue(std::string("none")),
                  "\"none\": by erf; \"tanh\": by the tanh approximation",
                  {"none", "tanh"}}},
       .outputs = {{"y", "T", kFloat, ""}},
       .doc = "The Gaussian error linear unit, x times the normal distribution's cumulative function.",
       .bound = "Follows from Erf and Exp; absolute error at most 2 ULP of max(|x|, 1).",
       .infer = InferBroadcast,
       .computation = Elementwise{GeluFormula}});
  ops.push_back({.name = "Equal",
                 .inputs = {{"a", "T", kAnyType, ""}, {"b", "T", kAnyType, ""}},
                 .outputs = {{"y", "B", kBoolOnly, ""}},
                 .doc = "Whether the elements are equal. NaN equals nothing; -0 equals +0.",
                 .infer = InferBroadcast,
                 .computation = Elementwise{Formula([](Scalar a, Scalar b) { return a == b; })}});
  ops.push_back(
      {.name = "Where",
       .inputs = {{"condition", "B", kBoolOnly, ""}, {"a", "T", kAnyType, ""}, {"b", "T", kAnyType, ""}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "a where the condition is true, b elsewhere.",
       .infer = InferBroadcast,
       .computation = Elementwise{Formula([](Scalar c, Scalar a, Scalar b) { return Select(c, a, b); })}});
  ops.push_back(
      {.name = "Cast",
       .inputs = {{"x", "S", kAnyType, ""}},
       .attrs = {{"to", AttrKind::kDType, std::nullopt, "the dtype of the result"}},
       .outputs = {{"y", "to", kAnyType, ""}},
       .doc = "Converts to another dtype. A float to an integer truncates and saturates, NaN gives 0; an "
              "integer to a narrower one wraps; to a float rounds to nearest even; to bool is x != 0.",
       .infer = InferBroadcast,
       .computation = Elementwise{CastFormula}});
  return ops;
}

}  // namespace tenfold
