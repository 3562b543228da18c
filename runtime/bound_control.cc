// SPDX-License-Identifier: Apache-2.0
//
// If, Loop, Scan and Call: steps that run bodies. The interpreter of the same is graph/evaluate_control.cc.
//
// A body writes a result where it belongs, if its size is known before: into the step's output, or the row of
// a stacked one. Carried values are in two buffers that change places, so an iteration copies and allocates
// nothing as long as shapes stay.
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate_control.h"
#include "tenfold/runtime/body_run.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

// A tensor cut along an axis: `outer` times, `length` pieces of `bytes` each.
struct Cut {
  int64_t outer = 1, length = 1;
  size_t bytes = 0;

  Cut(std::span<const int64_t> dims, int axis, DType dtype) : length(dims[axis]), bytes(SizeOf(dtype)) {
    for (int d = 0; d < axis; ++d) outer *= dims[d];
    for (size_t d = axis + 1; d < dims.size(); ++d) bytes *= dims[d];
  }
  int64_t total() const { return outer * length * static_cast<int64_t>(bytes); }
};

// Between a tensor with the axis where it is, and one with the axis in front.
void MoveAxis(const Cut& cut, const char* from, char* to, bool to_front, RunControl& control) {
  for (int64_t o = 0; o < cut.outer && !control.ShouldStop(); ++o) {
    for (int64_t i = 0; i < cut.length; ++i) {
      const size_t in_place = (o * cut.length + i) * cut.bytes, in_front = (i * cut.outer + o) * cut.bytes;
      std::memcpy(to + (to_front ? in_front : in_place), from + (to_front ? in_place : in_front), cut.bytes);
    }
  }
}

// What both kinds have in common.
class BoundControl : public BoundStep {
 public:
  std::span<const int64_t> result_dims(size_t output) const override { return results_[output].dims; }
  const void* result_data(size_t output) const override { return results_[output].data; }

 protected:
  // A result.
  struct Result {
    bool own = false;  // its storage is the step's: the extents are known after Run alone
    DType dtype;
    Dims dims;
    const void* data = nullptr;
    AlignedBuffer buffer;  // of an own one

    int64_t count() const { return NumElements(dims).value_or(0); }
    size_t bytes() const { return count() * SizeOf(dtype); }
  };

  BoundControl(const ExecutableState& state, size_t step, BodyRuns& bodies)
      : BoundStep(state.plan.steps[step]),
        state_(state),
        control_(std::get<ControlStep>(step_.work)),
        layout_(control_.layout),
        bodies_(bodies),
        operand_dims_(control_.inputs.size()),
        results_(control_.outputs.size()) {
    for (size_t i = 0; i < results_.size(); ++i) {
      const PlanValue& value = state.plan.values[control_.outputs[i]];
      results_[i].own = value.storage == StorageKind::kStep;
      results_[i].dtype = value.type.dtype;
    }
  }

  absl::Status BindOperands(const SymbolValues& symbols) {
    for (size_t i = 0; i < control_.inputs.size(); ++i) {
      TENFOLD_ASSIGN_OR_RETURN(operand_dims_[i], EvaluateShape(step_, TypeOf(control_.inputs[i]), symbols));
    }
    for (size_t i = 0; i < results_.size(); ++i) {
      if (results_[i].own) continue;
      TENFOLD_ASSIGN_OR_RETURN(results_[i].dims, EvaluateShape(step_, TypeOf(control_.outputs[i]), symbols));
    }
    return absl::OkStatus();
  }

  const TensorType& TypeOf(int value) const { return state_.plan.values[value].type; }

  // Operand `i` of the node; null if it is absent.
  const void* Operand(int i) const {
    return control_.operands[i] < 0 ? nullptr : operands_[control_.operands[i]];
  }
  const Dims& OperandDims(int i) const { return operand_dims_[control_.operands[i]]; }
  DType OperandType(int i) const {
    return state_.plan.values[control_.inputs[control_.operands[i]]].type.dtype;
  }
  void* OutputAt(size_t i) { return operands_[num_inputs_ + i]; }

  // Counted, so that a run that calls itself busy for ever comes to an end.
  absl::Status CountStep(RunContext& context) const {
    if (context.steps_left-- > 0) [[likely]]
      return absl::OkStatus();
    return TooManySteps(NodeText(step_.nodes[0]), step_.nodes[0].location, state_.options.limits.loop_steps);
  }

  absl::Status CanonicalizeResults(RunContext& context) {
    for (size_t i = 0; i < results_.size(); ++i) {
      if (!control_.canonicalize_nans[i] || results_[i].own) continue;
      TENFOLD_RETURN_IF_ERROR(CanonicalizeOutput(context, i, results_[i].dtype, results_[i].count()));
    }
    return absl::OkStatus();
  }

