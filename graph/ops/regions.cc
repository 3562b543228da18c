// SPDX-License-Identifier: Apache-2.0
//
// Regions of images: what an image has in them, and which of many overlapping ones are kept.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- RoiAlign ----------------------------------------------------------------------------------------------

enum RoiInput { kX, kRois, kBatches };

// More samples than this along one side of one bin are a mistake.
constexpr int64_t kMostSamples = 256;

absl::Status InferRoiAlign(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"spatial_scale"}));
  for (const char* name : {"output_height", "output_width"}) {
    const int64_t extent = c.attrs().Get<int64_t>(name);
    if (extent < 1)
      return c.Fail("E0102", absl::StrCat("attribute '", name, "' is ", extent, ", but must be at least 1"));
  }
  if (const int64_t ratio = c.attrs().Get<int64_t>("sampling_ratio"); ratio < 0 || ratio > kMostSamples) {
    return c.Fail("E0102", absl::StrCat("attribute 'sampling_ratio' is ", ratio, ", but must be from 0 to ",
                                        kMostSamples));
  }
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  if (c.shape(kX).rank() != 4) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kX), ", but must be [batch, channels, height, width]"));
  }
  if (c.shape(kRois).rank() != 2 || !(c.shape(kRois).dim(1) == Dim(4))) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kRois), ", but must be [regions, 4]"));
  }
  if (c.shape(kBatches).rank() != 1) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kBatches), ", but must be a list"));
  }
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kRois, 0, kBatches, 0, "regions"));
  return c.SetOutput(0,
                     Shape{c.shape(kRois).dim(0), c.shape(kX).dim(1), c.attrs().Get<int64_t>("output_height"),
                           c.attrs().Get<int64_t>("output_width")});
}

// One side of a region: `bins` of equal length from `start` on, each sampled at `samples` positions.
struct Side {
  double start, length;
  int64_t bins, samples, extent;

  // Samples [first, last) of a bin lie where the image, or its margin of one element, is: no more than the
  // image has elements for each sample of an element.
  void Inside(int64_t bin, int64_t& first, int64_t& last) const {
    const double step = length / static_cast<double>(samples), from = At(bin, 0);
    const auto count = static_cast<double>(samples);
    double begin = 0, end = count;
    if (step > 0) {
      begin = std::clamp(std::floor((-1 - from) / step), 0.0, count);
      end = std::clamp(std::ceil((static_cast<double>(extent) - from) / step) + 1, begin, count);
    }
    first = static_cast<int64_t>(begin), last = static_cast<int64_t>(end);
  }
  double At(int64_t bin, int64_t sample) const {
    return start + static_cast<double>(bin) * length +
           (static_cast<double>(sample) + 0.5) * length / static_cast<double>(samples);
  }
};

// The two elements that a position lies between, and the second's share. Nothing beyond the margin.
struct Between {
  bool inside;
  int64_t low, high;
  double share;

  Between(double at, int64_t extent)
      : inside(at >= -1 && at <= static_cast<double>(extent)), low(0), high(0), share(0) {
    if (!inside) return;
    at = std::max(at, 0.0);
    low = static_cast<int64_t>(at);
    if (low >= extent - 1) {
      low = high = extent - 1;
      return;
    }
    high = low + 1;
    share = at - static_cast<double>(low);
  }
};

struct Region {
  Side y, x;
  bool finite;
  bool maximum;
};

Region RegionAt(const KernelContext& c, int64_t roi) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  const bool half_pixel = c.attrs().Get<std::string>("coordinate_transformation_mode") == "half_pixel";
  const double scale = c.attrs().Get<double>("spatial_scale"), offset = half_pixel ? 0.5 : 0;
  const int64_t ratio = c.attrs().Get<int64_t>("sampling_ratio");
  double corners[4];
  bool finite = true;
  for (int k = 0; k < 4; ++k) {
    corners[k] = FloatAt(c.input(kRois), 4 * roi + k) * scale - offset;
    finite = finite && std::isfinite(corners[k]);
  }
  const auto side = [&](int first, int dim) {
    double length = corners[first + 2] - corners[first];
    if (!half_pixel) length = std::max(length, 1.0);
    const double bin = length / static_cast<double>(y.dims[dim]);
    // Of a region that is larger than any image only what lies inside is sampled, so its count need not be
    // exact.
    const double adaptive = std::isfinite(bin) ? std::clamp(std::ceil(bin), 0.0, 0x1p52) : 0;
    return Side{corners[first], bin, y.dims[dim], ratio > 0 ? ratio : static_cast<int64_t>(adaptive),
                x.dims[dim]};
  };
  return {side(1, 2), side(0, 3), finite, c.attrs().Get<std::string>("mode") == "max"};
}

