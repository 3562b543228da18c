// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/contract.h"

#include <algorithm>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/value_order.h"

namespace tenfold {
namespace {

// Columns, and samples, that a description lists.
constexpr size_t kListed = 5;

std::string Others(size_t all, size_t listed) {
  if (all <= listed) return "";
  const int64_t others = static_cast<int64_t>(all - listed);
  return absl::StrCat(" and ", WithSeparators(others), others == 1 ? " other" : " others");
}

// The first column whose range cannot be; empty if there is none.
template <typename T>
std::string FindRangeFault(const Contract& contract) {
  const std::span<const T> min = contract.min.values<T>(), max = contract.max.values<T>();
  for (int64_t c = 0; c < contract.columns(); ++c) {
    const auto low = OrderKey(min[c]), high = OrderKey(max[c]);
    if (IsNanKey<T>(low) || IsNanKey<T>(high)) {
      return absl::StrCat("the range of column ", c, " is NaN");
    }
    if (low > high) {
      return absl::StrCat("the range of column ", c, " is empty: from ", ElementToString(contract.min, c),
                          " to ", ElementToString(contract.max, c));
    }
    const OrderKeyOf<T> zero = OrderKey(T{});
    if (!contract.has_range(c) && (low != zero || high != zero)) {
      return absl::StrCat("column ", c, " has a range, and nothing but NaN was seen in it");
    }
  }
  return "";
}

std::string FindNanFault(const Contract& contract) {
  const Tensor& nans = contract.nans;
  if (nans.num_elements() == 0) return "";
  if (!HasNan(contract.type.dtype)) return absl::StrCat("it has NaNs of ", Name(contract.type.dtype));
  if (nans.dtype() != DType::kI64 || nans.dims() != Dims{contract.columns()} || nans.is_splat()) {
    return absl::StrCat("its counts of NaN are ", nans.type().ToString(), ", not i64[", contract.columns(),
                        "]");
  }
  for (int64_t c = 0; c < contract.columns(); ++c) {
    if (contract.nans_in(c) >= 0 && contract.nans_in(c) <= contract.rows) continue;
    return absl::StrCat("it counts ", contract.nans_in(c), " NaNs in column ", c, " of ", contract.rows,
                        " rows");
  }
  return "";
}

}  // namespace

bool Contract::operator==(const Contract& other) const {
  return type == other.type && samples == other.samples && axis == other.axis && rows == other.rows &&
         SameBits(min, other.min) && SameBits(max, other.max) && SameBits(nans, other.nans);
}

std::string Contract::ToString() const {
  std::string text = absl::StrCat(WithSeparators(rows), axis ? " row" : " value", rows == 1 ? "" : "s");
  if (axis)
    absl::StrAppend(&text, " of ", WithSeparators(columns()), columns() == 1 ? " column" : " columns");
  const char* separator = " from ";
  for (size_t i = 0; i < std::min(samples.size(), kListed); ++i) {
    absl::StrAppend(&text, separator, Printable(samples[i]));  // of a file that nobody vouches for
    separator = ", ";
  }
  text += Others(samples.size(), kListed);
  std::vector<int64_t> with_nan;
  size_t count = 0;
  for (int64_t c = 0; c < columns(); ++c) {
    if (!admits_nan(c)) continue;
    if (with_nan.size() < kListed) with_nan.push_back(c);
    ++count;
  }
  if (count == 0) return absl::StrCat(text, ", no NaN");
  if (!axis) return absl::StrCat(text, ", ", WithSeparators(nans_in(0)), " NaN");
  return absl::StrCat(text, ", NaN in column", count == 1 ? " " : "s ", absl::StrJoin(with_nan, ", "),
                      Others(count, with_nan.size()));
}

ColumnLayout ColumnsOf(std::span<const int64_t> dims, std::optional<int> axis) {
  ColumnLayout layout;
  for (int d = 0; d < static_cast<int>(dims.size()); ++d) {
    (axis && d < *axis ? layout.outer : axis && d == *axis ? layout.columns : layout.inner) *= dims[d];
  }
  return layout;
}

std::optional<int> ColumnAxis(const Shape& shape, std::optional<int> wished) {
  if (!shape.has_rank() || shape.rank() < 2) return std::nullopt;
  const int axis = wished.value_or(shape.rank() - 1);
  return shape.dim(axis).is_constant() ? std::optional(axis) : std::nullopt;
}

std::string FindContractFault(const Contract& contract, const TensorType& declared) {
  const TensorType& type = contract.type;
  if (declared.shape.has_rank() ? !(type == declared) : type.dtype != declared.dtype) {
    return absl::StrCat("it is for ", type.ToString(), ", and the input is ", declared.ToString());
  }
  if (!type.shape.has_rank()) return "it is for a type of unknown rank";
  if (IsPacked(type.dtype)) return absl::StrCat("it is for ", Name(type.dtype), ", which has none");
  int64_t columns = 1;
  if (contract.axis) {
    if (*contract.axis < 0 ||
        ColumnAxis(type.shape, std::min(*contract.axis, type.shape.rank() - 1)) != contract.axis) {
      return absl::StrCat("axis ", *contract.axis, " of ", type.ToString(), " has no columns");
    }
    columns = type.shape.dim(*contract.axis).constant();
  }
  for (const std::string& sample : contract.samples) {
    if (sample.empty()) return "a sample has no name";
  }
  if (contract.rows <= 0) return absl::StrCat("it saw ", contract.rows, " rows");
  for (const Tensor* bound : {&contract.min, &contract.max}) {
    if (bound->dtype() == type.dtype && bound->dims() == Dims{columns} && !bound->is_splat()) continue;
    return absl::StrCat("its ", bound == &contract.min ? "least" : "greatest", " values are ",
                        bound->type().ToString(), bound->is_splat() ? " splat" : "", ", not ",
                        TensorType{type.dtype, Shape{columns}}.ToString());
  }
  if (std::string fault = FindNanFault(contract); !fault.empty()) return fault;
  return VisitDType(type.dtype,
                    [&]<typename T>(std::type_identity<T>) { return FindRangeFault<T>(contract); });
}

std::string WithSeparators(int64_t number) {
  const std::string digits = absl::StrCat(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace tenfold
