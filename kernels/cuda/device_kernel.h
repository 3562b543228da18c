// SPDX-License-Identifier: Apache-2.0
//
// What one must know of a fused kernel's GPU code to launch it: plain data, made by ptx_kernel.h and kept
// beside the PTX, so that a saved executable is launched without LLVM.
//
// Parameters, 8 bytes each, in this order:
//   - the address of each input, then of each output;
//   - those of FusedKernel::DimExpressions that are not constants (`dim_params`);
//   - the address of the scratch memory, if `kept_bytes` is not empty;
//   - the address of an error word, if `can_fail` (cuda_device.h).
#ifndef TENFOLD_KERNELS_CUDA_DEVICE_KERNEL_H_
#define TENFOLD_KERNELS_CUDA_DEVICE_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/cuda/cuda_device.h"

namespace tenfold {

// Threads of a block in each form of kernel. A row kernel's thread t holds accumulator t of a reduction.
inline constexpr int kMapThreads = 256;
inline constexpr int kRowThreads = kReduceLanes;

// The driver's limit on a launch's parameters is 4096 bytes.
inline constexpr int kMaxDeviceParams = 4096 / 8;

struct DeviceKernel {
  std::string symbol;
  int num_inputs = 0;
  int num_outputs = 0;
  int rank = 0;
  int parallel_rank = 0;
  // One block a row, else one thread an element.
  bool row_kernel = false;
  bool can_fail = false;
  std::vector<int> dim_params;     // positions in DimExpressions
  std::vector<size_t> kept_bytes;  // element sizes of LoopSchedule::kept

  int num_params() const {
    return num_inputs + num_outputs + static_cast<int>(dim_params.size()) + (kept_bytes.empty() ? 0 : 1) +
           (can_fail ? 1 : 0);
  }
};

// Several kernels as one text.
struct PtxModule {
  std::string ptx;
  std::vector<DeviceKernel> kernels;
};

struct LaunchShape {
  unsigned blocks = 0;  // 0: there is nothing to compute, and nothing to launch
  unsigned threads = 0;
  size_t scratch_bytes = 0;
};

// `dims` are FusedKernel::DimExpressions, evaluated: extents first.
LaunchShape ShapeOfLaunch(const DeviceKernel& kernel, std::span<const int64_t> dims, int multiprocessors);

// What a launch reads and writes. Addresses are those of element (0, ..., 0).
struct DeviceCall {
  std::span<const CuDevicePtr> inputs;
  std::span<const CuDevicePtr> outputs;
  std::span<const int64_t> dims;
  CuDevicePtr scratch = 0;     // ShapeOfLaunch's bytes
  CuDevicePtr error_word = 0;  // only where the kernel can fail
};

// Enqueues `function`, the code of `kernel`.
absl::Status LaunchDeviceKernel(CudaDevice& device, const DeviceKernel& kernel, CuFunction function,
                                const DeviceCall& call);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_DEVICE_KERNEL_H_
