// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/matmul_layout.h"

#include <algorithm>

namespace tenfold {
namespace {

using BatchDims = std::vector<Dim>;

BatchDims BatchOf(const Shape& operand) {
  const auto& dims = operand.dims();
  return dims.size() <= 2 ? BatchDims() : BatchDims(dims.begin(), dims.end() - 2);
}

// Row-major strides, in matrices, under the batch dims of the result; 0 where the operand is broadcast.
BatchDims Strides(const BatchDims& operand, const BatchDims& batch) {
  BatchDims strides(batch.size());
  Dim stride = 1;
  for (size_t d = operand.size(); d-- > 0;) {
    if (!(operand[d] == Dim(1))) strides[batch.size() - operand.size() + d] = stride;
    stride = stride * operand[d];
  }
  return strides;
}

}  // namespace

MatMulLayout LayOutMatMul(const Shape& lhs, const Shape& rhs) {
  MatMulLayout layout;
  layout.m = lhs.rank() == 1 ? Dim(1) : lhs.dim(lhs.rank() - 2);
  layout.k = lhs.dim(lhs.rank() - 1);
  layout.n = rhs.rank() == 1 ? Dim(1) : rhs.dim(rhs.rank() - 1);
  const BatchDims a = BatchOf(lhs), b = BatchOf(rhs);
  layout.batch.assign(std::max(a.size(), b.size()), Dim(1));
  for (const BatchDims& operand : {a, b}) {
    const size_t skipped = layout.batch.size() - operand.size();
    for (size_t d = 0; d < operand.size(); ++d) {
      if (!(operand[d] == Dim(1))) layout.batch[skipped + d] = operand[d];
    }
  }
  layout.lhs_strides = Strides(a, layout.batch);
  layout.rhs_strides = Strides(b, layout.batch);
  return layout;
}

}  // namespace tenfold
