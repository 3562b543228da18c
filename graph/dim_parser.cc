// SPDX-License-Identifier: Apache-2.0
//
// Reads dims: a recursive-descent parser that ends on every text, in time proportional to its
// length.
#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/dim.h"

namespace tenfold {
namespace {

// Operands of one dim, which bound the work on expressions that stay small, as `N - N + N - N ...`
// does.
constexpr int kMaxOperands = 1024;

// sum     = product {("+" | "-") product}
// product = unary {"*" unary}
// unary   = "-" unary | primary
// primary = integer | name | '"' name '"' | function "(" sum "," sum ")" | "(" sum ")"
class DimParser {
 public:
  explicit DimParser(absl::string_view text) : text_(text), rest_(text) {}

  absl::StatusOr<Dim> Sum() {
    // One level of nesting costs three frames; a real dim nests three or four deep.
    if (++depth_ > 64) return Refuse("nests deeper than 64 levels");
    TENFOLD_ASSIGN_OR_RETURN(Dim sum, Product());
    while (true) {
      const bool plus = Take('+');
      if (!plus && !Take('-')) break;
      TENFOLD_ASSIGN_OR_RETURN(const Dim right, Product());
      sum = plus ? sum + right : sum - right;
      if (!sum.valid()) return Overflow();
    }
    --depth_;
    return sum;
  }

  absl::string_view rest() const { return rest_; }

  absl::Status Refuse(absl::string_view what) const {
    const size_t offset = text_.size() - rest_.size();
    // Of a type, the list of extents ends there.
    const absl::string_view text = text_.substr(0, std::max(text_.find(']'), offset));
    return MakeError("E0210",
                     absl::StrCat("dim '", absl::CHexEscape(text.substr(0, 80)),
                                  text.size() > 80 ? "..." : "", "' ", what, " at offset ", offset),
                     "a dim is an integer expression such as 64, N, 2*N + 4 or floordiv(N, 2)");
  }

 private:
  absl::Status Overflow() const { return Refuse("overflows int64 or is too large an expression"); }

  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
  }

  bool Take(char c) {
    SkipSpace();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  absl::StatusOr<Dim> Product() {
    TENFOLD_ASSIGN_OR_RETURN(Dim product, Unary());
    while (Take('*')) {
      TENFOLD_ASSIGN_OR_RETURN(const Dim right, Unary());
      product = product * right;
      if (!product.valid()) return Overflow();
    }
    return product;
  }

  absl::StatusOr<Dim> Unary() {
    if (++operands_ > kMaxOperands) return Overflow();
    bool negative = false;
    while (Take('-')) negative = !negative;
    SkipSpace();
    if (!rest_.empty() && absl::ascii_isdigit(rest_[0])) return Integer(negative);
    TENFOLD_ASSIGN_OR_RETURN(Dim value, Primary());
    if (!negative) return value;
    value = Dim(0) - value;
    if (!value.valid()) return Overflow();
    return value;
  }

  // Takes the sign along, since INT64_MIN has no positive.
  absl::StatusOr<Dim> Integer(bool negative) {
    int64_t value = 0;
    while (!rest_.empty() && absl::ascii_isdigit(rest_[0])) {
      const int digit = rest_[0] - '0';
      if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
          __builtin_add_overflow(value, int64_t{negative ? -digit : digit}, &value)) {
        return Overflow();
      }
      rest_.remove_prefix(1);
    }
    return Dim(value);
  }

  absl::StatusOr<Dim> Primary() {
    if (Take('(')) {
      TENFOLD_ASSIGN_OR_RETURN(Dim sum, Sum());
      if (!Take(')')) return Refuse("lacks a ')'");
      return sum;
    }
    if (Take('"')) return QuotedSymbol();
    size_t n = 0;
    while (n < rest_.size() && (absl::ascii_isalnum(rest_[n]) || rest_[n] == '_')) ++n;
    if (n == 0) return Refuse("lacks a number, a name or a '('");
    const absl::string_view name = rest_.substr(0, n);
    rest_.remove_prefix(n);
    if (!Take('(')) return Checked(Dim::Symbol(name));
    return Call(name);
  }

  absl::StatusOr<Dim> Call(absl::string_view function) {
    using Function = Dim (*)(const Dim&, const Dim&);
    const Function f = function == "floordiv" ? static_cast<Function>(FloorDiv)
                       : function == "mod"    ? static_cast<Function>(Mod)
                       : function == "min"    ? static_cast<Function>(Min)
                       : function == "max"    ? static_cast<Function>(Max)
                                              : nullptr;
    if (f == nullptr) return Refuse("calls what is none of floordiv, mod, min and max");
    TENFOLD_ASSIGN_OR_RETURN(const Dim a, Sum());
    if (!Take(',')) return Refuse("lacks a ',' between two operands");
    TENFOLD_ASSIGN_OR_RETURN(const Dim b, Sum());
    if (!Take(')')) return Refuse("lacks a ')'");
    if ((function == "floordiv" || function == "mod") && b == Dim(0)) return Refuse("divides by 0");
    return Checked(f(a, b));
  }

  absl::StatusOr<Dim> QuotedSymbol() {
    std::string name;
    while (!rest_.empty() && rest_[0] != '"') {
      if (rest_[0] == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) break;
      name.push_back(rest_[0]);
      rest_.remove_prefix(1);
    }
    if (!Take('"')) return Refuse("lacks a closing quote");
    if (name.empty()) return Refuse("has an empty name");
    return Checked(Dim::Symbol(name));
  }

  absl::StatusOr<Dim> Checked(Dim d) const {
    if (!d.valid()) return Overflow();
    return d;
  }

  absl::string_view text_;
  absl::string_view rest_;
  int depth_ = 0;
  int operands_ = 0;
};

}  // namespace

absl::StatusOr<Dim> Dim::Consume(absl::string_view& text) {
  DimParser parser(text);
  TENFOLD_ASSIGN_OR_RETURN(Dim dim, parser.Sum());
  text = parser.rest();
  return dim;
}

absl::StatusOr<Dim> Dim::Parse(absl::string_view text) {
  absl::string_view rest = text;
  TENFOLD_ASSIGN_OR_RETURN(Dim dim, Consume(rest));
  if (!absl::StripAsciiWhitespace(rest).empty()) {
    return MakeError("E0210", absl::StrCat("dim '", absl::CHexEscape(text.substr(0, 80)), "' ends at offset ",
                                           text.size() - rest.size(), ", but more text follows"));
  }
  return dim;
}

}  // namespace tenfold
