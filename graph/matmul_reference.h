// SPDX-License-Identifier: Apache-2.0
//
// The loop nest that is MatMul's meaning, for every numeric dtype. Folding and the interpreter run it;
// library kernels are faster implementations of it, within a stated bound.
//
// Each element of the result is acc = 0; for k ascending: acc = fma(lhs[i,k], rhs[k,j], acc). f16 and bf16
// accumulate in f32 and round once at the end. Integers multiply and add modulo 2^width.
#ifndef TENFOLD_GRAPH_MATMUL_REFERENCE_H_
#define TENFOLD_GRAPH_MATMUL_REFERENCE_H_

#include <cstdint>
#include <optional>
#include <span>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/scalar/interpreter.h"

namespace tenfold {

// [batch..., m, k] x [batch..., k, n] -> [batch..., m, n], each matrix row-major and dense. For a batch
// index, an operand's matrix is its number sum(index[d] * strides[d]); stride 0 broadcasts.
struct MatMulExtents {
  std::span<const int64_t> batch;
  std::span<const int64_t> lhs_strides, rhs_strides;  // one per batch dim
  int64_t m = 0, k = 0, n = 0;

  // Rows of the result: the product of batch and m.
  int64_t num_rows() const;
};

// Computes rows [row_begin, row_end) of the result, numbered row-major over [batch..., m]. Calls for
// different rows may run at the same time. The same bits on every CPU and at every `level`, which defaults to
// the host's. `dtype` must be numeric. `interrupt` (null: none) is asked every few hundred thousand products;
// once it says so the call ends, its rows unfinished.
void MatMulReference(DType dtype, const MatMulExtents& extents, const void* lhs, const void* rhs, void* out,
                     int64_t row_begin, int64_t row_end, std::optional<IsaLevel> level = std::nullopt,
                     const KernelInterrupt* interrupt = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_MATMUL_REFERENCE_H_
