// SPDX-License-Identifier: Apache-2.0
//
// Parts of tensors, and tensors made of parts.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Slice -------------------------------------------------------------------------------------------------

// No dim has so many elements: a start or an end beyond means as far as there is.
constexpr int64_t kBeyond = int64_t{1} << 62;

// What a slice takes of one dim.
struct Range {
  Dim start = 0, count;
  int64_t step = 1;
};

bool IsNonNegative(const Dim& dim) { return Max(dim, 0) == dim; }

// A start or an end, counted from the end where it is negative, brought into [low, high], where 0 or -1 is
// low and `high` is at least `low`.
absl::StatusOr<Dim> Clamped(InferContext& c, int input, const Dim& at, const Dim& extent, int low,
                            const Dim& high) {
  if (at.is_constant()) {
    if (at.constant() >= kBeyond) return high;
    if (at.constant() <= -kBeyond) return Dim(low);
    return at.constant() < 0 ? Max(at + extent, low) : Min(at, high);
  }
  if (IsNonNegative(at)) return Min(at, high);
  return c.Fail("E0211",
                absl::StrCat(c.InputText(input), " and holds ", at.ToString(),
                             ", which may be negative: then it would count from the end"),
                absl::StrCat("write ", c.op().InputPort(input).name,
                             " so that its sign is known, Max(..., 0) for example"));
}

absl::StatusOr<Range> TakenOf(InferContext& c, const Dim& extent, const Dim& start, const Dim& end,
                              int64_t step) {
  Range range;
  range.step = step;
  const bool forward = step > 0;
  const int low = forward ? 0 : -1;
  const Dim high = forward ? extent : extent - 1;
  TENFOLD_ASSIGN_OR_RETURN(range.start, Clamped(c, 1, start, extent, low, high));
  TENFOLD_ASSIGN_OR_RETURN(const Dim stop, Clamped(c, 2, end, extent, low, high));
  const Dim span = forward ? stop - range.start : range.start - stop;
  const int64_t stride = forward ? step : -step;
  if (span.is_constant()) {  // without the sum, which could overflow
    range.count = span.constant() <= 0 ? 0 : (span.constant() - 1) / stride + 1;
  } else {
    range.count = FloorDiv(span + Dim(stride - 1), stride);
    // A start within the dim is never behind its end.
    if (!(forward && stop == high)) range.count = Max(range.count, 0);
  }
  return range;
}

// The values of a list of which a part is taken.
absl::Status FollowSlice(InferContext& c, const Range& range) {
  if (!c.contents(0) || c.shape(0).rank() != 1 || !range.start.is_constant() || !range.count.is_constant())
    return absl::OkStatus();
  Contents taken;
  for (int64_t i = 0; i < range.count.constant(); ++i) {
    taken.push_back((*c.contents(0))[range.start.constant() + i * range.step]);
  }
  return c.SetContents(0, std::move(taken));
}

