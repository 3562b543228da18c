// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/node_run.h"

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/thread_pool.h"

namespace tenfold {
namespace {

// The graph's inputs alone. Its run does nothing but look at the feeds.
absl::Status CheckFeeds(const Graph& graph, const NamedTensors& feeds, const NodeRunOptions& options) {
  Graph inputs(graph.shared_registry());
  inputs.name = graph.name;
  inputs.symbol_bounds = graph.symbol_bounds;
  inputs.contracts = graph.contracts;
  for (ValueId id : graph.inputs()) {
    const Node& node = graph.producer(id);
    TENFOLD_RETURN_IF_ERROR(
        inputs.AddNode(*node.op, {}, node.attrs, {graph.value(id).name}, node.provenance).status());
  }
  CompileOptions compile = options.compile;
  compile.fetches = {};
  TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(inputs, compile));
  return executable.Run(feeds, options.run).status();
}

// A node alone in a graph whose inputs have the extents of its operands.
struct SingleNode {
  Graph graph;
  NamedTensors feeds = {};
};

// The value in `single` that stands for operand `i`, whose value is `tensor`. What inference must know, as
// the shape of a Reshape, is a constant.
absl::StatusOr<ValueId> AddOperand(const Graph& graph, const Node& node, size_t i, const Tensor& tensor,
                                   SingleNode& single) {
  const ValueId operand = node.inputs[i];
  const bool constant = node.op->InputPort(i).known || graph.ConstantValue(operand) != nullptr;
  const OpDef& op = *graph.registry().Find(constant ? "Const" : "Input");
  Attrs attrs = constant ? Attrs{{"value", tensor}} : Attrs{{"type", tensor.type()}};
  TENFOLD_ASSIGN_OR_RETURN(const NodeId id,
                           single.graph.AddNode(op, {}, std::move(attrs), {graph.value(operand).name},
                                                graph.producer(operand).provenance));
  const ValueId value = single.graph.node(id).outputs[0];
  if (constant) return value;
  if (auto contents = ContentsOf(tensor)) single.graph.AssumeContents(value, *std::move(contents));
  single.feeds.emplace_back(single.graph.value(value).name, tensor);
  return value;
}

// `operands` are the node's, any tensor for an absent one.
absl::StatusOr<SingleNode> Isolate(const Graph& graph, const Node& node, std::span<const Tensor> operands) {
  SingleNode single{Graph(graph.shared_registry())};
  single.graph.name = graph.name;
  single.graph.limits = graph.limits;
  absl::flat_hash_map<ValueId, ValueId> added;
  Node alone;  // the node over the values of the new graph
  alone.op = node.op;
  for (size_t i = 0; i < operands.size(); ++i) {
    const ValueId operand = node.inputs[i];
    if (operand != kNoValue && !added.contains(operand)) {
      TENFOLD_ASSIGN_OR_RETURN(added[operand], AddOperand(graph, node, i, operands[i], single));
    }
    alone.inputs.push_back(operand == kNoValue ? kNoValue : added[operand]);
  }
  // Sizes that only a run knew are numbers now. Those that are left get names of their own.
  for (const auto& [name, value] : node.attrs) {
    if (name != kSymbolsAttr) alone.attrs.Set(name, value);
  }
  alone.bodies = node.bodies;
  if (node.op->Is<Control>()) {
    TENFOLD_ASSIGN_OR_RETURN(alone.bodies, RetypeBodies(single.graph, alone));
  }
  std::vector<std::string> names;
  for (ValueId output : node.outputs) names.push_back(graph.value(output).name);
  TENFOLD_ASSIGN_OR_RETURN(const NodeId id, single.graph.AddNode(*node.op, alone.inputs, alone.attrs, names,
                                                                 node.provenance, alone.bodies));
  const std::vector<ValueId>& outputs = single.graph.node(id).outputs;
  if (outputs.size() != node.outputs.size()) {
    return MakeError("E9001", absl::StrCat(node.op->name, " '", graph.DisplayName(node.outputs[0]),
                                           "' gives another number of results when it is alone"));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(single.graph.AddOutput(absl::StrCat("out", i), outputs[i]));
  }
  return single;
}

}  // namespace

