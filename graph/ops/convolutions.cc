// SPDX-License-Identifier: Apache-2.0
//
// Convolutions. The loop nest is the reference (graph/convolution_reference.h).
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/convolution_kernel.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/contractions.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/ops/windows.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

// Operations for each element of the operands, roughly.
constexpr int64_t kConvolutionCost = 256;

// --- Inference ---------------------------------------------------------------------------------------------

// A number of groups with which the channels of x and the weights fit, for whoever forgot it.
Mend GroupHelp(const Shape& x, const Shape& w, bool transposed) {
  if (transposed || !x.dim(1).is_constant() || !w.dim(1).is_constant() || w.dim(1) == Dim(0)) return {};
  const int64_t groups = x.dim(1).constant() / w.dim(1).constant();
  if (groups <= 0 || !(w.dim(1) * groups == x.dim(1)) || !Dim::DivideExactly(w.dim(0), groups)) return {};
  return absl::StrCat("with group=", groups, " they fit");
}

absl::Status CheckChannels(InferContext& c, int weights, bool transposed) {
  const Shape &x = c.shape(0), &w = c.shape(weights);
  const int64_t groups = c.attrs().Get<int64_t>("group");
  if (groups < 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'group' is ", groups, ", but must be at least 1"));
  }
  // Of a transposed convolution the weights have all input channels and the output channels of one group.
  const Dim expected = transposed ? w.dim(0) : w.dim(1) * groups;
  if (!c.TakeDim(0, 1, expected)) {
    return c.Fail("E0201",
                  absl::StrCat("channels differ: ", c.InputText(0), " has ", x.dim(1).ToString(), ", ",
                               c.InputText(weights),
                               transposed || groups == 1 ? "" : absl::StrCat(" and group is ", groups),
                               ", which takes ", expected.ToString()),
                  GroupHelp(x, w, transposed));
  }
  if (!Dim::DivideExactly(w.dim(0), groups)) {
    return c.Fail(
        "E0212", absl::StrCat("the ", w.dim(0).ToString(), transposed ? " input" : " output", " channels of ",
                              c.InputText(weights), " do not split into ", groups, " groups"));
  }
  return absl::OkStatus();
}

absl::Status CheckOutputShape(InferContext& c, int spatial) {
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "output_padding", spatial, 0));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "output_shape", spatial, 1));
  const Ints padding = c.attrs().Get<Ints>("output_padding");
  const Ints strides = c.attrs().Get<Ints>("strides"), dilations = c.attrs().Get<Ints>("dilations");
  for (size_t d = 0; d < padding.size(); ++d) {
    const int64_t stride = strides.empty() ? 1 : strides[d], dilation = dilations.empty() ? 1 : dilations[d];
    if (padding[d] < std::max(stride, dilation)) continue;
    return c.Fail("E0102",
                  absl::StrCat("output_padding[", d, "] is ", padding[d],
                               ", but must be less than the stride ", stride, " or the dilation ", dilation,
                               ": it says which of the sizes that one input can come from "
                               "is meant"));
  }
  return absl::OkStatus();
}

template <bool transposed>
absl::Status InferConvolution(InferContext& c) {
  return InferConvolutionOf(c, {}, transposed);
}

// --- Definitions -------------------------------------------------------------------------------------------

AttrDef GroupAttr() {
  return {"group", AttrKind::kInt, AttrValue(int64_t{1}),
          "channels are split into so many groups, each of which sees its own inputs only"};
}

AttrDef KernelShapeAttr() {
  return {"kernel_shape", AttrKind::kInts, AttrValue(Ints{}), "the weights' own dims; may be left out"};
}

constexpr const char* kBound =
    "An implementation other than the reference may sum in another order: see docs/numerics.md.";

}  // namespace

