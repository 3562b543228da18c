// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/interpreter.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "tenfold/graph/scalar/block_steps.h"

namespace tenfold {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kMaxElementSize = 8;
// A uniform value: as many equal elements as a step computes at least.
struct alignas(kAlignment) Uniform {
  unsigned char bytes[kStepGranule * kMaxElementSize];
};

size_t AlignUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

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

// Instructions that leave the bits alone: their value is their operand's.
bool IsAlias(const ScalarProgram& program, const Instr& instr) {
  if (instr.prim == Prim::kBitcast) return true;
  if (instr.prim != Prim::kConvert) return false;
  const DType from = program.instrs[instr.args[0]].type;
  if (instr.type == from) return true;
  const bool from_bits = IsInteger(from) || IsBool(from);
  return from_bits && IsInteger(instr.type) && SizeOf(from) == SizeOf(instr.type);
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

// Values live at places: constants, inputs, outputs and slots of the workspace, numbered in that
// order. A value is uniform if one element stands for the whole block; then kStepGranule equal
// elements are there.
struct BlockInterpreter::Impl {
  struct Step {
    StepForms forms;
    StepFn fn = nullptr;  // the form for a block without uniform inputs; null if that needs a splat
    int32_t dst = -1;     // places
    int32_t args[3] = {};
    uint8_t arg_sizes[3] = {};
    uint8_t num_args = 0;
    uint8_t mask = 0;          // which operands are uniform in a block without uniform inputs
    bool is_uniform = false;   // all of them
    bool checks_zero = false;  // fails where args[1] is 0
  };

  // Outputs that no step writes: inputs, constants, and values that are outputs twice.
  struct Copy {
    int32_t src;
    int output;
  };

  const StepTable* table = nullptr;
  std::vector<Step> steps;
  std::vector<Copy> copies;
  std::vector<uint8_t> input_sizes;
  std::vector<uint8_t> output_sizes;
  std::vector<size_t> slot_offsets;  // from the start of the workspace
  std::vector<Uniform> const_pool;
  std::vector<uint8_t> static_uniform;  // by place
  int num_consts = 0;
  size_t uniform_inputs_offset = 0;
  size_t splat_offset = 0;
  size_t workspace_bytes = 0;

  int first_input() const { return num_consts; }
  int first_output() const { return first_input() + static_cast<int>(input_sizes.size()); }
  int first_slot() const { return first_output() + static_cast<int>(output_sizes.size()); }
  int num_places() const { return first_slot() + static_cast<int>(slot_offsets.size()); }

  void Prepare(const ScalarProgram& program, IsaLevel level);
  void LayOutWorkspace(const std::vector<uint8_t>& slot_sizes);
  void RunForm(const Step& step, int mask, const void** places, void* workspace, int n) const;
};

namespace {

// Gives slots to values from their first to their last use. Slots are shared among values of one
// size, so that a step may write over an operand that dies there.
class SlotAllocator {
 public:
  int Take(size_t element_size) {
    std::vector<int>& free = free_[element_size];
    if (!free.empty()) {
      const int slot = free.back();
      free.pop_back();
      return slot;
    }
    sizes_.push_back(static_cast<uint8_t>(element_size));
    return static_cast<int>(sizes_.size()) - 1;
  }
  void Release(int slot) { free_[sizes_[slot]].push_back(slot); }
  const std::vector<uint8_t>& sizes() const { return sizes_; }

 private:
  std::vector<uint8_t> sizes_;
  std::vector<int> free_[kMaxElementSize + 1];
};

}  // namespace

void BlockInterpreter::Impl::Prepare(const ScalarProgram& program, IsaLevel level) {
  table = &StepsFor(level);
  const std::vector<Instr>& instrs = program.instrs;
  const int num_instrs = static_cast<int>(instrs.size());
  for (DType type : program.inputs) input_sizes.push_back(static_cast<uint8_t>(SizeOf(type)));
  for (int32_t output : program.outputs) {
    output_sizes.push_back(static_cast<uint8_t>(SizeOf(instrs[output].type)));
  }

  std::vector<int> root(num_instrs);  // through aliases
  std::vector<int> last_use(num_instrs, -1);
  for (int i = 0; i < num_instrs; ++i) {
    root[i] = IsAlias(program, instrs[i]) ? root[instrs[i].args[0]] : i;
    num_consts += instrs[i].prim == Prim::kConst;
  }
  for (int32_t output : program.outputs) last_use[root[output]] = num_instrs;
  for (int i = num_instrs - 1; i >= 0; --i) {
    if (root[i] != i || last_use[i] == -1) continue;
    for (int a = 0; a < NumArgs(instrs[i].prim); ++a) {
      int& use = last_use[root[instrs[i].args[a]]];
      use = std::max(use, i);
    }
  }

  std::vector<int32_t> place(num_instrs, -1);
  const_pool.resize(num_consts);
  int next_const = 0;
  for (int i = 0; i < num_instrs; ++i) {
    if (instrs[i].prim == Prim::kInput) place[i] = first_input() + static_cast<int>(instrs[i].bits);
    if (instrs[i].prim != Prim::kConst) continue;
    place[i] = next_const++;
    void* elements = &const_pool[place[i]];
    table->find_splat(SizeOf(instrs[i].type))(elements, &instrs[i].bits, nullptr, nullptr,
                                              kStepGranule);
  }
  for (size_t o = 0; o < program.outputs.size(); ++o) {
    const int value = root[program.outputs[o]];
    if (place[value] == -1) {
      place[value] = first_output() + static_cast<int>(o);
    } else {
      copies.push_back({value, static_cast<int>(o)});
    }
  }

  SlotAllocator slots;
  static_uniform.assign(first_slot(), 0);
  std::fill_n(static_uniform.begin(), num_consts, uint8_t{1});
  // Slots are reused: whether one holds a uniform value is known only step by step.
  std::vector<uint8_t> uniform(num_instrs, 0);
  for (int i = 0; i < num_instrs; ++i) {
    const Instr& instr = instrs[i];
    if (instr.prim == Prim::kConst) uniform[i] = 1;
    if (root[i] != i || last_use[i] == -1 || NumArgs(instr.prim) == 0) continue;
    Step step;
    step.num_args = static_cast<uint8_t>(NumArgs(instr.prim));
    const DType arg_type = instrs[instr.args[instr.prim == Prim::kSelect ? 1 : 0]].type;
    step.forms = table->find(instr.prim, instr.type, arg_type);
    step.checks_zero =
        instr.prim == Prim::kRem || (instr.prim == Prim::kDiv && IsInteger(instr.type));
    std::vector<int> dying;
    for (int a = 0; a < step.num_args; ++a) {
      const int arg = root[instr.args[a]];
      step.args[a] = place[arg];
      step.arg_sizes[a] = static_cast<uint8_t>(SizeOf(instrs[arg].type));
      step.mask |= static_cast<uint8_t>(uniform[arg] << a);
      const bool owns_slot = place[arg] >= first_slot();
      if (owns_slot && last_use[arg] == i &&
          std::find(dying.begin(), dying.end(), arg) == dying.end()) {
        dying.push_back(arg);
      }
    }
    step.is_uniform = step.mask == (1 << step.num_args) - 1;
    uniform[i] = step.is_uniform;
    step.fn = step.is_uniform ? step.forms.fn[0] : step.forms.fn[step.mask];
    for (int arg : dying) slots.Release(place[arg] - first_slot());
    if (place[i] == -1) place[i] = first_slot() + slots.Take(SizeOf(instr.type));
    step.dst = place[i];
    steps.push_back(step);
  }
  for (Copy& copy : copies) copy.src = place[copy.src];
  LayOutWorkspace(slots.sizes());
}

void BlockInterpreter::Impl::LayOutWorkspace(const std::vector<uint8_t>& slot_sizes) {
  slot_offsets.assign(slot_sizes.size(), 0);
  static_uniform.resize(num_places(), 0);
  size_t offset = AlignUp(num_places() * sizeof(void*)) + AlignUp(num_places());
  uniform_inputs_offset = offset;
  offset += input_sizes.size() * sizeof(Uniform);
  for (size_t i = 0; i < slot_sizes.size(); ++i) {
    slot_offsets[i] = offset;
    offset += AlignUp(slot_sizes[i] * kBlock);
  }
  splat_offset = offset;
  workspace_bytes = offset + 3 * kBlock * kMaxElementSize;
}

void BlockInterpreter::Impl::RunForm(const Step& step, int mask, const void** places,
                                     void* workspace, int n) const {
  const void* args[3];
  for (int a = 0; a < 3; ++a) args[a] = places[step.args[a]];
  StepFn fn = step.forms.fn[mask];
  if (fn == nullptr) {
    for (int a = 0; a < step.num_args; ++a) {
      if ((mask >> a & 1) == 0) continue;
      void* block = static_cast<char*>(workspace) + splat_offset + a * (kBlock * kMaxElementSize);
      table->find_splat(step.arg_sizes[a])(block, args[a], nullptr, nullptr, n);
      args[a] = block;
    }
    fn = step.forms.fn[0];
  }
  fn(const_cast<void*>(places[step.dst]), args[0], args[1], args[2], n);
}

BlockInterpreter::BlockInterpreter(const ScalarProgram& program, std::optional<IsaLevel> level) {
  auto impl = std::make_unique<Impl>();
  impl->Prepare(program, std::min(level.value_or(HostIsaLevel()), HostIsaLevel()));
  impl_ = std::move(impl);
}

BlockInterpreter::~BlockInterpreter() = default;

size_t BlockInterpreter::WorkspaceBytes() const { return impl_->workspace_bytes; }

int BlockInterpreter::RunBlock(std::span<const void* const> inputs,
                               std::span<const bool> input_is_uniform,
                               std::span<void* const> outputs, int count, void* workspace) const {
  const Impl& p = *impl_;
  const int n = (count + kStepGranule - 1) / kStepGranule * kStepGranule;
  char* const base = static_cast<char*>(workspace);

  const void** const places = static_cast<const void**>(workspace);
  for (int i = 0; i < p.num_consts; ++i) {
    places[i] = &p.const_pool[i];
  }
  bool any_uniform = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    places[p.first_input() + i] = inputs[i];
    any_uniform |= input_is_uniform[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) places[p.first_output() + i] = outputs[i];
  for (size_t i = 0; i < p.slot_offsets.size(); ++i) {
    places[p.first_slot() + i] = base + p.slot_offsets[i];
  }
  uint8_t* const uniform =
      reinterpret_cast<uint8_t*>(base) + AlignUp(p.num_places() * sizeof(void*));
  std::memcpy(uniform, p.static_uniform.data(), p.static_uniform.size());
  for (size_t i = 0; any_uniform && i < inputs.size(); ++i) {
    if (!input_is_uniform[i]) continue;
    char* elements = base + p.uniform_inputs_offset + i * sizeof(Uniform);
    p.table->find_splat(p.input_sizes[i])(elements, inputs[i], nullptr, nullptr, kStepGranule);
    places[p.first_input() + i] = elements;
    uniform[p.first_input() + i] = 1;
  }

  int first_error = -1;
  for (const Impl::Step& step : p.steps) {
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
      const int at =
          FirstZero(places[step.args[1]], step.arg_sizes[1], uniform_divisor ? 1 : count);
      if (at >= 0 && (first_error < 0 || at < first_error)) first_error = at;
    }
    uniform[step.dst] = is_uniform;
    if (is_uniform) {
      p.RunForm(step, 0, places, workspace, kStepGranule);
    } else if (any_uniform || step.fn == nullptr) {
      p.RunForm(step, mask, places, workspace, n);
    } else {
      step.fn(const_cast<void*>(places[step.dst]), places[step.args[0]], places[step.args[1]],
              places[step.args[2]], n);
    }
  }

  for (const Impl::Copy& copy : p.copies) {
    const size_t size = p.output_sizes[copy.output];
    if (uniform[copy.src]) {
      p.table->find_splat(size)(outputs[copy.output], places[copy.src], nullptr, nullptr, n);
    } else {
      std::memcpy(outputs[copy.output], places[copy.src], n * size);
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!uniform[p.first_output() + i]) continue;
    p.table->find_splat(p.output_sizes[i])(outputs[i], outputs[i], nullptr, nullptr, n);
  }
  return first_error;
}

}  // namespace tenfold
