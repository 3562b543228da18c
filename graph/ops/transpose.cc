// SPDX-License-Identifier: Apache-2.0
//
// Dims in another order, and what is made of that.
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Transpose ---------------------------------------------------------------------------------------------

// Completed: an empty perm reverses the dims.
std::vector<int64_t> Permutation(const Attrs& attrs, int rank) {
  std::vector<int64_t> perm = attrs.Get<std::vector<int64_t>>("perm");
  if (perm.empty()) {
    perm.resize(rank);
    std::iota(perm.rbegin(), perm.rend(), 0);
  }
  for (int64_t& p : perm) p = NormalizeAxis(p, rank).value_or(0);
  return perm;
}

absl::Status InferTranspose(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  const int rank = c.shape(0).rank();
  if (!c.attrs().Get<std::vector<int64_t>>("perm").empty()) {
    TENFOLD_ASSIGN_OR_RETURN(std::vector<int> axes, c.Axes("perm", rank));
    if (static_cast<int>(axes.size()) != rank) {
      return c.Fail("E0203", absl::StrCat("perm names ", axes.size(), " of ", rank, " axes"));
    }
  }
  const std::vector<Dim> strides = RowMajorStrides(c.shape(0).dims());
  std::vector<Dim> dims, permuted;
  for (int64_t p : Permutation(c.attrs(), rank)) {
    dims.push_back(c.shape(0).dim(static_cast<int>(p)));
    permuted.push_back(strides[p]);
  }
  const Shape shape(std::move(dims));
  c.SetLayout(0, ViewOf(0, shape, 0, std::move(permuted)));
  return c.SetOutput(0, shape);
}

// --- DepthToSpace, SpaceToDepth ----------------------------------------------------------------------------

// A view of a tensor of `dims` under the dims `split`, permuted: as Reshape, Transpose and Reshape would do
// it, in one copy.
Layout Permuted(const std::vector<Dim>& split, const std::vector<int>& perm) {
  const std::vector<Dim> strides = RowMajorStrides(split);
  Piece piece;
  for (int p : perm) {
    piece.extents.push_back(split[p]);
    piece.from_strides.push_back(strides[p]);
  }
  piece.to_strides = RowMajorStrides(piece.extents);
  return {{std::move(piece)}};
}

// [n, c, h, w] and the block's extent.
absl::StatusOr<int64_t> CheckBlocks(InferContext& c) {
  if (c.shape(0).has_rank() && c.shape(0).rank() != 4) {
    return c.Fail("E0207", absl::StrCat(c.InputText(0), ", but [n, c, h, w] is needed"));
  }
  const int64_t block = c.attrs().Get<int64_t>("blocksize");
  if (block >= 1 && block <= int64_t{1} << 30) return block;
  return c.Fail("E0102", absl::StrCat("blocksize is ", block, ", but it is 1 or more"));
}

absl::Status InferDepthToSpace(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const int64_t block, CheckBlocks(c));
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  const std::vector<Dim>& dims = c.shape(0).dims();
  const Dim &n = dims[0], &h = dims[2], &w = dims[3], b = block;
  const std::optional<Dim> depth = Dim::DivideExactly(dims[1], b * b);
  if (!depth) {
    return c.Fail("E0212",
                  absl::StrCat(dims[1].ToString(), " channels do not make blocks of ", block, " by ", block));
  }
  const bool depth_first = c.attrs().Get<std::string>("mode") == "CRD";
  c.SetLayout(0, depth_first ? Permuted({n, *depth, b, b, h, w}, {0, 1, 4, 2, 5, 3})
                             : Permuted({n, b, b, *depth, h, w}, {0, 3, 4, 1, 5, 2}));
  return c.SetOutput(0, Shape{n, *depth, h * b, w * b});
}

absl::Status InferSpaceToDepth(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const int64_t block, CheckBlocks(c));
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  const std::vector<Dim>& dims = c.shape(0).dims();
  const Dim b = block;
  const std::optional<Dim> h = Dim::DivideExactly(dims[2], b), w = Dim::DivideExactly(dims[3], b);
  if (!h || !w) {
    return c.Fail(
        "E0212", absl::StrCat(c.shape(0).ToString(), " does not fall into blocks of ", block, " by ", block));
  }
  c.SetLayout(0, Permuted({dims[0], dims[1], *h, b, *w, b}, {0, 3, 5, 1, 2, 4}));
  return c.SetOutput(0, Shape{dims[0], dims[1] * b * b, *h, *w});
}

}  // namespace

std::vector<OpDef> TransposingOps() {
  return {
      {.name = "Transpose",
       .inputs = {{"data", "T", kAnyType, ""}},
       .attrs = {{"perm", AttrKind::kInts, AttrValue(std::vector<int64_t>()),
                  "output dim i is input dim perm[i]; empty: reversed"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Permutes the dims.",
       .infer = InferTranspose,
       .computation = Movement{}},
      {.name = "DepthToSpace",
       .inputs = {{"x", "T", kAnyType, "[n, c, h, w]"}},
       .attrs =
           {{"blocksize", AttrKind::kInt, std::nullopt, "how many rows, and columns, become of one"},
            {"mode",
             AttrKind::kString,
             AttrValue(std::string("DCR")),
             "how channels are numbered: \"DCR\", the block's place first; \"CRD\", the new channel first",
             {"DCR", "CRD"}}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Moves channels into blocks of rows and columns.",
       .infer = InferDepthToSpace,
       .computation = Movement{}},
      {.name = "SpaceToDepth",
       .inputs = {{"x", "T", kAnyType, "[n, c, h, w]"}},
       .attrs = {{"blocksize", AttrKind::kInt, std::nullopt, "how many rows, and columns, become one"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Moves blocks of rows and columns into channels.",
       .infer = InferSpaceToDepth,
       .computation = Movement{}},
  };
}

}  // namespace tenfold
