// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/fuse.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_join.h"
#include "tenfold/compiler/group.h"
#include "tenfold/compiler/value_places.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fused/lower.h"

namespace tenfold {
namespace {

// A longer row does not fit the near caches, where values kept between a kernel's loops should stay.
constexpr int64_t kMaxKeptRowElements = 1 << 16;

// Whether kernels may read what it moves where it was. An alias costs nothing as it is.
bool IsView(const Graph& graph, const Node& node) {
  if (!node.op->Is<Movement>() || node.op->is_barrier || node.outputs.size() != 1) return false;
  const absl::StatusOr<std::vector<Layout>> layouts = LayoutsOf(graph, node);
  if (!layouts.ok()) return false;
  const Piece* const view = AsView((*layouts)[0], graph.value(node.outputs[0]).type.shape);
  return view != nullptr && !IsAlias((*layouts)[0], graph.value(node.inputs[view->input]).type.shape);
}

bool IsFusible(const Graph& graph, const Node& node) {
  if (!graph.value(node.outputs[0]).type.shape.has_rank()) return false;
  // Shapes may follow from the values, which inference does not follow through a group.
  if (graph.value(node.outputs[0]).contents.has_value()) return false;
  return node.op->Is<Elementwise>() || node.op->Is<Reduction>() || IsView(graph, node);
}

// An integer division whose divisor may be 0: its report counts elements of its own shape.
bool CanFail(const Graph& graph, const Node& node) {
  return node.op->name == "Div" && IsInteger(graph.value(node.outputs[0]).type.dtype);
}

class Fuser {
 public:
  Fuser(PassContext& context, Graph& graph)
      : context_(context), graph_(graph), readers_(graph.Readers()), order_(graph.nodes()) {
    for (size_t i = 0; i < order_.size(); ++i) position_[order_[i]] = i;
  }

  absl::Status Run() {
    for (NodeId id : order_) {
      if (context_.control().ShouldStop()) return context_.control().status();
      latest_[id] = position_[id];
      for (ValueId input : Present(graph_.node(id).inputs)) {
        latest_[id] = std::max(latest_[id], Latest(graph_.value(input).producer));
      }
      if (!IsFusible(graph_, graph_.node(id))) continue;
      group_of_[id] = static_cast<int>(groups_.size());
      groups_.push_back({id});
      for (ValueId input : Present(graph_.node(id).inputs)) TryMerge(graph_.value(input).producer, id);
    }
    for (std::vector<NodeId>& members : groups_) {
      LeaveSharedViews(members);
      // A movement alone is a copy, which needs no kernel.
      const bool copy = members.size() == 1 && graph_.node(members[0]).op->Is<Movement>();
      if (!members.empty() && !copy) TENFOLD_RETURN_IF_ERROR(Replace(members));
    }
    graph_.RemoveDeadNodes();
    return graph_.SortTopologically();
  }

 private:
  void TryMerge(NodeId producer, NodeId reader) {
    const auto it = group_of_.find(producer);
    if (it == group_of_.end() || it->second == group_of_[reader]) return;
    const int into = group_of_[reader], from = it->second;
    if (Decision d = CanMerge(groups_[from], groups_[into], producer, reader); !d) {
      context_.Missed(PassContext::Describe(graph_, reader),
                      absl::StrCat("not with ", PassContext::Describe(graph_, producer), ": ", d.reason()));
      return;
    }
    std::vector<NodeId> merged = Union(groups_[from], groups_[into]);
    const size_t latest = std::max(Latest(producer), Latest(reader));
    for (NodeId id : groups_[from]) group_of_[id] = into;
    groups_[from].clear();
    groups_[into] = std::move(merged);
    RaiseLatest(reader, latest);
  }

  // Of a node or, in a group, of the group, which is computed as one: the last position of all that it
  // depends on, itself included. What depends on a node has at least that node's position.
  size_t Latest(NodeId id) const { return latest_.at(Representative(id)); }
  NodeId Representative(NodeId id) const {
    const auto group = group_of_.find(id);
    return group == group_of_.end() ? id : groups_[group->second].back();
  }

  // The group of `id` has grown: so may what its readers depend on.
  void RaiseLatest(NodeId id, size_t latest) {
    latest_[Representative(id)] = latest;
    std::vector<NodeId> pending = {id};
    while (!pending.empty()) {
      const std::vector<NodeId> members = Unit(pending.back());
      pending.pop_back();
      for (NodeId member : members) {
        for (ValueId output : graph_.node(member).outputs) {
          for (NodeId reader : readers_[static_cast<size_t>(output)]) {
            if (!latest_.contains(reader)) continue;  // not looked at yet
            size_t& known = latest_.at(Representative(reader));
            if (known >= latest) continue;
            known = latest;
            pending.push_back(reader);
          }
        }
      }
    }
  }

