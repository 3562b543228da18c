// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_INTERNAL_H_
#define TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_INTERNAL_H_

#include <cstdint>

namespace tenfold::handwritten {

struct Kernels {
  const char* isa;
  void (*gelu)(const float*, float*, int64_t);
  void (*softmax)(const float*, float*, int64_t, int64_t);
  void (*softmax_reciprocal)(const float*, float*, int64_t, int64_t);
  void (*row_sums)(const float*, float*, int64_t, int64_t);
  void (*axis_sums)(const float*, float*, int64_t, int64_t, int64_t);
  void (*layer_norm)(const float*, const float*, const float*, float*, int64_t, int64_t);
};

extern const Kernels kAvx512Kernels;
extern const Kernels kAvx2Kernels;

}  // namespace tenfold::handwritten

#endif  // TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_INTERNAL_H_
