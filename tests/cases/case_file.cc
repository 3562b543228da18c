// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/case_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace tenfold::testing {
namespace {

bool IsComment(absl::string_view line) { return absl::StartsWith(line, "#"); }

// "expect" for "expect: ..."; empty if the line begins no section.
absl::string_view SectionName(absl::string_view line) {
  size_t end = 0;
  while (end < line.size() && (absl::ascii_islower(line[end]) || line[end] == '_')) ++end;
  return end > 0 && end < line.size() && line[end] == ':' ? line.substr(0, end) : absl::string_view();
}

std::string WithoutComments(absl::string_view text) {
  std::string kept;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!IsComment(line)) absl::StrAppend(&kept, line, "\n");
  }
  return std::string(absl::StripAsciiWhitespace(kept));
}

absl::Status ParseCase(absl::string_view text, CaseText& parsed) {
  std::string* into = &parsed.head;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::string_view name = SectionName(line);
    if (!name.empty()) {
      parsed.sections.push_back({std::string(name), "", ""});
      into = &parsed.sections.back().raw;
    } else if (IsComment(line) && parsed.title.empty() && parsed.sections.empty()) {
      parsed.title = std::string(absl::StripAsciiWhitespace(line.substr(1)));
    }
    absl::StrAppend(into, line, "\n");
  }
  // StrSplit gives an empty piece behind the last line break.
  if (absl::EndsWith(*into, "\n\n")) into->pop_back();
  for (Section& section : parsed.sections) {
    section.text = WithoutComments(section.raw.substr(section.name.size() + 1));
  }
  if (parsed.title.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", parsed.line, ": the case has no title, a comment on top"));
  }
  return absl::OkStatus();
}

}  // namespace

const Section* CaseText::Find(absl::string_view name) const {
  const auto it =
      std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.name == name; });
  return it == sections.end() ? nullptr : &*it;
}

void CaseText::Set(absl::string_view name, absl::string_view text) {
  Section fresh{std::string(name), "", absl::StrCat(name, ":\n")};
  if (!text.empty()) absl::StrAppend(&fresh.raw, text, "\n");
  fresh.text = WithoutComments(text);
  auto it = std::find_if(sections.begin(), sections.end(), [&](const Section& s) { return s.name == name; });
  if (it == sections.end()) {
    sections.push_back(std::move(fresh));
  } else {
    *it = std::move(fresh);
  }
}

std::string CaseText::Kind() const {
  const std::string rest = WithoutComments(head);
  return rest.substr(0, rest.find_first_of(" \n("));
}

std::string CaseText::ToString() const {
  std::string text = head;
  for (const Section& section : sections) text += section.raw;
  return text;
}

absl::StatusOr<std::vector<CaseText>> ParseCaseFile(absl::string_view text) {
  std::vector<CaseText> cases;
  std::set<std::string> titles;
  int line = 1;
  for (absl::string_view part : absl::StrSplit(text, "\n---\n")) {
    CaseText& one = cases.emplace_back();
    one.line = line;
    if (absl::Status status = ParseCase(part, one); !status.ok()) return status;
    if (!titles.insert(one.title).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", line, ": two cases are called '", one.title, "'"));
    }
    line += static_cast<int>(std::count(part.begin(), part.end(), '\n')) + 2;
  }
  return cases;
}

absl::StatusOr<std::vector<CaseText>> ReadCaseFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  absl::StatusOr<std::vector<CaseText>> cases = ParseCaseFile(text);
  if (!cases.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", cases.status().message()));
  return cases;
}

absl::Status ReplaceInFile(const std::string& path, const CaseText& changed) {
  const int lock = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) return absl::NotFoundError(absl::StrCat("cannot lock ", path));
  absl::StatusOr<std::vector<CaseText>> cases = ReadCaseFile(path);
  absl::Status status = cases.status();
  if (status.ok()) {
    std::vector<std::string> texts;
    for (const CaseText& one : *cases) {
      texts.push_back(one.title == changed.title ? changed.ToString() : one.ToString());
    }
    std::ofstream file(path);
    file << absl::StrJoin(texts, "---\n");
    if (!file.flush()) status = absl::DataLossError(absl::StrCat("cannot write ", path));
  }
  close(lock);
  return status;
}

}  // namespace tenfold::testing
