// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/attr_syntax.h"

#include <charconv>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/text/element.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

std::optional<int64_t> ReadInteger(absl::string_view text) {
  int64_t value = 0;
  if (!ReadElement(text, DType::kI64, &value)) return std::nullopt;
  return value;
}

std::optional<double> ReadFloat(absl::string_view text) {
  double value = 0;
  if (!ReadElement(text, DType::kF64, &value)) return std::nullopt;
  return value;
}

template <typename T>
std::optional<AttrValue> ReadList(const NumberListSyntax& list, std::optional<T> (*read)(absl::string_view)) {
  std::vector<T> values;
  for (const auto& [text, span] : list.numbers) {
    const std::optional<T> value = read(text);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return AttrValue(std::move(values));
}

template <typename T>
std::optional<AttrValue> Value(const std::optional<T>& value) {
  return value ? std::optional<AttrValue>(AttrValue(*value)) : std::nullopt;
}

std::optional<AttrValue> ReadNumber(absl::string_view text, AttrKind kind) {
  if (kind == AttrKind::kInt) return Value(ReadInteger(text));
  return kind == AttrKind::kFloat ? Value(ReadFloat(text)) : std::nullopt;
}

std::optional<AttrValue> ReadWord(absl::string_view text, AttrKind kind) {
  if (kind == AttrKind::kBool && (text == "true" || text == "false")) return AttrValue(text == "true");
  if (kind == AttrKind::kDType) return Value(ParseDType(text));
  return std::nullopt;
}

}  // namespace

std::optional<AttrValue> ReadAttrValue(const AttrSyntax& attr, AttrKind kind) {
  if (const auto* number = std::get_if<NumberSyntax>(&attr.value)) return ReadNumber(number->text, kind);
  if (const auto* word = std::get_if<WordSyntax>(&attr.value)) return ReadWord(word->text, kind);
  if (const auto* text = std::get_if<std::string>(&attr.value)) {
    return kind == AttrKind::kString ? std::optional<AttrValue>(*text) : std::nullopt;
  }
  if (const auto* type = std::get_if<TensorType>(&attr.value)) {
    return kind == AttrKind::kType ? std::optional<AttrValue>(*type) : std::nullopt;
  }
  if (const auto* tensor = std::get_if<Tensor>(&attr.value)) {
    return kind == AttrKind::kTensor ? std::optional<AttrValue>(*tensor) : std::nullopt;
  }
  if (const auto* strings = std::get_if<StringListSyntax>(&attr.value)) {
    return kind == AttrKind::kStrings ? std::optional<AttrValue>(strings->strings) : std::nullopt;
  }
  const auto& list = std::get<NumberListSyntax>(attr.value);
  if (kind == AttrKind::kInts) return ReadList(list, ReadInteger);
  if (kind == AttrKind::kFloats) return ReadList(list, ReadFloat);
  if (kind == AttrKind::kStrings && list.numbers.empty()) return AttrValue(std::vector<std::string>());
  return std::nullopt;
}

std::string NearestAttrText(const AttrSyntax& attr, AttrKind kind) {
  const auto* number = std::get_if<NumberSyntax>(&attr.value);
  const auto* word = std::get_if<WordSyntax>(&attr.value);
  const auto* text = std::get_if<std::string>(&attr.value);
  const auto* list = std::get_if<NumberListSyntax>(&attr.value);
  const absl::string_view written = number != nullptr ? absl::string_view(number->text)
                                    : word != nullptr ? absl::string_view(word->text)
                                    : text != nullptr ? absl::string_view(*text)
                                                      : "";
  switch (kind) {
    case AttrKind::kInts:
      return number != nullptr && ReadInteger(written) ? absl::StrCat("[", written, "]") : "";
    case AttrKind::kInt:
      return list != nullptr && list->numbers.size() == 1 ? std::string(list->numbers[0].first) : "";
    case AttrKind::kBool:
      if (written == "1" || absl::EqualsIgnoreCase(written, "true")) return "true";
      if (written == "0" || absl::EqualsIgnoreCase(written, "false")) return "false";
      return "";
    case AttrKind::kDType: {
      const std::optional<DType> own = ParseDType(written), dtype = own ? own : DTypeOfForeignName(written);
      return dtype ? std::string(Name(*dtype)) : "";
    }
    case AttrKind::kString:
      return word != nullptr ? QuoteString(written) : "";
    default:
      return "";
  }
}

absl::string_view DescribeAttrKind(AttrKind kind) {
  constexpr absl::string_view kDescriptions[] = {
      "true or false",
      "an integer of 64 bits",
      "a number",
      "a string in quotes",
      "a list of integers, such as [0, 1]",
      "a list of numbers, such as [0.5, 1]",
      "a list of strings, such as [\"tanh\"]",
      "a dtype, such as f32",
      "a type, such as f32[N,64]",
      "a tensor, such as f32[2] {1, 2}",
  };
  return kDescriptions[static_cast<int>(kind)];
}

std::string AttrValueText(const AttrValue& value, std::optional<int64_t> max_elements,
                          absl::string_view indent) {
  // ToString is for people: it shortens tensors and leaves control characters in strings.
  if (const auto* text = std::get_if<std::string>(&value)) return QuoteString(*text);
  if (const auto* tensor = std::get_if<Tensor>(&value)) return TensorLiteral(*tensor, max_elements, indent);
  if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
    return absl::StrCat(
        "[",
        absl::StrJoin(*strings, ", ", [](std::string* out, const std::string& s) { *out += QuoteString(s); }),
        "]");
  }
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
    return absl::StrCat("[",
                        absl::StrJoin(*numbers, ", ",
                                      [&](std::string* out, double number) {
                                        *out += AttrValueText(number, max_elements, indent);
                                      }),
                        "]");
  }
  if (const auto* number = std::get_if<double>(&value); number != nullptr && *number != *number) return "nan";
  return ToString(value);
}

}  // namespace tenfold
