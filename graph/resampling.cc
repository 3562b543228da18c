// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/resampling.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// NaN: outside of the axis, for a crop.
double PositionOf(const ResamplingRule& rule, const AxisScale& axis, int64_t x) {
  const auto in = static_cast<double>(axis.in), at = static_cast<double>(x);
  switch (rule.coordinates) {
    case Coordinates::kHalfPixel:
      break;
    case Coordinates::kHalfPixelSymmetric: {
      const double offset = in / 2 * (1 - static_cast<double>(axis.out) / axis.length);
      return offset + (at + 0.5) / axis.scale - 0.5;
    }
    case Coordinates::kPytorchHalfPixel:
      if (axis.out == 1) return 0;
      break;
    case Coordinates::kAlignCorners:
      return axis.length == 1 ? 0 : at * (in - 1) / (axis.length - 1);
    case Coordinates::kAsymmetric:
      return at / axis.scale;
    case Coordinates::kCropAndResize: {
      const double part = axis.end - axis.start;
      const double middle = axis.start * (in - 1) + part * (in - 1) / 2;
      const double position =
          axis.out == 1 ? middle
                        : axis.start * (in - 1) + at * part * (in - 1) / static_cast<double>(axis.out - 1);
      return position >= 0 && position <= in - 1 ? position : std::numeric_limits<double>::quiet_NaN();
    }
  }
  return (at + 0.5) / axis.scale - 0.5;
}

// Keys' cubic convolution, https://doi.org/10.1109/TASSP.1981.1163711, with the free parameter a.
double Cubic(double x, double a) {
  x = std::fabs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return a * (((x - 5) * x + 8) * x - 4);
  return 0;
}

// The elements in reach of a position are `reach` on both sides of it, stretched when the result is smaller.
double ReachOf(const ResamplingRule& rule, double scale) {
  const double reach = rule.interpolation == Interpolation::kLinear ? 1 : 2;
  return rule.antialias ? reach / std::min(scale, 1.0) : reach;
}

double WeightAt(const ResamplingRule& rule, double scale, double distance) {
  if (rule.antialias) distance *= std::min(scale, 1.0);
  if (rule.interpolation == Interpolation::kCubic) return Cubic(distance, rule.cubic_a);
  return std::max(0.0, 1 - std::fabs(distance));
}

int64_t NearestTo(NearestRule rule, double position) {
  const double floor = std::floor(position), fraction = position - floor;
  const auto below = static_cast<int64_t>(floor);
  if (fraction == 0) return below;
  switch (rule) {
    case NearestRule::kRoundPreferFloor:
      return below + (fraction > 0.5);
    case NearestRule::kRoundPreferCeil:
      return below + (fraction >= 0.5);
    case NearestRule::kFloor:
      return below;
    case NearestRule::kCeil:
      return below + 1;
  }
  return below;
}

// Positions are finite, but a tiny scale puts them far outside.
double Near(const AxisScale& axis, double position) {
  return std::clamp(position, -static_cast<double>(axis.in) - 4, 2 * static_cast<double>(axis.in) + 4);
}

void SamplePosition(const ResamplingRule& rule, const AxisScale& axis, double position,
                    std::span<int64_t> indices, std::span<double> weights) {
  const auto taps = static_cast<int64_t>(indices.size());
  // The taps lie about the gap in which the position is: behind the last element before it.
  const double before = std::ceil(position) - 1;
  const int64_t first = static_cast<int64_t>(before) - (taps / 2 - 1);
  double sum = 0;
  for (int64_t t = 0; t < taps; ++t) {
    const int64_t index = first + t;
    const bool outside = index < 0 || index >= axis.in;
    weights[t] = outside && rule.exclude_outside
                     ? 0
                     : WeightAt(rule, axis.scale, static_cast<double>(index) - position);
    sum += weights[t];
    indices[t] = std::clamp<int64_t>(index, 0, axis.in - 1);
  }
  if ((rule.antialias || rule.exclude_outside) && sum != 0) {
    for (double& weight : weights) weight /= sum;
  }
}

}  // namespace

int64_t TapsOf(const ResamplingRule& rule, double scale) {
  if (rule.interpolation == Interpolation::kNearest) return 1;
  const double reach = std::ceil(ReachOf(rule, scale));
  return reach < 0x1p40 ? 2 * static_cast<int64_t>(reach) : std::numeric_limits<int64_t>::max();
}

absl::StatusOr<AxisSamples> SampleAxis(const ResamplingRule& rule, const AxisScale& axis) {
  AxisSamples samples;
  samples.extent = axis.out;
  samples.taps = TapsOf(rule, axis.scale);
  const Dims dims = {axis.out, samples.taps};
  TENFOLD_ASSIGN_OR_RETURN(samples.index_table, Tensor::Allocate(DType::kI64, dims));
  TENFOLD_ASSIGN_OR_RETURN(samples.weight_table, Tensor::Allocate(DType::kF64, dims));
  auto* indices = static_cast<int64_t*>(samples.index_table.mutable_data());
  auto* weights = static_cast<double*>(samples.weight_table.mutable_data());
  const auto taps = static_cast<size_t>(samples.taps);
  for (int64_t x = 0; x < axis.out; ++x, indices += taps, weights += taps) {
    const double position = PositionOf(rule, axis, x);
    if (std::isnan(position)) {
      std::fill_n(indices, taps, AxisSamples::kOutside);
      std::fill_n(weights, taps, 0.0);
    } else if (rule.interpolation == Interpolation::kNearest) {
      indices[0] = std::clamp<int64_t>(NearestTo(rule.nearest, Near(axis, position)), 0, axis.in - 1);
      weights[0] = 1;
    } else {
      SamplePosition(rule, axis, Near(axis, position), {indices, taps}, {weights, taps});
    }
  }
  return samples;
}

}  // namespace tenfold
