// SPDX-License-Identifier: Apache-2.0
//
// Resize: other extents, by the nearest element or by interpolation. graph/resampling.h has the positions and
// weights of an axis.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/resampling.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

enum Input { kX, kRoi, kScales, kSizes };

template <typename T, size_t n>
T Choice(const Attrs& attrs, const char* name, const std::pair<const char*, T> (&choices)[n]) {
  const std::string given = attrs.Get<std::string>(name);
  for (const auto& [text, value] : choices) {
    if (given == text) return value;
  }
  return choices[0].second;  // inference has refused others
}

constexpr std::pair<const char*, Coordinates> kCoordinates[] = {
    {"half_pixel", Coordinates::kHalfPixel},
    {"half_pixel_symmetric", Coordinates::kHalfPixelSymmetric},
    {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
    {"align_corners", Coordinates::kAlignCorners},
    {"asymmetric", Coordinates::kAsymmetric},
    {"tf_crop_and_resize", Coordinates::kCropAndResize}};
constexpr std::pair<const char*, Interpolation> kInterpolations[] = {{"nearest", Interpolation::kNearest},
                                                                     {"linear", Interpolation::kLinear},
                                                                     {"cubic", Interpolation::kCubic}};
constexpr std::pair<const char*, NearestRule> kNearestRules[] = {
    {"round_prefer_floor", NearestRule::kRoundPreferFloor},
    {"round_prefer_ceil", NearestRule::kRoundPreferCeil},
    {"floor", NearestRule::kFloor},
    {"ceil", NearestRule::kCeil}};

template <typename T, size_t n>
std::vector<std::string> Names(const std::pair<const char*, T> (&choices)[n]) {
  std::vector<std::string> names;
  for (const auto& choice : choices) names.emplace_back(choice.first);
  return names;
}

ResamplingRule RuleOf(const Attrs& attrs) {
  return {.coordinates = Choice(attrs, "coordinate_transformation_mode", kCoordinates),
          .interpolation = Choice(attrs, "mode", kInterpolations),
          .nearest = Choice(attrs, "nearest_mode", kNearestRules),
          .cubic_a = attrs.Get<double>("cubic_coeff_a"),
          .antialias = attrs.Get<bool>("antialias"),
          .exclude_outside = attrs.Get<bool>("exclude_outside")};
}

bool KeepsAspectRatio(const Attrs& attrs) {
  return attrs.Get<std::string>("keep_aspect_ratio_policy") != "stretch";
}

// --- Inference ---------------------------------------------------------------------------------------------

// `axes`, all if there are none, in their order.
absl::StatusOr<std::vector<int>> ResizedAxes(InferContext& c) {
  const int rank = c.shape(kX).rank();
  Ints listed = c.attrs().Get<Ints>("axes");
  if (listed.empty()) {
    for (int d = 0; d < rank; ++d) listed.push_back(d);
  }
  return c.NormalizeAxes("axes", listed, rank);
}

// An input that holds `count` floats.
absl::StatusOr<std::vector<double>> KnownFloats(InferContext& c, int i, size_t count) {
  const Tensor* const constant = c.constant(i);
  if (constant == nullptr) {
    return c.Fail("E0211",
                  absl::StrCat(c.InputText(i),
                               ", whose values are not known while the graph is built, and "
                               "the shape of the result follows from them"),
                  "write them as a constant, or give `sizes`");
  }
  if (constant->dims().size() != 1 || constant->num_elements() != static_cast<int64_t>(count)) {
    return c.Fail("E0212", absl::StrCat(c.InputText(i), ", but must be a list of ", count, " numbers"));
  }
  std::vector<double> values;
  for (size_t k = 0; k < count; ++k) {
    VisitComputed(constant->dtype(), [&]<typename T>(std::type_identity<T>) {
      if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>) {
        values.push_back(ToFloat(constant->at<T>(k)));
      } else {
        values.push_back(static_cast<double>(constant->at<T>(k)));
      }
    });
  }
  return values;
}

