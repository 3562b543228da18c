// SPDX-License-Identifier: Apache-2.0
//
// Values that come from outside, and the compiler's own grouping node.
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

absl::Status InferInputNode(InferContext& c) { return c.SetOutputType(0, c.attrs().Get<TensorType>("type")); }

absl::Status InferConstNode(InferContext& c) {
  return c.SetOutputType(0, c.attrs().Get<Tensor>("value").type());
}

absl::Status InferFusedNode(InferContext& c) {
  return c.Fail("E9001", "a fused node's types are its body's");  // Graph reads the body instead
}

}  // namespace

std::vector<OpDef> SourceOps() {
  return {
      {.name = "Input",
       .attrs = {{"type", AttrKind::kType, std::nullopt,
                  "dtype and shape, with symbols for sizes that vary"}},
       .outputs = {{"y", "type", kAnyType, ""}},
       .doc = "A tensor that every run is fed.",
       .infer = InferInputNode,
       .computation = Source{}},
      {.name = "Const",
       .attrs = {{"value", AttrKind::kTensor, std::nullopt, "the tensor"}},
       .outputs = {{"y", "value", kAnyType, ""}},
       .doc = "A tensor that is part of the graph.",
       .infer = InferConstNode,
       .computation = Source{}},
      {.name = "Fused",
       .doc = "Nodes that became one kernel.",
       .infer = InferFusedNode,
       .computation = FusedBody{},
       .is_internal = true},
  };
}

}  // namespace tenfold
