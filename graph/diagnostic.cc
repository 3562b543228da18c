// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/diagnostic.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/json_util.h"
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

template <typename... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};

// In the order of ReplacePart::Part.
constexpr const char* kParts[] = {"op", "operand", "reference"};

// False for an edit beyond what the message can hold.
bool Encode(const Edit& edit, v1::Edit& out) {
  return std::visit(Overloaded{[&](const AddArgument& e) {
                                 out.set_add_argument(e.argument);
                                 return true;
                               },
                               [&](const ReplaceText& e) {
                                 if (e.begin > UINT32_MAX || e.end > UINT32_MAX) return false;
                                 v1::ReplaceText& message = *out.mutable_replace_text();
                                 message.set_begin(static_cast<uint32_t>(e.begin));
                                 message.set_end(static_cast<uint32_t>(e.end));
                                 message.set_text(e.text);
                                 return true;
                               },
                               [&](const WrapOperand& e) {
                                 v1::WrapOperand& message = *out.mutable_wrap_operand();
                                 message.set_operand(e.operand);
                                 message.set_op(e.op);
                                 message.set_arguments(e.arguments);
                                 return true;
                               },
                               [&](const ReplacePart& e) {
                                 v1::ReplacePart& message = *out.mutable_replace_part();
                                 message.set_part(kParts[e.part]);
                                 message.set_operand(e.operand);
                                 message.set_text(e.text);
                                 return true;
                               }},
                    edit);
}

Edit Decode(const v1::Edit& edit) {
  switch (edit.edit_case()) {
    case v1::Edit::kReplaceText:
      return ReplaceText{edit.replace_text().begin(), edit.replace_text().end(), edit.replace_text().text()};
    case v1::Edit::kWrapOperand:
      return WrapOperand{static_cast<int>(edit.wrap_operand().operand()), edit.wrap_operand().op(),
                         edit.wrap_operand().arguments()};
    case v1::Edit::kReplacePart: {
      const v1::ReplacePart& message = edit.replace_part();
      const auto part = std::find(std::begin(kParts), std::end(kParts), message.part()) - std::begin(kParts);
      return ReplacePart{static_cast<ReplacePart::Part>(part), static_cast<int>(message.operand()),
                         message.text()};
    }
    default:
      return AddArgument{edit.add_argument()};
  }
}

v1::Diagnostic Encode(const Diagnostic& d) {
  v1::Diagnostic out;
  out.set_code(d.code);
  out.set_message(d.message);
  out.set_location(d.location);
  for (const std::string& note : d.notes) out.add_notes(note);
  for (const Mend& mend : d.help) {
    v1::Mend& message = *out.add_help();
    message.set_text(mend.text);
    for (const Edit& edit : mend.edits) {
      if (Encode(edit, *message.add_edits())) continue;
      message.clear_edits();  // part of a mend is none
      break;
    }
  }
  out.set_severity(std::string(Name(d.severity)));
  if (!d.code.empty()) out.set_slug(std::string(FindErrorCode(d.code).slug));
  return out;
}

Diagnostic Decode(const v1::Diagnostic& d) {
  Diagnostic out{d.code(), d.message(), d.location(), {d.notes().begin(), d.notes().end()}, {}};
  for (const v1::Mend& mend : d.help()) {
    Mend& decoded = out.help.emplace_back(mend.text());
    for (const v1::Edit& edit : mend.edits()) decoded.edits.push_back(Decode(edit));
  }
  return out;
}

// A message may quote hostile bytes, or cut a character; protobuf would lose the whole payload. Edits stay as
// they are: where their text is no UTF-8, the mend is left to the reader.
void MakeUtf8(Diagnostic& d) {
  for (std::string* text : {&d.code, &d.message, &d.location}) *text = ReplaceInvalidUtf8(*text);
  for (std::string& note : d.notes) note = ReplaceInvalidUtf8(note);
  const auto is_utf8 = [](const Edit& edit) {
    return std::visit(Overloaded{[](const AddArgument& e) { return !FindInvalidUtf8(e.argument); },
                                 [](const ReplaceText& e) { return !FindInvalidUtf8(e.text); },
                                 [](const WrapOperand& e) {
                                   return !FindInvalidUtf8(e.op) && !FindInvalidUtf8(e.arguments);
                                 },
                                 [](const ReplacePart& e) { return !FindInvalidUtf8(e.text); }},
                      edit);
  };
  for (Mend& mend : d.help) {
    mend.text = ReplaceInvalidUtf8(mend.text);
    if (!std::all_of(mend.edits.begin(), mend.edits.end(), is_utf8)) mend.edits.clear();
  }
}

