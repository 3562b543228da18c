// SPDX-License-Identifier: Apache-2.0
//
// The ways in which an op is executed, for comparison.
#ifndef TENFOLD_TESTS_CASES_EXECUTORS_H_
#define TENFOLD_TESTS_CASES_EXECUTORS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tests/cases/ptx_batch.h"

namespace tenfold::testing {

struct Executor {
  const char* name;
  std::function<absl::StatusOr<std::vector<Tensor>>(const Graph& graph, const NamedTensors& feeds)> run;
};

// Run graphs by the definitions of the ops, contractions too: all must give the same bits.
// "interpreter", and the JIT's code "cpu", "cpu baseline", "cpu avx2".
const std::vector<Executor>& ExactExecutors();

// Contractions as users get them, by a library.
absl::StatusOr<std::vector<Tensor>> RunWithLibraries(const Graph& graph, const NamedTensors& feeds);

// What constant folding makes of the outputs of a graph without inputs, and what it says.
struct Folded {
  absl::StatusOr<std::vector<Tensor>> values;  // kNotFound if an output is not a constant
  std::string remarks;
};
Folded Fold(const Graph& graph);

// Makes PTX of the graph's kernels and hands them to `batch`.
absl::Status MakePtx(const Graph& graph, PtxBatch& batch);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_EXECUTORS_H_
