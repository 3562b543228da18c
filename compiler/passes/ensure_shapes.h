// SPDX-License-Identifier: Apache-2.0
//
// Writes down what inference assumes of operands: one that a node takes as another shape than its type says
// goes through an EnsureShape node, which gives it that shape.
//
// Stands before composites are decomposed, so that their parts see shapes that fit each other. Afterwards the
// types of a node's operands are what its own type was inferred from, and whoever lowers it needs to prove
// nothing.
//
// Numerics: exact (no element is touched).
#ifndef TENFOLD_COMPILER_PASSES_ENSURE_SHAPES_H_
#define TENFOLD_COMPILER_PASSES_ENSURE_SHAPES_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status EnsureShapes(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_ENSURE_SHAPES_H_
