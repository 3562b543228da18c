// SPDX-License-Identifier: Apache-2.0
//
// "The same bits everywhere", checked: each op at each dtype, by every executor, at every thread count and
// instruction set, against the evaluation of the graph node by node.
#ifndef TENFOLD_TESTS_BITS_SAME_BITS_H_
#define TENFOLD_TESTS_BITS_SAME_BITS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/dtype.h"

namespace tenfold::testing {

struct SameBitsOptions {
  int64_t random_elements = 10'000'000;  // a case, beside the special values
  uint64_t seed = 1;
  std::vector<int> threads = {1, 2, 3, 8};
  std::vector<std::string> ops;     // empty: all
  std::vector<std::string> dtypes;  // empty: all
};

struct SameBitsRow {
  std::string op;
  DType dtype = DType::kF32;
  int64_t special = 0, random = 0;            // elements fed: of the largest operand, over all runs
  int executors = 0;                          // whose results were compared
  int64_t results = 0;                        // elements compared
  int64_t mismatches = 0;                     // elements that differ
  std::vector<std::string> first_mismatches;  // of each executor that has any, in words
};

// One row for each op and dtype; `report` sees each as it is done. An error if something does not compile,
// run or fold, or if a chain does not become one kernel: then nothing would have been compared.
absl::StatusOr<std::vector<SameBitsRow>> CompareBits(const SameBitsOptions& options,
                                                     const std::function<void(const SameBitsRow&)>& report);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_BITS_SAME_BITS_H_
