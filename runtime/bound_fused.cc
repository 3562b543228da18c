// SPDX-License-Identifier: Apache-2.0
//
// A fused kernel, interpreted until there is machine code for it.
#include <algorithm>
#include <limits>
#include <mutex>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fused/kernel_failure.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

constexpr KernelError kNoError = {std::numeric_limits<int64_t>::max(), kKernelOk, 0};

// The index of element number `linear` under `dims`.
Dims Unravel(int64_t linear, const Dims& dims) {
  Dims index(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    const int64_t extent = std::max<int64_t>(dims[d], 1);
    index[d] = linear % extent;
    linear /= extent;
  }
  return index;
}

// Element-instructions of one row.
int64_t RowCost(const FusedKernel& kernel, int64_t row_elements) {
  const int64_t operands = static_cast<int64_t>(kernel.inputs.size() + kernel.outputs.size());
  int64_t per_element = 2 * operands, per_row = 0;
  for (const FusedKernel::Stage& stage : kernel.stages) {
    const int64_t instrs = static_cast<int64_t>(stage.program.instrs.size() + stage.combine.instrs.size());
    (stage.per_row ? per_row : per_element) += instrs;
  }
  return per_row + per_element * std::min(row_elements, int64_t{1} << 40);
}

// Whether rows that follow one another lie side by side in memory, and their elements do not.
bool ReducesColumns(const FusedKernel& kernel) {
  if (kernel.parallel_rank == 0 || kernel.reduced_rank() == 0) return false;
  const auto any_dense = [&](int dim) {
    return std::any_of(kernel.inputs.begin(), kernel.inputs.end(),
                       [&](const FusedKernel::Operand& input) { return input.strides[dim] == Dim(1); });
  };
  return any_dense(kernel.parallel_rank - 1) && !any_dense(kernel.rank() - 1);
}

class BoundFused final : public BoundStep {
 public:
  BoundFused(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]),
        kernel_(std::get<FusedStep>(step_.work).kernel),
        code_(*state.step_kernels[step]),
        dim_expressions_(kernel_.DimExpressions()) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl&) override;
  absl::Status Run(RunContext& context) override;
  absl::Status ErrorAt(const KernelError& error) const override;

 private:
  int64_t Granule(int64_t inner, int64_t row_cost) const;
  absl::Status EvaluateOffsets(const SymbolValues& symbols);
  size_t ScratchBytes(const CompiledKernel* compiled) const;
  absl::Status Adopt(const CompiledKernel* compiled, RunContext& context);
  void Report(const KernelError& error);

  const FusedKernel& kernel_;
  const KernelCode& code_;
  const std::vector<Dim> dim_expressions_;
  const SymbolValues* symbols_ = nullptr;
  std::vector<int64_t> dims_;  // what KernelCall::dims points at
  int64_t row_elements_ = 1;
  std::vector<int64_t> offsets_;             // in bytes, by input
  std::vector<const void*> first_elements_;  // by input, of the run at hand
  const CompiledKernel* adopted_ = nullptr;  // the code that scratch_bytes_ is for; null: the interpreter

  std::mutex error_mutex_;
  KernelError error_ = kNoError;
};

absl::Status BoundFused::Bind(const SymbolValues& symbols, RunControl&) {
  symbols_ = &symbols;
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, dim_expressions_, symbols, dims_));
  const std::span<const int64_t> extents(dims_.data(), kernel_.rank());
  const std::optional<int64_t> rows = NumElements(extents.first(kernel_.parallel_rank));
  const std::optional<int64_t> row_elements = NumElements(extents.subspan(kernel_.parallel_rank));
  if (!rows || !row_elements) {
    return MakeError("E0402", absl::StrCat(NodeText(step_.nodes[0]), ": ", DimsToString(extents),
                                           " has more elements than 64 bits can count"));
  }
  row_elements_ = *row_elements;
  TENFOLD_RETURN_IF_ERROR(EvaluateOffsets(symbols));
  const int64_t cost = RowCost(kernel_, row_elements_);
  const int64_t inner = kernel_.parallel_rank == 0 ? 1 : extents[kernel_.parallel_rank - 1];
  CutIntoBlocks(*rows, cost, Granule(std::max<int64_t>(inner, 1), std::max<int64_t>(cost, 1)));
  adopted_ = code_.compiled.load(std::memory_order_acquire);
  scratch_bytes_ = ScratchBytes(adopted_);
  return absl::OkStatus();
}

