// SPDX-License-Identifier: Apache-2.0
//
// Plans as JSON and for Graphviz; runtime/plan.h has their text.
#ifndef TENFOLD_TOOLS_PLAN_RENDERING_H_
#define TENFOLD_TOOLS_PLAN_RENDERING_H_

#include <string>

#include "tenfold/runtime/plan.h"

namespace tenfold {

// {"format": "tenfold.plan", "version": 1, "name", "symbols", "inputs", "outputs", "values", "steps",
// "memory"}; sizes and offsets are texts, since they are expressions over the symbols.
std::string PlanToJson(const Plan& plan);

// Steps are boxes, inputs and outputs ovals; edges carry values and their types.
std::string PlanToDot(const Plan& plan);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_PLAN_RENDERING_H_
