// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/value_places.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Whether elements that are walked by `strides` lie one behind the other; a dim of extent 1 is not walked.
bool IsDense(const std::vector<Dim>& extents, const std::vector<Dim>& strides) {
  const std::vector<Dim> dense = RowMajorStrides(extents);
  for (size_t d = 0; d < extents.size(); ++d) {
    if (!(extents[d] == Dim(1)) && !(strides[d] == dense[d])) return false;
  }
  return true;
}

bool CoversAll(const Piece& piece, const Dim& begin, const std::vector<Dim>& strides, const Shape& shape) {
  return begin == Dim(0) && IsDense(piece.extents, strides) &&
         Shape(piece.extents).num_elements() == shape.num_elements();
}

// Whether all of the input is one run of the output.
bool IsRunOfOutput(const Piece& piece, const Shape& input) {
  return CoversAll(piece, piece.from, piece.from_strides, input) &&
         IsDense(piece.extents, piece.to_strides) && piece.to.valid();
}

// Where extents are not known, a fixed number of elements counts as few.
bool IsSmallPart(const Dim& part, const Dim& whole) {
  constexpr int64_t kMuchLarger = 4;
  if (part.is_constant()) return !whole.is_constant() || part.constant() <= whole.constant() / kMuchLarger;
  const std::optional<Dim> times = Dim::DivideExactly(whole, part);
  return times && times->is_constant() && times->constant() >= kMuchLarger;
}

class ValuePlacer {
 public:
  ValuePlacer(const Graph& graph, std::vector<Remark>& remarks)
      : graph_(graph), remarks_(remarks), readers_(graph.Readers()) {}

