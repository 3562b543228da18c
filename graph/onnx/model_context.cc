// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/model_context.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold::onnx {
namespace {

std::string Canonical(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

}  // namespace

ModelContext::ModelContext(const ModelProto& model, const OnnxOptions& options, std::string place,
                           TensorSource source)
    : model_(model),
      options_(options),
      place_(std::move(place)),
      source_(std::move(source)),
      opsets_(ReadOpsets(model.opset_import())) {
  for (const FunctionProto& function : model.functions())
    functions_[{Canonical(function.domain()), function.name(), function.overload()}] = &function;
}

const FunctionProto* ModelContext::FindFunction(const NodeProto& node) const {
  const auto found = functions_.find({DomainOf(node), node.op_type(), node.overload()});
  return found == functions_.end() ? nullptr : found->second;
}

const Tensor* ModelContext::FindConstant(absl::string_view input) const {
  for (const auto& [name, tensor] : options_.constants) {
    if (name == input) return &tensor;
  }
  return nullptr;
}

Dim ModelContext::DimOf(const std::string& symbol) {
  symbols_.insert(symbol);
  for (const auto& [name, dim] : options_.dims) {
    if (name == symbol) return dim;
  }
  return Dim::Symbol(symbol);
}

absl::Status ModelContext::CheckOptions(const GraphProto& graph) const {
  const auto refuse = [](absl::string_view what, const std::string& name,
                         const std::vector<std::string>& known) {
    Mend help = DidYouMean(NearestName(name, known));
    if (help.empty() && !known.empty()) help = absl::StrCat("there are ", absl::StrJoin(known, ", "));
    return MakeError("E0602", absl::StrCat("the model has no ", what, " '", Printable(name), "'"), help);
  };
  std::vector<std::string> inputs;
  for (const ValueInfoProto& input : graph.input()) inputs.push_back(Printable(input.name()));
  for (const auto& [name, tensor] : options_.constants) {
    if (std::find(inputs.begin(), inputs.end(), name) == inputs.end()) return refuse("input", name, inputs);
  }
  const std::vector<std::string> symbols(symbols_.begin(), symbols_.end());
  for (const auto& [name, dim] : options_.dims) {
    if (!symbols_.contains(name)) return refuse("size", name, symbols);
  }
  return absl::OkStatus();
}

void ModelContext::Add(const absl::Status& error) {
  for (Diagnostic& diagnostic : DiagnosticsOf(error)) {
    if (!full()) errors_.push_back(std::move(diagnostic));
  }
}

Opsets ReadOpsets(const google::protobuf::RepeatedPtrField<OperatorSetIdProto>& imports) {
  Opsets opsets;
  for (const OperatorSetIdProto& import : imports) opsets[Canonical(import.domain())] = import.version();
  opsets.try_emplace("", 1);  // files of before there were opsets
  return opsets;
}

std::string DomainOf(const NodeProto& node) { return Canonical(node.domain()); }

std::string NameOfNode(const NodeProto& node, int64_t index) {
  return node.name().empty() ? absl::StrCat("node ", index, " (", Printable(node.op_type()), ")")
                             : absl::StrCat("node '", Printable(node.name()), "'");
}

}  // namespace tenfold::onnx
