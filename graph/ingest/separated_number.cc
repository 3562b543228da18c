// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/separated_number.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/ingest/npy_text.h"

namespace tenfold {
namespace {

bool AreDigits(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); });
}

// "1.234.567": groups of three behind one to three digits.
bool AreGroups(absl::string_view text, char separator) {
  size_t end = text.find(separator);
  if (end == absl::string_view::npos || end < 1 || end > 3 || !AreDigits(text.substr(0, end))) return false;
  for (text.remove_prefix(end); !text.empty(); text.remove_prefix(4)) {
    if (text.size() < 4 || text[0] != separator || !AreDigits(text.substr(1, 3))) return false;
  }
  return true;
}

// With `mark` as its decimal mark and `separator` between thousands, as a number with a point.
std::optional<std::string> Read(absl::string_view text, char mark, char separator) {
  text = absl::StripAsciiWhitespace(text);
  const size_t at = text.find(mark);
  absl::string_view whole = text.substr(0, at);
  const absl::string_view fraction = at == absl::string_view::npos ? "" : text.substr(at + 1);
  std::string sign;
  if (absl::StartsWith(whole, "-") || absl::StartsWith(whole, "+")) {
    sign = std::string(whole.substr(0, 1));
    whole.remove_prefix(1);
  }
  std::string digits(whole);
  if (absl::StrContains(whole, separator)) {
    if (!AreGroups(whole, separator)) return std::nullopt;
    std::erase(digits, separator);
  }
  if (absl::StrContains(fraction, ',') || absl::StrContains(fraction, '.')) return std::nullopt;
  std::string number = absl::StrCat(sign, digits, at == absl::string_view::npos ? "" : ".", fraction);
  if (!IsNumberText(number)) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> WithDecimalComma(absl::string_view text) { return Read(text, ',', '.'); }

std::optional<std::string> WithoutThousands(absl::string_view text) { return Read(text, '.', ','); }

bool Separators::Add(absl::string_view text) {
  const bool european = WithDecimalComma(text).has_value(), american = WithoutThousands(text).has_value();
  if (!european && !american) return false;
  const bool comma = absl::StrContains(text, ','), point = absl::StrContains(text, '.');
  any_comma_ = any_comma_ || comma;
  thousands_ = thousands_ && american;
  decimal_comma_ = decimal_comma_ && (european || !comma);
  // "1.5" has a decimal point whatever commas are; that of "1.234" may be either.
  points_part_thousands_ = points_part_thousands_ || (european && point && (comma || !american));
  decimal_points_ = decimal_points_ || (!european && point);
  return true;
}

absl::string_view Separators::Meaning() const {
  return decimal_comma() && thousands_ ? "has a comma, which may part thousands or be a decimal comma"
         : decimal_comma()             ? "has a decimal comma"
                                       : "has a comma that parts thousands";
}

std::vector<Replacement> Replacements(const Separators& separators, absl::string_view array, bool bytes) {
  const absl::string_view b = bytes ? "b" : "";
  const auto replace = [&](absl::string_view of, absl::string_view what, absl::string_view with) {
    return absl::StrCat("np.char.replace(", of, ", ", b, "\"", what, "\", ", b, "\"", with, "\")");
  };
  std::vector<Replacement> all;
  const bool both = separators.decimal_comma() && separators.thousands_;
  if (separators.thousands_)
    all.push_back({both ? "if the commas part thousands" : "", replace(array, ",", "")});
  if (separators.decimal_comma()) {
    const std::string whole =
        separators.points_part_thousands_ ? replace(array, ".", "") : std::string(array);
    all.push_back({both ? "if they are decimal commas" : "", replace(whole, ",", ".")});
  }
  return all;
}

}  // namespace tenfold
