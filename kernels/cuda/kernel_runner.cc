// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/kernel_runner.h"

#include <utility>

#include "tenfold/graph/diagnostic.h"

namespace tenfold {

absl::StatusOr<CudaKernelRunner> CudaKernelRunner::Create(CudaDevice& device, PtxModule module) {
  TENFOLD_ASSIGN_OR_RETURN(CudaModule code, device.LoadModule(module.ptx));
  CudaKernelRunner runner(device, std::move(code), std::move(module.kernels));
  for (const DeviceKernel& kernel : runner.kernels_) {
    TENFOLD_ASSIGN_OR_RETURN(const CuFunction function, runner.code_.Function(kernel.symbol));
    runner.functions_.push_back(function);
  }
  return runner;
}

struct CudaKernelRunner::Allocations {
  std::vector<CudaBuffer> operands;
  CudaBuffer scratch, error_word;
};

absl::StatusOr<KernelError> CudaKernelRunner::Run(size_t index, std::span<const int64_t> dims,
                                                  std::span<const Tensor> inputs,
                                                  std::span<Tensor> outputs) const {
  Allocations held;
  absl::StatusOr<KernelError> error = Enqueue(index, dims, inputs, outputs, held);
  // After a failure too: copies under way still use the tensors.
  const absl::Status done = device_->Synchronize();
  if (error.ok() && !done.ok()) return done;
  return error;
}

absl::StatusOr<KernelError> CudaKernelRunner::Enqueue(size_t index, std::span<const int64_t> dims,
                                                      std::span<const Tensor> inputs,
                                                      std::span<Tensor> outputs, Allocations& held) const {
  const DeviceKernel& kernel = kernels_[index];
  const auto upload = [&](const Tensor& tensor, std::vector<CuDevicePtr>& addresses) -> absl::Status {
    TENFOLD_ASSIGN_OR_RETURN(CudaBuffer buffer, device_->Allocate(tensor.stored_bytes()));
    addresses.push_back(buffer.address());
    held.operands.push_back(std::move(buffer));
    return device_->CopyIn(addresses.back(), tensor.data(), tensor.stored_bytes());
  };
  std::vector<CuDevicePtr> input_addresses, output_addresses;
  for (const Tensor& tensor : inputs) TENFOLD_RETURN_IF_ERROR(upload(tensor, input_addresses));
  for (const Tensor& tensor : outputs) TENFOLD_RETURN_IF_ERROR(upload(tensor, output_addresses));

  const LaunchShape shape = ShapeOfLaunch(kernel, dims, device_->info().multiprocessors);
  TENFOLD_ASSIGN_OR_RETURN(held.scratch, device_->Allocate(shape.scratch_bytes));
  if (kernel.can_fail) {
    TENFOLD_ASSIGN_OR_RETURN(held.error_word, device_->Allocate(sizeof(CudaErrorWord)));
    TENFOLD_RETURN_IF_ERROR(device_->ClearErrorWords(held.error_word.address(), 1));
  }
  const DeviceCall call = {.inputs = input_addresses,
                           .outputs = output_addresses,
                           .dims = dims,
                           .scratch = held.scratch.address(),
                           .error_word = held.error_word.address()};
  TENFOLD_RETURN_IF_ERROR(LaunchDeviceKernel(*device_, kernel, functions_[index], call));
  for (size_t i = 0; i < outputs.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(
        device_->CopyOut(outputs[i].mutable_data(), output_addresses[i], outputs[i].stored_bytes()));
  }
  KernelError error = DecodeErrorWord(kNoCudaError);
  if (kernel.can_fail) {
    TENFOLD_RETURN_IF_ERROR(device_->ReadErrorWords(held.error_word.address(), {&error, 1}));
  }
  return error;
}

}  // namespace tenfold
