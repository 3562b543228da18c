// SPDX-License-Identifier: Apache-2.0
//
// The loop nests that are the meaning of pooling. Elements outside the input are padding, which is no
// element: it is neither a maximum nor a summand.
//
// A maximum is that of IEEE 754-2019: NaN if any element of the window is NaN, and -0 < +0; of equal elements
// the first in row-major order is the one whose index is given. A sum is, for the columns of the window
// (positions along the last dim) ascending, the sum of the columns, each of which is summed from its top,
// along the outer dims row-major. f16 and bf16 accumulate in f32 and round once at the end.
#ifndef TENFOLD_GRAPH_POOLING_REFERENCE_H_
#define TENFOLD_GRAPH_POOLING_REFERENCE_H_

#include <cstdint>
#include <optional>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/window_extents.h"

namespace tenfold {

// x is [planes, inputs...], y [planes, outputs...], row-major and dense; a plane is a channel of an image.
struct PoolingExtents {
  int64_t planes = 1;
  Window window = {};

  // The work is cut into this many units, pieces of lines of the result; 0 if it is empty.
  int64_t num_units() const;
  // Elements that a unit looks at, at most; saturates.
  int64_t unit_elements() const;
};

// Units [begin, end) of the result; calls for different units may run at the same time, with the same bits at
// every `level`. A window without elements gives the lowest value: -Inf, or the smallest integer. `dtype`
// must be numeric. `indices` (null: not wanted) are those of the elements chosen, in the whole of x, and -1
// where there is none; column_major: within a plane they count along the first spatial dim first. `interrupt`
// as in ConvolutionReference.
struct MaxPooling {
  DType dtype = DType::kF32;
  const void* x = nullptr;
  void* y = nullptr;
  int64_t* indices = nullptr;
  bool column_major = false;
};
void MaxPoolingReference(const PoolingExtents& extents, const MaxPooling& pooling, int64_t begin, int64_t end,
                         std::optional<IsaLevel> level = std::nullopt,
                         const KernelInterrupt* interrupt = nullptr);

// Sums of windows, or averages: a sum divided by the number of elements of its window, where that of padding
// may be counted too, but not what lies beyond the padding. A window without elements has the sum -0, and the
// average NaN. `dtype` must be a float.
struct SumPooling {
  DType dtype = DType::kF32;
  const void* x = nullptr;
  void* y = nullptr;
  bool average = false;
  bool count_padding = false;
};
void SumPoolingReference(const PoolingExtents& extents, const SumPooling& pooling, int64_t begin, int64_t end,
                         std::optional<IsaLevel> level = std::nullopt,
                         const KernelInterrupt* interrupt = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_POOLING_REFERENCE_H_
