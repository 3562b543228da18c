// SPDX-License-Identifier: Apache-2.0
//
// Where values that lie within others begin, once extents are known.
#ifndef TENFOLD_RUNTIME_PLAN_VIEWS_H_
#define TENFOLD_RUNTIME_PLAN_VIEWS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// How many bytes behind the beginning of its root `view` begins. E0402 if an extent is negative or a size
// does not fit 64 bits, E0605 if the view would leave its root: inference admits none such, but shapes of
// symbols are known only now.
absl::StatusOr<int64_t> EvaluateOffset(const Plan& plan, const PlanView& view, const SymbolValues& symbols);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_PLAN_VIEWS_H_
