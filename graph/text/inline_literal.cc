// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/inline_literal.h"

#include <charconv>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/text/element.h"

namespace tenfold {
namespace {

constexpr int64_t kLongestList = 16;

std::optional<int64_t> ReadInteger(absl::string_view text) {
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

absl::StatusOr<Tensor> ReadNumber(absl::string_view text, DType dtype) {
  const std::optional<int64_t> integer = ReadInteger(text);
  // "-0" is an integer to the eye, but only a float keeps its sign.
  if (integer && !(HasNan(dtype) && text == "-0")) return LiteralToTensor(Literal(*integer), dtype);
  double value;
  if (!ReadElement(text, DType::kF64, &value)) {
    return MakeError("E0204", WhyNotElement(text, DType::kF64));
  }
  if (IsInteger(dtype) && text.find_first_not_of("-0123456789") == absl::string_view::npos) {
    return MakeError("E0204", WhyNotElement(text, dtype));  // an integer that no int64 holds
  }
  return LiteralToTensor(Literal(value), dtype);
}

}  // namespace

absl::StatusOr<Tensor> ReadInlineLiteral(const OperandSyntax& operand, DType dtype) {
  if (const auto* number = std::get_if<NumberSyntax>(&operand.value)) {
    return ReadNumber(number->text, dtype);
  }
  if (const auto* word = std::get_if<WordSyntax>(&operand.value)) {
    return LiteralToTensor(Literal(word->text == "true"), dtype);
  }
  std::vector<int64_t> values;
  for (const auto& [text, span] : std::get<NumberListSyntax>(operand.value).numbers) {
    const std::optional<int64_t> value = ReadInteger(text);
    if (!value) return MakeError("E0204", WhyNotElement(text, DType::kI64));
    values.push_back(*value);
  }
  return LiteralToTensor(Literal(std::move(values)), dtype);
}

std::optional<std::string> InlineLiteralText(const Tensor& tensor) {
  OperandSyntax operand;
  std::vector<std::string> texts;
  std::string whole;
  if (tensor.rank() == 0) {
    whole = ElementToString(tensor, 0);
    if (IsBool(tensor.dtype())) {
      operand.value = WordSyntax{whole};
    } else {
      operand.value = NumberSyntax{whole};
    }
  } else if (tensor.rank() == 1 && tensor.num_elements() <= kLongestList && IsInteger(tensor.dtype())) {
    NumberListSyntax list;
    for (int64_t i = 0; i < tensor.num_elements(); ++i) texts.push_back(ElementToString(tensor, i));
    for (const std::string& text : texts) list.numbers.emplace_back(text, Span());
    operand.value = std::move(list);
    whole = absl::StrCat("{", absl::StrJoin(texts, ", "), "}");
  } else {
    return std::nullopt;
  }
  const absl::StatusOr<Tensor> back = ReadInlineLiteral(operand, tensor.dtype());
  if (!back.ok() || !SameBits(*back, tensor)) return std::nullopt;
  return whole;
}

}  // namespace tenfold