absl::StatusOr<NodeRun> NodeRun::Start(const Graph& graph, const NamedTensors& feeds,
                                       NodeRunOptions options) {
  options.compile.jit = JitMode::kOff;
  // Folding would compute what has constant operands on one thread and by the reference. It has the same
  // bits, and nothing to save where everything is computed once.
  options.compile.disabled_passes = {"fold-constants", "fold-constants-of-parts"};
  if (options.compile.pool == nullptr)
    options.compile.pool = std::make_shared<ThreadPool>(options.compile.threads);
  CompileReport report;
  TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, options.compile, Stage::kChecked, report));
  NodeRun run(std::move(report.stages.back().second), std::move(options));
  TENFOLD_RETURN_IF_ERROR(CheckFeeds(run.graph_, feeds, run.options_));
  run.options_.compile.fetches = {};  // are outputs by now
  run.options_.run.warnings = nullptr;
  run.options_.run.profile = nullptr;
  run.options_.run.origins = {};

  run.readers_left_.resize(run.graph_.num_values());
  const auto read = [&](ValueId value) { ++run.readers_left_[static_cast<size_t>(value)]; };
  for (NodeId id : run.graph_.nodes()) {
    for (ValueId input : Present(run.graph_.node(id).inputs)) read(input);
  }
  for (const GraphOutput& output : run.graph_.outputs()) read(output.value);
  for (ValueId input : run.graph_.inputs()) {
    for (const auto& [name, tensor] : feeds) {
      if (name == run.graph_.value(input).name) run.values_[input] = tensor;
    }
  }
  return run;
}

const Tensor* NodeRun::Find(ValueId value) const {
  const auto it = values_.find(value);
  return it == values_.end() ? nullptr : &it->second;
}

NamedTensors NodeRun::Outputs() const {
  NamedTensors outputs;
  for (const GraphOutput& output : graph_.outputs()) {
    if (const Tensor* const tensor = Find(output.value)) outputs.emplace_back(output.name, *tensor);
  }
  return outputs;
}

absl::StatusOr<NodeId> NodeRun::Next() {
  DropUnread();
  const NodeId id = graph_.nodes()[next_];
  const Node& node = graph_.node(id);
  if (node.op->name == "Const") {
    values_[node.outputs[0]] = node.tensor();
  } else if (node.op->name != "Input") {
    TENFOLD_ASSIGN_OR_RETURN(std::vector<Tensor> results, Compute(node));
    for (size_t i = 0; i < results.size(); ++i) Hold(node.outputs[i], std::move(results[i]));
  }
  ++next_;
  for (ValueId input : Present(node.inputs)) --readers_left_[static_cast<size_t>(input)];
  return id;
}

absl::StatusOr<std::vector<Tensor>> NodeRun::Compute(const Node& node) {
  std::vector<Tensor> operands;
  for (ValueId input : node.inputs) operands.push_back(input == kNoValue ? Tensor() : values_[input]);
  TENFOLD_ASSIGN_OR_RETURN(const SingleNode single, Isolate(graph_, node, operands));
  CompileOptions compile = options_.compile;
  compile.memory_limit = std::max<int64_t>(0, compile.memory_limit - held_bytes_);
  TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(single.graph, compile));
  TENFOLD_ASSIGN_OR_RETURN(NamedTensors results, executable.Run(single.feeds, options_.run));
  std::vector<Tensor> values;
  for (auto& [name, tensor] : results) values.push_back(std::move(tensor));
  return values;
}

void NodeRun::Hold(ValueId value, Tensor tensor) {
  held_bytes_ += static_cast<int64_t>(tensor.stored_bytes());
  values_[value] = std::move(tensor);
}

// What the last node read, or gave, and nobody reads any more.
void NodeRun::DropUnread() {
  if (next_ == 0) return;
  const Node& last = graph_.node(graph_.nodes()[next_ - 1]);
  const auto drop = [&](ValueId value) {
    const auto it = values_.find(value);
    if (it == values_.end() || readers_left_[static_cast<size_t>(value)] > 0) return;
    if (!graph_.producer(value).op->Is<Source>())
      held_bytes_ -= static_cast<int64_t>(it->second.stored_bytes());
    values_.erase(it);
  };
  for (ValueId input : Present(last.inputs)) drop(input);
  for (ValueId output : last.outputs) drop(output);
}

}  // namespace tenfold
