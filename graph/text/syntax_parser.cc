// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/syntax_parser.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/text/flatten.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

constexpr int kVersion = 1;

}  // namespace

// --- The parts of a file -----------------------------------------------------------------------------------

std::optional<FileSyntax> SyntaxParser::ParseFile(bool require_header) {
  if (!Version(require_header)) return std::nullopt;
  FileSyntax file;
  while (token().IsWord("function")) {
    if (!Within(file.functions.size(), "functions")) return std::nullopt;
    if (!Graph("function", file.functions.emplace_back())) return std::nullopt;
  }
  if (!Graph("graph", file.graph)) return std::nullopt;
  if (token().kind != Token::kEnd && errors_.empty()) {
    Expected("the end of the file after the graph", "a file holds one graph");
  }
  return file;
}

bool SyntaxParser::Version(bool required) {
  if (!token().IsWord("tenfold")) {
    if (!required) return true;
    Mend mend;
    if (token().IsWord("graph")) {
      mend = {"begin with it", {ReplaceText{0, 0, "tenfold 1\n\n"}}};
    } else {
      mend = "a text graph is written: tenfold 1 graph g(x: f32[N,4]) -> (y) { y = Exp(x) }";
    }
    return Expected("'tenfold 1', the first line of a text graph", std::move(mend));
  }
  lexer_.Next();
  const Span span = token().span();
  int64_t version = 0;
  if (!Integer("the format's version after 'tenfold'", version)) return false;
  if (version == kVersion) return true;
  return Fail(span, "E0503",
              absl::StrCat("the text is in version ", version, " of the format; this Tenfold reads version ",
                           kVersion),
              version > kVersion ? "read it with the Tenfold that wrote it, or a later one" : "");
}

bool SyntaxParser::Graph(absl::string_view keyword, GraphSyntax& graph) {
  if (!token().IsWord(keyword)) return Expected(absl::StrCat("'", keyword, "'"));
  lexer_.Next();
  if (!Name("the graph's name", graph.name)) return false;
  if (!Inputs(graph)) return false;
  if (token().IsWord("where") && !Bounds(graph)) return false;
  return Outputs(graph) && Expect("{", "before the statements") && Statements(graph);
}

bool SyntaxParser::Inputs(GraphSyntax& graph) {
  if (!Expect("(", "before the inputs")) return false;
  if (Take(")")) return true;
  do {
    if (!Within(graph.inputs.size(), "inputs")) return false;
    InputSyntax& input = graph.inputs.emplace_back();
    if (!Name("an input's name", input.name)) return false;
    const bool left_out = depth_ > 0 && (token().Is(",") || token().Is(")"));
    if (!left_out) {
      TypeSyntax type;
      if (!Expect(":", "and a type after the input's name") || !Type(type)) return false;
      input.type = std::move(type.type);
    }
    if (token().IsWord("contract") && lexer_.Peek().Is("(") && !Contract(input.contract.emplace())) {
      return false;
    }
    if (!Provenance(input.provenance)) return false;
  } while (Take(","));
  return Expect(")", "or ',' after an input");
}

// `contract("train.npy", rows=1437, axis=1, min=f32[2] {0, 0}, max=f32[2] {16, 1}, nans=i64[2] {0, 3})`.
bool SyntaxParser::Bounds(GraphSyntax& graph) {
  do {
    lexer_.Next();  // `where` or ','
    if (!Within(graph.bounds.size(), "bounds")) return false;
    BoundSyntax& bound = graph.bounds.emplace_back();
    if (!Name("a symbol", bound.symbol)) return false;
    if (!token().IsWord("in")) return Expected("'in'", "bounds are written N in [1,512]");
    lexer_.Next();
    const size_t begin = token().offset;
    if (!Expect("[", "before the bounds")) return false;
    bound.bounds.min = 0;
    if (!token().Is(",") && !Integer("the least value", bound.bounds.min)) return false;
    if (!Expect(",", "between the bounds")) return false;
    if (!token().Is("]")) {
      int64_t max = 0;
      if (!Integer("the greatest value or ']'", max)) return false;
      bound.bounds.max = max;
    }
    const Span span = {begin, token().offset + 1};
    if (!Expect("]", "after the bounds")) return false;
    if (bound.bounds.min < 0 || (bound.bounds.max && *bound.bounds.max < bound.bounds.min)) {
      return Fail(span, "E0501",
                  absl::StrCat("no dim lies within the bounds of '", bound.symbol.name,
                               "': they must be 0 or more, and the first not above the second"));
    }
  } while (token().Is(","));
  return true;
}

