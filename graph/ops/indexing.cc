// SPDX-License-Identifier: Apache-2.0
//
// Elements picked by indices that are tensors themselves.
#include "tenfold/graph/ops/indexing.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Gather ------------------------------------------------------------------------------------------------

// Contents of a list picked by known indices: Gather(Shape(x), 0).
absl::Status FollowGather(InferContext& c) {
  if (!c.contents(0) || !c.contents(1) || c.shape(0).rank() != 1) return absl::OkStatus();
  const auto extent = static_cast<int64_t>(c.contents(0)->size());
  Contents picked;
  for (const Dim& index : *c.contents(1)) {
    if (!index.is_constant()) return absl::OkStatus();
    if (index.constant() < -extent || index.constant() >= extent) {
      return c.Fail("E0615", absl::StrCat("indices hold ", index.constant(), ", outside [", -extent, ", ",
                                          extent, ")"));
    }
    picked.push_back((*c.contents(0))[index.constant() + (index.constant() < 0 ? extent : 0)]);
  }
  return c.SetContents(0, std::move(picked));
}

absl::Status InferGather(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  if (!c.shape(0).has_rank() || !c.shape(1).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", c.shape(0).rank()));
  std::vector<Dim> dims(c.shape(0).dims().begin(), c.shape(0).dims().begin() + axis);
  dims.insert(dims.end(), c.shape(1).dims().begin(), c.shape(1).dims().end());
  dims.insert(dims.end(), c.shape(0).dims().begin() + axis + 1, c.shape(0).dims().end());
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(dims))));
  return FollowGather(c);
}

// A unit is a slice: what lies behind one index in one of the dims before the axis.
absl::Status RunGather(KernelContext& c) {
  const KernelTensor &data = c.input(0), &indices = c.input(1);
  const int axis = c.Axis("axis", data);
  const int64_t extent = data.dims[axis], bytes = data.Inner(axis) * data.element_size();
  return c.ForEachRange(data.Outer(axis) * indices.count, 2 + bytes / 16,
                        [&](int64_t begin, int64_t end, void*) -> absl::Status {
                          for (int64_t unit = begin; unit < end; ++unit) {
                            const int64_t outer = unit / indices.count, position = unit % indices.count;
                            const std::optional<int64_t> index = IndexInto(indices, position, extent);
                            if (!index) return BadIndex(c, position, extent);
                            std::memcpy(c.output().mutable_bytes() + unit * bytes,
                                        data.bytes() + (outer * extent + *index) * bytes, bytes);
                          }
                          return absl::OkStatus();
                        });
}

// --- GatherElements ----------------------------------------------------------------------------------------

absl::Status InferGatherElements(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckElementIndices(c));
  return c.SetOutput(0, c.shape(1));
}

absl::Status RunGatherElements(KernelContext& c) {
  const KernelTensor &data = c.input(0), &indices = c.input(1), &y = c.output();
  const int axis = c.Axis("axis", data);
  const int64_t extent = data.dims[axis], stride = data.Inner(axis), size = data.element_size();
  const Dims strides = RowMajorStrides(data.dims);
  return c.ForEachRange(y.count, 4, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    for (int64_t i = begin; i < end; ++i) {
      const std::optional<int64_t> index = IndexInto(indices, i, extent);
      if (!index) return BadIndex(c, i, extent);
      // Where it stands in data, but for the axis.
      int64_t rest = i, from = *index * stride;
      for (int d = y.rank() - 1; d >= 0; --d) {
        if (d != axis) from += rest % y.dims[d] * strides[d];
        rest /= y.dims[d];
      }
      std::memcpy(y.mutable_bytes() + i * size, data.bytes() + from * size, size);
    }
    return absl::OkStatus();
  });
}

// --- GatherND ----------------------------------------------------------------------------------------------

