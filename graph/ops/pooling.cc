// SPDX-License-Identifier: Apache-2.0
//
// Pooling: the maximum, the average or the norm of each window. The loop nest is graph/pooling_reference.h.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/kernel_interrupt.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/ops/windows.h"
#include "tenfold/graph/pooling_reference.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr const char* kNormBound = "Follows from Sqrt or Pow and the order of summation.";

// --- Inference ---------------------------------------------------------------------------------------------

absl::Status InferPooling(InferContext& c) {
  const Shape& x = c.shape(0);
  const auto set_all = [&](const Shape& shape) -> absl::Status {
    for (int i = 0; i < static_cast<int>(c.op().outputs.size()); ++i) {
      TENFOLD_RETURN_IF_ERROR(c.SetOutput(i, shape));
    }
    return absl::OkStatus();
  };
  if (!x.has_rank()) return set_all(Shape::UnknownRank());
  TENFOLD_RETURN_IF_ERROR(CheckSpatialRank(c));
  const int spatial = x.rank() - 2;
  TENFOLD_RETURN_IF_ERROR(CheckWindowAttrs(c, spatial));
  const Ints kernel = c.attrs().Get<Ints>("kernel_shape"), pads = c.attrs().Get<Ints>("pads");
  if (kernel.empty()) {
    return c.Fail("E0102",
                  absl::StrCat("attribute 'kernel_shape' is [], 0 numbers, but must have ", spatial));
  }
  for (size_t i = 0; i < pads.size(); ++i) {
    if (pads[i] < kernel[i % spatial]) continue;
    return c.Fail("E0102",
                  absl::StrCat("pads[", i, "] is ", pads[i], ", but must be less than the kernel's extent ",
                               kernel[i % spatial], ": a window would lie in the padding alone"));
  }
  const WindowLayouts window = LayOutPooling(x, c.attrs());
  std::vector<Dim> dims = {x.dim(0), x.dim(1)};
  for (int d = 0; d < spatial; ++d) {
    TENFOLD_RETURN_IF_ERROR(CheckWindow(c, window[d], d));
    dims.push_back(window[d].output);
  }
  return set_all(Shape(std::move(dims)));
}

absl::Status InferMaxPool(InferContext& c) {
  const int64_t order = c.attrs().Get<int64_t>("storage_order");
  if (order != 0 && order != 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'storage_order' is ", order, ", but must be 0 or 1"));
  }
  return InferPooling(c);
}

absl::Status CheckNorm(InferContext& c) {
  const int64_t p = c.attrs().Get<int64_t>("p");
  if (p >= 1) return absl::OkStatus();
  return c.Fail("E0102", absl::StrCat("attribute 'p' is ", p, ", but must be at least 1"));
}

absl::Status InferLpPool(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckNorm(c));
  return InferPooling(c);
}

