// SPDX-License-Identifier: Apache-2.0
//
// Larger tensors: elements repeated, or others around them.
#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Expand ------------------------------------------------------------------------------------------------

absl::Status InferExpand(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  TENFOLD_ASSIGN_OR_RETURN(const Contents wanted, c.Known(1));
  for (const Dim& dim : wanted) {
    if (dim.is_constant() && dim.constant() < 0) {
      return c.Fail("E0212", absl::StrCat("the shape has the extent ", dim.constant()),
                    "1 keeps the extent that data has");
    }
  }
  const Shape& from = c.shape(0);
  TENFOLD_ASSIGN_OR_RETURN(
      Shape shape, c.Broadcast(from, Shape(wanted), absl::StrCat("data and ", Shape(wanted).ToString()), 0));
  std::vector<Dim> strides(shape.rank(), Dim(0));
  const std::vector<Dim> own = RowMajorStrides(from.dims());
  for (int d = 0; d < from.rank(); ++d) {
    const int to = d + shape.rank() - from.rank();
    if (from.dim(d) == shape.dim(to)) strides[to] = own[d];
  }
  c.SetLayout(0, ViewOf(0, shape, 0, std::move(strides)));
  const bool one = c.contents(0) && c.contents(0)->size() == 1 && shape.rank() <= 1 && shape.is_static() &&
                   shape.num_elements().constant() <= kMaxKnownContents;
  const int64_t count = one ? shape.num_elements().constant() : 0;
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, std::move(shape)));
  return one ? c.SetContents(0, Contents(count, c.contents(0)->front())) : absl::OkStatus();
}

// --- Tile --------------------------------------------------------------------------------------------------

// The output seen as [repeats[0], dims[0], repeats[1], dims[1], ...].
absl::Status InferTile(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  TENFOLD_ASSIGN_OR_RETURN(const Contents repeats, c.Known(1));
  const std::vector<Dim>& dims = c.shape(0).dims();
  if (repeats.size() != dims.size()) {
    return c.Fail("E0212", absl::StrCat("there are ", repeats.size(), " repeats for ", dims.size(), " dims"));
  }
  const std::vector<Dim> strides = RowMajorStrides(dims);
  std::vector<Dim> tiled, extents, from_strides;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (repeats[d].is_constant() && repeats[d].constant() < 0) {
      return c.Fail("E0212", absl::StrCat("dim ", d, " would be repeated ", repeats[d].constant(), " times"));
    }
    tiled.push_back(dims[d] * repeats[d]);
    extents.insert(extents.end(), {repeats[d], dims[d]});
    from_strides.insert(from_strides.end(), {Dim(0), strides[d]});
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(tiled))));
  std::vector<Dim> to_strides = RowMajorStrides(extents);
  c.SetLayout(0, {{{0, std::move(extents), 0, std::move(from_strides), 0, std::move(to_strides)}}});
  return absl::OkStatus();
}

// --- Pad ---------------------------------------------------------------------------------------------------

// Pieces of one output: more would take longer to find than to copy.
constexpr size_t kMostRuns = 4096;
// No tensor is so large.
constexpr int64_t kFarthest = int64_t{1} << 60;

// A part of one dim of the output: `count` elements from `to` on, which are the input's from `from` on, each
// `step` further.
struct Run {
  Dim to, from, count;
  int64_t step = 1;
};

// What one dim is padded by.
struct Padding {
  Dim extent;
  int64_t before = 0, after = 0;
  Dim padded() const { return extent + Dim(before) + Dim(after); }
};

Run KeptBy(const Padding& p) {
  const int64_t cut = std::max<int64_t>(0, -p.before), cut_after = std::max<int64_t>(0, -p.after);
  return {std::max<int64_t>(0, p.before), cut, Max(p.extent - Dim(cut) - Dim(cut_after), 0), 1};
}

std::vector<Run> EdgeRuns(const Padding& p) {
  return {{0, 0, p.before, 0}, KeptBy(p), {p.extent + Dim(p.before), p.extent - 1, p.after, 0}};
}

