// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/box_copy.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "tenfold/graph/move_run.h"
#include "tenfold/graph/transpose_block.h"

namespace tenfold {
namespace {

constexpr int64_t kLineBytes = 64;
// A block of a transposition is at most so many lines wide and high: it fits the second cache. And so many
// elements, each of which is in a page of its own: the processor knows these pages.
constexpr int64_t kRowLines = 8, kColumnLines = 16;
constexpr int64_t kRowPages = 256, kColumnPages = 512;
// High blocks, of what is streamed, let the hardware fetch along the lines of the input. If lines of the
// output do not begin at lines of memory, wide ones have fewer parts of lines at their sides; as long as
// there are blocks for every thread.
constexpr int64_t kWideColumnLines = 64, kWideBlocks = 64;
// What is written beyond this is in no cache when it is read again.
constexpr int64_t kStreamedBytes = int64_t{8} << 20;

// `count` elements, apart by the strides.
template <typename Word>
void CopyRun(const Word* from, int64_t from_stride, Word* to, int64_t to_stride, int64_t count,
             const MoveOptions& options) {
  if (from_stride == 1 && to_stride == 1) return MoveRun(from, to, count, options);
  if (from_stride == 0) {
    Word value = *from;
    if (options.nans) CanonicalizeWords(options.nans, &value, 1);
    if (to_stride == 1) {
      std::fill_n(to, count, value);
    } else {
      for (int64_t i = 0; i < count; ++i) to[i * to_stride] = value;
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) to[i * to_stride] = from[i * from_stride];
  if (!options.nans) return;
  if (to_stride == 1) return CanonicalizeWords(options.nans, to, count);
  for (int64_t i = 0; i < count; ++i) CanonicalizeWords(options.nans, to + i * to_stride, 1);
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
  streams_ = units_ > kStreamedBytes / element_size_;
  const bool apart = from_strides_.back() < 0 || from_strides_.back() > 1;
  unit_cost_ = apart ? 4 : 1;
  if (to_strides_.back() != 1) return;
  if (apart) {
    CutIntoBlocks();
  } else if (streams_ && extents_.back() >= kLineBytes / element_size_) {
    FollowInput();
  }
}

void BoxCopy::CutIntoBlocks() {
  const int64_t line = kLineBytes / element_size_, last = extents_.back();
  for (size_t d = 0; d + 1 < extents_.size(); ++d) {
    if (from_strides_[d] == 1 && extents_[d] >= line && last >= line) dense_in_ = static_cast<int>(d);
  }
  if (dense_in_ < 0) return;
  const int64_t matrices = units_ / extents_[dense_in_] / last;
  const auto cut = [&](int64_t rows, int64_t columns) {
    rows_ = rows;
    columns_ = columns;
    row_blocks_ = (extents_[dense_in_] + rows - 1) / rows;
    column_blocks_ = (last + columns - 1) / columns;
    units_ = matrices * row_blocks_ * column_blocks_;
    unit_cost_ = rows * columns;
  };
  const int64_t columns = std::min(kColumnLines * line, kColumnPages);
  if (!streams_) return cut(std::min(kRowLines * line, kRowPages), columns);
  cut(kMaxStreamedRows, columns);
  bool whole_lines = to_ % line == 0;
  for (size_t d = 0; d + 1 < extents_.size(); ++d) whole_lines &= to_strides_[d] % line == 0;
  if (whole_lines) return;
  for (int64_t more = columns * 2; more <= kWideColumnLines * line && units_ > kWideBlocks; more *= 2) {
    cut(kMaxStreamedRows, more);
  }
}

// Runs are written in the order in which they are read: past the caches, writing costs the same in any order,
// and only reading has hardware that looks ahead.
void BoxCopy::FollowInput() {
  std::vector<size_t> order(extents_.size() - 1);
  std::iota(order.begin(), order.end(), size_t{0});
  const auto reach = [&](size_t d) { return std::max(from_strides_[d], ~from_strides_[d]); };
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return reach(a) > reach(b); });
  order.push_back(order.size());
  const Dims extents = extents_, from_strides = from_strides_, to_strides = to_strides_;
  for (size_t d = 0; d < order.size(); ++d) {
    extents_[d] = extents[order[d]];
    from_strides_[d] = from_strides[order[d]];
    to_strides_[d] = to_strides[order[d]];
  }
}

bool BoxCopy::StaysWithin(int64_t in_count, int64_t out_count) const {
  if (units_ == 0) return true;
  return Within(extents_, from_, from_strides_, in_count) && Within(extents_, to_, to_strides_, out_count);
}

void BoxCopy::Run(const void* in, void* out, int64_t begin, int64_t end, const NanPattern& nans) const {
  const auto words = [&]<typename Word>(Word) {
    const Word* const from = static_cast<const Word*>(in) + from_;
    Word* const to = static_cast<Word*>(out) + to_;
    dense_in_ < 0 ? RunWords(from, to, begin, end, nans) : RunBlocks(from, to, begin, end, nans);
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
void BoxCopy::RunWords(const Word* in, Word* out, int64_t begin, int64_t end, const NanPattern& nans) const {
  const MoveOptions options = {.stream = streams_, .nans = nans};
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
    CopyRun(in, from_strides_[last], out, to_strides_[last], count, options);
    begin += count;
    if (begin >= end) return FinishStreaming(options);
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
void BoxCopy::RunBlocks(const Word* in, Word* out, int64_t begin, int64_t end, const NanPattern& nans) const {
  const int64_t in_extent = extents_[dense_in_], out_extent = extents_.back();
  const int64_t in_step = from_strides_.back(), out_step = to_strides_[dense_in_];
  for (int64_t unit = begin; unit < end; ++unit) {
    // Blocks that lie behind one another in the input follow one another.
    int64_t rest = unit;
    const int64_t row = rest % row_blocks_ * rows_;
    rest /= row_blocks_;
    const int64_t column = rest % column_blocks_ * columns_;
    rest /= column_blocks_;
    int64_t from = row + column * in_step, to = row * out_step + column;
    for (int d = static_cast<int>(extents_.size()) - 2; d >= 0; --d) {
      if (d == dense_in_) continue;
      const int64_t index = rest % extents_[d];
      from += index * from_strides_[d];
      to += index * to_strides_[d];
      rest /= extents_[d];
    }
    TransposeBlock(in + from, in_step, out + to, out_step, std::min(rows_, in_extent - row),
                   std::min(columns_, out_extent - column), {.stream = streams_, .nans = nans});
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
