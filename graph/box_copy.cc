// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/box_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"

namespace tenfold {
namespace {

// A tile is a line of memory wide and high: what is read of a line is read at once, and what is written, too.
constexpr int64_t kLineBytes = 64;

// `count` elements, apart by the strides.
template <typename Word>
void CopyRun(const Word* from, int64_t from_stride, Word* to, int64_t to_stride, int64_t count) {
  if (from_stride == 1 && to_stride == 1) {
    std::memcpy(to, from, count * sizeof(Word));
  } else if (from_stride == 0 && to_stride == 1) {
    std::fill(to, to + count, *from);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i * to_stride] = from[i * from_stride];
  }
}

// Whether every reachable position is within [0, count).
bool Within(const Dims& extents, int64_t base, const Dims& strides, int64_t count) {
  __int128 low = base, high = base;
  for (size_t d = 0; d < extents.size(); ++d) {
    const __int128 reach = static_cast<__int128>(extents[d] - 1) * strides[d];
    (reach < 0 ? low : high) += reach;
  }
  return low >= 0 && high < count;
}

}  // namespace

BoxCopy::BoxCopy(const Dims& extents, int64_t from, const Dims& from_strides, int64_t to,
                 const Dims& to_strides, int64_t element_size)
    : from_(from), to_(to), element_size_(element_size) {
  units_ = 1;
  for (size_t d = 0; d < extents.size(); ++d) {
    units_ = extents[d] == 0 ? 0 : units_ * extents[d];
    if (units_ == 0) return;
    if (extents[d] == 1) continue;
    if (!extents_.empty() && from_strides_.back() == from_strides[d] * extents[d] &&
        to_strides_.back() == to_strides[d] * extents[d]) {
      extents_.back() *= extents[d];
      from_strides_.back() = from_strides[d];
      to_strides_.back() = to_strides[d];
    } else {
      extents_.push_back(extents[d]);
      from_strides_.push_back(from_strides[d]);
      to_strides_.push_back(to_strides[d]);
    }
  }
  if (extents_.empty()) {
    extents_ = {1};
    from_strides_ = to_strides_ = {1};
  }
  const bool apart = from_strides_.back() < 0 || from_strides_.back() > 1;
  unit_cost_ = apart ? 4 : 1;
  if (!apart || to_strides_.back() != 1) return;
  tile_ = kLineBytes / element_size_;
  for (size_t d = 0; d + 1 < extents_.size(); ++d) {
    if (from_strides_[d] == 1 && extents_[d] >= tile_ && extents_.back() >= tile_) {
      dense_in_ = static_cast<int>(d);
    }
  }
  if (dense_in_ < 0) return;
  tiles_in_ = (extents_[dense_in_] + tile_ - 1) / tile_;
  tiles_out_ = (extents_.back() + tile_ - 1) / tile_;
  units_ = units_ / extents_[dense_in_] / extents_.back() * tiles_in_ * tiles_out_;
  unit_cost_ = tile_ * tile_;
}

bool BoxCopy::StaysWithin(int64_t in_count, int64_t out_count) const {
  if (units_ == 0) return true;
  return Within(extents_, from_, from_strides_, in_count) && Within(extents_, to_, to_strides_, out_count);
}

void BoxCopy::Run(const void* in, void* out, int64_t begin, int64_t end) const {
  const auto words = [&]<typename Word>(Word) {
    const Word* const from = static_cast<const Word*>(in) + from_;
    Word* const to = static_cast<Word*>(out) + to_;
    dense_in_ < 0 ? RunWords(from, to, begin, end) : RunTiles(from, to, begin, end);
  };
  switch (element_size_) {
    case 1:
      return words(uint8_t());
    case 2:
      return words(uint16_t());
    case 4:
      return words(uint32_t());
    default:
      return words(uint64_t());
  }
}

template <typename Word>
void BoxCopy::RunWords(const Word* in, Word* out, int64_t begin, int64_t end) const {
  const int rank = static_cast<int>(extents_.size()), last = rank - 1;
  absl::InlinedVector<int64_t, 32> index(rank);
  int64_t rest = begin;
  for (int d = last; d >= 0; --d) {
    index[d] = rest % extents_[d];
    rest /= extents_[d];
    in += index[d] * from_strides_[d];
    out += index[d] * to_strides_[d];
  }
  while (true) {
    const int64_t count = std::min(extents_[last] - index[last], end - begin);
    CopyRun(in, from_strides_[last], out, to_strides_[last], count);
    begin += count;
    if (begin >= end) return;
    // On to the next run: back to the start of the last dim, and carry.
    in -= index[last] * from_strides_[last];
    out -= index[last] * to_strides_[last];
    index[last] = 0;
    for (int d = last - 1; d >= 0; --d) {
      in += from_strides_[d];
      out += to_strides_[d];
      if (++index[d] < extents_[d]) break;
      in -= extents_[d] * from_strides_[d];
      out -= extents_[d] * to_strides_[d];
      index[d] = 0;
    }
  }
}

template <typename Word>
void BoxCopy::RunTiles(const Word* in, Word* out, int64_t begin, int64_t end) const {
  const int64_t in_extent = extents_[dense_in_], out_extent = extents_.back();
  const int64_t in_step = from_strides_.back(), out_step = to_strides_[dense_in_];
  for (int64_t unit = begin; unit < end; ++unit) {
    // Tiles that lie behind one another in the output follow one another.
    int64_t rest = unit;
    const int64_t column = rest % tiles_out_ * tile_;
    rest /= tiles_out_;
    const int64_t row = rest % tiles_in_ * tile_;
    rest /= tiles_in_;
    int64_t from = row + column * in_step, to = row * out_step + column;
    for (int d = static_cast<int>(extents_.size()) - 2; d >= 0; --d) {
      if (d == dense_in_) continue;
      const int64_t index = rest % extents_[d];
      from += index * from_strides_[d];
      to += index * to_strides_[d];
      rest /= extents_[d];
    }
    const int64_t rows = std::min(tile_, in_extent - row), columns = std::min(tile_, out_extent - column);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) out[to + r * out_step + c] = in[from + r + c * in_step];
    }
  }
}

std::optional<BoxCopy> BindPiece(const Piece& piece, const SymbolValues& symbols, int64_t element_size,
                                 int64_t in_count, int64_t out_count) {
  const auto values = [&](const std::vector<Dim>& dims) -> std::optional<Dims> {
    Dims numbers;
    for (const Dim& dim : dims) {
      const std::optional<int64_t> value = dim.Evaluate(symbols);
      if (!value) return std::nullopt;
      numbers.push_back(*value);
    }
    return numbers;
  };
  const std::optional<Dims> extents = values(piece.extents);
  const std::optional<Dims> from_strides = values(piece.from_strides), to_strides = values(piece.to_strides);
  const std::optional<int64_t> from = piece.from.Evaluate(symbols), to = piece.to.Evaluate(symbols);
  if (!extents || !from_strides || !to_strides || !from || !to || !NumElements(*extents)) return std::nullopt;
  BoxCopy copy(*extents, *from, *from_strides, *to, *to_strides, element_size);
  return copy.StaysWithin(in_count, out_count) ? std::optional(std::move(copy)) : std::nullopt;
}

}  // namespace tenfold
