// SPDX-License-Identifier: Apache-2.0
//
// Comparisons, logic, and choosing by their results.
#include <span>
#include <vector>

#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/elementwise.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

Scalar IsInfFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const Scalar x = in[0];
  const double inf = __builtin_inf();
  const bool negative = attrs.Get<bool>("detect_negative");
  const bool positive = attrs.Get<bool>("detect_positive");
  if (negative && positive) return Abs(x) == inf;
  if (negative) return x == -inf;
  return positive ? x == inf : x.builder()->ConstInt(DType::kBool, 0);
}

}  // namespace

std::vector<OpDef> ComparisonOps() {
  std::vector<OpDef> ops = ElementwiseOpsOf({
      {.name = "Equal",
       .dtypes = kComputed,
       .formula = [](Scalar a, Scalar b) { return a == b; },
       .doc = "Whether the elements are equal. NaN equals nothing; -0 equals +0.",
       .result = kBoolOnly},
      {.name = "Less",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a < b; },
       .doc = "Whether a is less than b. False if either is NaN.",
       .result = kBoolOnly},
      {.name = "LessOrEqual",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a <= b; },
       .doc = "Whether a is less than b or equal to it. False if either is NaN.",
       .result = kBoolOnly},
      {.name = "Greater",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a > b; },
       .doc = "Whether a is greater than b. False if either is NaN.",
       .result = kBoolOnly},
      {.name = "GreaterOrEqual",
       .dtypes = kNumeric,
       .formula = [](Scalar a, Scalar b) { return a >= b; },
       .doc = "Whether a is greater than b or equal to it. False if either is NaN.",
       .result = kBoolOnly},
      {.name = "And",
       .dtypes = kBoolOnly,
       .formula = [](Scalar a, Scalar b) { return a & b; },
       .doc = "Whether both are true."},
      {.name = "Or",
       .dtypes = kBoolOnly,
       .formula = [](Scalar a, Scalar b) { return a | b; },
       .doc = "Whether either is true."},
      {.name = "Xor",
       .dtypes = kBoolOnly,
       .formula = [](Scalar a, Scalar b) { return a ^ b; },
       .doc = "Whether just one is true."},
      {.name = "Not",
       .dtypes = kBoolOnly,
       .formula = [](Scalar x) { return ~x; },
       .doc = "Whether x is false."},
      {.name = "IsNaN",
       .dtypes = kFloat,
       .formula = [](Scalar x) { return IsNan(x); },
       .doc = "Whether x is NaN.",
       .result = kBoolOnly},
      {.name = "IsInf",
       .dtypes = kFloat,
       .formula = IsInfFormula,
       .doc = "Whether x is infinite.",
       .attrs = {{"detect_negative", AttrKind::kBool, AttrValue(true), "true for -inf"},
                 {"detect_positive", AttrKind::kBool, AttrValue(true), "true for inf"}},
       .result = kBoolOnly},
  });
  ops.push_back(
      {.name = "Where",
       .inputs = {{"condition", "B", kBoolOnly, ""}, {"a", "T", kAnyType, ""}, {"b", "T", kAnyType, ""}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "a where the condition is true, b elsewhere.",
       .infer = InferBroadcast,
       .computation = Elementwise{Formula([](Scalar c, Scalar a, Scalar b) { return Select(c, a, b); })}});
  return ops;
}

}  // namespace tenfold
