// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/plan_views.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {

absl::StatusOr<int64_t> EvaluateOffset(const Plan& plan, const PlanView& view, const SymbolValues& symbols) {
  const TensorType& type = plan.values[view.value].type;
  const TensorType& whole_type = plan.values[plan.Root(view.value)].type;
  TENFOLD_ASSIGN_OR_RETURN(const Dims dims, EvaluateShape(view.node, type, symbols));
  TENFOLD_ASSIGN_OR_RETURN(const Dims whole_dims, EvaluateShape(view.node, whole_type, symbols));
  const int64_t count = *NumElements(dims), whole = *NumElements(whole_dims);
  const std::optional<int64_t> begin = plan.OffsetOf(view.value).Evaluate(symbols);
  if (!begin || *begin < 0 || *begin > whole || count > whole - *begin) {
    return MakeError("E0605", absl::StrCat(NodeText(view.node),
                                           ": with the extents that were fed, it would read or write outside "
                                           "its tensors"));
  }
  int64_t bytes = 0;
  if (__builtin_mul_overflow(*begin, static_cast<int64_t>(SizeOf(type.dtype)), &bytes)) {
    return MakeError("E0402", absl::StrCat(NodeText(view.node), ": its operand ", whole_type.ToString(),
                                           " has more bytes than 64 bits can count"));
  }
  return bytes;
}

}  // namespace tenfold
