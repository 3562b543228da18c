// SPDX-License-Identifier: Apache-2.0
//
// Geometries of convolutions and pooling for tests, from a generator with a fixed seed.
#ifndef TENFOLD_TESTS_GRAPH_CONVOLUTION_RANDOM_WINDOW_H_
#define TENFOLD_TESTS_GRAPH_CONVOLUTION_RANDOM_WINDOW_H_

#include <algorithm>
#include <cstdint>
#include <random>

#include "tenfold/graph/window_extents.h"

namespace tenfold::testing {

inline int64_t Pick(std::mt19937& random, int64_t low, int64_t high) {
  return std::uniform_int_distribution<int64_t>(low, high)(random);
}

// One dim whose outputs are some of those that there can be; `widest` bounds its extents.
inline WindowExtents RandomAxis(std::mt19937& random, int64_t widest, bool transposed) {
  WindowExtents axis;
  axis.input = Pick(random, 1, widest);
  axis.kernel = Pick(random, 1, 4);
  axis.stride = Pick(random, 1, 3);
  axis.dilation = Pick(random, 1, 3);
  const int64_t reach = (axis.kernel - 1) * axis.dilation + 1;
  axis.pad_begin = Pick(random, 0, reach - 1);
  axis.pad_end = Pick(random, 0, reach - 1);
  const int64_t padded = axis.input + axis.pad_begin + axis.pad_end;
  if (transposed) {
    axis.output = std::max<int64_t>(
        1, (axis.input - 1) * axis.stride + reach - axis.pad_begin - axis.pad_end + Pick(random, 0, 2));
  } else {
    if (padded < reach) axis.input += reach - padded;
    axis.output = (axis.input + axis.pad_begin + axis.pad_end - reach) / axis.stride + 1;
  }
  return axis;
}

// `dims` spatial dims.
inline Window RandomWindow(std::mt19937& random, int dims, bool transposed = false) {
  Window window;
  for (int d = kMaxSpatialDims - dims; d < kMaxSpatialDims; ++d) {
    window[d] = RandomAxis(random, d == kMaxSpatialDims - 1 && dims < 3 ? 40 : 9, transposed);
  }
  return window;
}

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_GRAPH_CONVOLUTION_RANDOM_WINDOW_H_
