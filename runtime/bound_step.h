// SPDX-License-Identifier: Apache-2.0
//
// A step of a plan with everything a run needs at hand: operand addresses, extents, the share of the work
// that one block takes. Made once per Invocation, bound again when shapes change, run many times.
#ifndef TENFOLD_RUNTIME_BOUND_STEP_H_
#define TENFOLD_RUNTIME_BOUND_STEP_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/runtime/aligned_buffer.h"
#include "tenfold/runtime/executable_state.h"
#include "tenfold/runtime/run_control.h"
#include "tenfold/runtime/thread_pool.h"

namespace tenfold {

// Working memory for kernels: a piece for each thread that may take part.
class Scratch {
 public:
  explicit Scratch(int participants) : participants_(participants) {}
  // What pieces of `bytes` take together; nullopt if 64 bits cannot count it.
  std::optional<int64_t> TotalBytes(size_t bytes) const;
  // At least `bytes` a piece; false if there is no memory.
  bool Grow(size_t bytes);
  void* piece(int participant) const { return buffer_.data() + participant * stride_; }

 private:
  const size_t participants_;
  size_t stride_ = 0;
  AlignedBuffer buffer_;
};

class BodyRuns;

// What the steps of one run share.
struct RunContext {
  ThreadPool& pool;
  int threads;  // at most this many for one step
  RunControl& control;
  Scratch& scratch;
  int64_t& steps_left;          // of Limits::loop_steps
  const SymbolValues& symbols;  // of the plan at hand
};

class BoundStep {
 public:
  // `bodies` has the runs of bodies, and counts the memory of results whose size only the step knows.
  static std::unique_ptr<BoundStep> Create(const ExecutableState& state, size_t step,
                                           BodyRuns* bodies = nullptr);
  virtual ~BoundStep() = default;

  // Evaluates extents under `symbols`, which must stay, and chooses the blocks. May pack weights, between
  // whose pieces it polls.
  virtual absl::Status Bind(const SymbolValues& symbols, RunControl& control) = 0;
  // Computes the step. Allocates nothing, unless code has become available since the last run.
  virtual absl::Status Run(RunContext& context) = 0;
  // The error for bad values that a device has reported of this step.
  virtual absl::Status ErrorAt(const KernelError& error) const;

  // Of an output whose storage is the step's own: its extents and its contents after Run, until the next one.
  virtual std::span<const int64_t> result_dims(size_t) const { return {}; }
  virtual const void* result_data(size_t) const { return nullptr; }

  // Bytes of scratch that each participant needs.
  size_t scratch_bytes() const { return scratch_bytes_; }

  // The values behind the operands, inputs first, and their addresses, which the Invocation fills in.
  const std::vector<int>& values() const { return values_; }
  void** operand(size_t i) { return &operands_[i]; }

 protected:
  // A run can be stopped between blocks, so none costs more: half a millisecond of compiled code, some ten of
  // the interpreter's. Units that are longer by themselves poll inside.
  static constexpr int64_t kMaxBlockCost = int64_t{1} << 24;

  explicit BoundStep(const PlanStep& step);
  // Cuts `units` pieces of work of `cost` element-instructions each into blocks of a multiple of `granule`
  // units. The result depends on shapes alone. Sets block_, blocks_ and parallel_.
  void CutIntoBlocks(int64_t units, int64_t cost, int64_t granule);
  // Calls body(begin, end, participant) for all units: at once if the step is small, or if it has this thread
  // alone and nothing to poll; else block by block.
  template <typename Body>
  absl::Status RunBlocks(RunContext& context, const Body& body);
  // An output's NaNs made canonical.
  absl::Status CanonicalizeOutput(RunContext& context, size_t output, DType dtype, int64_t count);

  const PlanStep& step_;
  std::vector<int> values_;
  std::vector<void*> operands_;
  size_t num_inputs_ = 0;
  size_t scratch_bytes_ = 0;
  int64_t units_ = 0, block_ = 1, blocks_ = 0;
  bool parallel_ = false;
};

// One for each kind of step.
std::unique_ptr<BoundStep> CreateBoundFused(const ExecutableState& state, size_t step);
std::unique_ptr<BoundStep> CreateBoundMatMul(const ExecutableState& state, size_t step);
std::unique_ptr<BoundStep> CreateBoundCopy(const ExecutableState& state, size_t step);
std::unique_ptr<BoundStep> CreateBoundKernel(const ExecutableState& state, size_t step, BodyRuns* memory);
std::unique_ptr<BoundStep> CreateBoundConvolution(const ExecutableState& state, size_t step);
std::unique_ptr<BoundStep> CreateBoundShape(const ExecutableState& state, size_t step);
std::unique_ptr<BoundStep> CreateBoundBranch(const ExecutableState& state, size_t step, BodyRuns& bodies);
std::unique_ptr<BoundStep> CreateBoundLoop(const ExecutableState& state, size_t step, BodyRuns& bodies);

// The values of `dims`; E0402 if one overflows, E0605 if one is negative, naming the step's first node.
absl::Status EvaluateDims(const PlanStep& step, const std::vector<Dim>& dims, const SymbolValues& symbols,
                          std::vector<int64_t>& out);

// The extents of a value of `node`; E0402, naming it, if one is negative, or their product or one of them
// does not fit 64 bits. Of a step: its first node.
absl::StatusOr<Dims> EvaluateShape(const PlanNode& node, const TensorType& type, const SymbolValues& symbols);
absl::StatusOr<Dims> EvaluateShape(const PlanStep& step, const TensorType& type, const SymbolValues& symbols);

// "Div 'q'".
std::string NodeText(const PlanNode& node);

// ---------------------------------------------------------------------------------------------------------

template <typename Body>
absl::Status BoundStep::RunBlocks(RunContext& context, const Body& body) {
  if (!parallel_ || (context.threads <= 1 && !context.control.armed())) {
    if (units_ > 0) body(0, units_, 0);
    return context.control.status();  // a single long block may have been stopped
  }
  context.pool.ParallelFor(
      blocks_,
      [&](int64_t b, int participant) {
        if (context.control.ShouldStop()) return;
        const int64_t begin = b * block_;
        body(begin, std::min(begin + block_, units_), participant);
      },
      context.threads);
  return context.control.status();
}

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_BOUND_STEP_H_