// floor(dim * factor), exactly: a factor is a fraction of two integers. Invalid if it does not fit.
Dim Scaled(const Dim& dim, double factor) {
  int exponent = 0;
  double mantissa = std::frexp(factor, &exponent);
  while (mantissa != std::floor(mantissa)) mantissa *= 2, --exponent;
  if (std::abs(exponent) > 62 || mantissa >= 0x1p62) return FloorDiv(dim, Dim(0));
  const Dim product = dim * Dim(static_cast<int64_t>(mantissa));
  return exponent >= 0 ? product * Dim(int64_t{1} << exponent)
                       : FloorDiv(product, Dim(int64_t{1} << -exponent));
}

absl::Status ByScales(InferContext& c, const std::vector<int>& axes, std::vector<Dim>& dims) {
  TENFOLD_ASSIGN_OR_RETURN(std::vector<double> scales, KnownFloats(c, kScales, axes.size()));
  for (size_t i = 0; i < axes.size(); ++i) {
    if (!(scales[i] > 0) || std::isinf(scales[i])) {
      return c.Fail("E0212", absl::StrCat("the scale of axis ", axes[i], " is ", scales[i],
                                          ", but must be positive and finite"));
    }
  }
  if (RuleOf(c.attrs()).coordinates == Coordinates::kCropAndResize) {
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<double> roi, KnownFloats(c, kRoi, 2 * axes.size()));
    for (size_t i = 0; i < axes.size(); ++i) {
      scales[i] *= std::max(0.0, roi[i + axes.size()] - roi[i]);
      if (!std::isfinite(scales[i])) return c.Fail("E0212", "roi has numbers that are not finite");
    }
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    dims[axes[i]] = scales[i] == 0 ? Dim(0) : Scaled(dims[axes[i]], scales[i]);
    if (!dims[axes[i]].valid()) {
      return c.Fail("E0402",
                    absl::StrCat("axis ", axes[i], " resized by ", scales[i], " does not fit 64 bits"));
    }
  }
  return absl::OkStatus();
}

// The one scale at which everything fits into `sizes`, or fills them.
double CommonScale(const Attrs& attrs, std::span<const int64_t> extents, std::span<const int64_t> sizes) {
  const bool fits = attrs.Get<std::string>("keep_aspect_ratio_policy") == "not_larger";
  double scale = fits ? std::numeric_limits<double>::infinity() : 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const double own = static_cast<double>(sizes[i]) / static_cast<double>(extents[i]);
    scale = fits ? std::min(scale, own) : std::max(scale, own);
  }
  return scale;
}

absl::Status BySizes(InferContext& c, const std::vector<int>& axes, std::vector<Dim>& dims) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents sizes, c.Known(kSizes));
  if (sizes.size() != axes.size()) {
    return c.Fail("E0212", absl::StrCat("there are ", sizes.size(), " sizes for ", axes.size(),
                                        axes.size() == 1 ? " axis" : " axes"));
  }
  Ints extents, wanted;
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim in = dims[axes[i]];
    if (sizes[i].is_constant() && sizes[i].constant() < 0) {
      return c.Fail("E0212", absl::StrCat("the size of axis ", axes[i], " is ", sizes[i].constant()));
    }
    if (in == Dim(0) && !(sizes[i] == Dim(0))) {
      return c.Fail("E0212", absl::StrCat("axis ", axes[i], " has no elements that could be resized"));
    }
    dims[axes[i]] = sizes[i];
    if (in.is_constant() && sizes[i].is_constant() && in.constant() > 0) {
      extents.push_back(in.constant());
      wanted.push_back(sizes[i].constant());
    }
  }
  if (!KeepsAspectRatio(c.attrs())) return absl::OkStatus();
  if (extents.size() != axes.size()) {
    return c.Fail("E0211", "the aspect ratio is to be kept, but extents and sizes are not known",
                  "keep_aspect_ratio_policy=\"stretch\"");
  }
  const double scale = CommonScale(c.attrs(), extents, wanted);
  for (size_t i = 0; i < axes.size(); ++i) {
    const double length = std::floor(scale * static_cast<double>(extents[i]) + 0.5);
    if (!(length < 0x1p62)) return c.Fail("E0402", absl::StrCat("axis ", axes[i], " would become ", length));
    dims[axes[i]] = Dim(static_cast<int64_t>(length));
  }
  return absl::OkStatus();
}

