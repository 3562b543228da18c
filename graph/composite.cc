// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/composite.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold {
namespace {

// The op between unpacking and packing.
absl::StatusOr<Graph> ExpandPacked(const Graph& graph, const Node& node, std::span<const InferInput> inputs) {
  GraphBuilder builder(node.op->name, graph.shared_registry(), graph.limits);
  std::vector<Value> values(inputs.size());
  std::vector<Operand> operands;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].absent) {
      operands.emplace_back(std::nullopt);
      continue;
    }
    const TensorType& type = inputs[i].type;
    values[i] = builder.Input(absl::StrCat("in", i), type.dtype, type.shape);
    if (inputs[i].contents) builder.AssumeContents(values[i], *inputs[i].contents);
    if (IsPacked(type.dtype)) {
      values[i] = builder.Apply("UnpackElements", {values[i]}, {{"to", UnpackedType(type.dtype)}});
    }
    operands.emplace_back(values[i]);
  }
  Values results;
  if (node.op->packed != nullptr) {
    results = Values({node.op->packed(values, node.attrs)}, Value());
  } else {
    results = builder.ApplyMulti(node.op->name, operands, node.attrs);
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const DType declared = graph.value(node.outputs[i]).type.dtype;
    Value result = results[i];
    if (IsPacked(declared)) result = builder.Apply("PackElements", {result}, {{"to", declared}});
    builder.Output(absl::StrCat("out", i), result);
  }
  return std::move(builder).Build();
}

}  // namespace

bool IsComposite(const Graph& graph, const Node& node) {
  if (node.op->Is<Composite>()) return true;
  const bool reads_elements =
      node.op->Is<Elementwise>() || node.op->Is<Movement>() || node.op->Is<HostKernel>();
  if (!reads_elements || node.op->is_internal) return false;
  const auto is_packed = [&](ValueId id) { return IsPacked(graph.value(id).type.dtype); };
  for (ValueId input : Present(node.inputs)) {
    if (is_packed(input)) return true;
  }
  return std::any_of(node.outputs.begin(), node.outputs.end(), is_packed);
}

absl::StatusOr<Graph> ExpandComposite(const Graph& graph, const Node& node,
                                      std::span<const InferInput> inputs) {
  const auto* composite = std::get_if<Composite>(&node.op->computation);
  if (composite == nullptr && IsComposite(graph, node)) return ExpandPacked(graph, node, inputs);
  if (composite == nullptr) return MakeError("E9001", absl::StrCat(node.op->name, " is not a composite"));
  GraphBuilder builder(node.op->name, graph.shared_registry(), graph.limits);
  std::vector<Value> values(std::max(inputs.size(), node.op->inputs.size()));
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].absent) continue;
    const TensorType& type = inputs[i].type;
    values[i] = builder.Input(absl::StrCat("in", i), type.dtype, type.shape);
    if (inputs[i].contents) builder.AssumeContents(values[i], *inputs[i].contents);
    if (IsHalf(type.dtype) && !composite->only_moves) {
      values[i] = builder.Apply("Cast", {values[i]}, {{"to", DType::kF32}});
    }
  }
  std::vector<Value> results = composite->build != nullptr
                                   ? std::vector<Value>{composite->build(values, node.attrs)}
                                   : composite->build_several(values, node.attrs);
  if (results.size() != node.outputs.size()) {
    return MakeError("E9001", absl::StrCat(node.op->name, " is built with ", results.size(), " results of ",
                                           node.outputs.size()));
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const DType declared = graph.value(node.outputs[i]).type.dtype;
    if (IsHalf(declared) && !composite->only_moves) {
      results[i] = builder.Apply("Cast", {results[i]}, {{"to", declared}});
    }
    builder.Output(absl::StrCat("out", i), results[i]);
  }
  return std::move(builder).Build();
}

absl::StatusOr<Graph> ExpandComposite(const Graph& graph, const Node& node) {
  std::vector<InferInput> inputs;
  for (ValueId id : node.inputs) {
    InferInput& input = inputs.emplace_back();
    input.absent = id == kNoValue;
    if (!input.absent) input.type = graph.value(id).type, input.contents = graph.value(id).contents;
  }
  return ExpandComposite(graph, node, inputs);
}

}  // namespace tenfold
