// SPDX-License-Identifier: Apache-2.0
//
// Matrix products and convolutions of quantized tensors: those of the integers less their zero points, whose
// sums are exact modulo 2^32, and for QLinear... the sums brought to the scale of the result.
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/contractions.h"
#include "tenfold/graph/ops/quantization.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/ops/windows.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr DTypeSet kBytesOrFloat8 = kBytes | kFloat8;

// --- Matrix products ---------------------------------------------------------------------------------------

// Input `i`, a scale or a zero point, is one value, or one for each row of `of` (a dim of 1 behind it, or a
// list), or for columns one for each column.
absl::Status CheckRowsOrColumns(InferContext& c, int i, int of, bool rows) {
  if (!c.has(i) || !c.shape(i).has_rank() || !c.shape(of).has_rank()) return absl::OkStatus();
  const Shape &v = c.shape(i), &matrix = c.shape(of);
  if (v.rank() == 0 || (v.rank() == 1 && v.dim(0) == Dim(1))) return absl::OkStatus();
  const char* const what = rows ? "row" : "column";
  const bool list = v.rank() == 1;
  if (matrix.rank() >= 2 && (list || v.rank() == matrix.rank())) {
    const Dim along = matrix.dim(matrix.rank() - (rows ? 2 : 1));
    bool fits = v.dim(v.rank() - (rows && !list ? 2 : 1)) == along;
    if (!list) fits = fits && v.dim(v.rank() - (rows ? 1 : 2)) == Dim(1);
    for (int d = 0; d < v.rank() - 2; ++d) fits = fits && (v.dim(d) == matrix.dim(d) || v.dim(d) == Dim(1));
    if (fits) return absl::OkStatus();
  }
  return c.Fail("E0201", absl::StrCat("one value is needed, or one for each ", what, ": ", c.InputText(of),
                                      ", ", c.InputText(i)));
}

// A list along the rows as a column.
Value AlongRows(Value v, Value matrix) {
  const bool list = v.shape().has_rank() && v.shape().rank() == 1 && !(v.shape().dim(0) == Dim(1));
  return list && matrix.shape().has_rank() && matrix.shape().rank() >= 2 ? ApplyOp("Unsqueeze", {v, Ints{1}})
                                                                         : v;
}

// One value as a scalar, so that it gives the result no dim.
Value AsScalarIfOne(Value v) {
  const bool one = v.shape().has_rank() && v.shape().rank() == 1 && v.shape().dim(0) == Dim(1);
  return one ? ApplyOp("Squeeze", {v, Ints{0}}) : v;
}

Value LessRows(Value a, std::span<const Value> in, size_t zero_point, DType type) {
  if (!IsThere(in, zero_point)) return As(a, type);
  return As(a, type) - AlongRows(AsScalarIfOne(As(in[zero_point], type)), a);
}

Value LessColumns(Value b, std::span<const Value> in, size_t zero_point, DType type) {
  if (!IsThere(in, zero_point)) return As(b, type);
  return As(b, type) - AsScalarIfOne(As(in[zero_point], type));
}

absl::Status InferMatMulInteger(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRowsOrColumns(c, 2, 0, true));
  TENFOLD_RETURN_IF_ERROR(CheckRowsOrColumns(c, 3, 1, false));
  return InferMatMulOf(c, 0, 1);
}

Value BuildMatMulInteger(std::span<const Value> in, const Attrs&) {
  return ApplyOp("MatMul", {LessRows(in[0], in, 2, DType::kI32), LessColumns(in[1], in, 3, DType::kI32)});
}

// Input `scale` is one value if `other` is a vector.
absl::Status CheckBesideVector(InferContext& c, int scale, int other) {
  const Shape &v = c.shape(scale), &vector = c.shape(other);
  if (!v.has_rank() || !vector.has_rank() || vector.rank() != 1 || v.rank() == 0) return absl::OkStatus();
  if (v.rank() == 1 && v.dim(0) == Dim(1)) return absl::OkStatus();
  return c.Fail("E0207", absl::StrCat(c.InputText(scale),
                                      ", but must be one value beside a vector: ", c.InputText(other)));
}

// Of QLinearMatMul: a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point.
absl::Status InferQLinearMatMul(InferContext& c) {
  for (int i : {1, 4}) TENFOLD_RETURN_IF_ERROR(CheckSameShape(c, i, i + 1));
  for (int i : {1, 2}) TENFOLD_RETURN_IF_ERROR(CheckRowsOrColumns(c, i, 0, true));
  for (int i : {4, 5}) TENFOLD_RETURN_IF_ERROR(CheckRowsOrColumns(c, i, 3, false));
  for (int i : {6, 7}) TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, i));
  // The dim of a vector is none of the result's, which the scales of the other side would have to skip.
  TENFOLD_RETURN_IF_ERROR(CheckBesideVector(c, 1, 3));
  if (c.shape(4).has_rank() && c.shape(4).rank() > 1) TENFOLD_RETURN_IF_ERROR(CheckBesideVector(c, 4, 0));
  return InferMatMulOf(c, 0, 3);
}

