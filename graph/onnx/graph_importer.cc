// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/graph_importer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/onnx/node_order.h"
#include "tenfold/graph/onnx/op_table.h"

namespace tenfold::onnx {
namespace {

// A name in a graph is text of bounded length.
std::string NameOf(const std::string& name, const Limits& limits) {
  return Printable(name, static_cast<size_t>(std::max<int64_t>(limits.name_bytes - 64, 64)));
}

// Says which op of the model it was, which may not be the op that refused.
absl::Status AtNode(const absl::Status& error, const NodeProto& node, int64_t opset,
                    const std::string& place) {
  return WithLocation(
      WithNote(error, absl::StrCat("in the model it is ", Printable(node.op_type()), " of opset ", opset)),
      place);
}

absl::StatusOr<Tensor> ValueOfConstant(const AttributeProto& attribute, const TensorSource& source) {
  if (attribute.name() == "value") return ReadTensor(attribute.t(), source);
  if (attribute.name() == "value_int") return LiteralToTensor(int64_t{attribute.i()}, DType::kI64);
  if (attribute.name() == "value_float") return Tensor::Scalar(attribute.f());
  if (attribute.name() == "value_ints") {
    return LiteralToTensor(std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end()),
                           DType::kI64);
  }
  const std::vector<float> values(attribute.floats().begin(), attribute.floats().end());
  return Tensor::FromVector(values, Dims{static_cast<int64_t>(values.size())});
}

}  // namespace

GraphImporter::GraphImporter(ModelContext& context, const GraphProto& proto, GraphImporter* outer)
    : context_(context), proto_(proto), outer_(outer), graph_(context.options().registry) {
  graph_.limits = context.limits();
  graph_.name = proto.name().empty() ? "main" : NameOf(proto.name(), context.limits());
  Scope scope;
  scope.opsets = context.opsets();
  if (outer != nullptr) {
    graph_.SetEnclosing(&outer->graph_);
    scope.opsets = outer->scope().opsets;
    scope.attributes = outer->scope().attributes;
  }
  scopes_.push_back(std::move(scope));
}

Graph GraphImporter::Import() && {
  AddInitializers(proto_);
  AddInputs();
  ImportNodes(proto_.node());
  AddOutputs();
  return std::move(graph_);
}

bool GraphImporter::Define(const std::string& name, Binding binding) {
  if (scope().names.emplace(name, std::move(binding)).second) return true;
  context_.Add(WithLocation(
      MakeError("E0908", absl::StrCat("the model defines '", Printable(name), "' twice")), context_.place()));
  return false;
}

void GraphImporter::AddInitializers(const GraphProto& graph) {
  for (const TensorProto& tensor : graph.initializer()) {
    auto constant = std::make_shared<ModelConstant>();
    constant->proto = &tensor;
    constant->name = ValueName(tensor.name());
    constant->provenance = {
        context_.place(), absl::StrCat(context_.place(), ": ", Printable(tensor.name())), {}};
    Define(tensor.name(), {.value = kNoValue, .constant = std::move(constant)});
  }
}

void GraphImporter::AddInputs() {
  for (const ValueInfoProto& input : proto_.input()) {
    // Early files list initializers as inputs, too: their values could be fed instead.
    const auto known = scope().names.find(input.name());
    if (known != scope().names.end() && known->second.constant != nullptr) continue;
    AddInput(input);
  }
}

void GraphImporter::AddInput(const ValueInfoProto& input) {
  const std::string name = ValueName(input.name());
  const auto fail = [&](const absl::Status& error) {
    context_.Add(WithLocation(WithNote(error, absl::StrCat("the input '", Printable(input.name()), "'")),
                              context_.place()));
    scope().names.emplace(input.name(), Binding());
  };
  const Provenance provenance = {context_.place(), "", {}};
  if (const Tensor* const given = context_.FindConstant(input.name())) {
    const std::optional<DType> declared = DTypeOf(input.type().tensor_type().elem_type());
    if (declared && *declared != given->dtype()) {
      return fail(MakeError("E0604", absl::StrCat("the model says ", Name(*declared),
                                                  ", but the constant is ", given->type().ToString())));
    }
    auto constant = std::make_shared<ModelConstant>();
    constant->tensor = *given;
    constant->name = name;
    constant->provenance = provenance;
    Define(input.name(), {.value = kNoValue, .constant = std::move(constant)});
    return;
  }
  const absl::StatusOr<TensorType> type = ReadType(
      input.type(), name, context_.limits(), [&](const std::string& dim) { return context_.DimOf(dim); });
  if (!type.ok()) return fail(type.status());
  const absl::StatusOr<NodeId> node =
      graph_.AddNode(*graph_.registry().Find("Input"), {}, {{"type", *type}}, {name}, provenance);
  if (!node.ok()) return fail(node.status());
  Define(input.name(), {.value = graph_.node(*node).outputs[0]});
}

