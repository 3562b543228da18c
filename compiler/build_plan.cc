// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/build_plan.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/group.h"
#include "tenfold/compiler/value_places.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/convolution_kernel.h"
#include "tenfold/graph/convolution_layout.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fused/emit_node.h"
#include "tenfold/graph/fused/lower.h"
#include "tenfold/runtime/plan_memory.h"

namespace tenfold {
namespace {

// Plans of bodies: a body that several nodes share has one.
using BodyPlans = absl::flat_hash_map<const Graph*, std::shared_ptr<const Plan>>;

// Checks, each pair of sizes once.
class CheckList {
 public:
  void Add(PlanCheck check) {
    if (known_.emplace(check.size.is, check.size.must).second) checks_.push_back(std::move(check));
  }
  std::vector<PlanCheck> Take() && { return std::move(checks_); }

 private:
  struct Less {
    bool operator()(const std::pair<Dim, Dim>& a, const std::pair<Dim, Dim>& b) const {
      const int first = Dim::Compare(a.first, b.first);
      return first != 0 ? first < 0 : Dim::Compare(a.second, b.second) < 0;
    }
  };
  std::set<std::pair<Dim, Dim>, Less> known_;
  std::vector<PlanCheck> checks_;
};

class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, BodyPlans& bodies, std::vector<Remark>& remarks, bool is_body)
      : graph_(graph), readers_(graph.Readers()), bodies_(bodies), remarks_(remarks), is_body_(is_body) {
    plan_.name = graph.name;
  }

  absl::StatusOr<Plan> Run(std::span<const PlanCheck> checks) {
    TENFOLD_RETURN_IF_ERROR(CheckRanks());
    TENFOLD_ASSIGN_OR_RETURN(places_, PlaceValues(graph_, remarks_));
    for (ValueId input : graph_.inputs()) AddInput(input);
    for (NodeId id : graph_.nodes()) TENFOLD_RETURN_IF_ERROR(AddNode(id));
    for (size_t i = 0; i < graph_.outputs().size(); ++i)
      TENFOLD_RETURN_IF_ERROR(AddOutput(static_cast<int>(i)));
    std::vector<std::pair<std::string, DimBounds>> bounds(graph_.symbol_bounds.begin(),
                                                          graph_.symbol_bounds.end());
    TENFOLD_ASSIGN_OR_RETURN(plan_.checks, SizeChecks(graph_));
    TENFOLD_RETURN_IF_ERROR(BindSymbols(plan_, bounds, is_body_));
    AddKnownChecks(checks);
    TENFOLD_RETURN_IF_ERROR(PlanMemory(plan_));
    TENFOLD_RETURN_IF_ERROR(VerifyPlan(plan_));
    return std::move(plan_);
  }

 private:
  const TensorType& TypeOf(ValueId id) const { return graph_.value(id).type; }

  absl::Status CheckRanks() const {
    for (NodeId id : graph_.nodes()) {
      for (ValueId output : graph_.node(id).outputs) {
        if (TypeOf(output).shape.has_rank()) continue;
        return WithLocation(
            MakeError("E0209", absl::StrCat("'", graph_.DisplayName(output), "' has unknown rank"),
                      "declare the shape of the inputs, with symbols for the sizes that vary: f32[N,64]"),
            graph_.node(id).provenance.location);
      }
    }
    return absl::OkStatus();
  }

  // Those of the graph as it was: what is known to be so by now, and what is about sizes that have gone,
  // nobody needs to check.
  void AddKnownChecks(std::span<const PlanCheck> checks) {
    std::set<std::string> symbols;
    for (const PlanSymbol& symbol : plan_.symbols) symbols.insert(symbol.name);
    CheckList all;
    for (const PlanCheck& check : checks) {
      std::vector<std::string> names;
      check.size.is.CollectSymbols(names);
      check.size.must.CollectSymbols(names);
      const auto is_known = [&](const std::string& name) { return symbols.contains(name); };
      if (std::all_of(names.begin(), names.end(), is_known)) all.Add(check);
    }
    for (PlanCheck& check : plan_.checks) all.Add(std::move(check));
    plan_.checks = std::move(all).Take();
  }

