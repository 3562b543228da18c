// SPDX-License-Identifier: Apache-2.0
//
// Puts the ops that a composite is made of in its place.
//
// Stands after placement, since until then a device might take the composite whole, and dumps show it whole.
// Afterwards the graph has no composites.
//
// Numerics: exact (a composite means its decomposition).
#ifndef TENFOLD_COMPILER_PASSES_DECOMPOSE_COMPOSITES_H_
#define TENFOLD_COMPILER_PASSES_DECOMPOSE_COMPOSITES_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status DecomposeComposites(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_DECOMPOSE_COMPOSITES_H_
