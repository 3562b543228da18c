// SPDX-License-Identifier: Apache-2.0
//
// The nodes of one graph in another: what a composite stands for, the branch that is taken.
#ifndef TENFOLD_COMPILER_INLINE_GRAPH_H_
#define TENFOLD_COMPILER_INLINE_GRAPH_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// Copies the nodes of `body` into `graph`, its inputs being those of `inputs` that are there; gives the
// values of its outputs. Names get the prefix. `provenance` is that of all copies; null: each keeps its own.
// Extents that only a run knows get symbols that `graph` does not use.
absl::StatusOr<std::vector<ValueId>> InlineGraph(Graph& graph, const Graph& body,
                                                 const std::vector<ValueId>& inputs,
                                                 const std::string& prefix, const Provenance* provenance);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_INLINE_GRAPH_H_
