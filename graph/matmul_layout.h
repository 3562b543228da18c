// SPDX-License-Identifier: Apache-2.0
//
// Which matrices a MatMul multiplies: its operands seen as batches of row-major matrices.
#ifndef TENFOLD_GRAPH_MATMUL_LAYOUT_H_
#define TENFOLD_GRAPH_MATMUL_LAYOUT_H_

#include <vector>

#include "tenfold/graph/dim.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// out[batch..., m, n] = lhs[m, k] x rhs[k, n]. For each batch index, an operand's matrix is number
// sum(index[d] * strides[d]) of its own; a stride that is the constant 0 broadcasts.
struct MatMulLayout {
  std::vector<Dim> batch;
  std::vector<Dim> lhs_strides, rhs_strides;  // in matrices, one per batch dim
  Dim m, k, n;
};

// The layout of `lhs x rhs`, batch dims broadcast by NumPy's rules; a vector is a row on the left and a
// column on the right. The shapes must have passed MatMul's inference.
MatMulLayout LayOutMatMul(const Shape& lhs, const Shape& rhs);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_MATMUL_LAYOUT_H_
