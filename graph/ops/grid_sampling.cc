// SPDX-License-Identifier: Apache-2.0
//
// Grids of positions, and what an image has there.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr int kMostDims = 3;

// --- AffineGrid --------------------------------------------------------------------------------------------

absl::Status InferAffineGrid(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents size, c.Known(1));
  const int spatial = static_cast<int>(size.size()) - 2;
  if (spatial != 2 && spatial != 3) {
    return c.Fail("E0212", absl::StrCat("size has ", size.size(),
                                        " extents, but must be [batch, channels, dims...] with 2 or 3 dims"));
  }
  for (const Dim& extent : size) {
    if (extent.is_constant() && extent.constant() < 0)
      return c.Fail("E0212", absl::StrCat("size has the extent ", extent.constant()));
  }
  const Shape expected = {size[0], spatial, spatial + 1};
  if (c.shape(0).has_rank() && !(c.shape(0) == expected)) {
    return c.Fail("E0201",
                  absl::StrCat(c.InputText(0), ", but size takes matrices of ", expected.ToString()));
  }
  std::vector<Dim> dims = {size[0]};
  dims.insert(dims.end(), size.begin() + 2, size.end());
  dims.push_back(spatial);
  return c.SetOutput(0, Shape(std::move(dims)));
}

// Positions along a dim of `extent` (an i64[1]), from -1 to 1: of the centres of the outermost elements, or
// of their outer edges. The only element lies at 0.
Value PositionsFromMinusOne(Value extent, DType dtype, bool align_corners) {
  GraphBuilder& builder = *extent.builder();
  const Value zero = builder.Const(Tensor::Scalar<int64_t>(0), ""),
              one = builder.Const(Tensor::Scalar<int64_t>(1), "");
  const Value i = As(ApplyOp("Range", {zero, extent, one}), DType::kF64);
  const Value count = As(extent, DType::kF64);
  const Value steps = align_corners ? ApplyOp("Max", {count - 1.0, 1.0}) : count;
  return As((i * 2.0 - (count - 1.0)) / steps, dtype);
}

// For each row of theta the sum of its products with the position, then its last element.
Value BuildAffineGrid(std::span<const Value> in, const Attrs& attrs) {
  const Value theta = in[0], size = in[1];
  const int64_t spatial = size.shape().dim(0).constant() - 2;
  const auto element = [&](int64_t row, int64_t column) {
    const Value one = ApplyOp("Slice", {theta, {row, column}, {row + 1, column + 1}, {1, 2}});
    Ints shape(spatial + 1, 1);
    shape[0] = -1;
    return ApplyOp("Reshape", {one, shape});
  };
  // x lies along the last dim.
  std::vector<Value> positions;
  for (int64_t k = 0; k < spatial; ++k) {
    const int64_t dim = spatial - 1 - k;
    const Value extent = ApplyOp("Slice", {size, {dim + 2}, {dim + 3}});
    Ints shape(spatial, 1);
    shape[dim] = -1;
    positions.push_back(ApplyOp(
        "Reshape", {PositionsFromMinusOne(extent, theta.dtype(), attrs.Get<bool>("align_corners")), shape}));
  }
  std::vector<Operand> coordinates;
  const Value whole =
      ApplyOp("Concat", {ApplyOp("Slice", {size, {0}, {1}}), ApplyOp("Slice", {size, {2}, {spatial + 2}})},
              {{"axis", int64_t{0}}});
  for (int64_t row = 0; row < spatial; ++row) {
    Value sum = element(row, 0) * positions[0];
    for (int64_t k = 1; k < spatial; ++k) sum = sum + element(row, k) * positions[k];
    sum = sum + element(row, spatial);
    coordinates.emplace_back(ApplyOp("Unsqueeze", {ApplyOp("Expand", {sum, whole}), {spatial + 1}}));
  }
  return ApplyOpMulti("Concat", coordinates, {{"axis", spatial + 1}})[0];
}

// --- GridSample --------------------------------------------------------------------------------------------

enum class Mode { kNearest, kLinear, kCubic };
enum class Padding { kZeros, kBorder, kReflection };

struct Sampling {
  Mode mode;
  Padding padding;
  bool align_corners;

  explicit Sampling(const Attrs& attrs)
      : mode(attrs.Get<std::string>("mode") == "nearest" ? Mode::kNearest
             : attrs.Get<std::string>("mode") == "cubic" ? Mode::kCubic
                                                         : Mode::kLinear),
        padding(attrs.Get<std::string>("padding_mode") == "border"       ? Padding::kBorder
                : attrs.Get<std::string>("padding_mode") == "reflection" ? Padding::kReflection
                                                                         : Padding::kZeros),
        align_corners(attrs.Get<bool>("align_corners")) {}
};

