// SPDX-License-Identifier: Apache-2.0
//
// Programs as data: what the builder records, what Verify refuses, what ToString prints.

#include "tenfold/graph/scalar/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "tenfold/tests/graph/scalar/reference.h"

namespace tenfold::testing {
namespace {

using ::testing::HasSubstr;

ScalarProgram Record(const std::vector<DType>& inputs,
                     const std::function<std::vector<Scalar>(std::span<const Scalar>)>& formula) {
  return ScalarBuilder::Record(inputs, formula);
}

TEST(ScalarBuilder, RecordsAFormulaInReadableForm) {
  const ScalarProgram program = Record({DType::kF32, DType::kF32}, [](std::span<const Scalar> in) {
    // One at a time: C++ does not fix the order in which arguments are evaluated.
    const Scalar less = in[0] < in[1];
    const Scalar half = Like(in[0], 0.5);
    const Scalar product = Fma(in[0], in[1], half);
    const Scalar negated = -in[0];
    return std::vector<Scalar>{Select(less, product, negated)};
  });
  EXPECT_EQ(program.ToString(),
            "%0 = input f32 0\n"
            "%1 = input f32 1\n"
            "%2 = lt bool %0, %1\n"
            "%3 = const f32 0.5\n"
            "%4 = fma f32 %0, %1, %3\n"
            "%5 = neg f32 %0\n"
            "%6 = select f32 %2, %4, %5\n"
            "return %6\n");
  EXPECT_TRUE(program.Verify().ok());
  EXPECT_EQ(program.output_type(0), DType::kF32);
}

TEST(ScalarBuilder, EqualInstructionsBecomeOne) {
  const ScalarProgram program = Record({DType::kF32}, [](std::span<const Scalar> in) {
    return std::vector<Scalar>{(in[0] + 1.0) * (in[0] + 1.0)};
  });
  EXPECT_EQ(program.instrs.size(), 4u);
}

TEST(ScalarBuilder, ConstantsAreTheSameByBits) {
  const ScalarProgram program = Record({DType::kF32}, [](std::span<const Scalar> in) {
    return std::vector<Scalar>{(in[0] + 0.0) + (in[0] + -0.0)};
  });
  EXPECT_EQ(program.instrs.size(), 6u) << program.ToString();
}

TEST(ScalarBuilder, DropsWhatNoOutputNeedsButKeepsInputs) {
  const ScalarProgram program = Record({DType::kF32, DType::kI32}, [](std::span<const Scalar> in) {
    (void)(in[1] + in[1]);
    return std::vector<Scalar>{in[0] * 2.0};
  });
  EXPECT_EQ(program.inputs.size(), 2u);
  EXPECT_EQ(program.ToString(), "%0 = input f32 0\n%1 = const f32 2\n%2 = mul f32 %0, %1\nreturn %2\n");
}

TEST(ScalarBuilder, InlineSubstitutesInputs) {
  const ScalarProgram square =
      Record({DType::kF64}, [](std::span<const Scalar> in) { return std::vector<Scalar>{in[0] * in[0]}; });
  const ScalarProgram program = Record({DType::kF64}, [&](std::span<const Scalar> in) {
    ScalarBuilder& builder = *in[0].builder();
    const std::vector<Scalar> once = builder.Inline(square, in);
    return builder.Inline(square, once);
  });
  EXPECT_EQ(program.ToString(), "%0 = input f64 0\n%1 = mul f64 %0, %0\n%2 = mul f64 %1, %1\nreturn %2\n");
}

TEST(ScalarBuilder, ConstConvertsOnce) {
  ScalarBuilder builder;
  struct Case {
    DType type;
    double value;
    const char* text;
  };
  std::vector<Scalar> outputs;
  std::string expected;
  for (const Case& c : std::vector<Case>{{DType::kF32, 0.1, "0.100000001"},
                                         {DType::kF64, 0.1, "0.10000000000000001"},
                                         {DType::kF16, 65520, "inf"},
                                         {DType::kBF16, 1.00390625, "1"},
                                         {DType::kI8, -300.5, "-128"},
                                         {DType::kU8, -1, "0"},
                                         {DType::kI32, 2.75, "2"},
                                         {DType::kU64, 1e30, "18446744073709551615"},
                                         {DType::kI64, -1e30, "-9223372036854775808"},
                                         {DType::kBool, 0.5, "true"}}) {
    expected +=
        "%" + std::to_string(outputs.size()) + " = const " + std::string(Name(c.type)) + " " + c.text + "\n";
    outputs.push_back(builder.Const(c.type, c.value));
  }
  const std::string text = std::move(builder).Finish(outputs).ToString();
  EXPECT_EQ(text.substr(0, expected.size()), expected);
}

TEST(ScalarBuilder, ConstIntWrapsInIntegersAndRoundsOnceInFloats) {
  ScalarBuilder builder;
  const int64_t past_tie = (int64_t{0x101} << 54) + 1;  // of bf16; f64 and f32 both lose the 1
  const std::vector<Scalar> outputs = {
      builder.ConstInt(DType::kU8, -1), builder.ConstInt(DType::kF32, (int64_t{1} << 24) + 1),
      builder.ConstInt(DType::kBF16, past_tie), builder.ConstInt(DType::kF16, -100000)};
  const ScalarProgram program = std::move(builder).Finish(outputs);
  EXPECT_EQ(program.instrs[0].bits, 0xffu);
  EXPECT_EQ(program.instrs[1].bits, RoundReference(DType::kF32, 16777217.0L));
  EXPECT_EQ(program.instrs[2].bits, RoundReference(DType::kBF16, static_cast<long double>(past_tie)));
  EXPECT_EQ(program.instrs[3].bits, 0xfc00u);
}

TEST(Scalar, EqualityOfBoolIsBitwise) {
  const ScalarProgram program = Record({DType::kBool, DType::kBool}, [](std::span<const Scalar> in) {
    return std::vector<Scalar>{in[0] == in[1], in[0] != in[1]};
  });
  ASSERT_TRUE(program.Verify().ok()) << program.ToString();
  for (uint64_t a : {0, 1}) {
    for (uint64_t b : {0, 1}) {
      const uint64_t inputs[] = {a, b};
      EXPECT_EQ(EvaluateReference(program, inputs).outputs, (std::vector<uint64_t>{a == b, a != b}));
    }
  }
}

TEST(Scalar, CopySignTakesTheSignBit) {
  const ScalarProgram program = Record({DType::kF64, DType::kF64}, [](std::span<const Scalar> in) {
    return std::vector<Scalar>{CopySign(in[0], in[1])};
  });
  const uint64_t inputs[] = {RoundReference(DType::kF64, -3.5L), RoundReference(DType::kF64, -0.0L)};
  EXPECT_EQ(EvaluateReference(program, inputs).outputs[0], inputs[0]);
}

TEST(ScalarProgram, CanFailIsAboutIntegerDivision) {
  const auto divide = [](DType type) {
    return Record({type, type},
                  [](std::span<const Scalar> in) { return std::vector<Scalar>{in[0] / in[1]}; });
  };
  EXPECT_TRUE(divide(DType::kI32).CanFail());
  EXPECT_TRUE(divide(DType::kU8).CanFail());
  EXPECT_FALSE(divide(DType::kF32).CanFail());
}

TEST(ScalarProgram, EveryPrimitiveHasANameAndArity) {
  std::vector<std::string> names;
  for (int p = 0; p < kNumPrims; ++p) names.emplace_back(Name(static_cast<Prim>(p)));
  EXPECT_THAT(names, ::testing::Each(::testing::Not(::testing::AnyOf("", "?"))));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
  EXPECT_EQ(NumArgs(Prim::kInput), 0);
  EXPECT_EQ(NumArgs(Prim::kSqrt), 1);
  EXPECT_EQ(NumArgs(Prim::kShr), 2);
  EXPECT_EQ(NumArgs(Prim::kFma), 3);
}

// A program of two f32 inputs, an i32 input and `last`.
std::string VerifyMessage(const Instr& last) {
  ScalarProgram program;
  program.inputs = {DType::kF32, DType::kF32, DType::kI32, DType::kF16, DType::kBool};
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    program.instrs.push_back({.prim = Prim::kInput, .type = program.inputs[i], .bits = i});
  }
  program.instrs.push_back(last);
  program.outputs = {5};
  return std::string(program.Verify().message());
}

TEST(ScalarProgram, VerifyRefuses) {
  EXPECT_EQ(VerifyMessage({.prim = Prim::kAdd, .type = DType::kF32, .args = {0, 1, -1}}), "");
  EXPECT_THAT(VerifyMessage({.prim = Prim::kAdd, .type = DType::kF32, .args = {0, 2, -1}}),
              HasSubstr("%5 = add f32: arg 1 is i32, not f32"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kAdd, .type = DType::kF32, .args = {0, 5, -1}}),
              HasSubstr("arg 1 is %5, not an earlier instruction"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kAdd, .type = DType::kF32, .args = {0, -1, -1}}),
              HasSubstr("arg 1 is %-1, not an earlier instruction"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kNeg, .type = DType::kF32, .args = {0, 1, -1}}),
              HasSubstr("takes 1 args, has more"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kNeg, .type = DType::kF16, .args = {3, -1, -1}}),
              HasSubstr("neg f16: is not defined on f16"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kSqrt, .type = DType::kI32, .args = {2, -1, -1}}),
              HasSubstr("is not defined on i32"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kAnd, .type = DType::kF32, .args = {0, 1, -1}}),
              HasSubstr("is not defined on f32"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kLt, .type = DType::kF32, .args = {0, 1, -1}}),
              HasSubstr("does not give bool"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kSelect, .type = DType::kF32, .args = {2, 0, 1}}),
              HasSubstr("condition is not bool"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kSelect, .type = DType::kF32, .args = {4, 0, 2}}),
              HasSubstr("selects from f32 and i32"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kBitcast, .type = DType::kF64, .args = {0, -1, -1}}),
              HasSubstr("f32 has another width"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kBitcast, .type = DType::kU8, .args = {4, -1, -1}}),
              HasSubstr("bool has no bit pattern"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kConst, .type = DType::kU8, .bits = 256}),
              HasSubstr("bits 0x100 do not fit"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kConst, .type = DType::kBool, .bits = 2}),
              HasSubstr("bits 0x2 do not fit"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kInput, .type = DType::kF32, .bits = 9}), HasSubstr("no input 9"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kInput, .type = DType::kF32, .bits = 2}),
              HasSubstr("input 2 is i32"));
  EXPECT_THAT(VerifyMessage({.prim = static_cast<Prim>(200), .type = DType::kF32}),
              HasSubstr("no such primitive"));
  EXPECT_THAT(VerifyMessage({.prim = Prim::kConst, .type = static_cast<DType>(99)}),
              HasSubstr("no such type"));
}

TEST(ScalarProgram, VerifyRefusesOutputsThatAreNotThere) {
  ScalarProgram program;
  EXPECT_THAT(std::string(program.Verify().message()), HasSubstr("no outputs"));
  program.outputs = {0};
  EXPECT_THAT(std::string(program.Verify().message()), HasSubstr("output %0 is not defined"));
}

}  // namespace
}  // namespace tenfold::testing
