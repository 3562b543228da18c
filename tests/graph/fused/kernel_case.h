// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels with random data, run and compared with the reference.
#ifndef TENFOLD_TESTS_GRAPH_FUSED_KERNEL_CASE_H_
#define TENFOLD_TESTS_GRAPH_FUSED_KERNEL_CASE_H_

#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"

namespace tenfold {

struct KernelCase {
  FusedKernel kernel;
  SymbolValues symbols;
};

// Every form: elementwise, reductions over outer, middle and inner axes, several stages, per-row maps,
// broadcast, transposed and padded operands, empty spaces, several dtypes, divisions by zero.
KernelCase RandomKernel(std::mt19937& random);

// Runs rows [begin, end) in the interpreter; outputs go to `outputs`, or nowhere if it is empty.
KernelError RunOnce(const FusedKernel& kernel, const SymbolValues& symbols,
                    const std::vector<const void*>& inputs, int64_t begin, int64_t end,
                    std::vector<void*> outputs = {});

// Runs the kernel on random data, the rows cut into random ranges, and compares outputs and error with the
// reference, every NaN counting as one value. Bytes that no output element covers must stay as they were.
testing::AssertionResult Matches(const KernelCase& c, uint32_t seed = 0);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_FUSED_KERNEL_CASE_H_
