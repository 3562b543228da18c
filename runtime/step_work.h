// SPDX-License-Identifier: Apache-2.0
//
// What a step does, counted from its shapes: what its time is held against.
#ifndef TENFOLD_RUNTIME_STEP_WORK_H_
#define TENFOLD_RUNTIME_STEP_WORK_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// As floating-point numbers, since a count may not fit an integer.
struct StepWork {
  // Arithmetic on elements, a fused multiply-add counted as two; loads, conversions and address arithmetic
  // are not. 0 for a step that only moves, for a host kernel that is no convolution, and for control flow.
  double operations = 0;
  // Of operands and results, each once, however often a kernel reads it.
  double bytes = 0;
};

StepWork WorkOf(const Plan& plan, const PlanStep& step, const SymbolValues& symbols);

// "kernel", "matmul", "copy", "host kernel", "shape" or "control".
absl::string_view KindOf(const PlanStep& step);

// Which ops it computes, and its result: "Mul, Add, Relu: h"; the first few of many.
std::string Describe(const Plan& plan, const PlanStep& step);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_STEP_WORK_H_
