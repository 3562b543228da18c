// SPDX-License-Identifier: Apache-2.0
//
// Normalisations by mean and variance, or by a norm. A variance is the mean of the squares of what is left
// when the mean has been subtracted: a second pass, which costs little, since the row is in the cache, and
// which does not cancel as E[x^2] - E[x]^2 would.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr const char* kBound = "Follows from Sqrt and the order of summation.";

// --- Building ----------------------------------------------------------------------------------------------

Attrs Along(Ints axes) { return {{"axes", std::move(axes)}, {"keepdims", true}}; }

// Axes [first, rank).
Ints AxesFrom(int64_t first, int rank) {
  Ints axes;
  for (int64_t axis = first < 0 ? first + rank : first; axis < rank; ++axis) axes.push_back(axis);
  return axes;
}

// x with mean 0 and variance 1 along axes, and what it was subtracted and multiplied by.
struct Standardized {
  Value y, mean, inverse;
};
Standardized Standardize(Value x, const Ints& axes, double epsilon) {
  const Value mean = ApplyOp("ReduceMean", {x}, Along(axes));
  const Value centered = x - mean;
  const Value variance = ApplyOp("ReduceMean", {centered * centered}, Along(axes));
  const Value inverse = ApplyOp("Reciprocal", {ApplyOp("Sqrt", {variance + epsilon})});
  return {centered * inverse, mean, inverse};
}

// A list with one value for each element of dim 1, so that it broadcasts along that dim of `rank`.
Value PerChannel(Value list, int rank) {
  if (rank <= 2) return list;
  Ints shape(rank - 1, 1);
  shape[0] = -1;
  return ApplyOp("Reshape", {list, shape});
}

Value BuildBatch(std::span<const Value> in, const Attrs& attrs) {
  const Value x = in[0];
  const auto of = [&](int i) { return PerChannel(As(in[i], x.dtype()), x.shape().rank()); };
  // What is one value for each channel is computed once for each.
  const Value factor = of(1) / ApplyOp("Sqrt", {of(4) + attrs.Get<double>("epsilon")});
  return (x - of(3)) * factor + of(2);
}

// The type in which the first stage of a normalisation computes.
DType StageType(Value x, const Attrs& attrs) {
  return attrs.Get<DType>("stash_type") == DType::kF64 ? DType::kF64 : x.dtype();
}

std::vector<Value> BuildLayer(std::span<const Value> in, const Attrs& attrs) {
  const Value x = in[0];
  const Standardized s =
      Standardize(As(x, StageType(x, attrs)), AxesFrom(attrs.Get<int64_t>("axis"), x.shape().rank()),
                  attrs.Get<double>("epsilon"));
  Value y = As(s.y, x.dtype()) * in[1];
  if (IsThere(in, 2)) y = y + in[2];
  const DType stash = ComputeType(attrs.Get<DType>("stash_type"));
  return {y, As(s.mean, stash), As(s.inverse, stash)};
}

Value BuildRms(std::span<const Value> in, const Attrs& attrs) {
  const Value x = As(in[0], StageType(in[0], attrs));
  const Attrs along = Along(AxesFrom(attrs.Get<int64_t>("axis"), x.shape().rank()));
  const Value mean = ApplyOp("ReduceMean", {x * x}, along);
  const Value root = ApplyOp("Sqrt", {mean + attrs.Get<double>("epsilon")});
  return As(x * ApplyOp("Reciprocal", {root}), in[1].dtype()) * in[1];
}

Value BuildInstance(std::span<const Value> in, const Attrs& attrs) {
  const int rank = in[0].shape().rank();
  const Standardized s = Standardize(in[0], AxesFrom(2, rank), attrs.Get<double>("epsilon"));
  return s.y * PerChannel(in[1], rank) + PerChannel(in[2], rank);
}

