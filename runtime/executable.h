// SPDX-License-Identifier: Apache-2.0
//
// An Executable: a Plan with the means to run it. Immutable, thread-safe, cheap to copy.
//
//   absl::StatusOr<NamedTensors> out = exe.Run({{"x", images}});     // the named form
//
//   Invocation call = exe.Prepare();                                 // the fast form, see invocation.h
//   call.SetInput(0, pixels);
//   absl::Status status = call.Run();
//   std::span<const float> probs = call.Output(0).values<float>();
#ifndef TENFOLD_RUNTIME_EXECUTABLE_H_
#define TENFOLD_RUNTIME_EXECUTABLE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/device_executor.h"
#include "tenfold/runtime/invocation.h"
#include "tenfold/runtime/kernel_provider.h"
#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/run_options.h"
#include "tenfold/runtime/thread_pool.h"

namespace tenfold {

// When fused kernels become machine code. The bits are the same.
enum class JitMode : uint8_t {
  kWait,        // all compiled before Create returns
  kBackground,  // interpreted until a thread of its own has compiled them
  kOff,         // interpreted always; needs no executable memory
};

struct ExecutableOptions {
  // Threads a run may use, the caller's included. 0: one per hardware thread. Ignored if `pool` is given.
  int threads = 0;
  // A pool to share with other executables; null: one of its own.
  std::shared_ptr<ThreadPool> pool = nullptr;

  JitMode jit = JitMode::kWait;
  // Null: everything is interpreted.
  std::shared_ptr<KernelCompiler> compiler = nullptr;
  KernelCompileOptions compile = {};
  // Null, or no answer for some extents: the reference loop nest.
  std::shared_ptr<MatMulProvider> matmuls = nullptr;
  std::shared_ptr<ConvolutionProvider> convolutions = nullptr;
  // Null: the CPU. Otherwise kernels run there (`compiler` and `jit` do not matter), and matrix products
  // here.
  std::shared_ptr<DeviceExecutor> device = nullptr;

  // Of one value that a run computes, and of its arena; E0402.
  Limits limits = {};
  // A run that would hold more bytes is refused (E0404), with the largest values, before memory is asked for.
  // What counts: constants, intermediates as planned, outputs, and the scratch of all threads. What does not:
  // feeds, which are the caller's, code, and matrices that a library has packed for itself.
  int64_t memory_limit = std::numeric_limits<int64_t>::max();

  // Create ends with E0610 or E0611 once this has passed or is true, looked at between the modules that are
  // compiled and the matrices that are packed. Runs have their own, in RunOptions.
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
  const std::atomic<bool>* cancelled = nullptr;
};

class Executable {
 public:
  // `plan` must verify and have its memory planned. Errors: those of compiling kernels (kWait) or
  // loading them on the device, packing constants, and E0402.
  static absl::StatusOr<Executable> Create(Plan plan, ExecutableOptions options = {});

  // Everything a run needs, allocated. If there is no memory for it, the Invocation's Run says so.
  Invocation Prepare() const;

  // Runs with inputs by name, in any order; gives every output, in the plan's order. Feeds are checked:
  // E0602 to E0609, and against the contracts of the inputs: E0612, E0613. Thread-safe; runs go on side by
  // side.
  absl::StatusOr<NamedTensors> Run(const NamedTensors& feeds, const RunOptions& options = {}) const;

  const Plan& plan() const;

  // Blocks until background compilation has ended, and gives its error if it had one (the executable then
  // goes on interpreting). At once in the other modes.
  absl::Status WaitForCode() const;
  // How many of the plan's fused steps run as machine code of the CPU now.
  int num_compiled_steps() const;

 private:
  friend class Invocation;
  explicit Executable(std::shared_ptr<const ExecutableState> state) : state_(std::move(state)) {}
  // Invocations of the named form are used again.
  Invocation TakeIdle() const;
  void Park(Invocation invocation) const;
  absl::StatusOr<NamedTensors> RunWith(Invocation& invocation, const NamedTensors& feeds,
                                       const RunOptions& options) const;
  std::shared_ptr<const ExecutableState> state_;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_EXECUTABLE_H_
