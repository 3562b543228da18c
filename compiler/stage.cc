// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/compile.h"

namespace tenfold {
namespace {

constexpr absl::string_view kStageNames[kNumStages] = {"source", "checked", "folded", "optimized",
                                                       "placed", "fused",   "planned"};

}  // namespace

absl::string_view Name(Stage stage) { return kStageNames[static_cast<int>(stage)]; }

std::optional<Stage> ParseStage(absl::string_view name) {
  for (int i = 0; i < kNumStages; ++i) {
    if (kStageNames[i] == name) return static_cast<Stage>(i);
  }
  return std::nullopt;
}

}  // namespace tenfold
