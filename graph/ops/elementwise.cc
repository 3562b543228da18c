// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/elementwise.h"

#include <algorithm>
#include <utility>

#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

std::vector<const char*> InputNames(const ElementwiseRow& row) {
  if (!row.inputs.empty()) return row.inputs;
  switch (row.formula.arity()) {
    case 2:
      return {"a", "b"};
    case 3:
      return {"a", "b", "c"};
    default:
      return {"x"};
  }
}

OpDef FromRow(const ElementwiseRow& row) {
  OpDef op;
  op.name = row.name;
  if (row.any_number) {
    op.inputs = {{"inputs", "T", row.dtypes, "", Arity::kVariadic}};
  } else {
    for (const char* name : InputNames(row)) op.inputs.push_back({name, "T", row.dtypes, ""});
    for (int i = 0; i < row.optional_inputs; ++i) op.inputs.rbegin()[i].arity = Arity::kOptional;
  }
  op.attrs = row.attrs;
  op.outputs = {row.result == DTypeSet{} ? PortDef{"y", "T", row.dtypes, ""}
                                         : PortDef{"y", "R", row.result, ""}};
  op.doc = row.doc;
  op.bound = row.bound;
  op.infer = row.infer;
  op.computation = Elementwise{.formula = row.formula, .in_f64 = row.in_f64};
  return op;
}

// Element by element; a list of one element is broadcast.
std::optional<Contents> Combine(const Contents& a, const Contents& b, DimRule rule) {
  if (a.empty() || b.empty() || (a.size() != b.size() && a.size() != 1 && b.size() != 1)) return std::nullopt;
  Contents result;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    std::optional<Dim> value = rule(a[a.size() == 1 ? 0 : i], b[b.size() == 1 ? 0 : i]);
    if (!value.has_value()) return std::nullopt;
    result.push_back(*std::move(value));
  }
  return result;
}

// Combines the contents of the first input with those of input `next` and all after it, if they are known.
absl::Status Follow(InferContext& c, const Shape& shape, int next, DimRule rule) {
  // Narrow integers wrap at run time; only i64 is followed.
  if (c.dtype(0) != DType::kI64) return absl::OkStatus();
  std::optional<Contents> result = c.contents(0);
  for (int i = next; i < c.num_inputs() && result.has_value(); ++i) {
    result = c.contents(i).has_value() ? Combine(*result, *c.contents(i), rule) : std::nullopt;
  }
  // [2,1] against [2] gives four elements: only what is not broadcast, or from one element, is followed.
  if (!result.has_value() || !shape.has_rank() ||
      !(shape.num_elements() == Dim(static_cast<int64_t>(result->size())))) {
    return absl::OkStatus();
  }
  return c.SetContents(0, *std::move(result));
}

}  // namespace

absl::Status InferBroadcast(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(Shape shape, c.BroadcastAll());
  return c.SetOutput(0, std::move(shape));
}

absl::Status InferByRule(InferContext& c, DimRule rule) {
  TENFOLD_ASSIGN_OR_RETURN(const Shape shape, c.BroadcastAll());
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, shape));
  // Of a single input, both sides are it.
  return Follow(c, shape, c.num_inputs() == 1 ? 0 : 1, rule);
}

absl::Status InferByFolding(InferContext& c, DimRule rule) {
  TENFOLD_ASSIGN_OR_RETURN(const Shape shape, c.BroadcastAll());
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, shape));
  return Follow(c, shape, 1, rule);
}

std::vector<OpDef> ElementwiseOpsOf(std::initializer_list<ElementwiseRow> rows) {
  std::vector<OpDef> ops;
  for (const ElementwiseRow& row : rows) ops.push_back(FromRow(row));
  return ops;
}

}  // namespace tenfold
