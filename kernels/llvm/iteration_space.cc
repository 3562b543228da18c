// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/iteration_space.h"

#include <vector>

namespace tenfold {
namespace {

// Whether stepping `outer` once is stepping `inner` all through, for every operand.
bool Collapsible(const FusedKernel& kernel, int outer, int inner) {
  const auto walks_as_one = [&](const FusedKernel::Operand& operand) {
    return operand.strides[outer] == operand.strides[inner] * kernel.extents[inner];
  };
  for (const FusedKernel::Operand& input : kernel.inputs) {
    if (!walks_as_one(input)) return false;
  }
  for (const FusedKernel::Output& output : kernel.outputs) {
    if (!walks_as_one(output.operand)) return false;
  }
  return true;
}

std::vector<LoopDim> Collapse(const FusedKernel& kernel, int begin, int end) {
  std::vector<LoopDim> loops;
  for (int d = begin; d < end; ++d) {
    if (kernel.extents[d] == Dim(1)) continue;
    if (!loops.empty() && Collapsible(kernel, loops.back().stride_dim(), d)) {
      loops.back().dims.push_back(d);
    } else {
      loops.push_back({{d}});
    }
  }
  if (loops.empty() && begin < end) loops.push_back({{end - 1}});
  return loops;
}

}  // namespace

IterationSpace CollapseDims(const FusedKernel& kernel) {
  return {Collapse(kernel, 0, kernel.parallel_rank), Collapse(kernel, kernel.parallel_rank, kernel.rank())};
}

}  // namespace tenfold
