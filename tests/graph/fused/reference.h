// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels by the letter of graph/fused/fused_kernel.h: one element after another, the order of
// reductions spelt out, nothing shared with any executor. What executors are tested against.
#ifndef TENFOLD_TESTS_GRAPH_FUSED_REFERENCE_H_
#define TENFOLD_TESTS_GRAPH_FUSED_REFERENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"

namespace tenfold {

// The bit patterns of the outputs of `program`. `failed` is set if an integer division by zero occurs. Covers
// the primitives that the random kernels use.
std::vector<uint64_t> EvaluateScalar(const ScalarProgram& program, std::span<const uint64_t> inputs,
                                     bool& failed);

// Computes every row.
void RunReference(const FusedKernel& kernel, std::span<const int64_t> dims,
                  const std::vector<const void*>& inputs, const std::vector<void*>& outputs,
                  KernelError& error);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_FUSED_REFERENCE_H_