  absl::StatusOr<ValuePlaces> Run() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i)
      output_index_.try_emplace(graph_.outputs()[i].value, static_cast<int>(i));
    int position = 0;
    for (NodeId id : graph_.nodes()) {
      const Node& node = graph_.node(id);
      position_[id] = node.op->Is<Source>() ? position : position++;
      for (std::string& symbol : GivenSymbols(node)) given_.insert(std::move(symbol));
      if (!node.op->Is<Movement>()) continue;
      TENFOLD_ASSIGN_OR_RETURN(places_.layouts[id], LayoutsOf(graph_, node));
    }
    PlaceParts();
    PlaceOutputs();
    FindLastUses();
    PlaceViews();
    return std::move(places_);
  }

 private:
  const TensorType& TypeOf(ValueId id) const { return graph_.value(id).type; }
  const Layout& LayoutOf(ValueId id) const {
    return places_.layouts.at(graph_.value(id).producer)[graph_.value(id).output_index];
  }
  bool IsMoved(ValueId id) const { return graph_.producer(id).op->Is<Movement>(); }
  bool IsFetched(ValueId id) const { return output_index_.contains(id); }

  // What a movement's value is a run of, and the piece that says so; null if it is none.
  const Piece* RunOf(ValueId id, ValueId& source) const {
    if (!IsMoved(id)) return nullptr;
    const Piece* const run = AsRun(LayoutOf(id), TypeOf(id).shape);
    if (run != nullptr) source = graph_.producer(id).inputs[run->input];
    return run;
  }
  // The value of whose memory this is another shape.
  std::optional<ValueId> AliasedBy(ValueId id) const {
    ValueId source;
    if (RunOf(id, source) == nullptr || !IsAlias(LayoutOf(id), TypeOf(source).shape)) return std::nullopt;
    return source;
  }

  std::string Quoted(ValueId id) const { return absl::StrCat("'", graph_.DisplayName(id), "'"); }
  void Explain(ValueId id, bool did, std::string reason) {
    remarks_.push_back({.pass = "share-memory",
                        .node = absl::StrCat(graph_.producer(id).op->name, " ", Quoted(id)),
                        .did = did,
                        .reason = std::move(reason)});
  }

  // --- Parts, from the results back to what they are made of -----------------------------------------------

  void PlaceParts() {
    const std::vector<NodeId>& order = graph_.nodes();
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      const Node& node = graph_.node(*id);
      if (!node.op->Is<Movement>() || node.outputs.size() != 1) continue;
      const ValueId out = node.outputs[0];
      if (const std::optional<ValueId> source = AliasedBy(out)) {
        PlaceAliased(out, *source);
      } else if (readers_[static_cast<size_t>(out)].size() > 0 || IsFetched(out)) {
        PlaceOperands(node, out);
      }
    }
  }

  // A value under another shape is computed there if that has a place already. What is only looked at in
  // another shape is a view the other way round.
  void PlaceAliased(ValueId out, ValueId source) {
    if (!places_.parts.contains(out)) {
      const bool can_be = IsFetched(out) && GivenSymbolOf(out).empty();
      if (!can_be || !WhyNotPart(source, graph_.producer(out)).empty()) return;
      Explain(out, true, absl::StrCat(Quoted(source), " is computed in its memory"));
      places_.output_of[out] = output_index_[out];
    }
    PlacePart(source, out, 0);
  }

  void PlaceOperands(const Node& node, ValueId out) {
    const Layout& layout = LayoutOf(out);
    if (!Joins(node, layout)) return;
    if (const std::string fault = WhyNoParts(node, layout, out); !fault.empty())
      return Explain(out, false, fault);
    size_t computed = 0;
    std::string copied;
    absl::flat_hash_set<ValueId> named;
    for (const Piece& piece : layout.pieces) {
      const ValueId operand = node.inputs[piece.input];
      const std::string why_not = WhyNotPart(operand, node);
      if (why_not.empty()) {
        PlacePart(operand, out, piece.to);
        ++computed;
      } else if (named.insert(operand).second) {
        absl::StrAppend(&copied, copied.empty() ? "" : "; ", Quoted(operand), " is copied: ", why_not);
      }
    }
    if (computed > 0)
      Explain(out, true,
              absl::StrCat(computed, " of ", layout.pieces.size(), " operands are computed in it"));
    if (!copied.empty()) Explain(out, false, copied);
  }

  void PlacePart(ValueId part, ValueId whole, const Dim& offset) {
    const auto around = places_.parts.find(whole);
    places_.parts[part] = around == places_.parts.end()
                              ? ValuePlaces::Within{whole, offset}
                              : ValuePlaces::Within{around->second.whole, around->second.offset + offset};
  }

  // Whether the result is made of all of several operands, each once.
  bool Joins(const Node& node, const Layout& layout) const {
    if (layout.fill != Layout::kNoFill || layout.pieces.size() < 2) return false;
    absl::flat_hash_set<int> inputs;
    return std::all_of(layout.pieces.begin(), layout.pieces.end(), [&](const Piece& piece) {
      const Shape& shape = TypeOf(node.inputs[piece.input]).shape;
      return piece.from == Dim(0) && Shape(piece.extents).num_elements() == shape.num_elements() &&
             inputs.insert(piece.input).second;
    });
  }

  // Why no operand can be computed in the result; empty: nothing forbids it.
  std::string WhyNoParts(const Node& node, const Layout& layout, ValueId out) const {
    const bool dense = std::all_of(layout.pieces.begin(), layout.pieces.end(), [&](const Piece& piece) {
      return IsRunOfOutput(piece, TypeOf(node.inputs[piece.input]).shape);
    });
    if (!dense) return "its operands are copied: each lies in it in pieces";
    const std::string symbol = GivenSymbolOf(out);
    if (symbol.empty()) return "";
    return absl::StrCat("its operands are copied: its size follows from ", symbol,
                        ", which only a run knows");
  }

  // A symbol of its type that a step gives; empty: all are known from the beginning, and so is its place.
  std::string GivenSymbolOf(ValueId id) const {
    std::vector<std::string> symbols;
    for (const Dim& dim : TypeOf(id).shape.dims()) dim.CollectSymbols(symbols);
    for (const std::string& symbol : symbols) {
      if (given_.contains(symbol)) return symbol;
    }
    return "";
  }

  // Why `value` cannot be computed in what `reader` makes of it; empty: nothing forbids it.
  std::string WhyNotPart(ValueId value, const Node& reader) const {
    std::string subject = "it ";
    for (const Node* by = &reader;;) {
      const Node& producer = graph_.producer(value);
      if (producer.op->Is<Source>())
        return absl::StrCat(subject,
                            graph_.ConstantValue(value) != nullptr ? "is a constant" : "is an input");
      if (IsFetched(value)) return absl::StrCat(subject, "is an output");
      const auto reads = std::count(by->inputs.begin(), by->inputs.end(), value);
      if (readers_[static_cast<size_t>(value)].size() > 1 || reads > 1)
        return absl::StrCat(subject, "is read more than once");
      if (HasStepsStorage(graph_, value)) return absl::StrCat(subject, "has a size that only a run knows");
      ValueId source;
      if (RunOf(value, source) == nullptr) return "";
      const std::string view = absl::StrCat(subject, "is a view of ", Quoted(source));
      if (!AliasedBy(value)) return view;
      subject = absl::StrCat("it is a view of ", Quoted(source), ", which ");
      by = &producer;
      value = source;
    }
  }

  // --- Outputs ---------------------------------------------------------------------------------------------

  void PlaceOutputs() {
    for (const auto& [value, index] : output_index_) {
      const bool computed =
          !graph_.producer(value).op->Is<Source>() && !AliasedBy(value) && !HasStepsStorage(graph_, value);
      if (computed) places_.output_of[value] = index;
    }
  }

  // --- Views -----------------------------------------------------------------------------------------------

  // Until which position each value is read if all runs are views, outputs to the end.
  void FindLastUses() {
    last_use_.assign(graph_.num_values(), 0);
    for (const auto& [value, index] : output_index_)
      last_use_[static_cast<size_t>(value)] = std::numeric_limits<int>::max();
    const std::vector<NodeId>& order = graph_.nodes();
    for (auto id = order.rbegin(); id != order.rend(); ++id) {
      const Node& node = graph_.node(*id);
      int last = position_.at(*id);
      ValueId source;
      for (ValueId out : node.outputs) {
        if (RunOf(out, source) != nullptr && !IsFetched(out)) last = std::max(last, LastUse(out));
      }
      for (ValueId input : Present(node.inputs)) {
        int& use = last_use_[static_cast<size_t>(input)];
        use = std::max(use, last);
      }
    }
  }
  int LastUse(ValueId id) const { return last_use_[static_cast<size_t>(id)]; }

  void PlaceViews() {
    for (NodeId id : graph_.nodes()) {
      if (!graph_.node(id).op->Is<Movement>()) continue;
      for (ValueId out : graph_.node(id).outputs) {
        if (!places_.parts.contains(out) && !IsPart(graph_.node(id).inputs[0], out)) PlaceView(out);
      }
    }
  }
  bool IsPart(ValueId value, ValueId whole) const {
    const auto it = places_.parts.find(value);
    return it != places_.parts.end() && it->second.whole == whole;
  }

  void PlaceView(ValueId out) {
    ValueId source;
    const Piece* const run = RunOf(out, source);
    if (run == nullptr) {
      if (IsBox(out)) Explain(out, false, "copied: it is not one run of its operand's memory");
      return;
    }
    const auto around = places_.views.find(source);
    const bool within = around != places_.views.end();
    const ValuePlaces::Within place = {within ? around->second.whole : source,
                                       within ? around->second.offset + run->from : run->from};
    if (AliasedBy(out)) {
      places_.views[out] = place;
    } else if (IsFetched(out)) {
      Explain(out, false, "copied: it is an output, which has memory of its own");
    } else if (KeepsTooMuch(out, source, place.whole)) {
      Explain(out, false,
              absl::StrCat("copied: as a view it would keep ", Quoted(source),
                           ", of which it is a small part, for later steps"));
    } else {
      places_.views[out] = place;
      Explain(out, true,
              absl::StrCat("no copy: it is ", Quoted(place.whole), " from element ", place.offset.ToString(),
                           " on"));
    }
  }

  // Whether the value is a box of its operand's elements, as they follow one another there.
  bool IsBox(ValueId out) const {
    const Piece* const view = AsView(LayoutOf(out), TypeOf(out).shape);
    return view != nullptr &&
           view->from_strides ==
               RowMajorStrides(TypeOf(graph_.producer(out).inputs[view->input]).shape.dims());
  }

  // Feeds, constants, outputs and what a step keeps are there anyway. Other memory goes to other values once
  // it has been read for the last time. Where its runs are small, and are read long after the rest of it,
  // copies hold less; a copy then costs little, beside what has been spent on computing the whole.
  bool KeepsTooMuch(ValueId out, ValueId source, ValueId whole) const {
    const bool is_there = graph_.producer(whole).op->Is<Source>() || places_.output_of.contains(whole) ||
                          HasStepsStorage(graph_, whole);
    if (is_there) return false;
    int rest = 0;  // until when the source is read where all its runs are copies
    std::vector<ValueId> runs;
    for (NodeId id : readers_[static_cast<size_t>(source)]) {
      rest = std::max(rest, position_.at(id));
      for (ValueId value : graph_.node(id).outputs) {
        ValueId of;
        if (RunOf(value, of) == nullptr || of != source || IsFetched(value)) continue;
        if (AliasedBy(value))
          rest = std::max(rest, LastUse(value));
        else
          runs.push_back(value);
      }
    }
    // A view that the very next step reads for the last time keeps nothing.
    const auto outlives = [&](ValueId run) { return LastUse(run) - 1 > rest; };
    if (!outlives(out)) return false;
    Dim elements = 0;
    for (ValueId run : runs) {
      if (outlives(run)) elements = elements + TypeOf(run).shape.num_elements();
    }
    return IsSmallPart(elements, TypeOf(source).shape.num_elements());
  }

  const Graph& graph_;
  std::vector<Remark>& remarks_;
  const std::vector<std::vector<NodeId>> readers_;
  ValuePlaces places_;
  absl::flat_hash_map<ValueId, int> output_index_;  // the first output that fetches it
  absl::flat_hash_set<std::string> given_;          // symbols whose values steps give
  absl::flat_hash_map<NodeId, int> position_;       // among the nodes that compute
  std::vector<int> last_use_;                       // by value
};

}  // namespace

