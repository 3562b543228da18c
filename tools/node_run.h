// SPDX-License-Identifier: Apache-2.0
//
// Runs a graph one node after the other, as it was written.
//
// A plan never writes what it fuses, so most source values cannot be looked at there. Here each node is a
// plan of its own, which is compiled for the extents that its operands have and run on them: every source
// value exists for a while, and after a failure those before it are known. By the bit contract
// (docs/architecture.md) the values are those of a whole run; the time is not, and no kernel becomes machine
// code. Memory: the values that are still to be read, and what the node at hand needs.
//
// Values inside the bodies of If, Loop, Scan and functions are computed within their node and not seen.
#ifndef TENFOLD_TOOLS_NODE_RUN_H_
#define TENFOLD_TOOLS_NODE_RUN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

struct NodeRunOptions {
  // `device` must be the CPU's; `jit` and `fold_budget` do not matter. `memory_limit` counts the values that
  // are held, feeds and constants excepted.
  CompileOptions compile = {};
  // `profile` does not matter.
  RunOptions run = {};
};

class NodeRun {
 public:
  // Feeds are held against the graph's inputs and their contracts as those of a run: E0602 to E0609, E0612,
  // E0613. Other errors are those of the verifier, E0107 for a fetch that there is not.
  static absl::StatusOr<NodeRun> Start(const Graph& graph, const NamedTensors& feeds,
                                       NodeRunOptions options = {});

  // The source graph; what CompileOptions::fetches names are outputs, too.
  const Graph& graph() const { return graph_; }

  bool done() const { return next_ == graph_.nodes().size(); }
  // Computes the next one of graph().nodes(), and says which. Errors: those of a run.
  absl::StatusOr<NodeId> Next();

  // A value that was computed and is still to be read, or an operand or result of the node that was computed
  // last, or an output; null otherwise. NaNs of computed values are canonical. Valid until Next; a copy
  // shares the memory.
  const Tensor* Find(ValueId value) const;
  // Once done: every output, in the graph's order.
  NamedTensors Outputs() const;

 private:
  NodeRun(Graph graph, NodeRunOptions options) : graph_(std::move(graph)), options_(std::move(options)) {}
  absl::StatusOr<std::vector<Tensor>> Compute(const Node& node);
  void Hold(ValueId value, Tensor tensor);
  void DropUnread();

  Graph graph_;
  NodeRunOptions options_;
  size_t next_ = 0;
  absl::flat_hash_map<ValueId, Tensor> values_;
  std::vector<int64_t> readers_left_;  // by value; an output has one that never comes
  int64_t held_bytes_ = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_NODE_RUN_H_
