// SPDX-License-Identifier: Apache-2.0
//
// A strided walk over a row-major space, and copies between it and dense blocks: how the interpreter turns
// broadcast, transposed and sliced operands into what BlockInterpreter takes.
#ifndef TENFOLD_GRAPH_FUSED_STRIDED_H_
#define TENFOLD_GRAPH_FUSED_STRIDED_H_

#include <cstddef>
#include <cstdint>

namespace tenfold {

// Dims that one stride can walk are merged and dims of extent 1 dropped, so a contiguous operand has rank 1
// and one that is the same everywhere has rank 0, whatever the space. Offsets are in bytes.
class StridedView {
 public:
  // int64 values of `storage` that a view over `rank` dims needs.
  static constexpr int StorageFor(int rank) { return 3 * rank; }

  StridedView() = default;
  // Strides in elements of `element_size` bytes. `storage` outlives the view, which writes into it during
  // copies.
  StridedView(const int64_t* extents, const int64_t* strides, int rank, int element_size, int64_t* storage);

  // One value for the whole space.
  bool is_uniform() const { return rank_ == 0; }
  // The distance of successive points along the innermost dim.
  int64_t inner_stride() const { return rank_ == 0 ? 0 : strides_[rank_ - 1]; }
  // The offset of the point with row-major number `point`.
  int64_t Offset(int64_t point) const;

  // True if points [begin, begin + count) lie densely behind one another, or all at one place.
  bool IsDense(int64_t begin, int64_t count) const { return InOneRun(begin, count, element_size_); }
  bool IsUniform(int64_t begin, int64_t count) const { return InOneRun(begin, count, 0); }

  // Copies points [begin, begin + count) of the walk that starts at `base` to or from dense elements.
  void Gather(const char* base, int64_t begin, int count, char* dense) const;
  void Scatter(const char* dense, int64_t begin, int count, char* base) const;

 private:
  bool InOneRun(int64_t begin, int64_t count, int64_t stride) const;
  template <typename Run>
  void ForEachRun(int64_t begin, int count, Run run) const;

  int rank_ = 0;
  int element_size_ = 1;
  int64_t* extents_ = nullptr;
  int64_t* strides_ = nullptr;
  int64_t* index_ = nullptr;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_STRIDED_H_
