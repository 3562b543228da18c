// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/group.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

bool IsScalarConstant(const Graph& graph, ValueId id) {
  const Tensor* tensor = graph.ConstantValue(id);
  return tensor != nullptr &&
         (tensor->num_elements() == 1 || (tensor->is_splat() && tensor->num_elements() > 0));
}

absl::StatusOr<GroupBody> MakeGroupBody(const Graph& graph, std::span<const NodeId> members,
                                        const std::vector<std::vector<NodeId>>& readers) {
  GroupBody group;
  Graph body(graph.shared_registry());
  body.limits = graph.limits;
  body.name = graph.DisplayName(members.back());
  const absl::flat_hash_set<NodeId> inside(members.begin(), members.end());
  absl::flat_hash_map<ValueId, ValueId> mapped;
  const auto import = [&](ValueId id, bool is_shape) -> absl::Status {
    if (mapped.contains(id)) return absl::OkStatus();
    const ValueInfo& value = graph.value(id);
    const bool constant = IsScalarConstant(graph, id) || (is_shape && graph.ConstantValue(id) != nullptr);
    const OpDef& op = *graph.registry().Find(constant ? "Const" : "Input");
    Attrs attrs = constant ? graph.producer(id).attrs : Attrs{{"type", value.type}};
    TENFOLD_ASSIGN_OR_RETURN(
        NodeId copy, body.AddNode(op, {}, std::move(attrs), {constant ? "" : graph.DisplayName(id)}, {}));
    mapped[id] = body.node(copy).outputs[0];
    if (!constant) group.inputs.push_back(id);
    return absl::OkStatus();
  };
  for (NodeId id : members) {
    const Node& node = graph.node(id);
    std::vector<ValueId> operands;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (input == kNoValue) {
        operands.push_back(kNoValue);
        continue;
      }
      // What inference must know of a movement, its starts or its shape, the body has to say, too.
      const bool is_shape = node.bodies.empty() && node.op->InputPort(i).known;
      TENFOLD_RETURN_IF_ERROR(import(input, is_shape));
      operands.push_back(mapped[input]);
    }
    std::vector<std::string> names;
    for (ValueId output : node.outputs) names.push_back(graph.DisplayName(output));
    TENFOLD_ASSIGN_OR_RETURN(NodeId copy, body.AddNode(*node.op, std::move(operands), node.attrs,
                                                       std::move(names), node.provenance, node.bodies));
    for (size_t i = 0; i < node.outputs.size(); ++i) mapped[node.outputs[i]] = body.node(copy).outputs[i];
  }
  for (NodeId id : members) {
    for (ValueId output : graph.node(id).outputs) {
      const std::vector<NodeId>& who = readers[static_cast<size_t>(output)];
      const bool read_outside =
          std::any_of(who.begin(), who.end(), [&](NodeId r) { return !inside.contains(r); });
      const bool fetched = std::any_of(graph.outputs().begin(), graph.outputs().end(),
                                       [&](const GraphOutput& o) { return o.value == output; });
      if (!read_outside && !fetched) continue;
      group.outputs.push_back(output);
      TENFOLD_RETURN_IF_ERROR(body.AddOutput(graph.DisplayName(output), mapped[output]));
    }
  }
  group.body = std::make_shared<const Graph>(std::move(body));
  return group;
}

}  // namespace tenfold
