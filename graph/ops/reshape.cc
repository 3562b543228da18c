// SPDX-License-Identifier: Apache-2.0
//
// The same elements under another shape: aliases, which cost nothing at run time.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// The elements of input 0 under another shape, with the values that are known of them. That there are as many
// is known, or checked by runs.
absl::Status SetReshaped(InferContext& c, Shape shape) {
  Layout layout = AliasOf(0, shape);
  layout.is_alias = true;
  c.SetLayout(0, std::move(layout));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, std::move(shape)));
  return c.contents(0).has_value() ? c.SetContents(0, *c.contents(0)) : absl::OkStatus();
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
  const std::string count = absl::StrCat("the number of elements of ", c.NameOf(0));
  if (inferred.has_value()) {
    std::optional<Dim> rest = known == Dim(0) ? std::nullopt : Dim::DivideExactly(total, known);
    // A number that does not divide them is most likely another than was meant.
    if (!rest.has_value() && !known.is_constant()) {
      const Dim quotient = FloorDiv(total, known);
      if (quotient.valid() && c.TakeSize(total, known * quotient, count)) rest = quotient;
    }
    if (!rest.has_value()) {
      return c.Fail(
          "E0208",
          absl::StrCat(c.shape(0).ToString(), " holds ", total.ToString(),
                       " elements, which -1 cannot fill up: the other dims hold ", known.ToString()),
          NearestShape(*c.contents(1), dims, total));
    }
    dims[*inferred] = *rest;
  } else if (!c.TakeSize(total, known, count)) {
    return c.Fail("E0208",
                  absl::StrCat(from.ToString(), " holds ", total.ToString(), " elements, ",
                               Shape(dims).ToString(), " holds ", known.ToString()),
                  NearestShape(*c.contents(1), dims, total));
  }
  return SetReshaped(c, Shape(std::move(dims)));
}

// --- Squeeze, Unsqueeze, Flatten ---------------------------------------------------------------------------

absl::Status InferSqueeze(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  const Shape& from = c.shape(0);
  std::vector<bool> dropped(from.rank());
  if (c.has(1)) {
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<int64_t> listed, c.KnownInts(1));
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, c.NormalizeAxes("axes", listed, from.rank()));
    for (int axis : axes) {
      if (!c.TakeDim(0, axis, 1)) {
        return c.Fail("E0201", absl::StrCat(c.InputText(0), ": dim ", axis, " is ", from.dim(axis).ToString(),
                                            ", and only a dim of 1 can be dropped"));
      }
      dropped[axis] = true;
    }
  } else {
    for (int d = 0; d < from.rank(); ++d) {
      dropped[d] = from.dim(d) == Dim(1);
      if (from.dim(d).is_constant()) continue;
      return c.Fail("E0211",
                    absl::StrCat(c.InputText(0), ": whether dim ", d, ", ", from.dim(d).ToString(),
                                 ", is dropped would depend on its value"),
                    "name the axes that are dropped");
    }
  }
  std::vector<Dim> dims;
  for (int d = 0; d < from.rank(); ++d) {
    if (!dropped[d]) dims.push_back(from.dim(d));
  }
  return SetReshaped(c, Shape(std::move(dims)));
}

absl::Status InferUnsqueeze(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int64_t> listed, c.KnownInts(1));
  const int rank = c.shape(0).rank() + static_cast<int>(listed.size());
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, c.NormalizeAxes("axes", listed, rank));
  std::vector<Dim> dims;
  int next = 0;
  for (int d = 0; d < rank; ++d) {
    const bool fresh = std::find(axes.begin(), axes.end(), d) != axes.end();
    dims.push_back(fresh ? Dim(1) : c.shape(0).dim(next++));
  }
  return SetReshaped(c, Shape(std::move(dims)));
}

absl::Status InferFlatten(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  const std::vector<Dim>& dims = c.shape(0).dims();
  const int rank = c.shape(0).rank();
  int64_t axis = c.attrs().Get<int64_t>("axis");
  if (axis < -rank || axis > rank) {
    return c.Fail("E0203", absl::StrCat("axis=", axis, " is outside [", -rank, ", ", rank,
                                        "] for a tensor of rank ", rank));
  }
  if (axis < 0) axis += rank;
  const auto product = [](auto begin, auto end) {
    Dim all = 1;
    for (; begin != end; ++begin) all = all * *begin;
    return all;
  };
  return SetReshaped(
      c, Shape{product(dims.begin(), dims.begin() + axis), product(dims.begin() + axis, dims.end())});
}