// x [n, c, dims...] as [n, groups, c / groups, dims...], and back at the end.
Value BuildGroup(std::span<const Value> in, const Attrs& attrs) {
  const Value x = As(in[0], StageType(in[0], attrs));
  const int64_t groups = attrs.Get<int64_t>("num_groups");
  const int rank = x.shape().rank();
  const Dim channels = x.shape().dim(1);
  const int64_t each = channels.is_constant() ? channels.constant() / groups : -1;
  Ints split(rank + 1, 0), joined(rank + 1, 0);  // 0 copies a dim
  split[1] = groups, split[2] = each;
  joined[1] = channels.is_constant() ? channels.constant() : -1, joined[2] = 1;
  const Value apart = ApplyOp("Reshape", {ApplyOp("Unsqueeze", {x, {1}}), split});
  const auto per_channel = [&](int i) {
    Ints shape(rank, 1);
    shape[0] = groups, shape[1] = each;
    return ApplyOp("Reshape", {in[i], shape});
  };
  const Standardized s = Standardize(apart, AxesFrom(2, rank + 1), attrs.Get<double>("epsilon"));
  const Value y = As(s.y, in[0].dtype()) * per_channel(1) + per_channel(2);
  return ApplyOp("Squeeze", {ApplyOp("Reshape", {y, joined}), {2}});
}

// ONNX adds 1e-9 to the standard deviation, not to the variance.
Value BuildMeanVariance(std::span<const Value> in, const Attrs& attrs) {
  const Attrs along = Along(attrs.Get<Ints>("axes"));
  const Value centered = in[0] - ApplyOp("ReduceMean", {in[0]}, along);
  const Value variance = ApplyOp("ReduceMean", {centered * centered}, along);
  return centered / (ApplyOp("Sqrt", {variance}) + 1e-9);
}

// A norm of 0 divides by 1 instead: its elements are zeros.
Value BuildLp(std::span<const Value> in, const Attrs& attrs) {
  const char* const reduction = attrs.Get<int64_t>("p") == 1 ? "ReduceL1" : "ReduceL2";
  const Value norm = ApplyOp(reduction, {in[0]}, Along({attrs.Get<int64_t>("axis")}));
  return in[0] / ApplyOp("Where", {ApplyOp("Equal", {norm, 0.0}), 1.0, norm});
}

// The mean of the squares of neighbouring channels, those outside counted as zeros, is an average pooling
// along the channels.
Value BuildLrn(std::span<const Value> in, const Attrs& attrs) {
  const Value x = in[0];
  if (x.shape().num_elements() == Dim(0)) return x;
  const int64_t size = attrs.Get<int64_t>("size"), before = (size - 1) / 2, after = size - 1 - before;
  Value squares = ApplyOp("Unsqueeze", {x * x, {1}});
  const bool has_dims = x.shape().rank() > 2;
  if (has_dims) squares = ApplyOp("Reshape", {squares, {0, 0, 0, -1}});
  Value means = ApplyOp("AveragePool", {squares},
                        {{"kernel_shape", has_dims ? Ints{size, 1} : Ints{size}},
                         {"pads", has_dims ? Ints{before, 0, after, 0} : Ints{before, after}},
                         {"count_include_pad", true}});
  means = ApplyOp("Reshape", {means, ApplyOp("Shape", {x})});
  const Value base = means * attrs.Get<double>("alpha") + attrs.Get<double>("bias");
  return x / ApplyOp("Pow", {base, attrs.Get<double>("beta")});
}

// --- Inference ---------------------------------------------------------------------------------------------

absl::Status CheckStashType(InferContext& c) {
  const DType stash = c.attrs().Get<DType>("stash_type");
  if (IsFloat(stash)) return absl::OkStatus();
  return c.Fail("E0102",
                absl::StrCat("attribute 'stash_type' is ", Name(stash), ", but must be ", kFloat.ToString()));
}

absl::Status InferBatch(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"epsilon", "momentum"}));
  if (c.attrs().Get<bool>("training_mode")) {
    return c.Fail("E0102", "attribute 'training_mode' is true, but statistics of batches are not computed",
                  "leave it out: x is normalised by the mean and the variance given");
  }
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  for (int i = 1; i < 5; ++i) {
    // A list is a batch of one channel.
    if (c.shape(0).rank() == 1 && c.shape(i) == Shape{1}) continue;
    if (c.shape(0).rank() == 1) {
      return c.Fail("E0201",
                    absl::StrCat("channels differ: ", c.InputText(0), ", one channel, ", c.InputText(i)));
    }
    TENFOLD_RETURN_IF_ERROR(CheckOneForEach(c, i, 1, "channels"));
  }
  return c.SetOutput(0, c.shape(0));
}

