// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/source_text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

constexpr size_t kShownBytes = 100;

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Moves `offset` back to the start of a UTF-8 character.
size_t CharacterStart(absl::string_view text, size_t offset) {
  while (offset > 0 && offset < text.size() && IsContinuationByte(text[offset])) --offset;
  return offset;
}

// What a terminal can show, one column a character: a tab would move the caret.
std::string Printable(absl::string_view text) {
  std::string out = ReplaceInvalidUtf8(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

size_t CountCharacters(absl::string_view text) {
  return text.size() - std::count_if(text.begin(), text.end(), IsContinuationByte);
}

}  // namespace

SourceText::SourceText(absl::string_view text, absl::string_view file) : text_(text), file_(file) {
  line_starts_.push_back(0);
  for (size_t i = text.find('\n'); i != absl::string_view::npos; i = text.find('\n', i + 1)) {
    line_starts_.push_back(i + 1);
  }
}

int SourceText::LineOf(size_t offset) const {
  return static_cast<int>(std::upper_bound(line_starts_.begin(), line_starts_.end(), offset) -
                          line_starts_.begin());
}

int SourceText::ColumnOf(size_t offset) const {
  return static_cast<int>(offset - line_starts_[LineOf(offset) - 1]) + 1;
}

std::string SourceText::LocationOf(size_t offset) const {
  return absl::StrCat(file_, ":", LineOf(offset), ":", ColumnOf(offset));
}

std::string SourceText::PlaceOf(size_t offset) const {
  const std::string location = LocationOf(offset);
  return location.substr(std::min(file_.rfind('/') + 1, file_.size()));
}

absl::string_view SourceText::Line(int line) const {
  const size_t begin = line_starts_[line - 1];
  const size_t end = line < num_lines() ? line_starts_[line] - 1 : text_.size();
  absl::string_view text = text_.substr(begin, end - begin);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

std::vector<std::string> SourceText::Excerpt(Span span) const {
  const int line = LineOf(span.begin);
  const absl::string_view whole = Line(line);
  const size_t column = std::min<size_t>(ColumnOf(span.begin) - 1, whole.size());
  const size_t begin = column < kShownBytes ? 0 : CharacterStart(whole, column - kShownBytes / 2);
  const size_t end = CharacterStart(whole, std::min(whole.size(), begin + kShownBytes));
  const std::string before =
      absl::StrCat(begin > 0 ? "..." : "", Printable(whole.substr(begin, column - begin)));
  const absl::string_view marked =
      whole.substr(column, std::min(end - column, span.end - std::min(span.end, span.begin)));

  const std::string number = absl::StrCat(line);
  const size_t width = std::max<size_t>(1, CountCharacters(marked));
  return {absl::StrCat(number, " | ", before, Printable(whole.substr(column, end - column)),
                       end < whole.size() ? "..." : ""),
          absl::StrCat(std::string(number.size(), ' '), " | ", std::string(CountCharacters(before), ' '), "^",
                       std::string(width - 1, '~'))};
}

void ErrorList::Add(Span span, Diagnostic diagnostic) {
  if (count_++ < max_errors_) entries_.push_back({span, std::move(diagnostic)});
}

void ErrorList::Add(Span span, absl::string_view code, std::string message, Mend help) {
  Diagnostic diagnostic;
  diagnostic.code = std::string(code);
  diagnostic.message = std::move(message);
  if (!help.empty()) diagnostic.help.push_back(std::move(help));
  Add(span, std::move(diagnostic));
}

void ErrorList::Add(Span span, const absl::Status& status) {
  for (Diagnostic& diagnostic : DiagnosticsOf(status)) Add(span, std::move(diagnostic));
}

std::vector<ErrorList::Entry> ErrorList::Sorted() const {
  std::vector<Entry> entries = entries_;
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.span.begin < b.span.begin; });
  return entries;
}

absl::Status ErrorList::ToStatus() const {
  if (empty()) return absl::OkStatus();
  std::vector<Diagnostic> diagnostics;
  for (Entry& entry : Sorted()) {
    Diagnostic& d = entry.diagnostic;
    d.location = source_.LocationOf(entry.span.begin);
    const std::vector<std::string> excerpt = source_.Excerpt(entry.span);
    d.notes.insert(d.notes.begin(), excerpt.begin(), excerpt.end());
    diagnostics.push_back(std::move(d));
  }
  if (full() && !diagnostics.empty()) {
    diagnostics.back().notes.push_back(
        absl::StrCat("these are the first ", max_errors_, " errors: the text was read no further"));
  }
  return tenfold::ToStatus(std::move(diagnostics));
}

}  // namespace tenfold
