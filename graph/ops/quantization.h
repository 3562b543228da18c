// SPDX-License-Identifier: Apache-2.0
//
// What the ops on quantized tensors have in common: value = (quantized - zero point) * scale.
#ifndef TENFOLD_GRAPH_OPS_QUANTIZATION_H_
#define TENFOLD_GRAPH_OPS_QUANTIZATION_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"

namespace tenfold {

// Of scales.
inline constexpr DTypeSet kScale = {DType::kF16, DType::kBF16, DType::kF32};
// What is multiplied as integers.
inline constexpr DTypeSet kBytes = {DType::kI8, DType::kU8};

// True for an input that is there.
inline bool Has(std::span<const Value> in, size_t i) { return i < in.size() && in[i].builder() != nullptr; }

inline Value As(Value x, DType dtype) {
  return x.dtype() == dtype ? x : ApplyOp("Cast", {x}, {{"to", dtype}});
}

// x, an f32, rounded to integers, plus the zero point, with the ends of the range of `to` for what lies
// beyond it; to f8 x itself, rounded once.
Value Requantize(Value x, std::optional<Value> zero_point, DType to, bool saturate = true);

// Inputs `a` and `b`, if both are there, have one shape, or are one value each (E0201).
absl::Status CheckSameShape(InferContext& c, int a, int b);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_QUANTIZATION_H_