// Of x along axes [axis, rank), scale and perhaps bias.
absl::Status InferFromAxis(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"epsilon"}));
  TENFOLD_RETURN_IF_ERROR(CheckStashType(c));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  const Shape& x = c.shape(0);
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", x.rank()));
  for (int i = 1; i < c.num_inputs(); ++i) {
    if (c.has(i)) TENFOLD_RETURN_IF_ERROR(CheckBroadcastsTo(c, i, x, "x"));
  }
  std::vector<Dim> dims = x.dims();
  std::fill(dims.begin() + axis, dims.end(), Dim(1));
  for (int i = 1; i < static_cast<int>(c.op().outputs.size()); ++i) {
    TENFOLD_RETURN_IF_ERROR(c.SetOutput(i, Shape(dims)));
  }
  return c.SetOutput(0, x);
}

absl::Status InferInstance(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"epsilon"}));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 3));
  for (int i : {1, 2}) TENFOLD_RETURN_IF_ERROR(CheckOneForEach(c, i, 1, "channels"));
  return c.SetOutput(0, c.shape(0));
}

absl::Status InferGroup(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"epsilon"}));
  TENFOLD_RETURN_IF_ERROR(CheckStashType(c));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 2));
  for (int i : {1, 2}) TENFOLD_RETURN_IF_ERROR(CheckOneForEach(c, i, 1, "channels"));
  const int64_t groups = c.attrs().Get<int64_t>("num_groups");
  if (groups < 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'num_groups' is ", groups, ", but must be at least 1"));
  }
  if (!Dim::DivideExactly(c.shape(0).dim(1), groups)) {
    return c.Fail("E0212", absl::StrCat("the ", c.shape(0).dim(1).ToString(), " channels of ", c.InputText(0),
                                        " do not split into ", groups, " groups"));
  }
  return c.SetOutput(0, c.shape(0));
}

absl::Status InferMeanVariance(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.Axes("axes", c.shape(0).rank()).status());
  return c.SetOutput(0, c.shape(0));
}

absl::Status InferLp(InferContext& c) {
  const int64_t p = c.attrs().Get<int64_t>("p");
  if (p != 1 && p != 2) return c.Fail("E0102", absl::StrCat("attribute 'p' is ", p, ", but must be 1 or 2"));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.Axis("axis", c.shape(0).rank()).status());
  return c.SetOutput(0, c.shape(0));
}

absl::Status InferLrn(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"alpha", "beta", "bias"}));
  const int64_t size = c.attrs().Get<int64_t>("size");
  if (size < 1)
    return c.Fail("E0102", absl::StrCat("attribute 'size' is ", size, ", but must be at least 1"));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 2));
  return c.SetOutput(0, c.shape(0));
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef Epsilon() {
  return {"epsilon", AttrKind::kFloat, AttrValue(1e-5), "added to the variance, so that it is not 0"};
}

AttrDef StashType() {
  return {
      "stash_type", AttrKind::kDType, AttrValue(DType::kF32),
      "f64: mean and variance are computed in f64, whatever x is; else in the type in which x is computed, "
      "f32 or f64"};
}

AttrDef FromAxis() {
  return {"axis", AttrKind::kInt, AttrValue(int64_t{-1}), "the first of the axes, which go on to the last"};
}

PortDef PerChannelPort(const char* name, const char* type_var, const char* doc = "[channels]") {
  return {name, type_var, kFloat, doc};
}

}  // namespace

