// SPDX-License-Identifier: Apache-2.0
//
// A text with its line starts, for errors that show the place.
#ifndef TENFOLD_GRAPH_TEXT_SOURCE_TEXT_H_
#define TENFOLD_GRAPH_TEXT_SOURCE_TEXT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

// A stretch of the text, in bytes.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

class SourceText {
 public:
  // Keeps a view of `text`. `file` stands in locations.
  SourceText(absl::string_view text, absl::string_view file);

  absl::string_view text() const { return text_; }
  // Both from 1; columns count bytes, as compilers do.
  int LineOf(size_t offset) const;
  int ColumnOf(size_t offset) const;
  // "models/model.tnt:4:9", for errors.
  std::string LocationOf(size_t offset) const;
  // "model.tnt:4:9", which graphs carry along: where their files lay is nobody's business.
  std::string PlaceOf(size_t offset) const;
  int num_lines() const { return static_cast<int>(line_starts_.size()); }
  // Without the line break.
  absl::string_view Line(int line) const;
  // The line that `span` begins on and a line with carets under it; a long line is shown in part.
  std::vector<std::string> Excerpt(Span span) const;

 private:
  absl::string_view text_;
  std::string file_;
  std::vector<size_t> line_starts_;
};

// The errors of one text, in the order in which they are found; beyond `max_errors` they are only counted.
class ErrorList {
 public:
  struct Entry {
    Span span;
    Diagnostic diagnostic;
  };

  ErrorList(const SourceText& source, int64_t max_errors)
      : source_(source), max_errors_(std::max<int64_t>(max_errors, 1)) {}

  void Add(Span span, absl::string_view code, std::string message, Mend help = {});
  // Every diagnostic of `status`, placed at `span`.
  void Add(Span span, const absl::Status& status);

  bool empty() const { return count_ == 0; }
  bool full() const { return count_ >= max_errors_; }
  int count() const { return count_; }
  const SourceText& source() const { return source_; }

  // In the order of the text; first causes come first, since a statement reads only what stands above it.
  std::vector<Entry> Sorted() const;
  // OK if there are none. Each diagnostic has its location and shows the place.
  absl::Status ToStatus() const;

 private:
  void Add(Span span, Diagnostic diagnostic);

  const SourceText& source_;
  int64_t max_errors_;
  int count_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_SOURCE_TEXT_H_
