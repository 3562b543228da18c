// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/eliminate_common_subexpressions.h"

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Of the stored bytes: payloads count, so that nothing is merged which a bit cast could tell apart.
size_t HashOf(const Tensor& tensor) {
  const absl::string_view bytes(static_cast<const char*>(tensor.data()), tensor.stored_bytes());
  return absl::HashOf(tensor.dtype(), tensor.dims(), tensor.is_splat(), bytes);
}

bool SameBytes(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.dims() == b.dims() && a.is_splat() == b.is_splat() &&
         absl::string_view(static_cast<const char*>(a.data()), a.stored_bytes()) ==
             absl::string_view(static_cast<const char*>(b.data()), b.stored_bytes());
}

size_t HashOf(const Node& node) {
  size_t hash = absl::HashOf(node.op->name, node.inputs);
  for (const auto& [name, value] : node.attrs) {
    const Tensor* tensor = std::get_if<Tensor>(&value);
    hash = absl::HashOf(hash, name, tensor == nullptr ? absl::HashOf(ToString(value)) : HashOf(*tensor));
  }
  return hash;
}

bool Same(const Node& a, const Node& b) {
  if (a.op != b.op || a.inputs != b.inputs) return false;
  if (a.op->name == "Const") return SameBytes(a.tensor(), b.tensor());
  return a.attrs == b.attrs;
}

}  // namespace

absl::Status EliminateCommonSubexpressions(PassContext& context, Graph& graph) {
  absl::flat_hash_map<size_t, std::vector<NodeId>> known;
  const std::vector<NodeId> order = graph.nodes();
  for (NodeId id : order) {
    if (graph.node(id).op->name == "Input" || graph.node(id).op->is_barrier || !graph.node(id).bodies.empty())
      continue;
    std::vector<NodeId>& candidates = known[HashOf(graph.node(id))];
    bool merged = false;
    for (NodeId first : candidates) {
      if (!Same(graph.node(first), graph.node(id))) continue;
      if (!graph.value(graph.node(id).outputs[0]).name.empty()) {
        context.Did(PassContext::Describe(graph, id), absl::StrCat("is '", graph.DisplayName(first), "'"));
      }
      for (size_t i = 0; i < graph.node(id).outputs.size(); ++i) {
        TENFOLD_RETURN_IF_ERROR(
            graph.ReplaceAllUses(graph.node(id).outputs[i], graph.node(first).outputs[i]));
      }
      const NodeId both[] = {first, id};
      graph.SetProvenance(first, graph.MergedProvenance(first, both));
      merged = true;
      break;
    }
    if (!merged) candidates.push_back(id);
  }
  graph.RemoveDeadNodes();
  return absl::OkStatus();
}

}  // namespace tenfold
