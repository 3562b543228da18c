// SPDX-License-Identifier: Apache-2.0
//
// Every primitive on every type, special values against special values, at every ISA level, with every
// choice of uniform operands, against the plain reference.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/scalar/scalar_program.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

// One instruction on inputs of the given types.
ScalarProgram OneInstruction(Prim prim, DType type, const std::vector<DType>& args) {
  ScalarProgram program;
  program.inputs = args;
  Instr instr{.prim = prim, .type = type};
  for (size_t i = 0; i < args.size(); ++i) {
    program.instrs.push_back({.prim = Prim::kInput, .type = args[i], .bits = i});
    instr.args[i] = static_cast<int32_t>(i);
  }
  program.instrs.push_back(instr);
  program.outputs = {static_cast<int32_t>(args.size())};
  return program;
}

// All programs of one primitive application that verify.
std::vector<ScalarProgram> AllApplications() {
  std::vector<ScalarProgram> programs;
  const auto add = [&](Prim prim, DType type, const std::vector<DType>& args) {
    ScalarProgram program = OneInstruction(prim, type, args);
    if (program.Verify().ok()) programs.push_back(std::move(program));
  };
  for (int p = 0; p < kNumPrims; ++p) {
    const Prim prim = static_cast<Prim>(p);
    if (NumArgs(prim) == 0) continue;
    for (DType type : kComputedDTypes) {
      if (prim == Prim::kSelect) {
        add(prim, type, {DType::kBool, type, type});
      } else if (prim == Prim::kConvert || prim == Prim::kBitcast) {
        for (DType from : kComputedDTypes) add(prim, type, {from});
      } else {
        add(prim, type, std::vector<DType>(NumArgs(prim), type));
        if (!IsBool(type)) add(prim, DType::kBool, std::vector<DType>(NumArgs(prim), type));
      }
    }
  }
  return programs;
}

std::string Describe(const ScalarProgram& program) {
  std::string text(Name(program.instrs.back().prim));
  absl::StrAppend(&text, " ", Name(program.instrs.back().type), " of");
  for (DType type : program.inputs) absl::StrAppend(&text, " ", Name(type));
  return text;
}

void ExpectMatchesReference(const ScalarProgram& program, const std::vector<std::vector<uint64_t>>& inputs,
                            const std::vector<bool>& is_uniform, int64_t count) {
  std::vector<uint64_t> expected;
  int64_t first_error = -1;
  const auto at = [&](size_t input, int64_t e) { return inputs[input][is_uniform[input] ? 0 : e]; };
  for (int64_t e = 0; e < count; ++e) {
    std::vector<uint64_t> element;
    for (size_t i = 0; i < inputs.size(); ++i) element.push_back(at(i, e));
    const ReferenceResult result = EvaluateReference(program, element);
    expected.push_back(result.outputs[0]);
    if (result.failed && first_error < 0) first_error = e;
  }
  const DType type = program.output_type(0);
  for (IsaLevel level : TestedLevels()) {
    const BlockInterpreter interpreter(program, level);
    const BlockResult result = RunBlocks(interpreter, program, inputs, is_uniform, count);
    EXPECT_EQ(result.first_error, first_error) << Describe(program) << " on " << Name(level);
    for (int64_t e = 0; e < count; ++e) {
      if (SameValue(type, result.outputs[0][e], expected[e])) continue;
      std::string operands;
      for (size_t i = 0; i < inputs.size(); ++i) absl::StrAppend(&operands, " 0x", absl::Hex(at(i, e)));
      ADD_FAILURE() << Describe(program) << " on " << Name(level) << ":" << operands << " gives 0x"
                    << absl::StrCat(absl::Hex(result.outputs[0][e])) << ", not 0x"
                    << absl::StrCat(absl::Hex(expected[e]));
      break;
    }
  }
}

// Operand lists in which every special value meets every other; for three operands, random ones too.
std::vector<std::vector<uint64_t>> Operands(const ScalarProgram& program, Random& random) {
  const size_t n = program.inputs.size();
  std::vector<std::vector<uint64_t>> operands(n);
  if (n <= 2) {
    for (uint64_t a : SpecialValues(program.inputs[0])) {
      if (n == 1) {
        operands[0].push_back(a);
        continue;
      }
      for (uint64_t b : SpecialValues(program.inputs[1])) {
        operands[0].push_back(a);
        operands[1].push_back(b);
      }
    }
  }
  for (int i = 0; i < (n == 3 ? 30000 : 4000); ++i) {
    for (size_t a = 0; a < n; ++a) operands[a].push_back(random.Value(program.inputs[a]));
  }
  return operands;
}

TEST(Primitives, MatchTheReferenceOnSpecialValues) {
  const std::vector<ScalarProgram> programs = AllApplications();
  EXPECT_GT(programs.size(), 350u);
  Random random(1);
  for (const ScalarProgram& program : programs) {
    const std::vector<std::vector<uint64_t>> operands = Operands(program, random);
    ExpectMatchesReference(program, operands, std::vector<bool>(operands.size(), false),
                           static_cast<int64_t>(operands[0].size()));
    if (HasFailure()) return;
  }
}

TEST(Primitives, MatchTheReferenceWithUniformOperands) {
  Random random(2);
  for (const ScalarProgram& program : AllApplications()) {
    const size_t n = program.inputs.size();
    for (unsigned mask = 1; mask < 1u << n; ++mask) {
      for (int round = 0; round < 12; ++round) {
        std::vector<std::vector<uint64_t>> inputs(n);
        std::vector<bool> is_uniform(n);
        const int count = 1 + random.Below(120);
        for (size_t i = 0; i < n; ++i) {
          is_uniform[i] = (mask >> i) & 1;
          for (int e = 0; e < (is_uniform[i] ? 1 : count); ++e) {
            inputs[i].push_back(random.Value(program.inputs[i]));
          }
        }
        ExpectMatchesReference(program, inputs, is_uniform, count);
        if (HasFailure()) return;
      }
    }
  }
}

// The sum of a product of f32 and an f32, one binade after the other: cancellation, sticky bits, ties.
TEST(Primitives, FmaRoundsOnceWithoutTheInstruction) {
  const ScalarProgram program =
      OneInstruction(Prim::kFma, DType::kF32, {DType::kF32, DType::kF32, DType::kF32});
  Random random(3);
  std::vector<std::vector<uint64_t>> inputs(3);
  const auto push = [&](uint64_t a, uint64_t b, uint64_t c) {
    inputs[0].push_back(a);
    inputs[1].push_back(b);
    inputs[2].push_back(c);
  };
  for (int i = 0; i < 300000; ++i) {
    // Few set bits make ties common.
    const auto significand = [&] { return random.Next() & random.Next() & random.Next() & 0x7fffff; };
    const uint64_t a = uint64_t(90 + random.Below(70)) << 23 | significand();
    const uint64_t b = uint64_t(90 + random.Below(70)) << 23 | significand();
    const int exponent = static_cast<int>(a >> 23) + static_cast<int>(b >> 23) - 127 + random.Below(110) - 55;
    const uint64_t c = exponent < 0 ? significand() : uint64_t(exponent > 254 ? 254 : exponent) << 23;
    push(a, b ^ (random.Next() & 0x80000000), c | significand());
  }
  ExpectMatchesReference(program, inputs, {false, false, false}, 300000);
}

}  // namespace
}  // namespace tenfold::testing
