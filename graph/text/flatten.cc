// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/flatten.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

// As a whole name.
bool Occurs(absl::string_view text, absl::string_view name) {
  for (size_t at = text.find(name); at != absl::string_view::npos; at = text.find(name, at + 1)) {
    const size_t end = at + name.size();
    if ((at == 0 || !ContinuesName(text[at - 1])) && (end == text.size() || !ContinuesName(text[end])))
      return true;
  }
  return false;
}

constexpr int kDeepest = 32;
constexpr size_t kMostStatements = 16;
// Each name is looked for in the whole text.
constexpr size_t kMostBytes = 1 << 20;

// sum     = product {("+" | "-") product}
// product = unary {("*" | "/" | "@") unary}
// unary   = "-" unary | name [call] | number | "(" sum ")" | "{" ... "}"
// call    = "(" [argument {"," argument}] ")"
// argument = sum | name "=" text up to the next ',' or ')'
//
// Each gives what stands for its value: a name, or a number or list as it is written; nothing where the text
// goes on in another way.
class Formula {
 public:
  Formula(absl::string_view line, absl::string_view source) : text_(line), source_(source) {}

  std::optional<Flattened> Read(absl::string_view results) {
    const std::optional<std::string> value = Sum();
    // The last call is what the results name; a name alone makes no statement.
    if (!value || statements_.empty() || statements_.back().result != *value) return std::nullopt;
    if (statements_.size() == 1 && !operators_) return std::nullopt;
    Flattened flattened;
    statements_.back().result = std::string(results);
    for (const Statement& s : statements_) {
      flattened.statements.push_back(
          absl::StrCat(s.result, " = ", s.op, "(", absl::StrJoin(s.arguments, ", "), ")"));
    }
    flattened.length = end_;
    return flattened;
  }

 private:
  struct Statement {
    std::string result, op;
    std::vector<std::string> arguments;
  };

  void SkipSpace() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }
  char Next() {
    SkipSpace();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool Take(char c) {
    if (Next() != c) return false;
    end_ = ++at_;
    return true;
  }

  std::optional<std::string> Sum() {
    if (++depth_ > kDeepest) return std::nullopt;
    std::optional<std::string> left = Product();
    while (left && (Next() == '+' || Next() == '-'))
      left = Binary(text_[at_] == '+' ? "Add" : "Sub", *left, &Formula::Product);
    --depth_;
    return left;
  }

  std::optional<std::string> Product() {
    std::optional<std::string> left = Unary();
    while (left && (Next() == '*' || Next() == '/' || Next() == '@')) {
      const char c = text_[at_];
      left = Binary(c == '*' ? "Mul" : c == '/' ? "Div" : "MatMul", *left, &Formula::Unary);
    }
    return left;
  }

  std::optional<std::string> Binary(absl::string_view op, const std::string& left,
                                    std::optional<std::string> (Formula::*operand)()) {
    ++at_;
    operators_ = true;
    const std::optional<std::string> right = (this->*operand)();
    return right ? Add(op, {left, *right}) : std::nullopt;
  }

  std::optional<std::string> Unary() {
    const char c = Next();
    if (absl::ascii_isdigit(c) || c == '.') return Number();
    if (c == '-') {
      ++at_;
      const bool number = absl::ascii_isdigit(Next()) || Next() == '.';
      if (++depth_ > kDeepest) return std::nullopt;
      const std::optional<std::string> operand = Unary();
      --depth_;
      if (!operand) return std::nullopt;
      if (number) return absl::StrCat("-", *operand);
      operators_ = true;
      return Add("Neg", {*operand});
    }
    if (Take('(')) {
      std::optional<std::string> inner = Sum();
      operators_ = true;
      return inner && Take(')') ? inner : std::nullopt;
    }
    if (c == '{') {
      const size_t close = text_.find('}', at_);
      if (close == absl::string_view::npos) return std::nullopt;
      return Token(close + 1);
    }
    if (!BeginsName(c)) return std::nullopt;
    size_t n = at_;
    while (n < text_.size() && ContinuesName(text_[n]) && text_[n] != '/') ++n;
    const std::string name = Token(n);
    return Next() == '(' ? Call(name) : name;
  }

  std::string Token(size_t end) {
    const std::string token(text_.substr(at_, end - at_));
    end_ = at_ = end;
    return token;
  }

  std::optional<std::string> Number() {
    size_t n = at_;
    while (n < text_.size() &&
           (absl::ascii_isalnum(text_[n]) || text_[n] == '.' ||
            ((text_[n] == '-' || text_[n] == '+') && absl::ascii_tolower(text_[n - 1]) == 'e'))) {
      ++n;
    }
    return Token(n);
  }

  std::optional<std::string> Call(const std::string& op) {
    if (++depth_ > kDeepest || !Take('(')) return std::nullopt;
    std::vector<std::string> arguments;
    if (!Take(')')) {
      do {
        std::optional<std::string> argument = Attribute();
        if (!argument) argument = Sum();
        if (!argument) return std::nullopt;
        arguments.push_back(*std::move(argument));
      } while (Take(','));
      if (!Take(')')) return std::nullopt;
    }
    --depth_;
    return Add(op, std::move(arguments));
  }

  // `axes=[1]`, as it is written.
  std::optional<std::string> Attribute() {
    SkipSpace();
    size_t n = at_;
    while (n < text_.size() && (absl::ascii_isalnum(text_[n]) || text_[n] == '_')) ++n;
    if (n == at_ || n == text_.size() || text_[n] != '=') return std::nullopt;
    int open = 0;
    for (; n < text_.size(); ++n) {
      const char c = text_[n];
      if (c == '"') return std::nullopt;
      if (open == 0 && (c == ',' || c == ')')) return Token(n);
      if (absl::StrContains("[{(", c)) ++open;
      if (absl::StrContains("]})", c)) --open;
    }
    return std::nullopt;
  }

  std::optional<std::string> Add(absl::string_view op, std::vector<std::string> arguments) {
    if (statements_.size() == kMostStatements) return std::nullopt;
    const std::string wanted = absl::AsciiStrToLower(op);
    std::string result = wanted;
    const auto taken = [&] {
      return Occurs(source_, result) || std::any_of(statements_.begin(), statements_.end(),
                                                    [&](const Statement& s) { return s.result == result; });
    };
    for (int i = 2; taken(); ++i) result = absl::StrCat(wanted, "_", i);
    statements_.push_back({result, std::string(op), std::move(arguments)});
    return result;
  }

  absl::string_view text_, source_;
  size_t at_ = 0, end_ = 0;  // where to read on; behind what was last read
  int depth_ = 0;
  bool operators_ = false;
  std::vector<Statement> statements_;
};

}  // namespace

std::optional<Flattened> Flatten(absl::string_view results, absl::string_view line,
                                 absl::string_view source) {
  if (source.size() > kMostBytes) return std::nullopt;
  return Formula(line, source).Read(results);
}

}  // namespace tenfold
