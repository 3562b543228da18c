// SPDX-License-Identifier: Apache-2.0
//
// Whole programs: blocks of every length, uniform inputs, outputs in every position, the index of the first
// error, and random programs against the reference.

#include "tenfold/graph/scalar/interpreter.h"

#include <gtest/gtest.h>

#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

using Columns = std::vector<std::vector<uint64_t>>;

void ExpectMatchesReference(const ScalarProgram& program, const Columns& inputs,
                            const std::vector<bool>& is_uniform, int64_t count) {
  Columns expected(program.outputs.size());
  int64_t first_error = -1;
  for (int64_t e = 0; e < count; ++e) {
    std::vector<uint64_t> element;
    for (size_t i = 0; i < inputs.size(); ++i) element.push_back(inputs[i][is_uniform[i] ? 0 : e]);
    const ReferenceResult result = EvaluateReference(program, element);
    if (result.failed && first_error < 0) first_error = e;
    for (size_t o = 0; o < expected.size(); ++o) expected[o].push_back(result.outputs[o]);
  }
  for (IsaLevel level : TestedLevels()) {
    const BlockInterpreter interpreter(program, level);
    const BlockResult result = RunBlocks(interpreter, program, inputs, is_uniform, count);
    ASSERT_EQ(result.first_error, first_error) << Name(level) << "\n" << program.ToString();
    for (size_t o = 0; o < expected.size(); ++o) {
      for (int64_t e = 0; e < count; ++e) {
        ASSERT_TRUE(SameValue(program.output_type(static_cast<int>(o)), result.outputs[o][e], expected[o][e]))
            << "output " << o << ", element " << e << " on " << Name(level) << ": 0x"
            << absl::StrCat(absl::Hex(result.outputs[o][e]), ", not 0x", absl::Hex(expected[o][e])) << "\n"
            << program.ToString();
      }
    }
  }
}

TEST(BlockInterpreter, LevelsHaveNamesAndTheHostHasOne) {
  EXPECT_EQ(Name(IsaLevel::kBaseline), "x86-64");
  EXPECT_EQ(Name(IsaLevel::kAvx2), "x86-64-v3");
  EXPECT_EQ(Name(IsaLevel::kAvx512), "x86-64-v4");
  EXPECT_GE(TestedLevels().size(), 1u);
}

TEST(BlockInterpreter, RunsBlocksOfEveryLength) {
  const DType types[] = {DType::kF32, DType::kF32};
  const ScalarProgram program = ScalarBuilder::Record(types, [](std::span<const Scalar> in) {
    return std::vector<Scalar>{math::Tanh(in[0]) * in[1] + 0.5, Convert(in[0], DType::kF64)};
  });
  Random random(1);
  Columns inputs(2);
  for (int e = 0; e < 1100; ++e) {
    for (auto& column : inputs)
      column.push_back(RoundReference(DType::kF32, random.Below(2000) / 256.0L - 4));
  }
  for (int count : {1, 2, 15, 16, 17, 31, 33, 255, 511, 512, 513, 1100}) {
    ExpectMatchesReference(program, inputs, {false, false}, count);
  }
}

TEST(BlockInterpreter, OutputsMayBeInputsConstantsAndTwiceTheSameValue) {
  const DType types[] = {DType::kI16, DType::kF32};
  const ScalarProgram program = ScalarBuilder::Record(types, [](std::span<const Scalar> in) {
    const Scalar sum = in[1] + 1.0;
    return std::vector<Scalar>{in[0],
                               in[0],
                               sum,
                               Like(in[0], 7),
                               sum,
                               Bitcast(sum, DType::kI32),
                               Bitcast(in[1], DType::kU32),
                               Like(in[1], 2) * Like(in[1], 3),
                               sum * sum};
  });
  Random random(2);
  Columns inputs(2);
  for (int e = 0; e < 100; ++e) {
    inputs[0].push_back(random.Value(DType::kI16));
    inputs[1].push_back(RoundReference(DType::kF32, random.Below(100)));
  }
  for (unsigned mask = 0; mask < 4; ++mask) {
    ExpectMatchesReference(program, inputs, {(mask & 1) != 0, (mask & 2) != 0}, 100);
  }
}

