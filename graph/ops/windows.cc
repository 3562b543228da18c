// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/windows.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

}  // namespace

std::vector<AttrDef> WindowAttrs() {
  return {{"auto_pad",
           AttrKind::kString,
           AttrValue(std::string("NOTSET")),
           "NOTSET: `pads` says it; VALID: no padding; SAME_UPPER, SAME_LOWER: as much as makes the result "
           "as long as the input divided by the stride, an odd one at the end or at the beginning",
           {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"}},
          {"dilations", AttrKind::kInts, AttrValue(Ints{}),
           "distances of the elements of a window, one for each spatial dim; default 1"},
          {"pads", AttrKind::kInts, AttrValue(Ints{}),
           "elements of padding before each spatial dim, then those behind each; default 0"},
          {"strides", AttrKind::kInts, AttrValue(Ints{}),
           "distances of neighbouring windows, one for each spatial dim; default 1"}};
}

absl::Status CheckSpatialRank(InferContext& c) {
  const int rank = c.shape(0).rank();
  if (rank >= 3 && rank <= 2 + kMaxSpatialDims) return absl::OkStatus();
  return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but must be [batch, channels, dims...] with 1 to ",
                                      kMaxSpatialDims, " dims"));
}

absl::Status CheckList(InferContext& c, absl::string_view name, int count, int64_t least) {
  const Ints list = c.attrs().Get<Ints>(name);
  if (list.empty()) return absl::OkStatus();
  if (static_cast<int>(list.size()) != count) {
    return c.Fail("E0102",
                  absl::StrCat("attribute '", name, "' is [", absl::StrJoin(list, ","), "], ", list.size(),
                               list.size() == 1 ? " number" : " numbers", ", but must have ", count));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (list[i] >= least) continue;
    return c.Fail("E0102", absl::StrCat(name, "[", i, "] is ", list[i], ", but must be at least ", least));
  }
  return absl::OkStatus();
}

absl::Status CheckWindowAttrs(InferContext& c, int spatial) {
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "dilations", spatial, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "strides", spatial, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "pads", 2 * spatial, 0));
  if (c.op().FindAttr("kernel_shape") != nullptr) {
    TENFOLD_RETURN_IF_ERROR(CheckList(c, "kernel_shape", spatial, 1));
  }
  const std::string auto_pad = c.attrs().Get<std::string>("auto_pad");
  const Ints pads = c.attrs().Get<Ints>("pads");
  if (auto_pad != "NOTSET" && std::any_of(pads.begin(), pads.end(), [](int64_t p) { return p != 0; })) {
    return c.Fail("E0102",
                  absl::StrCat("pads is [", absl::StrJoin(pads, ","), "], and auto_pad is \"", auto_pad,
                               "\": they cannot both say what the padding is"),
                  "leave one of them out");
  }
  return absl::OkStatus();
}

absl::Status CheckWindow(InferContext& c, const WindowLayout& window, int d, bool transposed) {
  if (!window.output.is_constant() || window.output.constant() > 0) return absl::OkStatus();
  if (transposed) {
    return c.Fail("E0212", absl::StrCat("nothing is left of spatial dim ", d, ": the padding of ",
                                        (window.pad_begin + window.pad_end).ToString(), " takes away all"));
  }
  return c.Fail("E0212", absl::StrCat("the windows along spatial dim ", d, " reach over ",
                                      window.reach().ToString(), " elements, more than the ",
                                      (window.input + window.pad_begin + window.pad_end).ToString(),
                                      " that it has with its padding"));
}

}  // namespace tenfold
