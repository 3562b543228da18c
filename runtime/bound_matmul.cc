// SPDX-License-Identifier: Apache-2.0
//
// A matrix product: a library's kernel where the provider has one, else the reference loop nest.
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/matmul_reference.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

bool AllZero(const std::vector<int64_t>& strides) {
  return std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 0; });
}

// Row-major strides of `batch` itself, but for dims of extent 1, whose stride does not matter.
bool IsDense(const std::vector<int64_t>& batch, const std::vector<int64_t>& strides) {
  int64_t expected = 1;
  for (size_t d = batch.size(); d-- > 0;) {
    if (batch[d] != 1 && strides[d] != expected) return false;
    expected *= batch[d];
  }
  return true;
}

class BoundMatMul final : public BoundStep {
 public:
  BoundMatMul(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]),
        state_(state),
        index_(step),
        matmul_(std::get<MatMulStep>(step_.work)) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl& control) override;
  absl::Status Run(RunContext& context) override;

 private:
  // Everything by one kernel, or a kernel of one matrix called for each.
  struct Matrix {
    int64_t lhs, rhs, out;  // byte offsets
  };

  MatMulSpec ChooseSpec(int64_t matrices);
  absl::Status RunKernel(RunContext& context);
  absl::Status RunReference(RunContext& context);

  const ExecutableState& state_;
  const size_t index_;
  const MatMulStep& matmul_;
  std::vector<int64_t> batch_, lhs_strides_, rhs_strides_;
  MatMulExtents extents_;
  int64_t out_elements_ = 0;
  std::shared_ptr<const MatMulKernel> kernel_;
  std::vector<Matrix> matrices_;  // one per call of the kernel
};

absl::Status BoundMatMul::Bind(const SymbolValues& symbols, RunControl& control) {
  const MatMulLayout& layout = matmul_.layout;
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, layout.batch, symbols, batch_));
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, layout.lhs_strides, symbols, lhs_strides_));
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, layout.rhs_strides, symbols, rhs_strides_));
  std::vector<int64_t> mkn;
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, {layout.m, layout.k, layout.n}, symbols, mkn));
  extents_ = {batch_, lhs_strides_, rhs_strides_, mkn[0], mkn[1], mkn[2]};
  Dims out_dims = batch_;
  out_dims.push_back(mkn[0]);
  out_dims.push_back(mkn[2]);
  const std::optional<int64_t> out_elements = NumElements(out_dims);
  const std::optional<int64_t> matrices = NumElements(batch_);
  if (!out_elements || !matrices) {
    return MakeError("E0402", absl::StrCat(NodeText(step_.nodes[0]), ": ", DimsToString(out_dims),
                                           " has more elements than 64 bits can count"));
  }
  out_elements_ = *out_elements;
  kernel_ = nullptr;
  scratch_bytes_ = 0;
  matrices_.clear();
  // A sum of nothing is 0 whoever computes it, and libraries need not be asked about empty matrices.
  if (out_elements_ > 0 && mkn[1] > 0) {
    TENFOLD_ASSIGN_OR_RETURN(kernel_, state_.MatMulFor(index_, ChooseSpec(*matrices), control));
  }
  int64_t cost;
  if (__builtin_mul_overflow(mkn[1], mkn[2], &cost)) cost = std::numeric_limits<int64_t>::max();
  if (kernel_ == nullptr) {
    CutIntoBlocks(out_elements_ == 0 ? 0 : extents_.num_rows(), cost, 4);
    return absl::OkStatus();
  }
  scratch_bytes_ = kernel_->scratch_bytes();
  // The kernel's own tasks are the blocks.
  CutIntoBlocks(extents_.num_rows(), cost / 8, 1);
  units_ = blocks_ = kernel_->num_tasks() * static_cast<int64_t>(matrices_.size());
  block_ = 1;
  parallel_ = parallel_ && blocks_ > 1;
  return absl::OkStatus();
}

MatMulSpec BoundMatMul::ChooseSpec(int64_t matrices) {
  MatMulSpec spec;
  spec.dtype = matmul_.dtype;
  spec.canonicalize_nans = matmul_.canonicalize_nans;
  spec.m = extents_.m;
  spec.k = extents_.k;
  spec.n = extents_.n;
  const bool lhs_dense = IsDense(batch_, lhs_strides_), rhs_dense = IsDense(batch_, rhs_strides_);
  const bool lhs_one = AllZero(lhs_strides_) || matrices == 1,
             rhs_one = AllZero(rhs_strides_) || matrices == 1;
  if (rhs_one && lhs_dense) {
    // The matrices on the left lie one below the other: one tall matrix.
    spec.m *= matrices;
    matrices_ = {{0, 0, 0}};
  } else if ((lhs_dense || lhs_one) && (rhs_dense || rhs_one)) {
    spec.batch = matrices;
    spec.lhs_batched = !lhs_one;
    spec.rhs_batched = !rhs_one;
    matrices_ = {{0, 0, 0}};
  } else {
    const int64_t size = static_cast<int64_t>(SizeOf(matmul_.dtype));
    for (int64_t matrix = 0; matrix < matrices; ++matrix) {
      int64_t rest = matrix, lhs = 0, rhs = 0;
      for (size_t d = batch_.size(); d-- > 0;) {
        lhs += rest % batch_[d] * lhs_strides_[d];
        rhs += rest % batch_[d] * rhs_strides_[d];
        rest /= batch_[d];
      }
      matrices_.push_back(
          {lhs * spec.m * spec.k * size, rhs * spec.k * spec.n * size, matrix * spec.m * spec.n * size});
    }
  }
  const PlanValue& rhs = state_.plan.values[state_.plan.Root(matmul_.rhs)];
  if (rhs.storage == StorageKind::kConstant && state_.plan.IsWhole(matmul_.rhs) && rhs_one) {
    const absl::StatusOr<Tensor> matrix =
        state_.constants[state_.plan.Root(matmul_.rhs)].Reshape(Dims{spec.k, spec.n});
    if (matrix.ok()) spec.constant_rhs = *matrix;
  }
  return spec;
}

absl::Status BoundMatMul::Run(RunContext& context) {
  if (kernel_ != nullptr) return RunKernel(context);
  TENFOLD_RETURN_IF_ERROR(RunReference(context));
  return matmul_.canonicalize_nans ? CanonicalizeOutput(context, 0, matmul_.dtype, out_elements_)
                                   : absl::OkStatus();
}

absl::Status BoundMatMul::RunKernel(RunContext& context) {
  const char* const lhs = static_cast<const char*>(operands_[0]);
  const char* const rhs = static_cast<const char*>(operands_[1]);
  char* const out = static_cast<char*>(operands_[2]);
  const int64_t tasks = kernel_->num_tasks();
  return RunBlocks(context, [&](int64_t begin, int64_t end, int participant) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const Matrix& matrix = matrices_[unit / tasks];
      kernel_->RunTask(unit % tasks, lhs + matrix.lhs, rhs + matrix.rhs, out + matrix.out,
                       context.scratch.piece(participant));
    }
  });
}

absl::Status BoundMatMul::RunReference(RunContext& context) {
  return RunBlocks(context, [&](int64_t begin, int64_t end, int) {
    MatMulReference(matmul_.dtype, extents_, operands_[0], operands_[1], operands_[2], begin, end,
                    std::nullopt, context.control.interrupt());
  });
}

}  // namespace

std::unique_ptr<BoundStep> CreateBoundMatMul(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundMatMul>(state, step);
}

}  // namespace tenfold
