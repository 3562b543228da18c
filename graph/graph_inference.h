// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_GRAPH_GRAPH_INFERENCE_H_
#define TENFOLD_GRAPH_GRAPH_INFERENCE_H_

#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// What a node of `graph` with these inputs and bodies gives. `attrs` are completed. What is assumed of sizes
// is added to `assumptions`; null: nobody wants to know, since it can be asked of the node again.
absl::StatusOr<std::vector<InferResult>> InferInGraph(const Graph& graph, const OpDef& op,
                                                      absl::string_view name, std::span<const ValueId> inputs,
                                                      Attrs& attrs, const Bodies& bodies,
                                                      std::vector<SizeAssumption>* assumptions = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_GRAPH_INFERENCE_H_
