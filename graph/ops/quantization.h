// SPDX-License-Identifier: Apache-2.0
//
// What the ops on quantized tensors have in common: value = (quantized - zero point) * scale.
#ifndef TENFOLD_GRAPH_OPS_QUANTIZATION_H_
#define TENFOLD_GRAPH_OPS_QUANTIZATION_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/composing.h"

namespace tenfold {

// Of scales.
inline constexpr DTypeSet kScale = {DType::kF16, DType::kBF16, DType::kF32};
// What is multiplied as integers.
inline constexpr DTypeSet kBytes = {DType::kI8, DType::kU8};

// x, an f32, rounded to integers, plus the zero point, with the ends of the range of `to` for what lies
// beyond it; to f8 x itself, rounded once.
Value Requantize(Value x, std::optional<Value> zero_point, DType to, bool saturate = true);

// Inputs `a` and `b`, if both are there, have one shape, or are one value each (E0201).
absl::Status CheckSameShape(InferContext& c, int a, int b);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_QUANTIZATION_H_
