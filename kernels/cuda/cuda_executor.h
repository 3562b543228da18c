// SPDX-License-Identifier: Apache-2.0
//
// Whole plans on a GPU: all kernels in one module, constants uploaded once, memory kept between runs, one
// stream. Invocations share the stream and nothing else, so they need no lock of their own.
#ifndef TENFOLD_KERNELS_CUDA_CUDA_EXECUTOR_H_
#define TENFOLD_KERNELS_CUDA_CUDA_EXECUTOR_H_

#include <functional>
#include <memory>
#include <span>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/cuda/cuda_device.h"
#include "tenfold/kernels/cuda/device_kernel.h"
#include "tenfold/runtime/device_executor.h"

namespace tenfold {

// Sees each module before the driver does: what its kernels were made from, in the same order.
using CudaCodeObserver = std::function<void(const PtxModule&, std::span<const FusedKernel* const>)>;

// Loading fails with E0704 if a kernel is too large for a GPU, and as the driver does.
std::shared_ptr<DeviceExecutor> CreateCudaExecutor(std::shared_ptr<CudaDevice> device,
                                                   CudaCodeObserver observer = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_CUDA_EXECUTOR_H_
