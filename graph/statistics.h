// SPDX-License-Identifier: Apache-2.0
//
// Statistics of an array: of all its values, and of those of its first columns. The same array gives the same
// bits always: values are added in row-major order, by one thread, in f64.
#ifndef TENFOLD_GRAPH_STATISTICS_H_
#define TENFOLD_GRAPH_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tenfold/graph/tensor.h"

namespace tenfold {

struct ValueStatistics {
  int64_t values = 0;
  int64_t nans = 0;
  int64_t positive_infs = 0;
  int64_t negative_infs = 0;
  int64_t zeros = 0;  // of both signs
  // Of what is no NaN, exactly; "" if there is nothing. Text as of ElementToString.
  std::string min, max;
  // Of the finite values; none if there are none. The sum of integers is exact.
  //   mean = sum(x) / n, and for floats corrected by sum(x - mean) / n
  //   stddev = sqrt((sum((x - mean)^2) - sum(x - mean)^2 / n) / n): of the population, in two passes
  std::optional<double> mean, stddev;

  int64_t finite() const { return values - nans - positive_infs - negative_infs; }
};

struct ArrayStatistics {
  ValueStatistics all;
  // Along the last axis; of an array of rank 2 and more.
  int64_t num_columns = 0;
  std::vector<ValueStatistics> columns;  // the first of them
};

// At most `max_columns` columns are listed.
ArrayStatistics Summarize(const Tensor& array, int64_t max_columns);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_STATISTICS_H_
