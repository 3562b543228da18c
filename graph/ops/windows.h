// SPDX-License-Identifier: Apache-2.0
//
// What ops that slide a window over their input have in common: attributes, and what is refused of them.
#ifndef TENFOLD_GRAPH_OPS_WINDOWS_H_
#define TENFOLD_GRAPH_OPS_WINDOWS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/op_def.h"

namespace tenfold {

// auto_pad, dilations, pads and strides.
std::vector<AttrDef> WindowAttrs();

// Input 0 is [batch, channels, dims...] with 1 to 3 dims (E0207).
absl::Status CheckSpatialRank(InferContext& c);
// The attribute `name`, a list, is empty or has `count` numbers, none below `least` (E0102).
absl::Status CheckList(InferContext& c, absl::string_view name, int count, int64_t least);
// The attributes of WindowAttrs, for so many dims.
absl::Status CheckWindowAttrs(InferContext& c, int spatial);
// The windows along spatial dim `d` have a result, as far as that is known (E0212).
absl::Status CheckWindow(InferContext& c, const WindowLayout& window, int d, bool transposed = false);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_OPS_WINDOWS_H_
