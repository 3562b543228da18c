// SPDX-License-Identifier: Apache-2.0
//
// Whether work that somebody waits for must end early: its deadline has passed, or it was cancelled. Polled
// by every thread between blocks and, through KernelInterrupt, inside long kernels.
#ifndef TENFOLD_RUNTIME_RUN_CONTROL_H_
#define TENFOLD_RUNTIME_RUN_CONTROL_H_

#include <atomic>
#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

// Thread-safe. Once it says stop it stays so.
class RunControl {
 public:
  // Messages call the work `what`. `cancelled` must outlive the control; null: nobody can cancel. `clock` is
  // that of RunOptions.
  RunControl(std::optional<std::chrono::steady_clock::time_point> deadline,
             const std::atomic<bool>* cancelled, RunOptions::Clock clock, const char* what)
      : what_(what),
        deadline_(deadline),
        cancelled_(cancelled),
        clock_(clock),
        armed_(deadline.has_value() || cancelled != nullptr) {}
  explicit RunControl(const RunOptions& options)
      : RunControl(options.deadline, options.cancelled, options.clock, "run") {}
  RunControl(const RunControl&) = delete;

  // False if nothing could ever stop this work, so that nobody need poll.
  bool armed() const { return armed_; }
  bool ShouldStop() { return armed_ && Poll(); }
  // What a kernel polls; null if not armed.
  const KernelInterrupt* interrupt() const { return armed_ ? &interrupt_ : nullptr; }
  // E0610 or E0611 once a poll has said stop.
  absl::Status status() const;

 private:
  enum Reason { kNone, kDeadline, kCancelled };
  bool Poll();

  const char* const what_;
  const std::optional<std::chrono::steady_clock::time_point> deadline_;
  const std::atomic<bool>* const cancelled_;
  const RunOptions::Clock clock_;
  const bool armed_;
  std::atomic<Reason> reason_{kNone};
  const KernelInterrupt interrupt_ = {
      [](void* self) -> int32_t { return static_cast<RunControl*>(self)->Poll(); }, this};
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_RUN_CONTROL_H_
