// SPDX-License-Identifier: Apache-2.0
//
// Between floats and quantized tensors. All are composites: what rounds is a division or a product in f32,
// then the nearest integer, half to even.
#include "tenfold/graph/ops/quantization.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr DTypeSet kQuantized = {DType::kI8, DType::kI16, DType::kU8,       DType::kU16,
                                 DType::kI4, DType::kU4,  DType::kF8E4M3FN, DType::kF8E5M2};
constexpr DTypeSet kQuantizedOrSum = kQuantized | DTypeSet{DType::kI32};
constexpr DTypeSet kQuantizable = kScale | DTypeSet{DType::kI32};

// --- Scales along an axis ----------------------------------------------------------------------------------

absl::Status CheckBlocks(InferContext& c, int64_t block) {
  const Shape &x = c.shape(0), &scale = c.shape(1);
  if (scale.rank() != x.rank()) {
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(1), ", but with blocks must have the rank of ", c.InputText(0)));
  }
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", x.rank()));
  for (int d = 0; d < x.rank(); ++d) {
    const Dim expected = d == axis ? FloorDiv(x.dim(d) + Dim(block - 1), Dim(block)) : x.dim(d);
    if (scale.dim(d) == expected || (d == axis && scale.dim(d) * Dim(block) == x.dim(d))) continue;
    return c.Fail("E0201",
                  absl::StrCat("dim ", d, " of the scale must be ", expected.ToString(),
                               d == axis ? absl::StrCat(", one value for each block of ", block) : "", ": ",
                               c.InputText(0), ", ", c.InputText(1)));
  }
  return absl::OkStatus();
}

// The scale, and with it the zero point, is one value, a list along `axis`, or a value for each block.
absl::Status CheckScale(InferContext& c) {
  const Shape &x = c.shape(0), &scale = c.shape(1);
  const auto block = c.attrs().Get<int64_t>("block_size");
  if (block < 0)
    return c.Fail("E0102", absl::StrCat("attribute 'block_size' is ", block, ", but must not be negative"));
  TENFOLD_RETURN_IF_ERROR(CheckSameShape(c, 1, 2));
  if (!x.has_rank() || !scale.has_rank()) return absl::OkStatus();
  if (block > 0) return CheckBlocks(c, block);
  if (IsOneValue(scale)) return absl::OkStatus();
  if (scale.rank() > 1) {
    return c.Fail("E0207", absl::StrCat(c.InputText(1), ", but a scale is one value or a list along an axis"),
                  scale.rank() == x.rank() ? "block_size says how many elements share a scale" : "");
  }
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", x.rank()));
  if (scale.dim(0).is_constant() ? c.TakeDim(0, axis, scale.dim(0)) : c.TakeDim(1, 0, x.dim(axis)))
    return absl::OkStatus();
  return c.Fail("E0201", absl::StrCat("the scale must have a value for each element of axis ", axis, ": ",
                                      c.InputText(0), ", ", c.InputText(1)));
}

// The dims of v with `along` for that of the axis: as numbers where they are known, else of a run.
Operand DimsWith(Value v, int axis, int64_t along) {
  Ints dims;
  for (const Dim& dim : v.shape().dims()) {
    if (dim.is_constant()) dims.push_back(dim.constant());
  }
  const int rank = v.shape().rank();
  if (static_cast<int>(dims.size()) == rank) {
    dims[axis] = along;
    return dims;
  }
  const Value before = ApplyOp("Shape", {v}, {{"end", int64_t{axis}}});
  const Value behind = ApplyOp("Shape", {v}, {{"start", int64_t{axis} + 1}});
  return ApplyOp("Concat", {before, Ints{along}, behind}, {{"axis", int64_t{0}}});
}

// One value for each block becomes one for each element of x.
Value SpreadBlocks(Value v, Value x, int axis, int64_t block) {
  const Dim blocks = v.shape().dim(axis), extent = x.shape().dim(axis);
  Ints repeats(v.shape().rank() + 1, 1);
  repeats[axis + 1] = block;
  const Value tiled = ApplyOp("Tile", {ApplyOp("Unsqueeze", {v, Ints{axis + 1}}), repeats});
  const int64_t along = blocks.is_constant() ? blocks.constant() * block : -1;
  const Value whole = ApplyOp("Reshape", {tiled, DimsWith(v, axis, along)}, {{"allowzero", along >= 0}});
  if (blocks * Dim(block) == extent) return whole;
  const Operand end = extent.is_constant()
                          ? Operand(Ints{extent.constant()})
                          : ApplyOp("Shape", {x}, {{"start", int64_t{axis}}, {"end", int64_t{axis} + 1}});
  return ApplyOp("Slice", {whole, Ints{0}, end, Ints{axis}, std::nullopt});
}

