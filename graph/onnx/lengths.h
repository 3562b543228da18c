// SPDX-License-Identifier: Apache-2.0
//
// Sizes that are computed in another dtype on their way.
//
// Inference follows sizes through integer ops of 64 bits, and not through narrower ones, which may wrap.
// Exporters of frameworks whose shapes are of 32 bits cast them there and back, and some clamp them as
// floats. What such a computation gives is computed once more, in 64 bits: the same for every size that fits
// the dtype between.
#ifndef TENFOLD_GRAPH_ONNX_LENGTHS_H_
#define TENFOLD_GRAPH_ONNX_LENGTHS_H_

#include <optional>

#include "absl/container/flat_hash_map.h"
#include "tenfold/graph/graph.h"

namespace tenfold::onnx {

// By the value that was looked at; nullopt: its values stay unknown.
using FollowedLengths = absl::flat_hash_map<ValueId, std::optional<ValueId>>;

// A value of i64 that inference knows the elements of, which are those of `value`; nodes are added for it,
// which have the place of those that they follow. nullopt if there is none.
std::optional<ValueId> FollowLength(Graph& graph, ValueId value, FollowedLengths& followed);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_LENGTHS_H_
