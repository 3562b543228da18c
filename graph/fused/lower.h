// SPDX-License-Identifier: Apache-2.0
//
// From a group of nodes to one FusedKernel. The evaluation of a single op and the compiler's fused groups go
// through this one lowering, so a fused kernel computes what its nodes compute.
#ifndef TENFOLD_GRAPH_FUSED_LOWER_H_
#define TENFOLD_GRAPH_FUSED_LOWER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

struct LoweredKernel {
  FusedKernel kernel;
  // kernel.inputs[i] reads the body's input number body_inputs[i]; one body input may be read in several
  // ways.
  std::vector<int> body_inputs;
};

// Lowers `body`: its Inputs are the kernel's operands, its outputs what the kernel stores, in that order. The
// body consists of elementwise ops and reductions, and of movement ops that are strided views of an Input.
// Constants must hold one value. All reductions are over the same axes of the same shape; every other value
// has that shape, or the shape that the reductions give, or broadcasts to one of them.
//
// A body that is not of this form is refused with E0801, whose message says what does not fit: the fusion
// pass asks by trying.
absl::StatusOr<LoweredKernel> LowerToKernel(const Graph& body, std::string name);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_LOWER_H_
