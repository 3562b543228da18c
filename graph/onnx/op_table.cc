// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/op_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/onnx/op_adjustments.h"

namespace tenfold::onnx {
namespace {

// Until opset 5 many ops had it: which inputs they might overwrite.
constexpr char kConsumedInputs[] = "consumed_inputs";

std::vector<OpRow> MakeRows() {
  using std::string;
  return {
      // --- Elementwise ---
      {.names = {"Add", "And", "Div", "Equal", "Greater", "Less", "Mul", "Or", "Pow", "Sub", "Xor"},
       .until = 6,
       .read = {"axis", "broadcast"},
       .adjust = AlignAtAxis},
      {.names = {"Pow"}, .since = 7, .adjust = PowOfTwoTypes},
      {.names = {"PRelu"}, .until = 6, .adjust = AlignSlopeAtChannels},
      {.names = {"Selu"}, .until = 5, .defaults = {{"alpha", 1.6732}, {"gamma", 1.0507}}},
      {.names = {"Clip"}, .until = 10, .read = {"min", "max"}, .adjust = ClipToNumbers},
      {.names = {"Cast"}, .until = 5, .refused = "named the dtype as text"},
      // How Cast rounds to a dtype that Tenfold does not have.
      {.names = {"Cast", "CastLike"}, .since = 24, .without_effect = {"round_mode"}},

      {.names = {"BitCast"}, .adjust = BitCastOfBool},

      // --- Random numbers ---
      {.names = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
                 "RandomUniformLike"},
       .adjust = SeedOfItsOwn},

      // --- Shapes ---
      {.names = {"Reshape"}, .until = 4, .to_inputs = {{"shape", 1}}},
      {.names = {"Squeeze", "Unsqueeze"}, .until = 12, .to_inputs = {{"axes", 1}}},
      {.names = {"Slice"}, .until = 9, .to_inputs = {{"starts", 1}, {"ends", 2}, {"axes", 3}}},
      {.names = {"Split"}, .until = 12, .to_inputs = {{"split", 1}}, .adjust = CountParts},
      {.names = {"Split"}, .since = 13, .adjust = CountParts},
      {.names = {"Concat"}, .until = 3, .defaults = {{"axis", int64_t{1}}}},
      {.names = {"Tile"}, .until = 5, .refused = "repeated along one axis"},
      {.names = {"Pad"}, .until = 1, .to_inputs = {{"paddings", 1}, {"value", 2, AttrToInput::kLikeInput}}},
      {.names = {"Pad"},
       .since = 2,
       .until = 10,
       .to_inputs = {{"pads", 1}, {"value", 2, AttrToInput::kLikeInput}}},
      {.names = {"SpaceToDepth"}, .since = 28, .only = {{"mode", string("DCR")}}},
      {.names = {"Range"}, .without_effect = {"stash_type"}, .adjust = RangeOfHalves},

      // --- Reductions ---
      {.names = {"ReduceSum"},
       .since = 13,
       .to_attrs = {{1, "axes"}},
       .read = {"noop_with_empty_axes"},
       .adjust = ReduceNothing},
      {.names = {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                 "ReduceMin", "ReduceProd", "ReduceSumSquare"},
       .since = 18,
       .to_attrs = {{1, "axes"}},
       .read = {"noop_with_empty_axes"},
       .adjust = ReduceNothing},
      {.names = {"Softmax", "LogSoftmax", "Hardmax"},
       .until = 12,
       .defaults = {{"axis", int64_t{1}}},
       .adjust = AsMatrixAtAxis},
      {.names = {"TopK"}, .until = 9, .to_inputs = {{"k", 1}}},

      // --- Indexing ---
      {.names = {"Scatter"}, .ours = "ScatterElements"},
      {.names = {"OneHot"}, .adjust = IntegerIndices},

      // --- Contractions ---
      {.names = {"Gemm"}, .until = 6, .without_effect = {"broadcast"}},
      {.names = {"Attention"},
       .since = 25,
       .only = {{"left_window_size", int64_t{-1}}, {"right_window_size", int64_t{-1}}}},

      // --- Images ---
      {.names = {"Resize"}, .until = 10, .adjust = ResizeByScales},
      {.names = {"Resize"}, .since = 11, .adjust = ResizeOfAnyInputs},
      {.names = {"Upsample"}, .until = 6, .refused = "had a scale for rows and one for columns"},
      {.names = {"Upsample"},
       .since = 7,
       .until = 8,
       .ours = "Resize",
       .read = {"scales"},
       .adjust = UpsampleByAttribute},
      {.names = {"Upsample"}, .since = 9, .ours = "Resize", .adjust = ResizeByScales},
      {.names = {"GridSample"},
       .until = 19,
       .defaults = {{"mode", string("bilinear")}},
       .adjust = RenameGridModes},
      {.names = {"RoiAlign"},
       .until = 15,
       .defaults = {{"coordinate_transformation_mode", string("output_half_pixel")}}},

      // --- Normalizations ---
      {.names = {"BatchNormalization"},
       .until = 8,
       .without_effect = {"is_test"},
       .read = {"spatial"},
       .adjust = RefuseSpatialOff},
      {.names = {"BatchNormalization"}, .since = 9, .until = 13, .adjust = RefuseTrainingOutputs},
      {.names = {"BatchNormalization"}, .since = 14, .adjust = StatisticsOfBatch},
      {.names = {"GroupNormalization"}, .until = 20, .adjust = SpreadOverGroups},
      {.names = {"Dropout"},
       .until = 11,
       .without_effect = {"is_test", "ratio"},
       .adjust = DropoutWithoutDropping},
      {.names = {"Dropout"}, .since = 12, .adjust = DropoutWithoutDropping},

      // --- Sequences and signals ---
      {.names = {"RNN", "GRU", "LSTM"}, .until = 6, .without_effect = {"output_sequence"}},
      {.names = {"DFT"}, .until = 19, .to_inputs = {{"axis", 2}}, .defaults = {{"axis", int64_t{1}}}},
      {.names = {"Scan"}, .until = 8, .refused = "had a batch dim, and lengths of its sequences"},
  };
}

bool Named(const OpRow& row, absl::string_view name) {
  return std::any_of(row.names.begin(), row.names.end(), [&](const char* each) { return name == each; });
}

template <typename Entries>
auto FindEntry(const Entries& entries, absl::string_view attribute) {
  return std::find_if(entries.begin(), entries.end(),
                      [&](const auto& entry) { return attribute == entry.attribute; });
}

bool Lists(const std::vector<const char*>& names, absl::string_view name) {
  return std::any_of(names.begin(), names.end(), [&](const char* each) { return name == each; });
}

// What our ops keep in attributes that ONNX finds otherwise.
bool IsOursAlone(absl::string_view name) { return name == "captured" || name == kSymbolsAttr; }

// A dtype of 0 is one that the model does not name.
bool IsUndefined(const AttrDef& def, const AttributeProto& attribute) {
  return def.kind == AttrKind::kDType && attribute.i() == 0;
}

absl::Status ConvertAttributes(const OpImport& import, NodeDraft& draft) {
  for (const AttrDef& def : import.op->attrs) {
    const AttributeProto* const attribute = draft.Find(def.name);
    const bool elsewhere = import.row != nullptr &&
                           (FindEntry(import.row->to_inputs, def.name) != import.row->to_inputs.end() ||
                            FindEntry(import.row->to_attrs, def.name) != import.row->to_attrs.end() ||
                            Lists(import.row->without_effect, def.name) || Lists(import.row->read, def.name));
    if (attribute == nullptr || elsewhere || IsOursAlone(def.name) || IsUndefined(def, *attribute)) continue;
    TENFOLD_ASSIGN_OR_RETURN(AttrValue value, draft.Convert(*attribute, def.kind));
    draft.attrs.Set(def.name, std::move(value));
  }
  return absl::OkStatus();
}

absl::Status MoveToInput(const AttrToInput& move, const OpRow& row, NodeDraft& draft) {
  const AttributeProto* const attribute = draft.Find(move.attribute);
  const auto otherwise = FindEntry(row.defaults, move.attribute);
  if (move.form == AttrToInput::kLikeInput) {
    if (attribute == nullptr) return absl::OkStatus();
    TENFOLD_ASSIGN_OR_RETURN(const AttrValue number, draft.Convert(*attribute, AttrKind::kFloat));
    const DType dtype = draft.Type(0).dtype;
    const double value = std::get<double>(number);
    // An integer tensor is filled with an integer.
    const bool whole = IsInteger(dtype) && std::abs(value) <= 0x1p53 && value == std::floor(value);
    TENFOLD_ASSIGN_OR_RETURN(
        const ValueId constant,
        draft.Const(LiteralToTensor(whole ? Literal(static_cast<int64_t>(value)) : Literal(value), dtype)));
    draft.SetInput(move.input, constant);
    return absl::OkStatus();
  }
  std::vector<int64_t> list;
  if (attribute == nullptr) {
    if (otherwise == row.defaults.end()) return absl::OkStatus();
    list = {std::get<int64_t>(otherwise->value)};
  } else if (attribute->has_i()) {
    list = {attribute->i()};
  } else {
    TENFOLD_ASSIGN_OR_RETURN(AttrValue value, draft.Convert(*attribute, AttrKind::kInts));
    list = std::get<std::vector<int64_t>>(std::move(value));
  }
  TENFOLD_ASSIGN_OR_RETURN(const ValueId constant, draft.Const(list));
  draft.SetInput(move.input, constant);
  return absl::OkStatus();
}

absl::Status MoveToAttr(const InputToAttr& move, NodeDraft& draft) {
  if (draft.Has(move.input)) {
    TENFOLD_ASSIGN_OR_RETURN(std::vector<int64_t> list, draft.ConstantInts(move.input, move.attribute));
    draft.attrs.Set(move.attribute, std::move(list));
  }
  if (move.input < draft.inputs.size()) draft.inputs.resize(move.input);
  return absl::OkStatus();
}

}  // namespace