// IEEE 754-2019's maximum, as of the op Max: NaN wins, and -0 is below +0.
double Larger(double a, double b) {
  if (a != a || b != b) return a != a ? a : b;
  if (a == b) return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

// One bin of one channel. The mean of the samples, which are interpolated between four elements; or the
// largest of the four products of an element and its share, over all samples, which is what ONNX calls the
// maximum.
template <typename T>
double Pool(const KernelContext& c, const Region& region, int64_t row, int64_t column, const T* image) {
  int64_t first_y, last_y, first_x, last_x;
  region.y.Inside(row, first_y, last_y);
  region.x.Inside(column, first_x, last_x);
  const bool all = last_y - first_y == region.y.samples && last_x - first_x == region.x.samples;
  double sum = 0, largest = all ? -std::numeric_limits<double>::infinity() : 0;
  bool some = !all;
  const int64_t width = region.x.extent;
  for (int64_t i = first_y; i < last_y && !c.ShouldStop(); ++i) {
    const Between y(region.y.At(row, i), region.y.extent);
    for (int64_t j = first_x; j < last_x; ++j) {
      const Between x(region.x.At(column, j), width);
      double parts[4] = {};
      if (y.inside && x.inside) {
        const auto part = [&](int64_t v, int64_t u, double share) {
          return share * static_cast<double>(Widen(image[v * width + u]));
        };
        parts[0] = part(y.low, x.low, (1 - y.share) * (1 - x.share));
        parts[1] = part(y.low, x.high, (1 - y.share) * x.share);
        parts[2] = part(y.high, x.low, y.share * (1 - x.share));
        parts[3] = part(y.high, x.high, y.share * x.share);
      }
      sum += (parts[0] + parts[1]) + (parts[2] + parts[3]);
      for (const double part : parts) largest = Larger(largest, part);
      some = true;
    }
  }
  if (region.maximum) return some ? largest : 0;
  const double count = static_cast<double>(region.y.samples) * static_cast<double>(region.x.samples);
  return sum / std::max(count, 1.0);
}

absl::Status RunRoiAlign(KernelContext& c) {
  const KernelTensor &x = c.input(kX), &y = c.output();
  const int64_t channels = y.dims[1], plane = x.dims[2] * x.dims[3], bins = y.dims[2] * y.dims[3];
  return c.ForEachRange(
      y.dims[0] * channels, 64 * bins, [&](int64_t begin, int64_t end, void*) -> absl::Status {
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t roi = unit / channels, channel = unit % channels;
          const int64_t batch = IndexAt(c.input(kBatches), roi);
          if (batch < 0 || batch >= x.dims[0])
            return c.OutOfRange(kBatches, "batch_indices", roi, batch, 0, x.dims[0]);
          const Region region = RegionAt(c, roi);
          VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
            const T* const image = x.values<T>().data() + (batch * channels + channel) * plane;
            T* const to = y.mutable_values<T>().data() + unit * bins;
            for (int64_t bin = 0; bin < bins; ++bin) {
              const bool some = region.finite && plane > 0;
              to[bin] = Narrow<T>(some ? Pool(c, region, bin / y.dims[3], bin % y.dims[3], image) : 0.0);
            }
          });
        }
        return absl::OkStatus();
      });
}

// --- NonMaxSuppression -------------------------------------------------------------------------------------

enum NmsInput { kBoxes, kScores, kMostBoxes, kOverlap, kLowestScore };

