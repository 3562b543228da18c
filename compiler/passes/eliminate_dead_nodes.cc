// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/eliminate_dead_nodes.h"

#include <set>

namespace tenfold {

absl::Status EliminateDeadNodes(PassContext& context, Graph& graph) {
  std::vector<std::pair<NodeId, std::string>> before;
  for (NodeId id : graph.nodes()) before.emplace_back(id, PassContext::Describe(graph, id));
  if (graph.RemoveDeadNodes() == 0) return absl::OkStatus();
  const std::set<NodeId> alive(graph.nodes().begin(), graph.nodes().end());
  for (auto& [id, name] : before) {
    if (!alive.contains(id)) context.Did(std::move(name), "no output needs it");
  }
  return absl::OkStatus();
}

}  // namespace tenfold