TEST(BlockInterpreter, ReportsTheFirstZeroDivisor) {
  const DType types[] = {DType::kI32, DType::kI32};
  const ScalarProgram program = ScalarBuilder::Record(types, [](std::span<const Scalar> in) {
    // The remainder fails where in[1] is 1, which may be before the quotient does.
    return std::vector<Scalar>{in[0] / in[1], in[0] % (in[1] - 1.0)};
  });
  const BlockInterpreter interpreter(program);
  Columns inputs(2, std::vector<uint64_t>(600, 5));
  EXPECT_EQ(RunBlocks(interpreter, program, inputs, {false, false}, 600).first_error, -1);
  inputs[1][77] = 0;
  EXPECT_EQ(RunBlocks(interpreter, program, inputs, {false, false}, 600).first_error, 77);
  inputs[1][33] = 1;
  const BlockResult result = RunBlocks(interpreter, program, inputs, {false, false}, 600);
  EXPECT_EQ(result.first_error, 33);
  EXPECT_EQ(result.outputs[0][77], 0u);
  EXPECT_EQ(result.outputs[1][33], 0u);
  // Past the end of a short block nothing is reported.
  EXPECT_EQ(RunBlocks(interpreter, program, inputs, {false, false}, 33).first_error, -1);
  // A uniform divisor fails at once.
  EXPECT_EQ(RunBlocks(interpreter, program, {inputs[0], {0}}, {false, true}, 20).first_error, 0);
  EXPECT_EQ(RunBlocks(interpreter, program, {{5}, {0}}, {true, true}, 20).first_error, 0);
}

TEST(BlockInterpreter, ReusesSlots) {
  const DType types[] = {DType::kF32};
  const auto chain = [&](int length) {
    const ScalarProgram program = ScalarBuilder::Record(types, [&](std::span<const Scalar> in) {
      Scalar x = in[0];
      for (int i = 0; i < length; ++i) x = Sqrt(x + i);
      return std::vector<Scalar>{x};
    });
    return BlockInterpreter(program).WorkspaceBytes();
  };
  EXPECT_LT(chain(200), chain(2) + 8192);
}

// A random program that verifies: any primitive on any type whose operands are there.
ScalarProgram RandomProgram(Random& random) {
  ScalarBuilder builder;
  std::vector<Scalar> values;
  const int num_inputs = 1 + random.Below(4);
  for (int i = 0; i < num_inputs; ++i) {
    values.push_back(builder.Input(kComputedDTypes[random.Below(static_cast<int>(kComputedDTypes.size()))]));
  }
  const auto any = [&] { return values[random.Below(static_cast<int>(values.size()))]; };
  // A value of `type`: one that is there, a constant or a conversion.
  const auto of_type = [&](DType type) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const Scalar value = any();
      if (value.type() == type) return value;
    }
    return random.Below(2) == 0 ? builder.ConstBits(type, random.Value(type)) : Convert(any(), type);
  };
  const int num_instrs = 1 + random.Below(40);
  for (int i = 0; i < num_instrs; ++i) {
    const Prim prim = static_cast<Prim>(random.Below(kNumPrims));
    const DType type = kComputedDTypes[random.Below(static_cast<int>(kComputedDTypes.size()))];
    const bool is_compare = prim >= Prim::kEq && prim <= Prim::kLe;
    if (prim == Prim::kInput) continue;
    if (prim == Prim::kConst) {
      values.push_back(builder.ConstBits(type, random.Value(type)));
      continue;
    }
    if (prim == Prim::kConvert) {
      values.push_back(Convert(any(), type));
      continue;
    }
    if (prim == Prim::kBitcast) {
      const Scalar value = any();
      // What the bits of a NaN become is not specified, so floats are not looked into.
      if (!IsBool(type) && IsInteger(value.type()) && SizeOf(type) == SizeOf(value.type())) {
        values.push_back(Bitcast(value, type));
      }
      continue;
    }
    std::vector<Scalar> args;
    if (prim == Prim::kSelect) args.push_back(of_type(DType::kBool));
    while (static_cast<int>(args.size()) < NumArgs(prim)) args.push_back(of_type(type));
    // Try it out in a program of its own: Verify knows which types a primitive takes.
    ScalarProgram trial;
    Instr instr{.prim = prim, .type = is_compare ? DType::kBool : type};
    for (size_t a = 0; a < args.size(); ++a) {
      trial.inputs.push_back(args[a].type());
      trial.instrs.push_back({.prim = Prim::kInput, .type = args[a].type(), .bits = a});
      instr.args[a] = static_cast<int32_t>(a);
    }
    trial.instrs.push_back(instr);
    trial.outputs = {static_cast<int32_t>(args.size())};
    if (trial.Verify().ok()) values.push_back(builder.Emit(prim, instr.type, args));
  }
  std::vector<Scalar> outputs = {values.back()};
  const int more = random.Below(4);
  for (int i = 0; i < more; ++i) outputs.push_back(any());
  return std::move(builder).Finish(outputs);
}

TEST(BlockInterpreter, RandomProgramsMatchTheReferenceAtEveryLevel) {
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    Random random(seed);
    const ScalarProgram program = RandomProgram(random);
    ASSERT_TRUE(program.Verify().ok()) << program.Verify().message() << "\n" << program.ToString();
    const int count = 1 + random.Below(70);
    Columns inputs(program.inputs.size());
    std::vector<bool> is_uniform;
    for (size_t i = 0; i < inputs.size(); ++i) {
      is_uniform.push_back(random.Below(3) == 0);
      for (int e = 0; e < count; ++e) inputs[i].push_back(random.Value(program.inputs[i]));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectMatchesReference(program, inputs, is_uniform, count)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tenfold::testing
