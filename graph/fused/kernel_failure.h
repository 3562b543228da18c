// SPDX-License-Identifier: Apache-2.0
//
// What a kernel's error word says, for people.
#ifndef TENFOLD_GRAPH_FUSED_KERNEL_FAILURE_H_
#define TENFOLD_GRAPH_FUSED_KERNEL_FAILURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// `name` = `op`(`dividend`, `divisor`), a Div or a Mod; empty where it is not known.
struct Quotient {
  std::string name, op, dividend, divisor;
};

// E0601: the element at `index` of `node` ("Div 'q'"), built at `location`, was divided by an integer 0.
absl::Status DividedByZero(const Dims& index, absl::string_view node, std::string location,
                           const Quotient& quotient);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_KERNEL_FAILURE_H_