absl::Status InferConvolutionOf(InferContext& c, const ConvolutionInputs& inputs, bool transposed) {
  const Shape &x = c.shape(0), &w = c.shape(inputs.w);
  if (c.has(inputs.bias) && c.shape(inputs.bias).has_rank() && c.shape(inputs.bias).rank() != 1) {
    return c.Fail("E0207", absl::StrCat(c.InputText(inputs.bias),
                                        ", but a bias is a list, one value for each channel"));
  }
  if (!x.has_rank() || !w.has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_RETURN_IF_ERROR(CheckSpatialRank(c));
  const int spatial = x.rank() - 2;
  if (w.rank() != x.rank()) {
    return c.Fail("E0207", absl::StrCat(c.InputText(inputs.w), ", but must have the rank of x, ", x.rank(),
                                        ": channels, channels, and the kernel's dims"));
  }
  TENFOLD_RETURN_IF_ERROR(CheckChannels(c, inputs.w, transposed));
  TENFOLD_RETURN_IF_ERROR(CheckWindowAttrs(c, spatial));
  const Ints kernel = c.attrs().Get<Ints>("kernel_shape");
  for (size_t d = 0; d < kernel.size(); ++d) {
    if (w.dim(static_cast<int>(d) + 2) == Dim(kernel[d])) continue;
    return c.Fail(
        "E0212",
        absl::StrCat("kernel_shape is [", absl::StrJoin(kernel, ","), "], but ", c.InputText(inputs.w)),
        "kernel_shape may be left out: it follows from the weights");
  }
  if (transposed) TENFOLD_RETURN_IF_ERROR(CheckOutputShape(c, spatial));
  const ConvolutionLayout layout = LayOutConvolution(x, w, c.attrs(), transposed);
  for (int d = 0; d < spatial; ++d) TENFOLD_RETURN_IF_ERROR(CheckWindow(c, layout.window[d], d, transposed));
  if (c.has(inputs.bias) && c.shape(inputs.bias).has_rank() &&
      !(c.shape(inputs.bias).dim(0) == layout.out_channels * layout.groups)) {
    return c.Fail("E0201", absl::StrCat("the bias has another number of channels than the result, ",
                                        (layout.out_channels * layout.groups).ToString(), ": ",
                                        c.InputText(inputs.bias)));
  }
  return c.SetOutput(0, layout.OutputShape());
}

std::vector<AttrDef> ConvolutionAttrs() {
  std::vector<AttrDef> attrs = WindowAttrs();
  attrs.push_back(GroupAttr());
  attrs.push_back(KernelShapeAttr());
  return attrs;
}

std::vector<OpDef> ConvolutionOps() {
  const std::vector<AttrDef> attrs = ConvolutionAttrs();
  std::vector<AttrDef> transposed_attrs = attrs;
  transposed_attrs.push_back({"output_padding", AttrKind::kInts, AttrValue(Ints{}),
                              "elements by which the result is longer, at the end of each dim; default 0"});
  transposed_attrs.push_back({"output_shape", AttrKind::kInts, AttrValue(Ints{}),
                              "the result's spatial extents, from which the padding follows"});
  const PortDef bias = {.name = "bias",
                        .type_var = "T",
                        .dtypes = kNumeric,
                        .doc = "[channels of the result]",
                        .arity = Arity::kOptional};
  return {
      {.name = "Conv",
       .inputs = {{"x", "T", kNumeric, "[batch, channels, dims...], of 1 to 3 dims"},
                  {"w", "T", kNumeric, "[channels of the result, channels / group, kernel dims...]"},
                  bias},
       .attrs = attrs,
       .outputs = {{"y", "T", kNumeric, "[batch, channels of the result, dims...]"}},
       .doc = "The convolution (in fact the correlation) of x with the weights, in 1 to 3 dims. Padding "
              "contributes nothing. Integers wrap; f16 and bf16 accumulate in f32.",
       .bound = kBound,
       .infer = InferConvolution<false>,
       .computation = HostKernel{.run = RunConvolution, .cost = kConvolutionCost}},
      {.name = "ConvTranspose",
       .inputs = {{"x", "T", kNumeric, "[batch, channels, dims...], of 1 to 3 dims"},
                  {"w", "T", kNumeric, "[channels, channels of the result / group, kernel dims...]"},
                  bias},
       .attrs = transposed_attrs,
       .outputs = {{"y", "T", kNumeric, "[batch, channels of the result, dims...]"}},
       .doc =
           "The transpose of a convolution: what Conv with these attributes takes from x, this gives back. "
           "Integers wrap; f16 and bf16 accumulate in f32.",
       .bound = kBound,
       .infer = InferConvolution<true>,
       .computation = HostKernel{.run = RunTransposedConvolution, .cost = kConvolutionCost}},
  };
}

}  // namespace tenfold
