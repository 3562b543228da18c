// SPDX-License-Identifier: Apache-2.0
//
// A convolution: a library's kernel where the provider has one, else the host kernel of its loop nest.
#include <memory>
#include <optional>
#include <utility>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

class BoundConvolution final : public BoundStep {
 public:
  BoundConvolution(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]),
        state_(state),
        index_(step),
        work_(std::get<KernelStep>(step_.work)),
        reference_(CreateBoundKernel(state, step, nullptr)) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl& control) override {
    kernel_ = nullptr;
    // First the reference, which says what is wrong with extents.
    TENFOLD_RETURN_IF_ERROR(reference_->Bind(symbols, control));
    scratch_bytes_ = reference_->scratch_bytes();
    ConvolutionSpec spec;
    const std::optional<ConvolutionExtents> extents = EvaluateConvolution(*work_.convolution, symbols);
    if (!extents) return absl::OkStatus();
    spec.extents = *extents;
    spec.dtype = state_.plan.values[work_.outputs[0]].type.dtype;
    spec.has_bias = work_.inputs.size() > 2;
    spec.canonicalize_nans = work_.canonicalize_nans[0];
    const int weights = state_.plan.Root(work_.inputs[1]);
    if (state_.plan.values[weights].storage == StorageKind::kConstant &&
        state_.plan.IsWhole(work_.inputs[1])) {
      spec.constant_weights = state_.constants[weights];
    }
    TENFOLD_ASSIGN_OR_RETURN(kernel_, state_.ConvolutionFor(index_, spec, control));
    if (kernel_ == nullptr) return absl::OkStatus();
    scratch_bytes_ = kernel_->scratch_bytes();
    // The kernel's own tasks are the blocks.
    units_ = blocks_ = kernel_->num_tasks();
    block_ = 1;
    parallel_ = blocks_ > 1;
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& context) override {
    if (kernel_ == nullptr) {
      for (size_t i = 0; i < operands_.size(); ++i) *reference_->operand(i) = operands_[i];
      return reference_->Run(context);
    }
    const ConvolutionOperands operands = {operands_[0], operands_[1],
                                          num_inputs_ > 2 ? operands_[2] : nullptr, operands_[num_inputs_]};
    return RunBlocks(context, [&](int64_t begin, int64_t end, int participant) {
      for (int64_t task = begin; task < end; ++task) {
        kernel_->RunTask(task, operands, context.scratch.piece(participant));
      }
    });
  }

 private:
  const ExecutableState& state_;
  const size_t index_;
  const KernelStep& work_;
  const std::unique_ptr<BoundStep> reference_;
  std::shared_ptr<const ConvolutionKernel> kernel_;
};

}  // namespace

std::unique_ptr<BoundStep> CreateBoundConvolution(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundConvolution>(state, step);
}

}  // namespace tenfold