// A scale or zero point in the form that broadcasts against x.
Value Spread(Value v, Value x, const Attrs& attrs) {
  if (!v.shape().has_rank() || !x.shape().has_rank()) return v;
  const int rank = x.shape().rank();
  const auto block = attrs.Get<int64_t>("block_size");
  auto axis = attrs.Get<int64_t>("axis");
  if (axis < 0) axis += rank;
  if (block > 0) return SpreadBlocks(v, x, static_cast<int>(axis), block);
  if (v.shape().rank() == 0) return v;
  if (IsOneValue(v.shape())) return ApplyOp("Squeeze", {v, Ints{0}});
  Ints others;
  for (int d = 0; d < rank; ++d) {
    if (d != axis) others.push_back(d);
  }
  return others.empty() ? v : ApplyOp("Unsqueeze", {v, others});
}

// --- QuantizeLinear ----------------------------------------------------------------------------------------

absl::Status InferQuantize(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckScale(c));
  const AttrValue* wished = c.attrs().Find("output_dtype");
  DType dtype = c.has(2) ? c.dtype(2) : DType::kU8;
  if (wished != nullptr) {
    const DType to = std::get<DType>(*wished);
    if (!kQuantized.Contains(to)) {
      return c.Fail("E0206", absl::StrCat("attribute 'output_dtype' is ", Name(to), ", but must be ",
                                          kQuantized.ToString()));
    }
    if (c.has(2) && to != dtype) {
      return c.Fail("E0205", absl::StrCat("attribute 'output_dtype' is ", Name(to), ", but ", c.InputText(2)),
                    "output_dtype may be left out: it follows from the zero point");
    }
    dtype = to;
  }
  const AttrValue* precision = c.attrs().Find("precision");
  if (precision != nullptr && !kScale.Contains(std::get<DType>(*precision))) {
    return c.Fail("E0206", absl::StrCat("attribute 'precision' is ", Name(std::get<DType>(*precision)),
                                        ", but must be ", kScale.ToString()));
  }
  return c.SetOutputType(0, {dtype, c.shape(0)});
}

Value BuildQuantize(std::span<const Value> in, const Attrs& attrs) {
  const bool has_zero_point = IsThere(in, 2);
  const AttrValue* wished = attrs.Find("output_dtype");
  const AttrValue* precision = attrs.Find("precision");
  const DType to = has_zero_point ? in[2].dtype() : wished != nullptr ? std::get<DType>(*wished) : DType::kU8;
  const DType division = precision != nullptr ? std::get<DType>(*precision) : in[1].dtype();
  Value quotient = As(in[0], DType::kF32) / Spread(As(in[1], DType::kF32), in[0], attrs);
  if (IsHalf(division)) quotient = As(As(quotient, division), DType::kF32);
  std::optional<Value> zero_point;
  if (has_zero_point) zero_point = Spread(As(in[2], DType::kF32), in[0], attrs);
  return Requantize(quotient, zero_point, to, attrs.Get<bool>("saturate"));
}

// --- DequantizeLinear --------------------------------------------------------------------------------------

absl::Status InferDequantize(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckScale(c));
  const AttrValue* wished = c.attrs().Find("output_dtype");
  const DType dtype = wished != nullptr ? std::get<DType>(*wished) : c.dtype(1);
  if (!kScale.Contains(dtype)) {
    return c.Fail("E0206", absl::StrCat("attribute 'output_dtype' is ", Name(dtype), ", but must be ",
                                        kScale.ToString()));
  }
  return c.SetOutputType(0, {dtype, c.shape(0)});
}

Value BuildDequantize(std::span<const Value> in, const Attrs& attrs) {
  const AttrValue* wished = attrs.Find("output_dtype");
  Value x = As(in[0], DType::kF32);
  if (IsThere(in, 2)) x = x - Spread(As(in[2], DType::kF32), in[0], attrs);
  const Value y = x * Spread(As(in[1], DType::kF32), in[0], attrs);
  return As(y, wished != nullptr ? std::get<DType>(*wished) : in[1].dtype());
}

// --- DynamicQuantizeLinear ---------------------------------------------------------------------------------

absl::Status InferDynamicQuantize(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, c.shape(0)));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(1, Shape{}));
  return c.SetOutput(2, Shape{});
}

