// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/bound_step.h"

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Costs are in element-instructions, of which compiled code does some thirty a nanosecond. A step below the
// first figure (8 microseconds) is done before another thread would have helped; a block of the second is
// long against the cost of taking it and short enough that threads finish together.
constexpr int64_t kInlineCost = int64_t{1} << 18;
constexpr int64_t kBlockCost = int64_t{1} << 16;
constexpr int64_t kMaxBlocks = 256;

}  // namespace

namespace {

// Two lines between pieces, since hardware fetches lines in pairs.
constexpr size_t kPieceAlignment = 2 * kTensorAlignment;

}  // namespace

std::optional<int64_t> Scratch::TotalBytes(size_t bytes) const {
  int64_t total;
  if (bytes > INT64_MAX - kPieceAlignment) return std::nullopt;
  const size_t stride = (bytes + kPieceAlignment - 1) / kPieceAlignment * kPieceAlignment;
  if (__builtin_mul_overflow(stride, participants_, &total)) return std::nullopt;
  return total;
}

bool Scratch::Grow(size_t bytes) {
  if (bytes <= stride_) return true;
  const std::optional<int64_t> total = TotalBytes(bytes);
  if (!total || !buffer_.Grow(*total)) return false;
  stride_ = *total / participants_;
  return true;
}

std::unique_ptr<BoundStep> BoundStep::Create(const ExecutableState& state, size_t step, BodyRuns* bodies) {
  const auto& work = state.plan.steps[step].work;
  if (std::holds_alternative<FusedStep>(work)) return CreateBoundFused(state, step);
  if (std::holds_alternative<MatMulStep>(work)) return CreateBoundMatMul(state, step);
  if (const auto* kernel = std::get_if<KernelStep>(&work)) {
    return kernel->convolution ? CreateBoundConvolution(state, step) : CreateBoundKernel(state, step, bodies);
  }
  if (std::holds_alternative<ShapeStep>(work)) return CreateBoundShape(state, step);
  if (const auto* control = std::get_if<ControlStep>(&work)) {
    return control->layout.repeats() ? CreateBoundLoop(state, step, *bodies)
                                     : CreateBoundBranch(state, step, *bodies);
  }
  return CreateBoundCopy(state, step);
}

BoundStep::BoundStep(const PlanStep& step) : step_(step), values_(StepInputs(step)) {
  num_inputs_ = values_.size();
  for (int v : StepOutputs(step)) values_.push_back(v);
  operands_.resize(values_.size());
}

absl::Status BoundStep::ErrorAt(const KernelError&) const {
  return MakeError("E9001", absl::StrCat(NodeText(step_.nodes[0]), " cannot fail for its values, and did"));
}

void BoundStep::CutIntoBlocks(int64_t units, int64_t cost, int64_t granule) {
  cost = std::max<int64_t>(cost, 1);
  units_ = units;
  int64_t block =
      std::max({kBlockCost / cost, std::min(units / kMaxBlocks, kMaxBlockCost / cost), int64_t{1}});
  block = (block + granule - 1) / granule * granule;
  block_ = block;
  blocks_ = units / block + (units % block != 0);
  parallel_ = blocks_ > 1 && units > kInlineCost / cost;
}

absl::Status BoundStep::CanonicalizeOutput(RunContext& context, size_t output, DType dtype, int64_t count) {
  if (!HasNan(dtype)) return absl::OkStatus();
  constexpr int64_t kChunk = int64_t{1} << 15;
  char* const data = static_cast<char*>(operands_[num_inputs_ + output]);
  context.pool.ParallelFor(
      count / kChunk + (count % kChunk != 0),
      [&](int64_t b, int) {
        if (context.control.ShouldStop()) return;
        const int64_t begin = b * kChunk;
        CanonicalizeNans(dtype, data + begin * SizeOf(dtype), std::min(kChunk, count - begin));
      },
      context.threads);
  return context.control.status();
}

std::string NodeText(const PlanNode& node) { return absl::StrCat(node.op, " '", node.name, "'"); }

absl::Status EvaluateDims(const PlanStep& step, const std::vector<Dim>& dims, const SymbolValues& symbols,
                          std::vector<int64_t>& out) {
  out.resize(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    const std::optional<int64_t> value =
        dims[i].is_constant() ? std::optional(dims[i].constant()) : dims[i].Evaluate(symbols);
    if (!value) {
      return MakeError("E0402", absl::StrCat(NodeText(step.nodes[0]), ": the extent ", dims[i].ToString(),
                                             " does not fit 64 bits, or divides by zero"));
    }
    if (*value < 0) {
      return MakeError("E0605", absl::StrCat(NodeText(step.nodes[0]), ": the extent ", dims[i].ToString(),
                                             " would be ", *value));
    }
    out[i] = *value;
  }
  return absl::OkStatus();
}

absl::StatusOr<Dims> EvaluateShape(const PlanNode& node, const TensorType& type,
                                   const SymbolValues& symbols) {
  std::optional<Dims> dims = type.shape.Evaluate(symbols);
  if (dims && NumElements(*dims)) return *std::move(dims);
  return MakeError("E0402", absl::StrCat(NodeText(node), ": ", type.ToString(),
                                         " has an extent or a size that cannot be"));
}

absl::StatusOr<Dims> EvaluateShape(const PlanStep& step, const TensorType& type,
                                   const SymbolValues& symbols) {
  return EvaluateShape(step.nodes[0], type, symbols);
}

}  // namespace tenfold
