// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/quote.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

int HexValue(char c) {
  if (!absl::ascii_isxdigit(c)) return -1;
  return absl::ascii_isdigit(c) ? c - '0' : absl::ascii_tolower(c) - 'a' + 10;
}

// Length of the well-formed character at the front, or 0 (RFC 3629, section 4).
size_t Utf8Length(absl::string_view s) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const auto continues = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xbf) {
    return i < s.size() && byte(i) >= low && byte(i) <= high;
  };
  const uint8_t b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xc2 && b <= 0xdf) return continues(1) ? 2 : 0;
  if (b >= 0xe0 && b <= 0xef) {
    const bool second = continues(1, b == 0xe0 ? 0xa0 : 0x80, b == 0xed ? 0x9f : 0xbf);
    return second && continues(2) ? 3 : 0;
  }
  if (b >= 0xf0 && b <= 0xf4) {
    const bool second = continues(1, b == 0xf0 ? 0x90 : 0x80, b == 0xf4 ? 0x8f : 0xbf);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

bool BeginsName(char c) { return absl::ascii_isalpha(c) || c == '_'; }

bool ContinuesName(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == '/'; }

std::string QuoteString(absl::string_view text) {
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const uint8_t byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    } else if (byte < 0x80) {
      out += c;
    } else if (const size_t length = Utf8Length(text.substr(i)); length > 0) {
      out.append(text.data() + i, length);
      i += length - 1;
    } else {
      out += {'\\', 'x', kHexDigits[byte >> 4], kHexDigits[byte & 15]};
    }
  }
  return out + "\"";
}

std::string QuoteName(absl::string_view name) {
  const bool plain = !name.empty() && BeginsName(name[0]) &&
                     std::all_of(name.begin(), name.end(), ContinuesName) && name != "true" &&
                     name != "false" && name != "nan" && name != "inf" && name != "_";
  return plain ? std::string(name) : QuoteString(name);
}

std::optional<std::string> Unquote(absl::string_view quoted) {
  std::string out;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] != '\\') {
      out += quoted[i];
      continue;
    }
    const char escape = quoted[++i];
    if (escape == 'n') {
      out += '\n';
    } else if (escape == 't') {
      out += '\t';
    } else if (escape == 'r') {
      out += '\r';
    } else if (escape == '"' || escape == '\\') {
      out += escape;
    } else if (escape == 'x' && i + 3 < quoted.size()) {
      const int high = HexValue(quoted[i + 1]), low = HexValue(quoted[i + 2]);
      if (high < 0 || high > 7 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<size_t> FindInvalidUtf8(absl::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    // Text is mostly ASCII: eight bytes at a step.
    uint64_t eight;
    if (i + 8 <= text.size() &&
        (std::memcpy(&eight, text.data() + i, 8), (eight & 0x8080808080808080u) == 0)) {
      i += 8;
      continue;
    }
    const size_t length = Utf8Length(text.substr(i));
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::string ReplaceInvalidUtf8(absl::string_view text) {
  std::string out;
  while (const std::optional<size_t> bad = FindInvalidUtf8(text)) {
    absl::StrAppend(&out, text.substr(0, *bad), "\xef\xbf\xbd");
    text.remove_prefix(*bad + 1);
  }
  absl::StrAppend(&out, text);
  return out;
}

}  // namespace tenfold
