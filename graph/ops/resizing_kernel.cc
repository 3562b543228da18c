// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/half.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/resizing.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

// Each axis, as it is read; nullopt for one that stays as it is.
using Samples = std::vector<std::optional<AxisSamples>>;

absl::StatusOr<Samples> SampleAxes(const KernelContext& c, const ResamplingRule& rule) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  std::vector<int> axes;
  for (int64_t axis : c.attrs().Get<Ints>("axes")) axes.push_back(NormalizeAxis(axis, x.rank()).value_or(0));
  if (axes.empty()) {
    axes.resize(x.rank());
    std::iota(axes.begin(), axes.end(), 0);
  }
  const bool crops = rule.coordinates == Coordinates::kCropAndResize;
  std::optional<double> common;
  if (c.has(kSizes) && KeepsAspectRatio(c.attrs())) {
    Ints extents, sizes;
    for (size_t i = 0; i < axes.size(); ++i) {
      extents.push_back(x.dims[axes[i]]);
      sizes.push_back(IndexAt(c.input(kSizes), static_cast<int64_t>(i)));
    }
    common = CommonScale(c.attrs(), extents, sizes);
  }
  Samples samples(x.rank());
  for (size_t i = 0; i < axes.size(); ++i) {
    AxisScale axis = {.in = x.dims[axes[i]], .out = y.dims[axes[i]]};
    if (axis.in == 0) {
      return c.Fail("E0615", absl::StrCat("axis ", axes[i], " has no elements that could be resized"));
    }
    const auto in = static_cast<double>(axis.in), out = static_cast<double>(axis.out);
    axis.scale =
        c.has(kScales) ? FloatAt(c.input(kScales), static_cast<int64_t>(i)) : common.value_or(out / in);
    axis.length = c.has(kScales) || common ? in * axis.scale : out;
    if (crops) {
      axis.start = FloatAt(c.input(kRoi), static_cast<int64_t>(i));
      axis.end = FloatAt(c.input(kRoi), static_cast<int64_t>(i + axes.size()));
    }
    const bool whole = !crops || (axis.start == 0 && axis.end == 1);
    if (axis.out == axis.in && axis.scale == 1 && whole) continue;
    TENFOLD_ASSIGN_OR_RETURN(samples[axes[i]], SampleAxis(rule, axis));
  }
  return samples;
}

// Calls body(row of x, weight) for each combination of taps of the axes but the last; false if one of them is
// outside.
template <typename Body>
bool ForEachTap(const KernelTensor& x, const Samples& samples, std::span<const int64_t> position,
                const Body& body) {
  const int outer = x.rank() - 1;
  Dims tap(outer, 0);
  while (true) {
    int64_t row = 0;
    double weight = 1;
    for (int d = 0; d < outer; ++d) {
      int64_t index = position[d];
      if (samples[d]) {
        index = samples[d]->indices(position[d])[tap[d]];
        weight *= samples[d]->weights(position[d])[tap[d]];
        if (index == AxisSamples::kOutside) return false;
      }
      row = row * x.dims[d] + index;
    }
    body(row, weight);
    int d = outer - 1;
    while (d >= 0 && (!samples[d] || tap[d] == samples[d]->taps - 1)) {
      if (samples[d]) tap[d] = 0;
      --d;
    }
    if (d < 0) return true;
    ++tap[d];
  }
}

