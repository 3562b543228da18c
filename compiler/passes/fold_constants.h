// SPDX-License-Identifier: Apache-2.0
//
// Evaluates nodes whose inputs are all constants, with the ops' own definitions, and puts a Const in their
// place.
//
// Stands first, so that later patterns meet literals, and again behind decompose-composites: a composite of
// which some operands are constant has parts that depend on those alone, as BatchNormalization's scale and
// shift. Afterwards a node with constant inputs is one that a budget, a barrier, a bad value or
// --numerics=exact kept, and its remark says which. Both runs share the budget, and what the first has left
// the second does not mention again.
//
// Numerics: exact. A contraction that a library would compute at run time may sum in another order there, so
// under --numerics=exact it stays; folding it counts as reassoc.
#ifndef TENFOLD_COMPILER_PASSES_FOLD_CONSTANTS_H_
#define TENFOLD_COMPILER_PASSES_FOLD_CONSTANTS_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status FoldConstants(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_FOLD_CONSTANTS_H_