absl::Status InferNonMaxSuppression(InferContext& c) {
  for (const int i : {kBoxes, kScores}) {
    if (c.shape(i).has_rank() && c.shape(i).rank() != 3) {
      return c.Fail("E0207",
                    absl::StrCat(c.InputText(i), i == kBoxes ? ", but must be [batch, boxes, 4]"
                                                             : ", but must be [batch, classes, boxes]"));
    }
  }
  if (c.shape(kBoxes).has_rank() && !(c.shape(kBoxes).dim(2) == Dim(4))) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kBoxes), ", but must be [batch, boxes, 4]"));
  }
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kBoxes, 0, kScores, 0, "batches"));
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kBoxes, 1, kScores, 2, "boxes"));
  for (const int i : {kMostBoxes, kOverlap, kLowestScore}) {
    if (c.has(i)) TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, i));
  }
  return c.SetOutput(0, Shape{c.RunTimeDim(), 3});
}

struct Box {
  double low_y, low_x, high_y, high_x;

  Box(const float* at, bool by_center) {
    const double a = at[0], b = at[1], p = at[2], q = at[3];
    if (by_center) {  // x, y, width, height
      low_x = a - p / 2, high_x = a + p / 2;
      low_y = b - q / 2, high_y = b + q / 2;
      return;
    }
    low_y = std::min(a, p), high_y = std::max(a, p);
    low_x = std::min(b, q), high_x = std::max(b, q);
  }
  double area() const { return (high_y - low_y) * (high_x - low_x); }
};

// Whether what two boxes share is more than so much of what they cover. Nothing is shared with a box without
// an area.
bool Overlap(const Box& a, const Box& b, double threshold) {
  const double height = std::min(a.high_y, b.high_y) - std::max(a.low_y, b.low_y);
  const double width = std::min(a.high_x, b.high_x) - std::max(a.low_x, b.low_x);
  if (!(a.area() > 0 && b.area() > 0 && height > 0 && width > 0)) return false;
  const double shared = height * width;
  return shared / (a.area() + b.area() - shared) > threshold;
}

// The boxes of one class that are chosen, best first: those that overlap none that is better. `order` has
// room for all boxes, and the chosen ones stand first in it afterwards.
int64_t Choose(const KernelContext& c, const float* boxes, std::span<const float> scores, int64_t most,
               std::span<int64_t> order) {
  const bool by_center = c.attrs().Get<bool>("center_point_box");
  const double overlap = c.has(kOverlap) ? c.input(kOverlap).values<float>()[0] : 0;
  size_t candidates = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const bool good =
        c.has(kLowestScore) ? scores[i] > c.input(kLowestScore).values<float>()[0] : scores[i] == scores[i];
    if (good) order[candidates++] = static_cast<int64_t>(i);
  }
  std::sort(order.begin(), order.begin() + static_cast<int64_t>(candidates),
            [&](int64_t i, int64_t j) { return scores[i] != scores[j] ? scores[i] > scores[j] : i < j; });
  int64_t chosen = 0;
  for (size_t k = 0; k < candidates && chosen < most; ++k) {
    if (k % 256 == 255 && c.ShouldStop()) break;
    const Box box(boxes + 4 * order[k], by_center);
    bool alone = true;
    for (int64_t p = 0; p < chosen && alone; ++p) {
      alone = !Overlap(box, Box(boxes + 4 * order[p], by_center), overlap);
    }
    if (alone) order[chosen++] = order[k];
  }
  return chosen;
}

