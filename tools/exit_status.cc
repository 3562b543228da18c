// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/exit_status.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "absl/strings/match.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// The gravest, where a status carries several.
ExitStatus ExitStatusOfCode(absl::string_view code, Phase phase) {
  if (absl::StartsWith(code, "E90")) return ExitStatus::kBug;
  if (absl::StartsWith(code, "E07")) return ExitStatus::kRunFailed;
  for (absl::string_view failure : {"E0404", "E0523", "E0601", "E0610", "E0611"}) {
    if (code == failure) return ExitStatus::kRunFailed;
  }
  for (absl::string_view difference : {"E0616", "E0617", "E0618"}) {
    if (code == difference) return ExitStatus::kDiffers;
  }
  if (code == "E0402" && phase == Phase::kRunning) return ExitStatus::kRunFailed;
  return ExitStatus::kRefused;
}

}  // namespace

ExitStatus ExitStatusOf(const absl::Status& status, Phase phase) {
  ExitStatus worst = ExitStatus::kDone;
  for (const Diagnostic& diagnostic : DiagnosticsOf(status)) {
    worst = std::max(worst, ExitStatusOfCode(diagnostic.code, phase));
  }
  return worst;
}

void Exit(ExitStatus status) {
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    std::fprintf(stderr, "cannot write to stdout: %s\n", std::strerror(errno));
    if (status == ExitStatus::kDone) status = ExitStatus::kRunFailed;
  }
  std::fflush(stderr);
  _exit(static_cast<int>(status));
}

}  // namespace tenfold
