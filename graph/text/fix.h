// SPDX-License-Identifier: Apache-2.0
//
// Mends a text graph by the edits that its own errors carry.
#ifndef TENFOLD_GRAPH_TEXT_FIX_H_
#define TENFOLD_GRAPH_TEXT_FIX_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {

struct FixedText {
  std::string text;               // the text given, with the edits made
  std::vector<Diagnostic> fixed;  // each with the mend that was chosen as its only help; empty if none was
  std::vector<Diagnostic> left;   // the errors of `text` as it is now; empty if ParseText accepts it
};

// Makes the first mend of each error that is edits of the text alone, and reads the text again, since what
// depends on a mended statement is checked only then: until no error is left that can be mended.
FixedText FixText(absl::string_view text, const TextOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_FIX_H_
