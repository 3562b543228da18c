// SPDX-License-Identifier: Apache-2.0
//
// Inference of nodes where they stand: their operands, bodies and the symbols of the graph.
#include "tenfold/graph/graph_inference.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

size_t Index(ValueId id) { return static_cast<size_t>(id); }
size_t Index(NodeId id) { return static_cast<size_t>(id); }

// A fused node's types are its body's.
absl::StatusOr<std::vector<InferResult>> InferFused(const Bodies& bodies,
                                                    std::span<const InferInput> inputs) {
  if (bodies.size() != 1 || bodies[0]->inputs().size() != inputs.size()) {
    return MakeError("E9001", "a fused node's body does not take the node's inputs");
  }
  const Graph& body = *bodies[0];
  if (body.outputs().empty()) return MakeError("E9001", "a fused node's body has no outputs");
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorType& declared = body.value(body.inputs()[i]).type;
    if (declared != inputs[i].type) {
      return MakeError("E9001", absl::StrCat("a fused node's body declares ", declared.ToString(),
                                             " for an input of ", inputs[i].type.ToString()));
    }
  }
  std::vector<InferResult> results;
  for (const GraphOutput& output : body.outputs()) {
    results.push_back({body.value(output.value).type, body.value(output.value).contents, {}});
  }
  return results;
}

std::vector<InferInput> InferInputs(const Graph& graph, std::span<const ValueId> inputs) {
  std::vector<InferInput> infer_inputs;
  infer_inputs.reserve(inputs.size());
  for (ValueId id : inputs) {
    InferInput& input = infer_inputs.emplace_back();
    input.absent = id == kNoValue;
    if (input.absent) continue;
    const ValueInfo& v = graph.value(id);
    input = {v.type, v.contents, v.name, graph.DescribeOrigin(id)};
    input.constant = graph.ConstantValue(id);
  }
  return infer_inputs;
}

// The symbols that the types name.
void CollectSymbols(const std::vector<InferResult>& results, std::vector<std::string>& out) {
  for (const InferResult& result : results) {
    if (!result.type.shape.has_rank()) continue;
    for (const Dim& dim : result.type.shape.dims()) dim.CollectSymbols(out);
  }
}

}  // namespace

absl::StatusOr<std::vector<InferResult>> InferInGraph(const Graph& graph, const OpDef& op,
                                                      absl::string_view name, std::span<const ValueId> inputs,
                                                      Attrs& attrs, const Bodies& bodies,
                                                      std::vector<SizeAssumption>* assumptions) {
  std::vector<SizeAssumption> unwanted;
  const std::vector<InferInput> infer_inputs = InferInputs(graph, inputs);
  if (op.NumBodies() != bodies.size()) {
    return MakeError("E9001", absl::StrCat(op.name, " has ", bodies.size(), " bodies, not ", op.NumBodies()));
  }
  if (op.Is<FusedBody>()) return InferFused(bodies, infer_inputs);
  absl::flat_hash_set<std::string> given;
  const auto fresh = [&](const std::string& hint) {
    std::string symbol = graph.FreshSymbol(hint);
    for (int i = 1; !given.insert(symbol).second; ++i) symbol = graph.FreshSymbol(absl::StrCat(hint, "_", i));
    return symbol;
  };
  return InferNode(op, std::string(name), infer_inputs, attrs,
                   {bodies, fresh, assumptions == nullptr ? &unwanted : assumptions});
}

absl::Status Graph::TakeSymbols(const OpDef& op, const Attrs& attrs,
                                const std::vector<InferResult>& results) {
  const std::vector<std::string> own = op.FindAttr(kSymbolsAttr) == nullptr
                                           ? std::vector<std::string>()
                                           : attrs.Get<std::vector<std::string>>(kSymbolsAttr);
  for (const std::string& symbol : own) {
    if (!symbols_.contains(symbol)) continue;
    return MakeError("E0210",
                     absl::StrCat("the attribute 'symbols' of ", op.name, " names ", symbol,
                                  ", which is the size of something else already"),
                     "leave the attribute out, and names are found");
  }
  std::vector<std::string> named;
  CollectSymbols(results, named);
  if (op.Is<Source>()) {
    for (const std::string& symbol : named) {
      if (!run_time_symbols_.contains(symbol)) continue;
      return MakeError("E0210",
                       absl::StrCat("the symbol ", symbol,
                                    " is a size that only a run knows, and an input "
                                    "cannot declare it"),
                       "give the input's size another name");
    }
  }
  symbols_.insert(named.begin(), named.end());
  run_time_symbols_.insert(own.begin(), own.end());
  return absl::OkStatus();
}

