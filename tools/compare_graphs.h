// SPDX-License-Identifier: Apache-2.0
//
// Runs two graphs on the same feeds and finds the first value in which they differ: what `tenfold-run
// --compare-with` does, for two exports of a model, or a graph before and after a change.
//
// Values are matched by name: inputs, constants and all that nodes compute. Outputs are matched by their
// names as outputs, too, and where those differ by position. Both graphs run node by node side by side
// (tools/node_run.h), so only values that are still to be read or compared are held.
#ifndef TENFOLD_TOOLS_COMPARE_GRAPHS_H_
#define TENFOLD_TOOLS_COMPARE_GRAPHS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/tools/compare.h"
#include "tenfold/tools/node_run.h"

namespace tenfold {

// Integers and bools must be equal, NaN equals NaN, and infinities must be equal. Floats may differ by what
// is given here, and otherwise by some tens to thousands of rounding errors of the dtype, as other orders
// of summing make them in a deep graph: of f32 by 1e-3 of the value and 1e-5.
struct GraphTolerance {
  std::optional<double> rtol, atol;
  int64_t max_ulp = 0;

  Tolerance Of(DType dtype) const;
};

// How messages call the two graphs, such as their paths.
struct GraphNames {
  std::string first = "the first graph";
  std::string second = "the second graph";
};

struct GraphComparison {
  int64_t compared = 0;  // values of the first graph
  int64_t differ = 0;
  // Values with a name that the other graph has nothing for.
  int64_t only_first = 0, only_second = 0;
  // The first difference (E0618), or that nothing could be compared.
  std::optional<Diagnostic> finding;
  NamedTensors outputs;  // of the first graph

  // "compare: 12 values agree; 2 only in 'a.tnf', 0 only in 'b.tnf'", no newline at the end.
  std::string ToString(const GraphNames& names) const;
};

// Fills in `comparison` as far as the runs come. Feeds that are no inputs of the second graph are left out
// there. Errors are those of the runs; a difference is none.
absl::Status CompareGraphs(const Graph& first, const Graph& second, const NamedTensors& feeds,
                           const GraphTolerance& tolerance, const GraphNames& names,
                           const NodeRunOptions& options, GraphComparison& comparison);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_COMPARE_GRAPHS_H_
