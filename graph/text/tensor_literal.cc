// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/tensor_literal.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/text/element.h"

namespace tenfold {
namespace {

constexpr int64_t kElementsPerLine = 16;
constexpr int64_t kElementsOnOneLine = 32;
constexpr int64_t kElementsOfElided = 8;

// What the elements of one tensor are read into. The text bounds the memory: a count that the text cannot
// hold is never allocated.
class ElementList {
 public:
  ElementList(DType dtype, int64_t expected, size_t bytes_of_text)
      : dtype_(dtype), expected_(expected), stores_(static_cast<size_t>(expected) <= bytes_of_text) {
    if (stores_) bytes_.reserve(expected * SizeOf(dtype));
  }

  bool Add(absl::string_view text) {
    char element[8];
    if (!ReadElement(text, dtype_, element)) return false;
    if (stores_ && count_ < expected_) bytes_.append(element, SizeOf(dtype_));
    ++count_;
    return true;
  }
  int64_t count() const { return count_; }

  absl::StatusOr<Tensor> Finish(const Dims& dims) const {
    if (count_ != expected_) return WrongElementCount(count_, dims);
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype_, dims));
    if (IsPacked(dtype_)) {
      PackElements(bytes_.data(), count_, tensor.mutable_data());
      return tensor;
    }
    if (!bytes_.empty()) std::memcpy(tensor.mutable_data(), bytes_.data(), bytes_.size());
    return tensor;
  }

 private:
  DType dtype_;
  int64_t expected_;
  bool stores_;
  int64_t count_ = 0;
  std::string bytes_;
};

bool IsElement(const Token& token) { return token.kind == Token::kNumber || token.kind == Token::kName; }

ContentsSyntax Closed(absl::StatusOr<Tensor> tensor, Span span, ErrorList& errors) {
  if (tensor.ok()) return {*std::move(tensor), true};
  errors.Add(span, tensor.status());
  return {std::nullopt, true};
}

ContentsSyntax ReadSplat(Lexer& lexer, const TypeSyntax& type, const Dims& dims, ErrorList& errors) {
  lexer.Next();
  const Token value = lexer.token();
  if (!IsElement(value)) {
    errors.Add(value.span(), "E0501",
               absl::StrCat("expected the value of the splat, found ", Describe(value)));
    return {};
  }
  lexer.Next();
  char element[8];
  if (!ReadElement(value.text, type.type.dtype, element)) {
    errors.Add(value.span(), "E0506", WhyNotElement(value.text, type.type.dtype));
    return {std::nullopt, true};
  }
  return Closed(Tensor::Splat(type.type.dtype, dims, element), type.span, errors);
}

// "expected WHAT, found ..."; a list that runs to the end of the text is blamed on its brace.
ContentsSyntax Broken(const Token& found, Span open, absl::string_view what, ErrorList& errors) {
  if (found.kind == Token::kEnd) {
    errors.Add(open, "E0501", "this '{' is never closed");
  } else {
    errors.Add(found.span(), "E0501", absl::StrCat("expected ", what, ", found ", Describe(found)));
  }
  return {};
}

// The list behind '{', or a bare one up to the end of the text.
ContentsSyntax ReadList(Lexer& lexer, const TypeSyntax& type, const Dims& dims, bool bare,
                        ErrorList& errors) {
  const Span open = lexer.token().span();
  const bool braces = lexer.token().Is("{");
  if (braces) lexer.Next();
  const DType dtype = type.type.dtype;
  ElementList list(dtype, *NumElements(dims), errors.source().text().size() - open.begin);
  bool good = true;
  const auto at_end = [&] { return braces ? lexer.token().Is("}") : lexer.token().kind == Token::kEnd; };
  for (bool after_comma = false; after_comma || !at_end();) {
    const Token& token = lexer.token();
    if (token.Is("...")) {
      errors.Add(token.span(), "E0505",
                 absl::StrCat("the contents of this ", type.type.ToString(),
                              " were left out when the text was printed, so it cannot be read back"),
                 "print it with all constants, or save the graph as .tnf");
      return {};
    }
    if (!IsElement(token)) return Broken(token, open, "a number", errors);
    if (good && !list.Add(token.text)) {  // the first is enough: they tend to fail for one reason
      good = false;
      errors.Add(token.span(), "E0506",
                 absl::StrCat("element ", list.count(), ": ", WhyNotElement(token.text, dtype)));
    }
    lexer.Next();
    after_comma = lexer.token().Is(",");
    if (after_comma) {
      lexer.Next();
    } else if (!at_end() && !bare) {
      return Broken(lexer.token(), open, "',' or '}' in a list of numbers", errors);
    }
  }
  if (braces) lexer.Next();
  if (!good) return {std::nullopt, true};
  return Closed(list.Finish(dims), type.span, errors);
}

