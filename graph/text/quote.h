// SPDX-License-Identifier: Apache-2.0
//
// Names and strings as the text form writes them.
#ifndef TENFOLD_GRAPH_TEXT_QUOTE_H_
#define TENFOLD_GRAPH_TEXT_QUOTE_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tenfold {

// A plain name begins with a letter or '_' and goes on with letters, digits, '_', '.' and '/'.
bool BeginsName(char c);
bool ContinuesName(char c);

// "block/0:1" in quotes, with \" \\ \n \t \r and \xHH for other control characters.
std::string QuoteString(absl::string_view text);
// Plain where that reads back as a name, else quoted; true, false, nan and inf are numbers when plain.
std::string QuoteName(absl::string_view name);
// The contents of a quoted string; nullopt for an unknown escape, or \xHH of 80 or above, which would not
// be UTF-8.
std::optional<std::string> Unquote(absl::string_view quoted);

// The offset of the first byte that is not UTF-8 (RFC 3629: shortest forms, no surrogates), else nullopt.
std::optional<size_t> FindInvalidUtf8(absl::string_view text);
// With U+FFFD in place of each such byte.
std::string ReplaceInvalidUtf8(absl::string_view text);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_QUOTE_H_