  absl::Status Grow(AlignedBuffer& buffer, size_t bytes) {
    return bodies_.Grow(buffer, bytes, NodeText(step_.nodes[0]), state_.options.limits);
  }

  const ExecutableState& state_;
  const ControlStep& control_;
  const ControlLayout& layout_;
  BodyRuns& bodies_;
  std::vector<Dims> operand_dims_;  // by input
  std::vector<Result> results_;
};

// --- If and Call -------------------------------------------------------------------------------------------

class BoundBranch final : public BoundControl {
 public:
  BoundBranch(const ExecutableState& state, size_t step, BodyRuns& bodies)
      : BoundControl(state, step, bodies) {
    for (const auto& body : state.step_bodies[step]) branches_.push_back(&bodies.For(*body));
  }

  absl::Status Bind(const SymbolValues& symbols, RunControl& control) override {
    TENFOLD_RETURN_IF_ERROR(BindOperands(symbols));
    for (BodyRun* branch : branches_) {
      Feed(*branch, false);
      // A branch that is not taken may not fit; one that is says so in its turn.
      if (!branch->Bind(symbols, control).ok()) TENFOLD_RETURN_IF_ERROR(control.status());
    }
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& context) override {
    size_t which = 0;
    if (layout_.kind == ControlKind::kIf) {
      which = *static_cast<const bool*>(Operand(0)) ? 0 : 1;
    } else {
      TENFOLD_RETURN_IF_ERROR(CountStep(context));
    }
    BodyRun& branch = *branches_[which];
    Feed(branch, true);
    for (size_t i = 0; i < results_.size(); ++i)
      branch.SetOutput(static_cast<int>(i), results_[i].own ? nullptr : OutputAt(i));
    TENFOLD_RETURN_IF_ERROR(branch.Run(context));
    for (size_t i = 0; i < results_.size(); ++i) {
      Result& result = results_[i];
      if (!result.own) continue;
      const std::span<const int64_t> dims = branch.dims(static_cast<int>(i));
      result.dims.assign(dims.begin(), dims.end());
      // The body may be run again, for another Call, before all have read this.
      branch.SwapOutput(static_cast<int>(i), result.buffer);
      result.data = result.buffer.data();
    }
    return CanonicalizeResults(context);
  }

 private:
  void Feed(BodyRun& branch, bool with_data) {
    for (int i = 0; i < layout_.num_passed(); ++i) {
      const int operand = layout_.lead + i;
      branch.Feed(i, OperandDims(operand), with_data ? Operand(operand) : nullptr);
    }
  }

  std::vector<BodyRun*> branches_;
};

// --- Loop and Scan -----------------------------------------------------------------------------------------

class BoundLoop final : public BoundControl {
 public:
  BoundLoop(const ExecutableState& state, size_t step, BodyRuns& bodies)
      : BoundControl(state, step, bodies),
        body_(bodies.For(*state.step_bodies[step][0])),
        carried_(layout_.carried),
        scanned_(layout_.scanned),
        rows_(results_.size() - layout_.carried) {
    for (size_t k = 0; k < rows_.size(); ++k) {
      const PlanOutput& output =
          state.step_bodies[step][0]->plan.outputs[layout_.output_lead + layout_.carried + k];
      const int rank = state.step_bodies[step][0]->plan.values[output.value].type.shape.rank();
      const ControlLayout::Axis how = layout_.OutputAxis(static_cast<int>(k));
      rows_[k].axis = NormalizeAxis(how.axis, rank + 1).value_or(0);
      rows_[k].reversed = how.reversed;
    }
  }

  absl::Status Bind(const SymbolValues& symbols, RunControl& control) override {
    TENFOLD_RETURN_IF_ERROR(BindOperands(symbols));
    for (int i = 0; i < layout_.scanned; ++i) {
      const int operand = layout_.lead + layout_.carried + i;
      const Dims& dims = OperandDims(operand);
      const std::optional<int> axis =
          NormalizeAxis(layout_.scan_inputs[i].axis, static_cast<int>(dims.size()));
      if (!axis) return MakeError("E9001", "a scanned operand has no such axis");
      scanned_[i].axis = *axis;
      scanned_[i].dims = dims;
      scanned_[i].dims.erase(scanned_[i].dims.begin() + *axis);
      scanned_[i].length = dims[*axis];
      scanned_[i].bytes = NumElements(scanned_[i].dims).value_or(0) * SizeOf(OperandType(operand));
    }
    FeedFirst(false);
    // A loop that goes round at no time need not fit; otherwise the first iteration says so.
    if (!body_.Bind(symbols, control).ok()) TENFOLD_RETURN_IF_ERROR(control.status());
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& context) override {
    TENFOLD_RETURN_IF_ERROR(Begin(context));
    int64_t t = 0;
    for (; t < trips_ && go_on_; ++t) {
      if (context.control.ShouldStop()) return context.control.status();
      TENFOLD_RETURN_IF_ERROR(CountStep(context));
      TENFOLD_RETURN_IF_ERROR(Iterate(t, context));
    }
    TENFOLD_RETURN_IF_ERROR(FinishCarried());
    TENFOLD_RETURN_IF_ERROR(FinishRows(t, context));
    TENFOLD_RETURN_IF_ERROR(CanonicalizeResults(context));
    return context.control.status();
  }

