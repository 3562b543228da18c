// SPDX-License-Identifier: Apache-2.0
//
// Which steps of a plan a device computes, and with which kernels.
#ifndef TENFOLD_RUNTIME_DEVICE_STEPS_H_
#define TENFOLD_RUNTIME_DEVICE_STEPS_H_

#include <memory>
#include <span>
#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/runtime/device_executor.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// The copy as a kernel that moves bits; only one that makes NaNs canonical looks at values.
FusedKernel MakeCopyKernel(const Piece& view, bool canonicalize_nans, const TensorType& out_type);

// Fused steps and copies of one view run on the device, all others on the host.
struct DeviceSteps {
  // `step_kernels[s]` is the kernel of fused step `s`, null for other kinds. All arguments must stay.
  DeviceSteps(const Plan& plan, std::span<const FusedKernel* const> step_kernels,
              std::span<const Tensor> constants);

  bool OnHost(size_t step) const { return program.steps[step].kernel == nullptr; }

  DeviceProgram program;
  std::vector<std::unique_ptr<const FusedKernel>> copies;  // the kernels of CopySteps
  bool any_on_host = false;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_DEVICE_STEPS_H_
