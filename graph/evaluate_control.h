// SPDX-License-Identifier: Apache-2.0
//
// The meaning of control ops: which bodies are computed, how often, and what becomes of their results.
#ifndef TENFOLD_GRAPH_EVALUATE_CONTROL_H_
#define TENFOLD_GRAPH_EVALUATE_CONTROL_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct ControlRun {
  // Computes a body.
  absl::FunctionRef<absl::StatusOr<std::vector<Tensor>>(const Graph& body, std::span<const Tensor> inputs)>
      run_body;
  absl::FunctionRef<bool()> should_stop;
  // Iterations that are left of Limits::loop_steps.
  int64_t& steps_left;
  // Of symbols in the graph of the node, as far as they are known.
  const SymbolValues& symbols;
};

// `inputs` as those of EvaluateNode. E0402 once there are no steps left, or stacked rows exceed tensor_bytes.
absl::StatusOr<std::vector<Tensor>> EvaluateControl(const Graph& graph, const Node& node,
                                                    std::span<const Tensor> inputs, const ControlRun& run);

// The values of symbols that are a dim of `type` each, where they are not known yet.
void BindSymbols(const TensorType& type, std::span<const int64_t> dims, SymbolValues& symbols);

// "Loop 'y' ..." for an iteration that is over the limit.
absl::Status TooManySteps(const std::string& node, const std::string& location, int64_t limit);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_EVALUATE_CONTROL_H_
