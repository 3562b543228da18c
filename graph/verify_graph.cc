// SPDX-License-Identifier: Apache-2.0
//
// What looks at a graph with all its bodies.
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_inference.h"

namespace tenfold {
namespace {

// `seen`: bodies that verify, since Calls share theirs.
absl::Status Verify(const Graph& graph, absl::flat_hash_set<const Graph*>& seen) {
  const auto bug = [&](auto... pieces) {
    return MakeError("E9001", absl::StrCat("graph '", graph.name, "' does not verify: ", pieces...));
  };
  std::vector<bool> defined(graph.num_values());
  absl::flat_hash_set<std::string> names;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    for (ValueId input : Present(node.inputs)) {
      if (!defined[static_cast<size_t>(input)])
        return bug("'", graph.DisplayName(id), "' reads '", graph.DisplayName(input),
                   "' before it is produced");
    }
    Attrs attrs = node.attrs;
    auto results = InferInGraph(graph, *node.op, graph.DisplayName(id), node.inputs, attrs, node.bodies);
    if (!results.ok()) return bug("'", graph.DisplayName(id), "': ", results.status().message());
    if (results->size() != node.outputs.size())
      return bug("'", graph.DisplayName(id), "' has another number of outputs than its op");
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueInfo& value = graph.value(node.outputs[i]);
      if (value.type != (*results)[i].type) {
        return bug("'", graph.DisplayName(id), "' is typed ", value.type.ToString(), ", but infers ",
                   (*results)[i].type.ToString());
      }
      if (!value.name.empty() && !names.insert(value.name).second)
        return bug("two values are named '", value.name, "'");
      defined[static_cast<size_t>(node.outputs[i])] = true;
    }
    for (const auto& body : node.bodies) {
      if (seen.insert(body.get()).second) TENFOLD_RETURN_IF_ERROR(Verify(*body, seen));
    }
  }
  for (const GraphOutput& output : graph.outputs()) {
    if (!defined[static_cast<size_t>(output.value)])
      return bug("output '", output.name, "' is never produced");
  }
  for (const auto& [name, contract] : graph.contracts) {
    const std::optional<ValueId> input = graph.FindValue(name);
    if (!input || graph.producer(*input).op->name != "Input") {
      return bug("there is a contract of '", name, "', which is no input");
    }
    const std::string fault = FindContractFault(contract, graph.value(*input).type);
    if (!fault.empty()) return bug("the contract of '", name, "': ", fault);
  }
  return absl::OkStatus();
}

void Visit(const Graph& graph, absl::flat_hash_set<const Graph*>& seen,
           absl::FunctionRef<void(const std::shared_ptr<const Graph>&)> visit) {
  if (graph.depth() == 0) return;
  for (NodeId id : graph.nodes()) {
    for (const auto& body : graph.node(id).bodies) {
      if (!seen.insert(body.get()).second) continue;
      Visit(*body, seen, visit);
      visit(body);
    }
  }
}

}  // namespace

absl::Status VerifyGraph(const Graph& graph) {
  absl::flat_hash_set<const Graph*> seen;
  return Verify(graph, seen);
}

void VisitBodies(const Graph& graph, absl::FunctionRef<void(const std::shared_ptr<const Graph>&)> visit) {
  absl::flat_hash_set<const Graph*> seen;
  Visit(graph, seen, visit);
}

int64_t Graph::CountNodes() const {
  auto count = static_cast<int64_t>(order_.size());
  if (depth_ == 0) return count;
  VisitBodies(*this, [&](const auto& body) { count += static_cast<int64_t>(body->nodes().size()); });
  return count;
}

}  // namespace tenfold
