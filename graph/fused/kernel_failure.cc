// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/kernel_failure.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

absl::Status DividedByZero(const Dims& index, absl::string_view node, std::string location) {
  Diagnostic d;
  d.code = "E0601";
  d.message = absl::StrCat("integer division by zero at ", DimsToString(index), " of ", node);
  d.location = std::move(location);
  d.help.push_back("if 1 may stand for a divisor d of 0: z = Equal(d, 0), then Where(z, 1, d) in place of d");
  return ToStatus(std::move(d));
}

}  // namespace tenfold
