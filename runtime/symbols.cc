// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/symbols.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace tenfold {

std::optional<Affine> AffineIn(const Dim& dim, const std::string& symbol) {
  std::vector<std::string> symbols;
  dim.CollectSymbols(symbols);
  if (symbols.size() != 1 || symbols[0] != symbol) return std::nullopt;
  const std::optional<int64_t> at0 = dim.Evaluate({{symbol, 0}});
  const std::optional<int64_t> at1 = dim.Evaluate({{symbol, 1}});
  if (!at0 || !at1) return std::nullopt;
  const Affine affine{*at1 - *at0, *at0};
  if (affine.scale == 0) return std::nullopt;
  // Dims have a canonical form: what is linear is equal to the line through two of its points.
  if (!(dim == Dim(affine.scale) * Dim::Symbol(symbol) + Dim(affine.offset))) return std::nullopt;
  return affine;
}

std::optional<int64_t> Solve(const Affine& affine, int64_t extent) {
  int64_t rest;
  if (__builtin_sub_overflow(extent, affine.offset, &rest)) return std::nullopt;
  if (affine.scale == -1) return rest > 0 || rest == INT64_MIN ? std::nullopt : std::optional(-rest);
  if (rest % affine.scale != 0 || rest / affine.scale < 0) return std::nullopt;
  return rest / affine.scale;
}

std::string BoundsToString(const DimBounds& bounds) {
  return absl::StrCat("[", bounds.min, ",", bounds.max ? absl::StrCat(*bounds.max) : "", "]");
}

}  // namespace tenfold
