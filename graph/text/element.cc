// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/element.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <system_error>
#include <type_traits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/packed.h"

namespace tenfold {
namespace {

// A decimal number as digits and the power of ten of the first one: 0.0123e5 is "123", 3.
struct Decimal {
  std::string digits;  // without zeros at either end; empty for 0
  int64_t exponent = 0;
};

// `text` is a number that from_chars has read whole.
Decimal ReadDecimal(absl::string_view text) {
  Decimal out;
  int64_t before_point = 0;
  bool point = false;
  size_t i = text[0] == '-' ? 1 : 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      point = true;
      continue;
    }
    const bool leading_zero = out.digits.empty() && text[i] == '0';
    if (!leading_zero) out.digits += text[i];
    if (!point && !leading_zero) ++before_point;
    if (point && leading_zero) --before_point;
  }
  int64_t exponent = 0;
  if (i < text.size()) {
    ++i;
    const bool negative = text[i] == '-';
    if (text[i] == '+') ++i;
    if (std::from_chars(text.data() + i, text.data() + text.size(), exponent).ec != std::errc()) {
      exponent = int64_t{1} << 60;
      if (negative) exponent = -exponent;
    }
  }
  while (!out.digits.empty() && out.digits.back() == '0') out.digits.pop_back();
  out.exponent = before_point - 1 + std::min(std::max(exponent, -(int64_t{1} << 60)), int64_t{1} << 60);
  return out;
}

// The magnitude of `text` against that of `value`, exactly: -1, 0 or 1.
int CompareMagnitude(absl::string_view text, double value) {
  // A double halfway between two 16-bit floats has fewer than 150 digits.
  char buffer[256];
  const char* end =
      std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(value), std::chars_format::scientific, 200)
          .ptr;
  const Decimal a = ReadDecimal(text);
  const Decimal b = ReadDecimal(absl::string_view(buffer, end - buffer));
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  const int order = a.digits.compare(b.digits);  // digits after a common front make a number larger
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

// Nearest T, an underflow giving a zero; nullopt for text that is no finite decimal or overflows.
template <typename T>
std::optional<T> ReadNative(absl::string_view text) {
  T value = 0;
  const char* end = text.data() + text.size();
  const std::from_chars_result result = std::from_chars(text.data(), end, value);
  if (result.ptr != end) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) {  // too large, or too small: from_chars does not say
    if (ReadDecimal(text).exponent > 0) return std::nullopt;
    return text[0] == '-' ? -T{0} : T{0};
  }
  if (result.ec != std::errc() || std::isinf(value)) return std::nullopt;
  return value;
}

// F16, BF16 or an f8. The decimal is rounded to a double first; where that lands halfway between two of its
// values, the decimal itself decides the side.
template <typename T>
std::optional<T> ReadNarrow(absl::string_view text) {
  const std::optional<double> d = ReadNative<double>(text);
  if (!d) return std::nullopt;
  const double inward = std::nextafter(*d, 0.0), outward = std::nextafter(*d, *d < 0 ? -HUGE_VAL : HUGE_VAL);
  T value = Narrow<T>(*d);
  if (*d != 0 && Narrow<T>(inward) != Narrow<T>(outward)) {
    const int side = CompareMagnitude(text, *d);
    if (side != 0) value = Narrow<T>(side < 0 ? inward : outward);
  }
  if (!std::isfinite(ToFloat(value))) return std::nullopt;
  return value;
}

// True for what ReadNative refuses only because of its size.
bool IsDecimal(absl::string_view text) {
  const absl::string_view magnitude = text.substr(!text.empty() && text[0] == '-' ? 1 : 0);
  if (magnitude.empty() || !(absl::ascii_isdigit(magnitude[0]) || magnitude[0] == '.')) return false;
  double ignored;
  const char* end = text.data() + text.size();
  return std::from_chars(text.data(), end, ignored).ptr == end;
}

template <typename T>
std::optional<T> ReadFloat(absl::string_view text) {
  constexpr bool kNarrow = !std::is_floating_point_v<T>;
  const bool negative = !text.empty() && text[0] == '-';
  const absl::string_view magnitude = text.substr(negative ? 1 : 0);
  if (text == "nan" || magnitude == "inf") {
    const double special = text == "nan" ? std::numeric_limits<double>::quiet_NaN()
                           : negative    ? -HUGE_VAL
                                         : HUGE_VAL;
    if constexpr (kNarrow) {
      // An e4m3fn has no infinity.
      const T value = Narrow<T>(special);
      if (std::isnan(ToFloat(value)) != std::isnan(special)) return std::nullopt;
      return value;
    } else {
      return static_cast<T>(special);
    }
  }
  if (!IsDecimal(text)) return std::nullopt;  // from_chars also takes "infinity" and "nan(7)"
  if constexpr (kNarrow) {
    return ReadNarrow<T>(text);
  } else {
    return ReadNative<T>(text);
  }
}

template <typename T>
bool Store(const std::optional<T>& value, void* out) {
  if (value) std::memcpy(out, &*value, sizeof(T));
  return value.has_value();
}

}  // namespace

bool ReadElement(absl::string_view text, DType dtype, void* out) {
  return VisitDType(dtype, [&]<typename T>(std::type_identity<T>) {
    if constexpr (std::is_same_v<T, bool>) {
      if (text != "true" && text != "false") return false;
      return Store(std::optional<bool>(text == "true"), out);
    } else if constexpr (std::is_integral_v<T>) {
      T value = 0;
      const char* end = text.data() + text.size();
      const std::from_chars_result result = std::from_chars(text.data(), end, value);
      if (result.ec != std::errc() || result.ptr != end) return false;
      if (IsPacked(dtype) && value != PackedElement<T>(&value, 0)) return false;
      std::memcpy(out, &value, sizeof(T));
      return true;
    } else {
      return Store(ReadFloat<T>(text), out);
    }
  });
}

std::string WhyNotElement(absl::string_view text, DType dtype) {
  const std::string shown = absl::StrCat("'", text.substr(0, 40), text.size() > 40 ? "..." : "", "'");
  if (dtype == DType::kBool) return absl::StrCat(shown, " is no bool: write true or false");
  if (HasNan(dtype)) {
    if (dtype == DType::kF8E4M3FN && (IsDecimal(text) || text == "inf" || text == "-inf")) {
      return absl::StrCat(shown, " is out of the range of ", Name(dtype), ", which ends at 448");
    }
    if (IsDecimal(text)) return absl::StrCat(shown, " would become infinite as ", Name(dtype));
    if (text == "-nan") return absl::StrCat(shown, " is no number: a NaN has no sign here, write nan");
    return absl::StrCat(shown, " is no number");
  }
  if (!IsDecimal(text))
    return absl::StrCat(shown, " is no ", text == "nan" || text == "inf" ? "integer" : "number");
  if (text.find_first_not_of("-0123456789") != absl::string_view::npos) {
    return absl::StrCat(shown, " is no integer, as ", Name(dtype), " needs");
  }
  const int bits = BitWidth(dtype);
  const bool is_signed = IsSignedInteger(dtype) || dtype == DType::kI4;
  const uint64_t max = (is_signed ? uint64_t{1} << (bits - 1) : bits == 64 ? 0 : uint64_t{1} << bits) - 1;
  return absl::StrCat(shown, " is out of the range of ", Name(dtype), ", ",
                      is_signed ? absl::StrCat("-", max + 1) : "0", " to ", max);
}

}  // namespace tenfold
