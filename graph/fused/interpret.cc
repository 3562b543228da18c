// SPDX-License-Identifier: Apache-2.0
//
// A kernel is walked in one of three ways. Without reduced dims, along the parallel space. Else along each
// row, a block of its elements at a time; or, where rows are short or the operands lie densely across rows (a
// reduction of columns), over up to a block of rows side by side, element after element. All three cut the
// walk into blocks, gather the operands of a block into dense arrays, and run the stages of a loop on them.
#include "tenfold/graph/fused/interpret.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "tenfold/graph/fused/kernel_plan.h"
#include "tenfold/graph/fused/reduction.h"
#include "tenfold/graph/fused/strided.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;

constexpr int kBlock = BlockInterpreter::kBlock;

// A poll may read a clock, which takes about as long as a short program takes for a block.
constexpr int kBlocksBetweenPolls = 16;

// Hands out 64-byte-aligned parts of scratch. With a null base it only counts.
class Arena {
 public:
  explicit Arena(void* base) : base_(reinterpret_cast<uintptr_t>(base)) {}

  template <typename T>
  T* Take(int64_t count) {
    const uintptr_t part = base_ + used_;
    used_ += (count * sizeof(T) + 63) / 64 * 64;
    return reinterpret_cast<T*>(part);
  }
  bool counts_only() const { return base_ == 0; }
  size_t used() const { return used_; }

 private:
  uintptr_t base_;
  size_t used_ = 0;
};

bool IsAligned(const void* p) { return reinterpret_cast<uintptr_t>(p) % 64 == 0; }

// Which elements a block holds, and where they lie.
struct Block {
  const StridedView* views;  // one an operand, walked from KernelRun::bases_
  int64_t begin;             // in the space of the views
  int count;
  int64_t kept_begin;   // in the scratch of values that cross loops
  int64_t error_begin;  // position in the iteration space of the first element, and from one to the next
  int64_t error_step;
  bool row_values_uniform;  // all elements belong to one row, else each to another
};

// One call. Its constructor lays out scratch, and Run walks. A call that is stopped leaves its outputs as
// they are by then.
class KernelRun {
 public:
  KernelRun(const KernelPlan& plan, const int64_t* dims, void* scratch);
  size_t scratch_bytes() const { return arena_.used(); }
  void Run(const KernelCall& call);

 private:
  void LayOutReductions();
  void MakeViews(StridedView* views, int64_t* storage, int first_dim, int last_dim) const;
  // Whether the call is to end, asked before each block.
  bool Stopped() {
    if (call_->interrupt == nullptr) [[likely]]
      return false;
    stopped_ = stopped_ || (++blocks_ % kBlocksBetweenPolls == 0 && StopRequested(call_->interrupt));
    return stopped_;
  }
  void RunElements();
  void RunRow(int64_t row);
  void RunRowsSideBySide(int64_t begin, int count);
  void RunRowStages(const KernelPlan::LoopPlan& loop, const Block& block);
  // `loads_vary` says of an input whether it must be gathered anew; `reduce(stage, values)` takes the values
  // of a reduction's elements.
  template <typename LoadsVary, typename Reduce>
  void RunBlock(const KernelPlan::LoopPlan& loop, const Block& block, LoadsVary loads_vary, Reduce reduce);
  void RunStage(int s, const Block& block);
  void Load(int input, const Block& block);
  void PlaceValues(const KernelPlan::LoopPlan& loop, const Block& block);
  void Store(int output, const Block& block);

  const KernelPlan& plan_;
  const FusedKernel& kernel_;
  const int64_t* dims_;
  const KernelCall* call_ = nullptr;
  int blocks_ = 0;  // since the last poll
  bool stopped_ = false;
  int64_t row_length_;
  bool across_rows_;
  Arena arena_;

