// SPDX-License-Identifier: Apache-2.0
//
// What ops that gather and ops that scatter have in common: how indices are checked and what they point at.
#ifndef TENFOLD_GRAPH_OPS_INDEXING_H_
#define TENFOLD_GRAPH_OPS_INDEXING_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"

namespace tenfold {

// Element `position` of `indices`, brought into [0, extent); nullopt outside [-extent, extent).
inline std::optional<int64_t> IndexInto(const KernelTensor& indices, int64_t position, int64_t extent) {
  const int64_t index = IndexAt(indices, position);
  if (index < -extent || index >= extent) return std::nullopt;
  return index < 0 ? index + extent : index;
}

// The refusal of it; indices are input 1.
absl::Status BadIndex(const KernelContext& c, int64_t position, int64_t extent);

// Inputs 0 and 1, data and indices, have the same rank, and but for the axis no index stands outside data.
absl::Status CheckElementIndices(InferContext& c);

// The length of the tuples in input 1, which point into dims of input `data`.
absl::StatusOr<int> TupleLength(InferContext& c, int data);

// The number of the slice of `data`, or of one of its batches, that tuple `unit` of input 1 points at.
absl::StatusOr<int64_t> SliceAt(const KernelContext& c, const KernelTensor& data, int batch_dims,
                                int64_t unit);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_INDEXING_H_
