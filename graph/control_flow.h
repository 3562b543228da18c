// SPDX-License-Identifier: Apache-2.0
//
// Branches, loops and functions in C++. What they compute is written as functions that use values from
// outside like any other:
//
//   Values y = If(positive, [&] { return Values{x * scale}; }, [&] { return Values{-x}; });
//
//   LoopResults r = Loop(10, std::nullopt, {x}, [&](Value i, Value go, Values carried) -> LoopStep {
//     Value next = carried[0] * scale;
//     return {.carried = {next}, .rows = {ReduceSum(next)}};
//   });
//
// Each function is called once, while the graph is built. docs/ops.md says what the ops mean.
#ifndef TENFOLD_GRAPH_CONTROL_FLOW_H_
#define TENFOLD_GRAPH_CONTROL_FLOW_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold {

// The results of one of the two functions.
Values If(Operand condition, absl::FunctionRef<Values()> then, absl::FunctionRef<Values()> otherwise);

// What an iteration gives.
struct LoopStep {
  Operand condition = std::nullopt;  // whether to go on; absent: as it was
  Values carried;
  Values rows = {};
};
struct LoopResults {
  Values carried;  // after the last iteration
  Values rows;     // stacked along a new first dim
};
// `body(iteration, condition, carried)` while the condition holds, at most `trip_count` times; both may be
// std::nullopt. At least one operand must be a value.
LoopResults Loop(Operand trip_count, Operand condition, std::vector<Operand> carried,
                 absl::FunctionRef<LoopStep(Value iteration, Value condition, Values carried)> body);

struct ScanStep {
  Values carried;
  Values rows = {};
};
// As the attributes of Scan; empty: axis 0, forward.
struct ScanOptions {
  std::vector<int64_t> input_axes = {}, input_directions = {}, output_axes = {}, output_directions = {};
};
// `body(carried, elements)` for each element of `scanned`, which holds at least one operand.
LoopResults Scan(std::vector<Operand> carried, std::vector<Operand> scanned,
                 absl::FunctionRef<ScanStep(Values carried, Values elements)> body, ScanOptions options = {});

// A graph that is kept once, whoever calls it.
class Function {
 public:
  const std::string& name() const { return name_; }

 private:
  friend class ControlBuilder;
  GraphBuilder* builder_ = nullptr;
  std::string name_;
  std::shared_ptr<const Graph> body_;  // null: an error was recorded
  std::vector<Value> captured_;        // further arguments of every call
};
// The symbols of the parameters are the function's own: f32[B,4] takes f32[N,4] and f32[2,4] alike.
Function DefineFunction(GraphBuilder& builder, const std::string& name, std::vector<TensorType> parameters,
                        absl::FunctionRef<Values(Values parameters)> body,
                        Operand::Where where = Operand::Where::current());
Values Call(const Function& function, std::vector<Operand> arguments,
            Operand::Where where = Operand::Where::current());

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_CONTROL_FLOW_H_
