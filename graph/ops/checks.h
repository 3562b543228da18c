// SPDX-License-Identifier: Apache-2.0
//
// Constraints that several families state.
#ifndef TENFOLD_GRAPH_OPS_CHECKS_H_
#define TENFOLD_GRAPH_OPS_CHECKS_H_

#include <initializer_list>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
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
// The attribute `name`, a float, is an integer that a `dtype`, of integers or bool, can be (E0102).
absl::Status CheckIsOne(InferContext& c, const char* name, DType dtype);
// The integers of `dtype` are [lowest, end). As doubles both are exact.
double LowestOf(DType dtype);
double EndOf(DType dtype);

// A scalar, or a list of one.
inline bool IsOneValue(const Shape& shape) {
  return shape.rank() == 0 || (shape.rank() == 1 && shape.dim(0) == Dim(1));
}
// Input `i`, if it is there and its rank known, is one value (E0207).
absl::Status CheckOneValue(InferContext& c, int i);
// The value of an input that is one, and known while the graph is built (E0207, E0211).
absl::StatusOr<Dim> KnownValue(InferContext& c, int i);
// The attribute `name`, if it is given, is a dtype of `admitted` (E0102).
absl::Status CheckDTypeAttr(InferContext& c, const char* name, DTypeSet admitted);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_CHECKS_H_