std::vector<Value> BuildDynamicQuantize(std::span<const Value> in, const Attrs&) {
  const Attrs whole = {{"keepdims", false}};
  const Value low = ApplyOp("Min", {ApplyOp("ReduceMin", {in[0]}, whole), 0.0});
  const Value high = ApplyOp("Max", {ApplyOp("ReduceMax", {in[0]}, whole), 0.0});
  const Value scale = (high - low) / 255.0;
  const Value shift = ApplyOp("Round", {ApplyOp("Max", {ApplyOp("Min", {0.0 - low / scale, 255.0}), 0.0})});
  const Value zero_point = As(shift, DType::kU8);
  return {Requantize(in[0] / scale, As(zero_point, DType::kF32), DType::kU8), scale, zero_point};
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef Axis() {
  return {"axis", AttrKind::kInt, AttrValue(int64_t{1}), "whose elements, or blocks, have a scale each"};
}
AttrDef BlockSize() {
  return {"block_size", AttrKind::kInt, AttrValue(int64_t{0}),
          "so many elements along the axis share a scale; 0: no blocks"};
}
AttrDef OptionalDType(const char* name, const char* doc) { return OptionalAttr(name, AttrKind::kDType, doc); }

}  // namespace

Value Requantize(Value x, std::optional<Value> zero_point, DType to, bool saturate) {
  if (IsFloat8(to)) {
    // A zero point of f8 is 0, and adding it would be a second rounding.
    return ApplyOp("Cast", {x}, {{"to", to}, {"saturate", saturate}});
  }
  // In f32 the sum is exact as far as the range of 16 bits goes, and beyond it Cast gives the end.
  const Value rounded = ApplyOp("Round", {x});
  return As(zero_point ? rounded + *zero_point : rounded, to);
}

absl::Status CheckSameShape(InferContext& c, int a, int b) {
  if (!c.has(a) || !c.has(b) || !c.shape(a).has_rank() || !c.shape(b).has_rank()) return absl::OkStatus();
  if (c.shape(a) == c.shape(b) || (IsOneValue(c.shape(a)) && IsOneValue(c.shape(b)))) return absl::OkStatus();
  return c.Fail(
      "E0201", absl::StrCat("a zero point is needed for each scale: ", c.InputText(a), ", ", c.InputText(b)));
}

std::vector<OpDef> QuantizationOps() {
  const auto zero_point = [](DTypeSet dtypes, const char* var) {
    return PortDef{.name = "zero_point",
                   .type_var = var,
                   .dtypes = dtypes,
                   .doc = "as many as scales; absent: 0",
                   .arity = Arity::kOptional};
  };
  return {
      {.name = "QuantizeLinear",
       .inputs = {{"x", "T", kQuantizable, ""},
                  {"scale", "S", kScale,
                   "one value; a list along `axis`; with `block_size` one for each block"},
                  zero_point(kQuantized, "Z")},
       .attrs = {Axis(),
                 BlockSize(),
                 OptionalDType("output_dtype", "of the result; by default that of the zero point, or u8"),
                 OptionalDType("precision", "of the quotient; by default that of the scale"),
                 {"saturate", AttrKind::kBool, AttrValue(true), "to f8, as of Cast"}},
       .outputs = {{"y", "output_dtype", kQuantized, ""}},
       .doc = "round(x / scale) + zero_point, half to even, with the ends of the range for what lies beyond "
              "it; NaN "
              "gives 0. To f8 x / scale is rounded once, and the zero point is taken for 0.",
       .infer = InferQuantize,
       .computation = Composite{.build = BuildQuantize, .only_moves = true}},
      {.name = "DequantizeLinear",
       .inputs = {{"x", "T", kQuantizedOrSum, ""},
                  {"scale", "S", kScale,
                   "one value; a list along `axis`; with `block_size` one for each block"},
                  zero_point(kQuantizedOrSum, "T")},
       .attrs = {Axis(), BlockSize(),
                 OptionalDType("output_dtype", "of the result; by default that of the scale")},
       .outputs = {{"y", "output_dtype", kScale, ""}},
       .doc = "(x - zero_point) * scale, in f32; the result is rounded once.",
       .infer = InferDequantize,
       .computation = Composite{.build = BuildDequantize, .only_moves = true}},
      {.name = "DynamicQuantizeLinear",
       .inputs = {{"x", "T", {DType::kF32}, ""}},
       .outputs = {{"y", "Q", {DType::kU8}, ""},
                   {"scale", "T", {DType::kF32}, "(max(x, 0) - min(x, 0)) / 255"},
                   {"zero_point", "Q", {DType::kU8}, "round(-min(x, 0) / scale)"}},
       .doc = "Quantizes to u8 by the range of x itself, which is made to hold 0.",
       .infer = InferDynamicQuantize,
       .computation = Composite{.build_several = BuildDynamicQuantize}},
  };
}

}  // namespace tenfold
