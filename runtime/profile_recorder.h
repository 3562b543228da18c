// SPDX-License-Identifier: Apache-2.0
//
// Times the steps of one run.
#ifndef TENFOLD_RUNTIME_PROFILE_RECORDER_H_
#define TENFOLD_RUNTIME_PROFILE_RECORDER_H_

#include <chrono>
#include <cstddef>

#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

// From construction to destruction is the run. Does nothing, at the price of a branch, if there is no
// profile.
class ProfileRecorder {
 public:
  ProfileRecorder(const Plan& plan, const SymbolValues& symbols, RunProfile* profile)
      : plan_(plan), symbols_(symbols), profile_(profile) {
    if (profile_ == nullptr) [[likely]]
      return;
    profile_->steps.assign(plan.steps.size(), {});
    began_ = Clock::now();
  }
  ~ProfileRecorder() {
    if (profile_ != nullptr) profile_->nanoseconds = SinceBeginning();
  }
  ProfileRecorder(const ProfileRecorder&) = delete;
  ProfileRecorder& operator=(const ProfileRecorder&) = delete;

  bool on() const { return profile_ != nullptr; }
  void Begin(size_t step) {
    if (profile_ != nullptr) profile_->steps[step].begin = SinceBeginning();
  }
  void End(size_t step) {
    if (profile_ == nullptr) [[likely]]
      return;
    profile_->steps[step].nanoseconds = SinceBeginning() - profile_->steps[step].begin;
    profile_->steps[step].work = WorkOf(plan_, plan_.steps[step], symbols_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  int64_t SinceBeginning() const { return std::chrono::nanoseconds(Clock::now() - began_).count(); }

  const Plan& plan_;
  const SymbolValues& symbols_;
  RunProfile* const profile_;
  Clock::time_point began_;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_PROFILE_RECORDER_H_
