// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/text/assemble.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/graph/text/source_text.h"
#include "tenfold/graph/text/syntax_parser.h"

namespace tenfold {
namespace {

// The graph, if no error was recorded.
std::optional<Graph> Parse(const SourceText& source, const TextOptions& options, ErrorList& errors) {
  if (static_cast<int64_t>(source.text().size()) > options.limits.text_bytes) {
    errors.Add(Span(), "E0402",
               absl::StrCat("the text has ", source.text().size(), " bytes; the limit is ",
                            options.limits.text_bytes),
               RaiseLimitHelp("text_bytes", static_cast<int64_t>(source.text().size())));
    return std::nullopt;
  }
  if (const std::optional<size_t> bad = FindInvalidUtf8(source.text())) {
    errors.Add(Span{*bad, *bad + 1}, "E0501", "the text is not UTF-8 from here on");
    return std::nullopt;
  }
  SyntaxParser parser(source, options.limits, errors);
  std::optional<FileSyntax> syntax;
  const absl::Status in_memory = RefuseIfOutOfMemory("read", options.file, [&] {
    syntax = parser.ParseFile(options.require_header);
    return absl::OkStatus();
  });
  if (!in_memory.ok()) errors.Add(Span(), in_memory);
  if (!syntax) return std::nullopt;
  Functions functions;
  for (GraphSyntax& function : syntax->functions) {
    AddFunction(function, options.registry, options.resolve, options.limits, errors, functions);
  }
  Graph graph = GraphAssembler(options.registry, options.resolve, options.limits, errors, functions)
                    .Assemble(syntax->graph);
  if (!errors.empty()) return std::nullopt;
  return graph;
}

// The error as comments; the caret stands under its place as far as the '#' lets it.
void AppendComments(const SourceText& source, const ErrorList::Entry& error, std::string* out) {
  const size_t column = std::max(2, source.ColumnOf(error.span.begin));
  const absl::string_view line = source.Line(source.LineOf(error.span.begin));
  const size_t room = line.size() > column - 1 ? line.size() - (column - 1) : 1;
  const size_t width = std::clamp<size_t>(error.span.end - error.span.begin, 1, room);
  const std::string indent = absl::StrCat("#", std::string(std::min<size_t>(column, 80) - 2, ' '));
  bool first = true;
  for (absl::string_view text : absl::StrSplit(error.diagnostic.ToString(), '\n')) {
    absl::StrAppend(out, indent,
                    first ? absl::StrCat("^", std::string(std::min<size_t>(width, 80) - 1, '~'), " ") : "  ",
                    text, "\n");
    first = false;
  }
}

}  // namespace

absl::StatusOr<Graph> ParseText(absl::string_view text, const TextOptions& options) {
  const SourceText source(text, options.file);
  ErrorList errors(source, options.limits.errors);
  std::optional<Graph> graph = Parse(source, options, errors);
  if (graph) return *std::move(graph);
  return errors.ToStatus();
}

AnnotatedText AnnotateText(absl::string_view text, const TextOptions& options) {
  const SourceText source(text, options.file);
  ErrorList errors(source, options.limits.errors);
  Parse(source, options, errors);
  AnnotatedText result;
  const std::vector<ErrorList::Entry> entries = errors.Sorted();
  auto entry = entries.begin();
  for (int line = 1; line <= source.num_lines(); ++line) {
    if (line < source.num_lines() || !source.Line(line).empty()) {
      absl::StrAppend(&result.text, source.Line(line), "\n");
    }
    for (; entry != entries.end() && source.LineOf(entry->span.begin) == line; ++entry) {
      AppendComments(source, *entry, &result.text);
    }
  }
  result.errors = DiagnosticsOf(errors.ToStatus());
  return result;
}

}  // namespace tenfold
