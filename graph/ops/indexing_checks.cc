// SPDX-License-Identifier: Apache-2.0
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ops/indexing.h"

namespace tenfold {

absl::Status BadIndex(const KernelContext& c, int64_t position, int64_t extent) {
  return c.OutOfRange(1, "indices", position, IndexAt(c.input(1), position), -extent, extent);
}

absl::Status CheckElementIndices(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  const Shape &data = c.shape(0), &indices = c.shape(1);
  if (!data.has_rank() || !indices.has_rank()) return absl::OkStatus();
  if (data.rank() != indices.rank()) {
    return c.Fail("E0207", absl::StrCat("ranks differ: ", c.InputText(0), ", ", c.InputText(1)));
  }
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", data.rank()));
  for (int d = 0; d < data.rank(); ++d) {
    const Dim &have = data.dim(d), &want = indices.dim(d);
    if (d == axis) continue;
    if (c.TakeSize(Min(want, have), want, absl::StrCat("the lesser of dim ", d, " of indices and data")))
      continue;
    return c.Fail("E0201",
                  absl::StrCat("dim ", d, " of the indices is ", want.ToString(),
                               ", and that of data is less: ", c.InputText(0), ", ", c.InputText(1)));
  }
  return absl::OkStatus();
}

absl::StatusOr<int> TupleLength(InferContext& c, int data) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(1, 1));
  const Dim& length = c.shape(1).dim(c.shape(1).rank() - 1);
  if (!length.is_constant() || length.constant() > c.shape(data).rank()) {
    return c.Fail("E0201", absl::StrCat("the tuples in indices are ", length.ToString(), " long, but ",
                                        c.InputText(data), ", which has ", c.shape(data).rank(), " dims"));
  }
  return static_cast<int>(length.constant());
}

absl::StatusOr<int64_t> SliceAt(const KernelContext& c, const KernelTensor& data, int batch_dims,
                                int64_t unit) {
  const int64_t tuple = c.input(1).dims.back();
  int64_t slice = 0;
  for (int64_t k = 0; k < tuple; ++k) {
    const int64_t extent = data.dims[batch_dims + k];
    const std::optional<int64_t> index = IndexInto(c.input(1), unit * tuple + k, extent);
    if (!index) return BadIndex(c, unit * tuple + k, extent);
    slice = slice * extent + *index;
  }
  return slice;
}

}  // namespace tenfold