bool SyntaxParser::Outputs(GraphSyntax& graph) {
  if (!Expect("->", "and the outputs after the inputs") || !Expect("(", "before the outputs")) return false;
  if (Take(")")) return true;
  do {
    if (!Within(graph.outputs.size(), "outputs")) return false;
    OutputSyntax& output = graph.outputs.emplace_back();
    if (!Name("an output's name", output.name)) return false;
    output.value = output.name;
    if (Take("=") && !Name("the value to give out", output.value)) return false;
  } while (Take(","));
  return Expect(")", "or ',' after an output");
}

bool SyntaxParser::Statements(GraphSyntax& graph) {
  while (!Take("}")) {
    if (token().kind == Token::kEnd) return Expected("a statement or '}'");
    if (++nodes_ > limits_.nodes) {
      Fail(token().span(), "E0402", absl::StrCat("more than ", limits_.nodes, " statements, the limit"),
           RaiseLimitHelp("nodes", AtMost('=')));
      return false;
    }
    if (errors_.full()) return false;  // the rest would only be counted
    StatementSyntax statement;
    const size_t begin = token().offset;
    if (!Statement(statement)) {
      statement.bad = true;
      if (token().offset == begin) lexer_.Next();  // or it would be tried again for ever
      SkipStatement();
    } else if (!token().first_on_line && !token().Is("}")) {
      Mend mend;
      if (token().text == ";") {
        const bool more = !lexer_.Peek().first_on_line;
        mend = {more ? "each statement has a line of its own" : "leave out the ';'",
                {ReplaceText{token().offset, token().offset + 1, more ? "\n " : ""}}};
      }
      Expected("the end of the line after a statement", std::move(mend));
      SkipStatement();
    }
    graph.statements.push_back(std::move(statement));
  }
  return true;
}

// --- Statements --------------------------------------------------------------------------------------------

bool SyntaxParser::Statement(StatementSyntax& statement) {
  in_list_ = false;
  formula_.reset();
  if (!Results(statement)) return false;
  formula_ = {statement.results.front().name.span.begin, token().offset};
  if (!Name("an op's name", statement.op)) return false;
  if (statement.op.name == "Const") {
    formula_.reset();
    if (!Const(statement)) return false;
  } else {
    if (token().first_on_line || token().Is("}")) {
      return Fail(statement.op.span, "E0501",
                  absl::StrCat("'", statement.op.name, "' stands without operands: a value has one name"),
                  "use that value itself; an output may have a name of its own: -> (y=x)");
    }
    if (!Arguments(statement)) return false;
    formula_.reset();
    if (token().Is("{") && !Bodies(statement)) return false;
  }
  return Provenance(statement.provenance);
}

bool SyntaxParser::Results(StatementSyntax& statement) {
  do {
    if (!Within(statement.results.size(), "results")) return false;
    TypedNameSyntax result;
    if (!Name("the name of a result", result.name)) return false;
    statement.results.push_back(std::move(result));
    if (Take(":")) {
      TypeSyntax type;
      if (!Type(type)) return false;
      statement.results.back().type = std::move(type);
    }
  } while (Take(","));
  return Expect("=", "after the results");
}

bool SyntaxParser::Const(StatementSyntax& statement) {
  if (token().Is("@")) return Reference(std::nullopt, statement);
  if (token().kind != Token::kName) {
    return Expected("the type of the constant",
                    "write f32[2] {1, 2}, f32[1000] splat 0 or @\"weights.npz:w1\"");
  }
  TypeSyntax type;
  if (!Type(type)) return false;
  if (token().Is("@")) return Reference(std::move(type), statement);
  if (token().kind == Token::kString) {
    return Expected("the contents of the constant",
                    {absl::StrCat("an array's file is written @", token().text),
                     {ReplaceText{token().offset, token().offset, "@"}}});
  }
  if (Contents(type, statement.tensor)) return true;
  statement.bad = true;
  return !in_list_;  // a list that is closed leaves nothing to skip
}

// The contents behind a type; in_list_ stays true where the list is broken.
bool SyntaxParser::Contents(const TypeSyntax& type, std::optional<Tensor>& tensor) {
  in_list_ = token().Is("{");
  ContentsSyntax contents = ReadContents(lexer_, type, /*bare=*/false, limits_, errors_);
  if (contents.closed) in_list_ = false;
  tensor = std::move(contents.tensor);
  return tensor.has_value();
}