  std::vector<NodeId> Unit(NodeId id) const {
    const auto group = group_of_.find(id);
    return group == group_of_.end() ? std::vector<NodeId>{id} : groups_[group->second];
  }

  std::vector<NodeId> Union(const std::vector<NodeId>& a, const std::vector<NodeId>& b) const {
    std::vector<NodeId> all(a);
    all.insert(all.end(), b.begin(), b.end());
    std::sort(all.begin(), all.end(), [&](NodeId x, NodeId y) { return position_.at(x) < position_.at(y); });
    return all;
  }

  Decision CanMerge(const std::vector<NodeId>& from, const std::vector<NodeId>& into, NodeId producer,
                    NodeId reader) {
    // More would not run faster, and code size and compile time grow with it.
    const int64_t most = context_.options().limits.kernel_ops;
    if (static_cast<int64_t>(from.size() + into.size()) > most) {
      return Decision::No(absl::StrCat("a kernel holds at most ", most, " nodes"));
    }
    const std::vector<NodeId> all = Union(from, into);
    bool reduces = false, fails = false;
    for (NodeId id : all) {
      reduces = reduces || graph_.node(id).op->Is<Reduction>();
      fails = fails || CanFail(graph_, graph_.node(id));
    }
    if (reduces && fails) return Decision::No("an integer division that may fail stays out of reductions");
    if (Decision d = SameWork(producer, reader, from); !d) return d;
    if (reduces) {
      if (Decision d = KeepsRowsShort(all, into, reader); !d) return d;
    }
    if (ReachesAround(from, into) || ReachesAround(into, from)) {
      return Decision::No("a node between them would have to run inside the kernel");
    }
    // One loop over one shape is a kernel always. Only of the other groups is a kernel made to see, which
    // would make a chain of n nodes the work of n^2.
    if (IsOneLoop(all)) return Decision::Yes();
    absl::StatusOr<GroupBody> body = MakeGroupBody(graph_, all, readers_);
    if (!body.ok()) return Decision::No(DiagnosticsOf(body.status())[0].message);
    absl::StatusOr<LoweredKernel> lowered = LowerToKernel(*body->body, "trial");
    if (!lowered.ok()) return Decision::No(DiagnosticsOf(lowered.status())[0].message);
    return Decision::Yes();
  }

  bool IsOneLoop(const std::vector<NodeId>& members) const {
    const auto shape = [&](NodeId id) -> const Shape& {
      return graph_.value(graph_.node(id).outputs[0]).type.shape;
    };
    return std::all_of(members.begin(), members.end(), [&](NodeId id) {
      return graph_.node(id).op->Is<Elementwise>() && shape(id) == shape(members.front());
    });
  }

  // A value that its reader broadcasts would be computed once for each copy.
  Decision SameWork(NodeId producer, NodeId reader, const std::vector<NodeId>& from) const {
    if (!graph_.node(reader).op->Is<Elementwise>()) return Decision::Yes();
    const Shape& small = graph_.value(graph_.node(producer).outputs[0]).type.shape;
    const Shape& large = graph_.value(graph_.node(reader).outputs[0]).type.shape;
    if (small == large) return Decision::Yes();
    const bool row =
        std::any_of(from.begin(), from.end(), [&](NodeId id) { return graph_.node(id).op->Is<Reduction>(); });
    if (row) return Decision::Yes();
    return Decision::No("its elements would be computed again for each that they are broadcast to");
  }

  // After a reduction, its elements can be read again only where rows are short and there are several.
  Decision KeepsRowsShort(const std::vector<NodeId>& all, const std::vector<NodeId>& into,
                          NodeId reader) const {
    std::optional<Shape> full;
    Dim rows = 1;
    for (NodeId id : all) {
      const Node& node = graph_.node(id);
      if (!node.op->Is<Reduction>()) continue;
      full = graph_.value(node.inputs[0]).type.shape;
      rows = graph_.value(node.outputs[0]).type.shape.num_elements();
    }
    const bool reads_again = graph_.value(graph_.node(reader).outputs[0]).type.shape == *full &&
                             !graph_.node(reader).op->Is<Reduction>();
    if (!reads_again || into.empty()) return Decision::Yes();
    const std::optional<Dim> length =
        rows == Dim(0) ? std::nullopt : Dim::DivideExactly(full->num_elements(), rows);
    const bool long_rows =
        length.has_value() && length->is_constant() && length->constant() > kMaxKeptRowElements;
    if (long_rows)
      return Decision::No(
          absl::StrCat("rows of ", length->constant(), " elements are read from memory again"));
    if (rows == Dim(1) && length.has_value() && length->is_constant() && length->constant() > 4096) {
      return Decision::No("it is a single row, which one thread would compute");
    }
    return Decision::Yes();
  }

