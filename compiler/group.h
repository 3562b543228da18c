// SPDX-License-Identifier: Apache-2.0
//
// A group of nodes as a graph of its own: the body of a fused node.
#ifndef TENFOLD_COMPILER_GROUP_H_
#define TENFOLD_COMPILER_GROUP_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

struct GroupBody {
  std::shared_ptr<const Graph> body;
  std::vector<ValueId> inputs;   // values of the surrounding graph, in the order of the body's inputs
  std::vector<ValueId> outputs;  // those that something outside reads, in the order of the body's outputs
};

// Constants of one value, splats too, and those that a movement's shape follows from go into the body; every
// other value from outside is an input. `members` are in topological order; `readers` are graph.Readers(). A
// value that is an output of the graph, or that a node outside reads, is an output of the body.
absl::StatusOr<GroupBody> MakeGroupBody(const Graph& graph, std::span<const NodeId> members,
                                        const std::vector<std::vector<NodeId>>& readers);

// True if the constant goes into kernels as a number.
bool IsScalarConstant(const Graph& graph, ValueId id);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_GROUP_H_
