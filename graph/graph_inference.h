// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_GRAPH_GRAPH_INFERENCE_H_
#define TENFOLD_GRAPH_GRAPH_INFERENCE_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// What a node of `graph` with these inputs and bodies gives. `attrs` are completed.
absl::StatusOr<std::vector<InferResult>> InferInGraph(const Graph& graph, const OpDef& op,
                                                      absl::string_view name, std::span<const ValueId> inputs,
                                                      Attrs& attrs, const Bodies& bodies);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_GRAPH_INFERENCE_H_
