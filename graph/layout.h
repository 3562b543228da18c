// SPDX-License-Identifier: Apache-2.0
//
// How the output of a movement is made of its inputs: pieces, each a strided copy of a box. Expressions over
// the symbols, so one layout serves every shape.
#ifndef TENFOLD_GRAPH_LAYOUT_H_
#define TENFOLD_GRAPH_LAYOUT_H_

#include <vector>

#include "tenfold/graph/dim.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// For every index within `extents`, the output's element number `to + sum(index[d] * to_strides[d])` is the
// input's element number `from + sum(index[d] * from_strides[d])`. Both tensors are row-major, and everything
// is counted in elements. Strides may be 0 (a value that is repeated) and, on the input's side, negative.
struct Piece {
  int input = 0;
  std::vector<Dim> extents;
  Dim from;
  std::vector<Dim> from_strides;
  Dim to;
  std::vector<Dim> to_strides;
};

// Pieces never overlap. Where none of them is stands the one value of input `fill`, or 0; without a fill they
// cover the whole output.
struct Layout {
  static constexpr int kNoFill = -1, kZeros = -2;
  std::vector<Piece> pieces;
  int fill = kNoFill;  // an input's number; kZeros: zeros fill
  // The one piece is all of its input's memory under another shape, though the sizes do not show it: a run
  // checks that they agree.
  bool is_alias = false;
};

// All of the output, read by the strides of its dims.
Layout ViewOf(int input, const Shape& output, Dim from, std::vector<Dim> from_strides);
// The same elements in the same order.
Layout AliasOf(int input, const Shape& output);

// The one piece that is a view of an input along the output's own dims; null if the layout is no such view.
const Piece* AsView(const Layout& layout, const Shape& output);
// Whether the output is all of the memory of its one piece's input, whose shape is `input`, under another
// shape.
bool IsAlias(const Layout& layout, const Shape& input);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_LAYOUT_H_