absl::Status InferResize(InferContext& c) {
  if (!c.shape(kX).has_rank()) return c.Fail("E0209", "the rank of x is not known");
  const ResamplingRule rule = RuleOf(c.attrs());
  const bool interpolates = rule.interpolation != Interpolation::kNearest;
  if (interpolates && !IsFloat(c.dtype(kX))) {
    return c.Fail("E0206", absl::StrCat(c.InputText(kX), ", but interpolation is of floats"),
                  "cast it to f32, or use mode=\"nearest\"");
  }
  if (rule.antialias && !interpolates) {
    return c.Fail("E0102", "antialias goes with mode \"linear\" or \"cubic\"");
  }
  if (c.has(kScales) == c.has(kSizes)) {
    return c.Fail("E0212",
                  absl::StrCat("needs either scales or sizes, but has ", c.has(kSizes) ? "both" : "none"));
  }
  const bool crops = rule.coordinates == Coordinates::kCropAndResize;
  if (crops && !c.has(kRoi)) {
    return c.Fail("E0212", "coordinate_transformation_mode \"tf_crop_and_resize\" needs roi");
  }
  if (crops && !IsFloat(c.dtype(kX))) {
    const double value = c.attrs().Get<double>("extrapolation_value");
    const int width = c.dtype(kX) == DType::kBool ? 1 : BitWidth(c.dtype(kX));
    const int bits = width - (IsSignedInteger(c.dtype(kX)) ? 1 : 0);
    const double end = std::ldexp(1, std::min(bits, 53)), lowest = IsSignedInteger(c.dtype(kX)) ? -end : 0;
    if (value != std::floor(value) || value < lowest || value >= end) {
      return c.Fail("E0102",
                    absl::StrCat("extrapolation_value is ", value, ", which no ", Name(c.dtype(kX)), " is"));
    }
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, ResizedAxes(c));
  if (crops && c.shape(kRoi).has_rank() && !(c.shape(kRoi) == Shape{static_cast<int64_t>(2 * axes.size())})) {
    return c.Fail("E0212", absl::StrCat(c.InputText(kRoi), ", but must be a list of ", 2 * axes.size(),
                                        " numbers: where each axis starts, then where each ends"));
  }
  std::vector<Dim> dims = c.shape(kX).dims();
  TENFOLD_RETURN_IF_ERROR(c.has(kScales) ? ByScales(c, axes, dims) : BySizes(c, axes, dims));
  return c.SetOutput(0, Shape(std::move(dims)));
}

// --- Computation -------------------------------------------------------------------------------------------

double FloatAt(const KernelTensor& tensor, int64_t i) {
  switch (tensor.dtype) {
    case DType::kF16:
      return ToFloat(tensor.values<F16>()[i]);
    case DType::kBF16:
      return ToFloat(tensor.values<BF16>()[i]);
    case DType::kF32:
      return tensor.values<float>()[i];
    default:
      return tensor.values<double>()[i];
  }
}

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

template <typename T>
struct SumOf {
  using type = float;
};
template <>
struct SumOf<double> {
  using type = double;
};

template <typename T, typename Sum>
T Stored(Sum value) {
  if constexpr (std::is_same_v<T, F16>) {
    return ToF16(value);
  } else if constexpr (std::is_same_v<T, BF16>) {
    return ToBF16(value);
  } else {
    return static_cast<T>(value);
  }
}

