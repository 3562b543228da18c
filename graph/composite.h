// SPDX-License-Identifier: Apache-2.0
//
// A node that other nodes stand for, and their graph: a composite op, or an op on packed elements, which have
// no addresses (graph/packed.h), as it is on unpacked ones.
#ifndef TENFOLD_GRAPH_COMPOSITE_H_
#define TENFOLD_GRAPH_COMPOSITE_H_

#include <span>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

bool IsComposite(const Graph& graph, const Node& node);

// A graph whose inputs are those of `inputs` that are there and whose outputs are those of `node`. Half
// inputs of a composite op are computed in f32, and each output is rounded once.
absl::StatusOr<Graph> ExpandComposite(const Graph& graph, const Node& node,
                                      std::span<const InferInput> inputs);
// With the types and contents that the graph has for them.
absl::StatusOr<Graph> ExpandComposite(const Graph& graph, const Node& node);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_COMPOSITE_H_