  // All in scratch. Operands are the inputs, then the outputs.
  StridedView* parallel_views_;
  StridedView* reduced_views_;
  int64_t* parallel_storage_;
  int64_t* reduced_storage_;
  char** origins_;           // of each operand
  char** bases_;             // of each operand: the point from which the views in use walk
  const void** input_data_;  // the present block of each input
  bool* input_uniform_;
  bool* input_aliased_;  // is the memory of an output too
  char** input_buffers_;
  char** value_data_;  // the present block of each value
  char** value_buffers_;
  bool* stored_;       // of each output: the present block was computed in place
  const void** args_;  // of the stage that runs
  bool* args_uniform_;
  void** results_;
  RowReduction** row_reductions_;  // of each stage
  ColumnReduction** column_reductions_;
  char** reduction_memory_;
  void* workspace_;
};

KernelRun::KernelRun(const KernelPlan& plan, const int64_t* dims, void* scratch)
    : plan_(plan),
      kernel_(plan.kernel),
      dims_(dims),
      row_length_(plan.RowLength(dims)),
      across_rows_(plan.WalksAcrossRows(dims)),
      arena_(scratch) {
  const int operands = plan.num_operands();
  const int inputs = plan.num_inputs();
  const int values = static_cast<int>(plan.values.size());
  parallel_views_ = arena_.Take<StridedView>(operands);
  reduced_views_ = arena_.Take<StridedView>(operands);
  parallel_storage_ = arena_.Take<int64_t>(operands * StridedView::StorageFor(kernel_.parallel_rank));
  reduced_storage_ = arena_.Take<int64_t>(operands * StridedView::StorageFor(kernel_.reduced_rank()));
  origins_ = arena_.Take<char*>(operands);
  bases_ = arena_.Take<char*>(operands);
  input_data_ = arena_.Take<const void*>(inputs);
  input_uniform_ = arena_.Take<bool>(inputs);
  input_aliased_ = arena_.Take<bool>(inputs);
  input_buffers_ = arena_.Take<char*>(inputs);
  value_data_ = arena_.Take<char*>(values);
  value_buffers_ = arena_.Take<char*>(values);
  stored_ = arena_.Take<bool>(plan.num_outputs());
  args_ = arena_.Take<const void*>(plan.max_args);
  args_uniform_ = arena_.Take<bool>(plan.max_args);
  results_ = arena_.Take<void*>(plan.max_args);
  workspace_ = arena_.Take<char>(plan.workspace_bytes);

  for (int i = 0; i < inputs; ++i) {
    char* buffer = arena_.Take<char>(kBlock * plan.OperandSize(i));
    if (!arena_.counts_only()) input_buffers_[i] = buffer;
  }
  for (int v = 0; v < values; ++v) {
    const KernelPlan::ValuePlan& value = plan.values[v];
    int64_t elements = kBlock;
    if (value.kept) elements = across_rows_ ? row_length_ * kBlock : row_length_ + kBlock;
    char* buffer = arena_.Take<char>(elements * value.size);
    if (!arena_.counts_only()) value_buffers_[v] = buffer;
  }
  if (kernel_.reduced_rank() > 0) LayOutReductions();
  // Arrays of a few lanes may be read as whole blocks.
  arena_.Take<char>(kBlock * sizeof(int64_t));
}

void KernelRun::LayOutReductions() {
  const int num_stages = static_cast<int>(plan_.stages.size());
  row_reductions_ = arena_.Take<RowReduction*>(num_stages);
  column_reductions_ = arena_.Take<ColumnReduction*>(num_stages);
  reduction_memory_ = arena_.Take<char*>(num_stages);
  for (int s = 0; s < num_stages; ++s) {
    if (!plan_.stages[s]->combiner) continue;
    const int size = plan_.stages[s]->combiner->element_size();
    RowReduction* row = arena_.Take<RowReduction>(1);
    ColumnReduction* column = arena_.Take<ColumnReduction>(1);
    char* memory = arena_.Take<char>(across_rows_ ? ColumnReduction::MemoryBytes(size, row_length_)
                                                  : RowReduction::MemoryBytes(size));
    if (arena_.counts_only()) continue;
    row_reductions_[s] = row;
    column_reductions_[s] = column;
    reduction_memory_[s] = memory;
  }
}

