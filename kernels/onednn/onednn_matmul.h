// SPDX-License-Identifier: Apache-2.0
//
// oneDNN behind MatMulProvider, for f32 and bf16.
//
// An implementation of MatMul's loop nest (graph/matmul_reference.h): products are accumulated in f32 in
// another order, so results differ from the reference by rounding, at most about k * 2^-24 of the sum of
// absolute products, bf16 results then being rounded once. Subnormal bf16 operands and results may count as
// zero (the bf16 instructions have no other mode), also against Inf, which then gives NaN. Otherwise NaN and
// Inf come out as from the reference. On one machine
// the bits are the same at any number of threads: the blocks follow from the extents alone, and k is never
// split between them.
#ifndef TENFOLD_KERNELS_ONEDNN_ONEDNN_MATMUL_H_
#define TENFOLD_KERNELS_ONEDNN_ONEDNN_MATMUL_H_

#include <memory>

#include "tenfold/runtime/kernel_provider.h"

namespace tenfold {

// Answers null for other dtypes, for empty extents, for products too small to be worth a call, and where
// oneDNN has no fast code for this CPU.
std::unique_ptr<MatMulProvider> CreateOneDnnMatMulProvider();

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_ONEDNN_MATMUL_H_
