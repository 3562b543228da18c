// SPDX-License-Identifier: Apache-2.0
//
// The loop nest that is the meaning of Conv, ConvTranspose and ConvInteger. Folding and the interpreter run
// it; library kernels are faster implementations of it, within a stated bound.
//
// Each element of the result is acc = 0; for the input channels of its group ascending, for the positions of
// the kernel ascending (row-major): acc = fma(x, w, acc); at the end acc + bias. Positions in the padding are
// left out, not multiplied by 0: an infinite weight over padding makes no NaN. f16 and bf16 accumulate in f32
// and round once at the end. Integers multiply and add modulo 2^width.
#ifndef TENFOLD_GRAPH_CONVOLUTION_REFERENCE_H_
#define TENFOLD_GRAPH_CONVOLUTION_REFERENCE_H_

#include <cstdint>
#include <optional>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/window_extents.h"

namespace tenfold {

// x is [batch, groups * in_channels, inputs...], y [batch, groups * out_channels, outputs...]; w is
// [groups * out_channels, in_channels, kernels...], or transposed [groups * in_channels, out_channels,
// kernels...]. All row-major and dense.
struct ConvolutionExtents {
  int64_t batch = 1, groups = 1;
  int64_t in_channels = 1, out_channels = 1;  // of one group
  Window window = {};
  bool transposed = false;

  bool operator==(const ConvolutionExtents&) const = default;
  // The work is cut into this many units; 0 if the result is empty.
  int64_t num_units() const;
  // Multiplications of a unit, at most; saturates.
  int64_t unit_products() const;
};

struct ConvolutionOperands {
  const void* x = nullptr;
  const void* w = nullptr;
  const void* bias = nullptr;  // [groups * out_channels]; null: none
  void* y = nullptr;
};

// Computes units [unit_begin, unit_end). Calls for different units may run at the same time. The same bits on
// every CPU and at every `level`, which defaults to the host's. `dtype` is that of all operands and must be
// numeric. `interrupt` (null: none) is asked every few hundred thousand products; once it says so the call
// ends, its units unfinished.
void ConvolutionReference(DType dtype, const ConvolutionExtents& extents, const ConvolutionOperands& operands,
                          int64_t unit_begin, int64_t unit_end, std::optional<IsaLevel> level = std::nullopt,
                          const KernelInterrupt* interrupt = nullptr);

// What is subtracted from the operands of an integer convolution before they are multiplied: of the dtypes of
// x and w. null: nothing.
struct ConvolutionZeroPoints {
  const void* x = nullptr;  // one
  const void* w = nullptr;  // one, or one for each output channel
  bool per_channel = false;
};

// ConvInteger: x and w are i8 or u8, each its own; products are accumulated in i32, modulo 2^32; no bias.
// Padding contributes nothing, as if it held x's zero point.
void IntegerConvolutionReference(DType x_dtype, DType w_dtype, const ConvolutionExtents& extents,
                                 const ConvolutionOperands& operands,
                                 const ConvolutionZeroPoints& zero_points, int64_t unit_begin,
                                 int64_t unit_end, std::optional<IsaLevel> level = std::nullopt,
                                 const KernelInterrupt* interrupt = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONVOLUTION_REFERENCE_H_