void KernelRun::MakeViews(StridedView* views, int64_t* storage, int first_dim, int last_dim) const {
  const int rank = last_dim - first_dim;
  for (int i = 0; i < plan_.num_operands(); ++i) {
    const int64_t* strides = dims_ + kernel_.rank() * (1 + i);
    new (&views[i]) StridedView(dims_ + first_dim, strides + first_dim, rank, plan_.OperandSize(i),
                                storage + i * StridedView::StorageFor(rank));
  }
}

void KernelRun::Run(const KernelCall& call) {
  call_ = &call;
  if (call.block_begin >= call.block_end) return;
  const int inputs = plan_.num_inputs();
  for (int i = 0; i < inputs; ++i) origins_[i] = const_cast<char*>(static_cast<const char*>(call.inputs[i]));
  for (int o = 0; o < plan_.num_outputs(); ++o) origins_[inputs + o] = static_cast<char*>(call.outputs[o]);
  std::copy_n(origins_, plan_.num_operands(), bases_);
  for (int i = 0; i < inputs; ++i) {
    input_aliased_[i] = std::find(origins_ + inputs, origins_ + plan_.num_operands(), origins_[i]) !=
                        origins_ + plan_.num_operands();
  }
  std::copy_n(value_buffers_, plan_.values.size(), value_data_);

  MakeViews(parallel_views_, parallel_storage_, 0, kernel_.parallel_rank);
  if (kernel_.reduced_rank() == 0) return RunElements();
  MakeViews(reduced_views_, reduced_storage_, kernel_.parallel_rank, kernel_.rank());
  if (!across_rows_) {
    for (int64_t row = call.block_begin; row < call.block_end && !stopped_; ++row) RunRow(row);
    return;
  }
  for (int64_t row = call.block_begin; row < call.block_end && !stopped_; row += kBlock) {
    RunRowsSideBySide(row, static_cast<int>(std::min<int64_t>(kBlock, call.block_end - row)));
  }
}

// ---- The three walks ------------------------------------------------------------------------------------

void KernelRun::RunElements() {
  for (int64_t i = call_->block_begin; i < call_->block_end; i += kBlock) {
    if (Stopped()) [[unlikely]]
      return;
    const int count = static_cast<int>(std::min<int64_t>(kBlock, call_->block_end - i));
    const Block block = {parallel_views_, i, count, 0, i, 1, false};
    for (const KernelPlan::LoopPlan& loop : plan_.loops) {
      RunBlock(loop, block, [](int) { return true; }, [](int, const char*) {});
    }
  }
}

void KernelRun::RunRow(int64_t row) {
  for (int i = 0; i < plan_.num_operands(); ++i) bases_[i] = origins_[i] + parallel_views_[i].Offset(row);
  for (int i : plan_.row_loads) {
    input_data_[i] = bases_[i];
    input_uniform_[i] = true;
  }
  for (const KernelPlan::LoopPlan& loop : plan_.loops) {
    const int64_t first = row * row_length_;
    if (loop.stages.per_row) {
      RunRowStages(loop, {nullptr, 0, 1, 0, first, 0, true});
      continue;
    }
    for (int s : loop.reductions) {
      new (row_reductions_[s]) RowReduction(*plan_.stages[s]->combiner, kernel_.stages[s].identity,
                                            reduction_memory_[s], workspace_);
      value_data_[plan_.stages[s]->first_value] = value_buffers_[plan_.stages[s]->first_value];
    }
    for (int64_t i = 0; i < row_length_; i += kBlock) {
      if (Stopped()) [[unlikely]]
        return;
      const int count = static_cast<int>(std::min<int64_t>(kBlock, row_length_ - i));
      const Block block = {reduced_views_, i, count, i, first + i, 1, true};
      RunBlock(
          loop, block, [](int) { return true; },
          [&](int s, const char* values) { row_reductions_[s]->Add(values, count); });
    }
    for (int s : loop.reductions) {
      value_data_[plan_.stages[s]->first_value] =
          const_cast<char*>(row_reductions_[s]->Finish(row_length_, kernel_.stages[s].empty));
    }
  }
  for (int o : plan_.row_stores) {
    const FusedKernel::Output& output = kernel_.outputs[o];
    char* const value = value_data_[plan_.ValueOf(output.source)];
    if (output.canonicalize_nans) CanonicalizeNans(output.operand.dtype, value, 1);
    std::memcpy(bases_[plan_.num_inputs() + o], value, SizeOf(output.operand.dtype));
  }
}

