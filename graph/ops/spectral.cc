// SPDX-License-Identifier: Apache-2.0
//
// What spectra are computed with: windows, and the weights of mel bands.
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

constexpr double kTau = 6.283185307179586476925;

Value Constant(Value like, int64_t value) { return like.builder()->Const(Tensor::Scalar(value), ""); }

// 0, 1, 2 ... below `count`, as f64.
Value CountTo(Value count) {
  const Value range = ApplyOp("Range", {Constant(count, 0), As(count, DType::kI64), Constant(count, 1)});
  return As(range, DType::kF64);
}

// f64 as `dtype`; a composite rounds to a half by itself, once.
Value Result(Value y, DType dtype) { return IsHalf(dtype) ? y : As(y, dtype); }

// --- Windows -----------------------------------------------------------------------------------------------

absl::Status InferWindow(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "output_datatype", kNumeric));
  TENFOLD_ASSIGN_OR_RETURN(const Dim size, KnownValue(c, 0));
  if (size.is_constant() && size.constant() < 0) {
    return c.Fail("E0212", absl::StrCat("the size of the window is ", size.constant()));
  }
  return c.SetOutput(0, Shape{size});
}

// a - b cos(2 pi n / size) + d cos(4 pi n / size), where a symmetric window counts to the last element.
Value CosineWindow(Value size, const Attrs& attrs, double a, double b, double d) {
  const Value one = As(Constant(size, 1), DType::kF64);
  Value period = ApplyOp("Reshape", {As(size, DType::kF64), std::vector<int64_t>()});
  if (!attrs.Get<bool>("periodic")) period = period - one;
  const Value turns = CountTo(size) / period;
  // In this order a + d + b is 1 of each window, not the number below it.
  const Value once = b * ApplyOp("Cos", {turns * kTau});
  Value y = d == 0 ? a - once : d * ApplyOp("Cos", {turns * (2 * kTau)}) + a - once;
  // The only element of a symmetric window.
  if (!attrs.Get<bool>("periodic")) y = ApplyOp("Where", {ApplyOp("Equal", {period, 0.0}), one, y});
  return Result(y, attrs.Get<DType>("output_datatype"));
}

Value BuildHann(std::span<const Value> in, const Attrs& attrs) {
  return CosineWindow(in[0], attrs, 0.5, 0.5, 0);
}
Value BuildHamming(std::span<const Value> in, const Attrs& attrs) {
  return CosineWindow(in[0], attrs, 25.0 / 46, 1 - 25.0 / 46, 0);
}
Value BuildBlackman(std::span<const Value> in, const Attrs& attrs) {
  return CosineWindow(in[0], attrs, 0.42, 0.5, 0.08);
}

// --- MelWeightMatrix ---------------------------------------------------------------------------------------

enum MelInput { kBands, kLength, kRate, kLowest, kHighest };

absl::Status InferMel(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckDTypeAttr(c, "output_datatype", kNumeric));
  for (const int i : {kRate, kLowest, kHighest}) TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, i));
  TENFOLD_ASSIGN_OR_RETURN(const Dim bands, KnownValue(c, kBands));
  TENFOLD_ASSIGN_OR_RETURN(const Dim length, KnownValue(c, kLength));
  for (const Dim& size : {bands, length}) {
    if (size.is_constant() && size.constant() < 0)
      return c.Fail("E0212", absl::StrCat("num_mel_bins is ", bands.ToString(), " and dft_length ",
                                          length.ToString(), ", but neither may be negative"));
  }
  return c.SetOutput(0, Shape{FloorDiv(length, 2) + 1, bands});
}

// mel(f) = 2595 log10(1 + f / 700)
constexpr double kMelPerNeper = 2595 / 2.302585092994045684018;

Value ToMel(Value hertz) { return ApplyOp("Log", {hertz / 700.0 + 1.0}) * kMelPerNeper; }

