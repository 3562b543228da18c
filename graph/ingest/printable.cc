// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/printable.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace tenfold {
namespace {

// Length of the well-formed UTF-8 sequence at the front of `text` and its code point; 0 if there is
// none. The bounds on the second byte refuse overlong forms, surrogates and what lies beyond
// U+10FFFF (Unicode 15, table 3-7).
size_t DecodeUtf8(absl::string_view text, char32_t& code_point) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    code_point = lead;
    return 1;
  }
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  unsigned char low = 0x80, high = 0xbf;
  if (lead == 0xe0) low = 0xa0;
  if (lead == 0xed) high = 0x9f;
  if (lead == 0xf0) low = 0x90;
  if (lead == 0xf4) high = 0x8f;
  code_point = lead & (0x7f >> length);
  for (size_t i = 1; i < length; ++i) {
    if (byte(i) < low || byte(i) > high) return 0;
    code_point = code_point << 6 | (byte(i) & 0x3f);
    low = 0x80;
    high = 0xbf;
  }
  return length;
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((c >> shift) & 0x3f))); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (c >> 6)));
    tail(0);
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (c >> 12)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0 | (c >> 18)));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Control characters, and the formatting characters that reorder or break a line.
bool IsHarmful(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

}  // namespace

void AppendPrintable(char32_t c, std::string& out) {
  const bool is_scalar_value = c < 0xd800 || (c >= 0xe000 && c <= 0x10ffff);
  if (is_scalar_value && !IsHarmful(c)) return AppendUtf8(c, out);
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c < 0x100) {
    out += absl::StrFormat("\\x%02x", static_cast<uint32_t>(c));
  } else if (c < 0x10000) {
    out += absl::StrFormat("\\u%04x", static_cast<uint32_t>(c));
  } else {
    out += absl::StrFormat("\\U%08x", static_cast<uint32_t>(c));
  }
}

std::string Printable(absl::string_view text, size_t max_bytes) {
  // Names of nodes and values most often are as they should be, and there are many.
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (plain && text.size() <= max_bytes) return std::string(text);
  std::string out;
  while (!text.empty()) {
    if (out.size() >= max_bytes) return out + "...";
    char32_t code_point = 0;
    const size_t length = DecodeUtf8(text, code_point);
    if (length == 0) {
      out += absl::StrFormat("\\x%02x", static_cast<unsigned char>(text[0]));
      text.remove_prefix(1);
    } else {
      AppendPrintable(code_point, out);
      text.remove_prefix(length);
    }
  }
  return out;
}

bool IsUtf8(absl::string_view text) {
  while (!text.empty()) {
    char32_t code_point = 0;
    const size_t length = DecodeUtf8(text, code_point);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string ShellQuote(absl::string_view word) {
  bool plain = !word.empty(), printable = IsUtf8(word);
  for (char c : word) {
    printable = printable && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    plain = plain && (absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                      absl::StrContains("_-+=./:,@%", absl::string_view(&c, 1)));
  }
  if (plain) return std::string(word);
  if (!printable) {  // what a message cannot show
    std::string escaped = "$'";
    for (char c : word) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\'' || c == '\\') {
        escaped += {'\\', c};
      } else if (byte < 0x20 || byte >= 0x7f) {
        escaped += absl::StrFormat("\\x%02x", byte);
      } else {
        escaped += c;
      }
    }
    return escaped + "'";
  }
  return "'" + absl::StrReplaceAll(word, {{"'", "'\\''"}}) + "'";
}

}  // namespace tenfold