// --- EnsureShape -------------------------------------------------------------------------------------------

// The compiler writes it for what inference assumes of an operand.
absl::Status InferEnsureShape(InferContext& c) {
  const TensorType type = c.attrs().Get<TensorType>("type");
  const Shape& from = c.shape(0);
  bool fits = from.has_rank() && type.shape.has_rank() && from.rank() == type.shape.rank() &&
              c.dtype(0) == type.dtype;
  for (int d = 0; fits && d < from.rank(); ++d) {
    fits = c.TakeSize(from.dim(d), type.shape.dim(d),
                      absl::StrCat("dim ", d, " of ", c.attrs().Get<std::string>("operand")));
  }
  if (!fits) return c.Fail("E0201", absl::StrCat(c.InputText(0), ", which cannot be ", type.ToString()));
  return SetReshaped(c, type.shape);
}

// --- Identity, OptimizationBarrier -------------------------------------------------------------------------

absl::Status InferSame(InferContext& c) {
  if (c.shape(0).has_rank()) return SetReshaped(c, c.shape(0));
  return c.SetOutput(0, Shape::UnknownRank());
}

// What is known of the values stops at a barrier, too.
absl::Status InferBarrier(InferContext& c) {
  if (c.shape(0).has_rank()) c.SetLayout(0, AliasOf(0, c.shape(0)));
  return c.SetOutput(0, c.shape(0));
}

}  // namespace

std::vector<OpDef> ReshapingOps() {
  const PortDef data = {"data", "T", kAnyType, ""}, result = {"y", "T", kAnyType, ""};
  return {
      {.name = "Reshape",
       .inputs = {data,
                  {.name = "shape",
                   .type_var = "I",
                   .dtypes = {DType::kI64},
                   .doc = "the new extents; one may be -1 (what is left), 0 copies the dim",
                   .known = true}},
       .attrs = {{"allowzero", AttrKind::kBool, AttrValue(false), "0 means an empty dim, not a copied one"}},
       .outputs = {result},
       .doc = "The same elements, in row-major order, under another shape. Costs nothing at run time.",
       .infer = InferReshape,
       .computation = Movement{}},
      {.name = "Squeeze",
       .inputs = {data,
                  {.name = "axes",
                   .type_var = "I",
                   .dtypes = {DType::kI64},
                   .doc = "those to drop; absent: all of extent 1",
                   .arity = Arity::kOptional,
                   .known = true}},
       .outputs = {result},
       .doc = "Drops dims of extent 1.",
       .infer = InferSqueeze,
       .computation = Movement{}},
      {.name = "Unsqueeze",
       .inputs = {data,
                  {.name = "axes",
                   .type_var = "I",
                   .dtypes = {DType::kI64},
                   .doc = "where they stand in the result",
                   .known = true}},
       .outputs = {result},
       .doc = "Inserts dims of extent 1.",
       .infer = InferUnsqueeze,
       .computation = Movement{}},
      {.name = "Flatten",
       .inputs = {data},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{1}), "the first dim that goes into the second"}},
       .outputs = {result},
       .doc = "A matrix of the same elements: the dims before the axis become one, and those from it on.",
       .infer = InferFlatten,
       .computation = Movement{}},
      {.name = "Identity",
       .inputs = {{"x", "T", kAnyType, ""}},
       .outputs = {result},
       .doc = "Gives its input.",
       .infer = InferSame,
       .computation = Movement{}},
      {.name = "OptimizationBarrier",
       .inputs = {{"x", "T", kAnyType, ""}},
       .outputs = {result},
       .doc = "Gives its input. The compiler neither folds it nor moves anything across it.",
       .infer = InferBarrier,
       .computation = Movement{},
       .is_barrier = true},
      {.name = "EnsureShape",
       .inputs = {data},
       .attrs = {{"type", AttrKind::kType, std::nullopt, "the result's"},
                 {"reader", AttrKind::kString, std::nullopt, "the node that takes it so: \"Mul 'y'\""},
                 {"operand", AttrKind::kString, std::nullopt, "as what: \"b 'x'\""}},
       .outputs = {result},
       .doc = "The same tensor under sizes that equal its own in every run that is not refused.",
       .infer = InferEnsureShape,
       .computation = Movement{},
       .is_internal = true},
  };
}

}  // namespace tenfold
