// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ops/checks.h"

#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

absl::Status CheckRanksKnown(InferContext& c) {
  for (int i = 0; i < c.num_inputs(); ++i) {
    if (c.has(i) && !c.shape(i).has_rank()) {
      return c.Fail("E0209", absl::StrCat("the rank of ", c.op().InputPort(i).name, " is not known"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBroadcastsTo(InferContext& c, int i, const Shape& target, absl::string_view what) {
  if (!c.shape(i).has_rank() || !target.has_rank()) return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(
      const Shape both,
      c.Broadcast(c.shape(i), target, absl::StrCat(c.op().InputPort(i).name, " and ", what), i));
  // A dim may be 1 where the target's is.
  bool fits = both.rank() == target.rank();
  for (int d = 0; fits && d < c.shape(i).rank(); ++d) {
    const int to = target.rank() - c.shape(i).rank() + d;
    fits = both.dim(to) == target.dim(to) || c.TakeDim(i, d, target.dim(to));
  }
  if (fits) return absl::OkStatus();
  return c.Fail("E0202",
                absl::StrCat(c.InputText(i), ", which does not broadcast to ", what, " ", target.ToString()));
}

absl::Status CheckOneForEach(InferContext& c, int i, int dim, absl::string_view what) {
  if (!c.shape(i).has_rank()) return absl::OkStatus();
  if (c.shape(i).rank() != 1) {
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(i), ", but must be a list, one value for each of the ", what));
  }
  return c.SameDim(0, dim, i, 0, what);
}

absl::Status CheckFinite(InferContext& c, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const AttrValue* const attr = c.attrs().Find(name);
    if (attr == nullptr) continue;
    const double value = std::get<double>(*attr);
    if (std::abs(value) <= std::numeric_limits<float>::max()) continue;
    return c.Fail("E0102",
                  absl::StrCat("attribute '", name, "' is ", value, ", but must be a finite number of f32"));
  }
  return absl::OkStatus();
}

double LowestOf(DType dtype) { return IsSignedInteger(dtype) ? -std::ldexp(1, BitWidth(dtype) - 1) : 0; }

double EndOf(DType dtype) {
  if (IsBool(dtype)) return 2;
  return std::ldexp(1, BitWidth(dtype) - (IsSignedInteger(dtype) ? 1 : 0));
}

absl::Status CheckIsOne(InferContext& c, const char* name, DType dtype) {
  const double value = c.attrs().Get<double>(name);
  if (value == std::floor(value) && value >= LowestOf(dtype) && value < EndOf(dtype)) return absl::OkStatus();
  return c.Fail("E0102", absl::StrCat(name, " is ", value, ", which no ", Name(dtype), " is"));
}

absl::Status CheckOneValue(InferContext& c, int i) {
  if (!c.has(i) || !c.shape(i).has_rank() || IsOneValue(c.shape(i))) return absl::OkStatus();
  return c.Fail("E0207", absl::StrCat(c.InputText(i), ", but must be one value"));
}

absl::StatusOr<Dim> KnownValue(InferContext& c, int i) {
  TENFOLD_RETURN_IF_ERROR(CheckOneValue(c, i));
  TENFOLD_ASSIGN_OR_RETURN(const Contents known, c.Known(i));
  if (known.size() == 1) return known[0];
  return c.Fail("E0212", absl::StrCat(c.InputText(i), ", but it is one value"));
}

absl::Status CheckDTypeAttr(InferContext& c, const char* name, DTypeSet admitted) {
  const AttrValue* const attr = c.attrs().Find(name);
  if (attr == nullptr || admitted.Contains(std::get<DType>(*attr))) return absl::OkStatus();
  return c.Fail("E0102", absl::StrCat("attribute '", name, "' is ", Name(std::get<DType>(*attr)),
                                      ", but must be ", admitted.ToString()));
}

}  // namespace tenfold
