// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/fix.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/text/fix.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

// The arguments of the first mend that is arguments alone.
std::vector<std::string> ArgumentsOf(const Diagnostic& error) {
  for (const Mend& mend : error.help) {
    std::vector<std::string> arguments;
    for (const Edit& edit : mend.edits) {
      const auto* add = std::get_if<AddArgument>(&edit);
      if (add == nullptr) break;
      arguments.push_back(add->argument);
    }
    if (!arguments.empty() && arguments.size() == mend.edits.size()) return arguments;
  }
  return {};
}

// A name that is free, or whose file holds `text` already.
std::string PathFor(absl::string_view model, absl::string_view text) {
  const absl::string_view stem = absl::StripSuffix(model, ".tnt");
  for (int i = 1;; ++i) {
    std::string path = absl::StrCat(stem, ".fixed", i == 1 ? "" : absl::StrCat(i), ".tnt");
    const absl::StatusOr<std::string> there = ReadFile(path, text.size());
    if (there.ok() ? *there == text : DiagnosticsOf(there.status())[0].code == "E0521") return path;
  }
}

// Whether there was something to mend.
bool FixModel(absl::string_view model, const LoadOptions& options) {
  const std::optional<TextGraph> source = ReadTextGraph(model, options);
  if (!source) return false;
  const FixedText fixed = FixText(source->text, source->options);
  if (fixed.fixed.empty()) return false;
  const std::string path = PathFor(model, fixed.text);
  if (const absl::Status written = WriteFileAtomically(path, fixed.text); !written.ok()) {
    Report(written, Phase::kRunning);
    return true;
  }
  for (const Diagnostic& error : fixed.fixed) {
    ReportRemark(absl::StrCat("fixed ", error.code, " at ", error.location, ": ", error.help[0].text));
  }
  if (!fixed.left.empty()) {
    ReportRemark(absl::StrCat("left in ", Printable(path), ": ", fixed.left.size(),
                              fixed.left.size() == 1 ? " error" : " errors"));
  }
  std::printf("%s\n", ShellQuote(path).c_str());
  return true;
}

}  // namespace

void AddFixFlag(Flags& flags, bool* fix) {
  flags.Switch(
      "fix", fix,
      "If the input is refused, prints the flags that mend it, or writes a text graph's mended form\n"
      "beside it and prints its name: what the command line should have had, one a line.");
}

void OfferFix(const absl::Status& refused, absl::string_view model, const LoadOptions& options) {
  std::vector<std::string> arguments;
  for (const Diagnostic& error : DiagnosticsOf(refused)) {
    for (const std::string& argument : ArgumentsOf(error)) {
      if (std::find(arguments.begin(), arguments.end(), argument) == arguments.end())
        arguments.push_back(argument);
    }
  }
  for (const std::string& argument : arguments) std::printf("%s\n", ShellQuote(argument).c_str());
  const bool fixed = FixModel(model, options);
  if (arguments.empty() && !fixed) ReportRemark("no fix is known for this");
}

}  // namespace tenfold
