// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/layout.h"

#include <utility>

namespace tenfold {

Layout ViewOf(int input, const Shape& output, Dim from, std::vector<Dim> from_strides) {
  Layout layout;
  layout.pieces.push_back(
      {input, output.dims(), std::move(from), std::move(from_strides), 0, RowMajorStrides(output.dims())});
  return layout;
}

Layout AliasOf(int input, const Shape& output) {
  return ViewOf(input, output, 0, RowMajorStrides(output.dims()));
}

const Piece* AsView(const Layout& layout, const Shape& output) {
  if (layout.fill != Layout::kNoFill || layout.pieces.size() != 1) return nullptr;
  const Piece& piece = layout.pieces[0];
  const bool whole = piece.to == Dim(0) && piece.extents == output.dims() &&
                     piece.to_strides == RowMajorStrides(output.dims());
  return whole ? &piece : nullptr;
}

bool IsAlias(const Layout& layout, const Shape& input) {
  if (layout.is_alias) return true;
  if (layout.fill != Layout::kNoFill || layout.pieces.size() != 1) return false;
  const Piece& piece = layout.pieces[0];
  return Shape(piece.extents).num_elements() == input.num_elements() && piece.from == Dim(0) &&
         piece.to == Dim(0) && piece.from_strides == piece.to_strides &&
         piece.to_strides == RowMajorStrides(piece.extents);
}

}  // namespace tenfold
