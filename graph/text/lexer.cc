// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/lexer.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

bool BeginsNumber(absl::string_view rest) {
  if (rest[0] == '-' || rest[0] == '+' || (rest[0] == '.' && rest.size() > 1)) {
    return rest.size() > 1 && (absl::ascii_isalnum(rest[1]) || (rest[0] != '.' && rest[1] == '.'));
  }
  return absl::ascii_isdigit(rest[0]);
}

size_t NumberLength(absl::string_view rest) {
  size_t n = 1;
  while (n < rest.size()) {
    const char c = rest[n];
    const bool exponent_sign = (c == '-' || c == '+') && (rest[n - 1] == 'e' || rest[n - 1] == 'E');
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_' && !exponent_sign) break;
    ++n;
  }
  return n;
}

// With both quotes; 0 if the line ends before the string does.
size_t StringLength(absl::string_view rest) {
  for (size_t n = 1; n < rest.size() && rest[n] != '\n'; ++n) {
    if (rest[n] == '"') return n + 1;
    if (rest[n] == '\\') ++n;
  }
  return 0;
}

// A bad token shows the character whole.
size_t CharacterLength(absl::string_view rest) {
  size_t n = 1;
  while (n < rest.size() && n < 4 && (static_cast<unsigned char>(rest[n]) & 0xc0) == 0x80) ++n;
  return n;
}

}  // namespace

Token Lexer::Scan(size_t from) const {
  Token token;
  token.first_on_line = from == 0;
  size_t i = from;
  // What some editors put before UTF-8.
  if (i == 0 && text_.substr(0, 3) == "\xef\xbb\xbf") i = 3;
  while (i < text_.size()) {
    const char c = text_[i];
    if (c == '\n') {
      token.first_on_line = true;
    } else if (c == '#') {
      i = text_.find('\n', i);
      if (i == absl::string_view::npos) i = text_.size();
      continue;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      break;
    }
    ++i;
  }
  token.offset = i;
  if (i == text_.size()) {
    token.kind = Token::kEnd;
    token.first_on_line = true;
    token.text = text_.substr(i);
    return token;
  }

  const absl::string_view rest = text_.substr(i);
  size_t length = 1;
  if (BeginsName(rest[0])) {
    token.kind = Token::kName;
    while (length < rest.size() && ContinuesName(rest[length])) ++length;
  } else if (rest.substr(0, 2) == "->") {
    token.kind = Token::kPunct;
    length = 2;
  } else if (rest.substr(0, 3) == "...") {
    token.kind = Token::kPunct;
    length = 3;
  } else if (BeginsNumber(rest)) {
    token.kind = Token::kNumber;
    length = NumberLength(rest);
  } else if (rest[0] == '"') {
    length = StringLength(rest);
    token.kind = length == 0 ? Token::kBad : Token::kString;
    if (length == 0) length = 1;
  } else if (absl::string_view("(){}[],=:@").find(rest[0]) != absl::string_view::npos) {
    token.kind = Token::kPunct;
  } else {
    token.kind = Token::kBad;
    length = CharacterLength(rest);
  }
  token.text = rest.substr(0, length);
  return token;
}

Token Lexer::Peek() const { return Scan(token_.offset + token_.text.size()); }

void Lexer::Next() { token_ = Scan(token_.offset + token_.text.size()); }

absl::string_view Lexer::RestOfLine() {
  if (line_end_ <= token_.offset) {  // else the same line as last time: looking again would be quadratic
    line_end_ = text_.find('\n', token_.offset);
    if (line_end_ == absl::string_view::npos) line_end_ = text_.size();
  }
  return text_.substr(token_.offset, line_end_ - token_.offset);
}

void Lexer::JumpTo(size_t offset) { token_ = Scan(offset); }

std::string Describe(const Token& token) {
  constexpr size_t kShown = 40;
  if (token.kind == Token::kEnd) return "the end of the text";
  if (token.kind == Token::kBad && token.text == "\"") return "a string without a closing quote";
  const absl::string_view text = token.text.substr(0, kShown);
  if (token.kind == Token::kBad && !absl::ascii_isprint(text[0])) {
    return absl::StrCat("the character ", QuoteString(text));
  }
  return absl::StrCat("'", text, token.text.size() > kShown ? "..." : "", "'");
}

}  // namespace tenfold