void KernelRun::RunRowsSideBySide(int64_t begin, int count) {
  const Block rows = {parallel_views_, begin, count, 0, begin * row_length_, row_length_, false};
  std::copy_n(origins_, plan_.num_operands(), bases_);
  for (int i : plan_.row_loads) Load(i, rows);
  for (const KernelPlan::LoopPlan& loop : plan_.loops) {
    if (loop.stages.per_row) {
      RunRowStages(loop, rows);
      continue;
    }
    for (int s : loop.reductions) {
      new (column_reductions_[s]) ColumnReduction(*plan_.stages[s]->combiner, kernel_.stages[s].identity,
                                                  row_length_, count, reduction_memory_[s], workspace_);
    }
    for (int64_t i = 0; i < row_length_; ++i) {
      if (Stopped()) [[unlikely]]
        return;
      for (int k = 0; k < plan_.num_operands(); ++k) bases_[k] = origins_[k] + reduced_views_[k].Offset(i);
      for (int s : loop.reductions) {
        const int value = plan_.stages[s]->first_value;
        char* const target = column_reductions_[s]->DirectTarget(i);
        value_data_[value] = target != nullptr ? target : value_buffers_[value];
      }
      Block block = rows;
      block.kept_begin = i * kBlock;
      block.error_begin += i;
      RunBlock(
          loop, block, [&](int k) { return i == 0 || !reduced_views_[k].is_uniform(); },
          [&](int s, const char* values) { column_reductions_[s]->Add(i, values); });
    }
    for (int s : loop.reductions) {
      value_data_[plan_.stages[s]->first_value] =
          const_cast<char*>(column_reductions_[s]->Finish(kernel_.stages[s].empty));
    }
  }
  std::copy_n(origins_, plan_.num_operands(), bases_);
  for (int o : plan_.row_stores) {
    stored_[o] = false;
    Store(o, rows);
  }
}

// ---- One block ------------------------------------------------------------------------------------------

void KernelRun::RunRowStages(const KernelPlan::LoopPlan& loop, const Block& block) {
  for (int s = loop.stages.begin_stage; s < loop.stages.end_stage; ++s) RunStage(s, block);
}

template <typename LoadsVary, typename Reduce>
void KernelRun::RunBlock(const KernelPlan::LoopPlan& loop, const Block& block, LoadsVary loads_vary,
                         Reduce reduce) {
  for (int input : loop.loads) {
    if (loads_vary(input)) Load(input, block);
  }
  PlaceValues(loop, block);
  for (int s = loop.stages.begin_stage; s < loop.stages.end_stage; ++s) {
    const KernelPlan::StagePlan& stage = *plan_.stages[s];
    if (stage.hands_through) {
      const Source& source = kernel_.stages[s].inputs[0];
      const bool is_input = source.kind == Source::kInput;
      const bool dense = is_input ? !input_uniform_[source.index] : !kernel_.IsPerRow(source);
      if (dense) {
        reduce(s, is_input ? static_cast<const char*>(input_data_[source.index])
                           : value_data_[plan_.ValueOf(source)]);
        continue;
      }
    }
    RunStage(s, block);
    if (stage.combiner) reduce(s, value_data_[stage.first_value]);
  }
  for (int o : loop.stores) Store(o, block);
}

