// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/ensure_shapes.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// "b 'y'".
std::string DescribeOperand(const Graph& graph, const Node& node, int input) {
  const std::string& name = graph.value(node.inputs[input]).name;
  return absl::StrCat(node.op->InputPort(input).name, name.empty() ? "" : absl::StrCat(" '", name, "'"));
}

// Nobody wants to read more of one node.
constexpr int kMostDescribed = 8;

// The shapes that operands are taken as, by their places, and what that assumes as text.
struct Taken {
  std::map<int, std::vector<Dim>> shapes;
  std::string text;
};

absl::StatusOr<Taken> TakenShapes(const Graph& graph, const Node& node) {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<SizeAssumption> assumptions, AssumptionsOf(graph, node));
  Taken taken;
  int described = 0;
  for (const SizeAssumption& assumption : assumptions) {
    if (assumption.input < 0) continue;
    const Shape& shape = graph.value(node.inputs[assumption.input]).type.shape;
    const auto dims = taken.shapes.try_emplace(assumption.input, shape.dims()).first;
    dims->second[assumption.dim] = assumption.must;
    if (described++ == kMostDescribed) taken.text += "; ...";
    if (described > kMostDescribed) continue;
    absl::StrAppend(&taken.text, taken.text.empty() ? "" : "; ", assumption.what, ", ",
                    assumption.is.ToString(), ", is ", assumption.must.ToString());
  }
  return taken;
}

}  // namespace

absl::Status EnsureShapes(PassContext& context, Graph& graph) {
  const OpDef& ensure = *graph.registry().Find("EnsureShape");
  const std::vector<NodeId> order = graph.nodes();
  bool any = false;
  for (NodeId id : order) {
    const Node node = graph.node(id);
    if (node.op->Is<Source>()) continue;
    TENFOLD_ASSIGN_OR_RETURN(Taken taken, TakenShapes(graph, node));
    if (taken.shapes.empty()) continue;
    any = true;
    std::vector<ValueId> operands = node.inputs;
    for (auto& [input, dims] : taken.shapes) {
      const ValueId operand = node.inputs[input];
      Attrs attrs = {{"type", TensorType{graph.value(operand).type.dtype, Shape(std::move(dims))}},
                     {"reader", PassContext::Describe(graph, id)},
                     {"operand", DescribeOperand(graph, node, input)}};
      TENFOLD_ASSIGN_OR_RETURN(const NodeId added,
                               graph.AddNode(ensure, {operand}, std::move(attrs),
                                             {absl::StrCat(graph.DisplayName(operand), ".ensured")},
                                             graph.MergedProvenance(id, std::span(&id, 1))));
      operands[input] = graph.node(added).outputs[0];
    }
    TENFOLD_RETURN_IF_ERROR(graph.SetBodies(id, std::move(operands), node.attrs, node.bodies));
    context.Did(PassContext::Describe(graph, id), absl::StrCat("a run checks that ", taken.text));
  }
  return any ? graph.SortTopologically() : absl::OkStatus();
}

}  // namespace tenfold
