// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/composing.h"

#include <cstdint>
#include <vector>

namespace tenfold {

Value PositionsAlong(Value x, int64_t axis) {
  const Value extent = ApplyOp("Reshape", {ExtentOf(x, axis), std::vector<int64_t>()});
  GraphBuilder& builder = *x.builder();
  const Value zero = builder.Const(Tensor::Scalar<int64_t>(0), ""),
              one = builder.Const(Tensor::Scalar<int64_t>(1), "");
  std::vector<int64_t> shape(x.shape().rank() - axis, 1);
  shape[0] = -1;
  return ApplyOp("Reshape", {ApplyOp("Range", {zero, extent, one}), shape});
}

}  // namespace tenfold