  int AddValue(PlanValue value) {
    plan_.values.push_back(std::move(value));
    return static_cast<int>(plan_.values.size()) - 1;
  }
  // A run of the elements of `whole`, which `node` makes one.
  int AddAlias(std::string name, TensorType type, const ValuePlaces::Within& place, PlanNode node) {
    const int of = ValueOf(place.whole);
    const int alias = AddValue({std::move(name), std::move(type), StorageKind::kAlias, of, {}, place.offset});
    if (!plan_.IsWhole(alias)) plan_.views.push_back({alias, std::move(node)});
    return alias;
  }

  void AddInput(ValueId id) {
    const int index = static_cast<int>(plan_.inputs.size());
    values_[id] = AddValue({graph_.value(id).name, TypeOf(id), StorageKind::kInput, index, {}});
    PlanInput input = {graph_.value(id).name, values_[id], graph_.producer(id).provenance.location};
    const auto contract = graph_.contracts.find(input.name);
    if (contract != graph_.contracts.end()) input.contract = contract->second;
    plan_.inputs.push_back(std::move(input));
  }

  // The plan's value for `id`; constants come to be when something reads them from memory.
  int ValueOf(ValueId id) {
    if (auto it = values_.find(id); it != values_.end()) return it->second;
    if (const auto it = places_.views.find(id); it != places_.views.end()) {
      const ValueInfo& view = graph_.value(id);
      return values_[id] = AddAlias(graph_.DisplayName(id), view.type, it->second,
                                    Describe(graph_, graph_.node(view.producer), view.output_index));
    }
    if (const auto it = places_.parts.find(id); it != places_.parts.end()) {
      return values_[id] = AddAlias(graph_.DisplayName(id), TypeOf(id), it->second,
                                    Describe(graph_, graph_.producer(it->second.whole)));
    }
    PlanValue value{graph_.DisplayName(id), TypeOf(id), StorageKind::kArena, 0, {}};
    if (const Tensor* constant = graph_.ConstantValue(id)) {
      value.storage = StorageKind::kConstant;
      value.constant = *constant;
    } else if (auto it = places_.output_of.find(id); it != places_.output_of.end()) {
      value.storage = StorageKind::kOutput;
      value.index = it->second;
    } else if (HasStepsStorage(graph_, id)) {
      value.storage = StorageKind::kStep;
    }
    return values_[id] = AddValue(std::move(value));
  }

  // What a body gives goes on being computed with.
  bool IsObserved(ValueId id) const {
    const auto part = places_.parts.find(id);
    const ValueId root = part == places_.parts.end() ? id : part->second.whole;
    return !is_body_ && HasNan(TypeOf(id).dtype) && places_.output_of.contains(root);
  }

