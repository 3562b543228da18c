// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/replace_nans.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/ingest/cast_value.h"

namespace tenfold {
namespace {

constexpr std::pair<NanRule, absl::string_view> kRules[] = {{NanRule::kKeep, "keep"},
                                                            {NanRule::kRefuse, "refuse"},
                                                            {NanRule::kZero, "zero"},
                                                            {NanRule::kMean, "mean"},
                                                            {NanRule::kMedian, "median"}};

// The array as lines along the axis: element (outer, i, inner) lies at (outer * length + i) * inner_count +
// inner.
struct Lines {
  int64_t outer = 1, length = 1, inner = 1;
};

Mend AskFor(const ArrayName& name, const NanPolicy& policy, absl::string_view what = "") {
  if (!name.argument.empty())
    return MendByFlag(what, "--nan", absl::StrCat(name.argument, "=", policy.ToString()));
  constexpr absl::string_view kNames[] = {"Keep", "Refuse", "Zero", "Mean", "Median"};
  return absl::StrCat(what, ".nan = {NanRule::k", kNames[static_cast<int>(policy.rule)],
                      policy.axis ? absl::StrCat(", ", *policy.axis) : "", "}");
}

absl::StatusOr<Lines> LinesAlong(const Tensor& array, const NanPolicy& policy, const ArrayName& name) {
  const int64_t rank = array.rank();
  if (!policy.axis && rank <= 1) return Lines{1, array.num_elements(), 1};
  const auto refuse = [&](absl::string_view why, Mend help) {
    return MakeError(
        "E0325",
        absl::StrCat(name.ToString(), " is ", array.type().ToString(), ": nan=", policy.ToString(), " ", why),
        std::move(help));
  };
  if (!policy.axis) {
    return refuse("needs an axis when there is more than one",
                  AskFor(name, {policy.rule, 0}, "for a value a column: "));
  }
  if (rank == 0) return refuse("names an axis, and there is none", AskFor(name, {policy.rule}));
  const int64_t axis = *policy.axis < 0 ? *policy.axis + rank : *policy.axis;
  if (axis < 0 || axis >= rank) {
    return refuse(absl::StrCat("names an axis outside [", -rank, ",", rank - 1, "]"),
                  AskFor(name, {policy.rule, 0}));
  }
  Lines lines;
  for (int64_t d = 0; d < rank; ++d) {
    (d < axis ? lines.outer : d == axis ? lines.length : lines.inner) *= array.dims()[d];
  }
  return lines;
}

// The sum of values of any sizes, with the rounding errors of the additions summed beside it (Neumaier's
// form of Kahan's summation). Values that overflow are halved by the caller.
class Sum {
 public:
  void Add(double value) {
    const double next = sum_ + value;
    lost_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

double Mean(std::span<const double> values) {
  const double count = static_cast<double>(values.size());
  Sum sum;
  for (double v : values) sum.Add(v);
  if (std::isfinite(sum.value())) return sum.value() / count;
  Sum parts;  // the sum overflowed, the mean cannot
  for (double v : values) parts.Add(v / count);
  return parts.value();
}

// Leaves `values` in another order.
double Median(std::span<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return std::isfinite(below + *middle) ? (below + *middle) / 2 : below / 2 + *middle / 2;
}

// Where the NaNs are.
struct Found {
  int64_t count = 0;
  int64_t first = -1;
};

template <typename T>
Found FindNans(const T* values, int64_t count) {
  Found found;
  for (int64_t i = 0; i < count; ++i) {
    const double v = Widest(values[i]);
    if (v == v) continue;
    if (found.count++ == 0) found.first = i;
  }
  return found;
}

std::string SeenAt(const Tensor& array, const Found& found) {
  return absl::StrCat(ElementAt(array.dims(), found.first), " is nan (", found.count, " of ",
                      Count(array.num_elements(), "value"), ")");
}

template <typename T>
absl::Status ReplaceByLine(const Tensor& array, const NanPolicy& policy, const Lines& lines,
                           const ArrayName& name, T* out) {
  // A tensor serves as the buffer, since it reports lack of memory as an error.
  TENFOLD_ASSIGN_OR_RETURN(Tensor buffer, Tensor::Allocate(DType::kF64, Dims{lines.length}));
  const std::span<double> values = buffer.mutable_values<double>();
  for (int64_t outer = 0; outer < lines.outer; ++outer) {
    for (int64_t inner = 0; inner < lines.inner; ++inner) {
      const int64_t begin = outer * lines.length * lines.inner + inner;
      int64_t first_nan = -1;
      size_t count = 0;
      for (int64_t i = 0; i < lines.length; ++i) {
        const double v = Widest(out[begin + i * lines.inner]);
        if (std::isfinite(v)) values[count++] = v;
        if (v != v && first_nan < 0) first_nan = begin + i * lines.inner;
      }
      if (first_nan < 0) continue;
      const std::span<double> finite = values.first(count);
      if (finite.empty()) {
        return MakeError("E0324",
                         absl::StrCat(name.ToString(), ": ", ElementAt(array.dims(), first_nan),
                                      " is nan, and none of the ", Count(lines.length, "value"),
                                      " along the axis is finite: there is no ", policy.ToString()),
                         AskFor(name, {NanRule::kZero}, "to put 0 there: "));
      }
      const double value = policy.rule == NanRule::kMean ? Mean(finite) : Median(finite);
      const T rounded = CastOne<T>(value).value;
      for (int64_t i = 0; i < lines.length; ++i) {
        T& element = out[begin + i * lines.inner];
        if (Widest(element) != Widest(element)) element = rounded;
      }
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::StatusOr<Tensor> ReplaceIn(const Tensor& array, const NanPolicy& policy, const Lines& lines,
                                 const ArrayName& name, int64_t* replaced) {
  const int64_t stored = array.is_splat() ? std::min<int64_t>(1, array.num_elements()) : array.num_elements();
  Found found = FindNans(static_cast<const T*>(array.data()), stored);
  if (array.is_splat()) found.count *= array.num_elements();
  if (found.count == 0) return array;
  if (policy.rule == NanRule::kRefuse) {
    return MakeError("E0323", absl::StrCat(name.ToString(), ": ", SeenAt(array, found), ", and nan=refuse"),
                     AskFor(name, {NanRule::kZero}, "to put 0 for NaN: "));
  }
  if (replaced != nullptr) *replaced = found.count;
  if (policy.rule == NanRule::kZero && array.is_splat()) {
    const T zero{};
    return Tensor::Splat(array.dtype(), array.dims(), &zero);
  }
  TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, array.Materialize());
  TENFOLD_ASSIGN_OR_RETURN(Tensor copy, Tensor::Allocate(array.dtype(), array.dims()));
  std::memcpy(copy.mutable_data(), dense.data(), dense.stored_bytes());
  T* const out = static_cast<T*>(copy.mutable_data());
  if (policy.rule == NanRule::kZero) {
    for (int64_t i = 0; i < copy.num_elements(); ++i) {
      if (Widest(out[i]) != Widest(out[i])) out[i] = T{};
    }
  } else {
    TENFOLD_RETURN_IF_ERROR(ReplaceByLine(array, policy, lines, name, out));
  }
  return copy;
}

}  // namespace

std::string NanPolicy::ToString() const {
  const absl::string_view name = kRules[static_cast<int>(rule)].second;
  return axis ? absl::StrCat(name, ":axis=", *axis) : std::string(name);
}

std::optional<NanPolicy> ParseNanPolicy(absl::string_view text) {
  for (const auto& [rule, name] : kRules) {
    absl::string_view rest = text;
    if (!absl::ConsumePrefix(&rest, name)) continue;
    if (rest.empty()) return NanPolicy{rule};
    const bool has_axis = rule == NanRule::kMean || rule == NanRule::kMedian;
    int64_t axis;
    if (!has_axis || !absl::ConsumePrefix(&rest, ":axis=") || !absl::SimpleAtoi(rest, &axis)) continue;
    return NanPolicy{rule, axis};
  }
  return std::nullopt;
}

absl::StatusOr<Tensor> ReplaceNans(const Tensor& array, const NanPolicy& policy, const ArrayName& name,
                                   int64_t* replaced) {
  if (replaced != nullptr) *replaced = 0;
  if (policy.rule == NanRule::kKeep) return array;
  Lines lines;
  if (policy.rule == NanRule::kMean || policy.rule == NanRule::kMedian) {
    TENFOLD_ASSIGN_OR_RETURN(lines, LinesAlong(array, policy, name));
  }
  const ScopedFloatEnvironment environment;
  switch (array.dtype()) {
    case DType::kF16:
      return ReplaceIn<F16>(array, policy, lines, name, replaced);
    case DType::kBF16:
      return ReplaceIn<BF16>(array, policy, lines, name, replaced);
    case DType::kF32:
      return ReplaceIn<float>(array, policy, lines, name, replaced);
    case DType::kF64:
      return ReplaceIn<double>(array, policy, lines, name, replaced);
    case DType::kF8E4M3FN:
      return ReplaceIn<F8E4M3FN>(array, policy, lines, name, replaced);
    case DType::kF8E5M2:
      return ReplaceIn<F8E5M2>(array, policy, lines, name, replaced);
    default:
      return array;
  }
}

}  // namespace tenfold
