// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/matmul_reference.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "tenfold/graph/contraction_arithmetic.h"

namespace tenfold {
namespace {

// A tile of the result is kept in registers while k runs: kRows x kColumns accumulators. Columns are the
// lanes of vectors; every accumulator still sees k in ascending order.
constexpr int kRows = 4;
constexpr int kColumns = 32;
// Halves are widened a panel of the right side at a time, so that the tile loop reads f32 only.
constexpr int kPanelDepth = 256;

// Two adjacent vectors of one row of the tile. Variables of their own rather than an array: an array indexed
// in loops is kept in memory.
template <int kBytes, typename Acc>
struct RowSums {
  using V = typename VectorOf<Acc, kBytes>::Type;
  static constexpr int kLanes = kBytes / sizeof(Acc);
  V left, right;

  TENFOLD_INLINE void Load(const Acc* from) {
    left = *reinterpret_cast<const V*>(from);
    right = *reinterpret_cast<const V*>(from + kLanes);
  }
  TENFOLD_INLINE void Store(Acc* to) const {
    *reinterpret_cast<V*>(to) = left;
    *reinterpret_cast<V*>(to + kLanes) = right;
  }
  TENFOLD_INLINE void Add(Acc lhs, const V& rhs_left, const V& rhs_right) {
    const V a = lhs - V{};  // in every lane; x - 0 keeps -0
    MultiplyAdd<kBytes, Acc>(a, rhs_left, left);
    MultiplyAdd<kBytes, Acc>(a, rhs_right, right);
  }
};

// acc[r][c] continues over `depth` steps of k, for four rows or one; `panel` has kColumns elements a row.
template <int kBytes, int kTileRows, typename T, typename Acc>
TENFOLD_INLINE void Tile(const T* lhs, int64_t lhs_stride, const Acc (*panel)[kColumns], int64_t depth,
                         Acc (*acc)[kColumns]) {
  static_assert(kTileRows == 1 || kTileRows == 4);
  using Sums = RowSums<kBytes, Acc>;
  using V = typename Sums::V;
  constexpr bool kFour = kTileRows == 4;
  for (int c = 0; c < kColumns; c += 2 * Sums::kLanes) {
    Sums s0, s1, s2, s3;
    s0.Load(&acc[0][c]);
    if constexpr (kFour) s1.Load(&acc[1][c]), s2.Load(&acc[2][c]), s3.Load(&acc[3][c]);
    for (int64_t p = 0; p < depth; ++p) {
      const V left = *reinterpret_cast<const V*>(&panel[p][c]);
      const V right = *reinterpret_cast<const V*>(&panel[p][c + Sums::kLanes]);
      s0.Add(Arithmetic<T>::Load(lhs[p]), left, right);
      if constexpr (kFour) {
        s1.Add(Arithmetic<T>::Load(lhs[lhs_stride + p]), left, right);
        s2.Add(Arithmetic<T>::Load(lhs[2 * lhs_stride + p]), left, right);
        s3.Add(Arithmetic<T>::Load(lhs[3 * lhs_stride + p]), left, right);
      }
    }
    s0.Store(&acc[0][c]);
    if constexpr (kFour) s1.Store(&acc[1][c]), s2.Store(&acc[2][c]), s3.Store(&acc[3][c]);
  }
}

// Rows [0, rows) of one matrix product.
template <int kBytes, typename T>
TENFOLD_INLINE void MultiplyRows(const T* lhs, const T* rhs, T* out, int64_t rows, int64_t depth,
                                 int64_t columns, const KernelInterrupt* interrupt) {
  using A = Arithmetic<T>;
  using Acc = typename A::Acc;
  // A panel of the right side, widened to the accumulator's type and padded to whole tiles.
  alignas(64) Acc panel[kPanelDepth][kColumns];
  constexpr int64_t kRowGroup = 64;
  alignas(64) Acc acc[kRowGroup][kColumns];
  for (int64_t j = 0; j < columns; j += kColumns) {
    const int64_t width = std::min<int64_t>(kColumns, columns - j);
    for (int64_t i0 = 0; i0 < rows; i0 += kRowGroup) {
      const int64_t group = std::min(kRowGroup, rows - i0);
      std::memset(acc, 0, sizeof(Acc) * kColumns * group);
      for (int64_t p0 = 0; p0 < depth; p0 += kPanelDepth) {
        if (StopRequested(interrupt)) [[unlikely]]
          return;
        const int64_t steps = std::min<int64_t>(kPanelDepth, depth - p0);
        for (int64_t p = 0; p < steps; ++p) {
          const T* from = rhs + (p0 + p) * columns + j;
          for (int64_t c = 0; c < width; ++c) panel[p][c] = A::Load(from[c]);
          for (int64_t c = width; c < kColumns; ++c) panel[p][c] = Acc();
        }
        int64_t i = 0;
        for (; i + kRows <= group; i += kRows) {
          Tile<kBytes, kRows>(lhs + (i0 + i) * depth + p0, depth, panel, steps, acc + i);
        }
        for (; i < group; ++i) {
          Tile<kBytes, 1>(lhs + (i0 + i) * depth + p0, depth, panel, steps, acc + i);
        }
      }
      for (int64_t i = 0; i < group; ++i) {
        T* to = out + (i0 + i) * columns + j;
        for (int64_t c = 0; c < width; ++c) to[c] = A::Store(acc[i][c]);
      }
    }
  }
}

template <typename T>
using RowsFunction = void (*)(const T*, const T*, T*, int64_t, int64_t, int64_t, const KernelInterrupt*);

template <typename T>
void MultiplyRowsBaseline(const T* lhs, const T* rhs, T* out, int64_t rows, int64_t depth, int64_t columns,
                          const KernelInterrupt* interrupt) {
  MultiplyRows<sizeof(typename Arithmetic<T>::Acc)>(lhs, rhs, out, rows, depth, columns, interrupt);
}
// Only GCC compiles one template for several targets; from another compiler every level has the baseline's
// code, which gives the same bits.
#if defined(__GNUC__) && !defined(__clang__)
template <typename T>
__attribute__((target("arch=x86-64-v3"))) void MultiplyRowsAvx2(const T* lhs, const T* rhs, T* out,
                                                                int64_t rows, int64_t depth, int64_t columns,
                                                                const KernelInterrupt* interrupt) {
  MultiplyRows<32>(lhs, rhs, out, rows, depth, columns, interrupt);
}
template <typename T>
__attribute__((target("arch=x86-64-v4,prefer-vector-width=512"))) void MultiplyRowsAvx512(
    const T* lhs, const T* rhs, T* out, int64_t rows, int64_t depth, int64_t columns,
    const KernelInterrupt* interrupt) {
  MultiplyRows<64>(lhs, rhs, out, rows, depth, columns, interrupt);
}
#else
template <typename T>
constexpr RowsFunction<T> MultiplyRowsAvx2 = MultiplyRowsBaseline<T>;
template <typename T>
constexpr RowsFunction<T> MultiplyRowsAvx512 = MultiplyRowsBaseline<T>;
#endif

template <typename T>
RowsFunction<T> ChooseRowsFunction(IsaLevel level) {
  switch (level) {
    case IsaLevel::kAvx512:
      return MultiplyRowsAvx512<T>;
    case IsaLevel::kAvx2:
      return MultiplyRowsAvx2<T>;
    case IsaLevel::kBaseline:
      break;
  }
  return MultiplyRowsBaseline<T>;
}

template <typename T>
void Multiply(const MatMulExtents& e, const T* lhs, const T* rhs, T* out, int64_t row_begin, int64_t row_end,
              IsaLevel level, const KernelInterrupt* interrupt) {
  const RowsFunction<T> multiply_rows = ChooseRowsFunction<T>(level);
  for (int64_t row = row_begin; row < row_end;) {
    const int64_t matrix = row / e.m;
    const int64_t first = row % e.m;
    const int64_t rows = std::min(row_end - row, e.m - first);
    int64_t lhs_matrix = 0, rhs_matrix = 0, rest = matrix;
    for (size_t d = e.batch.size(); d-- > 0;) {
      lhs_matrix += rest % e.batch[d] * e.lhs_strides[d];
      rhs_matrix += rest % e.batch[d] * e.rhs_strides[d];
      rest /= e.batch[d];
    }
    multiply_rows(lhs + (lhs_matrix * e.m + first) * e.k, rhs + rhs_matrix * e.k * e.n, out + row * e.n, rows,
                  e.k, e.n, interrupt);
    row += rows;
  }
}

}  // namespace

int64_t MatMulExtents::num_rows() const {
  int64_t rows = m;
  for (int64_t b : batch) rows *= b;
  return rows;
}

void MatMulReference(DType dtype, const MatMulExtents& extents, const void* lhs, const void* rhs, void* out,
                     int64_t row_begin, int64_t row_end, std::optional<IsaLevel> level,
                     const KernelInterrupt* interrupt) {
  if (extents.n == 0) return;
  static const IsaLevel host = HostIsaLevel();
  const IsaLevel used = std::min(level.value_or(host), host);
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    // Two's complement: signed products and sums have the bits of the unsigned ones.
    if constexpr (!std::is_same_v<T, bool>) {
      using U = decltype([] {
        if constexpr (std::is_integral_v<T>)
          return std::make_unsigned_t<T>();
        else
          return T();
      }());
      Multiply<U>(extents, static_cast<const U*>(lhs), static_cast<const U*>(rhs), static_cast<U*>(out),
                  row_begin, row_end, used, interrupt);
    }
  });
}

}  // namespace tenfold
