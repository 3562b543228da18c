// SPDX-License-Identifier: Apache-2.0
//
// Reductions that are functions of others. Written with ApplyOp, since the generated functions of graph/ops.h
// are made from this very list.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/reductions.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

constexpr DTypeSet kWideNumeric = kFloat | DTypeSet{DType::kI32, DType::kI64, DType::kU32, DType::kU64};

// How many elements of x make one of the result, as a scalar of x's dtype.
Value CountOf(Value x, const Attrs& attrs) {
  const int rank = x.shape().has_rank() ? x.shape().rank() : 0;
  std::vector<int64_t> axes = attrs.Get<std::vector<int64_t>>("axes");
  if (axes.empty()) {
    for (int64_t axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  std::optional<Value> count;
  Dim known = 1;
  for (int64_t& axis : axes) {
    if (axis < 0) axis += rank;
    if (x.shape().has_rank()) known = known * x.shape().dim(static_cast<int>(axis));
  }
  // A literal is part of the kernel that divides by it.
  if (x.shape().has_rank() && IsFloat(x.dtype()) && known.is_constant()) {
    return x.builder()->Const(LiteralToTensor(static_cast<double>(known.constant()), x.dtype()), "count");
  }
  for (const int64_t axis : axes) {
    const Value extent = ExtentOf(x, axis);
    count = count ? *count * extent : extent;
  }
  if (!count) return ApplyOp("Cast", {ApplyOp("Size", {x})}, {{"to", x.dtype()}});  // of a scalar
  return ApplyOp("Cast", {ApplyOp("Reshape", {*count, std::vector<int64_t>()})}, {{"to", x.dtype()}});
}

Value BuildMean(std::span<const Value> in, const Attrs& attrs) {
  return ApplyOp("ReduceSum", {in[0]}, attrs) / CountOf(in[0], attrs);
}

Value BuildL2(std::span<const Value> in, const Attrs& attrs) {
  return ApplyOp("Sqrt", {ApplyOp("ReduceSumSquare", {in[0]}, attrs)});
}

Value BuildLogSum(std::span<const Value> in, const Attrs& attrs) {
  return ApplyOp("Log", {ApplyOp("ReduceSum", {in[0]}, attrs)});
}

// log(sum(exp(x - m))) + m for the largest element m, so that nothing overflows; m is 0 where it is infinite,
// since inf - inf would be NaN.
Value BuildLogSumExp(std::span<const Value> in, const Attrs& attrs) {
  Attrs kept = attrs;
  kept.Set("keepdims", true);
  const auto finite = [](Value m) { return ApplyOp("Where", {ApplyOp("IsInf", {m}), 0.0, m}); };
  const Value m = finite(ApplyOp("ReduceMaxShift", {in[0]}, kept));
  const Value y = ApplyOp("Log", {ApplyOp("ReduceSum", {ApplyOp("Exp", {in[0] - m})}, kept)}) + m;
  if (attrs.Get<bool>("keepdims") || y.shape().rank() == 0) return y;
  std::vector<int64_t> axes = attrs.Get<std::vector<int64_t>>("axes");
  if (axes.empty()) {
    axes.resize(y.shape().rank());
    std::iota(axes.begin(), axes.end(), 0);
  }
  return ApplyOp("Squeeze", {y, axes});
}

// The first position, or the last, of the element that the extreme is; a NaN is the extreme if there is one.
Value PositionOf(Value x, const Attrs& attrs, const char* extreme) {
  const int rank = x.shape().rank();
  int64_t axis = attrs.Get<int64_t>("axis");
  if (axis < 0) axis += rank;
  const Attrs along = {{"axes", std::vector<int64_t>{axis}}, {"keepdims", true}};
  const Value best = ApplyOp(extreme, {x}, along);
  Value is_best = ApplyOp("Equal", {x, best});
  if (IsFloat(x.dtype())) is_best = ApplyOp("Or", {is_best, ApplyOp("IsNaN", {x})});
  const Value positions = PositionsAlong(x, axis);
  const Attrs out = {{"axes", std::vector<int64_t>{axis}}, {"keepdims", attrs.Get<bool>("keepdims")}};
  if (attrs.Get<bool>("select_last_index")) {
    return ApplyOp("ReduceMax", {ApplyOp("Where", {is_best, positions, int64_t{-1}})}, out);
  }
  return ApplyOp("ReduceMin", {ApplyOp("Where", {is_best, positions, std::numeric_limits<int64_t>::max()})},
                 out);
}

Value BuildArgMax(std::span<const Value> in, const Attrs& attrs) {
  return PositionOf(in[0], attrs, "ReduceMax");
}
Value BuildArgMin(std::span<const Value> in, const Attrs& attrs) {
  return PositionOf(in[0], attrs, "ReduceMin");
}

absl::Status InferPosition(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of x is not known");
  const int rank = c.shape(0).rank();
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", rank));
  if (c.shape(0).dim(axis) == Dim(0)) {
    return c.Fail("E0201", absl::StrCat("axis ", axis, " is empty: no element of ", c.shape(0).ToString(),
                                        " along it is the extreme"));
  }
  std::vector<Dim> dims = c.shape(0).dims();
  if (c.attrs().Get<bool>("keepdims")) {
    dims[axis] = 1;
  } else {
    dims.erase(dims.begin() + axis);
  }
  return c.SetOutput(0, Shape(std::move(dims)));
}

OpDef DerivedReduction(const char* name, DTypeSet dtypes, Composite::Build build, const char* doc,
                       const char* bound) {
  return {.name = name,
          .inputs = {{"x", "T", dtypes, ""}},
          .attrs = ReductionAttrs(),
          .outputs = {{"y", "T", dtypes, ""}},
          .doc = doc,
          .bound = bound,
          .infer = InferReduction,
          .computation = Composite{.build = build}};
}

OpDef PositionOp(const char* name, Composite::Build build, const char* doc) {
  return {.name = name,
          .inputs = {{"x", "T", kNumeric, ""}},
          .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{0}), "the axis along which to look"},
                    {"keepdims", AttrKind::kBool, AttrValue(true), "keeps the axis with extent 1"},
                    {"select_last_index", AttrKind::kBool, AttrValue(false),
                     "of several the last position, not the first"}},
          .outputs = {{"y", "I", {DType::kI64}, ""}},
          .doc = doc,
          .infer = InferPosition,
          .computation = Composite{.build = build}};
}

}  // namespace

