// SPDX-License-Identifier: Apache-2.0
//
// The equation of Einsum: NumPy's subscripts, with or without a result, with ellipses and repeated labels.
#ifndef TENFOLD_GRAPH_OPS_EINSUM_EQUATION_H_
#define TENFOLD_GRAPH_OPS_EINSUM_EQUATION_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tenfold {

// A letter as itself; the dims of an ellipsis as numbers from kEllipsisLabel on, counted from the last.
using EinsumLabel = int;
inline constexpr EinsumLabel kEllipsisLabel = 256;
using EinsumLabels = std::vector<EinsumLabel>;

struct EinsumEquation {
  std::vector<EinsumLabels> inputs;  // a label for each dim
  EinsumLabels result;               // distinct, each that of some input
};

// The equation for inputs of these ranks. What is wrong with it is the message of the status, whose code says
// nothing.
absl::StatusOr<EinsumEquation> ParseEinsum(absl::string_view equation, std::span<const int> ranks);

// As people write it: "'i'", "dim -2 of '...'".
std::string EinsumLabelText(EinsumLabel label);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_EINSUM_EQUATION_H_
