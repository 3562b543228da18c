// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_TESTS_CASES_SAME_MEANING_H_
#define TENFOLD_TESTS_CASES_SAME_MEANING_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"

namespace tenfold::testing {

// Feeds for every input: symbols get small values within their bounds, elements are small numbers of both
// signs, other ones for another seed. `extent` is that of the first symbol. Errors: an extent that comes out
// negative.
absl::StatusOr<NamedTensors> MakeFeeds(const Graph& graph, uint32_t seed, int64_t extent = 3);

// Evaluates both graphs node by node on the same feeds; empty if they give the same bits. `after` may give
// out more values than `before`, and what nothing needs in it does not count. Graphs with values of more than
// a million elements are not evaluated.
std::string WhereMeaningDiffers(const Graph& before, const Graph& after);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_SAME_MEANING_H_
