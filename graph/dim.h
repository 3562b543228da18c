// SPDX-License-Identifier: Apache-2.0
//
// A dim: an integer, or an integer expression over named symbols, kept in a canonical form so that two
// expressions which are equal as polynomials compare equal: `2*N + 4` == `N + 4 + N`.
#ifndef TENFOLD_GRAPH_DIM_H_
#define TENFOLD_GRAPH_DIM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tenfold {

// The value of each symbol at run time.
using SymbolValues = absl::flat_hash_map<std::string, int64_t>;

// What a dim may be: inclusive, both ends optional; written `N in [1,512]`, `N in [1,]`.
struct DimBounds {
  int64_t min = 0;
  std::optional<int64_t> max;
  bool operator==(const DimBounds&) const = default;
};

class Dim;
// What symbols stand for, as dims over other symbols.
using SymbolMap = absl::flat_hash_map<std::string, Dim>;

// An immutable value; copies share. A constant costs no allocation.
//
// Symbols stand for values >= 0. Arithmetic that overflows int64, or whose expression outgrows a fixed size,
// gives an invalid dim (`valid()` is false), which every reader of shapes refuses; nothing wraps. Invalid
// dims spread, and equal nothing, not even themselves. Thread-compatible.
class Dim {
 public:
  Dim() = default;                          // 0
  Dim(int64_t value) : constant_(value) {}  // NOLINT: a dim is written as a number
  static Dim Symbol(absl::string_view name);

  bool valid() const { return valid_; }
  bool is_constant() const { return valid_ && terms_ == nullptr; }
  // Only for a constant.
  int64_t constant() const { return constant_; }
  // The name if the dim is one bare symbol.
  std::optional<std::string> symbol() const;

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  // Rounds towards minus infinity; the divisor must not be the constant 0 (then: invalid).
  friend Dim FloorDiv(const Dim& a, const Dim& b);
  friend Dim Mod(const Dim& a, const Dim& b);
  friend Dim Min(const Dim& a, const Dim& b);
  friend Dim Max(const Dim& a, const Dim& b);

  friend bool operator==(const Dim& a, const Dim& b);

  // `a / b` if b divides every term of a exactly (so `N*64 / 64` is `N`), else nullopt.
  static std::optional<Dim> DivideExactly(const Dim& a, const Dim& b);

  // The value under `symbols`; nullopt if a symbol is missing, a divisor is 0 or the arithmetic overflows.
  std::optional<int64_t> Evaluate(const SymbolValues& symbols) const;

  // Each symbol of `by` replaced by what it stands for; others stay.
  Dim Substitute(const SymbolMap& by) const;

  // How many symbols and operators it is written with; 0 for a constant.
  int size() const;

  // Every symbol named, each once, in order of first appearance.
  void CollectSymbols(std::vector<std::string>& out) const;

  // `N`, `2*N + 4`, `floordiv(N, 2)`, `max(N, 4)`. Parse reads the same form, and sums, products and
  // parentheses in any order; a symbol whose name is no identifier is written in quotes. Errors: E0210.
  std::string ToString() const;
  static absl::StatusOr<Dim> Parse(absl::string_view text);
  // Parses the longest dim at the front of `text` and moves `text` behind it.
  static absl::StatusOr<Dim> Consume(absl::string_view& text);

  // An order for canonical forms and maps; it says nothing about sizes.
  static int Compare(const Dim& a, const Dim& b);

 private:
  friend class DimBuilder;
  struct Term;  // coefficient * product of atoms
  struct Atom;  // a symbol, or floordiv, mod, min, max of two dims
  bool valid_ = true;
  int64_t constant_ = 0;                            // the constant part
  std::shared_ptr<const std::vector<Term>> terms_;  // null for a constant; sorted, coefficients not 0
};

// Declared here too, for those who name them without a Dim at hand.
Dim FloorDiv(const Dim& a, const Dim& b);
Dim Mod(const Dim& a, const Dim& b);
Dim Min(const Dim& a, const Dim& b);
Dim Max(const Dim& a, const Dim& b);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_DIM_H_
