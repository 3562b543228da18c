// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/lower.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fused/emit_node.h"
#include "tenfold/graph/fused/iteration_space.h"

namespace tenfold {
namespace {

using ValueSource = FusedKernel::Source;
using Stage = FusedKernel::Stage;

absl::Status Unfit(std::string why) { return MakeError("E0801", std::move(why)); }

class Lowering {
 public:
  Lowering(const Graph& body, std::string name) : body_(body) { kernel_.name = std::move(name); }

  absl::StatusOr<LoweredKernel> Run() {
    TENFOLD_ASSIGN_OR_RETURN(space_, FindIterationSpace(body_));
    TENFOLD_RETURN_IF_ERROR(PlaceAll());
    ChooseStages();
    for (ValueId root : stage_order_) TENFOLD_RETURN_IF_ERROR(AddStage(root));
    for (const GraphOutput& output : body_.outputs()) TENFOLD_RETURN_IF_ERROR(AddOutput(output.value));
    kernel_.extents = space_.extents;
    kernel_.parallel_rank = space_.parallel_rank;
    SimplifyIterationSpace(kernel_);
    TENFOLD_RETURN_IF_ERROR(kernel_.Verify());
    return LoweredKernel{std::move(kernel_), std::move(body_inputs_)};
  }

 private:
  static size_t Index(ValueId id) { return static_cast<size_t>(id); }
  const Node& ProducerOf(ValueId id) const { return body_.producer(id); }
  bool IsReduction(ValueId id) const { return ProducerOf(id).op->Is<Reduction>(); }
  bool IsInput(ValueId id) const { return ProducerOf(id).op->name == "Input"; }

  // --- Placement: how each value's dims lie in the iteration space, from the outputs down ---

  absl::Status PlaceAll() {
    placement_.resize(body_.num_values());
    for (const GraphOutput& output : body_.outputs()) {
      TENFOLD_ASSIGN_OR_RETURN(Placement p, space_.PlaceResult(body_.value(output.value).type.shape));
      TENFOLD_RETURN_IF_ERROR(Place(output.value, std::move(p)));
    }
    const std::vector<NodeId>& order = body_.nodes();
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      const Node& node = body_.node(*it);
      const std::optional<Placement>& own = placement_[Index(node.outputs[0])];
      if (!own.has_value() || node.op->Is<Source>()) continue;
      if (node.op->Is<Reduction>()) {
        if (!space_.IsRowPlacement(*own))
          return Unfit("a reduction's result is read along the axes that it reduced");
        TENFOLD_RETURN_IF_ERROR(Place(node.inputs[0], space_.FullPlacement()));
      } else if (node.op->Is<Elementwise>()) {
        for (ValueId input : Present(node.inputs)) {
          const size_t rank = body_.value(input).type.shape.rank();
          if (rank > own->size()) return Unfit("an operand has more dims than the result");
          TENFOLD_RETURN_IF_ERROR(Place(input, Placement(own->end() - rank, own->end())));
        }
      } else if (node.op->Is<Movement>()) {
        TENFOLD_RETURN_IF_ERROR(AddView(node));
      } else {
        return Unfit(absl::StrCat(node.op->name, " is not part of a fused kernel"));
      }
    }
    return absl::OkStatus();
  }

  // Kernels read memory by strides that are not negative, and whole outputs that one stride a dim describes.
  absl::Status AddView(const Node& node) {
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<Layout> layouts, LayoutsOf(body_, node));
    for (size_t i = 0; i < layouts.size(); ++i) {
      const Piece* const view = AsView(layouts[i], body_.value(node.outputs[i]).type.shape);
      if (view == nullptr) return Unfit(absl::StrCat(node.op->name, " reads no strided view"));
      if (!IsInput(node.inputs[view->input]))
        return Unfit(absl::StrCat(node.op->name, " reads a value that is not in memory"));
      if (!view->from.valid()) return Unfit(absl::StrCat(node.op->name, " has no expressible offset"));
      for (const Dim& stride : view->from_strides) {
        if (!(Max(stride, 0) == stride)) return Unfit(absl::StrCat(node.op->name, " walks backwards"));
      }
      views_[node.outputs[i]] = *view;
    }
    return absl::OkStatus();
  }

  // A computed value lies one way; Inputs and constants may be read in several.
  absl::Status Place(ValueId id, Placement placement) {
    for (size_t d = 0; d < placement.size(); ++d) {
      const Dim& extent = body_.value(id).type.shape.dim(static_cast<int>(d));
      if (extent == Dim(1)) continue;
      if (!(extent == space_.extents[placement[d]]))
        return Unfit("a value's dims do not lie along the kernel's");
    }
    std::optional<Placement>& own = placement_[Index(id)];
    if (own.has_value() && *own != placement && !ProducerOf(id).op->Is<Source>()) {
      return Unfit(absl::StrCat("'", body_.DisplayName(id), "' is read in two ways"));
    }
    own = std::move(placement);
    return absl::OkStatus();
  }

