// SPDX-License-Identifier: Apache-2.0
//
// Removes nodes that no output needs. Inputs stay: they are part of the graph's signature.
//
// Numerics: exact.
#ifndef TENFOLD_COMPILER_PASSES_ELIMINATE_DEAD_NODES_H_
#define TENFOLD_COMPILER_PASSES_ELIMINATE_DEAD_NODES_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status EliminateDeadNodes(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_ELIMINATE_DEAD_NODES_H_