absl::Status RunNonMaxSuppression(KernelContext& c) {
  const KernelTensor &boxes = c.input(kBoxes), &scores = c.input(kScores);
  if (scores.count == 0) return c.PlaceOutput(0, {0, 3});
  const int64_t classes = scores.dims[1], count = scores.dims[2], lists = scores.dims[0] * classes;
  const int64_t most = c.has(kMostBoxes) ? std::max<int64_t>(0, IndexAt(c.input(kMostBoxes), 0)) : 0;
  TENFOLD_ASSIGN_OR_RETURN(Tensor order_tensor, Tensor::Allocate(DType::kI64, scores.dims));
  TENFOLD_ASSIGN_OR_RETURN(Tensor chosen_tensor, Tensor::Allocate(DType::kI64, Dims{lists}));
  const std::span<int64_t> order = order_tensor.mutable_values<int64_t>();
  const std::span<int64_t> chosen = chosen_tensor.mutable_values<int64_t>();
  std::fill(chosen.begin(), chosen.end(), 0);
  TENFOLD_RETURN_IF_ERROR(c.ForEachRange(lists, 64 * count + 1, [&](int64_t begin, int64_t end, void*) {
    for (int64_t list = begin; list < end; ++list) {
      chosen[list] = Choose(c, boxes.values<float>().data() + list / classes * count * 4,
                            scores.values<float>().subspan(list * count, count), most,
                            order.subspan(list * count, count));
    }
    return absl::OkStatus();
  }));
  int64_t total = 0;
  for (const int64_t n : chosen) total += n;
  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(0, {total, 3}));
  int64_t* to = c.output().mutable_values<int64_t>().data();
  for (int64_t list = 0; list < lists; ++list) {
    for (int64_t k = 0; k < chosen[list]; ++k) {
      *to++ = list / classes;
      *to++ = list % classes;
      *to++ = order[list * count + k];
    }
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<OpDef> RegionOps() {
  const auto optional = [](const char* name, DType dtype, const char* doc) {
    return OptionalPort(name, name, {dtype}, doc);
  };
  return {
      {.name = "RoiAlign",
       .inputs = {{"x", "T", kFloat, "[batch, channels, height, width]"},
                  {"rois", "T", kFloat, "[regions, 4]: x and y of one corner, then of the opposite one"},
                  {"batch_indices", "I", {DType::kI64}, "[regions]: the image that each lies in"}},
       .attrs = {{"coordinate_transformation_mode",
                  AttrKind::kString,
                  AttrValue(std::string("half_pixel")),
                  "\"half_pixel\": regions are shifted by half an element; \"output_half_pixel\": they are "
                  "not, and are at least one element wide and high",
                  {"half_pixel", "output_half_pixel"}},
                 {"mode",
                  AttrKind::kString,
                  AttrValue(std::string("avg")),
                  "the mean of a bin's samples, or the largest product of an element and its share in one",
                  {"avg", "max"}},
                 {"output_height", AttrKind::kInt, AttrValue(int64_t{1}), "bins along the height"},
                 {"output_width", AttrKind::kInt, AttrValue(int64_t{1}), "bins along the width"},
                 {"sampling_ratio", AttrKind::kInt, AttrValue(int64_t{0}),
                  "samples along each side of a bin; 0: one for each element that a bin spans"},
                 {"spatial_scale", AttrKind::kFloat, AttrValue(1.0), "what coordinates are multiplied by"}},
       .outputs = {{"y", "T", kFloat, "[regions, channels, output_height, output_width]"}},
       .doc =
           "Pools each region of an image into bins. A sample is interpolated between four elements; more "
           "than one element outside the image it is 0. Computed in f64 and rounded once. A region that is "
           "not finite gives 0.",
       .infer = InferRoiAlign,
       .computation = HostKernel{.run = RunRoiAlign, .cost = 256}},
      {.name = "NonMaxSuppression",
       .inputs =
           {{"boxes", "T", {DType::kF32}, "[batch, boxes, 4]: y and x of one corner, then of the other"},
            {"scores", "T", {DType::kF32}, "[batch, classes, boxes]"},
            optional("max_output_boxes_per_class", DType::kI64, "absent: 0, so none is chosen"),
            optional("iou_threshold", DType::kF32,
                     "boxes that share more than this part of what they cover overlap; absent: 0"),
            optional("score_threshold", DType::kF32, "only boxes above it are chosen; absent: any")},
       .attrs = {{"center_point_box", AttrKind::kBool, AttrValue(false),
                  "boxes are x and y of the centre, then width and height"},
                 SymbolsAttr()},
       .outputs = {{"selected_indices", "I", {DType::kI64}, "[chosen, 3]: batch, class and box of each"}},
       .doc =
           "Of each class the boxes that overlap no better one, best first; of equal scores the first box is "
           "better, and one whose score is NaN is never chosen. Computed in f64.",
       .infer = InferNonMaxSuppression,
       .computation = HostKernel{.run = RunNonMaxSuppression, .cost = 1024, .places_outputs = true}},
  };
}

}  // namespace tenfold
