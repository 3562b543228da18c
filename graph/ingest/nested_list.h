// SPDX-License-Identifier: Apache-2.0
//
// Small arrays as they are written: NestedList<float>{{1, 2}, {3, 4}}.ToTensor() is f32[2,2].
//
// Numbers are held to the rules of literals in graphs (graph_builder.h): an integer must fit its dtype
// exactly, a fraction rounds to nearest in a float and is refused in an integer, and none becomes infinite.
#ifndef TENFOLD_GRAPH_INGEST_NESTED_LIST_H_
#define TENFOLD_GRAPH_INGEST_NESTED_LIST_H_

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// The first thing wrong with a list, at an index path.
struct ListProblem {
  Dims path = {};
  absl::Status literal = {};  // what is wrong with a number; OK: the list is ragged
  // Of a ragged list: the first that it differs from, and the lengths of both; -1: a number, no list.
  Dims other_path = {};
  int64_t length = 0;
  int64_t other_length = 0;
};
absl::Status RefuseList(const ListProblem& problem, const std::source_location& where);

// Where `list`, the one of that index in a list of lists, differs from the first; nullopt if it does not.
std::optional<ListProblem> FindRagged(int64_t index, const Dims& list, const Dims& first);

// A number, or a list of such, to any depth. What is wrong is kept until ToTensor reports it.
template <typename T>
class NestedList {
 public:
  template <typename U>
    requires(std::is_arithmetic_v<U> || std::is_same_v<U, T>)
  NestedList(U value) {  // NOLINT: written as plain numbers
    absl::StatusOr<T> converted = Convert(value);
    values_.push_back(converted.ok() ? *converted : T());
    if (!converted.ok()) problem_ = ListProblem{.literal = converted.status()};
  }
  NestedList(std::initializer_list<NestedList<T>> items) {  // NOLINT: written as plain braces
    dims_.push_back(static_cast<int64_t>(items.size()));
    int64_t index = 0;
    for (const NestedList<T>& item : items) {
      problem_ = item.problem_;
      if (problem_) problem_->path.insert(problem_->path.begin(), index);
      if (problem_ && problem_->literal.ok())
        problem_->other_path.insert(problem_->other_path.begin(), index);
      if (!problem_) problem_ = FindRagged(index, item.dims_, items.begin()->dims_);
      if (problem_) return;
      values_.insert(values_.end(), item.values_.begin(), item.values_.end());
      ++index;
    }
    if (index > 0) dims_.insert(dims_.end(), items.begin()->dims_.begin(), items.begin()->dims_.end());
  }

  // `where` is the place that an error names. Errors: E0204 bad-literal, E0331 ragged-list, E0402.
  absl::StatusOr<Tensor> ToTensor(const std::source_location where = std::source_location::current()) const {
    if (problem_) return RefuseList(*problem_, where);
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(DTypeOf<T>(), dims_));
    // Not FromVector: a std::vector<bool> has no bools that a span could show.
    T* out = static_cast<T*>(tensor.mutable_data());
    for (const auto& value : values_) *out++ = value;
    return tensor;
  }

 private:
  template <typename U>
  static absl::StatusOr<T> Convert(U value) {
    if constexpr (std::is_same_v<U, T>) {
      return value;
    } else if constexpr (std::is_floating_point_v<U>) {
      static_assert(sizeof(U) <= sizeof(double), "a long double would be rounded twice");
      return Stored(Literal(static_cast<double>(value)));
    } else if constexpr (std::is_same_v<U, bool>) {
      return Stored(Literal(value));
    } else {
      if (!std::in_range<int64_t>(value))
        return MakeError("E0204", absl::StrCat("the literal ", value, " does not fit i64"));
      return Stored(Literal(static_cast<int64_t>(value)));
    }
  }
  static absl::StatusOr<T> Stored(const Literal& literal) {
    TENFOLD_ASSIGN_OR_RETURN(const Tensor tensor, LiteralToTensor(literal, DTypeOf<T>()));
    return tensor.at<T>(0);
  }

  Dims dims_;
  std::vector<T> values_;  // row-major
  std::optional<ListProblem> problem_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_NESTED_LIST_H_
