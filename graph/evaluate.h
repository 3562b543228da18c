// SPDX-License-Identifier: Apache-2.0
//
// Computes nodes on tensors by the definitions of their ops: what folding and the tests' reference run.
#ifndef TENFOLD_GRAPH_EVALUATE_H_
#define TENFOLD_GRAPH_EVALUATE_H_

#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// The outputs of `node` for `inputs`, one for each of the node's (any tensor for an absent one), whose types
// must be what the node's inference admits. NaNs are not made canonical: the values are not observed yet.
// Splats stay splats where the op is elementwise. Errors: those of inference, E0601 (a bad value such as an
// integer divisor of 0), E0402. All of `level`, which defaults to the host's, give the same bits. `interrupt`
// (null: none) is polled; once it says stop, whatever is returned must not be used.
absl::StatusOr<std::vector<Tensor>> EvaluateNode(const Graph& graph, const Node& node,
                                                 std::span<const Tensor> inputs,
                                                 std::optional<IsaLevel> level = std::nullopt,
                                                 const KernelInterrupt* interrupt = nullptr);

// The outputs of `graph`, each node evaluated by itself, NaNs canonical. `feeds` are in the order of its
// inputs.
absl::StatusOr<std::vector<Tensor>> EvaluateGraph(const Graph& graph, std::span<const Tensor> feeds,
                                                  std::optional<IsaLevel> level = std::nullopt);

// Whether it is the computation that knows the extents of the op's results.
bool PlacesOutputs(const OpDef& op);

// How many scalar operations EvaluateNode performs, roughly: what folding budgets count. Symbols: nullopt.
std::optional<int64_t> EstimateOperations(const Graph& graph, const Node& node);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_EVALUATE_H_
