// SPDX-License-Identifier: Apache-2.0
//
// Graphs for tests of the text and file forms.
#ifndef TENFOLD_TESTS_GRAPH_TEXT_SAMPLE_GRAPHS_H_
#define TENFOLD_TESTS_GRAPH_TEXT_SAMPLE_GRAPHS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tenfold/graph/graph.h"

namespace tenfold {

// Canonical texts that between them use every part of the grammar.
std::vector<std::string> CanonicalTexts();

// A valid graph of random ops, names, constants of all dtypes and provenance; the same for the same seed.
Graph RandomGraph(uint64_t seed);

// Random bits as a tensor, or a splat: NaN payloads and subnormals among them.
Tensor RandomTensor(DType dtype, const Dims& dims, uint64_t seed, bool splat = false);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_TEXT_SAMPLE_GRAPHS_H_
