// SPDX-License-Identifier: Apache-2.0
//
// Arrays that lie in the program's own memory: used in place, or copied from any strides.
#ifndef TENFOLD_GRAPH_INGEST_HOST_ARRAY_H_
#define TENFOLD_GRAPH_INGEST_HOST_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// A Tensor that is this memory: row-major, without holes, at an address that is a multiple of the element's
// size. `owner` keeps it alive and, until the last copy of the Tensor is gone, nobody may change it. To copy
// instead: Tensor::FromSpan. Errors: E0304, E0334, E0402, E0403.
absl::StatusOr<Tensor> Borrow(DType dtype, std::span<const int64_t> dims, std::span<const std::byte> memory,
                              std::shared_ptr<const void> owner);
template <typename T>
absl::StatusOr<Tensor> Borrow(std::span<const T> values, std::span<const int64_t> dims,
                              std::shared_ptr<const void> owner) {
  return Borrow(DTypeOf<T>(), dims, std::as_bytes(values), std::move(owner));
}

// Elements at `offset` + sum(index[i] * byte_strides[i]) of `memory`. Strides may be negative (a reversed
// axis) or 0 (a repeated one), and elements need not be aligned.
struct StridedArray {
  DType dtype = DType::kF32;
  std::span<const int64_t> dims;
  std::span<const int64_t> byte_strides;  // one for each dim
  std::span<const std::byte> memory;      // nothing outside it is read
  int64_t offset = 0;                     // of the element at index 0, in bytes
};

// A row-major copy. Errors: E0304, E0332 for a view that leaves its memory, E0402.
absl::StatusOr<Tensor> CopyStrided(const StridedArray& array, const Limits& limits = {});

// The bytes that the elements span, relative to the one at index 0: [first, behind), first <= 0. Both are 0
// if there are no elements. Errors: E0332 if they are not addressable.
struct ByteSpan {
  int64_t first = 0;
  int64_t behind = 0;
};
absl::StatusOr<ByteSpan> SpanOf(DType dtype, std::span<const int64_t> dims,
                                std::span<const int64_t> byte_strides);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_HOST_ARRAY_H_