 private:
  struct Carried {
    Dims dims;
    const void* data = nullptr;
    AlignedBuffer buffer;  // what the last iteration wrote
  };
  struct Scanned {
    int axis = 0;
    Dims dims;  // of an element
    int64_t length = 0;
    size_t bytes = 0;
    const char* data = nullptr;  // with the axis in front
    AlignedBuffer buffer;
  };
  struct Row {
    int axis = 0;
    bool reversed = false;
    size_t bytes = 0;       // of one, once there is one
    char* place = nullptr;  // of the stacked rows; null: they are collected in `buffer`
    AlignedBuffer buffer;
    Dims dims;
  };

  void FeedFirst(bool with_data) {
    static constexpr std::span<const int64_t> kScalar;
    if (layout_.body_lead == 2) {
      body_.Feed(0, kScalar, &iteration_);
      body_.Feed(1, kScalar, &condition_);
    }
    for (int i = 0; i < layout_.carried; ++i) {
      const int operand = layout_.lead + i;
      body_.Feed(layout_.body_lead + i, OperandDims(operand), with_data ? Operand(operand) : nullptr);
    }
    for (int i = 0; i < layout_.scanned; ++i)
      body_.Feed(layout_.body_lead + layout_.carried + i, scanned_[i].dims, scanned_[i].data);
    for (int i = layout_.carried + layout_.scanned; i < layout_.num_passed(); ++i) {
      const int operand = layout_.lead + i;
      body_.Feed(layout_.body_lead + i, OperandDims(operand), with_data ? Operand(operand) : nullptr);
    }
  }

  absl::Status Begin(RunContext& context) {
    trips_ = std::numeric_limits<int64_t>::max();
    go_on_ = true;
    if (layout_.kind == ControlKind::kLoop) {
      if (const void* trips = Operand(0)) trips_ = *static_cast<const int64_t*>(trips);
      if (const void* condition = Operand(1)) go_on_ = *static_cast<const bool*>(condition);
    }
    for (int i = 0; i < layout_.scanned; ++i) {
      Scanned& scanned = scanned_[i];
      const int operand = layout_.lead + layout_.carried + i;
      trips_ = std::min(trips_, scanned.length);
      scanned.data = static_cast<const char*>(Operand(operand));
      if (scanned.axis == 0) continue;
      const Cut cut(OperandDims(operand), scanned.axis, OperandType(operand));
      TENFOLD_RETURN_IF_ERROR(Grow(scanned.buffer, cut.total()));
      MoveAxis(cut, scanned.data, scanned.buffer.data(), /*to_front=*/true, context.control);
      scanned.data = scanned.buffer.data();
    }
    for (int i = 0; i < layout_.carried; ++i) {
      carried_[i].dims = OperandDims(layout_.lead + i);
      carried_[i].data = Operand(layout_.lead + i);
    }
    for (size_t k = 0; k < rows_.size(); ++k) {
      const Result& result = results_[layout_.carried + k];
      const bool in_place = !result.own && rows_[k].axis == 0;
      rows_[k].place = in_place ? static_cast<char*>(OutputAt(layout_.carried + k)) : nullptr;
    }
    FeedFirst(true);
    return absl::OkStatus();
  }

