// SPDX-License-Identifier: Apache-2.0
//
// Constraints that several families state.
#ifndef TENFOLD_GRAPH_OPS_CHECKS_H_
#define TENFOLD_GRAPH_OPS_CHECKS_H_

#include <initializer_list>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// The rank of every input that is there is known (E0209).
absl::Status CheckRanksKnown(InferContext& c);
// Input `i`, which is there, broadcasts to `target`, which `what` has: "the product" (E0202).
absl::Status CheckBroadcastsTo(InferContext& c, int i, const Shape& target, absl::string_view what);
// Input `i`, which is there, is a list with one value for each element of dim `dim` of input 0: "channels"
// (E0201, E0207).
absl::Status CheckOneForEach(InferContext& c, int i, int dim, absl::string_view what);
// The attributes of these names, floats, are finite in f32, too (E0102).
absl::Status CheckFinite(InferContext& c, std::initializer_list<const char*> names);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_CHECKS_H_
