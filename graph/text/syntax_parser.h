// SPDX-License-Identifier: Apache-2.0
//
// Text to syntax tree, by recursive descent; docs/file-format.md has the grammar. After an error in a
// statement it goes on with the next one. Only bodies recurse, up to Limits::nesting.
#ifndef TENFOLD_GRAPH_TEXT_SYNTAX_PARSER_H_
#define TENFOLD_GRAPH_TEXT_SYNTAX_PARSER_H_

#include <optional>

#include "tenfold/graph/limits.h"
#include "tenfold/graph/text/lexer.h"
#include "tenfold/graph/text/source_text.h"
#include "tenfold/graph/text/syntax.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {

class SyntaxParser {
 public:
  SyntaxParser(const SourceText& source, const Limits& limits, ErrorList& errors)
      : lexer_(source.text()), limits_(limits), errors_(errors) {}

  // `tenfold 1`, then functions and one graph. Views of the text stay in the tree. nullopt if not even the
  // graph's header could be read, or the version is another; errors are recorded in any case.
  std::optional<FileSyntax> ParseFile(bool require_header);

 private:
  bool Version(bool required);
  bool Graph(absl::string_view keyword, GraphSyntax& graph);
  bool Inputs(GraphSyntax& graph);
  bool Contract(ContractSyntax& contract);
  bool Bounds(GraphSyntax& graph);
  bool Outputs(GraphSyntax& graph);
  bool Statements(GraphSyntax& graph);
  bool Statement(StatementSyntax& statement);
  bool Results(StatementSyntax& statement);
  bool Const(StatementSyntax& statement);
  bool Contents(const TypeSyntax& type, std::optional<Tensor>& tensor);
  bool Reference(std::optional<TypeSyntax> type, StatementSyntax& statement);
  bool Arguments(StatementSyntax& statement);
  bool Operand(StatementSyntax& statement);
  bool Attribute(StatementSyntax& statement);
  bool NumberList(absl::string_view close, NumberListSyntax& list);
  bool StringList(StringListSyntax& list);
  // Behind the bracket that closes a list which has been read.
  size_t EndOfList(const NumberListSyntax& list, size_t begin, absl::string_view close) const;
  bool OperandInOtherBrackets();
  bool Bodies(StatementSyntax& statement);
  bool Provenance(ProvenanceSyntax& provenance);
  bool Ingest(IngestRecord& record);

  bool Name(absl::string_view what, NameSyntax& name);
  bool String(absl::string_view what, std::string& value);
  bool Integer(absl::string_view what, int64_t& value);
  bool Type(TypeSyntax& type);
  bool Expect(absl::string_view punct, absl::string_view context);
  bool Take(absl::string_view punct);
  bool Within(size_t count, absl::string_view what);
  // How many there can be of what is written with `mark`: enough for a limit that is raised to it.
  int64_t AtMost(char mark) const;
  // The statement at hand as several, if it nests calls or has operators.
  Mend AsStatements() const;
  // "expected WHAT, found ..."; false.
  bool Expected(absl::string_view what, Mend help = {});
  bool Fail(Span span, absl::string_view code, std::string message, Mend help = {});

  // After an error: to the next statement, or the '}' that ends the graph.
  void SkipStatement();
  bool AtStatement() const;

  const Token& token() const { return lexer_.token(); }

  Lexer lexer_;
  const Limits& limits_;
  ErrorList& errors_;
  int depth_ = 0;
  int64_t nodes_ = 0;
  // While a call is read: from its first result's name, to behind the '='.
  std::optional<Span> formula_;
  bool in_list_ = false;  // between the braces of a list of numbers
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_SYNTAX_PARSER_H_
