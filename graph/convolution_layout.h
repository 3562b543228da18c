// SPDX-License-Identifier: Apache-2.0
//
// Which windows a convolution or a pooling lays over its input: extents and padding as expressions over the
// dims, from shapes and the attributes that ONNX gives these ops.
#ifndef TENFOLD_GRAPH_CONVOLUTION_LAYOUT_H_
#define TENFOLD_GRAPH_CONVOLUTION_LAYOUT_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "tenfold/graph/attrs.h"
#include "tenfold/graph/convolution_reference.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/window_extents.h"

namespace tenfold {

// As WindowExtents.
struct WindowLayout {
  Dim input, kernel, output;
  int64_t stride = 1, dilation = 1;
  Dim pad_begin, pad_end;

  // Elements from the first to the last of a window.
  Dim reach() const { return (kernel - 1) * dilation + 1; }
};

// One for each spatial dim.
using WindowLayouts = std::vector<WindowLayout>;

// As ConvolutionExtents.
struct ConvolutionLayout {
  Dim batch;
  int64_t groups = 1;
  Dim in_channels, out_channels;  // of one group
  WindowLayouts window;
  bool transposed = false;

  Shape OutputShape() const;
};

// Of x [batch, channels, dims...] and w, by the attributes auto_pad, dilations, group, pads and strides;
// transposed also output_padding and output_shape. A list that is empty stands for its default. Shapes and
// attributes must be those that the ops' inference admits.
ConvolutionLayout LayOutConvolution(const Shape& x, const Shape& w, const Attrs& attrs, bool transposed);

// Of pooling over x [batch, channels, dims...], by auto_pad, ceil_mode, dilations, kernel_shape, pads and
// strides.
WindowLayouts LayOutPooling(const Shape& x, const Attrs& attrs);

// The numbers under `symbols`; nullopt as Dim::Evaluate, or if an extent is negative.
std::optional<Window> EvaluateWindow(const WindowLayouts& layouts, const SymbolValues& symbols);
std::optional<ConvolutionExtents> EvaluateConvolution(const ConvolutionLayout& layout,
                                                      const SymbolValues& symbols);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONVOLUTION_LAYOUT_H_
