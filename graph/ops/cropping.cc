// SPDX-License-Identifier: Apache-2.0
//
// CenterCropPad: other extents about the middle.
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// What one axis keeps is one run, whether it grows or shrinks, which a symbol does not say yet.
absl::Status InferCenterCropPad(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.has_rank()) return c.Fail("E0209", "the rank of x is not known");
  std::vector<int64_t> listed = c.attrs().Get<std::vector<int64_t>>("axes");
  if (c.attrs().Find("axes") == nullptr) {
    listed.resize(x.rank());
    std::iota(listed.begin(), listed.end(), 0);
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, c.NormalizeAxes("axes", listed, x.rank()));
  TENFOLD_ASSIGN_OR_RETURN(const Contents wanted, c.Known(1));
  if (wanted.size() != axes.size()) {
    return c.Fail("E0212", absl::StrCat("there are ", wanted.size(), " extents for ", axes.size(),
                                        axes.size() == 1 ? " axis" : " axes"));
  }
  std::vector<Dim> dims = x.dims();
  for (size_t i = 0; i < axes.size(); ++i) {
    if (wanted[i].is_constant() && wanted[i].constant() < 0) {
      return c.Fail("E0212", absl::StrCat("the extent of axis ", axes[i], " is ", wanted[i].constant()));
    }
    dims[axes[i]] = wanted[i];
  }
  const std::vector<Dim> from_strides = RowMajorStrides(x.dims()), to_strides = RowMajorStrides(dims);
  Piece kept;
  kept.from_strides = from_strides;
  kept.to_strides = to_strides;
  bool fills = false;
  for (int d = 0; d < x.rank(); ++d) {
    const Dim &in = x.dim(d), &out = dims[d];
    kept.extents.push_back(in == out ? in : Min(in, out));
    if (in == out) continue;
    kept.from = kept.from + FloorDiv(Max(in - out, 0), 2) * from_strides[d];
    kept.to = kept.to + FloorDiv(Max(out - in, 0), 2) * to_strides[d];
    fills = fills || !(in.is_constant() && out.is_constant() && in.constant() > out.constant());
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(dims))));
  c.SetLayout(0, {{std::move(kept)}, fills ? Layout::kZeros : Layout::kNoFill});
  return absl::OkStatus();
}

}  // namespace

std::vector<OpDef> CroppingOps() {
  return {
      {.name = "CenterCropPad",
       .inputs = {{"x", "T", kAnyType, ""},
                  {.name = "shape",
                   .type_var = "I",
                   .dtypes = kIndex,
                   .doc = "an extent for each of the axes",
                   .known = true}},
       .attrs = {OptionalAttr("axes", AttrKind::kInts, "whose extents they are; absent: all")},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc =
           "Cuts off both ends of an axis that is longer than it should be, and puts zeros at both ends of "
           "one that is shorter. Of an odd number the larger half is at the end.",
       .infer = InferCenterCropPad,
       .computation = Movement{}},
  };
}

}  // namespace tenfold