bool SyntaxParser::Reference(std::optional<TypeSyntax> type, StatementSyntax& statement) {
  lexer_.Next();
  const Span span = token().span();
  std::string text;
  if (token().kind == Token::kName) {
    const absl::string_view line = lexer_.RestOfLine();
    const absl::string_view path = line.substr(0, line.find_first_of(" \t\r#"));
    const std::string quoted = QuoteString(path);
    return Expected(
        "a file's name in quotes after '@'",
        {absl::StrCat("write @", quoted), {ReplaceText{span.begin, span.begin + path.size(), quoted}}});
  }
  if (!String("a file's name in quotes after '@'", text)) return false;
  // At the first colon, as graph/ingest/array_reference.h says.
  const size_t colon = text.find(':');
  ReferenceSyntax reference;
  reference.file = text.substr(0, colon);
  if (colon != std::string::npos) reference.member = text.substr(colon + 1);
  reference.type = std::move(type);
  reference.span = span;
  statement.reference = std::move(reference);
  return true;
}

bool SyntaxParser::Arguments(StatementSyntax& statement) {
  if (!Expect("(", absl::StrCat("before the operands of ", statement.op.name))) return false;
  if (Take(")")) return true;
  do {
    if (!Within(statement.operands.size() + statement.attrs.size(), "operands")) {
      return false;
    }
    const bool named =
        (token().kind == Token::kName || token().kind == Token::kString) && lexer_.Peek().Is("=");
    if (named ? !Attribute(statement) : !Operand(statement)) return false;
  } while (Take(","));
  return Expect(")", "or ',' after an operand");
}

bool SyntaxParser::Operand(StatementSyntax& statement) {
  OperandSyntax operand;
  operand.span = token().span();
  if (!statement.attrs.empty()) {
    return Expected("an attribute: operands stand before attributes");
  }
  if (token().kind == Token::kNumber || token().IsWord("nan") || token().IsWord("inf")) {
    operand.value = NumberSyntax{token().text};
    lexer_.Next();
  } else if (token().IsWord("true") || token().IsWord("false")) {
    operand.value = WordSyntax{token().text};
    lexer_.Next();
  } else if (token().IsWord("_")) {
    operand.value = AbsentSyntax{};
    lexer_.Next();
  } else if (token().Is("{")) {
    lexer_.Next();
    NumberListSyntax list;
    in_list_ = true;
    if (!NumberList("}", list)) return false;
    in_list_ = false;
    operand.value = std::move(list);
    operand.span.end = token().offset;
  } else if (token().Is("[") || token().Is("(")) {
    return OperandInOtherBrackets();
  } else {
    NameSyntax name;
    if (!Name("an operand: a value's name, a number or {...}", name)) return false;
    operand.value = std::move(name.name);
  }
  statement.operands.push_back(std::move(operand));
  return true;
}

bool SyntaxParser::Attribute(StatementSyntax& statement) {
  AttrSyntax attr;
  if (!Name("an attribute's name", attr.name) || !Expect("=", "after the attribute's name")) return false;
  attr.span = token().span();
  if (token().kind == Token::kString) {
    std::string value;
    if (!String("a string", value)) return false;
    attr.value = std::move(value);
  } else if (token().kind == Token::kNumber || token().IsWord("nan") || token().IsWord("inf")) {
    attr.value = NumberSyntax{token().text};
    lexer_.Next();
  } else if (token().Is("[") && lexer_.Peek().kind == Token::kString) {
    lexer_.Next();
    StringListSyntax list;
    if (!StringList(list)) return false;
    attr.value = std::move(list);
  } else if (token().Is("[") || token().Is("{") || token().Is("(")) {
    // Read in any brackets: the assembler knows what was meant by the wrong ones.
    const absl::string_view close = token().Is("[") ? "]" : token().Is("{") ? "}" : ")";
    lexer_.Next();
    NumberListSyntax list;
    in_list_ = close == "}";
    if (!NumberList(close, list)) return false;
    in_list_ = false;
    attr.span.end = EndOfList(list, attr.span.begin, close);
    attr.value = std::move(list);
    attr.braces = close != "]";
  } else if (token().kind == Token::kName && lexer_.Peek().Is("[")) {
    TypeSyntax type;
    if (!Type(type)) return false;
    if (token().Is("{") || token().IsWord("splat")) {
      std::optional<Tensor> tensor;
      if (!Contents(type, tensor)) return false;
      attr.value = *std::move(tensor);
    } else {
      attr.value = std::move(type.type);
    }
  } else if (token().kind == Token::kName) {
    attr.value = WordSyntax{token().text};
    lexer_.Next();
  } else {
    return Expected(absl::StrCat("a value for the attribute '", attr.name.name, "'"));
  }
  statement.attrs.push_back(std::move(attr));
  return true;
}

