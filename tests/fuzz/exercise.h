// SPDX-License-Identifier: Apache-2.0
//
// What a fuzz target does with input that was accepted: a graph that loads must also verify, compile and run,
// or say why not, within small limits.
#ifndef TENFOLD_TESTS_FUZZ_EXERCISE_H_
#define TENFOLD_TESTS_FUZZ_EXERCISE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::fuzz {

// Small enough that no input takes a second or 256 MiB.
Limits SmallLimits();

// Ends the process: a finding.
[[noreturn]] void Bug(absl::string_view what, const absl::Status& status);

// Ends the process if the status is an internal error, which no input may cause.
void CheckNotOurBug(const absl::Status& status);

// Verifies, prints, optimises and runs the graph on small feeds, with and without optimisation; the results
// must be the same bits.
void ExerciseGraph(const Graph& graph);

// A graph of the array alone and of ops on it, which folds.
void ExerciseTensor(const Tensor& tensor);

}  // namespace tenfold::fuzz

#endif  // TENFOLD_TESTS_FUZZ_EXERCISE_H_