// Applies `change` to the first diagnostic of `status`.
template <typename Change>
absl::Status ChangeFirst(const absl::Status& status, Change change) {
  std::vector<Diagnostic> diagnostics = DiagnosticsOf(status);
  if (diagnostics.empty()) return status;
  change(diagnostics.front());
  return ToStatus(std::move(diagnostics));
}

}  // namespace

absl::string_view Name(Severity severity) {
  return severity == Severity::kError ? "error" : severity == Severity::kWarning ? "warning" : "remark";
}

std::string Diagnostic::ToString() const {
  std::string text(Name(severity));
  if (!code.empty()) absl::StrAppend(&text, "[", code, " ", FindErrorCode(code).slug, "]");
  absl::StrAppend(&text, ": ", message);
  if (!location.empty()) absl::StrAppend(&text, "\n  --> ", location);
  for (const std::string& note : notes) absl::StrAppend(&text, "\n  ", note);
  for (const Mend& mend : help) absl::StrAppend(&text, "\n  help: ", mend.text);
  return text;
}

std::string Diagnostic::ToJson() const {
  Diagnostic printable = *this;
  MakeUtf8(printable);
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  // Fails for text that is not UTF-8 alone.
  (void)google::protobuf::util::MessageToJsonString(Encode(printable), &json, options);
  return json;
}

absl::Status ToStatus(std::vector<Diagnostic> diagnostics) {
  if (diagnostics.empty()) return absl::OkStatus();
  v1::DiagnosticList list;
  std::string text;
  for (Diagnostic& d : diagnostics) {
    MakeUtf8(d);
    *list.add_diagnostics() = Encode(d);
    absl::StrAppend(&text, text.empty() ? "" : "\n", d.ToString());
  }
  absl::Status status(FindErrorCode(diagnostics.front().code).status, text);
  status.SetPayload(kPayloadUrl, absl::Cord(list.SerializeAsString()));
  return status;
}

absl::Status ToStatus(Diagnostic diagnostic) {
  std::vector<Diagnostic> one;
  one.push_back(std::move(diagnostic));
  return ToStatus(std::move(one));
}

absl::Status MakeError(absl::string_view code, std::string message, Mend help) {
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
  for (const v1::Diagnostic& d : list.diagnostics()) diagnostics.push_back(Decode(d));
  return diagnostics;
}

absl::Status WithLocation(const absl::Status& status, absl::string_view location) {
  return ChangeFirst(status, [&](Diagnostic& d) {
    if (d.location.empty()) d.location = std::string(location);
  });
}

absl::Status WithNote(const absl::Status& status, absl::string_view note) {
  return ChangeFirst(status, [&](Diagnostic& d) { d.notes.emplace_back(note); });
}

std::string NearestName(absl::string_view name, std::span<const std::string> candidates) {
  constexpr size_t kLongestName = 64;  // bounds the work on hostile names
  if (name.size() > kLongestName) return "";
  // Case counts only between names that are equally near without it; then letters that changed places, as in
  // Tahn, are likelier than one that is missing or too many.
  using Distance = std::tuple<size_t, size_t, bool>;
  const std::string plain = absl::AsciiStrToLower(name);
  std::optional<std::pair<Distance, std::string>> best;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongestName) continue;
    const Distance distance = {EditDistance(plain, absl::AsciiStrToLower(candidate)),
                               EditDistance(name, candidate), candidate.size() != name.size()};
    if (!best.has_value() || distance < best->first) best = {distance, candidate};
  }
  const size_t near = std::max<size_t>(1, name.size() / 3);
  return best.has_value() && std::get<0>(best->first) <= near ? best->second : "";
}

bool IsSlip(absl::string_view written, absl::string_view meant) {
  std::string a = absl::AsciiStrToLower(written), b = absl::AsciiStrToLower(meant);
  if (a == b) return true;
  if (EditDistance(a, b) != 1) return false;
  // Of names of one length, two letters that changed places: h1 is no slip for h2.
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a.size() != b.size() || a == b;
}

}  // namespace tenfold
