// SPDX-License-Identifier: Apache-2.0
//
// Cuts the text form of graphs into tokens, one at a time and in linear time.
#ifndef TENFOLD_GRAPH_TEXT_LEXER_H_
#define TENFOLD_GRAPH_TEXT_LEXER_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/graph/text/source_text.h"

namespace tenfold {

struct Token {
  enum Kind {
    kName,    // x, w.1, fc1/w, Softmax
    kString,  // "block/0:1", with its quotes
    kNumber,  // 1, -0.5, 1e-30, -inf: whatever begins like a number; who needs its value checks it
    kPunct,   // one of ( ) { } [ ] , = : @ or -> or ...
    kBad,     // a character that begins no token, or an unclosed string
    kEnd,
  };
  Kind kind = kEnd;
  absl::string_view text;
  size_t offset = 0;
  bool first_on_line = false;

  bool Is(absl::string_view punct) const { return kind == kPunct && text == punct; }
  bool IsWord(absl::string_view word) const { return kind == kName && text == word; }
  Span span() const { return {offset, offset + text.size()}; }
};

class Lexer {
 public:
  explicit Lexer(absl::string_view text) : text_(text) { Next(); }

  const Token& token() const { return token_; }
  // The token after the current one, without moving.
  Token Peek() const;
  void Next();
  // What follows the current token's start, up to the end of its line: for types, which have their own
  // parser.
  absl::string_view RestOfLine();
  // Goes on at `offset`, which is not before the current token.
  void JumpTo(size_t offset);

 private:
  Token Scan(size_t from) const;

  absl::string_view text_;
  Token token_;
  size_t line_end_ = 0;  // of the line that RestOfLine looked at last
};

// How a token is called in messages: "'x'", "the end of the text".
std::string Describe(const Token& token);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TEXT_LEXER_H_
