// SPDX-License-Identifier: Apache-2.0
//
// Solving dims for symbols: an extent that is fed gives the value of the symbol in it.
#ifndef TENFOLD_RUNTIME_SYMBOLS_H_
#define TENFOLD_RUNTIME_SYMBOLS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tenfold/graph/dim.h"

namespace tenfold {

// scale * symbol + offset.
struct Affine {
  int64_t scale = 1;  // not 0
  int64_t offset = 0;
};

// `dim` in that form, if it is one: it names no other symbol, and is linear in this one.
std::optional<Affine> AffineIn(const Dim& dim, const std::string& symbol);

// The symbol's value for which `affine` is `extent`; nullopt if there is no such value >= 0.
std::optional<int64_t> Solve(const Affine& affine, int64_t extent);

// "[1,512]", "[1,]".
std::string BoundsToString(const DimBounds& bounds);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_SYMBOLS_H_
