// SPDX-License-Identifier: Apache-2.0
//
// The feeds of a run, from `--input` arguments.
#ifndef TENFOLD_TOOLS_RUN_INPUTS_H_
#define TENFOLD_TOOLS_RUN_INPUTS_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/ingest_record.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/run_options.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/policy_flags.h"

namespace tenfold {

std::optional<ValueId> FindInput(const Graph& graph, absl::string_view name);
// E0602: `argument` of `flag` names no input. With the nearest, or the names that there are.
absl::Status NoSuchInput(const Graph& graph, absl::string_view flag, const NamedArgument& argument);

// A file as the input wants it, under the policy that the flags name.
absl::StatusOr<IngestedArray> ReadForInput(const NamedArgument& argument, const Graph& graph,
                                           const PolicyFlags& policies, const Limits& limits);

// The error of an argument with a note of what it is to the input: "it feeds Input 'x' (m.tnt:2:9), which is
// ...".
absl::Status WithInput(const absl::Status& error, absl::string_view role, const Graph& graph,
                       absl::string_view name);

struct RunInputs {
  NamedTensors feeds;
  // What policies did, a line an array: "x: from f64, cast=nearest: 431 of 1024 values changed, ...".
  std::vector<std::string> remarks;
  // Where each feed comes from.
  std::vector<FeedOrigin> origins;
};

// Reads files, under their policies, and literals, then makes the random ones: `random` takes its type from
// the graph, and the values of symbols from the dims of the other feeds (E0608 where none says, never a
// default). All errors are reported. Whether the shapes fit the graph is the runtime's to say.
absl::StatusOr<RunInputs> ReadInputs(std::span<const NamedArgument> arguments, const Graph& graph,
                                     const PolicyFlags& policies, uint64_t seed, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_RUN_INPUTS_H_
