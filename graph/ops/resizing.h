// SPDX-License-Identifier: Apache-2.0
//
// What Resize's inference and its kernel share.
#ifndef TENFOLD_GRAPH_OPS_RESIZING_H_
#define TENFOLD_GRAPH_OPS_RESIZING_H_

#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "tenfold/graph/attrs.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/resampling.h"

namespace tenfold {

// The inputs of Resize; exactly one of scales and sizes is there.
enum ResizeInput { kX, kRoi, kScales, kSizes };

// What the attributes say of positions and weights.
ResamplingRule ResizeRule(const Attrs& attrs);

// Whether all axes have one scale, which follows from their sizes.
bool KeepsAspectRatio(const Attrs& attrs);

// The one scale at which everything fits into `sizes`, or fills them, by keep_aspect_ratio_policy.
double CommonScale(const Attrs& attrs, std::span<const int64_t> extents, std::span<const int64_t> sizes);

// The kernel, and the bytes of scratch that a thread needs: the sums of one row.
absl::Status RunResize(KernelContext& c);
int64_t ResizeScratch(const KernelContext& c);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_RESIZING_H_