// Behind the opening bracket, up to and with `close`.
bool SyntaxParser::NumberList(absl::string_view close, NumberListSyntax& list) {
  if (Take(close)) return true;
  // Of an attribute the list may be one of floats, too.
  const absl::string_view what = close == "]" ? "element" : "integer";
  do {
    if (!Within(list.numbers.size(), "numbers")) return false;
    const bool word = close == "]" && (token().IsWord("nan") || token().IsWord("inf"));
    if (token().kind != Token::kNumber && !word) return Expected(absl::StrCat("an ", what));
    list.numbers.emplace_back(token().text, token().span());
    lexer_.Next();
  } while (Take(","));
  return Expect(close, absl::StrCat("or ',' after an ", what));
}

// Behind the opening bracket of an attribute's list, up to and with the closing one.
bool SyntaxParser::StringList(StringListSyntax& list) {
  do {
    if (!Within(list.strings.size(), "strings")) return false;
    std::string value;
    if (!String("a string", value)) return false;
    list.strings.push_back(std::move(value));
  } while (Take(","));
  return Expect("]", "or ',' after a string");
}

size_t SyntaxParser::EndOfList(const NumberListSyntax& list, size_t begin, absl::string_view close) const {
  const size_t from = list.numbers.empty() ? begin : list.numbers.back().second.end;
  return errors_.source().text().find(close, from) + 1;
}

// At the bracket that opens it.
bool SyntaxParser::OperandInOtherBrackets() {
  const size_t begin = token().offset;
  const absl::string_view found = token().text == "[" ? "]" : ")";
  lexer_.Next();
  NumberListSyntax list;
  if (!NumberList(found, list)) return false;
  const Span span = {begin, EndOfList(list, begin, found)};
  const absl::string_view text = errors_.source().text();
  const std::string mended = absl::StrCat("{", text.substr(begin + 1, span.end - begin - 2), "}");
  return Fail(span, "E0501", "an operand's list of integers stands in {}",
              {absl::StrCat("write ", mended), {ReplaceText{span.begin, span.end, mended}}});
}

bool SyntaxParser::Bodies(StatementSyntax& statement) {
  if (depth_ >= limits_.nesting) {
    return Fail(token().span(), "E0402",
                absl::StrCat("bodies nest deeper than ", limits_.nesting, " levels, the limit"),
                RaiseLimitHelp("nesting", AtMost('{')));
  }
  lexer_.Next();
  ++depth_;
  bool good = true;
  do {
    if (good = Within(statement.bodies.size(), "bodies"); !good) break;
    statement.bodies.push_back(std::make_unique<GraphSyntax>());
    good = Graph("graph", *statement.bodies.back());
  } while (good && token().IsWord("graph"));
  --depth_;
  return good && Expect("}", "after the graph of a body");
}

// --- Small parts -------------------------------------------------------------------------------------------

bool SyntaxParser::Name(absl::string_view what, NameSyntax& name) {
  name.span = token().span();
  const bool quoted = token().kind == Token::kString;
  if (!quoted && token().kind != Token::kName) return Expected(what);
  if (quoted) {
    if (!String(what, name.name)) return false;
  } else {
    const absl::string_view text = token().text;
    if (text == "true" || text == "false" || text == "nan" || text == "inf") {
      return Expected(what, absl::StrCat("a name that reads like a number stands in quotes: \"", text, "\""));
    }
    if (text == "_") return Expected(what, "_ is an operand that is absent; a name stands in quotes: \"_\"");
    name.name = std::string(text);
    lexer_.Next();
  }
  if (name.name.empty()) return Fail(name.span, "E0501", "a name is empty");
  if (static_cast<int64_t>(name.name.size()) <= limits_.name_bytes) return true;
  return Fail(name.span, "E0402",
              absl::StrCat("a name of ", name.name.size(), " bytes; the limit is ", limits_.name_bytes),
              RaiseLimitHelp("name_bytes", static_cast<int64_t>(name.name.size())));
}

