// SPDX-License-Identifier: Apache-2.0
//
// Graphs as JSON, for tools in other languages. One way: nothing reads it back.
#ifndef TENFOLD_GRAPH_TEXT_JSON_H_
#define TENFOLD_GRAPH_TEXT_JSON_H_

#include <cstdint>
#include <string>

#include "tenfold/graph/graph.h"

namespace tenfold {

struct JsonOptions {
  // A constant of more elements has no "values".
  int64_t max_elements = 64;
  // Spaces a level; negative: all on one line.
  int indent = 2;
};

// {"format": "tenfold.graph", "version": 1, "name", "symbols", "inputs", "outputs", "nodes"}; types as
// "f32[N,64]"; a float that is not finite is a string, "nan" or "-inf". docs/file-format.md lists the fields.
std::string PrintJson(const Graph& graph, const JsonOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_JSON_H_