absl::Status InferGlobal(InferContext& c) {
  if (c.op().FindAttr("p") != nullptr) TENFOLD_RETURN_IF_ERROR(CheckNorm(c));
  const Shape& x = c.shape(0);
  if (!x.has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  if (x.rank() < 3) {
    return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but must be [batch, channels, dims...]"));
  }
  std::vector<Dim> dims(x.rank(), Dim(1));
  dims[0] = x.dim(0), dims[1] = x.dim(1);
  return c.SetOutput(0, Shape(std::move(dims)));
}

// --- Computation -------------------------------------------------------------------------------------------

// Calls body(extents, begin, end, interrupt) for all units.
template <typename Body>
absl::Status ForEachUnit(KernelContext& c, const Body& body) {
  const KernelTensor& x = c.input(0);
  const std::optional<Window> window = EvaluateWindow(LayOutPooling(Shape::Of(x.dims), c.attrs()), {});
  if (!window) return c.Fail("E0402", "the extents do not fit 64 bits, or one is negative");
  const PoolingExtents extents = {x.dims[0] * x.dims[1], *window};
  const KernelInterrupt interrupt = InterruptOf(c);
  return c.ForEachRange(extents.num_units(), extents.unit_elements() / 4,
                        [&](int64_t begin, int64_t end, void*) {
                          body(extents, begin, end, &interrupt);
                          return absl::OkStatus();
                        });
}

absl::Status RunMaxPool(KernelContext& c) {
  MaxPooling pooling = {c.input(0).dtype, c.input(0).data, c.output(0).data};
  if (!c.output(1).absent) pooling.indices = static_cast<int64_t*>(c.output(1).data);
  pooling.column_major = c.attrs().Get<int64_t>("storage_order") == 1;
  return ForEachUnit(c,
                     [&](const PoolingExtents& e, int64_t begin, int64_t end, const KernelInterrupt* stop) {
                       MaxPoolingReference(e, pooling, begin, end, std::nullopt, stop);
                     });
}

absl::Status RunAveragePool(KernelContext& c) {
  const SumPooling pooling = {c.input(0).dtype, c.input(0).data, c.output().data, /*average=*/true,
                              c.attrs().Get<bool>("count_include_pad")};
  return ForEachUnit(c,
                     [&](const PoolingExtents& e, int64_t begin, int64_t end, const KernelInterrupt* stop) {
                       SumPoolingReference(e, pooling, begin, end, std::nullopt, stop);
                     });
}

absl::Status RunSumPool(KernelContext& c) {
  const SumPooling pooling = {c.input(0).dtype, c.input(0).data, c.output().data};
  return ForEachUnit(c,
                     [&](const PoolingExtents& e, int64_t begin, int64_t end, const KernelInterrupt* stop) {
                       SumPoolingReference(e, pooling, begin, end, std::nullopt, stop);
                     });
}

// |x|^p, and the root of a sum of such.
Value Powered(Value x, int64_t p) {
  if (p == 1) return ApplyOp("Abs", {x});
  return p == 2 ? x * x : ApplyOp("Pow", {ApplyOp("Abs", {x}), static_cast<double>(p)});
}
Value Root(Value sum, int64_t p) {
  if (p == 1) return sum;
  return p == 2 ? ApplyOp("Sqrt", {sum}) : ApplyOp("Pow", {sum, 1 / static_cast<double>(p)});
}

Value BuildLpPool(std::span<const Value> in, const Attrs& attrs) {
  const int64_t p = attrs.Get<int64_t>("p");
  Attrs window;
  for (const auto& [name, value] : attrs) {
    if (name != "p") window.Set(name, value);
  }
  // A window in the padding alone has the sum -0.
  return Root(ApplyOp("Abs", {ApplyOp("SumPool", {Powered(in[0], p)}, window)}), p);
}

Attrs OverSpatialDims(const Value& x) {
  Ints axes;
  for (int d = 2; d < x.type().shape.rank(); ++d) axes.push_back(d);
  return {{"axes", axes}, {"keepdims", true}};
}

Value BuildGlobalMaxPool(std::span<const Value> in, const Attrs&) {
  return ApplyOp("ReduceMax", {in[0]}, OverSpatialDims(in[0]));
}

Value BuildGlobalAveragePool(std::span<const Value> in, const Attrs&) {
  return ApplyOp("ReduceMean", {in[0]}, OverSpatialDims(in[0]));
}

Value BuildGlobalLpPool(std::span<const Value> in, const Attrs& attrs) {
  const int64_t p = attrs.Get<int64_t>("p");
  return Root(ApplyOp("ReduceSum", {Powered(in[0], p)}, OverSpatialDims(in[0])), p);
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef NormAttr() { return {"p", AttrKind::kInt, AttrValue(int64_t{2}), "which norm: at least 1"}; }

std::vector<AttrDef> PoolingAttrs() {
  std::vector<AttrDef> attrs = WindowAttrs();
  attrs.push_back({"ceil_mode", AttrKind::kBool, AttrValue(false),
                   "windows that hang over the end count too, unless they start behind the input"});
  attrs.push_back({"kernel_shape", AttrKind::kInts, std::nullopt, "extents of the window"});
  return attrs;
}

OpDef WindowOp(const char* name, std::vector<AttrDef> attrs, absl::Status (*infer)(InferContext&),
               const char* doc, Computation computation) {
  return {.name = name,
          .inputs = {{"x", "T", kFloat, "[batch, channels, dims...], of 1 to 3 dims"}},
          .attrs = std::move(attrs),
          .outputs = {{"y", "T", kFloat, ""}},
          .doc = doc,
          .infer = infer,
          .computation = computation};
}

OpDef GlobalOp(const char* name, const char* doc, DTypeSet dtypes, Composite::Build build) {
  return {.name = name,
          .inputs = {{"x", "T", dtypes, "[batch, channels, dims...]"}},
          .outputs = {{"y", "T", dtypes, "[batch, channels, 1...]"}},
          .doc = doc,
          .infer = InferGlobal,
          .computation = Composite{build}};
}

}  // namespace

std::vector<OpDef> PoolingOps() {
  std::vector<AttrDef> max_attrs = PoolingAttrs(), average_attrs = PoolingAttrs(),
                       norm_attrs = PoolingAttrs();
  max_attrs.push_back({"storage_order", AttrKind::kInt, AttrValue(int64_t{0}),
                       "indices count within a plane row-major (0) or column-major (1)"});
  average_attrs.push_back({"count_include_pad", AttrKind::kBool, AttrValue(false),
                           "elements of the padding count in the divisor"});
  norm_attrs.push_back(NormAttr());
  OpDef sums = WindowOp("SumPool", PoolingAttrs(), InferPooling, "The sum of each window's elements.",
                        HostKernel{.run = RunSumPool, .cost = 8});
  sums.is_internal = true;
  OpDef global_norm =
      GlobalOp("GlobalLpPool", "The norm of each channel, (sum of |x|^p)^(1/p).", kFloat, BuildGlobalLpPool);
  global_norm.attrs = {NormAttr()};
  global_norm.bound = kNormBound;
  OpDef norm =
      WindowOp("LpPool", std::move(norm_attrs), InferLpPool,
               "The norm of each window's elements, (sum of |x|^p)^(1/p), summed as AveragePool does. "
               "Padding contributes nothing.",
               Composite{BuildLpPool});
  norm.bound = kNormBound;
  return {
      {.name = "MaxPool",
       .inputs = {{"x", "T", kNumeric, "[batch, channels, dims...], of 1 to 3 dims"}},
       .attrs = max_attrs,
       .outputs = {{"y", "T", kNumeric, ""},
                   {"indices", "I", {DType::kI64}, "of the elements chosen, in the whole of x"}},
       .doc = "The largest element of each window: NaN if one is NaN, and -0 is less than +0. Of equal ones "
              "the "
              "first is chosen. A window in the padding alone gives the lowest value and the index -1.",
       .infer = InferMaxPool,
       .computation = HostKernel{.run = RunMaxPool, .cost = 8}},
      WindowOp("AveragePool", std::move(average_attrs), InferPooling,
               "The average of each window's elements, summed column by column; f16 and bf16 accumulate in "
               "f32. A window in the padding alone gives NaN.",
               HostKernel{.run = RunAveragePool, .cost = 8}),
      std::move(sums),
      std::move(norm),
      std::move(global_norm),
      GlobalOp("GlobalMaxPool", "The largest element of each channel: ReduceMax over the spatial dims.",
               kFloat, BuildGlobalMaxPool),
      GlobalOp("GlobalAveragePool", "The average of each channel: ReduceSum over the spatial dims, divided.",
               kFloat, BuildGlobalAveragePool),
  };
}

}  // namespace tenfold
