// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/op_adjustments.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold::onnx {
namespace {

// x with dims of extent 1 behind its own, `count` of them.
absl::StatusOr<ValueId> WithTrailingDims(NodeDraft& draft, size_t input, int count) {
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(input));
  if (count <= 0) return draft.inputs[input];
  std::vector<int64_t> axes(static_cast<size_t>(count));
  std::iota(axes.begin(), axes.end(), rank);
  TENFOLD_ASSIGN_OR_RETURN(const ValueId list, draft.Const(axes));
  return draft.Emit("Unsqueeze", {draft.inputs[input], list});
}

absl::StatusOr<ValueId> CastTo(NodeDraft& draft, ValueId value, DType dtype) {
  if (draft.TypeOf(value).dtype == dtype) return value;
  return draft.Emit("Cast", {value}, {{"to", dtype}});
}

// The op that `draft` stands for by now, besides: its result is worked on further.
absl::StatusOr<ValueId> EmitItself(NodeDraft& draft) {
  return draft.Emit(draft.op, std::move(draft.inputs), std::move(draft.attrs));
}

// What comes out of the node is this instead.
void BecomeOp(NodeDraft& draft, absl::string_view op, std::vector<ValueId> inputs, Attrs attrs = {}) {
  draft.op = std::string(op);
  draft.inputs = std::move(inputs);
  draft.attrs = std::move(attrs);
}

absl::StatusOr<double> LargestFinite(DType dtype) {
  switch (dtype) {
    case DType::kF16:
      return 65504.0;
    case DType::kBF16:
      return 0x1.fep127;
    default:
      return static_cast<double>(std::numeric_limits<float>::max());
  }
}

absl::Status NeedsAttribute(const char* name) {
  return MakeError("E0904", absl::StrCat("the attribute '", name, "' is missing"));
}

}  // namespace

absl::Status AlignAtAxis(NodeDraft& draft) {
  const AttributeProto* const axis = draft.Find("axis");
  if (draft.Int("broadcast", 0) == 0 || axis == nullptr || !draft.Has(0) || !draft.Has(1))
    return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(0));
  TENFOLD_ASSIGN_OR_RETURN(const int rank_of_second, draft.Rank(1));
  const int64_t first = axis->i() < 0 ? axis->i() + rank : axis->i();
  if (first < 0 || first + rank_of_second > rank) {
    return MakeError("E0904", absl::StrCat("the attribute 'axis' is ", axis->i(), ", where no ",
                                           rank_of_second, " dims of ", rank, " begin"));
  }
  TENFOLD_ASSIGN_OR_RETURN(draft.inputs[1],
                           WithTrailingDims(draft, 1, static_cast<int>(rank - first) - rank_of_second));
  return absl::OkStatus();
}

absl::Status AlignSlopeAtChannels(NodeDraft& draft) {
  if (!draft.Has(0) || !draft.Has(1)) return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(0));
  TENFOLD_ASSIGN_OR_RETURN(const int rank_of_slope, draft.Rank(1));
  if (rank_of_slope != 1) return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(draft.inputs[1], WithTrailingDims(draft, 1, rank - 2));
  return absl::OkStatus();
}

absl::Status RefuseTrainingOutputs(NodeDraft& draft) {
  for (size_t i = 1; i < draft.num_outputs(); ++i) {
    if (draft.Gives(i)) {
      return MakeError("E0904", absl::StrCat("output ", i, " is one of training, which Tenfold does not do"),
                       "export the model for inference: torch.onnx.export(model.eval(), ...)");
    }
  }
  return absl::OkStatus();
}

absl::Status RefuseSpatialOff(NodeDraft& draft) {
  if (draft.Int("spatial", 1) == 0) {
    return MakeError("E0904",
                     "the attribute 'spatial' is 0: statistics of each element, not of each channel");
  }
  return RefuseTrainingOutputs(draft);
}

