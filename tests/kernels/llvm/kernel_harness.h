// SPDX-License-Identifier: Apache-2.0
//
// Runs a fused kernel through the interpreter and as machine code, and compares every byte that either may
// have written.
#ifndef TENFOLD_TESTS_KERNELS_LLVM_KERNEL_HARNESS_H_
#define TENFOLD_TESTS_KERNELS_LLVM_KERNEL_HARNESS_H_

#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/runtime/kernel_provider.h"
#include "tenfold/tests/float_bits.h"

namespace tenfold::testing {

// --- building

FusedKernel::Source Input(int index);
FusedKernel::Source StageOutput(int stage, int output = 0);
ScalarProgram Program(std::vector<DType> inputs,
                      const std::function<std::vector<Scalar>(std::span<const Scalar>)>& formula);
FusedKernel::Stage Map(ScalarProgram program, std::vector<FusedKernel::Source> inputs, bool per_row = false);

enum class Reduction { kSum, kProduct, kMin, kMax, kAnd, kOr };
bool Reduces(Reduction reduction, DType type);
FusedKernel::Stage Reduce(Reduction reduction, DType type, FusedKernel::Source input);

std::vector<Dim> ToDims(const std::vector<int64_t>& values);
// Row-major strides of a dense array.
std::vector<int64_t> DenseStrides(const std::vector<int64_t>& extents);

// The kernel with every dim a symbol, except strides 0 and 1: code that knows nothing of the sizes.
FusedKernel WithSymbols(const FusedKernel& kernel);

// --- running

struct RunOptions {
  bool nans = true;          // whether inputs hold some
  int64_t rows_a_block = 0;  // 0: one block
};

// Compares interpreter and code for random inputs with many special values; reports through GoogleTest.
// `dims` are the values of kernel.DimExpressions().
void ExpectSameBits(const FusedKernel& kernel, const std::vector<int64_t>& dims,
                    const CompiledKernel& compiled, const RunOptions& options, uint32_t seed);

// Compiles each kernel, as it is and WithSymbols, for every ISA level of the host, as good and as quick code,
// and compares all.
void ExpectSameBitsEverywhere(const std::vector<FusedKernel>& kernels, const RunOptions& options = {});

// The dims of a kernel without symbols.
std::vector<int64_t> ConstantDims(const FusedKernel& kernel);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_KERNELS_LLVM_KERNEL_HARNESS_H_