  // One value for each row: it lies along no reduced dim.
  bool IsPerRow(ValueId id) const {
    if (space_.reduced_rank() == 0) return false;
    const Placement& p = *placement_[Index(id)];
    for (size_t d = 0; d < p.size(); ++d) {
      if (p[d] >= space_.parallel_rank && !(body_.value(id).type.shape.dim(static_cast<int>(d)) == Dim(1)))
        return false;
    }
    return true;
  }

  // --- Stages: which values are computed once and named, and which are part of their reader's program ---

  // A value becomes a stage if it is stored, reduced, or read by several stages and not cheap to compute
  // again.
  void ChooseStages() {
    std::vector<std::set<ValueId>> reading_stages(body_.num_values());
    std::set<ValueId> stored;
    for (const GraphOutput& output : body_.outputs()) stored.insert(output.value);
    std::vector<ValueId> reversed;
    const std::vector<NodeId>& order = body_.nodes();
    for (auto it = order.rbegin(); it != order.rend(); ++it) {
      const Node& node = body_.node(*it);
      const ValueId id = node.outputs[0];
      if (!placement_[Index(id)].has_value()) continue;
      const bool computed = !node.op->Is<Source>() && !node.op->Is<Movement>();
      std::set<ValueId>& readers = reading_stages[Index(id)];
      const bool feeds_elements = std::any_of(readers.begin(), readers.end(),
                                              [&](ValueId r) { return IsReduction(r) || !IsPerRow(r); });
      const bool is_stage =
          stored.contains(id) || (computed && (IsReduction(id) || (IsPerRow(id) && feeds_elements) ||
                                               (readers.size() > 1 && !IsCheap(node))));
      if (is_stage) {
        reversed.push_back(id);
        readers = {id};
      }
      for (ValueId input : Present(node.inputs))
        reading_stages[Index(input)].insert(readers.begin(), readers.end());
    }
    stage_order_.assign(reversed.rbegin(), reversed.rend());
  }

  // Conversions and single additions are recomputed rather than kept in memory between loops.
  static bool IsCheap(const Node& node) {
    static const auto* const kCheap =
        new std::set<std::string>{"Cast", "Add", "Sub", "Mul", "Neg", "Max", "Where"};
    return kCheap->contains(node.op->name);
  }

  absl::Status AddStage(ValueId root) {
    const Node& node = ProducerOf(root);
    Stage stage;
    StageBuilder builder;
    Scalar result;
    if (node.op->Is<Reduction>()) {
      const Reduction& reduction = std::get<Reduction>(node.op->computation);
      TENFOLD_ASSIGN_OR_RETURN(Scalar element, Emit(builder, node.inputs[0], space_.FullPlacement()));
      result = EmitReductionMap(reduction, element);
      if (space_.reduced_rank() > 0) {  // of a scalar, a reduction is its one element
        stage.kind = Stage::kReduce;
        stage.combine = CombineProgram(reduction, result.type());
        stage.identity = reduction.identity(result.type());
        stage.empty = reduction.empty(result.type());
      }
    } else {
      TENFOLD_ASSIGN_OR_RETURN(result, EmitComputed(builder, root, *placement_[Index(root)]));
      stage.per_row = IsPerRow(root);
    }
    stage.inputs = std::move(builder.inputs);
    const Scalar outputs[] = {result};
    stage.program = std::move(builder.program).Finish(outputs);
    stages_[root] = static_cast<int>(kernel_.stages.size());
    kernel_.stages.push_back(std::move(stage));
    return absl::OkStatus();
  }

  // The stage's program under construction, and where its inputs come from.
  struct StageBuilder {
    ScalarBuilder program;
    std::vector<ValueSource> inputs;
    std::map<std::pair<ValueId, Placement>, Scalar> emitted;

