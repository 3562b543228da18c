// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/profile.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"
#include "tenfold/runtime/step_work.h"
#include "tenfold/runtime/text_table.h"
#include "tenfold/tools/timing.h"

namespace tenfold {
namespace {

using Json = nlohmann::ordered_json;

// Work in a nanosecond is 10^9 in a second. "-" for none.
std::string Rate(double work, int64_t nanoseconds) {
  if (work == 0 || nanoseconds == 0) return "-";
  return absl::StrFormat("%.3g", work / static_cast<double>(nanoseconds));
}

Json Event(const std::string& name, absl::string_view category, int64_t begin, int64_t nanoseconds,
           Json args) {
  return {{"name", name},
          {"cat", std::string(category)},
          {"ph", "X"},
          {"ts", static_cast<double>(begin) / 1e3},
          {"dur", static_cast<double>(nanoseconds) / 1e3},
          {"pid", 1},
          {"tid", 1},
          {"args", std::move(args)}};
}

}  // namespace

std::string ProfileTable(const Plan& plan, std::span<const RunProfile> runs) {
  std::vector<int64_t> medians;
  int64_t sum = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    std::vector<int64_t> times;
    for (const RunProfile& run : runs) times.push_back(run.steps[s].nanoseconds);
    medians.push_back(Summarize(std::move(times)).median);
    sum += medians.back();
  }
  std::vector<size_t> order(plan.steps.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return medians[a] > medians[b]; });

  std::vector<std::vector<std::string>> rows = {{"step", "kind", "time", "share", "GFLOP/s", "GB/s"}};
  for (size_t s : order) {
    const StepWork& work = runs[0].steps[s].work;
    const double share = sum == 0 ? 0 : 100 * static_cast<double>(medians[s]) / static_cast<double>(sum);
    rows.push_back({Describe(plan, plan.steps[s]), std::string(KindOf(plan.steps[s])),
                    DurationToString(medians[s]), absl::StrFormat("%.1f %%", share),
                    Rate(work.operations, medians[s]), Rate(work.bytes, medians[s])});
  }
  std::vector<int64_t> totals;
  for (const RunProfile& run : runs) totals.push_back(run.nanoseconds);
  const char* const medians_of = runs.size() == 1 ? "" : ", medians of ";
  return absl::StrCat(TextTable(rows, 2), "  all steps: ", DurationToString(sum),
                      "; a run: ", DurationToString(Summarize(std::move(totals)).median), medians_of,
                      runs.size() == 1 ? "" : absl::StrCat(runs.size(), " runs"), "\n");
}

std::string ProfileTrace(const Plan& plan, std::span<const RunProfile> runs) {
  Json events = Json::array();
  events.push_back({{"name", "process_name"}, {"ph", "M"}, {"pid", 1}, {"args", {{"name", plan.name}}}});
  int64_t start = 0;
  for (size_t r = 0; r < runs.size(); ++r) {
    events.push_back(Event(absl::StrCat("run ", r), "run", start, runs[r].nanoseconds, Json::object()));
    for (size_t s = 0; s < plan.steps.size(); ++s) {
      const StepProfile& step = runs[r].steps[s];
      Json nodes = Json::array();
      for (const PlanNode& node : plan.steps[s].nodes) {
        nodes.push_back(
            absl::StrCat(node.op, " ", node.name, node.location.empty() ? "" : " at ", node.location));
      }
      events.push_back(Event(Describe(plan, plan.steps[s]), KindOf(plan.steps[s]), start + step.begin,
                             step.nanoseconds,
                             {{"step", s},
                              {"nodes", std::move(nodes)},
                              {"operations", step.work.operations},
                              {"bytes", step.work.bytes}}));
    }
    start += runs[r].nanoseconds;
  }
  const Json trace = {{"traceEvents", std::move(events)}, {"displayTimeUnit", "ns"}};
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tenfold
