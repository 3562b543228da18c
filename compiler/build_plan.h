// SPDX-License-Identifier: Apache-2.0
//
// From the fused graph to the runtime's Plan: a step for each node that computes, a place for each value.
#ifndef TENFOLD_COMPILER_BUILD_PLAN_H_
#define TENFOLD_COMPILER_BUILD_PLAN_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/compiler/remark.h"
#include "tenfold/graph/graph.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// What the types in `graph` take for granted of sizes, each pair of sizes once.
absl::StatusOr<std::vector<PlanCheck>> SizeChecks(const Graph& graph);

// `graph` has no composites. Memory is planned, the plan verifies. What shares memory is in the remarks. Runs
// make `checks`, as far as they are about sizes that the plan knows, besides those of the graph itself.
// Errors: E0209 (a value of unknown rank), E0608 (a symbol that no input determines).
absl::StatusOr<Plan> BuildPlan(const Graph& graph, std::span<const PlanCheck> checks,
                               std::vector<Remark>& remarks);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_BUILD_PLAN_H_
