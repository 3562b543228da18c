// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/op_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_map.h"
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
       .differs = "aligned at `axis`, and broadcast only if `broadcast` said so",
       .read = {"axis", "broadcast"},
       .adjust = AlignAtAxis},
      {.names = {"Pow"},
       .since = 7,
       .differs = "the exponent may have another dtype; the result has the base's",
       .adjust = PowOfTwoTypes},
      {.names = {"PRelu"},
       .until = 6,
       .differs = "a list is a slope for each channel",
       .adjust = AlignSlopeAtChannels},
      {.names = {"Selu"},
       .until = 5,
       .differs = "`alpha` was 1.6732 and `gamma` 1.0507",
       .defaults = {{"alpha", 1.6732}, {"gamma", 1.0507}}},
      {.names = {"Clip"},
       .until = 10,
       .differs = "the bounds were attributes",
       .read = {"min", "max"},
       .adjust = ClipToNumbers},
      {.names = {"Cast"}, .until = 5, .differs = "named the dtype as text", .refused = true},
      {.names = {"Cast", "CastLike"},
       .since = 24,
       .differs = "`round_mode` is of a dtype that Tenfold does not have",
       .without_effect = {"round_mode"}},

      {.names = {"BitCast"}, .differs = "a bool has eight bits", .adjust = BitCastOfBool},

      // --- Random numbers ---
      {.names = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform",
                 "RandomUniformLike"},
       .differs = "without `seed`, one by the node's place in the model",
       .adjust = SeedOfItsOwn},

      // --- Shapes ---
      {.names = {"Reshape"}, .until = 4, .differs = "`shape` was an attribute", .to_inputs = {{"shape", 1}}},
      {.names = {"Squeeze", "Unsqueeze"},
       .until = 12,
       .differs = "`axes` was an attribute",
       .to_inputs = {{"axes", 1}}},
      {.names = {"Slice"},
       .until = 9,
       .differs = "`starts`, `ends` and `axes` were attributes",
       .to_inputs = {{"starts", 1}, {"ends", 2}, {"axes", 3}}},
      {.names = {"Split"},
       .until = 12,
       .differs = "`split` was an attribute; without it the outputs say how many parts there are",
       .to_inputs = {{"split", 1}},
       .adjust = CountParts},
      {.names = {"Split"},
       .since = 13,
       .differs = "without `split` and `num_outputs` the outputs say how many parts there are",
       .adjust = CountParts},
      {.names = {"Concat"}, .until = 3, .differs = "`axis` was 1", .defaults = {{"axis", int64_t{1}}}},
      {.names = {"Tile"}, .until = 5, .differs = "repeated along one axis", .refused = true},
      {.names = {"Pad"},
       .until = 1,
       .differs = "`paddings` and `value` were attributes",
       .to_inputs = {{"paddings", 1}, {"value", 2, AttrToInput::kLikeInput}}},
      {.names = {"Pad"},
       .since = 2,
       .until = 10,
       .differs = "`pads` and `value` were attributes",
       .to_inputs = {{"pads", 1}, {"value", 2, AttrToInput::kLikeInput}}},
      {.names = {"SpaceToDepth"},
       .since = 28,
       .differs = "of `mode`, DCR alone",
       .only = {{"mode", string("DCR")}}},
      {.names = {"Range"},
       .differs = "of halves it is computed in float",
       .without_effect = {"stash_type"},
       .adjust = RangeOfHalves},

      // --- Reductions ---
      {.names = {"ReduceSum"},
       .since = 13,
       .differs = "`axes` is an input, which must be known",
       .to_attrs = {{1, "axes"}},
       .read = {"noop_with_empty_axes"},
       .adjust = ReduceNothing},
      {.names = {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean",
                 "ReduceMin", "ReduceProd", "ReduceSumSquare"},
       .since = 18,
       .differs = "`axes` is an input, which must be known",
       .to_attrs = {{1, "axes"}},
       .read = {"noop_with_empty_axes"},
       .adjust = ReduceNothing},
      {.names = {"Softmax", "LogSoftmax", "Hardmax"},
       .until = 12,
       .differs = "took the tensor as a matrix, cut at `axis`, which was 1",
       .defaults = {{"axis", int64_t{1}}},
       .adjust = AsMatrixAtAxis},
      {.names = {"TopK"}, .until = 9, .differs = "`k` was an attribute", .to_inputs = {{"k", 1}}},

      // --- Indexing ---
      {.names = {"Scatter"}, .ours = "ScatterElements", .differs = "the older name"},
      {.names = {"OneHot"}, .differs = "indices and depth may be of any dtype", .adjust = IntegerIndices},

      // --- Contractions ---
      {.names = {"Gemm"},
       .until = 6,
       .differs = "`broadcast` is ignored: C is broadcast if it can be",
       .without_effect = {"broadcast"}},
      {.names = {"Attention"},
       .since = 25,
       .differs = "without windows",
       .only = {{"left_window_size", int64_t{-1}}, {"right_window_size", int64_t{-1}}}},

      // --- Images ---
      {.names = {"Resize"},
       .until = 10,
       .differs = "positions were scaled from the corner and rounded down",
       .adjust = ResizeByScales},
      {.names = {"Resize"},
       .since = 11,
       .differs = "an empty roi, scales or sizes is one that is not there; tf_half_pixel_for_nn, of opset 11 "
                  "to 18, is half_pixel with another rounding",
       .adjust = ResizeOfAnyInputs},
      {.names = {"Upsample"},
       .until = 6,
       .differs = "had a scale for rows and one for columns",
       .refused = true},
      {.names = {"Upsample"},
       .since = 7,
       .until = 8,
       .ours = "Resize",
       .differs = "`scales` was an attribute; positions were scaled from the corner and rounded down",
       .read = {"scales"},
       .adjust = UpsampleByAttribute},
      {.names = {"Upsample"},
       .since = 9,
       .ours = "Resize",
       .differs = "positions were scaled from the corner and rounded down",
       .adjust = ResizeByScales},
      {.names = {"GridSample"},
       .until = 19,
       .differs = "modes were called bilinear and bicubic",
       .defaults = {{"mode", string("bilinear")}},
       .adjust = RenameGridModes},
      {.names = {"RoiAlign"},
       .until = 15,
       .differs = "`coordinate_transformation_mode` was output_half_pixel",
       .defaults = {{"coordinate_transformation_mode", string("output_half_pixel")}}},

      // --- Normalizations ---
      {.names = {"BatchNormalization"},
       .until = 8,
       .differs = "statistics of each channel alone (`spatial`)",
       .without_effect = {"is_test"},
       .read = {"spatial"},
       .adjust = RefuseSpatialOff},
      {.names = {"BatchNormalization"},
       .since = 9,
       .until = 13,
       .differs = "for inference: with one output",
       .adjust = RefuseTrainingOutputs},
      {.names = {"BatchNormalization"},
       .since = 14,
       .differs = "by `training_mode`, which takes the batch's own statistics, or the running ones",
       .adjust = StatisticsOfBatch},
      {.names = {"GroupNormalization"},
       .until = 20,
       .differs = "scale and bias were of groups",
       .adjust = SpreadOverGroups},
      {.names = {"Dropout"},
       .until = 11,
       .differs = "nothing is dropped; `ratio` was an attribute, and until 9 the mask a number",
       .without_effect = {"is_test", "ratio"},
       .adjust = DropoutWithoutDropping},
      {.names = {"Dropout"},
       .since = 12,
       .differs = "where nothing is dropped: `training_mode` is false, or the ratio 0",
       .adjust = DropoutWithoutDropping},

      // --- Sequences and signals ---
      {.names = {"RNN", "GRU", "LSTM"},
       .until = 6,
       .differs = "`output_sequence` is ignored: the outputs are those that are named",
       .without_effect = {"output_sequence"}},
      {.names = {"DFT"},
       .until = 19,
       .differs = "`axis` was an attribute, and 1",
       .to_inputs = {{"axis", 2}},
       .defaults = {{"axis", int64_t{1}}}},
      {.names = {"Scan"},
       .until = 8,
       .differs = "had a batch dim, and lengths of its sequences",
       .refused = true},
  };
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

using RowsByName = absl::flat_hash_map<absl::string_view, std::vector<const OpRow*>>;

const RowsByName& IndexedRows() {
  static const auto* const kRows = [] {
    auto* const rows = new RowsByName();
    for (const OpRow& row : OpRows()) {
      for (const char* const name : row.names) (*rows)[name].push_back(&row);
    }
    return rows;
  }();
  return *kRows;
}

}  // namespace

std::span<const OpRow> OpRows() {
  static const auto* const kRows = new std::vector<OpRow>(MakeRows());
  return *kRows;
}

OpImport FindOp(absl::string_view onnx_name, int64_t opset, const OpRegistry& registry) {
  if (const auto rows = IndexedRows().find(onnx_name); rows != IndexedRows().end()) {
    for (const OpRow* const row : rows->second) {
      if (opset < row->since || opset > row->until) continue;
      return {registry.Find(row->ours == nullptr ? onnx_name : absl::string_view(row->ours)), row};
    }
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
