// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/node_draft.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/no_such_op.h"

namespace tenfold::onnx {
namespace {

// What is computed while importing is sizes and scales; weights are the compiler's to fold.
constexpr int64_t kMostFoldedElements = 4096;
// Nodes that one value may follow from; deeper chains are no computation of sizes.
constexpr int kFoldingDepth = 200;

// What inference knows, if no symbol is in it.
std::optional<Tensor> FromContents(const ValueInfo& value) {
  if (!value.contents || !value.type.shape.is_static()) return std::nullopt;
  std::vector<int64_t> values;
  for (const Dim& dim : *value.contents) {
    if (!dim.is_constant()) return std::nullopt;
    values.push_back(dim.constant());
  }
  absl::StatusOr<Tensor> tensor = LiteralToTensor(values, value.type.dtype);
  if (!tensor.ok()) return std::nullopt;
  absl::StatusOr<Tensor> shaped = tensor->Reshape(value.type.shape.static_dims());
  return shaped.ok() ? std::optional(*std::move(shaped)) : std::nullopt;
}

// The values of `id`, if they follow from constants alone.
std::optional<Tensor> Fold(const DraftGraph& target, ValueId id, int depth) {
  const auto known = target.folded.values.find(id);
  if (known != target.folded.values.end()) return known->second;
  const Graph& graph = target.graph;
  const ValueInfo& value = graph.value(id);
  const Node& node = graph.node(value.producer);
  if (const Tensor* constant = graph.ConstantValue(id)) return *constant;
  if (std::optional<Tensor> inferred = FromContents(value)) return inferred;
  // Until it is known: a graph has no cycles, but a hostile one may have very many paths.
  target.folded.values[id] = std::nullopt;
  if (depth > kFoldingDepth || node.op->name == "Input" || node.op->Is<Control>() || node.op->is_barrier)
    return std::nullopt;
  if (PlacesOutputs(*node.op)) return std::nullopt;
  int64_t cost = 0;
  for (ValueId output : node.outputs) {
    const Shape& shape = graph.value(output).type.shape;
    if (!shape.is_static()) return std::nullopt;
    const std::optional<int64_t> count = NumElements(shape.static_dims());
    if (!count || *count > kMostFoldedElements) return std::nullopt;
    cost += *count;
  }
  std::vector<Tensor> inputs;
  for (ValueId input : node.inputs) {
    if (input == kNoValue) {
      inputs.emplace_back();
      continue;
    }
    // The elements of what Shape and Size measure are not read.
    if (node.op->Is<FromShapes>()) {
      const TensorType& type = graph.value(input).type;
      const uint64_t zero = 0;
      if (!type.shape.is_static()) return std::nullopt;
      absl::StatusOr<Tensor> any = Tensor::Splat(type.dtype, type.shape.static_dims(), &zero);
      if (!any.ok()) return std::nullopt;
      inputs.push_back(*std::move(any));
      continue;
    }
    std::optional<Tensor> tensor = Fold(target, input, depth + 1);
    if (!tensor || tensor->num_elements() > kMostFoldedElements) return std::nullopt;
    inputs.push_back(*std::move(tensor));
  }
  const std::optional<int64_t> operations = EstimateOperations(graph, node);
  if (!operations || *operations > target.folded.budget - cost) return std::nullopt;
  target.folded.budget -= *operations + cost;
  const absl::StatusOr<std::vector<Tensor>> outputs = EvaluateNode(graph, node, inputs);
  if (!outputs.ok()) return std::nullopt;  // a run will say why
  for (size_t i = 0; i < node.outputs.size(); ++i) target.folded.values[node.outputs[i]] = (*outputs)[i];
  return target.folded.values[id];
}

absl::Status OfAnotherKind(const AttributeProto& attribute, AttrKind kind) {
  return MakeError("E0904",
                   absl::StrCat("the attribute '", Printable(attribute.name()), "' is no ", Name(kind)));
}

// What a value may be in early files, which do not say of which kind it is.
bool Holds(const AttributeProto& attribute, int type, bool present) {
  return attribute.type() == type || (attribute.type() == 0 && present);
}

}  // namespace

int64_t NodeDraft::Int(absl::string_view name, int64_t otherwise) const {
  const AttributeProto* const attribute = Find(name);
  return attribute != nullptr && attribute->has_i() ? attribute->i() : otherwise;
}

std::string NodeDraft::Text(absl::string_view name, absl::string_view otherwise) const {
  const AttributeProto* const attribute = Find(name);
  return attribute != nullptr && attribute->has_s() ? attribute->s() : std::string(otherwise);
}

std::optional<std::vector<int64_t>> NodeDraft::Ints(absl::string_view name) const {
  const AttributeProto* const attribute = Find(name);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

absl::StatusOr<int> NodeDraft::Rank(size_t input) const {
  if (Type(input).shape.has_rank()) return Type(input).shape.rank();
  return MakeError("E0209", absl::StrCat("the rank of input ", input, " is not known, but is needed"));
}

absl::StatusOr<AttrValue> NodeDraft::Convert(const AttributeProto& attribute, AttrKind kind) const {
  const bool is_float = Holds(attribute, 1, attribute.has_f()),
             is_int = Holds(attribute, 2, attribute.has_i());
  switch (kind) {
    case AttrKind::kBool:
      if (is_int) return AttrValue(attribute.i() != 0);
      break;
    case AttrKind::kInt:
      if (is_int) return AttrValue(int64_t{attribute.i()});
      // The first LpPool had its order as a float.
      if (is_float && std::abs(attribute.f()) < 0x1p24f && std::floor(attribute.f()) == attribute.f())
        return AttrValue(static_cast<int64_t>(attribute.f()));
      break;
    case AttrKind::kFloat:
      if (is_float) return AttrValue(static_cast<double>(attribute.f()));
      break;
    case AttrKind::kString:
      if (Holds(attribute, 3, attribute.has_s()) && IsUtf8(attribute.s())) return AttrValue(attribute.s());
      break;
    case AttrKind::kInts:
      if (Holds(attribute, 7, attribute.floats_size() + attribute.strings_size() == 0))
        return AttrValue(std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
      break;
    case AttrKind::kFloats:
      if (Holds(attribute, 6, attribute.ints_size() + attribute.strings_size() == 0))
        return AttrValue(std::vector<double>(attribute.floats().begin(), attribute.floats().end()));
      break;
    case AttrKind::kStrings:
      if (Holds(attribute, 8, attribute.ints_size() + attribute.floats_size() == 0) &&
          std::all_of(attribute.strings().begin(), attribute.strings().end(),
                      [](const std::string& text) { return IsUtf8(text); }))
        return AttrValue(std::vector<std::string>(attribute.strings().begin(), attribute.strings().end()));
      break;
    case AttrKind::kDType:
      if (!is_int) break;
      if (const std::optional<DType> dtype = DTypeOf(attribute.i())) return AttrValue(*dtype);
      return MakeError("E0905",
                       absl::StrCat("the attribute '", Printable(attribute.name()), "' names ",
                                    DataTypeName(attribute.i()), ", a dtype that Tenfold does not have"));
    case AttrKind::kTensor:
      if (Holds(attribute, 4, attribute.has_t())) {
        TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, ReadTensor(attribute.t(), source_));
        return AttrValue(std::move(tensor));
      }
      break;
    case AttrKind::kType:
      break;
  }
  return OfAnotherKind(attribute, kind);
}

std::optional<Tensor> NodeDraft::ConstantOf(ValueId value) {
  if (value == kNoValue) return std::nullopt;
  return Fold(target_, value, 0);
}

absl::StatusOr<std::vector<int64_t>> NodeDraft::ConstantInts(size_t input, absl::string_view name) {
  const std::optional<Tensor> tensor = Constant(input);
  if (!tensor) {
    return MakeError("E0906",
                     absl::StrCat("its input '", name, "', '", target_.graph.DisplayName(inputs[input]),
                                  "', must be constant, since types follow from it, but comes from ",
                                  target_.graph.DescribeOrigin(inputs[input])));
  }
  const std::optional<Contents> contents = ContentsOf(*tensor);
  std::vector<int64_t> values;
  if (tensor->num_elements() == 0) return values;
  if (!contents) {
    return MakeError("E0904", absl::StrCat("its input '", name, "' is ", tensor->type().ToString(),
                                           ", but a list of a few integers is needed"));
  }
  for (const Dim& dim : *contents) values.push_back(dim.constant());
  return values;
}

void NodeDraft::SetInput(size_t i, ValueId value) {
  if (inputs.size() <= i) inputs.resize(i + 1, kNoValue);
  inputs[i] = value;
}

absl::StatusOr<ValueId> NodeDraft::Const(absl::StatusOr<Tensor> tensor) {
  if (!tensor.ok()) return tensor.status();
  TENFOLD_ASSIGN_OR_RETURN(const NodeId id, Add("Const", {}, {{"value", *std::move(tensor)}}, {""}, {}));
  return target_.graph.node(id).outputs[0];
}

absl::StatusOr<ValueId> NodeDraft::Const(const std::vector<int64_t>& list) {
  return Const(LiteralToTensor(list, DType::kI64));
}

absl::StatusOr<ValueId> NodeDraft::Emit(absl::string_view op_name, std::vector<ValueId> operands,
                                        Attrs given) {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs,
                           EmitAll(op_name, std::move(operands), std::move(given)));
  return outputs[0];
}

absl::StatusOr<std::vector<ValueId>> NodeDraft::EmitAll(absl::string_view op_name,
                                                        std::vector<ValueId> operands, Attrs given) {
  const std::string base = names_.empty() || names_[0].empty() ? Printable(node_.op_type()) : names_[0];
  const std::string name = absl::StrCat(base, "/", absl::AsciiStrToLower(op_name));
  TENFOLD_ASSIGN_OR_RETURN(const NodeId id, Add(op_name, std::move(operands), std::move(given), {name}, {}));
  return target_.graph.node(id).outputs;
}

absl::StatusOr<std::vector<ValueId>> NodeDraft::Finish() {
  if (!results.empty()) return results;
  TENFOLD_ASSIGN_OR_RETURN(const NodeId id,
                           Add(op, std::move(inputs), std::move(attrs), names_, std::move(bodies)));
  return target_.graph.node(id).outputs;
}

absl::StatusOr<NodeId> NodeDraft::Add(absl::string_view op_name, std::vector<ValueId> operands, Attrs given,
                                      std::vector<std::string> names, Bodies bodies_of_node) {
  const OpDef* const def = target_.graph.registry().Find(op_name);
  if (def == nullptr) return NoSuchOp(op_name, target_.graph.registry());
  while (!operands.empty() && operands.back() == kNoValue) operands.pop_back();
  // Inference knows integers that shapes give; other values that types follow from are computed here.
  for (size_t i = 0; i < operands.size() && !def->inputs.empty(); ++i) {
    const ValueId operand = operands[i];
    if (!def->InputPort(i).known || operand == kNoValue || target_.graph.value(operand).contents ||
        target_.graph.ConstantValue(operand) != nullptr)
      continue;
    if (std::optional<Tensor> tensor = ConstantOf(operand)) {
      TENFOLD_ASSIGN_OR_RETURN(operands[i], Const(*std::move(tensor)));
    } else if (target_.graph.value(operand).type.dtype == DType::kI64) {
      operands[i] = FollowLength(target_.graph, operand, target_.folded.lengths).value_or(operand);
    }
  }
  return target_.graph.AddNode(*def, std::move(operands), std::move(given), std::move(names), provenance_,
                               std::move(bodies_of_node));
}

}  // namespace tenfold::onnx