void GraphImporter::AddGivenInputs(const std::vector<TensorType>& given) {
  for (size_t i = 0; i < given.size(); ++i) {
    const std::string& name = proto_.input(static_cast<int>(i)).name();
    const absl::StatusOr<NodeId> node =
        graph_.AddNode(*graph_.registry().Find("Input"), {}, {{"type", given[i]}}, {ValueName(name)},
                       {context_.place(), "", {}});
    if (!node.ok()) {
      context_.Add(WithLocation(node.status(), context_.place()));
      scope().names.emplace(name, Binding());
      continue;
    }
    Define(name, {.value = graph_.node(*node).outputs[0]});
  }
}

void GraphImporter::AddOutputs() {
  for (const ValueInfoProto& output : proto_.output()) AddOutput(output.name());
}

void GraphImporter::AddOutput(const std::string& name) {
  absl::StatusOr<std::optional<ValueId>> value = Read(name);
  if (value.ok() && !*value) return;
  absl::Status status = value.status();
  if (status.ok()) {
    std::string unique = NameOf(name, context_.limits());
    // A body may give a value twice, and its results have no names outside.
    const auto taken = [&] {
      return std::any_of(graph_.outputs().begin(), graph_.outputs().end(),
                         [&](const GraphOutput& output) { return output.name == unique; });
    };
    while (outer_ != nullptr && taken()) absl::StrAppend(&unique, ".again");
    status = graph_.AddOutput(unique, **value);
  }
  if (!status.ok()) context_.Add(WithLocation(status, context_.place()));
}

std::string GraphImporter::ValueName(const std::string& name) const {
  return name.empty() ? "" : NameOf(absl::StrCat(scope().prefix, name), context_.limits());
}

// --- Names ---

GraphImporter::Binding* GraphImporter::FindHere(const std::string& name) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    const auto found = scope->names.find(name);
    if (found != scope->names.end()) return &found->second;
    if (!scope->sees_around) break;
  }
  return nullptr;
}

bool GraphImporter::SeesOuter() const {
  return outer_ != nullptr && std::all_of(scopes_.begin() + 1, scopes_.end(),
                                          [](const Scope& scope) { return scope.sees_around; });
}

const GraphImporter::Binding* GraphImporter::Find(const std::string& name) {
  if (const Binding* const here = FindHere(name)) return here;
  return SeesOuter() ? outer_->Find(name) : nullptr;
}

absl::StatusOr<std::optional<ValueId>> GraphImporter::Read(const std::string& name) {
  if (Binding* const here = FindHere(name)) return Place(*here);
  const Binding* const outer = SeesOuter() ? outer_->Find(name) : nullptr;
  if (outer == nullptr) {
    return MakeError(
        "E0908",
        absl::StrCat("reads '", Printable(name), "', which nothing gives, or only what follows from it"),
        "a graph has no cycles; onnx.checker.check_model says more");
  }
  if (outer->constant != nullptr) {
    // A small one is a constant here, too, so that types may follow from it.
    constexpr size_t kSmall = 1024;
    Binding& own = scope().names[name];
    own = Binding{.value = kNoValue, .constant = outer->constant};
    if (own.constant->proto == nullptr && own.constant->tensor.stored_bytes() <= kSmall) return Place(own);
    TENFOLD_ASSIGN_OR_RETURN(const std::optional<ValueId> read, outer_->Read(name));
    if (!read) return std::optional<ValueId>();
    if (own.constant->tensor.stored_bytes() <= kSmall) return Place(own);
    own.constant = nullptr;
    TENFOLD_ASSIGN_OR_RETURN(const std::optional<ValueId> captured, Capture(*read));
    scope().names[name].value = captured.value_or(kNoValue);
    return captured;
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::optional<ValueId> value, outer_->Read(name));
  if (!value) return std::optional<ValueId>();
  return Capture(*value);
}

absl::StatusOr<std::optional<ValueId>> GraphImporter::Place(Binding& binding) {
  if (binding.value != kNoValue) return std::optional(binding.value);
  if (binding.constant == nullptr || binding.constant->failed) return std::optional<ValueId>();
  ModelConstant& constant = *binding.constant;
  if (constant.proto != nullptr) {
    absl::StatusOr<Tensor> tensor = ReadTensor(*constant.proto, context_.source());
    constant.proto = nullptr;
    if (!tensor.ok()) {
      constant.failed = true;
      return tensor.status();
    }
    constant.tensor = *std::move(tensor);
  }
  TENFOLD_ASSIGN_OR_RETURN(const NodeId node,
                           graph_.AddNode(*graph_.registry().Find("Const"), {}, {{"value", constant.tensor}},
                                          {constant.name}, constant.provenance));
  binding.value = graph_.node(node).outputs[0];
  return std::optional(binding.value);
}

