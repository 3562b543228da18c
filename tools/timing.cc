// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/timing.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tenfold {

TimingSummary Summarize(std::vector<int64_t> nanoseconds) {
  std::sort(nanoseconds.begin(), nanoseconds.end());
  const int64_t n = static_cast<int64_t>(nanoseconds.size());
  const auto percentile = [&](int64_t p) { return nanoseconds[(n * p + 99) / 100 - 1]; };
  return {n, nanoseconds.front(), percentile(50), percentile(95), nanoseconds.back()};
}

std::string DurationToString(int64_t nanoseconds) {
  if (nanoseconds < 1000) return absl::StrCat(nanoseconds, " ns");
  const double value = static_cast<double>(nanoseconds);
  if (nanoseconds < 1'000'000) return absl::StrFormat("%.4g us", value / 1e3);
  if (nanoseconds < 1'000'000'000) return absl::StrFormat("%.4g ms", value / 1e6);
  return absl::StrFormat("%.4g s", value / 1e9);
}

std::string TimingSummary::ToString() const {
  return absl::StrCat("min ", DurationToString(min), ", median ", DurationToString(median), ", p95 ",
                      DurationToString(p95), ", max ", DurationToString(max));
}

}  // namespace tenfold