  // Whether a path leads from `from` to `into` through a node of neither. What was computed before all of
  // `from` is not looked at, so that a long graph takes time in proportion to its length.
  bool ReachesAround(const std::vector<NodeId>& from, const std::vector<NodeId>& into) const {
    const absl::flat_hash_set<NodeId> source(from.begin(), from.end()), target(into.begin(), into.end());
    const size_t first = position_.at(from.front());
    absl::flat_hash_set<NodeId> seen;
    std::vector<NodeId> pending;
    const auto visit_inputs = [&](NodeId id) {
      for (ValueId input : Present(graph_.node(id).inputs)) {
        const NodeId p = graph_.value(input).producer;
        if (source.contains(p) || target.contains(p) || Latest(p) <= first) continue;
        // Groups are computed whole: entering one means depending on all its members.
        for (NodeId member : Unit(p)) {
          if (seen.insert(member).second) pending.push_back(member);
        }
      }
    };
    for (NodeId id : into) visit_inputs(id);
    while (!pending.empty()) {
      const NodeId id = pending.back();
      pending.pop_back();
      for (ValueId input : Present(graph_.node(id).inputs)) {
        if (source.contains(graph_.value(input).producer)) return true;
      }
      visit_inputs(id);
    }
    return false;
  }

  // A run of what lies in memory costs nothing as a view. If somebody else reads it too, the kernel would
  // have to write a copy of it for him.
  void LeaveSharedViews(std::vector<NodeId>& members) {
    const absl::flat_hash_set<NodeId> inside(members.begin(), members.end());
    std::erase_if(members, [&](NodeId id) {
      const Node& node = graph_.node(id);
      if (!node.op->Is<Movement>() || inside.size() == 1) return false;
      const absl::StatusOr<std::vector<Layout>> layouts = LayoutsOf(graph_, node);
      if (!layouts.ok() || AsRun((*layouts)[0], graph_.value(node.outputs[0]).type.shape) == nullptr)
        return false;
      const ValueId source = node.inputs[(*layouts)[0].pieces[0].input], value = node.outputs[0];
      const std::vector<NodeId>& readers = readers_[static_cast<size_t>(value)];
      const bool shared =
          std::any_of(readers.begin(), readers.end(), [&](NodeId r) { return !inside.contains(r); });
      const bool fetched = std::any_of(graph_.outputs().begin(), graph_.outputs().end(),
                                       [&](const GraphOutput& o) { return o.value == value; });
      if (!shared || fetched || inside.contains(graph_.value(source).producer)) return false;
      context_.Missed(PassContext::Describe(graph_, id),
                      absl::StrCat("it is one run of '", graph_.DisplayName(source),
                                   "', which all who read it can read there"));
      return true;
    });
  }

  absl::Status Replace(const std::vector<NodeId>& members) {
    TENFOLD_ASSIGN_OR_RETURN(GroupBody group, MakeGroupBody(graph_, members, readers_));
    if (group.outputs.empty()) return absl::OkStatus();  // dead
    Provenance provenance = graph_.MergedProvenance(members.back(), members);
    std::vector<std::string> names, described;
    for (NodeId id : members) described.push_back(PassContext::Describe(graph_, id));
    for (ValueId output : group.outputs) names.push_back(absl::StrCat(graph_.DisplayName(output), ".fused"));
    const std::string last = described.back();
    described.pop_back();
    if (!described.empty())
      context_.Did(last, absl::StrCat("one kernel with ", absl::StrJoin(described, ", ")));
    const OpDef& fused = *graph_.registry().Find("Fused");
    TENFOLD_ASSIGN_OR_RETURN(NodeId id, graph_.AddNode(fused, group.inputs, {}, std::move(names),
                                                       std::move(provenance), {group.body}));
    for (size_t i = 0; i < group.outputs.size(); ++i) {
      const ValueId fresh = graph_.node(id).outputs[i];
      TENFOLD_RETURN_IF_ERROR(graph_.ReplaceAllUses(group.outputs[i], fresh));
      graph_.SwapNames(group.outputs[i], fresh);
    }
    return absl::OkStatus();
  }

  PassContext& context_;
  Graph& graph_;
  const std::vector<std::vector<NodeId>> readers_;
  const std::vector<NodeId> order_;
  absl::flat_hash_map<NodeId, size_t> position_;
  absl::flat_hash_map<NodeId, size_t> latest_;  // by a group's last member, or a node of none; see Latest
  absl::flat_hash_map<NodeId, int> group_of_;
  std::vector<std::vector<NodeId>> groups_;  // members in topological order; empty: merged into another
};

}  // namespace

absl::Status Fuse(PassContext& context, Graph& graph) { return Fuser(context, graph).Run(); }

}  // namespace tenfold
