// SPDX-License-Identifier: Apache-2.0
//
// What reductions share, whether they are formulas or functions of others.
#ifndef TENFOLD_GRAPH_OPS_REDUCTIONS_H_
#define TENFOLD_GRAPH_OPS_REDUCTIONS_H_

#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

// `axes`, empty for all, and `keepdims`.
std::vector<AttrDef> ReductionAttrs();
absl::Status InferReduction(InferContext& c);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_REDUCTIONS_H_
