// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/strided.h"

#include <algorithm>
#include <cstring>

namespace tenfold {
namespace {

template <typename Word>
void CopyWords(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    // Element-aligned by contract, but the bytes may be of any type: memcpy is the copy that aliases nothing.
    Word word;
    std::memcpy(&word, from + i * from_stride, sizeof(Word));
    std::memcpy(to + i * to_stride, &word, sizeof(Word));
  }
}

void CopyRun(const char* from, int64_t from_stride, char* to, int64_t to_stride, int64_t count, int size) {
  if (from_stride == size && to_stride == size) {
    std::memcpy(to, from, count * size);
    return;
  }
  switch (size) {
    case 1:
      return CopyWords<uint8_t>(from, from_stride, to, to_stride, count);
    case 2:
      return CopyWords<uint16_t>(from, from_stride, to, to_stride, count);
    case 4:
      return CopyWords<uint32_t>(from, from_stride, to, to_stride, count);
    default:
      return CopyWords<uint64_t>(from, from_stride, to, to_stride, count);
  }
}

}  // namespace

StridedView::StridedView(const int64_t* extents, const int64_t* strides, int rank, int element_size,
                         int64_t* storage)
    : element_size_(element_size), extents_(storage), strides_(storage + rank), index_(storage + 2 * rank) {
  for (int d = 0; d < rank; ++d) {
    if (extents[d] == 1) continue;
    const int64_t stride = strides[d] * element_size;
    if (rank_ > 0 && strides_[rank_ - 1] == stride * extents[d]) {
      extents_[rank_ - 1] *= extents[d];
      strides_[rank_ - 1] = stride;
    } else {
      extents_[rank_] = extents[d];
      strides_[rank_] = stride;
      ++rank_;
    }
  }
  if (rank_ == 1 && strides_[0] == 0) rank_ = 0;
}

int64_t StridedView::Offset(int64_t point) const {
  if (rank_ == 0) return 0;
  int64_t offset = 0;
  for (int d = rank_ - 1; d > 0; --d) {
    offset += point % extents_[d] * strides_[d];
    point /= extents_[d];
  }
  return offset + point * strides_[0];
}

bool StridedView::InOneRun(int64_t begin, int64_t count, int64_t stride) const {
  if (rank_ == 0) return stride == 0;
  if (strides_[rank_ - 1] != stride) return false;
  return rank_ == 1 || begin % extents_[rank_ - 1] + count <= extents_[rank_ - 1];
}

// Calls run(offset, length) for each stretch of points along the innermost dim.
template <typename Run>
void StridedView::ForEachRun(int64_t begin, int count, Run run) const {
  if (rank_ <= 1) {
    run(begin * inner_stride(), count);
    return;
  }
  int64_t offset = 0;
  int64_t rest = begin;
  for (int d = rank_ - 1; d >= 0; --d) {
    index_[d] = d > 0 ? rest % extents_[d] : rest;
    offset += index_[d] * strides_[d];
    if (d > 0) rest /= extents_[d];
  }
  const int inner = rank_ - 1;
  while (true) {
    const int64_t length = std::min<int64_t>(count, extents_[inner] - index_[inner]);
    run(offset, length);
    count -= static_cast<int>(length);
    if (count == 0) return;
    // On to the next run: back to the innermost dim's start, and carry.
    offset -= index_[inner] * strides_[inner];
    index_[inner] = 0;
    for (int d = inner - 1; d >= 0; --d) {
      offset += strides_[d];
      if (++index_[d] < extents_[d] || d == 0) break;
      offset -= extents_[d] * strides_[d];
      index_[d] = 0;
    }
  }
}

void StridedView::Gather(const char* base, int64_t begin, int count, char* dense) const {
  const int64_t stride = inner_stride();
  ForEachRun(begin, count, [&](int64_t offset, int64_t length) {
    CopyRun(base + offset, stride, dense, element_size_, length, element_size_);
    dense += length * element_size_;
  });
}

void StridedView::Scatter(const char* dense, int64_t begin, int count, char* base) const {
  const int64_t stride = inner_stride();
  ForEachRun(begin, count, [&](int64_t offset, int64_t length) {
    CopyRun(dense, element_size_, base + offset, stride, length, element_size_);
    dense += length * element_size_;
  });
}

}  // namespace tenfold
