// SPDX-License-Identifier: Apache-2.0
//
// A set of fused kernels on a GPU, run one at a time on host memory: copy in, launch, copy out. The plain way
// for tests and single kernels; an executor does the same steps with memory that stays on the device.
#ifndef TENFOLD_KERNELS_CUDA_KERNEL_RUNNER_H_
#define TENFOLD_KERNELS_CUDA_KERNEL_RUNNER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/kernels/cuda/cuda_device.h"
#include "tenfold/kernels/cuda/device_kernel.h"

namespace tenfold {

class CudaKernelRunner {
 public:
  // Loads `module`, which may come from CompileToPtx or from a saved executable. `device` must outlive the
  // runner.
  static absl::StatusOr<CudaKernelRunner> Create(CudaDevice& device, PtxModule module);

  const std::vector<DeviceKernel>& kernels() const { return kernels_; }

  // Runs kernel `index`. `dims` are FusedKernel::DimExpressions, evaluated; operands start at the tensors'
  // first elements. `outputs` are allocated by the caller and overwritten; elements that the kernel does not
  // write keep their values. What the kernel reports of bad values is in the result; a Status is a failure of
  // the device.
  absl::StatusOr<KernelError> Run(size_t index, std::span<const int64_t> dims, std::span<const Tensor> inputs,
                                  std::span<Tensor> outputs) const;

 private:
  // What a run holds on the device until it is done.
  struct Allocations;

  CudaKernelRunner(CudaDevice& device, CudaModule code, std::vector<DeviceKernel> kernels)
      : device_(&device), code_(std::move(code)), kernels_(std::move(kernels)) {}
  absl::StatusOr<KernelError> Enqueue(size_t index, std::span<const int64_t> dims,
                                      std::span<const Tensor> inputs, std::span<Tensor> outputs,
                                      Allocations& held) const;

  CudaDevice* device_;
  CudaModule code_;
  std::vector<DeviceKernel> kernels_;
  std::vector<CuFunction> functions_;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_KERNEL_RUNNER_H_