std::vector<OpDef> NormalizationOps() {
  const PortDef x = {"x", "T", kFloat, ""}, y = {"y", "T", kFloat, ""};
  const PortDef image = {"x", "T", kFloat, "[batch, channels, dims...]"};
  const PortDef optional_bias = {.name = "bias",
                                 .type_var = "T",
                                 .dtypes = kFloat,
                                 .doc = "broadcast to x; absent: 0",
                                 .arity = Arity::kOptional};
  return {
      {.name = "BatchNormalization",
       .inputs = {image, PerChannelPort("scale", "T1"), PerChannelPort("bias", "T1"),
                  PerChannelPort("mean", "T2"), PerChannelPort("var", "T2", "[channels]: the variance")},
       .attrs = {Epsilon(),
                 {"momentum", AttrKind::kFloat, AttrValue(0.9), "of training: has no effect"},
                 {"training_mode", AttrKind::kBool, AttrValue(false), "must be false"}},
       .outputs = {y},
       .doc = "(x - mean) * (scale / sqrt(var + epsilon)) + bias, by statistics that are given: the form for "
              "inference. The others are converted to the type in which x is computed.",
       .bound = "Each operation is rounded once.",
       .infer = InferBatch,
       .computation = Composite{BuildBatch}},
      {.name = "LayerNormalization",
       .inputs = {x, {"scale", "T", kFloat, "broadcast to x"}, optional_bias},
       .attrs = {FromAxis(), Epsilon(), StashType()},
       .outputs = {y,
                   {"mean", "stash_type", kFloat, "along the axes, which have the extent 1"},
                   {"inv_std_dev", "stash_type", kFloat, "1 / sqrt(variance + epsilon)"}},
       .doc = "(x - mean) * inv_std_dev * scale + bias, by mean and variance along the last axes.",
       .bound = kBound,
       .infer = InferFromAxis,
       .computation = Composite{.build_several = BuildLayer}},
      {.name = "RMSNormalization",
       .inputs = {x, {"scale", "V", kFloat, "broadcast to x"}},
       .attrs = {FromAxis(), Epsilon(), StashType()},
       .outputs = {{"y", "V", kFloat, ""}},
       .doc = "x / sqrt(mean(x^2) + epsilon) * scale, by the mean along the last axes.",
       .bound = kBound,
       .infer = InferFromAxis,
       .computation = Composite{BuildRms}},
      {.name = "InstanceNormalization",
       .inputs = {image, PerChannelPort("scale", "T"), PerChannelPort("bias", "T")},
       .attrs = {Epsilon()},
       .outputs = {y},
       .doc = "(x - mean) / sqrt(variance + epsilon) * scale + bias, by mean and variance of each channel of "
              "each image.",
       .bound = kBound,
       .infer = InferInstance,
       .computation = Composite{BuildInstance}},
      {.name = "GroupNormalization",
       .inputs = {image, PerChannelPort("scale", "T"), PerChannelPort("bias", "T")},
       .attrs = {Epsilon(),
                 {"num_groups", AttrKind::kInt, std::nullopt, "channels are split into so many groups"},
                 StashType()},
       .outputs = {y},
       .doc = "(x - mean) / sqrt(variance + epsilon) * scale + bias, by mean and variance of each group of "
              "channels of each image.",
       .bound = kBound,
       .infer = InferGroup,
       .computation = Composite{BuildGroup}},
      {.name = "MeanVarianceNormalization",
       .inputs = {x},
       .attrs = {{"axes", AttrKind::kInts, AttrValue(Ints{0, 2, 3}),
                  "along which mean and variance are taken; empty: all"}},
       .outputs = {y},
       .doc = "(x - mean) / (sqrt(variance) + 1e-9).",
       .bound = kBound,
       .infer = InferMeanVariance,
       .computation = Composite{BuildMeanVariance}},
      {.name = "LpNormalization",
       .inputs = {x},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-1}), "the axis along which the norm is taken"},
                 {"p", AttrKind::kInt, AttrValue(int64_t{2}), "1: sum of magnitudes, 2: Euclidean"}},
       .outputs = {y},
       .doc = "x divided by its norm along an axis, ReduceL1 or ReduceL2; zeros stay zeros.",
       .bound = kBound,
       .infer = InferLp,
       .computation = Composite{BuildLp}},
      {.name = "LRN",
       .inputs = {{"x", "T", kFloat, "[batch, channels, dims...]"}},
       .attrs = {{"alpha", AttrKind::kFloat, AttrValue(1e-4), "factor of the mean of the squares"},
                 {"beta", AttrKind::kFloat, AttrValue(0.75), "the exponent"},
                 {"bias", AttrKind::kFloat, AttrValue(1.0), "added to the mean of the squares"},
                 {"size", AttrKind::kInt, std::nullopt, "how many channels a mean is taken of"}},
       .outputs = {y},
       .doc = "x / (bias + alpha * mean)^beta, where mean is that of the squares of `size` neighbouring "
              "channels, those outside counted as zeros.",
       .bound = "Follows from Pow.",
       .infer = InferLrn,
       .computation = Composite{BuildLrn}},
  };
}

}  // namespace tenfold