absl::StatusOr<std::optional<ValueId>> GraphImporter::Capture(ValueId outer) {
  if (const auto known = captures_.find(outer); known != captures_.end()) return std::optional(known->second);
  TENFOLD_ASSIGN_OR_RETURN(const ValueId input, AddCapturedInput(graph_, outer_->graph_, outer));
  captured_.push_back(outer);
  captures_[outer] = input;
  return std::optional(input);
}

void GraphImporter::Bind(const NodeProto& node, const std::vector<ValueId>& outputs) {
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const bool given = static_cast<size_t>(i) < outputs.size();
    Define(node.output(i), {.value = given ? outputs[i] : kNoValue});
  }
}

const AttributeProto* GraphImporter::FindAttribute(const NodeProto& node, absl::string_view name) const {
  for (const AttributeProto& attribute : node.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.ref_attr_name().empty()) return &attribute;
    const auto given = scope().attributes.find(attribute.ref_attr_name());
    return given == scope().attributes.end() ? nullptr : given->second;
  }
  return nullptr;
}

// --- Nodes ---

void GraphImporter::ImportNodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes) {
  for (const int index : OrderNodes(nodes)) {
    if (context_.full()) return;
    if (++context_.nodes > context_.limits().nodes) {
      if (context_.nodes > context_.limits().nodes + 1) return;  // said already
      context_.Add(WithLocation(MakeError("E0402",
                                          absl::StrCat("the model has more than ", context_.limits().nodes,
                                                       " nodes, with those of its functions"),
                                          RaiseLimitHelp("nodes", 2 * context_.limits().nodes)),
                                context_.place()));
      return;
    }
    ImportNode(nodes[index], index);
  }
}

void GraphImporter::ImportNode(const NodeProto& node, int64_t index) {
  const std::string place = absl::StrCat(context_.place(), ": ", scope().prefix, NameOfNode(node, index));
  const size_t depth = scopes_.size();
  const absl::Status status = TryNode(node, place);
  if (status.ok()) return;
  scopes_.resize(depth);
  context_.Add(AtNode(status, node, scope().opsets.at(""), place));
  for (const std::string& name : node.output()) {
    if (!name.empty()) scope().names.emplace(name, Binding());
  }
}

