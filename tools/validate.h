// SPDX-License-Identifier: Apache-2.0
//
// Looks for the first NaN and the first infinity in all values of a graph: what `tenfold-run --validate`
// does.
//
// A NaN is a finding wherever it comes from: a feed, a constant, or the first node that gives one while its
// operands hold none. An infinity is a finding where it arises: a node gives one whose operands are finite,
// by an overflow or a division by zero. Infinities that the graph is given, in feeds, constants and
// attributes, are what masks are made of: they and what follows from them are counted, and no finding. So a
// node that adds such a mask is not blamed for infinities, but still for a NaN that it makes of them.
#ifndef TENFOLD_TOOLS_VALIDATE_H_
#define TENFOLD_TOOLS_VALIDATE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tools/node_run.h"

namespace tenfold {

// The values of a tensor that are not finite. Positions are row-major; -1: there is none.
struct NonFinite {
  int64_t nans = 0;
  int64_t positive_infs = 0;
  int64_t negative_infs = 0;
  int64_t first_nan = -1;
  int64_t first_inf = -1;

  int64_t infs() const { return positive_infs + negative_infs; }
};

NonFinite FindNonFinite(const Tensor& tensor);

struct Validation {
  int64_t values = 0;  // that were looked at
  int64_t with_nan = 0;
  int64_t with_inf = 0;
  // Which Inputs, Consts and nodes with such attributes the graph is given infinities by: "Const 'mask'".
  std::vector<std::string> givers;
  // Nodes inside the bodies of control ops, whose values were not looked at.
  int64_t hidden_nodes = 0;
  // The first NaN (E0616) and the first infinity that arises (E0617), in the order of the graph.
  std::vector<Diagnostic> findings;
  NamedTensors outputs;

  // "validate: 12 values, all finite", no newline at the end.
  std::string ToString() const;
};

// Fills in `validation` as far as the run comes. Errors are those of the run; findings are none.
absl::Status Validate(const Graph& graph, const NamedTensors& feeds, const NodeRunOptions& options,
                      Validation& validation);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_VALIDATE_H_
