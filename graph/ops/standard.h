// SPDX-License-Identifier: Apache-2.0
//
// The standard ops, one file per family. Registration is this explicit list: no static initialisers.
#ifndef TENFOLD_GRAPH_OPS_STANDARD_H_
#define TENFOLD_GRAPH_OPS_STANDARD_H_

#include <vector>

#include "tenfold/graph/op_def.h"

namespace tenfold {

std::vector<OpDef> ElementwiseOps();  // elementwise.cc
std::vector<OpDef> ReductionOps();    // reductions.cc
std::vector<OpDef> MovementOps();     // movement.cc
std::vector<OpDef> ContractionOps();  // contractions.cc
std::vector<OpDef> CompositeOps();    // composites.cc
std::vector<OpDef> SourceOps();       // sources.cc

std::vector<OpDef> StandardOps();

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_STANDARD_H_
