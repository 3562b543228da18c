// SPDX-License-Identifier: Apache-2.0
//
// What all copies of an Executable, and its Invocations, share: the plan, its code in the tiers that exist so
// far, the packed matrix products, and idle Invocations for the named form.
#ifndef TENFOLD_RUNTIME_EXECUTABLE_STATE_H_
#define TENFOLD_RUNTIME_EXECUTABLE_STATE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/contract_checker.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/runtime/device_steps.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/runtime/kernel_provider.h"
#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/run_control.h"

namespace tenfold {

// One fused kernel in its tiers. Steps that compute the same share one.
struct KernelCode {
  const FusedKernel* kernel = nullptr;
  // Null only where machine code was there from the start.
  std::unique_ptr<const KernelInterpreter> interpreter;
  // Null until there is machine code; then &machine_code, for good.
  std::atomic<const CompiledKernel*> compiled{nullptr};
  CompiledKernel machine_code;
  bool on_device = false;  // the host never runs it
};

// The matrix products that one matmul step has had so far. Creating one packs weights and generates code, so
// those of recent extents are kept.
struct MatMulCache {
  struct Entry {
    int64_t batch, m, k, n;
    bool lhs_batched, rhs_batched;
    std::shared_ptr<const MatMulKernel> kernel;  // null: the provider has none, the reference runs
  };
  static constexpr size_t kCapacity = 16;
  std::mutex mutex;
  std::vector<Entry> entries;  // most recently used last
};

// The same of convolutions.
struct ConvolutionCache {
  struct Entry {
    ConvolutionExtents extents;
    std::shared_ptr<const ConvolutionKernel> kernel;
  };
  static constexpr size_t kCapacity = 16;
  std::mutex mutex;
  std::vector<Entry> entries;
};

struct ExecutableState {
  Plan plan;
  ExecutableOptions options;
  std::shared_ptr<ThreadPool> pool;

  // Of all steps, and those of bodies; a body's own state has none.
  std::vector<std::unique_ptr<KernelCode>> kernels;
  std::vector<KernelCode*> host_kernels;                             // those that the host runs
  std::vector<KernelCode*> step_kernels;                             // by step; null for other kinds
  std::vector<std::unique_ptr<MatMulCache>> step_matmuls;            // by step; null for other kinds
  std::vector<std::unique_ptr<ConvolutionCache>> step_convolutions;  // by step; null for other kinds
  // Of control steps, by body. Steps that share a body share its state.
  std::vector<std::vector<std::shared_ptr<ExecutableState>>> step_bodies;  // by step
  bool keeps_memory = false;  // there are bodies, or results whose size only a run knows
  // By value; of constants only. Splats are written out unless every reader broadcasts them.
  std::vector<Tensor> constants;
  int64_t constant_bytes = 0;  // that those store
  // By input; empty if no input has a contract.
  std::vector<std::optional<ContractChecker>> contracts;

  // Null without a device.
  std::unique_ptr<const DeviceSteps> device_steps;
  std::unique_ptr<const DevicePlan> device_plan;

  mutable std::mutex idle_mutex;
  mutable std::vector<Invocation> idle;

  ExecutableState();
  ~ExecutableState();

  absl::Status Prepare();
  // What bodies have in common while an executable is made ready.
  struct Preparation {
    RunControl& control;
    ExecutableState& root;
    std::map<const Plan*, std::shared_ptr<ExecutableState>> bodies;
    std::set<const void*> counted;  // contents of constants
  };
  // The kernel for `spec` of matmul step `step`, from its cache if it is there; null: the reference runs.
  absl::StatusOr<std::shared_ptr<const MatMulKernel>> MatMulFor(size_t step, const MatMulSpec& spec,
                                                                RunControl& control) const;
  absl::StatusOr<std::shared_ptr<const ConvolutionKernel>> ConvolutionFor(size_t step,
                                                                          const ConvolutionSpec& spec,
                                                                          RunControl& control) const;

  // Background compilation.
  std::atomic<bool> stop_compiling{false};
  std::atomic<bool> compiling{false};
  absl::Status compile_status;  // valid once compiling is false
  std::thread compile_thread;

 private:
  // All but machine code.
  absl::Status PrepareSteps(Preparation& preparation);
  absl::Status PrepareBodies(Preparation& preparation);
  void ShareKernels(ExecutableState& root);
  absl::Status PrepareContracts();
  absl::Status KeepConstants(Preparation& preparation);
  // Counts it; E0402 or E0404 if it is too large.
  absl::Status CheckConstant(const PlanValue& value, int64_t bytes);
  absl::Status PackMatMuls(RunControl& control);
  absl::Status PackConvolutions(RunControl& control);
  absl::Status LoadOnDevice();
  absl::Status CompileAll(RunControl& control);
  void CompileInBackground();
  absl::Status CompileBatch(size_t begin, size_t end);
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_EXECUTABLE_STATE_H_
