// SPDX-License-Identifier: Apache-2.0
//
// What the files of elementwise ops share. An op is one row of its family's list; the formula is the op: the
// interpreter, the folder, both code generators and the cost model read it, so they cannot disagree.
#ifndef TENFOLD_GRAPH_OPS_ELEMENTWISE_H_
#define TENFOLD_GRAPH_OPS_ELEMENTWISE_H_

#include <initializer_list>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

// All inputs broadcast against each other.
absl::Status InferBroadcast(InferContext& c);

// As InferBroadcast, and small integers are followed through the op, so that shapes computed from shapes
// resolve. The rule gives what the op gives for integers, exactly, or nullopt; of an op with one input, a and
// b are the same.
using DimRule = std::optional<Dim> (*)(const Dim& a, const Dim& b);
absl::Status InferByRule(InferContext& c, DimRule rule);
template <DimRule rule>
absl::Status InferFollowing(InferContext& c) {
  return InferByRule(c, rule);
}
// The rule applied to all inputs of an op that takes any number, from left to right.
absl::Status InferByFolding(InferContext& c, DimRule rule);
template <DimRule rule>
absl::Status InferFolding(InferContext& c) {
  return InferByFolding(c, rule);
}

struct ElementwiseRow {
  const char* name;
  DTypeSet dtypes;  // of every input: the type variable T
  Formula formula;
  const char* doc;
  const char* bound = "";
  std::vector<AttrDef> attrs = {};
  // By default x; a, b; or a, b, c. A general formula has the one input x.
  std::vector<const char*> inputs = {};
  int optional_inputs = 0;  // so many of the last ones may be absent: Scalars without a builder
  bool any_number = false;  // of inputs, which the formula folds; the port is `inputs`
  DTypeSet result = {};     // one dtype, if it is not T
  DTypeSet in_f64 = {};     // Elementwise::in_f64
  absl::Status (*infer)(InferContext&) = InferBroadcast;
};

std::vector<OpDef> ElementwiseOpsOf(std::initializer_list<ElementwiseRow> rows);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_ELEMENTWISE_H_
