// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/decompose_composites.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "tenfold/graph/composite.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Copies the nodes of `body` into `graph`, its inputs being `inputs`; gives the values of its outputs.
absl::StatusOr<std::vector<ValueId>> Inline(Graph& graph, const Graph& body,
                                            const std::vector<ValueId>& inputs, const std::string& prefix,
                                            const Provenance& provenance) {
  absl::flat_hash_map<ValueId, ValueId> mapped;
  size_t next = 0;
  for (ValueId input : Present(inputs)) mapped[body.inputs()[next++]] = input;
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    if (node.op->name == "Input") continue;
    std::vector<ValueId> operands;
    for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? kNoValue : mapped[input]);
    std::vector<std::string> names;
    for (ValueId output : node.outputs) {
      const std::string& name = body.value(output).name;
      names.push_back(name.empty() ? "" : absl::StrCat(prefix, "/", name));
    }
    TENFOLD_ASSIGN_OR_RETURN(
        NodeId copy, graph.AddNode(*node.op, std::move(operands), node.attrs, std::move(names), provenance));
    for (size_t i = 0; i < node.outputs.size(); ++i) mapped[node.outputs[i]] = graph.node(copy).outputs[i];
  }
  std::vector<ValueId> outputs;
  for (const GraphOutput& output : body.outputs()) outputs.push_back(mapped[output.value]);
  return outputs;
}

}  // namespace

absl::Status DecomposeComposites(PassContext& context, Graph& graph) {
  // A composite may be made of composites: go on until none is left. Each round makes nodes simpler, since a
  // composite is built from ops that were registered before it.
  constexpr int kMaxDepth = 16;
  for (int depth = 0; depth < kMaxDepth; ++depth) {
    bool any = false;
    const std::vector<NodeId> order = graph.nodes();
    for (NodeId id : order) {
      const Node node = graph.node(id);
      if (!node.op->Is<Composite>()) continue;
      any = true;
      std::vector<InferInput> types;
      for (ValueId input : node.inputs) {
        InferInput& type = types.emplace_back();
        type.absent = input == kNoValue;
        if (!type.absent) type.type = graph.value(input).type, type.contents = graph.value(input).contents;
      }
      TENFOLD_ASSIGN_OR_RETURN(const Graph body, ExpandComposite(graph, node, types));
      const std::string name = graph.DisplayName(id);
      TENFOLD_ASSIGN_OR_RETURN(
          std::vector<ValueId> outputs,
          Inline(graph, body, node.inputs, name, graph.MergedProvenance(id, std::span(&id, 1))));
      context.Did(PassContext::Describe(graph, id),
                  absl::StrCat("is ", body.nodes().size() - body.inputs().size(), " ops"));
      for (size_t i = 0; i < outputs.size(); ++i) {
        TENFOLD_RETURN_IF_ERROR(graph.ReplaceAllUses(node.outputs[i], outputs[i]));
        graph.SwapNames(node.outputs[i], outputs[i]);
      }
    }
    if (!any) return absl::OkStatus();
    graph.RemoveDeadNodes();
    TENFOLD_RETURN_IF_ERROR(graph.SortTopologically());
  }
  return MakeError("E9001", "composites are nested too deeply");
}

}  // namespace tenfold
