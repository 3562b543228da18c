// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/build_plan.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/compiler/group.h"
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

class PlanBuilder {
 public:
  PlanBuilder(const Graph& graph, BodyPlans& bodies, bool is_body)
      : graph_(graph), readers_(graph.Readers()), bodies_(bodies), is_body_(is_body) {
    plan_.name = graph.name;
  }

  absl::StatusOr<Plan> Run() {
    TENFOLD_RETURN_IF_ERROR(CheckRanks());
    TENFOLD_RETURN_IF_ERROR(FindLayouts());
    ChooseOutputStorage();
    for (ValueId input : graph_.inputs()) AddInput(input);
    for (NodeId id : graph_.nodes()) TENFOLD_RETURN_IF_ERROR(AddNode(id));
    for (size_t i = 0; i < graph_.outputs().size(); ++i)
      TENFOLD_RETURN_IF_ERROR(AddOutput(static_cast<int>(i)));
    std::vector<std::pair<std::string, DimBounds>> bounds(graph_.symbol_bounds.begin(),
                                                          graph_.symbol_bounds.end());
    TENFOLD_RETURN_IF_ERROR(BindSymbols(plan_, bounds, is_body_));
    TENFOLD_RETURN_IF_ERROR(PlanMemory(plan_));
    TENFOLD_RETURN_IF_ERROR(VerifyPlan(plan_));
    return std::move(plan_);
  }

 private:
  const TensorType& TypeOf(ValueId id) const { return graph_.value(id).type; }
  // The value of whose memory this is another shape.
  std::optional<ValueId> AliasedBy(ValueId id) const {
    const ValueInfo& value = graph_.value(id);
    const auto it = layouts_.find(value.producer);
    if (it == layouts_.end()) return std::nullopt;
    const Layout& layout = it->second[value.output_index];
    if (layout.pieces.size() != 1) return std::nullopt;
    const ValueId of = graph_.producer(id).inputs[layout.pieces[0].input];
    return IsAlias(layout, TypeOf(of).shape) ? std::optional(of) : std::nullopt;
  }

  absl::Status FindLayouts() {
    for (NodeId id : graph_.nodes()) {
      if (!graph_.node(id).op->Is<Movement>()) continue;
      TENFOLD_ASSIGN_OR_RETURN(layouts_[id], LayoutsOf(graph_, graph_.node(id)));
    }
    return absl::OkStatus();
  }

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

  // A computed value that is fetched lives in the output's memory, if a step writes it: the first output that
  // fetches it. Other fetches of it are copies.
  void ChooseOutputStorage() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId value = graph_.outputs()[i].value;
      const bool computed =
          !graph_.producer(value).op->Is<Source>() && !AliasedBy(value) && !HasStepsStorage(value);
      if (computed) output_of_.try_emplace(value, static_cast<int>(i));
    }
  }

  // The symbols that a run of the node gives.
  static std::vector<std::string> SymbolsOf(const Node& node) {
    if (node.op->FindAttr(kSymbolsAttr) == nullptr) return {};
    return node.attrs.Get<std::vector<std::string>>(kSymbolsAttr);
  }

  // Whether only the node that gives the value knows how large it is.
  bool HasStepsStorage(ValueId id) const {
    const Node& node = graph_.producer(id);
    if (node.op->FindAttr(kSymbolsAttr) == nullptr || !TypeOf(id).shape.has_rank()) return false;
    const std::vector<std::string> given = SymbolsOf(node);
    std::vector<std::string> names;
    for (const Dim& dim : TypeOf(id).shape.dims()) dim.CollectSymbols(names);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return std::find(given.begin(), given.end(), name) != given.end();
    });
  }

  int AddValue(PlanValue value) {
    plan_.values.push_back(std::move(value));
    return static_cast<int>(plan_.values.size()) - 1;
  }
  int AddAlias(std::string name, TensorType type, int of) {
    return AddValue({std::move(name), std::move(type), StorageKind::kAlias, of, {}});
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
    PlanValue value{graph_.DisplayName(id), TypeOf(id), StorageKind::kArena, 0, {}};
    if (const Tensor* constant = graph_.ConstantValue(id)) {
      value.storage = StorageKind::kConstant;
      value.constant = *constant;
    } else if (auto it = output_of_.find(id); it != output_of_.end()) {
      value.storage = StorageKind::kOutput;
      value.index = it->second;
    } else if (HasStepsStorage(id)) {
      value.storage = StorageKind::kStep;
    }
    return values_[id] = AddValue(std::move(value));
  }

  // What a body gives goes on being computed with.
  bool IsObserved(ValueId id) const {
    return !is_body_ && HasNan(TypeOf(id).dtype) && output_of_.contains(id);
  }

  absl::Status AddNode(NodeId id) {
    const Node& node = graph_.node(id);
    if (node.op->Is<Source>()) return absl::OkStatus();
    if (node.op->Is<Movement>()) {
      for (size_t i = 0; i < node.outputs.size(); ++i) AddMovement(node, i, layouts_.at(id)[i]);
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
    if (const std::optional<ValueId> of = AliasedBy(out)) {
      values_[out] = AddAlias(graph_.DisplayName(out), TypeOf(out), ValueOf(*of));
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
      step.unread.push_back(readers_[static_cast<size_t>(output)].empty() && !output_of_.contains(output));
    }
    plan_.steps.push_back({std::move(step), {Describe(graph_, node)}, SymbolsOf(node)});
  }

  absl::Status AddControl(const Node& node) {
    ControlStep step;
    TENFOLD_ASSIGN_OR_RETURN(step.layout, LayOutControl(*node.op, node.inputs.size(), node.attrs));
    for (const auto& body : node.bodies) {
      if (!bodies_.contains(body.get())) {
        TENFOLD_ASSIGN_OR_RETURN(Plan plan, PlanBuilder(*body, bodies_, /*is_body=*/true).Run());
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
    plan_.steps.push_back({std::move(step), {Describe(graph_, node)}, SymbolsOf(node)});
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
    const auto it = output_of_.find(output.value);
    if (it != output_of_.end() && it->second == index) {
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
  const bool is_body_;
  Plan plan_;
  absl::flat_hash_map<NodeId, std::vector<Layout>> layouts_;  // of movements, by output
  absl::flat_hash_map<ValueId, int> values_;
  absl::flat_hash_map<ValueId, int> output_of_;  // computed values that live in an output's memory
};

}  // namespace

absl::StatusOr<Plan> BuildPlan(const Graph& graph) {
  BodyPlans bodies;
  return PlanBuilder(graph, bodies, /*is_body=*/false).Run();
}

}  // namespace tenfold
