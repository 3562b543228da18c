// SPDX-License-Identifier: Apache-2.0
//
// The shapes of matrix products and convolutions, for all ops that have one inside.
#ifndef TENFOLD_GRAPH_OPS_CONTRACTIONS_H_
#define TENFOLD_GRAPH_OPS_CONTRACTIONS_H_

#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

// Output 0 is the matrix product of inputs `lhs` and `rhs`.
absl::Status InferMatMulOf(InferContext& c, int lhs, int rhs);

// Which inputs a convolution has; x is the first.
struct ConvolutionInputs {
  int w = 1;
  int bias = 2;  // may be absent
};
// Output 0 is a convolution, by the attributes of ConvolutionAttrs; transposed also output_padding and
// output_shape.
absl::Status InferConvolutionOf(InferContext& c, const ConvolutionInputs& inputs, bool transposed = false);
std::vector<AttrDef> ConvolutionAttrs();

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_CONTRACTIONS_H_
