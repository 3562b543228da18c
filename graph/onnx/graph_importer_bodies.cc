// SPDX-License-Identifier: Apache-2.0
//
// What a node has graphs of: functions and branches, which are expanded in its place, and bodies.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/onnx/graph_importer.h"

namespace tenfold::onnx {

// --- Functions and branches ---

absl::Status GraphImporter::CallFunction(const FunctionProto& function, const NodeProto& node) {
  if (scopes_.size() > kDeepestCall) {
    return MakeError("E0908", absl::StrCat("functions call each other more than ", kDeepestCall, " deep: '",
                                           Printable(function.name()), "' may call itself"));
  }
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size()) {
    return MakeError("E0103", absl::StrCat("the function '", Printable(function.name()), "' has ",
                                           CountText(function.input_size(), "input"), " and ",
                                           CountText(function.output_size(), "output"), ", but the call has ",
                                           node.input_size(), " and ", node.output_size()));
  }
  Scope inner;
  inner.opsets = ReadOpsets(function.opset_import());
  inner.prefix =
      absl::StrCat(scope().prefix, Printable(node.name().empty() ? node.op_type() : node.name()), "/");
  for (const AttributeProto& otherwise : function.attribute_proto())
    inner.attributes[otherwise.name()] = &otherwise;
  for (const AttributeProto& attribute : node.attribute()) {
    if (const AttributeProto* const given = FindAttribute(node, attribute.name()))
      inner.attributes[attribute.name()] = given;
  }
  for (int i = 0; i < function.input_size(); ++i) {
    Binding binding;
    const Binding* const found = i < node.input_size() ? Find(node.input(i)) : nullptr;
    binding.absent = i >= node.input_size() || node.input(i).empty() || (found != nullptr && found->absent);
    // A constant stays one: it may be needed as such.
    if (found != nullptr && found->constant != nullptr) {
      binding = *found;
      if (FindHere(node.input(i)) == nullptr) binding.value = kNoValue;
    }
    if (binding.constant == nullptr && !binding.absent) {
      TENFOLD_ASSIGN_OR_RETURN(const std::optional<ValueId> value, Read(node.input(i)));
      binding.value = value.value_or(kNoValue);
    }
    inner.names[function.input(i)] = std::move(binding);
  }
  scopes_.push_back(std::move(inner));
  const size_t errors = context_.num_errors();
  const int first = graph_.num_values();
  ImportNodes(function.node());
  return LeaveScope(function.output(), node, first, errors);
}

absl::Status GraphImporter::InlineBranch(const GraphProto& branch, const NodeProto& node) {
  if (branch.output_size() < node.output_size()) {
    return MakeError("E0908", absl::StrCat("its branch gives ", CountText(branch.output_size(), "result"),
                                           ", but the node ", node.output_size()));
  }
  Scope inner;
  inner.opsets = scope().opsets;
  inner.prefix = scope().prefix;
  inner.attributes = scope().attributes;
  inner.sees_around = true;
  scopes_.push_back(std::move(inner));
  const size_t errors = context_.num_errors();
  const int first = graph_.num_values();
  AddInitializers(branch);
  ImportNodes(branch.node());
  std::vector<std::string> names;
  for (const ValueInfoProto& output : branch.output()) names.push_back(output.name());
  return LeaveScope(names, node, first, errors);
}

template <typename Names>
absl::Status GraphImporter::LeaveScope(const Names& names, const NodeProto& node, int first,
                                       size_t errors_before) {
  std::vector<ValueId> outputs;
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) {
      outputs.push_back(kNoValue);
      continue;
    }
    const absl::StatusOr<std::optional<ValueId>> value = Read(names[i]);
    if (!value.ok() && context_.num_errors() == errors_before) return value.status();
    outputs.push_back(value.ok() ? value->value_or(kNoValue) : kNoValue);
  }
  scopes_.pop_back();
  for (int i = 0; i < node.output_size(); ++i) {
    const std::string wanted = ValueName(node.output(i));
    if (outputs[i] == kNoValue || static_cast<int>(outputs[i]) < first || graph_.FindValue(wanted)) continue;
    TENFOLD_RETURN_IF_ERROR(graph_.Rename(outputs[i], wanted));
  }
  Bind(node, outputs);
  return absl::OkStatus();
}

