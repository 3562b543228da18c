// SPDX-License-Identifier: Apache-2.0
//
// How each position of a resized axis reads the axis it came from: which elements, with which weights. The
// formulas of positions and weights are those of ONNX's Resize (opset 19); all are computed in f64.
#ifndef TENFOLD_GRAPH_RESAMPLING_H_
#define TENFOLD_GRAPH_RESAMPLING_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// Where the centre of an output element lies between those of the input's.
enum class Coordinates : uint8_t {
  kHalfPixel,           // elements have an extent: (x + 0.5) / scale - 0.5
  kHalfPixelSymmetric,  // the same, about the middle, so that a length that was rounded down is cut on both
                        // ends
  kPytorchHalfPixel,    // the same, but the only element of a result lies at 0
  kAlignCorners,        // the first and the last elements lie on each other
  kAsymmetric,          // x / scale
  kCropAndResize,       // from start to end, fractions of the axis
};

enum class Interpolation : uint8_t { kNearest, kLinear, kCubic };

// Which element is the nearest of one that lies between two.
enum class NearestRule : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };

struct ResamplingRule {
  Coordinates coordinates = Coordinates::kHalfPixel;
  Interpolation interpolation = Interpolation::kNearest;
  NearestRule nearest = NearestRule::kRoundPreferFloor;
  double cubic_a = -0.75;
  // A smaller result averages over all that its elements cover.
  bool antialias = false;
  // Elements outside have no weight, and the others' add up to 1; else the outermost stand for them.
  bool exclude_outside = false;
};

struct AxisScale {
  int64_t in = 0, out = 0;    // extents; in is at least 1
  double scale = 1;           // positive and finite
  double length = 0;          // in * scale, which out was rounded from
  double start = 0, end = 1;  // of kCropAndResize
};

// For each of `extent` positions `taps` elements, indices()[position * taps + tap] with weights() likewise.
// Indices are those of elements. The index of the first tap is kOutside where a crop reaches out of the axis.
struct AxisSamples {
  static constexpr int64_t kOutside = -1;
  int64_t extent = 0;
  int64_t taps = 1;
  Tensor index_table;   // i64
  Tensor weight_table;  // f64
  std::span<const int64_t> indices(int64_t position) const {
    return {static_cast<const int64_t*>(index_table.data()) + position * taps, static_cast<size_t>(taps)};
  }
  std::span<const double> weights(int64_t position) const {
    return {static_cast<const double*>(weight_table.data()) + position * taps, static_cast<size_t>(taps)};
  }
};

// How many elements a position of the result reads. More than fit in memory give E0402 below.
int64_t TapsOf(const ResamplingRule& rule, double scale);

// The table for one axis. E0402 if it does not fit.
absl::StatusOr<AxisSamples> SampleAxis(const ResamplingRule& rule, const AxisScale& axis);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_RESAMPLING_H_
