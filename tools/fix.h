// SPDX-License-Identifier: Apache-2.0
//
// --fix: makes the mends of a refusal that a machine can make.
#ifndef TENFOLD_TOOLS_FIX_H_
#define TENFOLD_TOOLS_FIX_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/tools/flags.h"

namespace tenfold {

void AddFixFlag(Flags& flags, bool* fix);

// After `refused` was reported. Prints to stdout, one a line, what the command should have had: the flags to
// add, quoted for a shell, and the graph to name instead of the text graph at `model`, which it writes beside
// it with the edits made: model.fixed.tnt, or model.fixed2.tnt where that is another file. What was done,
// what is left and what went wrong goes to stderr.
void OfferFix(const absl::Status& refused, absl::string_view model, const LoadOptions& options);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_FIX_H_