absl::Status InferGridSample(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  const Shape &x = c.shape(0), &grid = c.shape(1);
  const int spatial = x.rank() - 2;
  if (spatial < 1 || spatial > kMostDims) {
    return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but must be [batch, channels, dims...] with 1 to ",
                                        kMostDims, " dims"));
  }
  if (grid.rank() != x.rank() || !(grid.dim(x.rank() - 1) == Dim(spatial))) {
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(1), ", but ", c.InputText(0), " takes a grid [batch, dims..., ",
                               spatial, "] with ", spatial, spatial == 1 ? " dim" : " dims"));
  }
  TENFOLD_RETURN_IF_ERROR(c.SameDim(0, 0, 1, 0, "batches"));
  std::vector<Dim> dims = {x.dim(0), x.dim(1)};
  dims.insert(dims.end(), grid.dims().begin() + 1, grid.dims().end() - 1);
  return c.SetOutput(0, Shape(std::move(dims)));
}

// x mirrored at low and high until it lies between them.
double Reflect(double x, double low, double high) {
  const double span = high - low;
  if (span <= 0 || !std::isfinite(x)) return low;
  const double outside = x < low ? low - x : x > high ? x - high : 0;
  if (outside == 0) return x;
  const double turn = std::fmod(outside, 2 * span);
  const double within = turn < span ? turn : turn - span;
  return (turn < span) == (x < low) ? low + within : high - within;
}

// One dim's elements that a position reads. An index of -1 stands for a zero outside.
struct DimTaps {
  static constexpr int kMost = 4;
  int count = 0;
  std::array<int64_t, kMost> index;
  std::array<double, kMost> weight;

  void Add(double at, double part, int64_t extent, const Sampling& how) {
    const double end = static_cast<double>(extent - 1);
    if (how.padding == Padding::kBorder) at = std::clamp(at, 0.0, end);
    if (how.padding == Padding::kReflection) {
      const double margin = how.align_corners ? 0 : 0.5;
      at = std::clamp(std::trunc(Reflect(at, -margin, end + margin)), 0.0, end);
    }
    index[count] = at >= 0 && at <= end ? static_cast<int64_t>(at) : -1;
    weight[count++] = part;
  }
};

// Keys' cubic convolution with the parameter -0.75, at so far behind the second of four elements.
std::array<double, 4> CubicWeights(double t) {
  constexpr double a = -0.75;
  const auto near = [](double s) { return ((a + 2) * s - (a + 3)) * s * s + 1; };
  const auto far = [](double s) { return ((a * s - 5 * a) * s + 8 * a) * s - 4 * a; };
  return {far(1 + t), near(t), near(1 - t), far(2 - t)};
}

// `position` is the grid's, between -1 and 1; a NaN counts as -1, as in PyTorch.
DimTaps TapsAt(double position, int64_t extent, const Sampling& how) {
  if (position != position) position = -1;
  const auto n = static_cast<double>(extent);
  double at = how.align_corners ? (position + 1) / 2 * (n - 1) : ((position + 1) * n - 1) / 2;
  if (how.mode == Mode::kNearest) at = std::nearbyint(at);
  const double margin = how.align_corners ? 0 : 0.5, low = -margin, high = n - 1 + margin;
  if (at < low || at > high) {
    // Beyond four elements zeros are alike, and their numbers fit.
    at = how.padding == Padding::kBorder       ? std::clamp(at, 0.0, n - 1)
         : how.padding == Padding::kReflection ? Reflect(at, low, high)
                                               : std::clamp(at, -4.0, n + 3);
  }
  DimTaps taps;
  if (how.mode == Mode::kNearest) {
    taps.Add(at, 1, extent, how);
    return taps;
  }
  const double first = std::floor(at), t = at - first;
  if (how.mode == Mode::kLinear) {
    taps.Add(first, 1 - t, extent, how);
    taps.Add(first + 1, t, extent, how);
    return taps;
  }
  const std::array<double, 4> weights = CubicWeights(t);
  for (int k = 0; k < 4; ++k) taps.Add(first - 1 + k, weights[k], extent, how);
  return taps;
}

// The elements of one channel that one position reads: numbers, and weights.
struct PointTaps {
  static constexpr int kMost = 64;  // 4 along each of 3 dims
  int count = 0;
  std::array<int64_t, kMost> offset;
  std::array<double, kMost> weight;

  // One that is outside, or has no part, is none: so it makes no NaN either.
  void Combine(std::span<const DimTaps> dims, std::span<const int64_t> extents) {
    count = 0;
    std::array<int, kMostDims> at = {};
    while (true) {
      int64_t number = 0;
      double part = 1;
      bool inside = true;
      for (size_t d = 0; d < dims.size(); ++d) {
        inside = inside && dims[d].index[at[d]] >= 0;
        number = number * extents[d] + dims[d].index[at[d]];
        part *= dims[d].weight[at[d]];
      }
      if (inside && part != 0) offset[count] = number, weight[count++] = part;
      size_t d = dims.size();
      while (d > 0 && at[d - 1] == dims[d - 1].count - 1) at[--d] = 0;
      if (d == 0) return;
      ++at[d - 1];
    }
  }
};