Value BuildQLinearMatMul(std::span<const Value> in, const Attrs&) {
  // f8 is multiplied in f32.
  const DType type = IsFloat8(in[0].dtype()) || IsFloat8(in[3].dtype()) ? DType::kF32 : DType::kI32;
  const Value sums = ApplyOp("MatMul", {LessRows(in[0], in, 2, type), LessColumns(in[3], in, 5, type)});
  const auto scale = [&](size_t i) { return AsScalarIfOne(As(in[i], DType::kF32)); };
  const Value factor = AlongRows(scale(1), in[0]) * scale(4) / scale(6);
  return Requantize(As(sums, DType::kF32) * factor, AsScalarIfOne(As(in[7], DType::kF32)), in[7].dtype());
}

// --- Convolutions ------------------------------------------------------------------------------------------

// Input `i` is one value, or a list with one for each channel of the result.
absl::Status CheckChannelsOf(InferContext& c, int i, int weights) {
  if (!c.has(i) || !c.shape(i).has_rank() || !c.shape(weights).has_rank()) return absl::OkStatus();
  const Shape& v = c.shape(i);
  if (v.rank() == 0 || (v.rank() == 1 && (v.dim(0) == Dim(1) || v.dim(0) == c.shape(weights).dim(0)))) {
    return absl::OkStatus();
  }
  return c.Fail("E0201", absl::StrCat("one value is needed, or one for each channel of the result: ",
                                      c.InputText(weights), ", ", c.InputText(i)));
}

// A list of channels, with `behind` dims of 1 behind them.
Value AlongChannels(Value v, int behind) {
  v = AsScalarIfOne(v);
  if (!v.shape().has_rank() || v.shape().rank() == 0 || behind == 0) return v;
  Ints axes;
  for (int d = 1; d <= behind; ++d) axes.push_back(d);
  return ApplyOp("Unsqueeze", {v, axes});
}

int SpatialRank(Value x) { return x.shape().has_rank() ? x.shape().rank() - 2 : 0; }

Value IntegerConvolution(Value x, Value w, std::span<const Value> in, size_t x_zero_point,
                         size_t w_zero_point, Operand bias, const Attrs& attrs) {
  Value integers = As(x, DType::kI32), weights = As(w, DType::kI32);
  if (IsThere(in, x_zero_point)) integers = integers - AsScalarIfOne(As(in[x_zero_point], DType::kI32));
  if (IsThere(in, w_zero_point)) {
    weights = weights - AlongChannels(As(in[w_zero_point], DType::kI32), SpatialRank(w) + 1);
  }
  // What pads is 0 once the zero point is gone.
  return ApplyOp("Conv", {integers, weights, bias}, attrs);
}

// x, w, x_zero_point, w_zero_point.
absl::Status InferConvInteger(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, 2));
  TENFOLD_RETURN_IF_ERROR(CheckChannelsOf(c, 3, 1));
  return InferConvolutionOf(c, {.w = 1, .bias = -1});
}

Value BuildConvInteger(std::span<const Value> in, const Attrs& attrs) {
  return IntegerConvolution(in[0], in[1], in, 2, 3, std::nullopt, attrs);
}

// x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias.
absl::Status InferQLinearConv(InferContext& c) {
  for (int i : {1, 2, 6, 7}) TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, i));
  for (int i : {4, 5}) TENFOLD_RETURN_IF_ERROR(CheckChannelsOf(c, i, 3));
  return InferConvolutionOf(c, {.w = 3, .bias = 8});
}

Value BuildQLinearConv(std::span<const Value> in, const Attrs& attrs) {
  const Operand bias = IsThere(in, 8) ? Operand(in[8]) : Operand(std::nullopt);
  const Value sums = IntegerConvolution(in[0], in[3], in, 2, 5, bias, attrs);
  const auto scale = [&](size_t i) { return AsScalarIfOne(As(in[i], DType::kF32)); };
  const Value factor = AlongChannels(scale(1) * scale(4) / scale(6), SpatialRank(in[0]));
  return Requantize(As(sums, DType::kF32) * factor, AsScalarIfOne(As(in[7], DType::kF32)), in[7].dtype());
}

// --- Definitions -------------------------------------------------------------------------------------------

