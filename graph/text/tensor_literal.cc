// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/tensor_literal.h"

#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
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

// Others' names of dtypes are known.
void AddTypeError(const Token& begin, const absl::Status& status, ErrorList& errors) {
  absl::string_view word = begin.text;
  size_t length = 0;
  while (length < word.size() && absl::ascii_isalnum(static_cast<unsigned char>(word[length]))) ++length;
  word = word.substr(0, length);
  const std::optional<DType> meant = DTypeOfForeignName(word);
  if (!meant) return errors.Add(begin.span(), status);
  std::vector<Diagnostic> refused = DiagnosticsOf(status);
  const std::string name(Name(*meant));
  refused[0].help = {{DidYouMean(name), {ReplaceText{begin.offset, begin.offset + word.size(), name}}}};
  errors.Add(begin.span(), ToStatus(std::move(refused)));
}

}  // namespace

std::optional<TypeSyntax> ReadType(Lexer& lexer, const Limits& limits, ErrorList& errors) {
  const Token begin = lexer.token();
  const absl::string_view line = lexer.RestOfLine();
  absl::string_view rest = line;
  absl::StatusOr<TensorType> type = TensorType::Consume(rest);
  if (!type.ok()) {
    AddTypeError(begin, type.status(), errors);
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
