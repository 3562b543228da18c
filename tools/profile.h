// SPDX-License-Identifier: Apache-2.0
//
// What --profile and --profile-table report: where the time of a run goes.
#ifndef TENFOLD_TOOLS_PROFILE_H_
#define TENFOLD_TOOLS_PROFILE_H_

#include <span>
#include <string>

#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

// Steps, the longest first, with the median of their times over the runs, their share of the sum, and what
// they reach: operations as StepWork counts them, and bytes, a second. `runs` are of the plan, and one at
// least.
std::string ProfileTable(const Plan& plan, std::span<const RunProfile> runs);

// The runs one after the other, in the trace event format that chrome://tracing and Perfetto read: a JSON
// object with "traceEvents", times in microseconds.
std::string ProfileTrace(const Plan& plan, std::span<const RunProfile> runs);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_PROFILE_H_
