// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/python_literal.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

using Kind = PythonValue::Kind;

// Deep enough for records of records; the parser recurses, so that something must bound it.
constexpr int kMaxDepth = 16;

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  bool Whole(PythonValue& value) {
    if (!Value(value, 0)) return false;
    SkipSpace();
    return position_ == text_.size() || Fail("nothing more is due here");
  }

  PythonLiteralError TakeError() { return std::move(error_); }

 private:
  bool Fail(std::string message) {
    error_ = {position_, std::move(message)};
    return false;
  }

  void SkipSpace() {
    while (position_ < text_.size() && absl::StrContains(" \t\r\n\f", text_.substr(position_, 1)))
      ++position_;
  }

  char Peek() const { return position_ < text_.size() ? text_[position_] : '\0'; }

  bool Consume(char c) {
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  bool Value(PythonValue& value, int depth) {
    if (depth > kMaxDepth) return Fail(absl::StrCat("nested deeper than ", kMaxDepth));
    SkipSpace();
    if (position_ == text_.size()) return Fail("a value is due, but the text ends");
    const char c = Peek();
    if (c == '\'' || c == '"') return String(value);
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-') return Integer(value);
    if (c == '(') return Tuple(value, depth);
    if (c == '[') return List(value, depth);
    if (c == '{') return Dict(value, depth);
    return Word(value);
  }

  bool String(PythonValue& value) {
    value.kind = Kind::kString;
    const char quote = text_[position_++];
    while (position_ < text_.size()) {
      char c = text_[position_];
      if (c == quote) {
        ++position_;
        return true;
      }
      if (c == '\n' || c == '\r') return Fail("a line break inside a string");
      if (c == '\\') {
        if (++position_ == text_.size()) break;
        c = text_[position_];
        if (c != '\\' && c != '\'' && c != '"') return Fail("an escape that is not read here");
      }
      value.text.push_back(c);
      ++position_;
    }
    return Fail("a string is not closed");
  }

  bool Integer(PythonValue& value) {
    value.kind = Kind::kInteger;
    const size_t begin = position_;
    Consume('-');
    const size_t digits = position_;
    while (absl::ascii_isdigit(static_cast<unsigned char>(Peek()))) ++position_;
    if (position_ == digits) return Fail("a digit is due after '-'");
    if (text_[digits] == '0' && position_ - digits > 1) {
      position_ = digits;
      return Fail("an integer with a leading zero");
    }
    value.text = std::string(text_.substr(begin, position_ - begin));
    Consume('L');  // Python 2 on Windows wrote shapes as (2L,)
    return true;
  }

  bool Word(PythonValue& value) {
    const absl::string_view rest = text_.substr(position_);
    size_t length = 0;
    while (length < rest.size() && absl::ascii_isalnum(static_cast<unsigned char>(rest[length]))) ++length;
    const absl::string_view word = rest.substr(0, length);
    if (word == "True" || word == "False") {
      value.kind = Kind::kBool;
      value.truth = word == "True";
    } else if (word == "None") {
      value.kind = Kind::kNone;
    } else {
      return Fail("a string, an integer, True, False, None, or one of ( [ { is due");
    }
    position_ += length;
    return true;
  }

  // Elements up to `close`; the last may have a comma. `commas` counts them.
  bool Elements(PythonValue& value, char close, int depth, size_t& commas) {
    ++position_;  // the opening bracket
    commas = 0;
    while (true) {
      SkipSpace();
      if (Consume(close)) return true;
      if (commas < value.items.size())
        return Fail(absl::StrCat("',' or '", absl::string_view(&close, 1), "' is due"));
      if (!Value(value.items.emplace_back(), depth + 1)) return false;
      SkipSpace();
      if (Consume(',')) ++commas;
    }
  }

  bool List(PythonValue& value, int depth) {
    value.kind = Kind::kList;
    size_t commas = 0;
    return Elements(value, ']', depth, commas);
  }

  // `(x)` is x in Python, and only `(x,)` a tuple.
  bool Tuple(PythonValue& value, int depth) {
    value.kind = Kind::kTuple;
    size_t commas = 0;
    if (!Elements(value, ')', depth, commas)) return false;
    if (value.items.size() == 1 && commas == 0) {
      PythonValue inner = std::move(value.items[0]);
      value = std::move(inner);
    }
    return true;
  }

  bool Dict(PythonValue& value, int depth) {
    value.kind = Kind::kDict;
    ++position_;
    bool separated = true;
    while (true) {
      SkipSpace();
      if (Consume('}')) return true;
      if (!separated) return Fail("',' or '}' is due");
      if (Peek() != '\'' && Peek() != '"') return Fail("a key in quotes, or '}', is due");
      if (!String(value.items.emplace_back())) return false;
      SkipSpace();
      if (!Consume(':')) return Fail("':' is due after a key");
      if (!Value(value.items.emplace_back(), depth + 1)) return false;
      SkipSpace();
      separated = Consume(',');
    }
  }

  const absl::string_view text_;
  size_t position_ = 0;
  PythonLiteralError error_;
};

}  // namespace

PythonLiteralError ParsePythonLiteral(absl::string_view text, PythonValue& value) {
  value = PythonValue();
  Parser parser(text);
  if (parser.Whole(value)) return {};
  return parser.TakeError();
}

}  // namespace tenfold
