// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

namespace tenfold::testing {

KernelError InterpretCall(const FusedKernel& kernel, std::span<const void* const> inputs,
                          std::span<void* const> outputs, std::span<const int64_t> dims) {
  const ScopedFloatEnvironment environment;
  const KernelInterpreter interpreter(kernel);
  const int64_t scratch_bytes = static_cast<int64_t>(interpreter.ScratchBytes(dims));
  const int64_t scratch_dims[] = {scratch_bytes + 64};
  Tensor scratch = *Tensor::Allocate(DType::kU8, scratch_dims);
  int64_t rows = 1;
  for (int d = 0; d < kernel.parallel_rank; ++d) rows *= dims[d];
  KernelError error = {INT64_MAX, kKernelOk, 0};
  KernelCall call = {};
  call.inputs = inputs.data();
  call.outputs = outputs.data();
  call.dims = dims.data();
  call.block_begin = 0;
  call.block_end = rows;
  call.scratch = scratch.mutable_data();
  call.error = &error;
  interpreter.Run(call);
  return error;
}

KernelError Interpret(const KernelCase& c, std::span<const Tensor> inputs, std::span<Tensor> outputs) {
  std::vector<const void*> input_data;
  std::vector<void*> output_data;
  for (const Tensor& tensor : inputs) input_data.push_back(tensor.data());
  for (Tensor& tensor : outputs) output_data.push_back(tensor.mutable_data());
  return InterpretCall(c.kernel, input_data, output_data, EvaluateDims(c));
}

}  // namespace tenfold::testing
