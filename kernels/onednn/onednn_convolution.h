// SPDX-License-Identifier: Apache-2.0
//
// oneDNN behind ConvolutionProvider, for f32 and bf16.
//
// An implementation of the loop nest of graph/convolution_reference.h: products are accumulated in f32 in
// another order, so results differ from the reference by rounding, as those of onednn_matmul.h do, whose
// remark on subnormal bf16 operands holds here too. NaN and Inf come out as from the reference, and padding
// contributes nothing. On one machine the bits are the same at any number of threads: tasks follow from the
// extents alone, and no sum is split between them.
#ifndef TENFOLD_KERNELS_ONEDNN_ONEDNN_CONVOLUTION_H_
#define TENFOLD_KERNELS_ONEDNN_ONEDNN_CONVOLUTION_H_

#include <memory>

#include "tenfold/runtime/kernel_provider.h"

namespace tenfold {

// Answers null for other dtypes, for transposed and empty convolutions, for those too small to be worth a
// call, and where oneDNN has no fast code for this CPU or multiplies what lies in the padding.
std::unique_ptr<ConvolutionProvider> CreateOneDnnConvolutionProvider();

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_ONEDNN_CONVOLUTION_H_
