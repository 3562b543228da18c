// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tenfold/graph/fused/fused_kernel.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;

// True if `stage` needs, for its elements, a value a row that a stage from `begin` on produces. Per-row maps
// end a loop, so the producer can only be a reduction.
bool WaitsFor(const FusedKernel& kernel, const FusedKernel::Stage& stage, int begin) {
  return std::any_of(stage.inputs.begin(), stage.inputs.end(), [&](const Source& s) {
    return s.kind == Source::kStage && s.index >= begin && kernel.IsPerRow(s);
  });
}

}  // namespace

LoopSchedule ScheduleLoops(const FusedKernel& kernel) {
  LoopSchedule schedule;
  std::vector<int> loop_of(kernel.stages.size());
  for (int s = 0; s < static_cast<int>(kernel.stages.size()); ++s) {
    const FusedKernel::Stage& stage = kernel.stages[s];
    const bool joins = !schedule.loops.empty() && schedule.loops.back().per_row == stage.per_row &&
                       (stage.per_row || !WaitsFor(kernel, stage, schedule.loops.back().begin_stage));
    if (!joins) schedule.loops.push_back({s, s, stage.per_row});
    schedule.loops.back().end_stage = s + 1;
    loop_of[s] = static_cast<int>(schedule.loops.size()) - 1;
  }

  for (size_t s = 0; s < kernel.stages.size(); ++s) {
    for (const Source& input : kernel.stages[s].inputs) {
      if (input.kind != Source::kStage || kernel.IsPerRow(input)) continue;
      if (loop_of[input.index] == loop_of[s]) continue;
      if (std::find(schedule.kept.begin(), schedule.kept.end(), input) == schedule.kept.end()) {
        schedule.kept.push_back(input);
      }
    }
  }
  std::sort(schedule.kept.begin(), schedule.kept.end(), [](const Source& a, const Source& b) {
    return a.index != b.index ? a.index < b.index : a.output < b.output;
  });
  return schedule;
}

}  // namespace tenfold
