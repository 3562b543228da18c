// SPDX-License-Identifier: Apache-2.0
//
// Ops that are functions of other ops. Written with ApplyOp, since the generated functions of graph/ops.h are
// made from this very list.
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// exp(x - max) / sum(exp(x - max)) along `axis`: shifted by the maximum, so that exp cannot overflow.
Value BuildSoftmax(std::span<const Value> in, const Attrs& attrs) {
  const Attrs along = {{"axes", std::vector<int64_t>{attrs.Get<int64_t>("axis")}}, {"keepdims", true}};
  const Value e = ApplyOp("Exp", {in[0] - ApplyOp("ReduceMaxShift", {in[0]}, along)});
  return e / ApplyOp("ReduceSum", {e}, along);
}

absl::Status InferAlongAxis(InferContext& c) {
  if (c.shape(0).has_rank()) TENFOLD_RETURN_IF_ERROR(c.Axis("axis", c.shape(0).rank()).status());
  return c.SetOutput(0, c.shape(0));
}

}  // namespace

std::vector<OpDef> CompositeOps() {
  return {{.name = "Softmax",
           .inputs = {{"x", "T", kFloat, ""}},
           .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-1}),
                      "the axis along which the results sum to 1"}},
           .outputs = {{"y", "T", kFloat, ""}},
           .doc = "exp(x) / sum(exp(x)) along an axis, shifted by the maximum so that nothing overflows.",
           .bound = "Follows from Exp and the order of summation.",
           .infer = InferAlongAxis,
           .computation = Composite{BuildSoftmax}}};
}

}  // namespace tenfold
