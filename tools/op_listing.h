// SPDX-License-Identifier: Apache-2.0
//
// The op reference on the terminal: `tenfold-dump --ops`.
#ifndef TENFOLD_TOOLS_OP_LISTING_H_
#define TENFOLD_TOOLS_OP_LISTING_H_

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold {

// The ops of these names, all if there are none. E0101 for an unknown one.
absl::StatusOr<std::string> ListOps(const OpRegistry& registry, std::span<const std::string> names);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_OP_LISTING_H_
