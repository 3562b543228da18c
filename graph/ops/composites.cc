// SPDX-License-Identifier: Apache-2.0
//
// Ops that are functions of other ops. Written with ApplyOp, since the generated functions of graph/ops.h are
// made from this very list.
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// exp(x - max) / sum(exp(x - max)) along `axis`: shifted by the maximum, so that exp cannot overflow.
Value BuildSoftmax(std::span<const Value> in, const Attrs& attrs) {
  const Attrs along = {{"axes", std::vector<int64_t>{attrs.Get<int64_t>("axis")}}, {"keepdims", true}};
  const Value e = ApplyOp("Exp", {in[0] - ApplyOp("ReduceMaxShift", {in[0]}, along)});
  return e / ApplyOp("ReduceSum", {e}, along);
}

Value BuildLogSoftmax(std::span<const Value> in, const Attrs& attrs) {
  const Attrs along = {{"axes", std::vector<int64_t>{attrs.Get<int64_t>("axis")}}, {"keepdims", true}};
  const Value shifted = in[0] - ApplyOp("ReduceMaxShift", {in[0]}, along);
  return shifted - ApplyOp("Log", {ApplyOp("ReduceSum", {ApplyOp("Exp", {shifted})}, along)});
}

Value BuildHardmax(std::span<const Value> in, const Attrs& attrs) {
  const Value x = in[0];
  if (x.shape().num_elements() == Dim(0)) return x;  // of an empty axis there is no largest element
  const int64_t axis = attrs.Get<int64_t>("axis");
  const Value largest = ApplyOp("ArgMax", {x}, {{"axis", axis}});
  const Value positions = PositionsAlong(x, axis < 0 ? axis + x.shape().rank() : axis);
  return As(ApplyOp("Equal", {positions, largest}), x.dtype());
}

std::vector<Value> BuildDropout(std::span<const Value> in, const Attrs&) {
  const Value all = in[0].builder()->Const(Tensor::Scalar(true), "");
  return {in[0], ApplyOp("Expand", {all, ApplyOp("Shape", {in[0]})})};
}

absl::Status InferDropout(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  for (int i : {1, 2}) {
    if (c.has(i) && !(c.shape(i) == Shape())) {
      return c.Fail("E0207", absl::StrCat(c.InputText(i), ", but must be one value, f32[] or the like"));
    }
  }
  if (c.has(2)) {
    const Tensor* const training = c.constant(2);
    if (training == nullptr) {
      return c.Fail("E0211", absl::StrCat(c.InputText(2), ", but must be known while the graph is built"),
                    "leave it out, or make it a Const that is false");
    }
    if (training->at<bool>(0)) {
      return c.Fail("E0102", "training_mode is true, but elements are not dropped at random",
                    "leave it out: x is passed on");
    }
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, c.shape(0)));
  return c.SetOutput(1, c.shape(0));
}

absl::Status InferAlongAxis(InferContext& c) {
  if (c.shape(0).has_rank()) TENFOLD_RETURN_IF_ERROR(c.Axis("axis", c.shape(0).rank()).status());
  return c.SetOutput(0, c.shape(0));
}

absl::Status InferHardmax(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  return InferAlongAxis(c);
}

OpDef AlongAxis(const char* name, Composite::Build build, absl::Status (*infer)(InferContext&),
                const char* axis, const char* doc, const char* bound) {
  return {.name = name,
          .inputs = {{"x", "T", kFloat, ""}},
          .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-1}), axis}},
          .outputs = {{"y", "T", kFloat, ""}},
          .doc = doc,
          .bound = bound,
          .infer = infer,
          .computation = Composite{build}};
}

}  // namespace

std::vector<OpDef> CompositeOps() {
  return {
      AlongAxis("Softmax", BuildSoftmax, InferAlongAxis, "the axis along which the results sum to 1",
                "exp(x) / sum(exp(x)) along an axis, shifted by the maximum so that nothing overflows.",
                "Follows from Exp and the order of summation."),
      AlongAxis("LogSoftmax", BuildLogSoftmax, InferAlongAxis,
                "the axis along which the exponentials of the results sum to 1",
                "x - log(sum(exp(x))) along an axis, shifted by the maximum so that nothing overflows.",
                "Follows from Exp, Log and the order of summation."),
      AlongAxis(
          "Hardmax", BuildHardmax, InferHardmax, "the axis along which one result is 1",
          "1 where the largest element along an axis stands, the first of several, and 0 elsewhere. A NaN "
          "is larger than all.",
          ""),
      {.name = "Dropout",
       .inputs = {{"x", "T", kComputed, ""},
                  {.name = "ratio",
                   .type_var = "R",
                   .dtypes = kFloat,
                   .doc = "of training: has no effect",
                   .arity = Arity::kOptional},
                  {.name = "training_mode",
                   .type_var = "B",
                   .dtypes = kBoolOnly,
                   .doc = "must be false",
                   .arity = Arity::kOptional,
                   .known = true}},
       .attrs = {OptionalAttr("seed", AttrKind::kInt, "of training: has no effect")},
       .outputs = {{"y", "T", kComputed, ""}, {"mask", "M", kBoolOnly, "what is passed on: all true"}},
       .doc = "x: nothing is dropped. The form for inference.",
       .infer = InferDropout,
       .computation = Composite{.build_several = BuildDropout, .only_moves = true}},
  };
}

}  // namespace tenfold
