// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/size_assumption.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tenfold {

Diagnostic SizesDisagree(const SizeAssumption& assumption, absl::string_view node, std::string location,
                         const SymbolValues& symbols) {
  const auto valued = [&](const Dim& dim) {
    if (dim.is_constant()) return dim.ToString();
    const std::optional<int64_t> value = dim.Evaluate(symbols);
    return value ? absl::StrCat(dim.ToString(), " = ", *value) : absl::StrCat(dim.ToString(), ", no number");
  };
  Diagnostic d;
  d.code = "E0619";
  d.message = absl::StrCat(node, ": ", assumption.what, " is ", valued(assumption.is), ", and must be ",
                           valued(assumption.must));
  d.location = std::move(location);
  return d;
}

}  // namespace tenfold