absl::Status InferSlice(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  const std::vector<Dim>& dims = c.shape(0).dims();
  TENFOLD_ASSIGN_OR_RETURN(const Contents starts, c.Known(1));
  TENFOLD_ASSIGN_OR_RETURN(const Contents ends, c.Known(2));
  std::vector<int64_t> listed(starts.size()), steps(starts.size(), 1);
  for (size_t i = 0; i < listed.size(); ++i) listed[i] = static_cast<int64_t>(i);
  if (c.has(3)) {
    TENFOLD_ASSIGN_OR_RETURN(listed, c.KnownInts(3));
  }
  if (c.has(4)) {
    TENFOLD_ASSIGN_OR_RETURN(steps, c.KnownInts(4));
  }
  if (ends.size() != starts.size() || listed.size() != starts.size() || steps.size() != starts.size()) {
    return c.Fail(
        "E0212", absl::StrCat("there are ", starts.size(), " starts, ", ends.size(), " ends, ", listed.size(),
                              " axes and ", steps.size(), " steps: each axis needs one of each"));
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes,
                           c.NormalizeAxes("axes", listed, static_cast<int>(dims.size())));
  std::vector<Range> ranges(dims.size());
  for (size_t d = 0; d < dims.size(); ++d) ranges[d].count = dims[d];
  for (size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0 || steps[i] == std::numeric_limits<int64_t>::min()) {
      return c.Fail("E0212", absl::StrCat("the step of axis ", axes[i], " is ", steps[i]),
                    "a step is how far it is to the next element: 1, 2, -1");
    }
    TENFOLD_ASSIGN_OR_RETURN(ranges[axes[i]], TakenOf(c, dims[axes[i]], starts[i], ends[i], steps[i]));
  }
  std::vector<Dim> strides = RowMajorStrides(dims), taken;
  Dim from = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    from = from + ranges[d].start * strides[d];
    strides[d] = strides[d] * Dim(ranges[d].step);
    taken.push_back(ranges[d].count);
  }
  const Shape shape(std::move(taken));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, shape));
  c.SetLayout(0, ViewOf(0, shape, std::move(from), std::move(strides)));
  return ranges.size() == 1 ? FollowSlice(c, ranges[0]) : absl::OkStatus();
}

// --- Split -------------------------------------------------------------------------------------------------

// The extents of the parts along the axis.
absl::StatusOr<Contents> PartsOf(InferContext& c, int axis) {
  const Dim& whole = c.shape(0).dim(axis);
  const int64_t wanted = c.attrs().Get<int64_t>("num_outputs");
  if (!c.has(1)) {
    if (wanted < 1) {
      return c.Fail("E0212",
                    wanted == 0 ? "neither how many parts there are is given, nor how large they are"
                                : absl::StrCat("num_outputs is ", wanted),
                    "write num_outputs=2, or the extents of the parts: {1, 3}");
    }
    TENFOLD_RETURN_IF_ERROR(c.SetNumOutputs(wanted));
    // All but the last are equal, and that is no larger.
    const Dim part = FloorDiv(whole + Dim(wanted - 1), wanted);
    const Dim last = whole - part * Dim(wanted - 1);
    if (last.is_constant() && last.constant() < 0) {
      return c.Fail("E0212",
                    absl::StrCat("dim ", axis, " of data is ", whole.ToString(), ", which ", wanted,
                                 " parts of ", part.ToString(), " exceed"),
                    "write the extents of the parts, which may be 0");
    }
    Contents parts(wanted, part);
    parts.back() = last;
    return parts;
  }
  TENFOLD_ASSIGN_OR_RETURN(Contents parts, c.Known(1));
  if (wanted != 0 && wanted != static_cast<int64_t>(parts.size())) {
    return c.Fail("E0212",
                  absl::StrCat("num_outputs is ", wanted, ", but split has ", parts.size(), " extents"));
  }
  Dim sum = 0;
  for (const Dim& part : parts) sum = sum + part;
  if (!(sum == whole)) {
    return c.Fail("E0212", absl::StrCat("the parts take ", sum.ToString(), " elements, but dim ", axis,
                                        " of data is ", whole.ToString()));
  }
  TENFOLD_RETURN_IF_ERROR(c.SetNumOutputs(static_cast<int64_t>(parts.size())));
  return parts;
}

absl::Status InferSplit(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", c.shape(0).rank()));
  TENFOLD_ASSIGN_OR_RETURN(const Contents parts, PartsOf(c, axis));
  const std::vector<Dim> strides = RowMajorStrides(c.shape(0).dims());
  Dim from = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::vector<Dim> dims = c.shape(0).dims();
    dims[axis] = parts[i];
    const Shape shape(std::move(dims));
    TENFOLD_RETURN_IF_ERROR(c.SetOutput(static_cast<int>(i), shape));
    c.SetLayout(static_cast<int>(i), ViewOf(0, shape, from * strides[axis], strides));
    if (c.contents(0) && c.shape(0).rank() == 1 && from.is_constant() && parts[i].is_constant()) {
      const auto begin = c.contents(0)->begin() + from.constant();
      TENFOLD_RETURN_IF_ERROR(
          c.SetContents(static_cast<int>(i), Contents(begin, begin + parts[i].constant())));
    }
    from = from + parts[i];
  }
  return absl::OkStatus();
}

