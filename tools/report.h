// SPDX-License-Identifier: Apache-2.0
//
// What the tools say on stderr, for people or, with --diagnostics=json, for machines: then each diagnostic is
// one line, a JSON object as proto/diagnostic.proto has it.
#ifndef TENFOLD_TOOLS_REPORT_H_
#define TENFOLD_TOOLS_REPORT_H_

#include <string>

#include "absl/status/status.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"

namespace tenfold {

// --diagnostics=text|json.
void AddDiagnosticsFlag(Flags& flags);

void Report(const Diagnostic& diagnostic);
// Every diagnostic of an error; gives the exit status for it.
ExitStatus Report(const absl::Status& status, Phase phase);
// Something that was done and should not go unseen: "w: f64, cast=nearest: ...".
void ReportRemark(std::string message);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_REPORT_H_