std::vector<OpDef> DerivedReductionOps() {
  return {
      DerivedReduction(
          "ReduceMean", kWideNumeric, BuildMean,
          "The mean over the axes: the sum, divided by the number of elements. NaN for an empty one. "
          "Integers truncate; of an empty one the division by zero is reported.",
          "Follows from the order of summation; one more rounding."),
      DerivedReduction("ReduceL2", kFloat, BuildL2,
                       "The square root of the sum of the squares over the axes; 0 for an empty one.",
                       "Follows from the order of summation; one more rounding."),
      DerivedReduction("ReduceLogSum", kFloat, BuildLogSum,
                       "The logarithm of the sum over the axes; -inf for an empty one.",
                       "Follows from Log and the order of summation."),
      DerivedReduction(
          "ReduceLogSumExp", kFloat, BuildLogSumExp,
          "log(sum(exp(x))) over the axes, shifted by the largest element so that nothing overflows; "
          "-inf for an empty one.",
          "Follows from Exp, Log and the order of summation; absolute error at most 2 ULP of max(|result|, "
          "1) for "
          "rows of two."),
      PositionOp(
          "ArgMax", BuildArgMax,
          "Where the largest element stands along an axis; the first of several. A NaN is larger than all, "
          "as "
          "in NumPy. An axis must not be empty; of one that a run makes empty, the greatest i64 or -1."),
      PositionOp(
          "ArgMin", BuildArgMin,
          "Where the smallest element stands along an axis; the first of several. A NaN is smaller than all, "
          "as "
          "in NumPy. An axis must not be empty; of one that a run makes empty, the greatest i64 or -1."),
  };
}

}  // namespace tenfold
