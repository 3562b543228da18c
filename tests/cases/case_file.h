// SPDX-License-Identifier: Apache-2.0
//
// Files of test cases: text for people, several cases in a file with a line `---` between them.
//
//   # What the case shows; its title.                     # A product of constants folds.
//   op Softmax(axis=1)                                     graph g(x: f32[2]) -> (y) {
//   x: f32[1,2] {0, 0}                                       ...
//   y: f32[1,2] {0.5, 0.5}                                 }
//   ulp: 1                                                 passes: fold-constants
//
// A case is a head and sections; a section begins with its name and a colon at the start of a line and goes
// on up to the next one. Lines that begin with '#' are comments.
#ifndef TENFOLD_TESTS_CASES_CASE_FILE_H_
#define TENFOLD_TESTS_CASES_CASE_FILE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tenfold::testing {

struct Section {
  std::string name;
  std::string text;  // behind the colon, with the lines that follow; no comments, no white space around it
  std::string raw;   // as it stands in the file, its last line break included
};

struct CaseText {
  std::string title;  // the first comment line
  int line = 1;       // of the file, where the case begins
  std::string head;   // before the first section
  std::vector<Section> sections;

  // Null if there is none.
  const Section* Find(absl::string_view name) const;
  // Replaces what the section says, or adds it at the end; `text` as in Section.
  void Set(absl::string_view name, absl::string_view text);
  // The first word of the head that is no comment: "op", "graph".
  std::string Kind() const;
  // The case as it stands in the file.
  std::string ToString() const;
};

// Refuses a case without a title, and two with the same.
absl::StatusOr<std::vector<CaseText>> ParseCaseFile(absl::string_view text);
absl::StatusOr<std::vector<CaseText>> ReadCaseFile(const std::string& path);

// Replaces the case of that title in the file. Other processes may do the same to the same file.
absl::Status ReplaceInFile(const std::string& path, const CaseText& changed);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_CASE_FILE_H_