    Scalar Read(ValueSource source, DType type) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i] == source) return read[i];
      }
      inputs.push_back(source);
      read.push_back(program.Input(type));
      return read.back();
    }
    std::vector<Scalar> read;
  };

  // The value of `id` for one element, read from a stage or memory, or computed here.
  absl::StatusOr<Scalar> Emit(StageBuilder& builder, ValueId id, const Placement& placement) {
    const DType dtype = body_.value(id).type.dtype;
    if (auto it = stages_.find(id); it != stages_.end()) {
      const ValueSource source{ValueSource::kStage, it->second, 0};
      const Scalar value = builder.Read(source, kernel_.stages[it->second].program.output_type(0));
      // A reduction's stage holds its accumulator; each reader rounds it to the dtype, the same way.
      return value.type() == dtype ? value : Convert(value, dtype);
    }
    const auto key = std::make_pair(id, placement);
    if (auto it = builder.emitted.find(key); it != builder.emitted.end()) return it->second;
    TENFOLD_ASSIGN_OR_RETURN(Scalar value, EmitComputed(builder, id, placement));
    builder.emitted.emplace(key, value);
    return value;
  }

  absl::StatusOr<Scalar> EmitComputed(StageBuilder& builder, ValueId id, const Placement& placement) {
    const Node& node = ProducerOf(id);
    const TensorType& type = body_.value(id).type;
    if (const Tensor* constant = body_.ConstantValue(id)) {
      if (constant->num_elements() != 1 && !constant->is_splat())
        return Unfit("a constant holds several values");
      return EmitConstant(builder.program, *constant);
    }
    if (IsInput(id)) return ReadMemory(builder, id, type, RowMajorStrides(type.shape.dims()), 0, placement);
    if (const auto view = views_.find(id); view != views_.end()) {
      return ReadMemory(builder, node.inputs[view->second.input], type, view->second.from_strides,
                        view->second.from, placement);
    }
    std::vector<Scalar> in;
    for (ValueId input : node.inputs) {
      if (input == kNoValue) {
        in.emplace_back();
        continue;
      }
      const size_t rank = body_.value(input).type.shape.rank();
      TENFOLD_ASSIGN_OR_RETURN(Scalar operand,
                               Emit(builder, input, Placement(placement.end() - rank, placement.end())));
      in.push_back(operand);
    }
    return EmitElementwise(node, type.dtype, in);
  }

  // Element loads of body input `id`, seen as a tensor of `type` with `strides` from element `offset` on.
  absl::StatusOr<Scalar> ReadMemory(StageBuilder& builder, ValueId id, const TensorType& type,
                                    const std::vector<Dim>& strides, const Dim& offset,
                                    const Placement& placement) {
    FusedKernel::Operand operand{type.dtype, space_.StridesAlong(type.shape, strides, placement), offset};
    const auto& inputs = body_.inputs();
    const int body_input = static_cast<int>(std::find(inputs.begin(), inputs.end(), id) - inputs.begin());
    int index = 0;
    while (index < static_cast<int>(kernel_.inputs.size()) &&
           (body_inputs_[index] != body_input || !(kernel_.inputs[index] == operand))) {
      ++index;
    }
    if (index == static_cast<int>(kernel_.inputs.size())) {
      kernel_.inputs.push_back(std::move(operand));
      body_inputs_.push_back(body_input);
    }
    return builder.Read({ValueSource::kInput, index, 0}, type.dtype);
  }

  absl::Status AddOutput(ValueId id) {
    const TensorType& type = body_.value(id).type;
    FusedKernel::Output output;
    output.operand = {type.dtype, space_.StridesAlong(type.shape, RowMajorStrides(type.shape.dims()),
                                                      *placement_[Index(id)])};
    output.source = {ValueSource::kStage, stages_.at(id), 0};
    const DType stage_type = kernel_.stages[output.source.index].program.output_type(0);
    if (stage_type != type.dtype) {  // a half reduction: its accumulator is rounded once a row
      const DType types[] = {stage_type};
      Stage rounding;
      rounding.per_row = space_.reduced_rank() > 0;
      rounding.program = ScalarBuilder::Record(
          types, [&](std::span<const Scalar> in) { return std::vector<Scalar>{Convert(in[0], type.dtype)}; });
      rounding.inputs = {output.source};
      output.source.index = static_cast<int>(kernel_.stages.size());
      kernel_.stages.push_back(std::move(rounding));
    }
    kernel_.outputs.push_back(std::move(output));
    return absl::OkStatus();
  }

  const Graph& body_;
  IterationSpace space_;
  std::vector<std::optional<Placement>> placement_;  // by value; none: not needed
  std::map<ValueId, Piece> views_;                   // of movements
  std::vector<ValueId> stage_order_;
  std::map<ValueId, int> stages_;
  FusedKernel kernel_;
  std::vector<int> body_inputs_;
};

}  // namespace

absl::StatusOr<LoweredKernel> LowerToKernel(const Graph& body, std::string name) {
  return Lowering(body, std::move(name)).Run();
}

}  // namespace tenfold
