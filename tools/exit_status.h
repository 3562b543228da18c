// SPDX-License-Identifier: Apache-2.0
//
// How the tools end: what scripts can rely on.
#ifndef TENFOLD_TOOLS_EXIT_STATUS_H_
#define TENFOLD_TOOLS_EXIT_STATUS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace tenfold {

enum class ExitStatus : uint8_t {
  kDone = 0,
  kRefused = 1,    // the input: a graph, an array, a feed
  kUsage = 2,      // the command line
  kDiffers = 3,    // a comparison failed, or --validate found something
  kRunFailed = 4,  // limits, devices, a value that no op admits, a file that cannot be written
  kBug = 70,       // ours
};

// What the tool was doing when the error came: a size that is too large is the input's fault while it is
// read, and the run's afterwards.
enum class Phase : uint8_t { kReading, kRunning };

ExitStatus ExitStatusOf(const absl::Status& status, Phase phase);

// Writes out stdout and ends the process at once, without destructors: background compilation may be under
// way, and nobody is left to want its result. kRunFailed if stdout cannot be written and `status` was kDone.
[[noreturn]] void Exit(ExitStatus status);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_EXIT_STATUS_H_