PortDef ZeroPoint(const char* name, const char* var, const char* doc) {
  return {.name = name, .type_var = var, .dtypes = kBytes, .doc = doc, .arity = Arity::kOptional};
}

}  // namespace

std::vector<OpDef> QuantizedContractionOps() {
  const char* const rows = "one value, or one for each row of a";
  const char* const columns = "one value, or one for each column of b";
  const char* const channels = "one value, or one for each channel of the result";
  const char* const one = "one value";
  const DTypeSet sum = {DType::kI32};
  const auto rest = [](const char* text) { return std::string(text); };
  return {
      {.name = "MatMulInteger",
       .inputs = {{"a", "A", kBytes, "[..., m, k], or [k]"},
                  {"b", "B", kBytes, "[..., k, n], or [k]"},
                  ZeroPoint("a_zero_point", "A", "one value, or one for each row of a; absent: 0"),
                  ZeroPoint("b_zero_point", "B", "one value, or one for each column of b; absent: 0")},
       .outputs = {{"y", "Y", sum, "[..., m, n]"}},
       .doc = "The matrix product of (a - a_zero_point) and (b - b_zero_point) in i32, exact modulo 2^32.",
       .infer = InferMatMulInteger,
       .computation = Composite{.build = BuildMatMulInteger}},
      {.name = "ConvInteger",
       .inputs = {{"x", "X", kBytes, "[batch, channels, dims...], of 1 to 3 dims"},
                  {"w", "W", kBytes, "[channels of the result, channels / group, kernel dims...]"},
                  ZeroPoint("x_zero_point", "X", "one value; absent: 0"),
                  ZeroPoint("w_zero_point", "W",
                            "one value, or one for each channel of the result; absent: 0")},
       .attrs = ConvolutionAttrs(),
       .outputs = {{"y", "Y", sum, "[batch, channels of the result, dims...]"}},
       .doc =
           "The convolution of (x - x_zero_point) with (w - w_zero_point) in i32, exact modulo 2^32. Padding "
           "contributes nothing.",
       .infer = InferConvInteger,
       .computation = Composite{.build = BuildConvInteger}},
      {.name = "QLinearMatMul",
       .inputs = {{"a", "A", kBytesOrFloat8, "[..., m, k], or [k]"},
                  {"a_scale", "S", kScale, rest(rows)},
                  {"a_zero_point", "A", kBytesOrFloat8, "as many as scales of a"},
                  {"b", "B", kBytesOrFloat8, "[..., k, n], or [k]"},
                  {"b_scale", "S", kScale, rest(columns)},
                  {"b_zero_point", "B", kBytesOrFloat8, "as many as scales of b"},
                  {"y_scale", "S", kScale, rest(one)},
                  {"y_zero_point", "Y", kBytesOrFloat8, rest(one)}},
       .outputs = {{"y", "Y", kBytesOrFloat8, "[..., m, n]"}},
       .doc = "The matrix product of quantized tensors, quantized: the sums of MatMulInteger times "
              "a_scale * b_scale / y_scale in f32, rounded half to even, plus y_zero_point, with the ends of "
              "the "
              "range for what lies beyond it. f8 is multiplied in f32.",
       .infer = InferQLinearMatMul,
       .computation = Composite{.build = BuildQLinearMatMul, .only_moves = true}},
      {.name = "QLinearConv",
       .inputs = {{"x", "X", kBytes, "[batch, channels, dims...], of 1 to 3 dims"},
                  {"x_scale", "S", {DType::kF32}, rest(one)},
                  {"x_zero_point", "X", kBytes, rest(one)},
                  {"w", "W", kBytes, "[channels of the result, channels / group, kernel dims...]"},
                  {"w_scale", "S", {DType::kF32}, rest(channels)},
                  {"w_zero_point", "W", kBytes, rest(channels)},
                  {"y_scale", "S", {DType::kF32}, rest(one)},
                  {"y_zero_point", "Y", kBytes, rest(one)},
                  {.name = "bias",
                   .type_var = "B",
                   .dtypes = sum,
                   .doc = "[channels of the result], of scale x_scale * w_scale and zero point 0",
                   .arity = Arity::kOptional}},
       .attrs = ConvolutionAttrs(),
       .outputs = {{"y", "Y", kBytes, "[batch, channels of the result, dims...]"}},
       .doc = "The convolution of quantized tensors, quantized: the sums of ConvInteger and the bias times "
              "x_scale * w_scale / y_scale in f32, rounded half to even, plus y_zero_point, with the ends of "
              "the "
              "range for what lies beyond it.",
       .infer = InferQLinearConv,
       .computation = Composite{.build = BuildQLinearConv}},
  };
}

}  // namespace tenfold
