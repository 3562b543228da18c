// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/convolution_layout.h"

#include <string>
#include <utility>

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

Dim CeilDiv(const Dim& a, int64_t b) { return FloorDiv(a + (b - 1), b); }

int64_t At(const Ints& list, size_t i, int64_t otherwise) { return list.empty() ? otherwise : list[i]; }

// Strides, dilations and given pads; kernel and output are left to fill in.
WindowLayouts FromAttrs(const Shape& x, const Attrs& attrs) {
  const size_t spatial = static_cast<size_t>(x.rank()) - 2;
  const Ints strides = attrs.Get<Ints>("strides"), dilations = attrs.Get<Ints>("dilations"),
             pads = attrs.Get<Ints>("pads");
  WindowLayouts window(spatial);
  for (size_t d = 0; d < spatial; ++d) {
    window[d].input = x.dim(static_cast<int>(d) + 2);
    window[d].stride = At(strides, d, 1);
    window[d].dilation = At(dilations, d, 1);
    window[d].pad_begin = At(pads, d, 0);
    window[d].pad_end = At(pads, d + spatial, 0);
  }
  return window;
}

// `total` in two halves; SAME_UPPER has the odd one at the end.
void SplitPadding(const Dim& total, bool upper, WindowLayout& w) {
  const Dim half = FloorDiv(total, 2);
  w.pad_begin = upper ? half : total - half;
  w.pad_end = total - w.pad_begin;
}

// The output of windows that slide over a padded input, and the padding where it is automatic.
void Slide(const std::string& auto_pad, bool ceil_mode, WindowLayout& w) {
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    w.output = CeilDiv(w.input, w.stride);
    SplitPadding(Max((w.output - 1) * w.stride + w.reach() - w.input, 0), auto_pad == "SAME_UPPER", w);
    return;
  }
  if (auto_pad == "VALID") w.pad_begin = w.pad_end = 0;
  const Dim room = w.input + w.pad_begin + w.pad_end - w.reach();
  w.output = FloorDiv(room, w.stride) + 1;
  // Windows that hang over the end, unless they start behind the input.
  if (ceil_mode && auto_pad == "NOTSET" && w.stride > 1) {
    w.output = Min(CeilDiv(room, w.stride) + 1, CeilDiv(w.input + w.pad_begin, w.stride));
  }
}

void Transpose(const Attrs& attrs, size_t d, WindowLayout& w) {
  const std::string auto_pad = attrs.Get<std::string>("auto_pad");
  const Ints output_shape = attrs.Get<Ints>("output_shape");
  const Dim whole = (w.input - 1) * w.stride + w.reach() + At(attrs.Get<Ints>("output_padding"), d, 0);
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  if (auto_pad == "VALID") w.pad_begin = w.pad_end = 0;
  if (output_shape.empty() && !same) {
    w.output = whole - w.pad_begin - w.pad_end;
    return;
  }
  w.output = output_shape.empty() ? w.input * w.stride : Dim(output_shape[d]);
  SplitPadding(Max(whole - w.output, 0), auto_pad == "SAME_UPPER", w);
}

}  // namespace

Shape ConvolutionLayout::OutputShape() const {
  std::vector<Dim> dims = {batch, out_channels * groups};
  for (const WindowLayout& w : window) dims.push_back(w.output);
  return Shape(std::move(dims));
}

ConvolutionLayout LayOutConvolution(const Shape& x, const Shape& w, const Attrs& attrs, bool transposed) {
  ConvolutionLayout layout;
  layout.transposed = transposed;
  layout.batch = x.dim(0);
  layout.groups = attrs.Get<int64_t>("group");
  layout.in_channels = transposed ? FloorDiv(x.dim(1), layout.groups) : w.dim(1);
  layout.out_channels = transposed ? w.dim(1) : FloorDiv(w.dim(0), layout.groups);
  layout.window = FromAttrs(x, attrs);
  const std::string auto_pad = attrs.Get<std::string>("auto_pad");
  for (size_t d = 0; d < layout.window.size(); ++d) {
    layout.window[d].kernel = w.dim(static_cast<int>(d) + 2);
    if (transposed)
      Transpose(attrs, d, layout.window[d]);
    else
      Slide(auto_pad, /*ceil_mode=*/false, layout.window[d]);
  }
  return layout;
}

WindowLayouts LayOutPooling(const Shape& x, const Attrs& attrs) {
  WindowLayouts window = FromAttrs(x, attrs);
  const Ints kernel = attrs.Get<Ints>("kernel_shape");
  for (size_t d = 0; d < window.size(); ++d) {
    window[d].kernel = kernel[d];
    Slide(attrs.Get<std::string>("auto_pad"), attrs.Get<bool>("ceil_mode"), window[d]);
  }
  return window;
}

std::optional<Window> EvaluateWindow(const WindowLayouts& layouts, const SymbolValues& symbols) {
  Window window;
  for (size_t d = 0; d < layouts.size(); ++d) {
    const WindowLayout& from = layouts[d];
    WindowExtents& to = window[kMaxSpatialDims - layouts.size() + d];
    to.stride = from.stride;
    to.dilation = from.dilation;
    const std::pair<const Dim*, int64_t*> fields[] = {{&from.input, &to.input},
                                                      {&from.kernel, &to.kernel},
                                                      {&from.output, &to.output},
                                                      {&from.pad_begin, &to.pad_begin},
                                                      {&from.pad_end, &to.pad_end}};
    for (const auto& [dim, extent] : fields) {
      const std::optional<int64_t> value = dim->Evaluate(symbols);
      if (!value || *value < 0) return std::nullopt;
      *extent = *value;
    }
  }
  return window;
}

std::optional<ConvolutionExtents> EvaluateConvolution(const ConvolutionLayout& layout,
                                                      const SymbolValues& symbols) {
  ConvolutionExtents extents;
  extents.groups = layout.groups;
  extents.transposed = layout.transposed;
  const std::pair<const Dim*, int64_t*> fields[] = {{&layout.batch, &extents.batch},
                                                    {&layout.in_channels, &extents.in_channels},
                                                    {&layout.out_channels, &extents.out_channels}};
  for (const auto& [dim, extent] : fields) {
    const std::optional<int64_t> value = dim->Evaluate(symbols);
    if (!value || *value < 0) return std::nullopt;
    *extent = *value;
  }
  const std::optional<Window> window = EvaluateWindow(layout.window, symbols);
  if (!window) return std::nullopt;
  extents.window = *window;
  return extents;
}

}  // namespace tenfold
