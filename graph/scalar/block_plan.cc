// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/block_plan.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenfold {
namespace {

size_t AlignUp(size_t bytes) { return (bytes + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment; }

// Instructions that leave the bits alone: their value is their operand's.
bool IsAlias(const ScalarProgram& program, const Instr& instr) {
  if (instr.prim == Prim::kBitcast) return true;
  if (instr.prim != Prim::kConvert) return false;
  const DType from = program.instrs[instr.args[0]].type;
  if (instr.type == from) return true;
  const bool from_bits = IsInteger(from) || IsBool(from);
  return from_bits && IsInteger(instr.type) && SizeOf(from) == SizeOf(instr.type);
}

// Gives slots to values from their first to their last use. Slots are shared among values of one size, so
// that a step may write over an operand that dies there.
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

class Planner {
 public:
  Planner(const ScalarProgram& program, const StepTable& table)
      : program_(program), table_(table), instrs_(program.instrs), values_(instrs_.size()) {}

  BlockPlan Run(int block) {
    for (DType type : program_.inputs) plan_.input_sizes.push_back(static_cast<uint8_t>(SizeOf(type)));
    for (int32_t output : program_.outputs) {
      plan_.output_sizes.push_back(static_cast<uint8_t>(SizeOf(instrs_[output].type)));
    }
    FindUses();
    FindPolynomials();
    PlaceConstants();
    PlaceInputsAndOutputs();
    for (int i = 0; i < num_instrs(); ++i) {
      const Value& value = values_[i];
      if (value.is_computed && !value.is_inside_polynomial) AddStep(i);
    }
    for (BlockPlan::Copy& copy : plan_.copies) copy.src = values_[copy.src].place;
    LayOutWorkspace(block);
    return std::move(plan_);
  }

 private:
  struct Value {
    int root = -1;             // the instruction whose bits these are, through aliases
    int num_uses = 0;          // by what is computed, and as outputs; counted at roots
    int last_use = -1;         // instruction; past the end for outputs
    bool is_computed = false;  // takes a step
    bool is_uniform = false;   // in a block without uniform inputs
    bool is_inside_polynomial = false;
    int polynomial = -1;  // of which this is the value
    int place = -1;
  };

  struct Polynomial {
    int x;
    std::vector<uint64_t> coefficients;  // bit patterns, highest degree first
  };

  int num_instrs() const { return static_cast<int>(instrs_.size()); }
  int Root(int32_t arg) const { return values_[arg].root; }

  void Use(int root, int by) {
    ++values_[root].num_uses;
    values_[root].last_use = std::max(values_[root].last_use, by);
  }

  void FindUses() {
    for (int i = 0; i < num_instrs(); ++i) {
      values_[i].root = IsAlias(program_, instrs_[i]) ? Root(instrs_[i].args[0]) : i;
    }
    for (int32_t output : program_.outputs) Use(Root(output), num_instrs());
    for (int i = num_instrs() - 1; i >= 0; --i) {
      const int num_args = NumArgs(instrs_[i].prim);
      if (values_[i].root != i || values_[i].num_uses == 0 || num_args == 0) continue;
      values_[i].is_computed = true;
      for (int a = 0; a < num_args; ++a) Use(Root(instrs_[i].args[a]), i);
    }
  }

  bool IsConst(int value) const { return instrs_[value].prim == Prim::kConst; }

  // Horner's scheme as it is recorded: fma(constant, x, constant), then fma(that, x, constant) and so on.
  void FindPolynomials() {
    if (table_.find_horner(DType::kF32, kMaxHornerFmas) == nullptr) return;
    for (int i = 0; i < num_instrs(); ++i) {
      if (!values_[i].is_computed || instrs_[i].prim != Prim::kFma) continue;
      const int first = Root(instrs_[i].args[0]), x = Root(instrs_[i].args[1]);
      const int last = Root(instrs_[i].args[2]);
      if (!IsConst(last) || IsConst(x) || x == first) continue;
      if (IsConst(first)) {
        values_[i].polynomial = static_cast<int>(polynomials_.size());
        polynomials_.push_back({x, {instrs_[first].bits, instrs_[last].bits}});
        continue;
      }
      const int p = values_[first].polynomial;
      if (p < 0 || polynomials_[p].x != x || values_[first].num_uses != 1) continue;
      if (polynomials_[p].coefficients.size() > kMaxHornerFmas) continue;
      values_[first].polynomial = -1;
      values_[first].is_inside_polynomial = true;
      values_[i].polynomial = p;
      polynomials_[p].coefficients.push_back(instrs_[last].bits);
    }
    // One fma is as good as a step of its own.
    for (Value& value : values_) {
      if (value.polynomial >= 0 && polynomials_[value.polynomial].coefficients.size() == 2) {
        value.polynomial = -1;
      }
    }
  }

  void PlaceConstants() {
    for (int i = 0; i < num_instrs(); ++i) {
      if (!IsConst(i)) continue;
      values_[i].is_uniform = true;
      values_[i].place = AddConstant();
      table_.find_splat(SizeOf(instrs_[i].type))(&plan_.constants.back(), &instrs_[i].bits, nullptr, nullptr,
                                                 kStepGranule);
    }
    for (int i = 0; i < num_instrs(); ++i) {
      if (values_[i].polynomial < 0) continue;
      const Polynomial& polynomial = polynomials_[values_[i].polynomial];
      const size_t size = SizeOf(instrs_[i].type);
      coefficient_places_.resize(polynomials_.size());
      coefficient_places_[values_[i].polynomial] = AddConstant();
      for (size_t c = 0; c < polynomial.coefficients.size(); ++c) {
        std::memcpy(plan_.constants.back().bytes + c * size, &polynomial.coefficients[c], size);
      }
    }
  }

  int AddConstant() {
    plan_.constants.emplace_back();
    return static_cast<int>(plan_.constants.size()) - 1;
  }

  void PlaceInputsAndOutputs() {
    for (int i = 0; i < num_instrs(); ++i) {
      if (instrs_[i].prim == Prim::kInput) {
        values_[i].place = plan_.first_input() + static_cast<int>(instrs_[i].bits);
      }
    }
    for (size_t o = 0; o < program_.outputs.size(); ++o) {
      const int value = Root(program_.outputs[o]);
      if (values_[value].place == -1) {
        values_[value].place = plan_.first_output() + static_cast<int>(o);
      } else {
        plan_.copies.push_back({value, static_cast<int>(o)});
      }
    }
  }

  void AddStep(int i) {
    const Instr& instr = instrs_[i];
    BlockPlan::Step step;
    std::vector<int> args;
    if (values_[i].polynomial >= 0) {
      const Polynomial& polynomial = polynomials_[values_[i].polynomial];
      args = {polynomial.x};
      step.args[1] = coefficient_places_[values_[i].polynomial];
      const int num_fmas = static_cast<int>(polynomial.coefficients.size()) - 1;
      step.forms.fn[0] = table_.find_horner(instr.type, num_fmas);
    } else {
      for (int a = 0; a < NumArgs(instr.prim); ++a) args.push_back(Root(instr.args[a]));
      const int typed = instr.prim == Prim::kSelect ? 1 : 0;
      step.forms = table_.find(instr.prim, instr.type, instrs_[instr.args[typed]].type);
      step.checks_zero = instr.prim == Prim::kRem || (instr.prim == Prim::kDiv && IsInteger(instr.type));
    }
    step.num_args = static_cast<uint8_t>(args.size());
    for (size_t a = 0; a < args.size(); ++a) {
      const Value& arg = values_[args[a]];
      step.args[a] = arg.place;
      step.arg_sizes[a] = static_cast<uint8_t>(SizeOf(instrs_[args[a]].type));
      step.mask |= static_cast<uint8_t>(arg.is_uniform << a);
    }
    step.is_uniform = step.mask == (1 << step.num_args) - 1;
    step.fn = step.is_uniform ? step.forms.fn[0] : step.forms.fn[step.mask];
    values_[i].is_uniform = step.is_uniform;

    std::sort(args.begin(), args.end());
    args.erase(std::unique(args.begin(), args.end()), args.end());
    for (int arg : args) {
      const bool in_slot = values_[arg].place >= plan_.first_slot();
      if (in_slot && values_[arg].last_use == i) slots_.Release(values_[arg].place - plan_.first_slot());
    }
    if (values_[i].place == -1) values_[i].place = plan_.first_slot() + slots_.Take(SizeOf(instr.type));
    step.dst = values_[i].place;
    plan_.steps.push_back(step);
  }

  void LayOutWorkspace(int block) {
    plan_.slot_offsets.resize(slots_.sizes().size());
    plan_.uniform_places.assign(plan_.num_places(), 0);
    std::fill_n(plan_.uniform_places.begin(), plan_.constants.size(), uint8_t{1});
    plan_.flags_offset = AlignUp(plan_.num_places() * sizeof(void*));
    plan_.uniform_inputs_offset = plan_.flags_offset + AlignUp(plan_.num_places());
    size_t offset = plan_.uniform_inputs_offset + plan_.input_sizes.size() * sizeof(UniformValue);
    for (size_t i = 0; i < plan_.slot_offsets.size(); ++i) {
      plan_.slot_offsets[i] = offset;
      offset += AlignUp(slots_.sizes()[i] * static_cast<size_t>(block));
    }
    plan_.splats_offset = offset;
    plan_.workspace_bytes = offset + 3 * static_cast<size_t>(block) * kMaxElementSize;
  }

  const ScalarProgram& program_;
  const StepTable& table_;
  const std::vector<Instr>& instrs_;
  std::vector<Value> values_;
  std::vector<Polynomial> polynomials_;
  std::vector<int> coefficient_places_;
  SlotAllocator slots_;
  BlockPlan plan_;
};

}  // namespace

BlockPlan PlanBlocks(const ScalarProgram& program, const StepTable& table, int block) {
  return Planner(program, table).Run(block);
}

}  // namespace tenfold