// One row along the last axis: the rows that the outer axes' taps name are added up, then sampled.
template <typename T>
void InterpolateRow(const KernelTensor& x, const Samples& samples, std::span<const int64_t> position,
                    T outside, std::span<T> y, void* scratch) {
  using Sum = decltype(Widen(T()));
  const auto length = x.dims.back();
  Sum* const sum = static_cast<Sum*>(scratch);
  bool first = true;
  const bool inside = ForEachTap(x, samples, position, [&](int64_t row, double weight) {
    const T* const from = x.values<T>().data() + row * length;
    const auto w = static_cast<Sum>(weight);
    if (w == 0 && !first) return;  // an element that has no part does not make NaN
    for (int64_t i = 0; i < length; ++i) {
      const Sum value = Widen(from[i]);
      const Sum part = w == 1 ? value : w == 0 ? 0 : w * value;
      sum[i] = first ? part : sum[i] + part;
    }
    first = false;
  });
  if (!inside) {
    std::fill(y.begin(), y.end(), outside);
    return;
  }
  const std::optional<AxisSamples>& last = samples.back();
  for (size_t i = 0; i < y.size(); ++i) {
    if (!last) {
      y[i] = Narrow<T>(sum[i]);
      continue;
    }
    const std::span<const int64_t> indices = last->indices(static_cast<int64_t>(i));
    const std::span<const double> weights = last->weights(static_cast<int64_t>(i));
    if (indices[0] == AxisSamples::kOutside) {
      y[i] = outside;
      continue;
    }
    Sum total = 0;
    bool some = false;  // the first part as it is: 0 + -0 would lose its sign
    for (size_t t = 0; t < indices.size(); ++t) {
      if (weights[t] == 0) continue;
      const Sum part = static_cast<Sum>(weights[t]) * sum[indices[t]];
      total = some ? total + part : part;
      some = true;
    }
    y[i] = Narrow<T>(total);
  }
}

// Bits are copied: payloads are kept.
template <typename T>
void CopyNearestRow(const KernelTensor& x, const Samples& samples, std::span<const int64_t> position,
                    T outside, std::span<T> y) {
  const T* from = nullptr;
  ForEachTap(x, samples, position,
             [&](int64_t row, double) { from = x.values<T>().data() + row * x.dims.back(); });
  if (from == nullptr) {
    std::fill(y.begin(), y.end(), outside);
    return;
  }
  const std::optional<AxisSamples>& last = samples.back();
  if (!last) {
    std::copy_n(from, y.size(), y.begin());
    return;
  }
  for (size_t i = 0; i < y.size(); ++i) {
    const int64_t index = last->indices(static_cast<int64_t>(i))[0];
    y[i] = index == AxisSamples::kOutside ? outside : from[index];
  }
}

template <typename T>
absl::Status ResizeAs(KernelContext& c, const ResamplingRule& rule, const Samples& samples) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  // Only a crop reaches outside, and inference has seen that the value is a T.
  const bool crops = rule.coordinates == Coordinates::kCropAndResize;
  const double extrapolation = crops ? c.attrs().Get<double>("extrapolation_value") : 0;
  T outside;
  if constexpr (std::is_integral_v<T>) {
    outside = static_cast<T>(static_cast<int64_t>(extrapolation));
  } else {
    outside = Narrow<T>(static_cast<decltype(Widen(T()))>(extrapolation));
  }
  const int64_t length = y.dims.back();
  int64_t cost = std::min(length + x.dims.back(), int64_t{1} << 20);
  for (const std::optional<AxisSamples>& axis : samples) {
    cost = std::min(cost * (axis ? axis->taps : 1), int64_t{1} << 20);
  }
  return c.ForEachRange(y.count / length, cost, [&](int64_t begin, int64_t end, void* scratch) {
    Dims position(y.rank() - 1);
    for (int64_t row = begin; row < end && !c.ShouldStop(); ++row) {
      int64_t rest = row;
      for (int d = y.rank() - 2; d >= 0; --d) {
        position[d] = rest % y.dims[d];
        rest /= y.dims[d];
      }
      const std::span<T> to = y.mutable_values<T>().subspan(row * length, length);
      if constexpr (std::is_integral_v<T>) {
        CopyNearestRow<T>(x, samples, position, outside, to);
      } else if (rule.interpolation == Interpolation::kNearest) {
        CopyNearestRow<T>(x, samples, position, outside, to);
      } else {
        InterpolateRow<T>(x, samples, position, outside, to, scratch);
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

int64_t ResizeScratch(const KernelContext& c) {
  return c.input(kX).rank() == 0 ? 0 : c.input(kX).dims.back() * static_cast<int64_t>(sizeof(double));
}

absl::Status RunResize(KernelContext& c) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  if (x.rank() == 0) {
    std::memcpy(y.data, x.data, static_cast<size_t>(x.element_size()));
    return absl::OkStatus();
  }
  const ResamplingRule rule = ResizeRule(c.attrs());
  TENFOLD_ASSIGN_OR_RETURN(const Samples samples, SampleAxes(c, rule));
  return VisitComputed(x.dtype,
                       [&]<typename T>(std::type_identity<T>) { return ResizeAs<T>(c, rule, samples); });
}

}  // namespace tenfold