  absl::Status Iterate(int64_t t, RunContext& context) {
    iteration_ = t;
    condition_ = go_on_;
    for (int i = 0; i < layout_.carried; ++i) {
      body_.Feed(layout_.body_lead + i, carried_[i].dims, carried_[i].data);
    }
    for (int i = 0; i < layout_.scanned; ++i) {
      const Scanned& scanned = scanned_[i];
      const int64_t at = layout_.scan_inputs[i].reversed ? trips_ - 1 - t : t;
      body_.Feed(layout_.body_lead + layout_.carried + i, scanned.dims, scanned.data + at * scanned.bytes);
    }
    const int first_row = layout_.output_lead + layout_.carried;
    for (size_t k = 0; k < rows_.size(); ++k) {
      Row& row = rows_[k];
      const Result& result = results_[layout_.carried + k];
      if (row.place == nullptr) continue;
      if (t >= result.dims[0]) return MakeError("E9001", "a loop goes round more often than its type says");
      row.bytes = result.bytes() / result.dims[0];
      // Behind a stacked result of no bytes there may be no memory.
      body_.SetOutput(
          first_row + static_cast<int>(k),
          row.bytes == 0 ? nullptr : row.place + (row.reversed ? result.dims[0] - 1 - t : t) * row.bytes);
    }
    TENFOLD_RETURN_IF_ERROR(body_.Run(context));
    if (layout_.output_lead == 1) go_on_ = *static_cast<const bool*>(body_.data(0));
    for (int i = 0; i < layout_.carried; ++i) {
      const std::span<const int64_t> dims = body_.dims(layout_.output_lead + i);
      carried_[i].dims.assign(dims.begin(), dims.end());
      body_.SwapOutput(layout_.output_lead + i, carried_[i].buffer);
      carried_[i].data = carried_[i].buffer.data();
    }
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (rows_[k].place == nullptr)
        TENFOLD_RETURN_IF_ERROR(Collect(first_row + static_cast<int>(k), rows_[k], t));
    }
    return absl::OkStatus();
  }

  absl::Status Collect(int output, Row& row, int64_t t) {
    const std::span<const int64_t> dims = body_.dims(output);
    row.dims.assign(dims.begin(), dims.end());
    row.bytes =
        NumElements(dims).value_or(0) * SizeOf(results_[layout_.carried + (&row - rows_.data())].dtype);
    size_t end;
    if (__builtin_mul_overflow(row.bytes, static_cast<size_t>(t) + 1, &end)) end = SIZE_MAX;
    TENFOLD_RETURN_IF_ERROR(Grow(row.buffer, end));
    if (row.bytes > 0) std::memcpy(row.buffer.data() + t * row.bytes, body_.data(output), row.bytes);
    return absl::OkStatus();
  }

  absl::Status FinishCarried() {
    for (int i = 0; i < layout_.carried; ++i) {
      Result& result = results_[i];
      Carried& carried = carried_[i];
      if (!result.own) {
        const size_t bytes = result.bytes();
        if (bytes > 0) std::memcpy(OutputAt(i), carried.data, bytes);
        continue;
      }
      result.dims = carried.dims;
      if (carried.data != carried.buffer.data()) {  // no iteration: the operand's memory may be used again
        TENFOLD_RETURN_IF_ERROR(Grow(carried.buffer, result.bytes()));
        if (result.bytes() > 0) std::memcpy(carried.buffer.data(), carried.data, result.bytes());
      }
      result.data = carried.buffer.data();
    }
    return absl::OkStatus();
  }

  absl::Status FinishRows(int64_t steps, RunContext& context) {
    for (size_t k = 0; k < rows_.size(); ++k) {
      Row& row = rows_[k];
      Result& result = results_[layout_.carried + k];
      if (!result.own && result.dims[row.axis] != steps)
        return MakeError("E9001", "a loop goes round less often than its type says");
      if (row.place != nullptr) continue;
      if (result.own) {
        if (steps == 0) {
          TENFOLD_RETURN_IF_ERROR(body_.Bind(context.symbols, context.control));
          const std::span<const int64_t> dims = body_.dims(layout_.output_lead + layout_.carried + k);
          row.dims.assign(dims.begin(), dims.end());
        }
        result.dims = row.dims;
        result.dims.insert(result.dims.begin() + row.axis, steps);
      }
      const Cut cut(result.dims, row.axis, result.dtype);
      if (cut.total() == 0) continue;
      if (row.reversed) Reverse(row, steps);
      if (result.own && row.axis == 0) {
        result.data = row.buffer.data();
        continue;
      }
      char* to = static_cast<char*>(result.own ? nullptr : OutputAt(layout_.carried + k));
      if (result.own) {
        TENFOLD_RETURN_IF_ERROR(Grow(result.buffer, cut.total()));
        result.data = to = result.buffer.data();
      }
      MoveAxis(cut, row.buffer.data(), to, /*to_front=*/false, context.control);
    }
    return absl::OkStatus();
  }

  static void Reverse(Row& row, int64_t steps) {
    for (int64_t i = 0; i < steps / 2; ++i) {
      char* const a = row.buffer.data() + i * row.bytes;
      std::swap_ranges(a, a + row.bytes, row.buffer.data() + (steps - 1 - i) * row.bytes);
    }
  }

  BodyRun& body_;
  int64_t trips_ = 0;
  bool go_on_ = true;
  int64_t iteration_ = 0;
  bool condition_ = true;
  std::vector<Carried> carried_;
  std::vector<Scanned> scanned_;
  std::vector<Row> rows_;
};

}  // namespace

std::unique_ptr<BoundStep> CreateBoundBranch(const ExecutableState& state, size_t step, BodyRuns& bodies) {
  return std::make_unique<BoundBranch>(state, step, bodies);
}

std::unique_ptr<BoundStep> CreateBoundLoop(const ExecutableState& state, size_t step, BodyRuns& bodies) {
  return std::make_unique<BoundLoop>(state, step, bodies);
}

}  // namespace tenfold
