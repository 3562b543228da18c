// SPDX-License-Identifier: Apache-2.0
//
// What a BlockInterpreter prepares: the steps of a program, and where their values live.
#ifndef TENFOLD_GRAPH_SCALAR_BLOCK_PLAN_H_
#define TENFOLD_GRAPH_SCALAR_BLOCK_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tenfold/graph/scalar/block_steps.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

inline constexpr size_t kBlockAlignment = 64;
inline constexpr size_t kMaxElementSize = 8;

// As many equal elements as a step computes at least; or the coefficients of a polynomial.
struct alignas(kBlockAlignment) UniformValue {
  unsigned char bytes[kStepGranule * kMaxElementSize];
};
static_assert((kMaxHornerFmas + 1) * kMaxElementSize <= sizeof(UniformValue));

// Values live at places: constants, inputs, outputs and slots of the workspace, numbered in that order. A
// value is uniform if one element stands for the whole block; then kStepGranule equal elements are there.
struct BlockPlan {
  struct Step {
    StepForms forms;
    StepFn fn = nullptr;  // the form for a block without uniform inputs; null if that needs a splat
    int32_t dst = -1;     // places
    int32_t args[3] = {};
    uint8_t arg_sizes[3] = {};
    uint8_t num_args = 0;      // operands that are values: a polynomial has its coefficients besides
    uint8_t mask = 0;          // which of them are uniform in a block without uniform inputs
    bool is_uniform = false;   // all of them
    bool checks_zero = false;  // fails where args[1] is 0
  };

  // Outputs that no step writes: inputs, constants, and values that are outputs twice.
  struct Copy {
    int32_t src;
    int output;
  };

  std::vector<Step> steps;
  std::vector<Copy> copies;
  std::vector<uint8_t> input_sizes;  // of an element
  std::vector<uint8_t> output_sizes;
  std::vector<UniformValue> constants;
  std::vector<uint8_t> uniform_places;  // at the start of a block: the constants
  std::vector<size_t> slot_offsets;     // from the start of the workspace

  // The workspace: a pointer for each place, a flag for each (is it uniform?), a UniformValue for each input,
  // the slots, and room to splat the operands of one step.
  size_t flags_offset = 0;
  size_t uniform_inputs_offset = 0;
  size_t splats_offset = 0;
  size_t workspace_bytes = 0;

  int first_input() const { return static_cast<int>(constants.size()); }
  int first_output() const { return first_input() + static_cast<int>(input_sizes.size()); }
  int first_slot() const { return first_output() + static_cast<int>(output_sizes.size()); }
  int num_places() const { return first_slot() + static_cast<int>(slot_offsets.size()); }
};

// `block` is the number of elements that a slot holds.
BlockPlan PlanBlocks(const ScalarProgram& program, const StepTable& table, int block);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SCALAR_BLOCK_PLAN_H_
