// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels of every form, over every dtype and primitive, with inputs: what the tests of the GPU code
// walk. The interpreter says what each must give.
#ifndef TENFOLD_TESTS_KERNELS_CUDA_KERNEL_CASES_H_
#define TENFOLD_TESTS_KERNELS_CUDA_KERNEL_CASES_H_

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::testing {

struct KernelCase {
  FusedKernel kernel;
  SymbolValues symbols;
  // Shapes of the operands; an output's is that of the tensor that is written.
  std::vector<Dims> input_dims, output_dims;
  // Every special value and random bits; else finite values of modest size.
  bool wild = false;
};
inline void PrintTo(const KernelCase& c, std::ostream* out) { *out << c.kernel.name; }

// Elementwise: each primitive and each conversion, for each dtype that has it.
std::vector<KernelCase> PrimitiveCases();
// Elementwise: strides, broadcasting, several stages, symbols and constants as extents.
std::vector<KernelCase> MapCases();
// The transcendental functions.
std::vector<KernelCase> MathCases();
// Reductions, softmax, normalisations; short, long, empty and strided rows.
std::vector<KernelCase> RowCases();
std::vector<KernelCase> AllKernelCases();

// FusedKernel::DimExpressions, evaluated.
std::vector<int64_t> EvaluateDims(const KernelCase& c);
// The same values each time.
std::vector<Tensor> MakeInputs(const KernelCase& c);
// Filled with a byte that no kernel leaves behind by accident.
std::vector<Tensor> MakeOutputs(const KernelCase& c);

// What the interpreter makes of it.
KernelError Interpret(const KernelCase& c, std::span<const Tensor> inputs, std::span<Tensor> outputs);
KernelError InterpretCall(const FusedKernel& kernel, std::span<const void* const> inputs,
                          std::span<void* const> outputs, std::span<const int64_t> dims);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_KERNELS_CUDA_KERNEL_CASES_H_
