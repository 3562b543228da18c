// SPDX-License-Identifier: Apache-2.0
//
// What loaders accept from files that nobody vouches for. Every graph, array and model file is
// hostile until proven otherwise: a limit is refused with E0402 before the memory for it is asked
// for.
#ifndef TENFOLD_GRAPH_LIMITS_H_
#define TENFOLD_GRAPH_LIMITS_H_

#include <cstdint>

namespace tenfold {

// The defaults are far above what real models need. Tools have a flag of the same name for each.
struct Limits {
  // Of a graph file as a whole.
  int64_t file_bytes = int64_t{256} << 30;
  // Of a .tnf file: the structure, without the constants' data. A byte there may become some 40 in
  // memory.
  int64_t graph_bytes = int64_t{128} << 20;
  // Of a .tnt file, constants included.
  int64_t text_bytes = int64_t{2} << 30;
  // Nodes of a graph, those of its bodies included.
  int64_t nodes = 1'000'000;
  // Inputs, outputs or attributes of one node, and inputs or outputs of a graph.
  int64_t node_values = 16384;
  // Bytes of one name.
  int64_t name_bytes = 4096;
  // Graphs within graphs.
  int nesting = 8;
  // Dims of a tensor.
  int rank = 32;
  // Stored bytes of one tensor; a splat stores one element.
  int64_t tensor_bytes = int64_t{64} << 30;
  // Uncompressed bytes for each compressed one, in archives.
  int64_t inflate_ratio = 1100;
  // Errors reported for one file; the rest are counted.
  int errors = 50;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_LIMITS_H_