// A sum as T: integers truncate and saturate, as Cast does.
template <typename T>
T Sampled(double sum) {
  if constexpr (std::is_same_v<T, bool>) {
    return sum != 0;
  } else if constexpr (std::is_integral_v<T>) {
    if (sum != sum) return 0;
    constexpr DType kType = DTypeOf<T>();
    if (sum < LowestOf(kType)) return std::numeric_limits<T>::min();
    return sum >= EndOf(kType) ? std::numeric_limits<T>::max() : static_cast<T>(sum);
  } else {
    return Narrow<T>(sum);
  }
}

template <typename T>
T SampleAt(const T* channel, const PointTaps& taps, Mode mode) {
  if (mode == Mode::kNearest) return taps.count == 0 ? T{} : channel[taps.offset[0]];
  double sum = 0;
  for (int k = 0; k < taps.count; ++k) {
    const double part = taps.weight[k] * static_cast<double>(Widen(channel[taps.offset[k]]));
    sum = k == 0 ? part : sum + part;
  }
  return Sampled<T>(sum);
}

absl::Status RunGridSample(KernelContext& c) {
  const KernelTensor &x = c.input(0), &grid = c.input(1), &y = c.output();
  const Sampling how(c.attrs());
  const int spatial = x.rank() - 2;
  const std::span<const int64_t> extents = std::span(x.dims).subspan(2);
  if (std::count(extents.begin(), extents.end(), 0) > 0) {
    return c.Fail("E0615", "x has no elements that could be sampled");
  }
  const int64_t channels = x.dims[1], in_plane = x.Inner(1), out_plane = y.Inner(1);
  const int64_t cost = 64 + std::min<int64_t>(channels, 1 << 14) * (8 << spatial);
  return c.ForEachRange(x.dims[0] * out_plane, cost, [&](int64_t begin, int64_t end, void*) {
    std::array<DimTaps, kMostDims> dims;
    PointTaps taps;
    for (int64_t point = begin; point < end && !c.ShouldStop(); ++point) {
      // The grid names the last dim first.
      for (int d = 0; d < spatial; ++d) {
        dims[d] = TapsAt(FloatAt(grid, (point + 1) * spatial - 1 - d), extents[d], how);
      }
      taps.Combine(std::span(dims).first(spatial), extents);
      const int64_t batch = point / out_plane, at = point % out_plane;
      VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
        const T* const from = x.values<T>().data() + batch * channels * in_plane;
        T* const to = y.mutable_values<T>().data() + batch * channels * out_plane + at;
        for (int64_t k = 0; k < channels; ++k) {
          to[k * out_plane] = SampleAt(from + k * in_plane, taps, how.mode);
        }
      });
    }
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<OpDef> GridSamplingOps() {
  const AttrDef align_corners = {
      "align_corners", AttrKind::kBool, AttrValue(false),
      "-1 and 1 are the centres of the outermost elements, else their outer edges"};
  return {
      {.name = "AffineGrid",
       .inputs = {{"theta", "T", kFloat, "[batch, 2, 3] or [batch, 3, 4]: matrices"},
                  {.name = "size",
                   .type_var = "I",
                   .dtypes = {DType::kI64},
                   .doc = "[batch, channels, dims...], the extents of the image that the grid is for",
                   .known = true}},
       .attrs = {align_corners},
       .outputs = {{"grid", "T", kFloat, "[batch, dims..., 2 or 3], as GridSample takes it"}},
       .doc = "Positions spread evenly from -1 to 1 along each dim, (x, y, 1) or (x, y, z, 1), multiplied by "
              "each matrix. With align_corners the only position of a dim is 0.",
       .bound = "Each operation is rounded once.",
       .infer = InferAffineGrid,
       .computation = Composite{BuildAffineGrid}},
      {.name = "GridSample",
       .inputs = {{"x", "T", kComputed, "[batch, channels, dims...], of 1 to 3 dims"},
                  {"grid", "G", kFloat,
                   "[batch, result's dims..., dims]: positions between -1 and 1, along the last dim first"}},
       .attrs = {align_corners,
                 {"mode",
                  AttrKind::kString,
                  AttrValue(std::string("linear")),
                  "how what lies between elements is read; \"nearest\" takes the even one of two",
                  {"linear", "nearest", "cubic"}},
                 {"padding_mode",
                  AttrKind::kString,
                  AttrValue(std::string("zeros")),
                  "what lies outside: zeros, the outermost elements, or the image mirrored there",
                  {"zeros", "border", "reflection"}}},
       .outputs = {{"y", "T", kComputed, "[batch, channels, result's dims...]"}},
       .doc =
           "Reads an image where a grid points. Positions, weights and sums are computed in f64 and rounded "
           "once; to an integer as Cast does. A position that is NaN counts as -1.",
       .infer = InferGridSample,
       .computation = HostKernel{.run = RunGridSample, .cost = 32}},
  };
}

}  // namespace tenfold