absl::Status InferGatherNd(InferContext& c) {
  if (!c.shape(0).has_rank() || !c.shape(1).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_ASSIGN_OR_RETURN(const int tuple, TupleLength(c, 0));
  const int64_t batch = c.attrs().Get<int64_t>("batch_dims");
  const Shape &data = c.shape(0), &indices = c.shape(1);
  if (batch < 0 || batch >= indices.rank() || batch + tuple > data.rank()) {
    return c.Fail("E0203", absl::StrCat("batch_dims is ", batch, ", but ", c.InputText(0), " and ",
                                        c.InputText(1), " whose tuples are ", tuple, " long"));
  }
  for (int d = 0; d < batch; ++d) TENFOLD_RETURN_IF_ERROR(c.SameDim(0, d, 1, d, "batch dims"));
  std::vector<Dim> dims(indices.dims().begin(), indices.dims().end() - 1);
  dims.insert(dims.end(), data.dims().begin() + batch + tuple, data.dims().end());
  return c.SetOutput(0, Shape(std::move(dims)));
}

absl::Status RunGatherNd(KernelContext& c) {
  const KernelTensor &data = c.input(0), &indices = c.input(1), &y = c.output();
  const auto batch = static_cast<int>(c.attrs().Get<int64_t>("batch_dims"));
  const int64_t tuple = indices.dims.back();
  // An empty tuple picks the whole of data, or of its batch.
  const int64_t units = tuple > 0 ? indices.count / tuple : indices.Outer(indices.rank() - 1);
  const int64_t bytes = y.count / units * y.element_size();
  int64_t batches = 1;
  for (int d = 0; d < batch; ++d) batches *= data.dims[d];
  const int64_t data_bytes = data.count / batches * data.element_size();
  return c.ForEachRange(
      units, 4 + tuple + bytes / 16, [&](int64_t begin, int64_t end, void*) -> absl::Status {
        for (int64_t unit = begin; unit < end; ++unit) {
          TENFOLD_ASSIGN_OR_RETURN(const int64_t slice, SliceAt(c, data, batch, unit));
          std::memcpy(y.mutable_bytes() + unit * bytes,
                      data.bytes() + unit / (units / batches) * data_bytes + slice * bytes, bytes);
        }
        return absl::OkStatus();
      });
}

// --- OneHot ------------------------------------------------------------------------------------------------

absl::Status InferOneHot(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_ASSIGN_OR_RETURN(const Contents depth, c.Known(1));
  if (depth.size() != 1 || (depth[0].is_constant() && depth[0].constant() < 0)) {
    return c.Fail("E0212", absl::StrCat(c.InputText(1), ", but it is one number, 0 or more"));
  }
  if (c.shape(2).has_rank() && !(c.shape(2) == Shape{2})) {
    return c.Fail("E0212", absl::StrCat(c.InputText(2), ", but it is two values: off and on"));
  }
  std::vector<Dim> dims = c.shape(0).dims();
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", c.shape(0).rank() + 1));
  dims.insert(dims.begin() + axis, depth[0]);
  return c.SetOutput(0, Shape(std::move(dims)));
}

absl::Status RunOneHot(KernelContext& c) {
  const KernelTensor &indices = c.input(0), &values = c.input(2), &y = c.output();
  const int axis = c.Axis("axis", y);
  const int64_t depth = y.dims[axis], inner = y.Inner(axis), size = y.element_size();
  const char *const off = values.bytes(), *const on = values.bytes() + size;
  return c.ForEachRange(y.count, 3, [&](int64_t begin, int64_t end, void*) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t position = i / (depth * inner) * inner + i % inner;
      const int64_t index = IndexAt(indices, position);
      const bool hot = (index < 0 ? index + depth : index) == i / inner % depth;
      std::memcpy(y.mutable_bytes() + i * size, hot ? on : off, size);
    }
    return absl::OkStatus();
  });
}

// --- ReverseSequence ---------------------------------------------------------------------------------------

absl::Status InferReverseSequence(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 2));
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  const int rank = c.shape(0).rank();
  TENFOLD_ASSIGN_OR_RETURN(const int batch, c.Axis("batch_axis", rank));
  TENFOLD_ASSIGN_OR_RETURN(const int time, c.Axis("time_axis", rank));
  if (batch == time) return c.Fail("E0203", absl::StrCat("batch_axis and time_axis are both ", batch));
  if (c.shape(1).has_rank() && c.shape(1).rank() != 1) {
    return c.Fail("E0207", absl::StrCat(c.InputText(1), ", but a list is needed"));
  }
  TENFOLD_RETURN_IF_ERROR(c.SameDim(0, batch, 1, 0, "the batch and the number of lengths"));
  return c.SetOutput(0, c.shape(0));
}

