// SPDX-License-Identifier: Apache-2.0
//
// Reads graphs from text (.tnt); docs/file-format.md has the grammar.
//
//   tenfold 1
//   graph scale(x: f32[N,4]) where N in [1,512] -> (y) {
//     w = Const f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}
//     m = MatMul(x, w)
//     y = Mul(m, 2)
//   }
#ifndef TENFOLD_GRAPH_TEXT_PARSER_H_
#define TENFOLD_GRAPH_TEXT_PARSER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/text/array_resolver.h"

namespace tenfold {

struct TextOptions {
  // A path. Stands in locations, "models/model.tnt:4:9"; the graph's own provenance has its last part alone.
  std::string file = "text";
  std::shared_ptr<const OpRegistry> registry = OpRegistry::Standard();
  // Reads `@"weights.npz:w1"`; see FolderResolver. Without one, references are refused.
  ArrayResolver resolve = nullptr;
  // Refuse a text whose first line is not `tenfold 1`. Files need it; graphs inside other texts do not.
  bool require_header = false;
  Limits limits = {};
};

// Hostile text gives an error, in time and memory proportional to its length. All errors of the text are
// reported, each with its line and a caret, first cause first.
absl::StatusOr<Graph> ParseText(absl::string_view text, const TextOptions& options = {});

// The text with each error as comments below the line that it stands on: how an ill-typed graph is shown.
struct AnnotatedText {
  std::string text;
  std::vector<Diagnostic> errors;  // with their locations; empty for a text that ParseText accepts
};
AnnotatedText AnnotateText(absl::string_view text, const TextOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_PARSER_H_
