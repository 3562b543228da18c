// SPDX-License-Identifier: Apache-2.0
//
// NaNs by their bits: for code that moves elements as words of 1, 2, 4 or 8 bytes.
#ifndef TENFOLD_GRAPH_NAN_PATTERN_H_
#define TENFOLD_GRAPH_NAN_PATTERN_H_

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "tenfold/graph/dtype.h"

namespace tenfold {

// An element is a NaN if its bits without the sign exceed `largest`, and is `canonical` then.
struct NanPattern {
  uint64_t magnitude = 0;  // all bits but the sign; 0: the type has no NaN
  uint64_t largest = 0;    // magnitude of no NaN
  uint64_t canonical = 0;
  explicit operator bool() const { return magnitude != 0; }
};

constexpr NanPattern NanPatternOf(DType dtype) {
  switch (dtype) {
    case DType::kF8E4M3FN:
      return {0x7f, 0x7e, Float8Format<F8E4M3FN>::kNan};
    case DType::kF8E5M2:
      return {0x7f, 0x7c, Float8Format<F8E5M2>::kNan};
    case DType::kF16:
      return {0x7fff, 0x7c00, 0x7e00};
    case DType::kBF16:
      return {0x7fff, 0x7f80, 0x7fc0};
    case DType::kF32:
      return {0x7fffffff, 0x7f800000, 0x7fc00000};
    case DType::kF64:
      return {0x7fffffffffffffff, 0x7ff0000000000000, 0x7ff8000000000000};
    default:
      return {};
  }
}

template <typename Word>
bool IsNan(const NanPattern& pattern, Word word) {
  using Signed = std::make_signed_t<Word>;  // what the baseline has vectors of comparisons for
  return (static_cast<Signed>(word) & static_cast<Signed>(pattern.magnitude)) >
         static_cast<Signed>(pattern.largest);
}

template <typename Word, int kCount>
bool AnyNan(const NanPattern& pattern, const Word* words) {
  Word any = 0;
  for (int i = 0; i < kCount; ++i) any |= static_cast<Word>(IsNan(pattern, words[i]));
  return any != 0;
}

// Makes the NaNs among `count` words canonical.
template <typename Word>
void CanonicalizeWords(const NanPattern& pattern, Word* words, int64_t count) {
  // Blocks without a NaN, nearly all of them, are only read, in a loop that the host compiler vectorises.
  constexpr int64_t kBlock = 64;
  for (; count > 0; count -= kBlock, words += kBlock) {
    if (count >= kBlock) {
      if (!AnyNan<Word, kBlock>(pattern, words)) continue;
    }
    for (int64_t i = 0; i < std::min(count, kBlock); ++i) {
      if (IsNan(pattern, words[i])) words[i] = static_cast<Word>(pattern.canonical);
    }
  }
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_NAN_PATTERN_H_