absl::Status StatisticsOfBatch(NodeDraft& draft) {
  if (draft.Int("training_mode", 0) == 0) return RefuseTrainingOutputs(draft);
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(0));
  if (draft.inputs.size() != 5 || !draft.Has(3) || !draft.Has(4))
    return MakeError("E0103", "BatchNormalization takes 5 inputs");
  std::vector<int64_t> axes;
  for (int axis = 0; axis < rank; ++axis) {
    if (axis != 1) axes.push_back(axis);
  }
  const Attrs reduced = {{"axes", axes}, {"keepdims", true}};
  const ValueId x = draft.inputs[0];
  TENFOLD_ASSIGN_OR_RETURN(const ValueId list, draft.Const(std::vector<int64_t>{-1}));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId mean, draft.Emit("ReduceMean", {x}, reduced));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId centered, draft.Emit("Sub", {x, mean}));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId square, draft.Emit("Mul", {centered, centered}));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId variance, draft.Emit("ReduceMean", {square}, reduced));
  // What the batch has, and what is left of what was there before.
  std::vector<ValueId> running;
  const double momentum = draft.attrs.Find("momentum") == nullptr ? 0.9 : draft.attrs.Get<double>("momentum");
  for (const auto& [i, statistic] : {std::pair(size_t{3}, mean), std::pair(size_t{4}, variance)}) {
    const ValueId before = draft.inputs[i];
    const DType dtype = draft.Type(i).dtype;
    TENFOLD_ASSIGN_OR_RETURN(const ValueId channels, draft.Emit("Reshape", {statistic, list}));
    TENFOLD_ASSIGN_OR_RETURN(draft.inputs[i], CastTo(draft, channels, dtype));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId kept, draft.Const(LiteralToTensor(momentum, dtype)));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId taken, draft.Const(LiteralToTensor(1 - momentum, dtype)));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId old_part, draft.Emit("Mul", {before, kept}));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId new_part, draft.Emit("Mul", {draft.inputs[i], taken}));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId sum, draft.Emit("Add", {old_part, new_part}));
    running.push_back(sum);
  }
  draft.attrs.Set("training_mode", false);
  TENFOLD_ASSIGN_OR_RETURN(const ValueId y, EmitItself(draft));
  draft.results = {y, running[0], running[1]};
  return absl::OkStatus();
}

absl::Status DropoutWithoutDropping(NodeDraft& draft) {
  const std::optional<Tensor> training = draft.Has(2) ? draft.Constant(2) : std::nullopt;
  const bool trains =
      training && training->dtype() == DType::kBool && training->num_elements() == 1 && training->at<bool>(0);
  if (trains && draft.Has(1)) {
    const std::optional<Tensor> ratio = draft.Constant(1);
    if (!ratio) return MakeError("E0906", "training_mode is true, and its ratio is not known");
    // Then nothing is dropped and nothing scaled, in training either.
    const bool is_zero =
        ratio->num_elements() == 1 && ((ratio->dtype() == DType::kF32 && ratio->at<float>(0) == 0) ||
                                       (ratio->dtype() == DType::kF64 && ratio->at<double>(0) == 0));
    if (is_zero) draft.inputs.resize(1);
  }
  if (draft.opset() >= 10 || !draft.Gives(1) || draft.op != "Dropout") return absl::OkStatus();
  // The mask had the dtype of x.
  const DType dtype = draft.Type(0).dtype;
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs,
                           draft.EmitAll(draft.op, std::move(draft.inputs), std::move(draft.attrs)));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId mask, CastTo(draft, outputs[1], dtype));
  draft.results = {outputs[0], mask};
  return absl::OkStatus();
}

absl::Status ClipToNumbers(NodeDraft& draft) {
  const DType dtype = draft.Type(0).dtype;
  TENFOLD_ASSIGN_OR_RETURN(const double largest, LargestFinite(dtype));
  constexpr std::pair<const char*, double> kBounds[] = {{"min", -1.0}, {"max", 1.0}};
  for (size_t i = 0; i < 2; ++i) {
    const auto& [name, sign] = kBounds[i];
    const AttributeProto* const attribute = draft.Find(name);
    double bound = sign * largest;
    if (attribute != nullptr) {
      TENFOLD_ASSIGN_OR_RETURN(const AttrValue number, draft.Convert(*attribute, AttrKind::kFloat));
      bound = std::get<double>(number);
      if (std::isfinite(bound) && std::abs(bound) > largest) bound = std::copysign(largest, bound);
    }
    TENFOLD_ASSIGN_OR_RETURN(const ValueId constant, draft.Const(LiteralToTensor(bound, dtype)));
    draft.SetInput(i + 1, constant);
  }
  return absl::OkStatus();
}

