// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/report.h"

#include <cstdio>
#include <utility>

namespace tenfold {
namespace {

enum class Form { kText, kJson };

// Of the process, as stderr is.
Form form = Form::kText;

}  // namespace

void AddDiagnosticsFlag(Flags& flags) {
  flags.Choice<Form>(
      "diagnostics", {{"text", Form::kText}, {"json", Form::kJson}}, &form,
      "How errors, warnings and remarks are written to stderr: for people (default), or each as\n"
      "one line of JSON, with the edits that mend it. Wrong usage is always told as text.");
}

void Report(const Diagnostic& diagnostic) {
  const bool is_remark = diagnostic.severity == Severity::kRemark;
  const std::string line = form == Form::kJson ? diagnostic.ToJson()
                           : is_remark         ? diagnostic.message
                                               : diagnostic.ToString();
  std::fprintf(stderr, "%s\n", line.c_str());
}

ExitStatus Report(const absl::Status& status, Phase phase) {
  for (const Diagnostic& diagnostic : DiagnosticsOf(status)) Report(diagnostic);
  return ExitStatusOf(status, phase);
}

void ReportRemark(std::string message) {
  Diagnostic remark;
  remark.message = std::move(message);
  remark.severity = Severity::kRemark;
  Report(remark);
}

}  // namespace tenfold
