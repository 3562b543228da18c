// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/remark.h"

#include "absl/strings/str_cat.h"

namespace tenfold {

absl::string_view Name(Numerics numerics) {
  constexpr absl::string_view kNames[] = {"exact", "reassoc", "fast"};
  return kNames[static_cast<int>(numerics)];
}

std::string Remark::ToString() const {
  return absl::StrCat(pass, ": ", did ? "did  " : "left ", node, node.empty() ? "" : ": ", reason);
}

}  // namespace tenfold