// --- Bodies ---

std::optional<Graph> GraphImporter::ImportBody(const GraphProto& proto, const std::vector<TensorType>& given,
                                               std::vector<ValueId>& captured, const std::string& place) {
  const size_t errors = context_.num_errors();
  if (static_cast<size_t>(proto.input_size()) != given.size()) {
    context_.Add(WithLocation(
        MakeError("E0908",
                  absl::StrCat("the body '", Printable(proto.name()), "' takes ",
                               CountText(proto.input_size(), "input"), ", but is given ", given.size())),
        place));
    return std::nullopt;
  }
  GraphImporter body(context_, proto, this);
  body.AddInitializers(proto);
  body.AddGivenInputs(given);
  for (ValueId value : captured) {
    const absl::StatusOr<std::optional<ValueId>> added = body.Capture(value);
    if (!added.ok()) context_.Add(WithLocation(added.status(), place));
  }
  body.ImportNodes(proto.node());
  body.AddOutputs();
  body.graph_.SetEnclosing(nullptr);
  captured = body.captured_;
  const bool complete = context_.num_errors() == errors &&
                        body.graph_.outputs().size() == static_cast<size_t>(proto.output_size());
  return complete ? std::optional(std::move(body.graph_)) : std::nullopt;
}

namespace {

// The size that the condition compares with 1, if that is what it is.
std::optional<Dim> SizeComparedWithOne(const Graph& graph, ValueId condition) {
  const Node& node = graph.producer(condition);
  if (node.op->name != "Equal") return std::nullopt;
  std::optional<Dim> size;
  bool with_one = false;
  for (ValueId input : node.inputs) {
    const std::optional<Contents>& contents = graph.value(input).contents;
    if (!contents || contents->size() != 1) return std::nullopt;
    if (contents->front() == Dim(1)) {
      with_one = true;
    } else {
      size = contents->front();
    }
  }
  return with_one ? size : std::nullopt;
}

// The one axis that a Squeeze of a branch drops, as an attribute or a constant of the branch.
std::optional<int64_t> SqueezedAxis(const GraphProto& branch, const NodeProto& squeeze,
                                    const TensorSource& source) {
  for (const AttributeProto& attribute : squeeze.attribute()) {
    if (attribute.name() == "axes" && attribute.ints_size() == 1) return attribute.ints(0);
  }
  for (const NodeProto& node : branch.node()) {
    const bool is_axes = squeeze.input_size() == 2 && node.op_type() == "Constant" &&
                         node.output_size() == 1 && node.output(0) == squeeze.input(1);
    for (const AttributeProto& attribute : node.attribute()) {
      if (!is_axes || attribute.name() != "value") continue;
      const absl::StatusOr<Tensor> axes = ReadTensor(attribute.t(), source);
      if (axes.ok() && axes->dtype() == DType::kI64 && axes->num_elements() == 1) return axes->at<int64_t>(0);
    }
  }
  return std::nullopt;
}

// The one node of a branch with one result, besides constants, if it is of that op and gives the result.
const NodeProto* OnlyNode(const GraphProto& branch, absl::string_view op) {
  const NodeProto* only = nullptr;
  for (const NodeProto& node : branch.node()) {
    if (node.op_type() == "Constant") continue;
    if (only != nullptr || node.op_type() != op || node.input_size() == 0 || node.output_size() != 1) {
      return nullptr;
    }
    only = &node;
  }
  const bool gives =
      only != nullptr && branch.output_size() == 1 && branch.output(0).name() == only->output(0);
  return gives ? only : nullptr;
}

}  // namespace