std::string Graph::FreshSymbol(const std::string& hint) const {
  const auto used = [&](const std::string& symbol) {
    for (const Graph* graph = this; graph != nullptr; graph = graph->enclosing_) {
      if (graph->symbols_.contains(symbol)) return true;
    }
    return false;
  };
  std::string symbol = hint;
  for (int64_t i = 1; used(symbol); ++i) symbol = absl::StrCat(hint, "_", i);
  return symbol;
}

absl::Status Graph::SetInputType(ValueId input, TensorType type, std::optional<Contents> contents) {
  ValueInfo& info = values_[Index(input)];
  const OpDef& op = *node(info.producer).op;
  TENFOLD_RETURN_IF_ERROR(TakeSymbols(op, {}, {{type, std::nullopt, {}}}));
  auto copy = std::make_shared<Node>(node(info.producer));
  copy->attrs.Set("type", type);
  nodes_[Index(info.producer)] = std::move(copy);
  info.type = std::move(type);
  info.contents = std::move(contents);
  ++mutation_count_;
  return absl::OkStatus();
}

absl::Status Graph::Reinfer() {
  for (NodeId id : order_) {
    const Node& old = node(id);
    if (old.op->Is<Source>()) continue;
    Attrs attrs = old.attrs;
    Bodies bodies = old.bodies;
    const std::string& location = old.provenance.location;
    if (old.op->Is<Control>()) {
      absl::StatusOr<Bodies> retyped = RetypeBodies(*this, old);
      if (!retyped.ok()) return WithLocation(retyped.status(), location);
      bodies = *std::move(retyped);
    }
    absl::StatusOr<std::vector<InferResult>> results =
        InferInGraph(*this, *old.op, DisplayName(id), old.inputs, attrs, bodies);
    if (!results.ok()) return WithLocation(results.status(), location);
    if (results->size() != old.outputs.size()) {
      return WithLocation(
          MakeError("E0212", absl::StrCat(old.op->name, " '", DisplayName(id), "' would give ",
                                          results->size(), " results instead of ", old.outputs.size())),
          location);
    }
    for (size_t i = 0; i < results->size(); ++i) {
      ValueInfo& info = values_[Index(old.outputs[i])];
      info.type = std::move((*results)[i].type);
      info.contents = std::move((*results)[i].contents);
    }
    std::vector<std::string> named;
    CollectSymbols(*results, named);
    symbols_.insert(named.begin(), named.end());
    if (old.op->FindAttr(kSymbolsAttr) != nullptr) {
      for (std::string& symbol : attrs.Get<std::vector<std::string>>(kSymbolsAttr))
        run_time_symbols_.insert(std::move(symbol));
    }
    if (attrs == old.attrs && bodies == old.bodies) continue;
    auto copy = std::make_shared<Node>(old);
    copy->attrs = std::move(attrs);
    copy->bodies = std::move(bodies);
    nodes_[Index(id)] = std::move(copy);
  }
  ++mutation_count_;
  return absl::OkStatus();
}

absl::Status Graph::SetBodies(NodeId id, std::vector<ValueId> inputs, Attrs attrs, Bodies bodies) {
  auto copy = std::make_shared<Node>(node(id));
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<InferResult> results,
                           InferInGraph(*this, *copy->op, DisplayName(id), inputs, attrs, bodies));
  bool same = results.size() == copy->outputs.size();
  for (size_t i = 0; same && i < results.size(); ++i) same = results[i].type == value(copy->outputs[i]).type;
  if (!same) return MakeError("E9001", absl::StrCat("'", DisplayName(id), "' would change its types"));
  for (ValueId input : Present(inputs)) users_[Index(input)].push_back(id);
  for (const auto& body : bodies) depth_ = std::max(depth_, body->depth() + 1);
  copy->inputs = std::move(inputs);
  copy->attrs = std::move(attrs);
  copy->bodies = std::move(bodies);
  nodes_[Index(id)] = std::move(copy);
  ++mutation_count_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SizeAssumption>> AssumptionsOf(const Graph& graph, const Node& node) {
  Attrs attrs = node.attrs;
  std::vector<SizeAssumption> assumptions;
  TENFOLD_RETURN_IF_ERROR(InferInGraph(graph, *node.op, graph.DisplayName(node.outputs[0]), node.inputs,
                                       attrs, node.bodies, &assumptions)
                              .status());
  return assumptions;
}

absl::StatusOr<std::vector<Layout>> LayoutsOf(const Graph& graph, const Node& node) {
  Attrs attrs = node.attrs;
  TENFOLD_ASSIGN_OR_RETURN(
      std::vector<InferResult> results,
      InferInGraph(graph, *node.op, graph.DisplayName(node.outputs[0]), node.inputs, attrs, {}));
  std::vector<Layout> layouts;
  for (InferResult& result : results) layouts.push_back(std::move(result.layout));
  return layouts;
}

}  // namespace tenfold
