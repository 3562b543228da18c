// SPDX-License-Identifier: Apache-2.0
//
// Makes equal nodes one: the same op on the same values with the same attributes; equal constants too.
//
// Stands after rewriting, when equal things have come to look equal. Afterwards no two nodes are equal,
// barriers excepted.
//
// Numerics: exact.
#ifndef TENFOLD_COMPILER_PASSES_ELIMINATE_COMMON_SUBEXPRESSIONS_H_
#define TENFOLD_COMPILER_PASSES_ELIMINATE_COMMON_SUBEXPRESSIONS_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status EliminateCommonSubexpressions(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_ELIMINATE_COMMON_SUBEXPRESSIONS_H_
