// SPDX-License-Identifier: Apache-2.0
//
// What types take for granted: that two sizes are equal which only a run knows.
//
// Inference refuses sizes that cannot be equal, and assumes it of others. Runs check it before they compute
// anything that relies on it.
#ifndef TENFOLD_GRAPH_SIZE_ASSUMPTION_H_
#define TENFOLD_GRAPH_SIZE_ASSUMPTION_H_

#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/dim.h"

namespace tenfold {

struct SizeAssumption {
  Dim is, must;      // `is` has the value of `must`
  std::string what;  // which size it is: "dim 1 of b 'y'"
  // Of dim `dim` of this operand, which inference takes as `must` whatever its type says. -1: of the node.
  int input = -1, dim = 0;
};

// The refusal (E0619) of a run in which `node`, "Mul 'z'", finds that it does not hold.
Diagnostic SizesDisagree(const SizeAssumption& assumption, absl::string_view node, std::string location,
                         const SymbolValues& symbols);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SIZE_ASSUMPTION_H_
