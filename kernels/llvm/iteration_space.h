// SPDX-License-Identifier: Apache-2.0
//
// The iteration space of a fused kernel in as few dims as its operands allow, which is what loops
// are made of.
#ifndef TENFOLD_KERNELS_LLVM_ITERATION_SPACE_H_
#define TENFOLD_KERNELS_LLVM_ITERATION_SPACE_H_

#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"

namespace tenfold {

// One loop. Neighbouring dims which every operand walks as if they were one are one loop; dims of
// extent 1 are none. The order of rows and of a row's elements stays what it was.
struct LoopDim {
  std::vector<int> dims;  // of the kernel, outermost first; the strides are those of the last
  int stride_dim() const { return dims.back(); }
};

struct IterationSpace {
  // At least one loop each, unless the kernel has no such dims.
  std::vector<LoopDim> parallel;
  std::vector<LoopDim> reduced;
};

IterationSpace CollapseDims(const FusedKernel& kernel);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_ITERATION_SPACE_H_
