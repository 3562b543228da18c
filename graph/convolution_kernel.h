// SPDX-License-Identifier: Apache-2.0
//
// The loop nest of convolutions as host kernels of Conv and ConvTranspose. The compiler knows the first one
// when it sees it, since libraries have faster code for what it computes.
#ifndef TENFOLD_GRAPH_CONVOLUTION_KERNEL_H_
#define TENFOLD_GRAPH_CONVOLUTION_KERNEL_H_

#include "absl/status/status.h"
#include "tenfold/graph/kernel_context.h"

namespace tenfold {

// Inputs are x, the weights and perhaps a bias; attributes those of LayOutConvolution.
absl::Status RunConvolution(KernelContext& context);
absl::Status RunTransposedConvolution(KernelContext& context);

inline bool IsConvolution(const HostKernel& kernel) { return kernel.run == RunConvolution; }

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONVOLUTION_KERNEL_H_