// The input repeats with a period: turn by turn, forwards alone or forwards and back. Where the padding is no
// longer than one turn, or the extent a symbol, of which that is demanded when it is known, it takes one turn
// on each side.
std::vector<Run> PeriodicRuns(const Padding& p, bool reflects) {
  const int64_t shared = reflects ? 1 : 0;  // elements that two turns have in common
  const bool one_turn =
      !p.extent.is_constant() || std::max(p.before, p.after) <= p.extent.constant() - shared;
  if (one_turn) {
    const Dim end = p.extent + Dim(p.before);
    if (!reflects) return {{0, p.extent - Dim(p.before), p.before, 1}, KeptBy(p), {end, 0, p.after, 1}};
    return {{0, p.before, p.before, -1}, KeptBy(p), {end, p.extent - 2, p.after, -1}};
  }
  const int64_t extent = p.extent.constant(), turn = extent - shared;
  if (turn == 0) return EdgeRuns(p);  // one element, of which every reflection is itself
  std::vector<Run> runs;
  for (int64_t at = -p.before; at < extent + p.after;) {
    const int64_t number = (at >= 0 ? at : at - turn + 1) / turn, within = at - number * turn;
    const int64_t count = std::min(turn - within, extent + p.after - at);
    const bool back = reflects && number % 2 != 0;
    runs.push_back({at + p.before, back ? extent - 1 - within : within, count, back ? -1 : 1});
    at += count;
    if (runs.size() > kMostRuns) break;
  }
  return runs;
}

// Every combination of one run of each dim.
absl::StatusOr<Layout> Combine(InferContext& c, const std::vector<std::vector<Run>>& runs,
                               const std::vector<Dim>& from_strides, const std::vector<Dim>& to_strides) {
  Layout layout;
  layout.pieces = {{}};
  for (size_t d = 0; d < runs.size(); ++d) {
    std::vector<Piece> pieces;
    for (const Piece& piece : layout.pieces) {
      for (const Run& run : runs[d]) {
        if (run.count == Dim(0)) continue;
        Piece& longer = pieces.emplace_back(piece);
        longer.extents.push_back(run.count);
        longer.from = longer.from + run.from * from_strides[d];
        longer.to = longer.to + run.to * to_strides[d];
        longer.from_strides.push_back(from_strides[d] * Dim(run.step));
        longer.to_strides.push_back(to_strides[d]);
      }
      if (pieces.size() > kMostRuns) {
        return c.Fail("E0402", absl::StrCat("the padding would take more than ", kMostRuns, " copies"),
                      "pad a few axes at a time, by no more than their extents");
      }
    }
    layout.pieces = std::move(pieces);
  }
  return layout;
}

// The padding of each dim.
absl::StatusOr<std::vector<Padding>> PaddingsOf(InferContext& c) {
  const std::vector<Dim>& dims = c.shape(0).dims();
  const int rank = c.shape(0).rank();
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int64_t> pads, c.KnownInts(1));
  std::vector<int64_t> listed(rank);
  for (int d = 0; d < rank; ++d) listed[d] = d;
  if (c.has(3)) {
    TENFOLD_ASSIGN_OR_RETURN(listed, c.KnownInts(3));
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<int> axes, c.NormalizeAxes("axes", listed, rank));
  if (pads.size() != 2 * axes.size()) {
    return c.Fail(
        "E0212",
        absl::StrCat("there are ", pads.size(), " pads for ", axes.size(),
                     axes.size() == 1 ? " axis" : " axes", ": each needs one before and one behind"),
        "all those before stand first, then all those behind");
  }
  const bool constant = c.attrs().Get<std::string>("mode") == "constant";
  std::vector<Padding> paddings;
  for (const Dim& dim : dims) paddings.push_back({dim});
  for (size_t i = 0; i < axes.size(); ++i) {
    Padding& p = paddings[axes[i]];
    p.before = pads[i];
    p.after = pads[i + axes.size()];
    for (int64_t pad : {p.before, p.after}) {
      if (pad < -kFarthest || pad > kFarthest) {
        return c.Fail("E0402", absl::StrCat("axis ", axes[i], " would be padded by ", pad));
      }
      if (pad < 0 && !constant) {
        return c.Fail("E0212",
                      absl::StrCat("axis ", axes[i], " would be padded by ", pad,
                                   ", which only the mode constant can do"),
                      "take the part by Slice, and pad that");
      }
    }
    if (!constant && p.extent == Dim(0) && p.before + p.after > 0) {
      return c.Fail("E0212", absl::StrCat("axis ", axes[i], " has no elements that could be repeated"));
    }
  }
  return paddings;
}