// --- Concat ------------------------------------------------------------------------------------------------

absl::Status InferConcat(InferContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (!c.shape(i).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
    if (c.shape(i).rank() == c.shape(0).rank()) continue;
    return c.Fail("E0207", absl::StrCat("ranks differ: ", c.InputText(0), ", ", c.InputText(i)));
  }
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  const int rank = c.shape(0).rank();
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", rank));
  std::vector<Dim> dims = c.shape(0).dims();
  for (int i = 1; i < c.num_inputs(); ++i) {
    for (int d = 0; d < rank; ++d) {
      if (d != axis) TENFOLD_RETURN_IF_ERROR(c.SameDim(0, d, i, d, absl::StrCat("dims ", d)));
    }
    dims[axis] = dims[axis] + c.shape(i).dim(axis);
  }
  const std::vector<Dim> strides = RowMajorStrides(dims);
  Layout layout;
  Dim at = 0;
  Contents joined;
  bool known = rank == 1;
  for (int i = 0; i < c.num_inputs(); ++i) {
    const std::vector<Dim>& part = c.shape(i).dims();
    layout.pieces.push_back({i, part, 0, RowMajorStrides(part), at * strides[axis], strides});
    at = at + part[axis];
    known = known && c.contents(i).has_value();
    if (known) joined.insert(joined.end(), c.contents(i)->begin(), c.contents(i)->end());
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(dims))));
  c.SetLayout(0, std::move(layout));
  return known ? c.SetContents(0, std::move(joined)) : absl::OkStatus();
}

}  // namespace

std::vector<OpDef> SlicingOps() {
  const PortDef data = {"data", "T", kAnyType, ""};
  const auto list = [](const char* name, const char* doc, Arity arity) {
    return PortDef{
        .name = name, .type_var = "I", .dtypes = kIndex, .doc = doc, .arity = arity, .known = true};
  };
  const auto axis = [](std::optional<AttrValue> value, const char* doc) {
    return AttrDef{"axis", AttrKind::kInt, std::move(value), doc};
  };
  return {
      {.name = "Slice",
       .inputs = {data,
                  list("starts", "the first elements; negative ones count from the end", Arity::kRequired),
                  list("ends", "behind the last elements, clamped to the dims", Arity::kRequired),
                  list("axes", "whose they are; absent: the first ones", Arity::kOptional),
                  list("steps", "not 0; negative ones walk backwards; absent: 1", Arity::kOptional)},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "A box of a tensor, every so many elements, as NumPy's data[start:end:step].",
       .infer = InferSlice,
       .computation = Movement{}},
      {.name = "Split",
       .inputs = {data,
                  {.name = "split",
                   .type_var = "I",
                   .dtypes = {DType::kI64},
                   .doc = "the extents of the parts; absent: equal ones, the last maybe smaller",
                   .arity = Arity::kOptional,
                   .known = true}},
       .attrs = {axis(AttrValue(int64_t{0}), "the axis that is cut"),
                 {"num_outputs", AttrKind::kInt, AttrValue(int64_t{0}),
                  "how many parts; 0: as many as split has"}},
       .outputs =
           {{.name = "parts", .type_var = "T", .dtypes = kAnyType, .doc = "", .arity = Arity::kVariadic}},
       .doc = "Cuts a tensor along an axis.",
       .infer = InferSplit,
       .computation = Movement{}},
      {.name = "Concat",
       .inputs =
           {{.name = "inputs", .type_var = "T", .dtypes = kAnyType, .doc = "", .arity = Arity::kVariadic}},
       .attrs = {axis(std::nullopt, "the axis along which they follow one another")},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Joins tensors along an axis; their other dims are equal.",
       .infer = InferConcat,
       .computation = Movement{}},
  };
}

}  // namespace tenfold