bool GraphImporter::IsSqueezeOfUnknownSize(ValueId condition, const GraphProto& then_branch,
                                           const GraphProto& else_branch) {
  const std::optional<Dim> compared = SizeComparedWithOne(graph_, condition);
  const NodeProto* const squeeze = OnlyNode(then_branch, "Squeeze");
  const NodeProto* const same = OnlyNode(else_branch, "Identity");
  if (!compared || squeeze == nullptr || same == nullptr || squeeze->input(0) != same->input(0)) return false;
  const std::optional<int64_t> axis = SqueezedAxis(then_branch, *squeeze, context_.source());
  const absl::StatusOr<std::optional<ValueId>> data = Read(squeeze->input(0));
  if (!axis || !data.ok() || !*data) return false;
  const Shape& shape = graph_.value(**data).type.shape;
  const std::optional<int> dim = shape.has_rank() ? NormalizeAxis(*axis, shape.rank()) : std::nullopt;
  return dim && shape.dim(*dim) == *compared;
}

const GraphProto* GraphImporter::KnownBranch(const OpDef& op, const NodeProto& node, NodeDraft& draft) {
  if (std::get<Control>(op.computation).kind != ControlKind::kIf || draft.inputs.size() != 1 || !draft.Has(0))
    return nullptr;
  const auto graph_of = [&](const char* name) -> const GraphProto* {
    const AttributeProto* const branch = FindAttribute(node, name);
    return branch != nullptr && branch->has_g() ? &branch->g() : nullptr;
  };
  const GraphProto* const then_branch = graph_of("then_branch");
  const GraphProto* const else_branch = graph_of("else_branch");
  const std::optional<Tensor> condition = draft.Constant(0);
  if (condition && condition->dtype() == DType::kBool && condition->num_elements() == 1)
    return condition->at<bool>(0) ? then_branch : else_branch;
  const bool squeezes = then_branch != nullptr && else_branch != nullptr &&
                        IsSqueezeOfUnknownSize(draft.inputs[0], *then_branch, *else_branch);
  return squeezes ? then_branch : nullptr;
}

absl::StatusOr<bool> GraphImporter::AddBodies(const OpDef& op, const NodeProto& node, NodeDraft& draft) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOutControl(op, draft.inputs.size(), draft.attrs));
  std::vector<TensorType> given;
  if (layout.kind == ControlKind::kLoop) given = {{DType::kI64, Shape()}, {DType::kBool, Shape()}};
  std::vector<TensorType> passed;
  for (size_t i = layout.lead; i < draft.inputs.size(); ++i) {
    if (draft.inputs[i] == kNoValue)
      return MakeError("E0103", absl::StrCat("input ", i, " of ", op.name, " is absent"));
    passed.push_back(draft.Type(i));
  }
  const std::vector<TensorType> types = PassedTypes(layout, passed).value_or(passed);
  given.insert(given.end(), types.begin(), types.end());
  draft.inputs.resize(std::max<size_t>(draft.inputs.size(), layout.lead), kNoValue);

  const bool is_if = layout.kind == ControlKind::kIf;
  std::vector<const char*> names = {"body"};
  if (is_if) names = {"then_branch", "else_branch"};
  std::vector<Graph> graphs;
  std::vector<ValueId> captured;
  for (const char* name : names) {
    const AttributeProto* const attribute = FindAttribute(node, name);
    if (attribute == nullptr || !attribute->has_g())
      return MakeError("E0904", absl::StrCat("the attribute '", name, "', a graph, is missing"));
    const size_t before = captured.size();
    std::optional<Graph> body = ImportBody(attribute->g(), given, captured, context_.place());
    if (!body) return false;
    for (size_t i = before; i < captured.size(); ++i) {
      for (Graph& earlier : graphs)
        TENFOLD_RETURN_IF_ERROR(AddCapturedInput(earlier, graph_, captured[i]).status());
    }
    graphs.push_back(*std::move(body));
  }
  draft.inputs.insert(draft.inputs.end(), captured.begin(), captured.end());
  draft.attrs.Set("captured", static_cast<int64_t>(captured.size()));
  Bodies bodies;
  for (Graph& graph : graphs) bodies.push_back(std::make_shared<const Graph>(std::move(graph)));
  TENFOLD_ASSIGN_OR_RETURN(draft.bodies,
                           RelaxBodies(graph_, op, draft.inputs, draft.attrs, std::move(bodies)));
  return true;
}

}  // namespace tenfold::onnx
