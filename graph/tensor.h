// SPDX-License-Identifier: Apache-2.0
//
// A host tensor: dtype, extents, row-major contents. A splat stores one element for any shape.
#ifndef TENFOLD_GRAPH_TENSOR_H_
#define TENFOLD_GRAPH_TENSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/aligned_memory.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/packed.h"
#include "tenfold/graph/shape.h"

namespace tenfold {

// Alignment, and the multiple to which owned allocations are padded, so that kernels may read a whole
// vector at the end of a tensor.
inline constexpr size_t kTensorAlignment = kMemoryAlignment;

// Contents are shared between copies and never change once a Tensor has been copied or handed out; only the
// one holder right after Allocate writes, through mutable_data(). Thread-compatible.
class Tensor {
 public:
  Tensor() = default;  // f32[0]; holds nothing

  // Uninitialised memory, 64-byte aligned and padded. Errors: E0402 too-large (overflow, or no memory).
  static absl::StatusOr<Tensor> Allocate(DType dtype, std::span<const int64_t> dims);
  // Refuses (E0403) a count that differs from the shape's.
  template <typename T>
  static absl::StatusOr<Tensor> FromSpan(std::span<const T> values, std::span<const int64_t> dims);
  template <typename T>
  static absl::StatusOr<Tensor> FromVector(const std::vector<T>& values, std::span<const int64_t> dims) {
    return FromSpan(std::span<const T>(values), dims);
  }
  template <typename T>
  static Tensor Scalar(T value);
  // One value, any shape; `element` points at SizeOf(dtype) bytes, of a packed dtype the element in the low
  // bits.
  static absl::StatusOr<Tensor> Splat(DType dtype, std::span<const int64_t> dims, const void* element);
  // Memory of somebody else's that `owner` keeps alive; row-major, element-aligned.
  static absl::StatusOr<Tensor> Wrap(DType dtype, std::span<const int64_t> dims, const void* data,
                                     std::shared_ptr<const void> owner);

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  int rank() const { return static_cast<int>(dims_.size()); }
  int64_t num_elements() const { return num_elements_; }
  TensorType type() const { return {dtype_, Shape::Of(dims_)}; }

  bool is_splat() const { return splat_; }
  // The contents, or a splat's one element. Never null unless num_elements() is 0.
  const void* data() const { return data_; }
  // Bytes behind data(): one element for a splat.
  size_t stored_bytes() const { return BytesOf(dtype_, splat_ ? 1 : num_elements_); }
  size_t logical_bytes() const { return BytesOf(dtype_, num_elements_); }

  // What keeps the contents alive; null if nothing needs to.
  const std::shared_ptr<const void>& owner() const { return owner_; }

  // Typed contents; T must be the dtype's C++ type (DTypeOf<T>()), and the tensor no splat. Not of a packed
  // dtype, whose elements have no addresses.
  template <typename T>
  std::span<const T> values() const {
    return {static_cast<const T*>(data_), static_cast<size_t>(num_elements_)};
  }
  // Element `i` in row-major order, splats included.
  template <typename T>
  T at(int64_t i) const {
    const int64_t stored = splat_ ? 0 : i;
    if constexpr (std::is_same_v<T, int8_t> || std::is_same_v<T, uint8_t>) {
      if (IsPacked(dtype_)) return PackedElement<T>(data_, stored);
    }
    return static_cast<const T*>(data_)[stored];
  }
  // Only right after Allocate, before the tensor is shared.
  void* mutable_data() { return const_cast<void*>(data_); }
  template <typename T>
  std::span<T> mutable_values() {
    return {static_cast<T*>(mutable_data()), static_cast<size_t>(num_elements_)};
  }

  // The same contents with every element stored.
  absl::StatusOr<Tensor> Materialize() const;
  // Of i4 the elements as i8, of u4 as u8, each with an address; and back, from the low four bits of each.
  absl::StatusOr<Tensor> Unpack() const;
  absl::StatusOr<Tensor> Pack(DType dtype) const;
  // The same contents under another shape of the same count; shares memory.
  absl::StatusOr<Tensor> Reshape(std::span<const int64_t> dims) const;

  // Short contents for people: "f32[2,3] {1, 2, 3, 4, 5, 6}"; at most `max_values` values, then "...".
  std::string ToString(int64_t max_values = 16) const;

 private:
  DType dtype_ = DType::kF32;
  bool splat_ = false;
  Dims dims_ = {0};
  int64_t num_elements_ = 0;
  const void* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

// Equal type and equal bytes, every NaN counting as one value: the "same bits" of docs/numerics.md.
bool SameBits(const Tensor& a, const Tensor& b);

// NaNs made canonical (positive quiet, payload 0), in place, over `count` elements of a float dtype.
void CanonicalizeNans(DType dtype, void* data, int64_t count);

// Element `i` as text that reads back to the same value: "1", "0.1", "-inf", "nan", "true".
std::string ElementToString(const Tensor& tensor, int64_t i);

// The refusal of FromSpan.
absl::Status WrongElementCount(size_t got, std::span<const int64_t> dims);

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

// ---------------------------------------------------------------------------------------------------------

template <typename T>
absl::StatusOr<Tensor> Tensor::FromSpan(std::span<const T> values, std::span<const int64_t> dims) {
  absl::StatusOr<Tensor> tensor = Allocate(DTypeOf<T>(), dims);
  if (!tensor.ok()) return tensor;
  if (static_cast<int64_t>(values.size()) != tensor->num_elements()) {
    return WrongElementCount(values.size(), dims);
  }
  std::copy(values.begin(), values.end(), tensor->mutable_values<T>().begin());
  return tensor;
}

template <typename T>
Tensor Tensor::Scalar(T value) {
  return *Splat(DTypeOf<T>(), {}, &value);
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TENSOR_H_
