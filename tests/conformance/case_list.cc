// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/conformance/case_list.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"

namespace tenfold {

absl::StatusOr<CaseList> ReadCaseList(const std::string& path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, 1 << 24));
  CaseList list;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(line, absl::MaxSplits('#', 1));
    const absl::string_view name = absl::StripAsciiWhitespace(parts.first);
    if (!name.empty()) list[std::string(name)] = std::string(absl::StripAsciiWhitespace(parts.second));
  }
  return list;
}

}  // namespace tenfold
