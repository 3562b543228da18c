// SPDX-License-Identifier: Apache-2.0
//
// What `--repeat` reports.
#ifndef TENFOLD_TOOLS_TIMING_H_
#define TENFOLD_TOOLS_TIMING_H_

#include <cstdint>
#include <string>
#include <vector>

namespace tenfold {

struct TimingSummary {
  int64_t runs = 0;
  int64_t min = 0, median = 0, p95 = 0, max = 0;  // nanoseconds
  // "min 1.523 us, median 1.6 us, p95 2.1 us, max 14 us".
  std::string ToString() const;
};

// Percentiles by the nearest rank: each is one of the measured values. `nanoseconds` is not empty.
TimingSummary Summarize(std::vector<int64_t> nanoseconds);

// "850 ns", "1.523 us", "14.31 ms", "2.05 s".
std::string DurationToString(int64_t nanoseconds);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_TIMING_H_