const Piece* AsRun(const Layout& layout, const Shape& output) {
  if (layout.fill != Layout::kNoFill || layout.pieces.size() != 1) return nullptr;
  const Piece& piece = layout.pieces[0];
  const bool run = CoversAll(piece, piece.to, piece.to_strides, output) &&
                   IsDense(piece.extents, piece.from_strides) && piece.from.valid();
  return run ? &piece : nullptr;
}

absl::StatusOr<ValuePlaces> PlaceValues(const Graph& graph, std::vector<Remark>& remarks) {
  return ValuePlacer(graph, remarks).Run();
}

std::vector<std::string> GivenSymbols(const Node& node) {
  if (node.op->FindAttr(kSymbolsAttr) == nullptr) return {};
  return node.attrs.Get<std::vector<std::string>>(kSymbolsAttr);
}

bool HasStepsStorage(const Graph& graph, ValueId id) {
  const Node& node = graph.producer(id);
  const TensorType& type = graph.value(id).type;
  if (node.op->FindAttr(kSymbolsAttr) == nullptr || !type.shape.has_rank()) return false;
  const std::vector<std::string> given = GivenSymbols(node);
  std::vector<std::string> names;
  for (const Dim& dim : type.shape.dims()) dim.CollectSymbols(names);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(given.begin(), given.end(), name) != given.end();
  });
}

}  // namespace tenfold