// A type as others write it, in ours.
struct MendedType {
  std::string text;
  size_t length = 0;  // of what it stands for
};

// "float32[-1, 3]" and "f32(N,3)" are f32[N,3], "f32" is f32[]; nullopt where what is meant is not plain.
std::optional<MendedType> MendType(absl::string_view line) {
  constexpr absl::string_view kSymbols[] = {"N", "M", "K", "L"};
  size_t length = 0;
  while (length < line.size() && absl::ascii_isalnum(static_cast<unsigned char>(line[length]))) ++length;
  const absl::string_view word = line.substr(0, length);
  const std::optional<DType> own = ParseDType(word), dtype = own ? own : DTypeOfForeignName(word);
  if (!dtype) return std::nullopt;
  if (length == line.size() || (line[length] != '[' && line[length] != '(')) {
    return MendedType{absl::StrCat(Name(*dtype), "[]"), length};
  }
  const size_t close = line.find(line[length] == '[' ? ']' : ')', length);
  if (close == absl::string_view::npos) return std::nullopt;
  const absl::string_view inside = line.substr(length + 1, close - length - 1);
  if (absl::StripAsciiWhitespace(inside) == "...") {
    return MendedType{absl::StrCat(Name(*dtype), "[...]"), close + 1};
  }
  std::vector<std::string> dims, known;
  if (!absl::StripAsciiWhitespace(inside).empty()) dims = absl::StrSplit(inside, ',');
  if (!dims.empty() && absl::StripAsciiWhitespace(dims.back()).empty()) dims.pop_back();  // Python's (3,)
  const auto is_unknown = [](const std::string& dim) { return dim == "-1" || dim == "?" || dim == "*"; };
  for (std::string& dim : dims) {
    dim = std::string(absl::StripAsciiWhitespace(dim));
    if (is_unknown(dim)) continue;
    const absl::StatusOr<Dim> parsed = Dim::Parse(dim);
    if (!parsed.ok() || (parsed->is_constant() && parsed->constant() < 0)) return std::nullopt;
    parsed->CollectSymbols(known);
  }
  const absl::string_view* symbol = std::begin(kSymbols);
  for (std::string& dim : dims) {
    if (!is_unknown(dim)) continue;
    while (symbol != std::end(kSymbols) && std::find(known.begin(), known.end(), *symbol) != known.end())
      ++symbol;
    if (symbol == std::end(kSymbols)) return std::nullopt;
    dim = std::string(*symbol++);
  }
  return MendedType{absl::StrCat(Name(*dtype), "[", absl::StrJoin(dims, ","), "]"), close + 1};
}

void AddTypeError(const Token& begin, absl::string_view line, const absl::Status& status, ErrorList& errors) {
  const std::optional<MendedType> meant = MendType(line);
  if (!meant) return errors.Add(begin.span(), status);
  std::vector<Diagnostic> refused = DiagnosticsOf(status);
  refused[0].help = {
      {DidYouMean(meant->text), {ReplaceText{begin.offset, begin.offset + meant->length, meant->text}}}};
  errors.Add(begin.span(), ToStatus(std::move(refused)));
}

}  // namespace