bool SyntaxParser::String(absl::string_view what, std::string& value) {
  if (token().kind != Token::kString) return Expected(what);
  std::optional<std::string> text = Unquote(token().text);
  if (!text) {
    return Fail(token().span(), "E0501", "the string has an unknown escape",
                "the escapes are \\\" \\\\ \\n \\t \\r and \\x00 to \\x7f");
  }
  value = *std::move(text);
  lexer_.Next();
  return true;
}

bool SyntaxParser::Integer(absl::string_view what, int64_t& value) {
  const absl::string_view text = token().text;
  if (token().kind != Token::kNumber) return Expected(what);
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) {
    return Fail(token().span(), "E0501", absl::StrCat(Describe(token()), " is no integer of 64 bits"));
  }
  lexer_.Next();
  return true;
}

bool SyntaxParser::Type(TypeSyntax& type) {
  if (token().kind != Token::kName) {
    return Expected("a type", "a type is written as f32[N,64], f32[] for a scalar, f32[...] for any rank");
  }
  std::optional<TypeSyntax> read = ReadType(lexer_, limits_, errors_);
  if (!read) return false;
  type = *std::move(read);
  return true;
}

bool SyntaxParser::Take(absl::string_view punct) {
  if (!token().Is(punct)) return false;
  lexer_.Next();
  return true;
}

bool SyntaxParser::Expect(absl::string_view punct, absl::string_view context) {
  return Take(punct) || Expected(absl::StrCat("'", punct, "' ", context));
}

int64_t SyntaxParser::AtMost(char mark) const {
  const absl::string_view text = errors_.source().text();
  return std::count(text.begin(), text.end(), mark);
}

bool SyntaxParser::Within(size_t count, absl::string_view what) {
  const int64_t limit = limits_.node_values;
  if (static_cast<int64_t>(count) < limit) return true;
  return Fail(token().span(), "E0402", absl::StrCat("more than ", limit, " ", what, ", the limit"),
              RaiseLimitHelp("node_values", AtMost(',') + 1));
}

Mend SyntaxParser::AsStatements() const {
  if (!formula_) return {};
  const absl::string_view text = errors_.source().text();
  const absl::string_view results =
      absl::StripTrailingAsciiWhitespace(text.substr(formula_->begin, formula_->end - formula_->begin));
  const absl::string_view line = text.substr(formula_->end, text.find('\n', formula_->end) - formula_->end);
  const std::optional<Flattened> formula =
      Flatten(absl::StripTrailingAsciiWhitespace(absl::StripSuffix(results, "=")), line, text);
  if (!formula) return {};
  const absl::string_view before = text.substr(0, formula_->begin);
  const absl::string_view indent = before.substr(before.rfind('\n') + 1);
  return {absl::StrCat("each call is a statement, and there are no operators: ",
                       absl::StrJoin(formula->statements, ", then ")),
          {ReplaceText{formula_->begin, formula_->end + formula->length,
                       absl::StrJoin(formula->statements, absl::StrCat("\n", indent))}}};
}

bool SyntaxParser::Expected(absl::string_view what, Mend help) {
  if (help.empty()) help = AsStatements();
  return Fail(token().span(), "E0501", absl::StrCat("expected ", what, ", found ", Describe(token())),
              std::move(help));
}

bool SyntaxParser::Fail(Span span, absl::string_view code, std::string message, Mend help) {
  errors_.Add(span, code, std::move(message), std::move(help));
  return false;
}

// --- Going on after an error -------------------------------------------------------------------------------

bool SyntaxParser::AtStatement() const {
  if (!token().first_on_line) return false;
  if (token().kind != Token::kName && token().kind != Token::kString) return false;
  const Token next = lexer_.Peek();
  return next.Is("=") || next.Is(",") || next.Is(":");
}

void SyntaxParser::SkipStatement() {
  int blocks = 0;
  for (; token().kind != Token::kEnd; lexer_.Next()) {
    if (blocks == 0 && AtStatement()) return;
    if (token().Is("{")) {
      ++blocks;
    } else if (token().Is("}")) {
      if (blocks > 0) {
        --blocks;
      } else if (in_list_ && lexer_.Peek().kind != Token::kEnd) {
        in_list_ = false;  // the end of the list that the error stands in
      } else {
        return;
      }
    }
  }
}

}  // namespace tenfold