void KernelRun::RunStage(int s, const Block& block) {
  const FusedKernel::Stage& stage = kernel_.stages[s];
  for (size_t i = 0; i < stage.inputs.size(); ++i) {
    const Source& source = stage.inputs[i];
    if (source.kind == Source::kInput) {
      args_[i] = input_data_[source.index];
      args_uniform_[i] = input_uniform_[source.index];
    } else {
      const int value = plan_.ValueOf(source);
      args_[i] = value_data_[value];
      args_uniform_[i] = block.row_values_uniform && plan_.values[value].per_row;
    }
  }
  const KernelPlan::StagePlan& plan = *plan_.stages[s];
  const size_t results = stage.program.outputs.size();
  for (size_t i = 0; i < results; ++i) results_[i] = value_data_[plan.first_value + i];
  const int failed = plan.program.RunBlock({args_, stage.inputs.size()}, {args_uniform_, stage.inputs.size()},
                                           {results_, results}, block.count, workspace_);
  if (failed < 0) return;
  const int64_t index = block.error_begin + failed * block.error_step;
  if (index < call_->error->index) {
    call_->error->index = index;
    call_->error->code = kIntegerDivisionByZero;
  }
}

void KernelRun::Load(int input, const Block& block) {
  const StridedView& view = block.views[input];
  const char* base = bases_[input];
  input_uniform_[input] = view.IsUniform(block.begin, block.count);
  // A block may be read in place only if all of it is there.
  if (!input_aliased_[input] && (input_uniform_[input] || block.count == kBlock)) {
    const char* const place = base + view.Offset(block.begin);
    if (input_uniform_[input] || (view.IsDense(block.begin, kBlock) && IsAligned(place))) {
      input_data_[input] = place;
      return;
    }
  }
  const int count = input_uniform_[input] ? 1 : block.count;
  view.Gather(base, block.begin, count, input_buffers_[input]);
  input_data_[input] = input_buffers_[input];
}

// Decides where the stages of the loop find and leave their values.
void KernelRun::PlaceValues(const KernelPlan::LoopPlan& loop, const Block& block) {
  for (int v : plan_.kept_values) {
    value_data_[v] = value_buffers_[v] + block.kept_begin * plan_.values[v].size;
  }
  for (int o : loop.stores) {
    const int v = plan_.ValueOf(kernel_.outputs[o].source);
    stored_[o] = false;
    if (plan_.values[v].kept) continue;
    value_data_[v] = value_buffers_[v];
  }
  if (block.count != kBlock) return;
  for (int o : loop.stores) {
    const int v = plan_.ValueOf(kernel_.outputs[o].source);
    if (value_data_[v] != value_buffers_[v] || plan_.values[v].kept) continue;
    const int operand = plan_.num_inputs() + o;
    const StridedView& view = block.views[operand];
    if (!view.IsDense(block.begin, kBlock)) continue;
    char* const place = bases_[operand] + view.Offset(block.begin);
    if (!IsAligned(place)) continue;
    value_data_[v] = place;
    stored_[o] = true;
  }
}

void KernelRun::Store(int output, const Block& block) {
  const FusedKernel::Output& o = kernel_.outputs[output];
  char* const values = value_data_[plan_.ValueOf(o.source)];
  if (o.canonicalize_nans) CanonicalizeNans(o.operand.dtype, values, block.count);
  if (stored_[output]) return;
  const int operand = plan_.num_inputs() + output;
  block.views[operand].Scatter(values, block.begin, block.count, bases_[operand]);
}

}  // namespace

// ---- The interface --------------------------------------------------------------------------------------

struct KernelInterpreter::Impl : KernelPlan {
  using KernelPlan::KernelPlan;
};

KernelInterpreter::KernelInterpreter(const FusedKernel& kernel, std::optional<IsaLevel> level)
    : impl_(std::make_unique<const Impl>(kernel, level)) {}

KernelInterpreter::~KernelInterpreter() = default;

size_t KernelInterpreter::ScratchBytes(std::span<const int64_t> dims) const {
  return KernelRun(*impl_, dims.data(), nullptr).scratch_bytes();
}

void KernelInterpreter::Run(const KernelCall& call) const {
  KernelRun(*impl_, call.dims, call.scratch).Run(call);
}

// Round to nearest, all exceptions masked, neither flush-to-zero nor denormals-are-zero.
}  // namespace tenfold