absl::Status AsMatrixAtAxis(NodeDraft& draft) {
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(0));
  const int64_t axis = draft.attrs.Get<int64_t>("axis");
  // A row of the matrix is then the last dim alone.
  if (axis == rank - 1 || axis == -1) return absl::OkStatus();
  const ValueId x = draft.inputs[0];
  TENFOLD_ASSIGN_OR_RETURN(draft.inputs[0], draft.Emit("Flatten", {x}, {{"axis", axis}}));
  draft.attrs.Set("axis", int64_t{-1});
  TENFOLD_ASSIGN_OR_RETURN(const ValueId matrix, EmitItself(draft));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId shape, draft.Emit("Shape", {x}));
  BecomeOp(draft, "Reshape", {matrix, shape}, {{"allowzero", true}});
  return absl::OkStatus();
}

absl::Status ReduceNothing(NodeDraft& draft) {
  const bool without_axes = draft.attrs.Get<std::vector<int64_t>>("axes").empty();
  if (draft.Int("noop_with_empty_axes", 0) == 0 || !without_axes) return absl::OkStatus();
  const ValueId x = draft.inputs[0];
  // What is done to each element is done all the same.
  if (draft.op == "ReduceSumSquare") {
    BecomeOp(draft, "Mul", {x, x});
  } else if (draft.op == "ReduceL1" || draft.op == "ReduceL2") {
    BecomeOp(draft, "Abs", {x});
  } else if (draft.op == "ReduceLogSum") {
    BecomeOp(draft, "Log", {x});
  } else {
    BecomeOp(draft, "Identity", {x});
  }
  return absl::OkStatus();
}

absl::Status CountParts(NodeDraft& draft) {
  if (!draft.Has(1) && draft.Find("num_outputs") == nullptr)
    draft.attrs.Set("num_outputs", static_cast<int64_t>(draft.num_outputs()));
  return absl::OkStatus();
}

absl::Status ResizeOfAnyInputs(NodeDraft& draft) {
  for (size_t i = 1; i < draft.inputs.size(); ++i) {
    if (!draft.Has(i)) continue;
    const Shape& shape = draft.Type(i).shape;
    if (shape.has_rank() && shape.rank() == 1 && shape.dim(0) == Dim(0)) draft.inputs[i] = kNoValue;
  }
  // It has a meaning in one mode only, and need not be constant in others.
  if (draft.Has(1) && draft.Text("coordinate_transformation_mode", "") != "tf_crop_and_resize")
    draft.inputs[1] = kNoValue;
  if (draft.Text("coordinate_transformation_mode", "") != "tf_half_pixel_for_nn") return absl::OkStatus();
  // Positions half an element further on than those of half_pixel, so that rounding differs in turn.
  const std::string nearest = draft.Text("nearest_mode", "round_prefer_floor");
  if (draft.Text("mode", "nearest") != "nearest" || (nearest != "floor" && nearest != "round_prefer_floor")) {
    return MakeError("E0904",
                     absl::StrCat("the coordinate_transformation_mode tf_half_pixel_for_nn goes with the "
                                  "nearest element, rounded down, and this is \"",
                                  Printable(nearest, 40), "\""));
  }
  draft.attrs.Set("coordinate_transformation_mode", std::string("half_pixel"));
  draft.attrs.Set("nearest_mode", std::string(nearest == "floor" ? "round_prefer_ceil" : "ceil"));
  return absl::OkStatus();
}

absl::Status ResizeByScales(NodeDraft& draft) {
  if (draft.Has(1)) draft.inputs = {draft.inputs[0], kNoValue, draft.inputs[1]};
  draft.attrs.Set("coordinate_transformation_mode", std::string("asymmetric"));
  draft.attrs.Set("nearest_mode", std::string("floor"));
  // "bilinear" of the very first.
  if (draft.Text("mode", "") == "bilinear") draft.attrs.Set("mode", std::string("linear"));
  return absl::OkStatus();
}

absl::Status UpsampleByAttribute(NodeDraft& draft) {
  const AttributeProto* const scales = draft.Find("scales");
  if (scales == nullptr) return NeedsAttribute("scales");
  const std::vector<float> list(scales->floats().begin(), scales->floats().end());
  TENFOLD_ASSIGN_OR_RETURN(const ValueId constant,
                           draft.Const(Tensor::FromVector(list, Dims{static_cast<int64_t>(list.size())})));
  draft.inputs.resize(1);
  draft.SetInput(1, constant);
  return ResizeByScales(draft);
}

