// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>

#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/value_order.h"

namespace tenfold {
namespace {

template <typename T>
double ToDouble(T value) {
  if constexpr (StorageFloat<T>) {
    return ToFloat(value);
  } else {
    return static_cast<double>(value);
  }
}

// The values of one column, or all, come by twice.
template <typename T>
class Accumulator {
 public:
  void First(T value) {
    ++result_.values;
    const OrderKeyOf<T> key = OrderKey(UnsignedZero(value));
    if constexpr (kHasNan<T>) {
      if (IsNanKey<T>(key)) {
        ++result_.nans;
        return;
      }
    }
    if (!seen_ || key < min_) min_ = key;
    if (!seen_ || key > max_) max_ = key;
    seen_ = true;
    if constexpr (std::is_integral_v<T>) {
      sum_ += value;
      result_.zeros += value == T{};
    } else {
      const double x = ToDouble(value);
      if (std::isinf(x)) {
        ++(x > 0 ? result_.positive_infs : result_.negative_infs);
        return;
      }
      result_.zeros += x == 0;
      largest_ = std::max(largest_, std::fabs(x));
      sum_ += x;
      // Sums of f64 can leave its range where the mean does not.
      if constexpr (std::is_same_v<T, double>) scaled_sum_ += x * 0x1p-600;
    }
  }

  // Between the passes.
  void TakeMean() {
    const int64_t n = result_.finite();
    if (n == 0) return;
    if constexpr (std::is_integral_v<T>) {
      mean_ = static_cast<double>(sum_ / n) + static_cast<double>(sum_ % n) / static_cast<double>(n);
    } else {
      // Squares of very large or small differences would leave the range of f64.
      if (std::is_same_v<T, double> && largest_ > 0) {
        exponent_ = std::clamp(std::ilogb(largest_), -1000, 1000);
        scale_ = std::ldexp(1.0, -exponent_);
      }
      const double count = static_cast<double>(n);
      mean_ = std::isfinite(sum_) ? std::ldexp(sum_ / count, -exponent_)
                                  : std::ldexp(scaled_sum_ / count, 600 - exponent_);
    }
  }

  void Second(T value) {
    double x = ToDouble(value);
    if constexpr (!std::is_integral_v<T>) {
      if (!std::isfinite(x)) return;
      if constexpr (std::is_same_v<T, double>) x *= scale_;
    }
    const double difference = x - mean_;
    differences_ += difference;
    squares_ += difference * difference;
  }

  ValueStatistics Finish() const {
    ValueStatistics result = result_;
    if (seen_) {
      result.min = ElementToString(Tensor::Scalar(FromOrderKey<T>(min_)), 0);
      result.max = ElementToString(Tensor::Scalar(FromOrderKey<T>(max_)), 0);
    }
    const int64_t n = result.finite();
    if (n == 0) return result;
    const double count = static_cast<double>(n);
    const double correction = std::is_integral_v<T> ? 0 : differences_ / count;
    result.mean = std::ldexp(mean_ + correction, exponent_);
    const double squares = std::max(squares_ - differences_ * differences_ / count, 0.0);
    result.stddev = std::ldexp(std::sqrt(squares / count), exponent_);
    return result;
  }

 private:
  ValueStatistics result_;
  bool seen_ = false;
  OrderKeyOf<T> min_{}, max_{};
  // 2^63 values of 64 bits fit.
  std::conditional_t<std::is_integral_v<T>, __int128, double> sum_ = 0;
  double scaled_sum_ = 0;
  double largest_ = 0;
  int exponent_ = 0;  // values and mean are scaled by 2^-exponent in the second pass
  double scale_ = 1;
  double mean_ = 0, differences_ = 0, squares_ = 0;
};

template <typename T>
ValueStatistics OfAll(const Tensor& array) {
  Accumulator<T> all;
  const int64_t count = array.num_elements();
  for (int64_t i = 0; i < count; ++i) all.First(array.at<T>(i));
  all.TakeMean();
  for (int64_t i = 0; i < count; ++i) all.Second(array.at<T>(i));
  return all.Finish();
}

template <typename T>
std::vector<ValueStatistics> OfColumns(const Tensor& array, int64_t columns, int64_t shown) {
  std::vector<Accumulator<T>> each(shown);
  const int64_t count = array.num_elements();
  for (int64_t row = 0; row < count; row += columns) {
    for (int64_t c = 0; c < shown; ++c) each[c].First(array.at<T>(row + c));
  }
  for (Accumulator<T>& column : each) column.TakeMean();
  for (int64_t row = 0; row < count; row += columns) {
    for (int64_t c = 0; c < shown; ++c) each[c].Second(array.at<T>(row + c));
  }
  std::vector<ValueStatistics> results;
  for (const Accumulator<T>& column : each) results.push_back(column.Finish());
  return results;
}

}  // namespace

ArrayStatistics Summarize(const Tensor& array, int64_t max_columns) {
  const ScopedFloatEnvironment environment;
  ArrayStatistics statistics;
  if (array.rank() >= 2) statistics.num_columns = array.dims().back();
  const int64_t shown = std::min(statistics.num_columns, std::max<int64_t>(max_columns, 0));
  VisitDType(array.dtype(), [&]<typename T>(std::type_identity<T>) {
    statistics.all = OfAll<T>(array);
    if (shown > 0) statistics.columns = OfColumns<T>(array, statistics.num_columns, shown);
  });
  return statistics;
}

}  // namespace tenfold