// The edges of bands lie evenly on the mel scale, and are rounded down to bins. Band i rises from edge i to
// edge i + 1 and falls to edge i + 2.
Value BuildMel(std::span<const Value> in, const Attrs& attrs) {
  const auto scalar = [&](MelInput i) {
    return ApplyOp("Reshape", {As(in[i], DType::kF64), std::vector<int64_t>()});
  };
  const Value bands = ApplyOp("Reshape", {As(in[kBands], DType::kI64), {1}});
  const Value length = ApplyOp("Reshape", {As(in[kLength], DType::kI64), {1}});
  const Value low = ToMel(scalar(kLowest)), high = ToMel(scalar(kHighest));
  const Value step = (high - low) / (scalar(kBands) + 2.0);
  const Value bin = ApplyOp("Unsqueeze", {CountTo(length / int64_t{2} + int64_t{1}), {1}});
  const auto edge = [&](double offset) {
    const Value mel = (CountTo(bands) + offset) * step + low;
    const Value hertz = (ApplyOp("Exp", {mel / kMelPerNeper}) - 1.0) * 700.0;
    return ApplyOp("Floor", {(scalar(kLength) + 1.0) * hertz / scalar(kRate)});
  };
  const Value begin = edge(0), peak = edge(1), end = edge(2);
  const Value zero = As(Constant(bin, 0), DType::kF64), one = As(Constant(bin, 1), DType::kF64);
  const auto between = [&](Value from, Value to) {
    return ApplyOp("And", {ApplyOp("LessOrEqual", {from, bin}), ApplyOp("Less", {bin, to})});
  };
  Value y = ApplyOp("Where", {between(begin, peak), (bin - begin) / (peak - begin), zero});
  y = ApplyOp("Where", {ApplyOp("Equal", {bin, peak}), one, y});
  y = ApplyOp("Where", {between(peak, end), (end - bin) / (end - peak), y});
  return Result(y, attrs.Get<DType>("output_datatype"));
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef OutputAttr() {
  return {"output_datatype", AttrKind::kDType, AttrValue(DType::kF32), "the dtype of the result"};
}

OpDef WindowOp(const char* name, const char* doc, Composite::Build build) {
  return {.name = name,
          .inputs = {{.name = "size", .type_var = "I", .dtypes = kIndex, .doc = "one number", .known = true}},
          .attrs = {OutputAttr(),
                    {"periodic", AttrKind::kBool, AttrValue(true),
                     "the last element is the one before the first again; else the last equals the first"}},
          .outputs = {{"y", "output_datatype", kNumeric, "[size]"}},
          .doc = doc,
          .bound = "At most 2 ULP of 1 in f64, rounded once.",
          .infer = InferWindow,
          .computation = Composite{build}};
}

}  // namespace

std::vector<OpDef> SpectralOps() {
  const auto known = [](const char* name, const char* doc) {
    return PortDef{.name = name, .type_var = "I", .dtypes = kIndex, .doc = doc, .known = true};
  };
  return {
      WindowOp("HannWindow", "0.5 - 0.5 cos(2 pi n / size). Symmetric, the only element is 1.", BuildHann),
      WindowOp("HammingWindow", "25/46 - 21/46 cos(2 pi n / size). Symmetric, the only element is 1.",
               BuildHamming),
      WindowOp("BlackmanWindow",
               "0.42 - 0.5 cos(2 pi n / size) + 0.08 cos(4 pi n / size). Symmetric, the only element is 1.",
               BuildBlackman),
      {.name = "MelWeightMatrix",
       .inputs = {known("num_mel_bins", "bands"),
                  known("dft_length", "of the transform whose first half the spectrum is"),
                  {"sample_rate", "I", kIndex, "of the signal, in hertz"},
                  {"lower_edge_hertz", "F", kFloat, "where the first band begins"},
                  {"upper_edge_hertz", "F", kFloat, "beyond where the last one ends"}},
       .attrs = {OutputAttr()},
       .outputs = {{"y", "output_datatype", kNumeric, "[dft_length / 2 + 1, num_mel_bins]"}},
       .doc = "Weights that make num_mel_bins bands of a spectrum: triangles between neighbouring points "
              "that lie "
              "evenly on the scale 2595 log10(1 + f / 700). Computed in f64.",
       .bound = "Follows from Log and Exp.",
       .infer = InferMel,
       .computation = Composite{BuildMel}},
  };
}

}  // namespace tenfold
