// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/convolution_kernel.h"

#include <optional>

#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/convolution_reference.h"
#include "tenfold/graph/kernel_interrupt.h"

namespace tenfold {
namespace {

absl::Status Run(KernelContext& c, bool transposed) {
  const std::optional<ConvolutionExtents> extents = EvaluateConvolution(
      LayOutConvolution(Shape::Of(c.input(0).dims), Shape::Of(c.input(1).dims), c.attrs(), transposed), {});
  if (!extents) return c.Fail("E0402", "the extents do not fit 64 bits, or one is negative");
  const ConvolutionOperands operands = {c.input(0).data, c.input(1).data,
                                        c.has(2) ? c.input(2).data : nullptr, c.output().data};
  const KernelInterrupt interrupt = InterruptOf(c);
  return c.ForEachRange(
      extents->num_units(), extents->unit_products() / 8, [&](int64_t begin, int64_t end, void*) {
        ConvolutionReference(c.output().dtype, *extents, operands, begin, end, std::nullopt, &interrupt);
        return absl::OkStatus();
      });
}

}  // namespace

absl::Status RunConvolution(KernelContext& context) { return Run(context, /*transposed=*/false); }
absl::Status RunTransposedConvolution(KernelContext& context) { return Run(context, /*transposed=*/true); }

}  // namespace tenfold
