// SPDX-License-Identifier: Apache-2.0
//
// Ops that move elements and compute nothing: each is a map from output elements to input elements.
#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// The output is the input's memory under another shape.
std::vector<Dim> Alias(const Shape&, const Shape& output, const Attrs&) {
  return RowMajorStrides(output.dims());
}

// --- Reshape -----------------------------------------------------------------------------------------------

int64_t Distance(int64_t a, int64_t b) { return a < b ? b - a : a - b; }

// "{1, 784}".
std::string Written(const std::vector<int64_t>& shape) {
  return absl::StrCat("{", absl::StrJoin(shape, ", "), "}");
}

// A mend for a shape that does not hold `total` elements: one of its extents is changed, by as little as
// possible. `dims` are those of `wanted`, where 0 has been replaced by the dim that it copies.
Mend NearestShape(const Contents& wanted, const std::vector<Dim>& dims, const Dim& total) {
  // Farther than this from what was meant, a shape is no help.
  constexpr int64_t kFarthest = 100;
  std::vector<int64_t> shape;
  for (size_t i = 0; i < dims.size(); ++i) {
    shape.push_back(wanted[i] == Dim(-1) || wanted[i] == Dim(0) ? wanted[i].constant()
                    : dims[i].is_constant()                     ? dims[i].constant()
                                                                : -1);
  }
  // With more than one -1 the shape would not say what it is.
  const auto rests = std::count(shape.begin(), shape.end(), -1);
  const bool has_rest = rests == 1;
  std::optional<std::vector<int64_t>> best;
  int64_t best_distance = 0;
  const auto consider = [&](size_t i, int64_t extent) {
    const int64_t distance = extent < 0 ? kFarthest : Distance(extent, shape[i]);
    if (best && distance >= best_distance) return;
    best_distance = distance;
    best = shape;
    (*best)[i] = extent;
  };
  for (size_t i = 0; i < shape.size() && rests <= 1; ++i) {
    if (shape[i] <= 0) continue;
    Dim others = 1;
    for (size_t k = 0; k < shape.size(); ++k) {
      if (k != i && shape[k] != -1) others = others * dims[k];
    }
    if (others == Dim(0)) continue;
    if (!has_rest) {
      const std::optional<Dim> extent = Dim::DivideExactly(total, others);
      if (extent) consider(i, extent->is_constant() ? extent->constant() : -1);
      continue;
    }
    const auto divides = [&](int64_t extent) {
      return extent > 0 && Dim::DivideExactly(total, others * Dim(extent)).has_value();
    };
    for (int64_t by = 1; by <= kFarthest; ++by) {
      const bool below = divides(shape[i] - by);
      if (!below && !divides(shape[i] + by)) continue;
      consider(i, below ? shape[i] - by : shape[i] + by);
      break;
    }
  }
  if (!best) return absl::StrCat("the shape {-1} holds them: [", total.ToString(), "]");
  const std::string nearest = Written(*best);
  return {absl::StrCat("the nearest shape that holds them is ", nearest),
          {ReplacePart{ReplacePart::kOperand, 1, nearest}}};
}

absl::Status InferReshape(InferContext& c) {
  if (!c.contents(1).has_value()) {
    return c.Fail("E0208", "the new shape is not known while the graph is built",
                  "write it as a constant, Reshape(x, {-1, 784}), or compute it from constants");
  }
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  const Shape& from = c.shape(0);
  const bool allow_zero = c.attrs().Get<bool>("allowzero");
  std::vector<Dim> dims;
  std::optional<size_t> inferred;
  Dim known = 1;
  for (const Dim& wanted : *c.contents(1)) {
    const size_t i = dims.size();
    if (wanted == Dim(-1)) {
      if (inferred.has_value()) return c.Fail("E0208", "the new shape names -1 more than once");
      inferred = i;
      dims.push_back(1);
      continue;
    }
    if (wanted == Dim(0) && !allow_zero) {
      if (static_cast<int>(i) >= from.rank()) {
        return c.Fail("E0208", absl::StrCat("0 at position ", i, " copies a dim that data does not have"));
      }
      dims.push_back(from.dim(static_cast<int>(i)));
    } else if (wanted.is_constant() && wanted.constant() < 0) {
      return c.Fail("E0208", absl::StrCat("the new shape has the extent ", wanted.constant()));
    } else {
      dims.push_back(wanted);
    }
    known = known * dims.back();
  }
  const Dim total = from.num_elements();
  if (inferred.has_value()) {
    const std::optional<Dim> rest = known == Dim(0) ? std::nullopt : Dim::DivideExactly(total, known);
    if (!rest.has_value()) {
      return c.Fail(
          "E0208",
          absl::StrCat(c.shape(0).ToString(), " holds ", total.ToString(),
                       " elements, which -1 cannot fill up: the other dims hold ", known.ToString()),
          NearestShape(*c.contents(1), dims, total));
    }
    dims[*inferred] = *rest;
  } else if (!(known == total)) {
    return c.Fail("E0208",
                  absl::StrCat(from.ToString(), " holds ", total.ToString(), " elements, ",
                               Shape(dims).ToString(), " holds ", known.ToString()),
                  NearestShape(*c.contents(1), dims, total));
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(dims))));
  return c.contents(0).has_value() ? c.SetContents(0, *c.contents(0)) : absl::OkStatus();
}

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
  std::vector<Dim> dims;
  for (int64_t p : Permutation(c.attrs(), rank)) dims.push_back(c.shape(0).dim(static_cast<int>(p)));
  return c.SetOutput(0, Shape(std::move(dims)));
}

std::vector<Dim> TransposeStrides(const Shape& input, const Shape&, const Attrs& attrs) {
  const std::vector<Dim> strides = RowMajorStrides(input.dims());
  std::vector<Dim> permuted;
  for (int64_t p : Permutation(attrs, input.rank())) permuted.push_back(strides[p]);
  return permuted;
}

// --- OptimizationBarrier -----------------------------------------------------------------------------------

absl::Status InferSame(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, c.shape(0)));
  return absl::OkStatus();
}

}  // namespace

std::vector<OpDef> MovementOps() {
  return {
      {.name = "Reshape",
       .inputs =
           {{"data", "T", kAnyType, ""},
            {"shape", "I", {DType::kI64}, "the new extents; one may be -1 (what is left), 0 copies the dim"}},
       .attrs = {{"allowzero", AttrKind::kBool, AttrValue(false), "0 means an empty dim, not a copied one"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "The same elements, in row-major order, under another shape. Costs nothing at run time.",
       .infer = InferReshape,
       .computation = Movement{Alias}},
      {.name = "Transpose",
       .inputs = {{"data", "T", kAnyType, ""}},
       .attrs = {{"perm", AttrKind::kInts, AttrValue(std::vector<int64_t>()),
                  "output dim i is input dim perm[i]; empty: reversed"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Permutes the dims.",
       .infer = InferTranspose,
       .computation = Movement{TransposeStrides}},
      {.name = "OptimizationBarrier",
       .inputs = {{"x", "T", kAnyType, ""}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Gives its input. The compiler neither folds it nor moves anything across it.",
       .infer = InferSame,
       .computation = Movement{Alias},
       .is_barrier = true},
  };
}

}  // namespace tenfold