absl::Status SpreadOverGroups(NodeDraft& draft) {
  TENFOLD_ASSIGN_OR_RETURN(const int rank, draft.Rank(0));
  const int64_t groups = draft.attrs.Get<int64_t>("num_groups");
  if (rank < 2 || groups < 1 || !draft.Type(0).shape.dim(1).is_constant()) {
    return MakeError("E0906", absl::StrCat("scale and bias are of groups, and how many channels each has is "
                                           "not known: x is ",
                                           draft.Type(0).ToString()));
  }
  const int64_t channels = draft.Type(0).shape.dim(1).constant();
  for (size_t i = 1; i < std::min<size_t>(draft.inputs.size(), 3); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(const ValueId column, WithTrailingDims(draft, i, 1));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId extents,
                             draft.Const(std::vector<int64_t>{groups, channels / groups}));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId spread, draft.Emit("Expand", {column, extents}));
    TENFOLD_ASSIGN_OR_RETURN(const ValueId list, draft.Const(std::vector<int64_t>{channels}));
    TENFOLD_ASSIGN_OR_RETURN(draft.inputs[i], draft.Emit("Reshape", {spread, list}));
  }
  return absl::OkStatus();
}

absl::Status PowOfTwoTypes(NodeDraft& draft) {
  if (!draft.Has(0) || !draft.Has(1)) return absl::OkStatus();
  const DType base = draft.Type(0).dtype, exponent = draft.Type(1).dtype;
  if (base == exponent || IsBool(base) || IsBool(exponent)) return absl::OkStatus();
  if (IsFloat(base) == IsFloat(exponent) || IsFloat(base)) {
    // A wider exponent that base does not hold would give 0, 1 or too much in any case.
    TENFOLD_ASSIGN_OR_RETURN(draft.inputs[1], CastTo(draft, draft.inputs[1], base));
    return absl::OkStatus();
  }
  // An integer to a fraction: computed as a float that holds it, and truncated.
  const DType wide = BitWidth(base) > 16 ? DType::kF64 : DType::kF32;
  TENFOLD_ASSIGN_OR_RETURN(draft.inputs[0], CastTo(draft, draft.inputs[0], wide));
  TENFOLD_ASSIGN_OR_RETURN(draft.inputs[1], CastTo(draft, draft.inputs[1], wide));
  TENFOLD_ASSIGN_OR_RETURN(const ValueId power, EmitItself(draft));
  BecomeOp(draft, "Cast", {power}, {{"to", base}});
  return absl::OkStatus();
}

absl::Status RangeOfHalves(NodeDraft& draft) {
  if (!draft.Has(0)) return absl::OkStatus();
  const DType dtype = draft.Type(0).dtype;
  if (!IsHalf(dtype)) return absl::OkStatus();
  for (size_t i = 0; i < draft.inputs.size(); ++i) {
    if (!draft.Has(i)) continue;
    TENFOLD_ASSIGN_OR_RETURN(draft.inputs[i], CastTo(draft, draft.inputs[i], DType::kF32));
  }
  TENFOLD_ASSIGN_OR_RETURN(const ValueId range, EmitItself(draft));
  BecomeOp(draft, "Cast", {range}, {{"to", dtype}});
  return absl::OkStatus();
}

absl::Status BitCastOfBool(NodeDraft& draft) {
  const DType to = draft.attrs.Get<DType>("to");
  if (IsBool(draft.Type(0).dtype) && (to == DType::kU8 || to == DType::kI8)) draft.op = "Cast";
  return absl::OkStatus();
}

absl::Status SeedOfItsOwn(NodeDraft& draft) {
  if (draft.Find("seed") == nullptr) draft.attrs.Set("seed", static_cast<double>(draft.Position()));
  return absl::OkStatus();
}

absl::Status IntegerIndices(NodeDraft& draft) {
  for (size_t i = 0; i < std::min<size_t>(draft.inputs.size(), 2); ++i) {
    if (!draft.Has(i) || kIndex.Contains(draft.Type(i).dtype)) continue;
    TENFOLD_ASSIGN_OR_RETURN(draft.inputs[i], CastTo(draft, draft.inputs[i], DType::kI64));
  }
  return absl::OkStatus();
}

absl::Status RenameGridModes(NodeDraft& draft) {
  const std::string mode = draft.attrs.Get<std::string>("mode");
  if (mode == "bilinear") draft.attrs.Set("mode", std::string("linear"));
  if (mode == "bicubic") draft.attrs.Set("mode", std::string("cubic"));
  return absl::OkStatus();
}

}  // namespace tenfold::onnx
