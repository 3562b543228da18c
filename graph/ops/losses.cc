// SPDX-License-Identifier: Apache-2.0
//
// What a classifier's scores lose against labels.
#include <cstdint>
#include <string>
#include <utility>
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

enum Input { kScores, kLabels, kWeights };

// Of log probabilities [n, classes, dims...]: -weight * log probability of each label, ignored ones giving 0,
// reduced. A mean is divided by the sum of the weights of what is not ignored.
Value Loss(Value log_prob, std::span<const Value> in, const Attrs& attrs) {
  Value labels = in[kLabels];
  Value kept;  // none: all are
  if (const AttrValue* ignored = attrs.Find("ignore_index")) {
    kept = ApplyOp("Not", {ApplyOp("Equal", {labels, std::get<int64_t>(*ignored)})});
    labels = ApplyOp("Where", {kept, labels, int64_t{0}});
  }
  // A negative label is none; to Gather it would count from the end, if it were not so far away.
  const Value classes = As(ExtentOf(log_prob, 1), labels.dtype());
  const Value index = ApplyOp("Where", {ApplyOp("Less", {labels, int64_t{0}}), labels - classes, labels});
  const Value at_label = ApplyOp(
      "Squeeze",
      {ApplyOp("GatherElements", {log_prob, ApplyOp("Unsqueeze", {index, {1}})}, {{"axis", int64_t{1}}}),
       {1}});
  Value loss = -at_label;
  Value weights;
  if (IsThere(in, kWeights)) {
    weights = ApplyOp("Gather", {in[kWeights], index});
    loss = loss * weights;
  }
  const bool ignores = kept.builder() != nullptr, weighted = weights.builder() != nullptr;
  if (ignores) loss = ApplyOp("Where", {kept, loss, 0.0});
  const std::string reduction = attrs.Get<std::string>("reduction");
  if (reduction == "none") return loss;
  const Attrs to_scalar = {{"keepdims", false}};
  if (reduction == "mean" && !ignores && !weighted) return ApplyOp("ReduceMean", {loss}, to_scalar);
  const Value sum = ApplyOp("ReduceSum", {loss}, to_scalar);
  if (reduction == "sum") return sum;
  if (!weighted) weights = As(kept, loss.dtype());
  if (weighted && ignores) weights = ApplyOp("Where", {kept, weights, 0.0});
  return sum / ApplyOp("ReduceSum", {weights}, to_scalar);
}

std::vector<Value> BuildCrossEntropy(std::span<const Value> in, const Attrs& attrs) {
  const Value log_prob = ApplyOp("LogSoftmax", {in[kScores]}, {{"axis", int64_t{1}}});
  return {Loss(log_prob, in, attrs), log_prob};
}

Value BuildLikelihood(std::span<const Value> in, const Attrs& attrs) { return Loss(in[kScores], in, attrs); }

absl::Status InferLoss(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(kScores, 2));
  const Shape& scores = c.shape(kScores);
  std::vector<Dim> dims = scores.dims();
  dims.erase(dims.begin() + 1);
  const Shape labels(std::move(dims));
  if (!c.TakeShape(kLabels, labels)) {
    return c.Fail("E0201", absl::StrCat(c.InputText(kLabels), ", but must be ", labels.ToString(),
                                        ", a class for each of ", c.InputText(kScores)));
  }
  if (c.has(kWeights)) TENFOLD_RETURN_IF_ERROR(CheckOneForEach(c, kWeights, 1, "classes"));
  const int64_t ignored = c.attrs().Get<int64_t>("ignore_index");
  if (c.dtype(kLabels) == DType::kI32 && !std::in_range<int32_t>(ignored)) {
    return c.Fail("E0102", absl::StrCat("attribute 'ignore_index' is ", ignored,
                                        ", which no label is: ", c.InputText(kLabels)));
  }
  if (c.op().outputs.size() > 1) TENFOLD_RETURN_IF_ERROR(c.SetOutput(1, scores));
  return c.SetOutput(0, c.attrs().Get<std::string>("reduction") == "none" ? labels : Shape());
}

std::vector<AttrDef> LossAttrs() {
  return {OptionalAttr("ignore_index", AttrKind::kInt,
                       "a label that counts as 0, in the mean, too; it need not be a class"),
          {"reduction",
           AttrKind::kString,
           AttrValue(std::string("mean")),
           "none: a loss for each label; sum: of them all; mean: divided by the sum of their weights",
           {"none", "sum", "mean"}}};
}

std::vector<PortDef> LossInputs(const char* scores, const char* scores_doc, const char* labels,
                                const char* weights) {
  return {{scores, "T", kFloat, scores_doc},
          {labels, "I", kIndex, "[n, dims...]: classes"},
          {.name = weights,
           .type_var = "T",
           .dtypes = kFloat,
           .doc = "[classes]; absent: 1",
           .arity = Arity::kOptional}};
}

}  // namespace

std::vector<OpDef> LossOps() {
  return {
      {.name = "NegativeLogLikelihoodLoss",
       .inputs = LossInputs("x", "[n, classes, dims...]: log probabilities", "target", "weight"),
       .attrs = LossAttrs(),
       .outputs = {{"loss", "T", kFloat, ""}},
       .doc = "-weight * log probability of each label's class.",
       .bound = "Follows from the order of summation.",
       .infer = InferLoss,
       .computation = Composite{BuildLikelihood}},
      {.name = "SoftmaxCrossEntropyLoss",
       .inputs = LossInputs("scores", "[n, classes, dims...]", "labels", "weights"),
       .attrs = LossAttrs(),
       .outputs = {{"loss", "T", kFloat, ""}, {"log_prob", "T", kFloat, "LogSoftmax of the scores"}},
       .doc = "NegativeLogLikelihoodLoss of LogSoftmax along the classes.",
       .bound = "Follows from LogSoftmax and the order of summation.",
       .infer = InferLoss,
       .computation = Composite{.build_several = BuildCrossEntropy}},
  };
}

}  // namespace tenfold
