// SPDX-License-Identifier: Apache-2.0
//
// Runs a text graph by the interpreter and by plans at every level, for tests that compare what they give.
#ifndef TENFOLD_TESTS_COMPILER_RUN_EVERYWHERE_H_
#define TENFOLD_TESTS_COMPILER_RUN_EVERYWHERE_H_

#include <string>
#include <utility>
#include <vector>

#include "tenfold/compiler/compile.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

// The graph; a test failure if there is none.
Graph Parse(const std::string& text);
// Tensors from literals.
NamedTensors Feeds(const std::vector<std::pair<std::string, std::string>>& literals);
std::vector<std::string> Texts(const std::vector<Tensor>& tensors);

// The outputs as text; the error where there is one. All executors must agree.
std::vector<std::string> RunAll(const Graph& graph, const NamedTensors& feeds);
std::vector<std::string> RunAll(const std::string& text,
                                const std::vector<std::pair<std::string, std::string>>& feeds);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_COMPILER_RUN_EVERYWHERE_H_
