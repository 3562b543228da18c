// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/iteration_space.h"

#include <algorithm>
#include <utility>

#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// The axes that a reduction node reduces, sorted; its inference has checked them.
std::vector<int> ReducedAxes(const Node& node, int rank) {
  std::vector<int> axes;
  for (int64_t axis : node.attrs.Get<std::vector<int64_t>>("axes")) {
    axes.push_back(NormalizeAxis(axis, rank).value_or(0));
  }
  if (axes.empty()) {
    for (int d = 0; d < rank; ++d) axes.push_back(d);
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

// Every operand of the kernel, inputs and outputs alike.
std::vector<FusedKernel::Operand*> Operands(FusedKernel& kernel) {
  std::vector<FusedKernel::Operand*> operands;
  for (FusedKernel::Operand& input : kernel.inputs) operands.push_back(&input);
  for (FusedKernel::Output& output : kernel.outputs) operands.push_back(&output.operand);
  return operands;
}

void EraseDim(FusedKernel& kernel, int d) {
  kernel.extents.erase(kernel.extents.begin() + d);
  for (FusedKernel::Operand* operand : Operands(kernel)) operand->strides.erase(operand->strides.begin() + d);
  if (d < kernel.parallel_rank) --kernel.parallel_rank;
}

// Whether every operand moves by a whole inner dim when the outer one steps.
bool CanJoin(FusedKernel& kernel, int outer) {
  const int inner = outer + 1;
  if (outer < kernel.parallel_rank && inner >= kernel.parallel_rank) return false;
  for (const FusedKernel::Operand* operand : Operands(kernel)) {
    if (!(operand->strides[outer] == operand->strides[inner] * kernel.extents[inner])) return false;
  }
  return (kernel.extents[outer] * kernel.extents[inner]).valid();
}

}  // namespace

absl::StatusOr<Placement> IterationSpace::PlaceResult(const Shape& shape) const {
  if (shape == full_shape) return full;
  Placement row;
  std::vector<Dim> kept(full_shape.dims()), dropped;
  for (int d = 0; d < full_shape.rank(); ++d) {
    if (full[d] < parallel_rank) {
      row.push_back(full[d]);
      dropped.push_back(full_shape.dim(d));
    } else {
      kept[d] = 1;
    }
  }
  if (reduced_rank() > 0 && shape == Shape(kept)) return full;
  if (reduced_rank() > 0 && shape == Shape(dropped)) return row;
  return MakeError("E0801", "a result has neither the group's shape nor that of its reductions");
}

bool IterationSpace::IsRowPlacement(const Placement& placement) const {
  if (placement == full) return true;
  Placement row;
  for (int d : full) {
    if (d < parallel_rank) row.push_back(d);
  }
  return placement == row;
}

std::vector<Dim> IterationSpace::StridesAlong(const Shape& shape, const std::vector<Dim>& strides,
                                              const Placement& placement) const {
  std::vector<Dim> along(extents.size(), Dim(0));
  for (size_t d = 0; d < placement.size(); ++d) {
    if (!(shape.dim(static_cast<int>(d)) == Dim(1))) along[placement[d]] = along[placement[d]] + strides[d];
  }
  return along;
}

absl::StatusOr<IterationSpace> FindIterationSpace(const Graph& body) {
  if (body.outputs().empty()) return MakeError("E0801", "a group without outputs");
  IterationSpace space;
  std::vector<int> axes;
  bool reduces = false;
  for (NodeId id : body.nodes()) {
    const Node& node = body.node(id);
    if (!node.op->Is<Reduction>()) continue;
    const Shape& shape = body.value(node.inputs[0]).type.shape;
    if (!shape.has_rank()) return MakeError("E0801", "a value of unknown rank");
    std::vector<int> own = ReducedAxes(node, shape.rank());
    if (reduces && (!(shape == space.full_shape) || own != axes)) {
      return MakeError("E0801", "its reductions are over other axes or shapes");
    }
    space.full_shape = shape;
    axes = std::move(own);
    reduces = true;
  }
  if (!reduces) space.full_shape = body.value(body.outputs()[0].value).type.shape;
  if (!space.full_shape.has_rank()) return MakeError("E0801", "a value of unknown rank");

  space.full.resize(space.full_shape.rank());
  for (bool reduced : {false, true}) {
    for (int d = 0; d < space.full_shape.rank(); ++d) {
      if (std::binary_search(axes.begin(), axes.end(), d) != reduced) continue;
      space.full[d] = static_cast<int>(space.extents.size());
      space.extents.push_back(space.full_shape.dim(d));
    }
    if (!reduced) space.parallel_rank = static_cast<int>(space.extents.size());
  }
  return space;
}

void SimplifyIterationSpace(FusedKernel& kernel) {
  for (int d = kernel.rank() - 1; d >= 0; --d) {
    const bool only_reduced = d >= kernel.parallel_rank && kernel.reduced_rank() == 1;
    if (kernel.extents[d] == Dim(1) && !only_reduced) EraseDim(kernel, d);
  }
  for (int d = kernel.rank() - 2; d >= 0; --d) {
    if (!CanJoin(kernel, d)) continue;
    kernel.extents[d + 1] = kernel.extents[d] * kernel.extents[d + 1];
    EraseDim(kernel, d);  // the inner strides are those of the joined dim
  }
}

}  // namespace tenfold
