// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/kernel_failure.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

namespace {

// Names as the text form writes them without quotes.
bool ArePlain(const Quotient& q) {
  for (const std::string* name : {&q.name, &q.dividend, &q.divisor}) {
    if (name->empty() || !absl::ascii_isalpha((*name)[0])) return false;
    if (!std::all_of(name->begin(), name->end(), [](char c) { return absl::ascii_isalnum(c) || c == '_'; }))
      return false;
  }
  return true;
}

}  // namespace

absl::Status DividedByZero(const Dims& index, absl::string_view node, std::string location,
                           const Quotient& quotient) {
  Diagnostic d;
  d.code = "E0601";
  d.message =
      absl::StrCat("integer division by zero at ", DimsToString(index), " of ", node,
                   quotient.divisor.empty() ? "" : absl::StrCat(": '", quotient.divisor, "' is 0 there"));
  d.location = std::move(location);
  const bool plain = ArePlain(quotient);
  const auto& [name, op, dividend, divisor] = plain ? quotient : Quotient{"q", "Div", "n", "d"};
  const std::string guarded = absl::StrCat(divisor, "_is_0 = Equal(", divisor, ", 0), then ", divisor,
                                           "_or_1 = Where(", divisor, "_is_0, 1, ", divisor, "), then ");
  const std::string division = absl::StrCat(" = ", op, "(", dividend, ", ", divisor, "_or_1)");
  const absl::string_view of = plain ? "" : "for q = Div(n, d), ";
  d.help.push_back(absl::StrCat(of, "if the quotient is to be 0 there: ", guarded, name, "_or_n", division,
                                ", then ", name, " = Where(", divisor, "_is_0, 0, ", name, "_or_n)"));
  d.help.push_back(absl::StrCat(of, "if 1 may stand for the divisor there: ", guarded, name, division));
  return ToStatus(std::move(d));
}

}  // namespace tenfold
