// SPDX-License-Identifier: Apache-2.0
//
// What functions of composites are written with, beside ApplyOp.
#ifndef TENFOLD_GRAPH_OPS_COMPOSING_H_
#define TENFOLD_GRAPH_OPS_COMPOSING_H_

#include <span>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold {

// Whether the composite's optional input `i` is given.
inline bool IsThere(std::span<const Value> inputs, size_t i) {
  return i < inputs.size() && inputs[i].builder() != nullptr;
}

// x as `dtype`.
inline Value As(Value x, DType dtype) {
  return x.dtype() == dtype ? x : ApplyOp("Cast", {x}, {{"to", dtype}});
}

// The extent of one axis as an i64[1], a constant where it is one.
inline Value ExtentOf(Value x, int64_t axis) {
  return ApplyOp("Shape", {x}, {{"start", axis}, {"end", axis + 1}});
}

// 0, 1, 2 ... along axis `axis`, i64 with as many dims as x has from there on: it broadcasts along that axis.
Value PositionsAlong(Value x, int64_t axis);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_COMPOSING_H_
