// SPDX-License-Identifier: Apache-2.0
//
// Every primitive on every type it is defined on, compiled, against the interpreter.
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

namespace tenfold::testing {
namespace {

constexpr int64_t kElements = 2051;  // whole vectors and a tail, at every width

// An elementwise kernel of one instruction; verified by the caller.
FusedKernel OneInstruction(Prim prim, DType result, const std::vector<DType>& args,
                           bool constant_last = false, uint64_t constant = 0) {
  ScalarProgram program;
  Instr instr{.prim = prim, .type = result};
  for (size_t i = 0; i < args.size(); ++i) {
    if (constant_last && i + 1 == args.size()) {
      program.instrs.push_back({.prim = Prim::kConst, .type = args[i], .bits = constant});
    } else {
      program.instrs.push_back({.prim = Prim::kInput, .type = args[i], .bits = program.inputs.size()});
      program.inputs.push_back(args[i]);
    }
    instr.args[i] = static_cast<int32_t>(i);
  }
  program.instrs.push_back(instr);
  program.outputs = {static_cast<int32_t>(args.size())};

  FusedKernel kernel;
  kernel.name =
      absl::StrCat(Name(prim), " ", Name(result), args.empty() ? "" : absl::StrCat(" of ", Name(args[0])));
  kernel.extents = {Dim(kElements)};
  kernel.parallel_rank = 1;
  std::vector<FusedKernel::Source> sources;
  for (size_t i = 0; i < program.inputs.size(); ++i) {
    kernel.inputs.push_back({program.inputs[i], {Dim(1)}});
    sources.push_back(Input(static_cast<int>(i)));
  }
  kernel.outputs = {{.operand = {result, {Dim(1)}}, .source = StageOutput(0), .canonicalize_nans = true}};
  kernel.stages = {Map(std::move(program), sources)};
  return kernel;
}

// The kernels of those instructions that are defined.
std::vector<FusedKernel> Defined(const std::vector<FusedKernel>& candidates) {
  std::vector<FusedKernel> defined;
  for (const FusedKernel& kernel : candidates) {
    if (kernel.Verify().ok()) defined.push_back(kernel);
  }
  return defined;
}

class PrimitivesTest : public ::testing::TestWithParam<DType> {};

TEST_P(PrimitivesTest, Arithmetic) {
  const DType type = GetParam();
  std::vector<FusedKernel> candidates;
  for (int p = 0; p < kNumPrims; ++p) {
    const Prim prim = static_cast<Prim>(p);
    if (prim == Prim::kConvert || prim == Prim::kBitcast) continue;
    std::vector<DType> args(NumArgs(prim), type);
    if (prim == Prim::kSelect) args[0] = DType::kBool;
    if (args.empty()) continue;
    candidates.push_back(OneInstruction(prim, type, args));
    if (!IsBool(type)) candidates.push_back(OneInstruction(prim, DType::kBool, args));
  }
  const std::vector<FusedKernel> kernels = Defined(candidates);
  EXPECT_GT(kernels.size(), IsHalf(type) ? 0u : 3u);
  ExpectSameBitsEverywhere(kernels);
}

TEST_P(PrimitivesTest, ConvertToEveryType) {
  std::vector<FusedKernel> kernels;
  for (const DType to : kComputedDTypes) kernels.push_back(OneInstruction(Prim::kConvert, to, {GetParam()}));
  ExpectSameBitsEverywhere(kernels);
}

TEST_P(PrimitivesTest, BitcastOfNumbers) {
  std::vector<FusedKernel> candidates;
  for (const DType to : kComputedDTypes)
    candidates.push_back(OneInstruction(Prim::kBitcast, to, {GetParam()}));
  ExpectSameBitsEverywhere(Defined(candidates), {.nans = false});
}

TEST_P(PrimitivesTest, DivisionByConstants) {
  const DType type = GetParam();
  if (!IsInteger(type)) return;
  const uint64_t ones = ~uint64_t{0} >> (64 - BitWidth(type));
  std::vector<FusedKernel> kernels;
  for (const uint64_t divisor :
       {uint64_t{0}, uint64_t{1}, uint64_t{3}, uint64_t{8}, uint64_t{10}, ones, ones - 6}) {
    for (const Prim prim : {Prim::kDiv, Prim::kRem}) {
      kernels.push_back(OneInstruction(prim, type, {type, type}, true, divisor));
    }
  }
  ExpectSameBitsEverywhere(kernels, {.rows_a_block = 700});
}

INSTANTIATE_TEST_SUITE_P(EveryType, PrimitivesTest, ::testing::ValuesIn(kComputedDTypes),
                         [](const auto& info) { return std::string(Name(info.param)); });

}  // namespace
}  // namespace tenfold::testing