absl::Status GraphImporter::TryNode(const NodeProto& node, const std::string& place) {
  if (const FunctionProto* const function = context_.FindFunction(node)) return CallFunction(*function, node);
  if (node.op_type() == "Constant") return AddConstant(node, place);
  const int64_t opset = scope().opsets.at("");
  const OpImport import = FindOp(node.op_type(), opset, graph_.registry());
  if (import.op == nullptr) return MakeError("E9001", "an op that nobody knows was not refused");
  if (node.input_size() > context_.limits().node_values ||
      node.output_size() > context_.limits().node_values) {
    const int64_t count = std::max(node.input_size(), node.output_size());
    return MakeError("E0402",
                     absl::StrCat("the node has ", count, " inputs or outputs; the limit is ",
                                  context_.limits().node_values),
                     RaiseLimitHelp("node_values", count));
  }

  std::vector<ValueId> inputs;
  bool poison = false;
  for (const std::string& name : node.input()) {
    const Binding* const known = name.empty() ? nullptr : Find(name);
    if (name.empty() || (known != nullptr && known->absent)) {
      inputs.push_back(kNoValue);
      continue;
    }
    TENFOLD_ASSIGN_OR_RETURN(const std::optional<ValueId> value, Read(name));
    poison = poison || !value;
    inputs.push_back(value.value_or(kNoValue));
  }
  if (poison) {
    Bind(node, {});
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  for (const std::string& name : node.output()) names.push_back(ValueName(name));
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  if (inputs.empty() && !import.op->inputs.empty() && import.op->InputPort(0).arity == Arity::kRequired)
    return MakeError("E0103", absl::StrCat(import.op->name, " has no inputs"));

  NodeDraft draft(
      {graph_, folded_}, node, opset, names, {place, "", {}},
      [&](absl::string_view name) { return FindAttribute(node, name); }, context_.source());
  draft.inputs = inputs;
  const auto refuse = [&](const absl::Status& error) {
    NoteNeeded(error, import, inputs);
    return error;
  };
  if (const absl::Status status = Translate(import, draft); !status.ok()) return refuse(status);
  if (import.op->Is<Control>()) {
    if (const GraphProto* const branch = KnownBranch(*import.op, node, draft))
      return InlineBranch(*branch, node);
    TENFOLD_ASSIGN_OR_RETURN(const bool complete, AddBodies(*import.op, node, draft));
    if (!complete) {
      Bind(node, {});
      return absl::OkStatus();
    }
  }
  absl::StatusOr<std::vector<ValueId>> outputs = draft.Finish();
  if (!outputs.ok()) return refuse(outputs.status());
  for (size_t i = 0; i < std::min(names.size(), outputs->size()); ++i) {
    if (!names[i].empty() && graph_.value((*outputs)[i]).name != names[i] && !graph_.FindValue(names[i]))
      TENFOLD_RETURN_IF_ERROR(graph_.Rename((*outputs)[i], names[i]));
  }
  for (size_t i = outputs->size(); i < names.size(); ++i) {
    if (names[i].empty()) continue;
    return MakeError("E0103", absl::StrCat(import.op->name, " gives ", CountText(outputs->size(), "result"),
                                           ", but the model names ", names.size()));
  }
  Bind(node, *outputs);
  return absl::OkStatus();
}

absl::Status GraphImporter::AddConstant(const NodeProto& node, const std::string& place) {
  if (node.output_size() != 1 || node.attribute_size() != 1)
    return MakeError("E0908", "a Constant has one attribute, its value, and one output");
  const AttributeProto* const attribute = FindAttribute(node, node.attribute(0).name());
  if (attribute == nullptr)
    return MakeError("E0904",
                     absl::StrCat("the attribute '", Printable(node.attribute(0).name()), "' is missing"));
  AttributeProto named;  // of a function's attribute the value has another name
  const AttributeProto* value = attribute;
  if (attribute->name() != node.attribute(0).name()) {
    named = *attribute;
    named.set_name(node.attribute(0).name());
    value = &named;
  }
  auto constant = std::make_shared<ModelConstant>();
  TENFOLD_ASSIGN_OR_RETURN(constant->tensor, ValueOfConstant(*value, context_.source()));
  constant->name = ValueName(node.output(0));
  constant->provenance = {place, absl::StrCat(context_.place(), ": ", Printable(node.output(0))), {}};
  Define(node.output(0), {.value = kNoValue, .constant = std::move(constant)});
  return absl::OkStatus();
}

// --- Which inputs must be constants ---

void GraphImporter::NoteNeeded(const absl::Status& error, const OpImport& import,
                               const std::vector<ValueId>& operands) {
  if (context_.options().needed_constants == nullptr) return;
  const auto is_attribute = [&](size_t input) {
    if (import.row == nullptr) return false;
    return std::any_of(import.row->to_attrs.begin(), import.row->to_attrs.end(),
                       [&](const InputToAttr& move) { return move.input == input; });
  };
  std::vector<ValueId> open;
  for (size_t i = 0; i < operands.size() && !import.op->inputs.empty(); ++i) {
    const bool known = import.op->InputPort(i).known || is_attribute(i);
    if (known && operands[i] != kNoValue) open.push_back(operands[i]);
  }
  const std::string code = DiagnosticsOf(error)[0].code;
  if (open.empty() && code != "E0211" && code != "E0906") return;
  if (code == "E0906") open.clear();  // not only what is known to the table
  // A row that moves inputs: the first is what is computed with.
  if (open.empty() && operands.size() > 1) open.assign(operands.begin() + 1, operands.end());
  NoteInputs(std::move(open));
}

void GraphImporter::NoteInputs(std::vector<ValueId> open) {
  std::vector<std::string>& needed = *context_.options().needed_constants;
  absl::flat_hash_set<ValueId> seen;
  std::vector<ValueId> outer;
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (value == kNoValue || !seen.insert(value).second) continue;
    const Node& producer = graph_.producer(value);
    for (const auto& [around, here] : captures_) {
      if (here == value) outer.push_back(around);
    }
    const std::string& name = graph_.value(value).name;
    if (outer_ == nullptr && producer.op->name == "Input" &&
        std::find(needed.begin(), needed.end(), name) == needed.end())
      needed.push_back(name);
    // The elements of what Shape measures are not read.
    if (!producer.op->Is<FromShapes>())
      open.insert(open.end(), producer.inputs.begin(), producer.inputs.end());
  }
  if (outer_ != nullptr) outer_->NoteInputs(std::move(outer));
}

}  // namespace tenfold::onnx
