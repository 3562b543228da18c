// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/mend.h"

#include "absl/strings/str_cat.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {

Mend MendByFlag(absl::string_view before, absl::string_view flag, absl::string_view value,
                absl::string_view after) {
  return {absl::StrCat(before, flag, " ", ShellQuote(value), after),
          {AddArgument{absl::StrCat(flag, "=", value)}}};
}

std::string DidYouMean(absl::string_view nearest) {
  return nearest.empty() ? "" : absl::StrCat("did you mean '", nearest, "'?");
}

}  // namespace tenfold