// A unit is what lies behind the later one of the two axes.
absl::Status RunReverseSequence(KernelContext& c) {
  const KernelTensor &x = c.input(0), &lengths = c.input(1), &y = c.output();
  const int batch = c.Axis("batch_axis", x), time = c.Axis("time_axis", x);
  const int last = std::max(batch, time);
  const int64_t bytes = x.Inner(last) * x.element_size(), steps = x.dims[time];
  const int64_t batch_stride = x.Inner(batch) / x.Inner(last), time_stride = x.Inner(time) / x.Inner(last);
  return c.ForEachRange(
      x.count / x.Inner(last), 4 + bytes / 16, [&](int64_t begin, int64_t end, void*) -> absl::Status {
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t b = unit / batch_stride % x.dims[batch], t = unit / time_stride % steps;
          const int64_t length = IndexAt(lengths, b);
          if (length < 0 || length > steps) return c.OutOfRange(1, "sequence_lens", b, length, 0, steps + 1);
          const int64_t from = t < length ? unit + (length - 1 - 2 * t) * time_stride : unit;
          std::memcpy(y.mutable_bytes() + unit * bytes, x.bytes() + from * bytes, bytes);
        }
        return absl::OkStatus();
      });
}

}  // namespace

std::vector<OpDef> IndexingOps() {
  const AttrDef axis = {"axis", AttrKind::kInt, AttrValue(int64_t{0}),
                        "the axis that the indices point into"};
  const PortDef data = {"data", "T", kAnyType, ""}, result = {"y", "T", kAnyType, ""};
  const PortDef indices = {"indices", "I", kIndex, "negative ones count from the end"};
  return {
      {.name = "Gather",
       .inputs = {data, indices},
       .attrs = {axis},
       .outputs = {result},
       .doc = "Picks slices along an axis: the dims of the indices stand in its place.",
       .infer = InferGather,
       .computation = HostKernel{RunGather}},
      {.name = "GatherElements",
       .inputs = {data, indices},
       .attrs = {axis},
       .outputs = {result},
       .doc = "Picks an element for each index: the one that stands where the index does, but for the axis.",
       .infer = InferGatherElements,
       .computation = HostKernel{RunGatherElements}},
      {.name = "GatherND",
       .inputs = {data,
                  {"indices", "I", {DType::kI64}, "[..., k]: tuples of k, which point into k dims of data"}},
       .attrs = {{"batch_dims", AttrKind::kInt, AttrValue(int64_t{0}),
                  "dims in front that both have in common"}},
       .outputs = {result},
       .doc = "Picks slices by tuples of indices.",
       .infer = InferGatherNd,
       .computation = HostKernel{RunGatherNd}},
      {.name = "OneHot",
       .inputs = {{"indices", "I", kIndex, "negative ones count from the end; others outside give no 1"},
                  {.name = "depth",
                   .type_var = "D",
                   .dtypes = kIndex,
                   .doc = "how long the new dim is",
                   .known = true},
                  {"values", "T", kAnyType, "off and on"}},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-1}), "where the new dim stands in the result"}},
       .outputs = {result},
       .doc = "For each index a row of one value, but for another where the index points.",
       .infer = InferOneHot,
       .computation = HostKernel{RunOneHot}},
      {.name = "ReverseSequence",
       .inputs = {{"x", "T", kAnyType, ""},
                  {"sequence_lens", "L", {DType::kI64}, "how much of each sequence"}},
       .attrs = {{"batch_axis", AttrKind::kInt, AttrValue(int64_t{1}), "which sequence"},
                 {"time_axis", AttrKind::kInt, AttrValue(int64_t{0}), "along the sequence"}},
       .outputs = {result},
       .doc = "Reverses the beginning of each sequence; the rest stays.",
       .infer = InferReverseSequence,
       .computation = HostKernel{RunReverseSequence}},
  };
}

}  // namespace tenfold
