// SPDX-License-Identifier: Apache-2.0
//
// Resize: other extents, by the nearest element or by interpolation. graph/resampling.h has the positions and
// weights of an axis, resizing_kernel.cc the computation.
#include "tenfold/graph/ops/resizing.h"

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
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/resampling.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

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

}  // namespace

ResamplingRule ResizeRule(const Attrs& attrs) {
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

namespace {

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
      values.push_back(static_cast<double>(Widen(constant->at<T>(k))));
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
  if (ResizeRule(c.attrs()).coordinates == Coordinates::kCropAndResize) {
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
  const ResamplingRule rule = ResizeRule(c.attrs());
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
    TENFOLD_RETURN_IF_ERROR(CheckIsOne(c, "extrapolation_value", c.dtype(kX)));
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
