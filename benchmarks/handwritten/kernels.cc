// SPDX-License-Identifier: Apache-2.0
#include "tenfold/benchmarks/handwritten/kernels.h"

#include "tenfold/benchmarks/handwritten/kernels_internal.h"

namespace tenfold::handwritten {
namespace {

const Kernels& Chosen() {
  static const Kernels kNone = {"", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
  static const Kernels& chosen =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? kAvx512Kernels
      : __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")       ? kAvx2Kernels
                                                                              : kNone;
  return chosen;
}

}  // namespace

const char* Isa() { return Chosen().isa; }
void Gelu(const float* x, float* y, int64_t count) { Chosen().gelu(x, y, count); }
void Softmax(const float* x, float* y, int64_t rows, int64_t columns) {
  Chosen().softmax(x, y, rows, columns);
}
void SoftmaxReciprocal(const float* x, float* y, int64_t rows, int64_t columns) {
  Chosen().softmax_reciprocal(x, y, rows, columns);
}
void RowSums(const float* x, float* sums, int64_t rows, int64_t columns) {
  Chosen().row_sums(x, sums, rows, columns);
}
void AxisSums(const float* x, float* sums, int64_t outer, int64_t reduced, int64_t inner) {
  Chosen().axis_sums(x, sums, outer, reduced, inner);
}
void LayerNorm(const float* x, const float* scale, const float* bias, float* y, int64_t rows,
               int64_t columns) {
  Chosen().layer_norm(x, scale, bias, y, rows, columns);
}

}  // namespace tenfold::handwritten