std::span<const OpRow> OpRows() {
  static const auto* const kRows = new std::vector<OpRow>(MakeRows());
  return *kRows;
}

OpImport FindOp(absl::string_view onnx_name, int64_t opset, const OpRegistry& registry) {
  for (const OpRow& row : OpRows()) {
    if (!Named(row, onnx_name) || opset < row.since || opset > row.until) continue;
    return {registry.Find(row.ours == nullptr ? onnx_name : absl::string_view(row.ours)), &row};
  }
  const OpDef* const op = registry.Find(onnx_name);
  // Ours alone.
  const bool foreign = op == nullptr || op->is_internal || op->Is<Source>() || op->is_barrier ||
                       (op->Is<Control>() && onnx_name == "Call");
  return {foreign ? nullptr : op, nullptr};
}

bool TakesAttribute(const OpImport& import, const AttributeProto& attribute, int64_t opset) {
  const std::string& name = attribute.name();
  if (import.op->FindAttr(name) != nullptr && !IsOursAlone(name)) return true;
  if (opset <= 5 && name == kConsumedInputs) return true;
  const OpRow* const row = import.row;
  if (row == nullptr) return false;
  if (FindEntry(row->to_inputs, name) != row->to_inputs.end() || Lists(row->without_effect, name) ||
      Lists(row->read, name))
    return true;
  const auto only = FindEntry(row->only, name);
  if (only == row->only.end()) return false;
  if (const int64_t* number = std::get_if<int64_t>(&only->value)) return attribute.i() == *number;
  return attribute.s() == std::get<std::string>(only->value);
}

absl::Status Translate(const OpImport& import, NodeDraft& draft) {
  draft.op = import.op->name;
  TENFOLD_RETURN_IF_ERROR(ConvertAttributes(import, draft));
  if (import.row == nullptr) return absl::OkStatus();
  for (const AttrWithValue& given : import.row->defaults) {
    if (draft.Find(given.attribute) == nullptr && import.op->FindAttr(given.attribute) != nullptr)
      draft.attrs.Set(given.attribute, given.value);
  }
  for (const AttrToInput& move : import.row->to_inputs)
    TENFOLD_RETURN_IF_ERROR(MoveToInput(move, *import.row, draft));
  for (const InputToAttr& move : import.row->to_attrs) TENFOLD_RETURN_IF_ERROR(MoveToAttr(move, draft));
  return import.row->adjust == nullptr ? absl::OkStatus() : import.row->adjust(draft);
}

}  // namespace tenfold::onnx
