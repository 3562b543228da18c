// SPDX-License-Identifier: Apache-2.0
//
// Writes graphs as text (.tnt); docs/file-format.md says what is canonical.
#ifndef TENFOLD_GRAPH_TEXT_PRINTER_H_
#define TENFOLD_GRAPH_TEXT_PRINTER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "tenfold/graph/graph.h"

namespace tenfold {

// The defaults give canonical text: ParseText reads it back to a graph that prints the same.
struct PrintOptions {
  // The line `tenfold 1`.
  bool header = true;
  // `y: f32[N,2] = MatMul(x, w)`; the parser checks such types.
  bool types = false;
  // `from(w, y)`: the source values that a pass made a node from.
  bool from = true;
  // `at "digits.cc:31"` and `array "weights.npz: w1"`.
  bool locations = false;
  // A constant of more elements shows its first ones and `...`, which the parser refuses.
  std::optional<int64_t> max_elements = std::nullopt;
  // What this gives for a node stands behind it as a comment, unless it is empty.
  std::function<std::string(const Graph&, NodeId)> comment = nullptr;
};

std::string PrintText(const Graph& graph, const PrintOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_PRINTER_H_