std::optional<TypeSyntax> ReadType(Lexer& lexer, const Limits& limits, ErrorList& errors) {
  const Token begin = lexer.token();
  const absl::string_view line = lexer.RestOfLine();
  absl::string_view rest = line;
  absl::StatusOr<TensorType> type = TensorType::Consume(rest);
  if (!type.ok()) {
    AddTypeError(begin, line, type.status(), errors);
    return std::nullopt;
  }
  const Span span = {begin.offset, begin.offset + (line.size() - rest.size())};
  lexer.JumpTo(span.end);
  if (type->shape.has_rank() && type->shape.rank() > limits.rank) {
    errors.Add(span, "E0402",
               absl::StrCat("a type of ", type->shape.rank(), " dims; the limit is ", limits.rank),
               RaiseLimitHelp("rank", type->shape.rank()));
    return std::nullopt;
  }
  return TypeSyntax{*std::move(type), span};
}

ContentsSyntax ReadContents(Lexer& lexer, const TypeSyntax& type, bool bare, const Limits& limits,
                            ErrorList& errors) {
  if (!type.type.shape.is_static()) {
    errors.Add(type.span, "E0501",
               absl::StrCat("a constant needs an integer for each dim, not ", type.type.ToString()));
    return {};
  }
  const Dims dims = type.type.shape.static_dims();
  if (lexer.token().IsWord("splat")) return ReadSplat(lexer, type, dims, errors);
  if (!lexer.token().Is("{") && !bare) {
    const std::string name = type.type.ToString();
    errors.Add(lexer.token().span(), "E0501",
               absl::StrCat("expected the contents of the constant, found ", Describe(lexer.token())),
               absl::StrCat("write ", name, " {...} or ", name, " splat 0"));
    return {};
  }
  const std::optional<int64_t> count = NumElements(dims);
  const int64_t size = static_cast<int64_t>(SizeOf(type.type.dtype));
  if (!count || *count > limits.tensor_bytes / size) {
    errors.Add(type.span, "E0402",
               absl::StrCat("the constant ", type.type.ToString(), " is larger than the limit of ",
                            limits.tensor_bytes, " bytes"),
               count && *count <= INT64_MAX / size ? RaiseLimitHelp("tensor_bytes", *count * size) : "");
    return {};
  }
  return ReadList(lexer, type, dims, bare, errors);
}

absl::StatusOr<Tensor> ParseTensorLiteral(absl::string_view text, const Limits& limits) {
  const SourceText source(text, "tensor");
  ErrorList errors(source, limits.errors);
  Lexer lexer(text);
  ContentsSyntax contents;
  if (const std::optional<TypeSyntax> type = ReadType(lexer, limits, errors)) {
    contents = ReadContents(lexer, *type, /*bare=*/true, limits, errors);
  }
  if (contents.tensor && lexer.token().kind != Token::kEnd) {
    errors.Add(lexer.token().span(), "E0501",
               absl::StrCat("expected the end of the tensor, found ", Describe(lexer.token())));
  }
  TENFOLD_RETURN_IF_ERROR(errors.ToStatus());
  return *std::move(contents.tensor);
}

std::string TensorLiteral(const Tensor& tensor, std::optional<int64_t> max_elements,
                          absl::string_view indent) {
  std::string text = tensor.type().ToString();
  const int64_t count = tensor.num_elements();
  if (tensor.is_splat() && count > 1) {
    return absl::StrCat(text, " splat ", ElementToString(tensor, 0));
  }
  const bool elided = max_elements && count > *max_elements;
  const int64_t shown = elided ? std::min(*max_elements, kElementsOfElided) : count;
  const bool one_line = shown <= kElementsOnOneLine;
  text += " {";
  for (int64_t i = 0; i < shown; ++i) {
    if (i > 0) text += one_line || i % kElementsPerLine != 0 ? ", " : ",";
    if (!one_line && i % kElementsPerLine == 0) absl::StrAppend(&text, "\n", indent, "  ");
    text += ElementToString(tensor, i);
  }
  if (elided) text += shown > 0 ? ", ..." : "...";
  if (!one_line) absl::StrAppend(&text, "\n", indent);
  return text + "}";
}

}  // namespace tenfold
