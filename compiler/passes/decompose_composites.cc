// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/decompose_composites.h"

#include <algorithm>
#include <utility>

#include "tenfold/compiler/inline_graph.h"
#include "tenfold/graph/composite.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
absl::Status DecomposeComposites(PassContext& context, Graph& graph) {
  // A composite may be made of composites: go on until none is left. Each round makes nodes simpler, since a
  // composite is built from ops that were registered before it.
  constexpr int kMaxDepth = 16;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    bool any = false;
    const std::vector<NodeId> order = graph.nodes();
    for (NodeId id : order) {
      const Node node = graph.node(id);
      if (!IsComposite(graph, node)) continue;
      any = true;
      TENFOLD_ASSIGN_OR_RETURN(const Graph body, ExpandComposite(graph, node));
      const std::string name = graph.DisplayName(id);
      const Provenance provenance = graph.MergedProvenance(id, std::span(&id, 1));
      TENFOLD_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs,
                               InlineGraph(graph, body, node.inputs, name, &provenance));
      context.Did(PassContext::Describe(graph, id),
                  absl::StrCat("is ", body.nodes().size() - body.inputs().size(), " ops"));
      for (size_t i = 0; i < outputs.size(); ++i) {
        TENFOLD_RETURN_IF_ERROR(graph.ReplaceAllUses(node.outputs[i], outputs[i]));
        // What is passed on keeps its name: it may be an input of the graph.
        const bool passed_on =
            std::find(node.inputs.begin(), node.inputs.end(), outputs[i]) != node.inputs.end();
        if (!passed_on) graph.SwapNames(node.outputs[i], outputs[i]);
      }
    }
    if (!any) return absl::OkStatus();
    graph.RemoveDeadNodes();
    TENFOLD_RETURN_IF_ERROR(graph.SortTopologically());
  }
  return MakeError("E9001", "composites are nested too deeply");
}

}  // namespace tenfold
