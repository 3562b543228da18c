// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/process.h"

#include <unistd.h>

#include <csignal>
#include <exception>

#include "absl/strings/string_view.h"
#include "tenfold/tools/exit_status.h"

namespace tenfold {

void PrepareProcess() {
  std::signal(SIGXFSZ, SIG_IGN);
  std::set_terminate([] {
    // No more than a system call: there may be no memory left.
    constexpr absl::string_view kMessage = "error: out of memory, or a bug; see docs/security.md\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
    _exit(static_cast<int>(ExitStatus::kBug));
  });
}

const std::atomic<bool>* CancelledByInterrupt() {
  static std::atomic<bool> cancelled = false;
  static_assert(std::atomic<bool>::is_always_lock_free);  // or a signal handler may not touch it
  struct sigaction action = {};
  action.sa_handler = [](int) { cancelled.store(true); };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  return &cancelled;
}

}  // namespace tenfold