absl::Status InferPad(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of data is not known");
  if (c.has(2) && c.shape(2).has_rank() && !(c.shape(2).num_elements() == Dim(1))) {
    return c.Fail("E0212", absl::StrCat(c.InputText(2), ", but it is one value that fills"));
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<Padding> paddings, PaddingsOf(c));
  const std::string mode = c.attrs().Get<std::string>("mode");
  std::vector<Dim> padded;
  std::vector<std::vector<Run>> runs;
  for (const Padding& p : paddings) {
    padded.push_back(p.padded());
    const bool kept = p.before == 0 && p.after == 0;
    runs.push_back(kept || mode == "constant" ? std::vector<Run>{KeptBy(p)}
                   : mode == "edge"           ? EdgeRuns(p)
                                              : PeriodicRuns(p, mode == "reflect"));
  }
  TENFOLD_ASSIGN_OR_RETURN(Layout layout,
                           Combine(c, runs, RowMajorStrides(c.shape(0).dims()), RowMajorStrides(padded)));
  const bool fills = std::any_of(paddings.begin(), paddings.end(),
                                 [](const Padding& p) { return p.before > 0 || p.after > 0; });
  if (mode == "constant" && fills) layout.fill = c.has(2) ? 2 : Layout::kZeros;
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(std::move(padded))));
  c.SetLayout(0, std::move(layout));
  return absl::OkStatus();
}

}  // namespace

std::vector<OpDef> ExpandingOps() {
  const PortDef data = {"data", "T", kAnyType, ""}, result = {"y", "T", kAnyType, ""};
  const auto list = [](const char* name, const char* doc, DTypeSet dtypes, Arity arity) {
    return PortDef{
        .name = name, .type_var = name, .dtypes = dtypes, .doc = doc, .arity = arity, .known = true};
  };
  return {
      {.name = "Expand",
       .inputs = {data, list("shape", "what data is broadcast with; 1 keeps its extent", {DType::kI64},
                             Arity::kRequired)},
       .outputs = {result},
       .doc = "Repeats dims of extent 1, and adds dims in front, by NumPy's rules of broadcasting.",
       .infer = InferExpand,
       .computation = Movement{}},
      {.name = "Tile",
       .inputs = {data, list("repeats", "how often, for each dim", {DType::kI64}, Arity::kRequired)},
       .outputs = {result},
       .doc = "Repeats the whole tensor along each dim.",
       .infer = InferTile,
       .computation = Movement{}},
      {.name = "Pad",
       .inputs = {data,
                  list("pads",
                       "how many elements before each axis, then how many behind each; negative: taken off",
                       {DType::kI64}, Arity::kRequired),
                  {"constant_value", "T", kAnyType, "the one value that fills; absent: 0", Arity::kOptional},
                  list("axes", "whose pads they are; absent: all", kIndex, Arity::kOptional)},
       .attrs =
           {{"mode",
             AttrKind::kString,
             AttrValue(std::string("constant")),
             "\"constant\": one value; \"edge\": the outermost elements; \"reflect\": the elements back from "
             "there, which itself are not repeated; \"wrap\": those of the other end",
             {"constant", "reflect", "edge", "wrap"}}},
       .outputs = {result},
       .doc = "Puts elements around a tensor.",
       .infer = InferPad,
       .computation = Movement{}},
  };
}

}  // namespace tenfold
