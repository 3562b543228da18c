// SPDX-License-Identifier: Apache-2.0
//
// What an expert would write by hand with intrinsics, for one CPU and one thread: the bar that compiled
// kernels are measured against. AVX-512 where the CPU has it, else AVX2; free of the bit contract (own
// summation order, instructions like vscalefps), but of the same accuracy class.
#ifndef TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_H_
#define TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_H_

#include <cstdint>

namespace tenfold::handwritten {

// "avx512", "avx2", or "" where neither runs and the functions must not be called.
const char* Isa();

// All: 64-byte-aligned buffers, rows and columns multiples of 64.

// x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x^3))): the tanh form of GELU with one exponential.
void Gelu(const float* x, float* y, int64_t count);

// Softmax of each row; the division is correctly rounded, as the op's is.
void Softmax(const float* x, float* y, int64_t rows, int64_t columns);

// The same, multiplying by the reciprocal of the sum: faster, and up to an ULP off.
void SoftmaxReciprocal(const float* x, float* y, int64_t rows, int64_t columns);

void RowSums(const float* x, float* sums, int64_t rows, int64_t columns);

// Of x [outer, reduced, inner] the sums over the dim in the middle. `reduced` is a multiple of 8.
void AxisSums(const float* x, float* sums, int64_t outer, int64_t reduced, int64_t inner);

// (x - mean) / sqrt(variance + 1e-5) * scale + bias of each row, the variance by a second pass.
void LayerNorm(const float* x, const float* scale, const float* bias, float* y, int64_t rows,
               int64_t columns);

}  // namespace tenfold::handwritten

#endif  // TENFOLD_BENCHMARKS_HANDWRITTEN_KERNELS_H_
