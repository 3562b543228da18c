// SPDX-License-Identifier: Apache-2.0
//
// A Piece of a Layout with numbers in the place of expressions: what copies it, for interpreter and executor.
#ifndef TENFOLD_GRAPH_BOX_COPY_H_
#define TENFOLD_GRAPH_BOX_COPY_H_

#include <cstdint>
#include <optional>

#include "tenfold/graph/layout.h"
#include "tenfold/graph/nan_pattern.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

class BoxCopy {
 public:
  BoxCopy() = default;
  // As in Piece, in elements of `element_size` bytes.
  BoxCopy(const Dims& extents, int64_t from, const Dims& from_strides, int64_t to, const Dims& to_strides,
          int64_t element_size);

  // Whether it reads within `in_count` elements and writes within `out_count`.
  bool StaysWithin(int64_t in_count, int64_t out_count) const;

  // The work can be cut between any two units: elements, or blocks of a transposition. Different units write
  // different elements.
  int64_t units() const { return units_; }
  // Of a unit, in elements; those that lie apart may each cost a line of memory.
  int64_t unit_cost() const { return unit_cost_; }
  // NaNs of the pattern become canonical on the way.
  void Run(const void* in, void* out, int64_t begin, int64_t end, const NanPattern& nans = {}) const;

 private:
  void CutIntoBlocks();
  void FollowInput();
  template <typename Word>
  void RunWords(const Word* in, Word* out, int64_t begin, int64_t end, const NanPattern& nans) const;
  template <typename Word>
  void RunBlocks(const Word* in, Word* out, int64_t begin, int64_t end, const NanPattern& nans) const;

  // Dims that both sides walk as one are joined, dims of extent 1 dropped; at least one is left.
  Dims extents_, from_strides_, to_strides_;
  int64_t from_ = 0, to_ = 0, element_size_ = 1;
  int64_t units_ = 0, unit_cost_ = 1;
  // Of a transposition: the dim along which the input is dense, while the output is along the last. -1: none.
  int dense_in_ = -1;
  int64_t rows_ = 0, columns_ = 0;  // of a block: along dense_in_, and along the last dim
  int64_t row_blocks_ = 0, column_blocks_ = 0;
  bool streams_ = false;
};

// `piece` under `symbols`, between tensors of so many elements of `element_size` bytes; nullopt if an
// expression has no value, an extent is negative, or the piece leaves its tensors: inference admits none
// such, but shapes of symbols are known only now.
std::optional<BoxCopy> BindPiece(const Piece& piece, const SymbolValues& symbols, int64_t element_size,
                                 int64_t in_count, int64_t out_count);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_BOX_COPY_H_
