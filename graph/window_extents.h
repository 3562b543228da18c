// SPDX-License-Identifier: Apache-2.0
//
// How windows lie over one spatial dim of a tensor, in numbers: of a convolution or of pooling.
#ifndef TENFOLD_GRAPH_WINDOW_EXTENTS_H_
#define TENFOLD_GRAPH_WINDOW_EXTENTS_H_

#include <array>
#include <cstdint>

namespace tenfold {

// Window o of `output` covers the positions o * stride - pad_begin + k * dilation for k in [0, kernel), of
// which those outside [0, input) are padding. In a transposed convolution it is the other way round: input
// position i reaches the outputs i * stride - pad_begin + k * dilation.
struct WindowExtents {
  int64_t input = 1, kernel = 1, output = 1;
  int64_t stride = 1, dilation = 1;
  int64_t pad_begin = 0, pad_end = 0;

  bool operator==(const WindowExtents&) const = default;
};

// Outermost first. Fewer than three spatial dims have windows of one element before theirs.
inline constexpr int kMaxSpatialDims = 3;
using Window = std::array<WindowExtents, kMaxSpatialDims>;

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_WINDOW_EXTENTS_H_
