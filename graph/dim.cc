// SPDX-License-Identifier: Apache-2.0
//
// The canonical form is a polynomial over atoms: a constant, and terms (coefficient times a product
// of atoms) sorted by falling degree, then by their atoms. An atom is a symbol, or floordiv, mod,
// min or max of two canonical dims to which none of the identities below applies any more.
#include "tenfold/graph/dim.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace tenfold {
namespace {

// Symbols and operators in one dim. Real shapes need a dozen; the bound keeps the cost of comparing
// hostile expressions, which can share their parts and so grow exponentially, small.
constexpr int kMaxSize = 256;

// Operands of one min or max, each of which is compared with each other.
constexpr size_t kMaxExtremumOperands = 16;

int64_t FloorDivide(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

int64_t FloorRemainder(int64_t a, int64_t b) {
  const int64_t r = a % b;
  return (r != 0 && (r < 0) != (b < 0)) ? r + b : r;
}

// The one quotient that int64 cannot hold.
bool QuotientOverflows(int64_t a, int64_t b) { return a == INT64_MIN && b == -1; }

bool IsIdentifier(absl::string_view name) {
  if (name.empty() || absl::ascii_isdigit(name[0])) return false;
  return std::all_of(name.begin(), name.end(), [](char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

}  // namespace

struct Dim::Atom {
  enum Kind { kSymbol, kFloorDiv, kMod, kMin, kMax };
  Kind kind;
  std::string name;  // of a symbol
  Dim a, b;          // operands of the others
  int size;          // symbols and operators inside, each counted as often as it is written
};

struct Dim::Term {
  int64_t coefficient;
  std::vector<std::shared_ptr<const Atom>> factors;  // sorted
};

class DimBuilder {
 public:
  using Atom = Dim::Atom;
  using Term = Dim::Term;
  using Factors = std::vector<std::shared_ptr<const Atom>>;
  using Terms = std::vector<Term>;

  static Dim Invalid() {
    Dim d;
    d.valid_ = false;
    return d;
  }

  static const Terms& TermsOf(const Dim& d) {
    static const Terms* const kNone = new Terms();
    return d.terms_ == nullptr ? *kNone : *d.terms_;
  }

  // `terms` sorted, coefficients not 0.
  static Dim Make(int64_t constant, Terms terms) {
    int64_t size = 0;
    for (const Term& t : terms) size += FactorsSize(t.factors);
    if (size > kMaxSize) return Invalid();
    Dim d(constant);
    if (!terms.empty()) d.terms_ = std::make_shared<const Terms>(std::move(terms));
    return d;
  }

  static Dim MakeAtom(Atom::Kind kind, std::string name, Dim a, Dim b) {
    const int size = 1 + Size(a) + Size(b);
    if (size > kMaxSize) return Invalid();
    auto atom = std::make_shared<const Atom>(Atom{kind, std::move(name), std::move(a), std::move(b), size});
    return Make(0, {Term{1, {std::move(atom)}}});
  }

  static int Size(const Dim& d) {
    int size = 0;
    for (const Term& t : TermsOf(d)) size += FactorsSize(t.factors);
    return size;
  }

  static int FactorsSize(const Factors& factors) {
    int size = 0;
    for (const auto& f : factors) size += f->size;
    return size;
  }

  static int CompareAtoms(const Atom& a, const Atom& b) {
    if (&a == &b) return 0;
    if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
    if (a.kind == Atom::kSymbol) return a.name.compare(b.name);
    if (const int c = Dim::Compare(a.a, b.a); c != 0) return c;
    return Dim::Compare(a.b, b.b);
  }

  // Falling degree, then the atoms in order: a graded lexicographic order of monomials, which
  // multiplication preserves. DivideExactly relies on that.
  static int CompareFactors(const Factors& a, const Factors& b) {
    if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
    for (size_t i = 0; i < a.size(); ++i) {
      if (const int c = CompareAtoms(*a[i], *b[i]); c != 0) return c;
    }
    return 0;
  }

  static bool AtomLess(const std::shared_ptr<const Atom>& a, const std::shared_ptr<const Atom>& b) {
    return CompareAtoms(*a, *b) < 0;
  }

  static Dim Add(const Dim& a, const Dim& b) {
    int64_t constant;
    if (!a.valid_ || !b.valid_ || __builtin_add_overflow(a.constant_, b.constant_, &constant))
      return Invalid();
    if (a.terms_ == nullptr && b.terms_ == nullptr) return Dim(constant);
    const Terms& x = TermsOf(a);
    const Terms& y = TermsOf(b);
    Terms sum;
    sum.reserve(x.size() + y.size());
    size_t i = 0, j = 0;
    while (i < x.size() || j < y.size()) {
      const int c = i == x.size() ? 1 : j == y.size() ? -1 : CompareFactors(x[i].factors, y[j].factors);
      if (c < 0) {
        sum.push_back(x[i++]);
      } else if (c > 0) {
        sum.push_back(y[j++]);
      } else {
        int64_t coefficient;
        if (__builtin_add_overflow(x[i].coefficient, y[j].coefficient, &coefficient)) return Invalid();
        if (coefficient != 0) sum.push_back({coefficient, x[i].factors});
        ++i, ++j;
      }
    }
    return Make(constant, std::move(sum));
  }

  // d times one monomial. Multiplication preserves the order of terms, so the result is sorted.
  static Dim MulMonomial(const Dim& d, int64_t coefficient, const Factors& factors) {
    if (!d.valid_) return Invalid();
    if (coefficient == 0) return Dim(0);
    Terms product;
    product.reserve(TermsOf(d).size() + 1);
    const auto append = [&](int64_t k, const Factors& f) {
      Term t;
      if (__builtin_mul_overflow(k, coefficient, &t.coefficient)) return false;
      t.factors.reserve(f.size() + factors.size());
      std::merge(f.begin(), f.end(), factors.begin(), factors.end(), std::back_inserter(t.factors), AtomLess);
      product.push_back(std::move(t));
      return true;
    };
    for (const Term& t : TermsOf(d)) {
      if (!append(t.coefficient, t.factors)) return Invalid();
    }
    int64_t constant = 0;
    if (factors.empty()) {
      if (__builtin_mul_overflow(d.constant_, coefficient, &constant)) return Invalid();
    } else if (d.constant_ != 0 && !append(d.constant_, {})) {
      return Invalid();
    }
    return Make(constant, std::move(product));
  }

  static Dim Mul(const Dim& a, const Dim& b) {
    if (!a.valid_ || !b.valid_) return Invalid();
    Dim sum = MulMonomial(a, b.constant_, {});
    for (const Term& t : TermsOf(b)) {
      if (!sum.valid_) break;  // too large already: the rest cannot matter
      sum = Add(sum, MulMonomial(a, t.coefficient, t.factors));
    }
    return sum;
  }

  // The operands of `d` if it is one bare atom of that kind.
  static const Atom* BareAtom(const Dim& d, Atom::Kind kind) {
    const Terms& terms = TermsOf(d);
    if (d.constant_ != 0 || terms.size() != 1) return nullptr;
    if (terms[0].coefficient != 1 || terms[0].factors.size() != 1) return nullptr;
    const Atom* atom = terms[0].factors[0].get();
    return atom->kind == kind ? atom : nullptr;
  }

  // d == c * quotient + rest, the rest's coefficients (the constant too) in [0, c).
  static void Split(const Dim& d, int64_t c, Dim* quotient, Dim* rest) {
    Terms q, r;
    for (const Term& t : TermsOf(d)) {
      const int64_t k = FloorDivide(t.coefficient, c);
      const int64_t m = FloorRemainder(t.coefficient, c);
      if (k != 0) q.push_back({k, t.factors});
      if (m != 0) r.push_back({m, t.factors});
    }
    *quotient = Make(FloorDivide(d.constant_, c), std::move(q));
    *rest = Make(FloorRemainder(d.constant_, c), std::move(r));
  }

  // The greatest divisor of c and all coefficients of the terms.
  static int64_t CommonDivisor(const Dim& d, int64_t c) {
    for (const Term& t : TermsOf(d)) c = std::gcd(c, t.coefficient);
    return c;
  }

  // Every coefficient divided by g, which divides those of the terms; the constant rounded down.
  static Dim Shrink(const Dim& d, int64_t g) {
    Dim quotient, rest;
    Split(d, g, &quotient, &rest);
    return quotient;
  }

  static Dim FloorDiv(const Dim& a, const Dim& b) {
    if (!a.valid_ || !b.valid_ || (b.is_constant() && b.constant_ == 0)) return Invalid();
    if (!b.is_constant() || b.constant_ < 0) {
      if (!a.is_constant() || !b.is_constant()) return MakeAtom(Atom::kFloorDiv, "", a, b);
      if (QuotientOverflows(a.constant_, b.constant_)) return Invalid();
      return Dim(FloorDivide(a.constant_, b.constant_));
    }
    // floor((c*q + r) / c) == q + floor(r / c).
    int64_t c = b.constant_;
    Dim quotient, rest;
    Split(a, c, &quotient, &rest);
    if (rest.is_constant()) return quotient;
    // floor((g*x + k) / (g*c)) == floor((x + floor(k/g)) / c).
    if (const int64_t g = CommonDivisor(rest, c); g > 1) {
      rest = Shrink(rest, g);
      c /= g;
    }
    // floor((floor(x / d) + k) / c) == floor((x + k*d) / (d*c)).
    const Dim k = Dim(rest.constant_);
    const Atom* inner = BareAtom(rest - k, Atom::kFloorDiv);
    int64_t product;
    if (inner != nullptr && inner->b.is_constant() && inner->b.constant_ > 0 &&
        !__builtin_mul_overflow(inner->b.constant_, c, &product)) {
      if (const Dim x = inner->a + k * inner->b; x.valid_) return quotient + FloorDiv(x, product);
    }
    return quotient + MakeAtom(Atom::kFloorDiv, "", rest, c);
  }

  static Dim Mod(const Dim& a, const Dim& b) {
    if (!a.valid_ || !b.valid_ || (b.is_constant() && b.constant_ == 0)) return Invalid();
    if (!b.is_constant() || b.constant_ < 0) {
      if (!a.is_constant() || !b.is_constant()) return MakeAtom(Atom::kMod, "", a, b);
      return Dim(b.constant_ == -1 ? 0 : FloorRemainder(a.constant_, b.constant_));
    }
    const int64_t c = b.constant_;
    Dim quotient, rest;
    Split(a, c, &quotient, &rest);
    if (rest.is_constant()) return rest;
    // mod(g*x, g*c) == g * mod(x, c).
    if (const int64_t g = std::gcd(CommonDivisor(rest, c), rest.constant_); g > 1) {
      return Dim(g) * Mod(Shrink(rest, g), c / g);
    }
    if (const Atom* inner = BareAtom(rest, Atom::kMod);
        inner != nullptr && inner->b.is_constant() && inner->b.constant_ > 0) {
      if (c % inner->b.constant_ == 0) return rest;
      if (inner->b.constant_ % c == 0) return Mod(inner->a, b);
    }
    return MakeAtom(Atom::kMod, "", rest, b);
  }

  static bool IsNonNegative(const Atom& atom) {
    switch (atom.kind) {
      case Atom::kSymbol:
        return true;
      case Atom::kFloorDiv:
        return IsNonNegative(atom.a) && IsNonNegative(atom.b);
      case Atom::kMod:
        return IsNonNegative(atom.b);
      case Atom::kMin:
        return IsNonNegative(atom.a) && IsNonNegative(atom.b);
      case Atom::kMax:
        return IsNonNegative(atom.a) || IsNonNegative(atom.b);
    }
    return false;
  }

  // True only if `d` is never negative; false says nothing.
  static bool IsNonNegative(const Dim& d) {
    if (!d.valid_ || d.constant_ < 0) return false;
    for (const Term& t : TermsOf(d)) {
      if (t.coefficient < 0) return false;
      for (const auto& f : t.factors) {
        if (!IsNonNegative(*f)) return false;
      }
    }
    return true;
  }

  // The operands of nested atoms of one kind, outermost first.
  static void Flatten(const Dim& d, Atom::Kind kind, std::vector<Dim>& out) {
    const Atom* atom = BareAtom(d, kind);
    if (atom == nullptr) {
      out.push_back(d);
      return;
    }
    Flatten(atom->a, kind, out);
    Flatten(atom->b, kind, out);
  }

  static Dim Extremum(const Dim& a, const Dim& b, Atom::Kind kind) {
    if (!a.valid_ || !b.valid_) return Invalid();
    std::vector<Dim> operands;
    Flatten(a, kind, operands);
    Flatten(b, kind, operands);
    if (operands.size() > kMaxExtremumOperands) return Invalid();
    // Drops operands which another one always beats or equals.
    std::vector<Dim> kept;
    for (const Dim& d : operands) {
      const auto beats = [kind](const Dim& x, const Dim& y) {
        return IsNonNegative(kind == Atom::kMax ? x - y : y - x);
      };
      if (std::any_of(kept.begin(), kept.end(), [&](const Dim& k) { return beats(k, d); })) continue;
      kept.erase(std::remove_if(kept.begin(), kept.end(), [&](const Dim& k) { return beats(d, k); }),
                 kept.end());
      kept.push_back(d);
    }
    std::sort(kept.begin(), kept.end(), [](const Dim& x, const Dim& y) { return Dim::Compare(x, y) < 0; });
    Dim result = kept[0];
    for (size_t i = 1; i < kept.size() && result.valid_; ++i) result = MakeAtom(kind, "", result, kept[i]);
    return result;
  }

  // `a` / `b` of monomials, if b's factors are all among a's.
  static std::optional<Term> DivideMonomial(const Term& a, const Term& b) {
    if (QuotientOverflows(a.coefficient, b.coefficient) || a.coefficient % b.coefficient != 0)
      return std::nullopt;
    if (!std::includes(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end(), AtomLess)) {
      return std::nullopt;
    }
    Term q{a.coefficient / b.coefficient, {}};
    std::set_difference(a.factors.begin(), a.factors.end(), b.factors.begin(), b.factors.end(),
                        std::back_inserter(q.factors), AtomLess);
    return q;
  }

  static Term LeadingTerm(const Dim& d) {
    return d.terms_ == nullptr ? Term{d.constant_, {}} : d.terms_->front();
  }

  static std::optional<int64_t> Evaluate(const Atom& atom, const SymbolValues& symbols) {
    if (atom.kind == Atom::kSymbol) {
      const auto it = symbols.find(atom.name);
      return it == symbols.end() ? std::nullopt : std::optional<int64_t>(it->second);
    }
    const std::optional<int64_t> a = atom.a.Evaluate(symbols);
    const std::optional<int64_t> b = atom.b.Evaluate(symbols);
    if (!a || !b) return std::nullopt;
    if (atom.kind == Atom::kMin) return std::min(*a, *b);
    if (atom.kind == Atom::kMax) return std::max(*a, *b);
    if (*b == 0) return std::nullopt;
    if (atom.kind == Atom::kMod) return *b == -1 ? 0 : FloorRemainder(*a, *b);
    if (QuotientOverflows(*a, *b)) return std::nullopt;
    return FloorDivide(*a, *b);
  }

  static Dim Substitute(const Atom& atom, const SymbolMap& by) {
    if (atom.kind == Atom::kSymbol) {
      const auto it = by.find(atom.name);
      return it == by.end() ? Dim::Symbol(atom.name) : it->second;
    }
    const Dim a = atom.a.Substitute(by), b = atom.b.Substitute(by);
    switch (atom.kind) {
      case Atom::kFloorDiv:
        return FloorDiv(a, b);
      case Atom::kMod:
        return Mod(a, b);
      default:
        return Extremum(a, b, atom.kind);
    }
  }

  static void CollectSymbols(const Atom& atom, std::vector<std::string>& out) {
    if (atom.kind != Atom::kSymbol) {
      atom.a.CollectSymbols(out);
      atom.b.CollectSymbols(out);
    } else if (std::find(out.begin(), out.end(), atom.name) == out.end()) {
      out.push_back(atom.name);
    }
  }

  static std::string ToString(const Atom& atom) {
    static constexpr const char* kFunctions[] = {"", "floordiv", "mod", "min", "max"};
    if (atom.kind != Atom::kSymbol) {
      return absl::StrCat(kFunctions[atom.kind], "(", atom.a.ToString(), ", ", atom.b.ToString(), ")");
    }
    if (IsIdentifier(atom.name)) return atom.name;
    std::string quoted = "\"";
    for (char c : atom.name) {
      if (c == '"' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    return quoted + "\"";
  }
};

Dim Dim::Symbol(absl::string_view name) {
  return DimBuilder::MakeAtom(Atom::kSymbol, std::string(name), Dim(), Dim());
}

int Dim::size() const { return DimBuilder::Size(*this); }

std::optional<std::string> Dim::symbol() const {
  const Atom* atom = valid_ ? DimBuilder::BareAtom(*this, Atom::kSymbol) : nullptr;
  return atom == nullptr ? std::nullopt : std::optional<std::string>(atom->name);
}

Dim operator+(const Dim& a, const Dim& b) { return DimBuilder::Add(a, b); }
Dim operator-(const Dim& a, const Dim& b) { return DimBuilder::Add(a, DimBuilder::MulMonomial(b, -1, {})); }
Dim operator*(const Dim& a, const Dim& b) { return DimBuilder::Mul(a, b); }
Dim FloorDiv(const Dim& a, const Dim& b) { return DimBuilder::FloorDiv(a, b); }
Dim Mod(const Dim& a, const Dim& b) { return DimBuilder::Mod(a, b); }
Dim Min(const Dim& a, const Dim& b) { return DimBuilder::Extremum(a, b, Dim::Atom::kMin); }
Dim Max(const Dim& a, const Dim& b) { return DimBuilder::Extremum(a, b, Dim::Atom::kMax); }

bool operator==(const Dim& a, const Dim& b) { return a.valid_ && b.valid_ && Dim::Compare(a, b) == 0; }

int Dim::Compare(const Dim& a, const Dim& b) {
  if (a.valid_ != b.valid_) return a.valid_ ? -1 : 1;
  if (!a.valid_) return 0;
  if (a.terms_ != b.terms_) {
    const DimBuilder::Terms& x = DimBuilder::TermsOf(a);
    const DimBuilder::Terms& y = DimBuilder::TermsOf(b);
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
      if (const int c = DimBuilder::CompareFactors(x[i].factors, y[i].factors); c != 0) return c;
      if (x[i].coefficient != y[i].coefficient) return x[i].coefficient < y[i].coefficient ? -1 : 1;
    }
    if (x.size() != y.size()) return x.size() > y.size() ? -1 : 1;
  }
  return a.constant_ < b.constant_ ? -1 : a.constant_ > b.constant_ ? 1 : 0;
}

std::optional<Dim> Dim::DivideExactly(const Dim& a, const Dim& b) {
  if (!a.valid_ || !b.valid_ || b == Dim(0)) return std::nullopt;
  // Long division of polynomials. Each step removes a's leading term, and adds only smaller ones.
  const Term divisor = DimBuilder::LeadingTerm(b);
  Dim quotient, rest = a;
  for (int step = 0; step < kMaxSize; ++step) {
    if (rest == Dim(0)) return quotient;
    const std::optional<Term> q = DimBuilder::DivideMonomial(DimBuilder::LeadingTerm(rest), divisor);
    if (!q) return std::nullopt;
    quotient = quotient + DimBuilder::MulMonomial(Dim(1), q->coefficient, q->factors);
    rest = rest - DimBuilder::MulMonomial(b, q->coefficient, q->factors);
    if (!rest.valid_ || !quotient.valid_) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<int64_t> Dim::Evaluate(const SymbolValues& symbols) const {
  if (!valid_) return std::nullopt;
  int64_t sum = constant_;
  for (const Term& t : DimBuilder::TermsOf(*this)) {
    int64_t product = t.coefficient;
    for (const auto& f : t.factors) {
      const std::optional<int64_t> value = DimBuilder::Evaluate(*f, symbols);
      if (!value || __builtin_mul_overflow(product, *value, &product)) return std::nullopt;
    }
    if (__builtin_add_overflow(sum, product, &sum)) return std::nullopt;
  }
  return sum;
}

Dim Dim::Substitute(const SymbolMap& by) const {
  if (!valid_ || terms_ == nullptr) return *this;
  Dim sum = constant_;
  for (const Term& t : *terms_) {
    Dim product = t.coefficient;
    for (const auto& f : t.factors) product = product * DimBuilder::Substitute(*f, by);
    sum = sum + product;
  }
  return sum;
}

void Dim::CollectSymbols(std::vector<std::string>& out) const {
  for (const Term& t : DimBuilder::TermsOf(*this)) {
    for (const auto& f : t.factors) DimBuilder::CollectSymbols(*f, out);
  }
}

std::string Dim::ToString() const {
  if (!valid_) return "<invalid>";
  if (terms_ == nullptr) return absl::StrCat(constant_);
  std::string text;
  const auto append_sign = [&text](bool negative) {
    if (text.empty()) {
      if (negative) text = "-";
    } else {
      text += negative ? " - " : " + ";
    }
  };
  // Magnitudes are written unsigned, since -INT64_MIN has no int64.
  const auto magnitude = [](int64_t v) {
    return v < 0 ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
  };
  for (const Term& t : *terms_) {
    append_sign(t.coefficient < 0);
    const char* separator = "";
    if (magnitude(t.coefficient) != 1) {
      absl::StrAppend(&text, magnitude(t.coefficient));
      separator = "*";
    }
    for (const auto& f : t.factors) {
      absl::StrAppend(&text, separator, DimBuilder::ToString(*f));
      separator = "*";
    }
  }
  if (constant_ != 0) {
    append_sign(constant_ < 0);
    absl::StrAppend(&text, magnitude(constant_));
  }
  return text;
}

}  // namespace tenfold