  absl::Status AddNode(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->Is<Source>()) return absl::OkStatus();
    if (node.op->Is<Movement>()) {
      for (size_t i = 0; i < node.outputs.size(); ++i) AddMovement(node, i, places_.layouts.at(id)[i]);
    } else if (node.op->Is<Contraction>()) {
      AddMatMul(id);
    } else if (node.op->Is<HostKernel>()) {
      AddHostKernel(node);
    } else if (node.op->Is<FromShapes>()) {
      return AddShapes(node);
    } else if (node.op->Is<Control>()) {
      return AddControl(node);
    } else {
      return AddFused(id);
    }
    return absl::OkStatus();
  }

  PlanNode Describe(const Graph& graph, const Node& node, size_t output = 0) const {
    const TensorType& type = graph.value(node.outputs[output]).type;
    const bool can_fail = node.op->Is<Elementwise>() && CanFail(graph, node);
    PlanNode described = {node.op->name, graph.DisplayName(node.outputs[output]), node.provenance.location,
                          type, can_fail};
    if (can_fail && node.inputs.size() == 2) {
      described.dividend = graph.DisplayName(node.inputs[0]);
      described.divisor = graph.DisplayName(node.inputs[1]);
    }
    return described;
  }

  absl::Status AddFused(NodeId id) {
    const Node& node = graph_.node(id);
    GroupBody group;
    if (node.op->Is<FusedBody>()) {
      group = {node.bodies[0], node.inputs, node.outputs};
    } else {
      const NodeId members[] = {id};
      TENFOLD_ASSIGN_OR_RETURN(group, MakeGroupBody(graph_, members, readers_));
      if (group.outputs.empty()) return absl::OkStatus();  // nothing reads it
    }
    TENFOLD_ASSIGN_OR_RETURN(LoweredKernel lowered,
                             LowerToKernel(*group.body, graph_.DisplayName(group.outputs.back())));
    PlanStep step;
    FusedStep fused;
    for (int input : lowered.body_inputs) fused.inputs.push_back(ValueOf(group.inputs[input]));
    for (size_t i = 0; i < group.outputs.size(); ++i) {
      fused.outputs.push_back(ValueOf(group.outputs[i]));
      lowered.kernel.outputs[i].canonicalize_nans = IsObserved(group.outputs[i]);
    }
    fused.kernel = std::move(lowered.kernel);
    for (NodeId member : group.body->nodes()) {
      const Node& part = group.body->node(member);
      if (!part.op->Is<Source>()) step.nodes.push_back(Describe(*group.body, part));
    }
    step.work = std::move(fused);
    plan_.steps.push_back(std::move(step));
    return absl::OkStatus();
  }

  void AddMovement(const Node& node, size_t output, const Layout& layout) {
    const ValueId out = node.outputs[output];
    if (places_.views.contains(out)) {
      ValueOf(out);
      return;
    }
    const auto is_part = [&](const Piece& piece) { return places_.parts.contains(node.inputs[piece.input]); };
    if (std::any_of(layout.pieces.begin(), layout.pieces.end(), is_part)) {
      for (size_t i = 0; i < layout.pieces.size(); ++i) {
        if (!is_part(layout.pieces[i])) AddPart(node, layout.pieces[i], static_cast<int>(i));
      }
      return;
    }
    CopyStep copy;
    copy.layout = layout;
    const auto operand = [&](int input) {
      copy.in.push_back(ValueOf(node.inputs[input]));
      return static_cast<int>(copy.in.size()) - 1;
    };
    for (Piece& piece : copy.layout.pieces) piece.input = operand(piece.input);
    if (layout.fill >= 0) copy.layout.fill = operand(layout.fill);
    copy.out = ValueOf(out);
    copy.canonicalize_nans = IsObserved(out);
    plan_.steps.push_back({std::move(copy), {Describe(graph_, node, output)}});
  }

  // An operand that is not computed in its place within the node's result is copied there.
  void AddPart(const Node& node, const Piece& piece, int number) {
    const ValueId operand = node.inputs[piece.input], out = node.outputs[0];
    const TensorType& type = TypeOf(operand);
    CopyStep copy;
    copy.in = {ValueOf(operand)};
    ValuePlaces::Within place = {out, piece.to};
    if (const auto around = places_.parts.find(out); around != places_.parts.end())
      place = {around->second.whole, around->second.offset + piece.to};
    copy.out =
        AddAlias(absl::StrCat(graph_.DisplayName(out), ".", number), type, place, Describe(graph_, node));
    copy.layout = AliasOf(0, type.shape);
    copy.canonicalize_nans = IsObserved(out);
    plan_.steps.push_back({std::move(copy), {Describe(graph_, node)}});
  }

  void AddHostKernel(const Node& node) {
    KernelStep step;
    step.kernel = std::get<HostKernel>(node.op->computation);
    step.attrs = node.attrs;
    if (IsConvolution(step.kernel)) {
      step.convolution = LayOutConvolution(TypeOf(node.inputs[0]).shape, TypeOf(node.inputs[1]).shape,
                                           node.attrs, /*transposed=*/false);
    }
    for (ValueId input : node.inputs) {
      step.operands.push_back(input == kNoValue ? -1 : static_cast<int>(step.inputs.size()));
      if (input != kNoValue) step.inputs.push_back(ValueOf(input));
    }
    for (ValueId output : node.outputs) {
      step.outputs.push_back(ValueOf(output));
      step.canonicalize_nans.push_back(IsObserved(output));
      step.unread.push_back(readers_[static_cast<size_t>(output)].empty() &&
                            !places_.output_of.contains(output));
    }
    plan_.steps.push_back({std::move(step), {Describe(graph_, node)}, GivenSymbols(node)});
  }

  absl::Status AddControl(const Node& node) {
    ControlStep step;
    TENFOLD_ASSIGN_OR_RETURN(step.layout, LayOutControl(*node.op, node.inputs.size(), node.attrs));
    for (const auto& body : node.bodies) {
      if (!bodies_.contains(body.get())) {
        TENFOLD_ASSIGN_OR_RETURN(Plan plan, PlanBuilder(*body, bodies_, remarks_, /*is_body=*/true).Run({}));
        bodies_[body.get()] = std::make_shared<const Plan>(std::move(plan));
      }
      step.bodies.push_back(bodies_[body.get()]);
    }
    for (ValueId input : node.inputs) {
      step.operands.push_back(input == kNoValue ? -1 : static_cast<int>(step.inputs.size()));
      if (input != kNoValue) step.inputs.push_back(ValueOf(input));
    }
    // Trailing operands that are absent are not listed.
    while (static_cast<int>(step.operands.size()) < step.layout.lead) step.operands.push_back(-1);
    for (ValueId output : node.outputs) {
      step.outputs.push_back(ValueOf(output));
      step.canonicalize_nans.push_back(IsObserved(output));
    }
    plan_.steps.push_back({std::move(step), {Describe(graph_, node)}, GivenSymbols(node)});
    return absl::OkStatus();
  }

  absl::Status AddShapes(const Node& node) {
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const std::optional<Contents>& contents = graph_.value(node.outputs[i]).contents;
      if (!contents)
        return MakeError("E9001", absl::StrCat("inference does not say what ", node.op->name, " gives"));
      plan_.steps.push_back({ShapeStep{ValueOf(node.outputs[i]), *contents}, {Describe(graph_, node, i)}});
    }
    return absl::OkStatus();
  }

  void AddMatMul(NodeId id) {
    const Node& node = graph_.node(id);
    const TensorType& lhs = TypeOf(node.inputs[0]);
    const TensorType& rhs = TypeOf(node.inputs[1]);
    const ValueId out = node.outputs[0];
    plan_.steps.push_back({MatMulStep{lhs.dtype, ValueOf(node.inputs[0]), ValueOf(node.inputs[1]),
                                      ValueOf(out), LayOutMatMul(lhs.shape, rhs.shape), IsObserved(out)},
                           {Describe(graph_, node)}});
  }

  absl::Status AddOutput(int index) {
    const GraphOutput& output = graph_.outputs()[index];
    const auto it = places_.output_of.find(output.value);
    if (it != places_.output_of.end() && it->second == index) {
      plan_.outputs.push_back({output.name, ValueOf(output.value)});
      return absl::OkStatus();
    }
    const TensorType& type = TypeOf(output.value);
    CopyStep copy;
    copy.in = {ValueOf(output.value)};
    copy.out = AddValue({output.name, type, StorageKind::kOutput, index, {}});
    // A packed tensor is copied by its bytes.
    copy.layout = AliasOf(
        0, IsPacked(type.dtype) ? Shape{FloorDiv(type.shape.num_elements() + Dim(1), Dim(2))} : type.shape);
    copy.canonicalize_nans = !is_body_ && HasNan(type.dtype);
    plan_.outputs.push_back({output.name, copy.out});
    plan_.steps.push_back({std::move(copy), {Describe(graph_, graph_.producer(output.value))}});
    return absl::OkStatus();
  }

  const Graph& graph_;
  const std::vector<std::vector<NodeId>> readers_;
  BodyPlans& bodies_;
  std::vector<Remark>& remarks_;
  const bool is_body_;
  Plan plan_;
  ValuePlaces places_;
  absl::flat_hash_map<ValueId, int> values_;
};

}  // namespace

absl::StatusOr<std::vector<PlanCheck>> SizeChecks(const Graph& graph) {
  CheckList checks;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op->Is<Source>()) continue;
    TENFOLD_ASSIGN_OR_RETURN(std::vector<SizeAssumption> assumptions, AssumptionsOf(graph, node));
    for (SizeAssumption& assumption : assumptions) {
      PlanCheck check = {std::move(assumption), absl::StrCat(node.op->name, " '", graph.DisplayName(id), "'"),
                         node.provenance.location};
      if (node.op->name == "EnsureShape") check.node = node.attrs.Get<std::string>("reader");
      checks.Add(std::move(check));
    }
  }
  return std::move(checks).Take();
}

absl::StatusOr<Plan> BuildPlan(const Graph& graph, std::span<const PlanCheck> checks,
                               std::vector<Remark>& remarks) {
  BodyPlans bodies;
  return PlanBuilder(graph, bodies, remarks, /*is_body=*/false).Run(checks);
}

}  // namespace tenfold
