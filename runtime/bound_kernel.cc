// SPDX-License-Identifier: Apache-2.0
//
// A host kernel: the function that the interpreter calls, with the pool's threads for its blocks. And shapes
// as tensors, which are so small that nobody helps.
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/runtime/aligned_buffer.h"
#include "tenfold/runtime/body_run.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

class BoundKernel final : public BoundStep, private BlockRunner, private OutputPlacer {
 public:
  // `memory` counts that of results whose size only a run knows; null: there are none.
  BoundKernel(const ExecutableState& state, size_t step, BodyRuns* memory)
      : BoundStep(state.plan.steps[step]),
        state_(state),
        kernel_(std::get<KernelStep>(step_.work)),
        memory_(memory),
        own_(kernel_.outputs.size()),
        context_(NodeText(step_.nodes[0]), step_.nodes[0].location, kernel_.attrs) {
    context_.runner = this;
    context_.placer = this;
    context_.inputs.resize(kernel_.operands.size());
    context_.outputs.resize(kernel_.outputs.size());
  }

  absl::Status Bind(const SymbolValues& symbols, RunControl&) override {
    for (size_t i = 0; i < kernel_.operands.size(); ++i) {
      const int operand = kernel_.operands[i];
      context_.inputs[i].absent = operand < 0;
      if (operand < 0) continue;
      TENFOLD_RETURN_IF_ERROR(Describe(kernel_.inputs[operand], symbols, context_.inputs[i]));
    }
    for (size_t i = 0; i < kernel_.outputs.size(); ++i) {
      context_.outputs[i].absent = kernel_.unread[i];
      context_.outputs[i].dtype = ValueOf(i).type.dtype;
      if (ValueOf(i).storage == StorageKind::kStep) continue;  // the kernel says its extents
      TENFOLD_RETURN_IF_ERROR(Describe(kernel_.outputs[i], symbols, context_.outputs[i]));
    }
    const auto bytes = kernel_.kernel.scratch_bytes;
    scratch_bytes_ = bytes == nullptr ? 0 : static_cast<size_t>(bytes(context_));
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& run) override {
    run_ = &run;
    for (size_t i = 0; i < kernel_.operands.size(); ++i) {
      if (kernel_.operands[i] >= 0) context_.inputs[i].data = operands_[kernel_.operands[i]];
    }
    for (size_t i = 0; i < kernel_.outputs.size(); ++i) context_.outputs[i].data = operands_[num_inputs_ + i];
    const absl::Status status = CallKernel(kernel_.kernel, context_);
    // What a kernel that was stopped says follows from its being stopped.
    TENFOLD_RETURN_IF_ERROR(run.control.status());
    TENFOLD_RETURN_IF_ERROR(status);
    for (size_t i = 0; i < kernel_.outputs.size(); ++i) {
      const KernelTensor& output = context_.outputs[i];
      if (!kernel_.canonicalize_nans[i]) continue;
      TENFOLD_RETURN_IF_ERROR(CanonicalizeOutput(run, i, output.dtype, output.count));
    }
    return absl::OkStatus();
  }

  std::span<const int64_t> result_dims(size_t output) const override { return context_.outputs[output].dims; }
  const void* result_data(size_t output) const override { return context_.outputs[output].data; }

 private:
  const PlanValue& ValueOf(size_t output) const { return state_.plan.values[kernel_.outputs[output]]; }

  absl::StatusOr<void*> Place(size_t output, std::span<const int64_t>, int64_t bytes) override {
    TENFOLD_RETURN_IF_ERROR(memory_->Grow(own_[output], static_cast<size_t>(bytes), NodeText(step_.nodes[0]),
                                          state_.options.limits));
    return own_[output].data();
  }

  void Run(int64_t blocks, absl::FunctionRef<void(int64_t block, void* scratch)> body) override {
    run_->pool.ParallelFor(
        blocks, [&](int64_t b, int participant) { body(b, run_->scratch.piece(participant)); },
        run_->threads);
  }
  bool ShouldStop() override { return run_->control.ShouldStop(); }

  absl::Status Describe(int value, const SymbolValues& symbols, KernelTensor& out) const {
    const TensorType& type = state_.plan.values[value].type;
    TENFOLD_ASSIGN_OR_RETURN(out.dims, EvaluateShape(step_, type, symbols));
    out.dtype = type.dtype;
    out.count = *NumElements(out.dims);
    return absl::OkStatus();
  }

  const ExecutableState& state_;
  const KernelStep& kernel_;
  BodyRuns* const memory_;
  std::vector<AlignedBuffer> own_;  // by output, of those that the kernel places
  KernelContext context_;
  RunContext* run_ = nullptr;  // of the run at hand
};

class BoundShape final : public BoundStep {
 public:
  BoundShape(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]), shape_(std::get<ShapeStep>(step_.work)) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl&) override {
    values_now_.clear();
    for (const Dim& dim : shape_.values) {
      const std::optional<int64_t> value = dim.Evaluate(symbols);
      if (!value) {
        return MakeError("E0402", absl::StrCat(NodeText(step_.nodes[0]), ": ", dim.ToString(),
                                               " does not fit 64 bits, or divides by zero"));
      }
      values_now_.push_back(*value);
    }
    return absl::OkStatus();
  }

  absl::Status Run(RunContext&) override {
    std::copy(values_now_.begin(), values_now_.end(), static_cast<int64_t*>(operands_[0]));
    return absl::OkStatus();
  }

 private:
  const ShapeStep& shape_;
  std::vector<int64_t> values_now_;
};

}  // namespace

std::unique_ptr<BoundStep> CreateBoundKernel(const ExecutableState& state, size_t step, BodyRuns* memory) {
  return std::make_unique<BoundKernel>(state, step, memory);
}

std::unique_ptr<BoundStep> CreateBoundShape(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundShape>(state, step);
}

}  // namespace tenfold
