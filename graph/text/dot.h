// SPDX-License-Identifier: Apache-2.0
//
// Graphs for Graphviz: `tenfold-dump --format dot model.tnf | dot -Tsvg`.
#ifndef TENFOLD_GRAPH_TEXT_DOT_H_
#define TENFOLD_GRAPH_TEXT_DOT_H_

#include <functional>
#include <string>

#include "tenfold/graph/graph.h"

namespace tenfold {

struct DotOptions {
  // What this gives for a node stands in its box, below the op; may be null.
  std::function<std::string(const Graph&, NodeId)> note = nullptr;
};

// Inputs and outputs are ovals, nodes boxes, edges carry types. Constants of a few values stand in the box
// that reads them; a fused node's body stands in a frame beside it.
std::string PrintDot(const Graph& graph, const DotOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_DOT_H_
