// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/inline_graph.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

absl::StatusOr<std::vector<ValueId>> InlineGraph(Graph& graph, const Graph& body,
                                                 const std::vector<ValueId>& inputs,
                                                 const std::string& prefix, const Provenance* provenance) {
  absl::flat_hash_map<ValueId, ValueId> mapped;
  size_t next = 0;
  for (ValueId input : Present(inputs)) mapped[body.inputs()[next++]] = input;
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    if (node.op->name == "Input") continue;
    // It names sizes by symbols of the body; what is assumed here will be found anew.
    if (node.op->name == "EnsureShape") {
      mapped[node.outputs[0]] = mapped[node.inputs[0]];
      continue;
    }
    Node copy = node;
    for (ValueId& input : copy.inputs) input = input == kNoValue ? kNoValue : mapped[input];
    std::vector<std::string> names;
    for (ValueId output : node.outputs) {
      const std::string& name = body.value(output).name;
      names.push_back(name.empty() ? "" : absl::StrCat(prefix, "/", name));
    }
    if (copy.op->FindAttr(kSymbolsAttr) != nullptr) copy.attrs.Set(kSymbolsAttr, std::vector<std::string>());
    if (copy.op->Is<Control>()) {
      TENFOLD_ASSIGN_OR_RETURN(copy.bodies, RetypeBodies(graph, copy));
    }
    TENFOLD_ASSIGN_OR_RETURN(
        const NodeId added,
        graph.AddNode(*copy.op, std::move(copy.inputs), std::move(copy.attrs), std::move(names),
                      provenance == nullptr ? node.provenance : *provenance, std::move(copy.bodies)));
    for (size_t i = 0; i < node.outputs.size(); ++i) mapped[node.outputs[i]] = graph.node(added).outputs[i];
  }
  std::vector<ValueId> outputs;
  for (const GraphOutput& output : body.outputs()) outputs.push_back(mapped[output.value]);
  return outputs;
}

}  // namespace tenfold
