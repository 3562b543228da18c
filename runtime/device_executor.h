// SPDX-License-Identifier: Apache-2.0
//
// Running plans on a device that has memory of its own. The runtime keeps all that is the same everywhere
// (feeds, symbols, outputs, messages, the order of steps); a device gives memory, copies and launches. Steps
// that it has no code for run on the host, between copies.
//
// An executor makes a plan ready once; each Invocation then has its own context.
#ifndef TENFOLD_RUNTIME_DEVICE_EXECUTOR_H_
#define TENFOLD_RUNTIME_DEVICE_EXECUTOR_H_

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// A plan as a device sees it: fused kernels alone.
struct DeviceProgram {
  struct Step {
    const FusedKernel* kernel = nullptr;  // null: the host computes this step. Equal steps share one
    std::vector<int> inputs, outputs;     // the values behind the kernel's operands
  };
  const Plan* plan = nullptr;
  std::vector<Step> steps;            // one for each of the plan's
  std::vector<bool> reads, writes;    // by value: whether a step on the device does, an alias or a part of it
  std::span<const Tensor> constants;  // by value; may be splats where every reader broadcasts

  // Whether the device has memory for what `value` is or lies within.
  bool OnDevice(int value) const { return reads[plan->Root(value)] || writes[plan->Root(value)]; }
};

// What one run at a time holds on the device. Not thread-safe, but contexts do not disturb each other. All
// but Bind only enqueue, in the order of the calls, unless they say that they wait.
class DeviceContext {
 public:
  virtual ~DeviceContext() = default;

  // Places the values and evaluates the extents. The symbols fit the plan, and no size overflows.
  virtual absl::Status Bind(const SymbolValues& symbols) = 0;

  virtual absl::Status Begin() = 0;
  // All of a value that is on the device, or of an alias of one. Host memory must stay as it is until Wait or
  // Finish.
  virtual absl::Status CopyIn(int value, const void* from) = 0;
  virtual absl::Status CopyOut(int value, void* to) = 0;
  // Computes a step of the device.
  virtual absl::Status Launch(size_t step) = 0;
  // Waits for all that was enqueued.
  virtual absl::Status Wait() = 0;
  // Waits, and says what each step has reported since Begin; one element a step.
  virtual absl::Status Finish(std::span<KernelError> errors) = 0;
};

// A program with its code and constants on the device. Thread-safe; contexts keep it alive.
class DevicePlan {
 public:
  virtual ~DevicePlan() = default;
  virtual std::unique_ptr<DeviceContext> NewContext() const = 0;
};

class DeviceExecutor {
 public:
  virtual ~DeviceExecutor() = default;
  // `program`, and all that it refers to, must outlive the result and its contexts.
  virtual absl::StatusOr<std::unique_ptr<DevicePlan>> Load(const DeviceProgram& program) = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_DEVICE_EXECUTOR_H_
