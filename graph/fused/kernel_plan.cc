// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/kernel_plan.h"

#include <algorithm>
#include <utility>

namespace tenfold {
namespace {

using Source = FusedKernel::Source;

constexpr int kBlock = BlockInterpreter::kBlock;

// More scratch than this for values that cross loops, and rows are walked one by one.
constexpr int64_t kMaxKeptBytesAcrossRows = int64_t{1} << 20;

int64_t Product(const int64_t* first, const int64_t* last) {
  int64_t product = 1;
  for (; first != last; ++first) product *= *first;
  return product;
}

// The program is its one input, handed through.
bool IsIdentity(const ScalarProgram& program) {
  return program.inputs.size() == 1 && program.outputs.size() == 1 &&
         program.instrs[program.outputs[0]].prim == Prim::kInput;
}

}  // namespace

KernelPlan::KernelPlan(const FusedKernel& k, std::optional<IsaLevel> level) : kernel(k) {
  for (const FusedKernel::Stage& stage : kernel.stages) {
    auto plan = std::make_unique<StagePlan>(stage, level);
    plan->first_value = static_cast<int>(values.size());
    plan->hands_through = stage.kind == FusedKernel::Stage::kReduce && plan->combiner->takes_any_array() &&
                          IsIdentity(stage.program);
    workspace_bytes = std::max(workspace_bytes, plan->program.WorkspaceBytes());
    if (plan->combiner) workspace_bytes = std::max(workspace_bytes, plan->combiner->WorkspaceBytes());
    const int num_values = static_cast<int>(stage.program.outputs.size());
    max_args = std::max({max_args, static_cast<int>(stage.inputs.size()), num_values});
    for (int i = 0; i < num_values; ++i) {
      const bool per_row = stage.per_row || stage.kind == FusedKernel::Stage::kReduce;
      values.push_back({static_cast<int>(SizeOf(stage.program.output_type(i))), per_row, false});
    }
    stages.push_back(std::move(plan));
  }

  const LoopSchedule schedule = ScheduleLoops(kernel);
  for (const Source& s : schedule.kept) {
    values[ValueOf(s)].kept = true;
    kept_values.push_back(ValueOf(s));
  }
  for (const LoopSchedule::Loop& loop : schedule.loops) {
    LoopPlan plan{loop, {}, {}, {}};
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      for (const Source& input : kernel.stages[s].inputs) {
        if (input.kind == Source::kInput && !kernel.IsPerRow(input)) plan.loads.push_back(input.index);
      }
      if (kernel.stages[s].kind == FusedKernel::Stage::kReduce) plan.reductions.push_back(s);
    }
    std::sort(plan.loads.begin(), plan.loads.end());
    plan.loads.erase(std::unique(plan.loads.begin(), plan.loads.end()), plan.loads.end());
    for (int o = 0; o < num_outputs(); ++o) {
      const Source& source = kernel.outputs[o].source;
      const bool here = source.index >= loop.begin_stage && source.index < loop.end_stage;
      if (here && !kernel.IsPerRow(source)) plan.stores.push_back(o);
    }
    loops.push_back(std::move(plan));
  }
  for (int i = 0; i < num_inputs(); ++i) {
    if (kernel.IsPerRow({Source::kInput, i, 0})) row_loads.push_back(i);
  }
  for (int o = 0; o < num_outputs(); ++o) {
    if (kernel.IsPerRow(kernel.outputs[o].source)) row_stores.push_back(o);
  }
}

int64_t KernelPlan::Rows(const int64_t* dims) const { return Product(dims, dims + kernel.parallel_rank); }

int64_t KernelPlan::RowLength(const int64_t* dims) const {
  return Product(dims + kernel.parallel_rank, dims + kernel.rank());
}

// Compares rough costs an element, in units of a simple instruction's.
bool KernelPlan::WalksAcrossRows(const int64_t* dims) const {
  const int64_t rows = Rows(dims);
  const int64_t length = RowLength(dims);
  if (kernel.reduced_rank() == 0 || rows < 2 || length < 1) return false;
  int64_t kept_bytes = 0;
  for (const ValuePlan& v : values) {
    if (v.kept && length > kMaxKeptBytesAcrossRows / kBlock) return false;
    if (v.kept) kept_bytes += length * kBlock * v.size;
  }
  if (kept_bytes > kMaxKeptBytesAcrossRows) return false;

  // Of a gather: 1 where neighbours lie densely or at one place, else 3.
  const auto gather_cost = [&](int operand, int first, int last) {
    const int64_t* strides = dims + kernel.rank() * (1 + operand);
    for (int d = last - 1; d >= first; --d) {
      if (dims[d] != 1) return strides[d] == 0 || strides[d] == 1 ? 1 : 3;
    }
    return 1;
  };
  double along = 0, across = 1;  // across: accumulators come from the cache's second level
  for (int i = 0; i < num_operands(); ++i) {
    along += gather_cost(i, kernel.parallel_rank, kernel.rank());
    across += gather_cost(i, 0, kernel.parallel_rank);
  }
  // What a block costs however short it is; and a row, for the halving of its lanes.
  const double block_cost = 100.0 * static_cast<double>(kernel.stages.size());
  along += 2 * block_cost / static_cast<double>(std::min<int64_t>(length, kBlock));
  across += block_cost / static_cast<double>(std::min<int64_t>(rows, kBlock));
  return across < along;
}

}  // namespace tenfold
