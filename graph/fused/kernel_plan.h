// SPDX-License-Identifier: Apache-2.0
//
// What the interpreter works out about a kernel once, for all calls.
#ifndef TENFOLD_GRAPH_FUSED_KERNEL_PLAN_H_
#define TENFOLD_GRAPH_FUSED_KERNEL_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tenfold/graph/fused/combine.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/scalar/interpreter.h"

namespace tenfold {

struct KernelPlan {
  explicit KernelPlan(const FusedKernel& k, std::optional<IsaLevel> level = std::nullopt);

  // A stage made ready.
  struct StagePlan {
    StagePlan(const FusedKernel::Stage& stage, std::optional<IsaLevel> level)
        : program(stage.program, level) {
      if (stage.kind == FusedKernel::Stage::kReduce) combiner.emplace(stage.combine, level);
    }
    BlockInterpreter program;
    std::optional<Combiner> combiner;
    int first_value = 0;         // the number of the value that output 0 is
    bool hands_through = false;  // a reduction of its very input, whose blocks need no copy
  };
  // A value is one output of a stage.
  struct ValuePlan {
    int size = 0;  // of an element
    bool per_row = false;
    bool kept = false;  // crosses loops
  };
  struct LoopPlan {
    LoopSchedule::Loop stages;
    std::vector<int> loads;       // inputs with a value for each element that its stages read
    std::vector<int> stores;      // outputs of element values that it computes
    std::vector<int> reductions;  // stages
  };

  int ValueOf(const FusedKernel::Source& source) const {
    return stages[source.index]->first_value + source.output;
  }
  int num_inputs() const { return static_cast<int>(kernel.inputs.size()); }
  int num_outputs() const { return static_cast<int>(kernel.outputs.size()); }
  int num_operands() const { return num_inputs() + num_outputs(); }
  int OperandSize(int operand) const {
    return static_cast<int>(SizeOf(operand < num_inputs()
                                       ? kernel.inputs[operand].dtype
                                       : kernel.outputs[operand - num_inputs()].operand.dtype));
  }

  // Under `dims`, as KernelCall::dims.
  int64_t Rows(const int64_t* dims) const;
  int64_t RowLength(const int64_t* dims) const;
  // True if rows are to be walked side by side. It depends on nothing but `dims`, which fix the scratch.
  bool WalksAcrossRows(const int64_t* dims) const;

  FusedKernel kernel;
  std::vector<std::unique_ptr<StagePlan>> stages;
  std::vector<ValuePlan> values;
  std::vector<LoopPlan> loops;
  std::vector<int> kept_values;
  std::vector<int> row_loads;   // inputs with one value a row
  std::vector<int> row_stores;  // outputs with one value a row
  size_t workspace_bytes = 0;
  int max_args = 1;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_KERNEL_PLAN_H_
