// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/attrs.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tenfold {
namespace {

std::string QuotedString(absl::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// The shortest text that reads back to the same double, and that reads as a float: "2.0", not "2".
std::string FloatText(double value) {
  char buffer[64];
  const std::to_chars_result end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  std::string text(buffer, end.ptr);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";
  return text;
}

// "[a, b]", each element written by `text`.
template <typename T, typename Text>
std::string ListText(const std::vector<T>& values, const Text& text) {
  return absl::StrCat(
      "[", absl::StrJoin(values, ", ", [&](std::string* out, const T& value) { *out += text(value); }), "]");
}

}  // namespace

absl::string_view Name(AttrKind kind) {
  constexpr absl::string_view kNames[] = {"bool",   "int",     "float", "string", "ints",
                                          "floats", "strings", "dtype", "type",   "tensor"};
  return kNames[static_cast<int>(kind)];
}

std::string ToString(const AttrValue& value) {
  switch (KindOf(value)) {
    case AttrKind::kBool:
      return std::get<bool>(value) ? "true" : "false";
    case AttrKind::kInt:
      return absl::StrCat(std::get<int64_t>(value));
    case AttrKind::kFloat:
      return FloatText(std::get<double>(value));
    case AttrKind::kString:
      return QuotedString(std::get<std::string>(value));
    case AttrKind::kInts:
      return absl::StrCat("[", absl::StrJoin(std::get<std::vector<int64_t>>(value), ", "), "]");
    case AttrKind::kFloats:
      return ListText(std::get<std::vector<double>>(value), FloatText);
    case AttrKind::kStrings:
      return ListText(std::get<std::vector<std::string>>(value), QuotedString);
    case AttrKind::kDType:
      return std::string(Name(std::get<DType>(value)));
    case AttrKind::kType:
      return std::get<TensorType>(value).ToString();
    case AttrKind::kTensor:
      break;
  }
  return std::get<Tensor>(value).ToString();
}

bool operator==(const AttrValue& a, const AttrValue& b) {
  if (a.index() != b.index()) return false;
  if (const Tensor* tensor = std::get_if<Tensor>(&a)) return SameBits(*tensor, std::get<Tensor>(b));
  if (const double* x = std::get_if<double>(&a)) return FloatText(*x) == FloatText(std::get<double>(b));
  switch (KindOf(a)) {
    case AttrKind::kBool:
      return std::get<bool>(a) == std::get<bool>(b);
    case AttrKind::kInt:
      return std::get<int64_t>(a) == std::get<int64_t>(b);
    case AttrKind::kString:
      return std::get<std::string>(a) == std::get<std::string>(b);
    case AttrKind::kInts:
      return std::get<std::vector<int64_t>>(a) == std::get<std::vector<int64_t>>(b);
    case AttrKind::kFloats:  // by their text, as a single one is: NaN equals NaN, and -0 is not 0
      return ToString(a) == ToString(b);
    case AttrKind::kStrings:
      return std::get<std::vector<std::string>>(a) == std::get<std::vector<std::string>>(b);
    case AttrKind::kDType:
      return std::get<DType>(a) == std::get<DType>(b);
    default:
      return std::get<TensorType>(a) == std::get<TensorType>(b);
  }
}

bool Attrs::operator==(const Attrs& other) const {
  if (values_.size() != other.values_.size()) return false;
  for (auto a = values_.begin(), b = other.values_.begin(); a != values_.end(); ++a, ++b) {
    if (a->first != b->first || !tenfold::operator==(a->second, b->second)) return false;
  }
  return true;
}

}  // namespace tenfold