// Blocks are of a multiple of so many rows, of which `inner` lie along the last parallel dim.
int64_t BoundFused::Granule(int64_t inner, int64_t row_cost) const {
  if (kernel_.reduced_rank() == 0) {
    // Rows are single elements: blocks end between vectors and, where it costs nothing, between inner rows,
    // so that they cut no vector loop short.
    if (inner > 4096) return 64;
    const int64_t both = std::lcm(inner, int64_t{64});
    return both > kMaxBlockCost / row_cost ? 64 : both;
  }
  // Of a line of memory all is used while it is there, and hardware fetches those behind it.
  return ReducesColumns(kernel_) ? std::min(inner, int64_t{256}) : 1;
}

absl::Status BoundFused::EvaluateOffsets(const SymbolValues& symbols) {
  std::vector<Dim> offsets;
  for (const FusedKernel::Operand& input : kernel_.inputs) offsets.push_back(input.offset);
  TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, offsets, symbols, offsets_));
  for (size_t i = 0; i < offsets_.size(); ++i) {
    const auto size = static_cast<int64_t>(SizeOf(kernel_.inputs[i].dtype));
    if (__builtin_mul_overflow(offsets_[i], size, &offsets_[i])) offsets_[i] = 0;  // of an empty space
  }
  first_elements_.resize(offsets_.size());
  return absl::OkStatus();
}

size_t BoundFused::ScratchBytes(const CompiledKernel* compiled) const {
  // A row that keeps so many elements fits no memory, and their bytes no integer; no other row is so long
  // that a run would end.
  constexpr int64_t kMaxRowElements = int64_t{1} << 48;
  if (row_elements_ > kMaxRowElements) return SIZE_MAX;
  if (compiled == nullptr) return code_.interpreter->ScratchBytes(dims_);
  return compiled->scratch_bytes + compiled->scratch_bytes_per_row_element * row_elements_;
}

absl::Status BoundFused::Adopt(const CompiledKernel* compiled, RunContext& context) {
  adopted_ = compiled;
  scratch_bytes_ = ScratchBytes(compiled);
  if (context.scratch.Grow(scratch_bytes_)) return absl::OkStatus();
  return MakeError("E0402", absl::StrCat("no memory for ", scratch_bytes_, " bytes of scratch of ",
                                         NodeText(step_.nodes[0])));
}

absl::Status BoundFused::Run(RunContext& context) {
  const CompiledKernel* const compiled = code_.compiled.load(std::memory_order_acquire);
  if (compiled != adopted_) TENFOLD_RETURN_IF_ERROR(Adopt(compiled, context));
  for (size_t i = 0; i < offsets_.size(); ++i) {
    first_elements_[i] = static_cast<const char*>(operands_[i]) + offsets_[i];
  }
  TENFOLD_RETURN_IF_ERROR(RunBlocks(context, [&](int64_t begin, int64_t end, int participant) {
    KernelError error = kNoError;
    const KernelCall call = {first_elements_.data(),
                             operands_.data() + num_inputs_,
                             dims_.data(),
                             begin,
                             end,
                             context.scratch.piece(participant),
                             &error,
                             context.control.interrupt()};
    if (compiled != nullptr)
      compiled->function(&call);
    else
      code_.interpreter->Run(call);
    if (error.code != kKernelOk) [[unlikely]]
      Report(error);
  }));
  if (error_.code != kKernelOk) [[unlikely]]
    return ErrorAt(std::exchange(error_, kNoError));
  return absl::OkStatus();
}

void BoundFused::Report(const KernelError& error) {
  const std::lock_guard<std::mutex> lock(error_mutex_);
  if (error.index < error_.index) error_ = error;
}

absl::Status BoundFused::ErrorAt(const KernelError& error) const {
  std::vector<const PlanNode*> suspects;
  for (const PlanNode& node : step_.nodes) {
    if (node.can_fail) suspects.push_back(&node);
  }
  if (suspects.empty()) suspects.push_back(&step_.nodes[0]);
  // The node's own shape, which people know, if the kernel has not put another iteration space over it.
  const Dims space(dims_.begin(), dims_.begin() + kernel_.rank());
  const std::optional<Dims> shape = suspects[0]->type.shape.Evaluate(*symbols_);
  const bool same = shape && NumElements(*shape) == NumElements(space);
  const std::string names = absl::StrJoin(
      suspects, " or ", [](std::string* out, const PlanNode* node) { *out += NodeText(*node); });
  return DividedByZero(Unravel(error.index, same ? *shape : space), names, suspects[0]->location,
                       suspects.size() > 1 ? Quotient()
                                           : Quotient{suspects[0]->name, suspects[0]->op,
                                                      suspects[0]->dividend, suspects[0]->divisor});
}

}  // namespace

std::unique_ptr<BoundStep> CreateBoundFused(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundFused>(state, step);
}

}  // namespace tenfold
