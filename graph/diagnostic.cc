// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/diagnostic.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "proto/diagnostic.pb.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

constexpr absl::string_view kPayloadUrl = "type.tenfold/v1.DiagnosticList";

// Levenshtein distance with adjacent transpositions, over bytes; names are short.
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, previous);
    std::swap(previous, current);
  }
  return previous[b.size()];
}

// Applies `edit` to the first diagnostic of `status`.
template <typename Edit>
absl::Status EditFirst(const absl::Status& status, Edit edit) {
  std::vector<Diagnostic> diagnostics = DiagnosticsOf(status);
  if (diagnostics.empty()) return status;
  edit(diagnostics.front());
  return ToStatus(std::move(diagnostics));
}

}  // namespace

std::string Diagnostic::ToString() const {
  std::string text = absl::StrCat("error[", code, " ", FindErrorCode(code).slug, "]: ", message);
  if (!location.empty()) absl::StrAppend(&text, "\n  --> ", location);
  for (const std::string& note : notes) absl::StrAppend(&text, "\n  ", note);
  for (const std::string& line : help) absl::StrAppend(&text, "\n  help: ", line);
  return text;
}

absl::Status ToStatus(std::vector<Diagnostic> diagnostics) {
  if (diagnostics.empty()) return absl::OkStatus();
  // A message may quote hostile bytes, or cut a character; protobuf would lose the whole payload.
  for (Diagnostic& d : diagnostics) {
    for (std::string* text : {&d.code, &d.message, &d.location}) *text = ReplaceInvalidUtf8(*text);
    for (std::string& note : d.notes) note = ReplaceInvalidUtf8(note);
    for (std::string& help : d.help) help = ReplaceInvalidUtf8(help);
  }
  v1::DiagnosticList list;
  for (const Diagnostic& d : diagnostics) {
    v1::Diagnostic& out = *list.add_diagnostics();
    out.set_code(d.code);
    out.set_message(d.message);
    out.set_location(d.location);
    for (const std::string& note : d.notes) out.add_notes(note);
    for (const std::string& help : d.help) out.add_help(help);
  }
  const std::string text = absl::StrJoin(
      diagnostics, "\n", [](std::string* out, const Diagnostic& d) { absl::StrAppend(out, d.ToString()); });
  absl::Status status(FindErrorCode(diagnostics.front().code).status, text);
  status.SetPayload(kPayloadUrl, absl::Cord(list.SerializeAsString()));
  return status;
}

absl::Status ToStatus(Diagnostic diagnostic) {
  std::vector<Diagnostic> one;
  one.push_back(std::move(diagnostic));
  return ToStatus(std::move(one));
}

absl::Status MakeError(absl::string_view code, std::string message, std::string help) {
  Diagnostic diagnostic;
  diagnostic.code = std::string(code);
  diagnostic.message = std::move(message);
  if (!help.empty()) diagnostic.help.push_back(std::move(help));
  return ToStatus(std::move(diagnostic));
}

std::vector<Diagnostic> DiagnosticsOf(const absl::Status& status) {
  if (status.ok()) return {};
  v1::DiagnosticList list;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value() || !list.ParseFromString(std::string(*payload)) || list.diagnostics().empty()) {
    Diagnostic diagnostic;
    diagnostic.code = "E9001";
    diagnostic.message = std::string(status.message());
    return {diagnostic};
  }
  std::vector<Diagnostic> diagnostics;
  for (const v1::Diagnostic& d : list.diagnostics()) {
    diagnostics.push_back({d.code(),
                           d.message(),
                           d.location(),
                           {d.notes().begin(), d.notes().end()},
                           {d.help().begin(), d.help().end()}});
  }
  return diagnostics;
}

absl::Status WithLocation(const absl::Status& status, absl::string_view location) {
  return EditFirst(status, [&](Diagnostic& d) {
    if (d.location.empty()) d.location = std::string(location);
  });
}

absl::Status WithNote(const absl::Status& status, absl::string_view note) {
  return EditFirst(status, [&](Diagnostic& d) { d.notes.emplace_back(note); });
}

std::string NearestName(absl::string_view name, std::span<const std::string> candidates) {
  constexpr size_t kLongestName = 64;  // bounds the work on hostile names
  if (name.size() > kLongestName) return "";
  std::optional<std::pair<size_t, std::string>> best;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const size_t distance = EditDistance(name, candidate);
    if (!best.has_value() || distance < best->first) best = {distance, candidate};
  }
  const size_t near = std::max<size_t>(1, name.size() / 3);
  return best.has_value() && best->first <= near ? best->second : "";
}

}  // namespace tenfold
