// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/run_control.h"

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

bool RunControl::Poll() {
  if (reason_.load(std::memory_order_relaxed) != kNone) return true;
  if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) {
    reason_.store(kCancelled, std::memory_order_relaxed);
    return true;
  }
  if (deadline_ && (clock_ != nullptr ? clock_() : std::chrono::steady_clock::now()) >= *deadline_) {
    reason_.store(kDeadline, std::memory_order_relaxed);
    return true;
  }
  return false;
}

absl::Status RunControl::status() const {
  switch (reason_.load(std::memory_order_relaxed)) {
    case kDeadline:
      return MakeError("E0610", absl::StrCat("the ", what_, " did not end before its deadline"));
    case kCancelled:
      return MakeError("E0611", absl::StrCat("the ", what_, " was cancelled"));
    case kNone:
      break;
  }
  return absl::OkStatus();
}

}  // namespace tenfold
