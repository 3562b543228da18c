// SPDX-License-Identifier: Apache-2.0
//
// Makes groups of elementwise ops and reductions one kernel each: chains, reductions with what feeds them and
// what follows them row by row (softmax is one kernel), and transposes with their readers.
//
// Stands last, after everything that removes work: it only decides what is computed together. Afterwards such
// nodes stand in the bodies of Fused nodes.
//
// Numerics: exact.
#ifndef TENFOLD_COMPILER_PASSES_FUSE_H_
#define TENFOLD_COMPILER_PASSES_FUSE_H_

#include "tenfold/compiler/pass.h"

namespace tenfold {

absl::Status Fuse(PassContext& context, Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PASSES_FUSE_H_
