// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels as PTX, the text that the CUDA driver compiles for the GPU at hand. Needs no GPU and no CUDA
// toolkit. The bits are the interpreter's: the same ScalarPrograms, correctly rounded operations only, and
// the reduction order of graph/fused/fused_kernel.h.
//
//   without reduced dims   one thread an element, striding by the grid;
//   with reduced dims      one block of 64 threads a row, thread t holding accumulator t.
#ifndef TENFOLD_KERNELS_CUDA_PTX_KERNEL_H_
#define TENFOLD_KERNELS_CUDA_PTX_KERNEL_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/cuda/device_kernel.h"

namespace tenfold {

struct PtxOptions {
  // Of the GPU: 90 for 9.0. At least 80; what is above the newest GPU that LLVM knows gets code for that one,
  // which newer GPUs run.
  int compute_capability = 80;
};

// One module for all, its kernels in the order asked for: the driver's compiler has a high cost a module.
// E0704 for a kernel with more operands than a GPU kernel can have.
absl::StatusOr<PtxModule> CompileToPtx(std::span<const FusedKernel* const> kernels,
                                       const PtxOptions& options = {});

// The LLVM IR from which CompileToPtx makes PTX, for people.
absl::StatusOr<std::string> ListPtxIr(std::span<const FusedKernel* const> kernels,
                                      const PtxOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_PTX_KERNEL_H_
