// SPDX-License-Identifier: Apache-2.0
//
// Shapes and tensor types, written `f32[N,64]` everywhere; `f32[]` is a scalar, `f32[...]` has unknown rank.
#ifndef TENFOLD_GRAPH_SHAPE_H_
#define TENFOLD_GRAPH_SHAPE_H_

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/dtype.h"

namespace tenfold {

// Concrete extents, outermost first.
using Dims = std::vector<int64_t>;

// "[2,3]".
std::string DimsToString(std::span<const int64_t> dims);
// The product; nullopt on a negative extent, or if the product of the extents other than 0 overflows (so that
// strides never do). An empty list gives 1.
std::optional<int64_t> NumElements(std::span<const int64_t> dims);
// `axis` brought into [0, rank), negative axes counting from the end; nullopt if out of range.
std::optional<int> NormalizeAxis(int64_t axis, int rank);

class Shape {
 public:
  Shape() = default;                                        // a scalar
  Shape(std::vector<Dim> dims) : dims_(std::move(dims)) {}  // NOLINT
  Shape(std::initializer_list<Dim> dims) : dims_(std::vector<Dim>(dims)) {}
  static Shape Of(std::span<const int64_t> dims);
  static Shape UnknownRank();

  bool has_rank() const { return dims_.has_value(); }
  // The following need a known rank.
  int rank() const { return static_cast<int>(dims_->size()); }
  const Dim& dim(int i) const { return (*dims_)[i]; }
  const std::vector<Dim>& dims() const { return *dims_; }

  // True if every dim is a constant.
  bool is_static() const;
  // The extents of a static shape.
  Dims static_dims() const;
  // The product of the dims (known rank).
  Dim num_elements() const;
  // The extents under `symbols`; nullopt as Dim::Evaluate, or if an extent is negative.
  std::optional<Dims> Evaluate(const SymbolValues& symbols) const;

  bool operator==(const Shape& other) const = default;
  // "[N,64]", "[...]".
  std::string ToString() const;

 private:
  std::optional<std::vector<Dim>> dims_ = std::vector<Dim>();
};

// Row-major strides in elements.
std::vector<Dim> RowMajorStrides(const std::vector<Dim>& dims);
Dims RowMajorStrides(std::span<const int64_t> dims);

struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;

  bool operator==(const TensorType&) const = default;
  std::string ToString() const;  // "f32[N,64]"
  // Errors: E0210.
  static absl::StatusOr<TensorType> Parse(absl::string_view text);
  // Parses the type at the front of `text` and moves `text` behind it.
  static absl::StatusOr<TensorType> Consume(absl::string_view& text);
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SHAPE_H_