// One row along the last axis: the rows that the outer axes' taps name are added up, then sampled.
template <typename T>
void InterpolateRow(const KernelTensor& x, const Samples& samples, std::span<const int64_t> position,
                    T outside, std::span<T> y, void* scratch) {
  using Sum = typename SumOf<T>::type;
  const auto length = x.dims.back();
  Sum* const sum = static_cast<Sum*>(scratch);
  bool first = true;
  const bool inside = ForEachTap(x, samples, position, [&](int64_t row, double weight) {
    const T* const from = x.values<T>().data() + row * length;
    const auto w = static_cast<Sum>(weight);
    if (w == 0 && !first) return;  // an element that has no part does not make NaN
    for (int64_t i = 0; i < length; ++i) {
      Sum value;
      if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>) {
        value = ToFloat(from[i]);
      } else {
        value = from[i];
      }
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
      y[i] = Stored<T>(sum[i]);
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
    y[i] = Stored<T>(total);
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
  if constexpr (std::is_same_v<T, F16> || std::is_same_v<T, BF16>) {
    outside = Stored<T>(static_cast<float>(extrapolation));
  } else if constexpr (std::is_floating_point_v<T>) {
    outside = static_cast<T>(extrapolation);
  } else {
    outside = static_cast<T>(static_cast<int64_t>(extrapolation));
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

// The sums of one row.
int64_t ResizeScratch(const KernelContext& c) {
  return c.input(kX).rank() == 0 ? 0 : c.input(kX).dims.back() * static_cast<int64_t>(sizeof(double));
}

absl::Status RunResize(KernelContext& c) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  if (x.rank() == 0) {
    std::memcpy(y.data, x.data, static_cast<size_t>(x.element_size()));
    return absl::OkStatus();
  }
  const ResamplingRule rule = RuleOf(c.attrs());
  TENFOLD_ASSIGN_OR_RETURN(const Samples samples, SampleAxes(c, rule));
  return VisitComputed(x.dtype,
                       [&]<typename T>(std::type_identity<T>) { return ResizeAs<T>(c, rule, samples); });
}

}  // namespace

std::vector<OpDef> ResizingOps() {
  const auto known = [](const char* name, const char* type_var, DTypeSet dtypes, const char* doc) {
    return PortDef{.name = name,
                   .type_var = type_var,
                   .dtypes = dtypes,
                   .doc = doc,
                   .arity = Arity::kOptional,
                   .known = true};
  };
  const auto choice = [](const char* name, const char* doc, std::vector<std::string> names) {
    std::string first = names[0];
    return AttrDef{name, AttrKind::kString, AttrValue(std::move(first)), doc, std::move(names)};
  };
  return {
      {.name = "Resize",
       .inputs = {{"x", "T", kComputed, "floats, if it is interpolated"},
                  known("roi", "R", kFloat,
                        "for tf_crop_and_resize: where each axis starts, then where each ends, in fractions"),
                  known("scales", "S", {DType::kF32}, "one for each axis; extents are rounded down"),
                  known("sizes", "I", {DType::kI64}, "extents, instead of scales")},
       .attrs =
           {{"antialias", AttrKind::kBool, AttrValue(false),
             "a smaller result averages over all that its elements cover"},
            {"axes", AttrKind::kInts, AttrValue(Ints()), "that scales, sizes and roi are of; none: all"},
            choice("coordinate_transformation_mode", "where the result's elements lie in x",
                   Names(kCoordinates)),
            {"cubic_coeff_a", AttrKind::kFloat, AttrValue(-0.75), "the free parameter of the cubic"},
            {"exclude_outside", AttrKind::kBool, AttrValue(false),
             "when interpolating, elements outside have no weight; else the outermost stand for them"},
            {"extrapolation_value", AttrKind::kFloat, AttrValue(0.0),
             "what tf_crop_and_resize reads outside of x"},
            choice(
                "keep_aspect_ratio_policy",
                "of sizes: one scale for all axes, by which none is larger, or none smaller, than its size",
                {"stretch", "not_larger", "not_smaller"}),
            choice("mode", "\"linear\" and \"cubic\" interpolate along one axis after the other",
                   Names(kInterpolations)),
            choice("nearest_mode", "which of two elements is the nearest", Names(kNearestRules))},
       .outputs = {{"y", "T", kComputed, ""}},
       .doc = "Other extents, by the nearest element, or by linear or cubic interpolation. Positions and "
              "weights "
              "are computed in f64; f16, bf16 and f32 are summed in f32, axis by axis, and rounded once.",
       .infer = InferResize,
       .computation = HostKernel{RunResize, ResizeScratch, 8}},
  };
}

}  // namespace tenfold
