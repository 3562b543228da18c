// SPDX-License-Identifier: Apache-2.0
//
// The loops of a group of nodes, and how tensors lie along them.
#ifndef TENFOLD_GRAPH_FUSED_ITERATION_SPACE_H_
#define TENFOLD_GRAPH_FUSED_ITERATION_SPACE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// For each dim of a value, the iteration dim along which it lies (a dim of extent 1 lies along one too, and
// does not move with it).
using Placement = std::vector<int>;

struct IterationSpace {
  std::vector<Dim> extents;  // parallel dims, then reduced dims
  int parallel_rank = 0;
  Placement full;  // of the full shape: its dim d is iteration dim full[d]
  Shape full_shape;

  int reduced_rank() const { return static_cast<int>(extents.size()) - parallel_rank; }
  Placement FullPlacement() const { return full; }
  // The placement of a result of the group: of the full shape, or one value a row with the reduced dims kept
  // as 1 or dropped. E0801 for any other shape.
  absl::StatusOr<Placement> PlaceResult(const Shape& shape) const;
  // Whether a reduction's result may lie so: as the full shape with kept dims, or along the parallel dims.
  bool IsRowPlacement(const Placement& placement) const;
  // Strides along the iteration dims of a tensor of `shape` with `strides`; 0 along dims that it lacks.
  std::vector<Dim> StridesAlong(const Shape& shape, const std::vector<Dim>& strides,
                                const Placement& placement) const;
};

// From the body's reductions, which must agree on their input's shape and axes; without any, the shape of its
// outputs. E0801 if they do not agree.
absl::StatusOr<IterationSpace> FindIterationSpace(const Graph& body);

// Drops dims of extent 1 and joins neighbours that every operand walks as one: fewer loops, longer inner
// ones.
void SimplifyIterationSpace(FusedKernel& kernel);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_ITERATION_SPACE_H_
