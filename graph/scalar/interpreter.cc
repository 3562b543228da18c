// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/interpreter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tenfold/graph/scalar/block_plan.h"
#include "tenfold/graph/scalar/block_steps.h"

namespace tenfold {
namespace {

const StepTable& StepsFor(IsaLevel level) {
  switch (level) {
    case IsaLevel::kAvx512:
      return kAvx512Steps;
    case IsaLevel::kAvx2:
      return kAvx2Steps;
    case IsaLevel::kBaseline:
      break;
  }
  return kBaselineSteps;
}

// Index of the first zero among `count` integers, or -1.
int FirstZero(const void* values, size_t element_size, int count) {
  const auto find = [&](auto zero) {
    const auto* v = static_cast<const decltype(zero)*>(values);
    const auto* it = std::find(v, v + count, zero);
    return it == v + count ? -1 : static_cast<int>(it - v);
  };
  switch (element_size) {
    case 1:
      return find(uint8_t{0});
    case 2:
      return find(uint16_t{0});
    case 4:
      return find(uint32_t{0});
    default:
      return find(uint64_t{0});
  }
}

}  // namespace

absl::string_view Name(IsaLevel level) {
  switch (level) {
    case IsaLevel::kBaseline:
      return "x86-64";
    case IsaLevel::kAvx2:
      return "x86-64-v3";
    case IsaLevel::kAvx512:
      return "x86-64-v4";
  }
  return "?";
}

IsaLevel HostIsaLevel() {
  static const IsaLevel level = [] {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return IsaLevel::kAvx512;
    if (__builtin_cpu_supports("x86-64-v3")) return IsaLevel::kAvx2;
    return IsaLevel::kBaseline;
  }();
  return level;
}

struct BlockInterpreter::Impl {
  const StepTable* table;
  BlockPlan plan;

  // Runs the step in the form for the uniform operands in `mask`, splatting them if there is none.
  void RunStep(const BlockPlan::Step& step, int mask, const void** places, char* splats, int n) const {
    const void* args[3];
    for (int a = 0; a < 3; ++a) args[a] = places[step.args[a]];
    StepFn fn = step.forms.fn[mask];
    if (fn == nullptr) {
      for (int a = 0; a < step.num_args; ++a) {
        if ((mask >> a & 1) == 0) continue;
        void* block = splats + a * (kBlock * kMaxElementSize);
        table->find_splat(step.arg_sizes[a])(block, args[a], nullptr, nullptr, n);
        args[a] = block;
      }
      fn = step.forms.fn[0];
    }
    fn(const_cast<void*>(places[step.dst]), args[0], args[1], args[2], n);
  }
};

BlockInterpreter::BlockInterpreter(const ScalarProgram& program, std::optional<IsaLevel> level) {
  const StepTable& table = StepsFor(std::min(level.value_or(HostIsaLevel()), HostIsaLevel()));
  impl_ = std::make_unique<const Impl>(Impl{&table, PlanBlocks(program, table, kBlock)});
}

BlockInterpreter::~BlockInterpreter() = default;

size_t BlockInterpreter::WorkspaceBytes() const { return impl_->plan.workspace_bytes; }

int BlockInterpreter::RunBlock(std::span<const void* const> inputs, std::span<const bool> input_is_uniform,
                               std::span<void* const> outputs, int count, void* workspace) const {
  const BlockPlan& plan = impl_->plan;
  const StepTable& table = *impl_->table;
  const int n = (count + kStepGranule - 1) / kStepGranule * kStepGranule;
  char* const base = static_cast<char*>(workspace);
  char* const splats = base + plan.splats_offset;

  const void** const places = static_cast<const void**>(workspace);
  for (size_t i = 0; i < plan.constants.size(); ++i) places[i] = &plan.constants[i];
  bool any_uniform = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    places[plan.first_input() + i] = inputs[i];
    any_uniform |= input_is_uniform[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) places[plan.first_output() + i] = outputs[i];
  for (size_t i = 0; i < plan.slot_offsets.size(); ++i) {
    places[plan.first_slot() + i] = base + plan.slot_offsets[i];
  }
  uint8_t* const uniform = reinterpret_cast<uint8_t*>(base) + plan.flags_offset;
  std::memcpy(uniform, plan.uniform_places.data(), plan.uniform_places.size());
  for (size_t i = 0; any_uniform && i < inputs.size(); ++i) {
    if (!input_is_uniform[i]) continue;
    char* elements = base + plan.uniform_inputs_offset + i * sizeof(UniformValue);
    table.find_splat(plan.input_sizes[i])(elements, inputs[i], nullptr, nullptr, kStepGranule);
    places[plan.first_input() + i] = elements;
    uniform[plan.first_input() + i] = 1;
  }

  int first_error = -1;
  for (const BlockPlan::Step& step : plan.steps) {
    int mask = step.mask;
    bool is_uniform = step.is_uniform;
    if (any_uniform) {
      mask = uniform[step.args[0]];
      if (step.num_args > 1) mask |= uniform[step.args[1]] << 1;
      if (step.num_args > 2) mask |= uniform[step.args[2]] << 2;
      is_uniform = mask == (1 << step.num_args) - 1;
    }
    // Before dst is written, which may be the divisor's place.
    if (step.checks_zero) {
      const bool uniform_divisor = (mask & 2) != 0;
      const int at = FirstZero(places[step.args[1]], step.arg_sizes[1], uniform_divisor ? 1 : count);
      if (at >= 0 && (first_error < 0 || at < first_error)) first_error = at;
    }
    uniform[step.dst] = is_uniform;
    if (is_uniform) {
      impl_->RunStep(step, 0, places, splats, kStepGranule);
    } else if (any_uniform || step.fn == nullptr) {
      impl_->RunStep(step, mask, places, splats, n);
    } else {
      step.fn(const_cast<void*>(places[step.dst]), places[step.args[0]], places[step.args[1]],
              places[step.args[2]], n);
    }
  }

  for (const BlockPlan::Copy& copy : plan.copies) {
    const size_t size = plan.output_sizes[copy.output];
    if (uniform[copy.src]) {
      table.find_splat(size)(outputs[copy.output], places[copy.src], nullptr, nullptr, n);
    } else {
      std::memcpy(outputs[copy.output], places[copy.src], n * size);
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!uniform[plan.first_output() + i]) continue;
    table.find_splat(plan.output_sizes[i])(outputs[i], outputs[i], nullptr, nullptr, n);
  }
  return first_error;
}

}  // namespace tenfold
