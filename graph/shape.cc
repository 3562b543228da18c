// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/shape.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

std::string DimsToString(std::span<const int64_t> dims) {
  return absl::StrCat("[", absl::StrJoin(dims.begin(), dims.end(), ","), "]");
}

std::optional<int64_t> NumElements(std::span<const int64_t> dims) {
  int64_t product = 1;
  bool empty = false;
  for (int64_t d : dims) {
    if (d < 0) return std::nullopt;
    if (d == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, d, &product)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : product;
}

std::optional<int> NormalizeAxis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return std::nullopt;
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Shape Shape::Of(std::span<const int64_t> dims) { return Shape(std::vector<Dim>(dims.begin(), dims.end())); }

Shape Shape::UnknownRank() {
  Shape shape;
  shape.dims_.reset();
  return shape;
}

bool Shape::is_static() const {
  return dims_ && std::all_of(dims_->begin(), dims_->end(), [](const Dim& d) { return d.is_constant(); });
}

Dims Shape::static_dims() const {
  Dims dims;
  dims.reserve(dims_->size());
  for (const Dim& d : *dims_) dims.push_back(d.constant());
  return dims;
}

Dim Shape::num_elements() const {
  Dim product = 1;
  for (const Dim& d : *dims_) product = product * d;
  return product;
}

std::optional<Dims> Shape::Evaluate(const SymbolValues& symbols) const {
  if (!dims_) return std::nullopt;
  Dims dims;
  dims.reserve(dims_->size());
  for (const Dim& d : *dims_) {
    const std::optional<int64_t> value = d.Evaluate(symbols);
    if (!value || *value < 0) return std::nullopt;
    dims.push_back(*value);
  }
  return dims;
}

std::string Shape::ToString() const {
  if (!dims_) return "[...]";
  return absl::StrCat(
      "[", absl::StrJoin(*dims_, ",", [](std::string* out, const Dim& d) { *out += d.ToString(); }), "]");
}

std::vector<Dim> RowMajorStrides(const std::vector<Dim>& dims) {
  std::vector<Dim> strides(dims.size(), Dim(1));
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Dims RowMajorStrides(std::span<const int64_t> dims) {
  Dims strides(dims.size(), 1);
  // Unsigned, so that extents which NumElements refuses are no undefined behaviour here.
  for (size_t i = dims.size(); i-- > 1;) {
    strides[i - 1] = static_cast<int64_t>(static_cast<uint64_t>(strides[i]) * static_cast<uint64_t>(dims[i]));
  }
  return strides;
}

std::string TensorType::ToString() const { return absl::StrCat(Name(dtype), shape.ToString()); }

namespace {

// What of `text`, which may go on behind the type, a reader takes for the type.
absl::string_view AsFarAsAType(absl::string_view text) {
  const size_t end = text.find_first_of("[ \t\n,(){}=");
  if (end == absl::string_view::npos || text[end] != '[') return text.substr(0, end);
  const size_t close = text.find(']', end);
  return text.substr(0, close == absl::string_view::npos ? close : close + 1);
}

absl::Status RefuseType(absl::string_view rest, absl::string_view why) {
  const absl::string_view text = AsFarAsAType(rest);
  return MakeError(
      "E0210",
      absl::StrCat("type '", absl::CHexEscape(text.substr(0, 80)), text.size() > 80 ? "..." : "", "' ", why),
      "a type is written as f32[N,64], f32[] for a scalar, f32[...] for any rank");
}

bool Take(absl::string_view& text, absl::string_view token) {
  text = absl::StripLeadingAsciiWhitespace(text);
  if (text.substr(0, token.size()) != token) return false;
  text.remove_prefix(token.size());
  return true;
}

}  // namespace

absl::StatusOr<TensorType> TensorType::Consume(absl::string_view& text) {
  absl::string_view rest = absl::StripLeadingAsciiWhitespace(text);
  size_t n = 0;
  while (n < rest.size() && absl::ascii_isalnum(rest[n])) ++n;
  const std::optional<DType> dtype = ParseDType(rest.substr(0, n));
  if (!dtype) return RefuseType(text, absl::StrCat("does not begin with a dtype: ", kAnyType.ToString()));
  rest.remove_prefix(n);
  if (!Take(rest, "[")) return RefuseType(text, "lacks a '[' after the dtype");

  std::vector<Dim> dims;
  if (Take(rest, "...")) {
    if (!Take(rest, "]")) return RefuseType(text, "lacks a ']' after '...'");
    text = rest;
    return TensorType{*dtype, Shape::UnknownRank()};
  }
  if (!Take(rest, "]")) {
    do {
      TENFOLD_ASSIGN_OR_RETURN(Dim dim, Dim::Consume(rest));
      if (dim.is_constant() && dim.constant() < 0) return RefuseType(text, "has a negative dim");
      dims.push_back(std::move(dim));
    } while (Take(rest, ","));
    if (!Take(rest, "]")) return RefuseType(text, "lacks a ']'");
  }
  text = rest;
  return TensorType{*dtype, Shape(std::move(dims))};
}

absl::StatusOr<TensorType> TensorType::Parse(absl::string_view text) {
  absl::string_view rest = text;
  TENFOLD_ASSIGN_OR_RETURN(TensorType type, Consume(rest));
  if (!absl::StripAsciiWhitespace(rest).empty()) return RefuseType(text, "ends before the text does");
  return type;
}

}  // namespace tenfold
