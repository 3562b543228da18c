// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/fortran_order.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <vector>

namespace tenfold {
namespace {

// A tile of 32x32 of the widest element, read and written, is 16 KB: it stays in L1, so that both
// the strided side and the contiguous side use every byte of the cache lines they touch.
constexpr int64_t kTile = 32;

// to[i * columns + j] = from[i + j * column_stride], for i < rows and j < columns, where one row of
// `to` begins every `row_stride`.
template <typename T>
void TransposeTiled(const T* from, int64_t column_stride, T* to, int64_t row_stride, int64_t rows,
                    int64_t columns) {
  for (int64_t i0 = 0; i0 < rows; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, rows);
    for (int64_t j0 = 0; j0 < columns; j0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, columns);
      for (int64_t i = i0; i < i1; ++i) {
        for (int64_t j = j0; j < j1; ++j) to[i * row_stride + j] = from[i + j * column_stride];
      }
    }
  }
}

// The first dim is contiguous in Fortran order and the last in row-major order: each choice of the
// indices between them is one transposition of a matrix.
template <typename T>
void Permute(std::span<const int64_t> dims, const T* fortran, T* row_major) {
  const size_t rank = dims.size();
  std::vector<int64_t> from_strides(rank), to_strides(rank);
  int64_t stride = 1;
  for (size_t i = 0; i < rank; ++i) {
    from_strides[i] = stride;
    stride *= dims[i];
  }
  stride = 1;
  for (size_t i = rank; i-- > 0;) {
    to_strides[i] = stride;
    stride *= dims[i];
  }
  std::vector<int64_t> index(rank, 0);
  int64_t from = 0, to = 0;
  while (true) {
    TransposeTiled(fortran + from, from_strides[rank - 1], row_major + to, to_strides[0], dims[0],
                   dims[rank - 1]);
    size_t i = 1;
    for (; i + 1 < rank; ++i) {
      from += from_strides[i];
      to += to_strides[i];
      if (++index[i] < dims[i]) break;
      from -= from_strides[i] * dims[i];
      to -= to_strides[i] * dims[i];
      index[i] = 0;
    }
    if (i + 1 >= rank) return;
  }
}

}  // namespace

bool OrdersAgree(std::span<const int64_t> dims) {
  int wide = 0;
  for (int64_t d : dims) {
    if (d == 0) return true;
    wide += d != 1;
  }
  return wide <= 1;
}

void FortranToRowMajor(size_t size, std::span<const int64_t> dims, const void* fortran, void* row_major) {
  if (OrdersAgree(dims)) {
    int64_t count = 1;
    for (int64_t d : dims) count = d == 0 ? 0 : count * d;
    if (count > 0) std::memcpy(row_major, fortran, size * static_cast<size_t>(count));
    return;
  }
  // Dims of 1 do not move anything; without them the first and the last dim are worth tiling.
  std::vector<int64_t> wide;
  std::copy_if(dims.begin(), dims.end(), std::back_inserter(wide), [](int64_t d) { return d != 1; });
  const auto permute = [&]<typename T>(T) {
    Permute(std::span<const int64_t>(wide), static_cast<const T*>(fortran), static_cast<T*>(row_major));
  };
  if (size == 1) permute(uint8_t{});
  if (size == 2) permute(uint16_t{});
  if (size == 4) permute(uint32_t{});
  if (size == 8) permute(uint64_t{});
}

}  // namespace tenfold
