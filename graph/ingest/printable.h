// SPDX-License-Identifier: Apache-2.0
//
// Text from files, made fit for messages: one line, valid UTF-8, of bounded length. Diagnostics
// travel in protobuf strings, which must be UTF-8, and a hostile name must not steer the reader's
// terminal.
#ifndef TENFOLD_GRAPH_INGEST_PRINTABLE_H_
#define TENFOLD_GRAPH_INGEST_PRINTABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace tenfold {

// Valid UTF-8 is kept but for control characters, which become `\n` or `\x1b`, as every byte does
// that is no UTF-8; cut after about `max_bytes`, with "..." for the rest.
std::string Printable(absl::string_view text, size_t max_bytes = 120);

// Appends one code point by the same rules; what is no Unicode scalar value becomes `\ud800`,
// `\U00110000`.
void AppendPrintable(char32_t code_point, std::string& out);

bool IsUtf8(absl::string_view text);

// One word for a shell, quoted only if need be; $'...' for bytes that a message cannot show.
std::string ShellQuote(absl::string_view word);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_PRINTABLE_H_
