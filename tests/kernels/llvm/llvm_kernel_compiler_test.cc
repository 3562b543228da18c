// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

namespace tenfold::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

FusedKernel Elementwise(DType type, int inputs,
                        const std::function<Scalar(std::span<const Scalar>)>& formula) {
  FusedKernel kernel;
  kernel.extents = {Dim::Symbol("N")};
  kernel.parallel_rank = 1;
  std::vector<FusedKernel::Source> sources;
  for (int i = 0; i < inputs; ++i) {
    kernel.inputs.push_back({type, {Dim(1)}});
    sources.push_back(Input(i));
  }
  const std::vector<DType> types(inputs, type);
  kernel.stages = {Map(Program(types, [&](auto in) { return std::vector<Scalar>{formula(in)}; }), sources)};
  kernel.outputs = {{.operand = {type, {Dim(1)}}, .source = StageOutput(0), .canonicalize_nans = true}};
  return kernel;
}

FusedKernel MultiplyThenAdd() {
  return Elementwise(DType::kF32, 3, [](auto in) { return in[0] * in[1] + in[2]; });
}

std::string Listing(const FusedKernel& kernel, KernelListing listing, IsaLevel isa, bool quick = false) {
  const auto text = CreateLlvmKernelCompiler()->List(kernel, listing, {.isa = isa, .quick = quick});
  EXPECT_TRUE(text.ok()) << std::string(text.status().message());
  return text.ok() ? *text : "";
}

std::string Assembly(const FusedKernel& kernel, IsaLevel isa) {
  return Listing(kernel, KernelListing::kAssembly, isa);
}

TEST(LlvmKernelCompilerTest, UsesTheInstructionSetThatIsMeant) {
  const FusedKernel kernel = MultiplyThenAdd();
  EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx512), HasSubstr("%zmm"));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx2), HasSubstr("%ymm"));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx2), Not(HasSubstr("%zmm")));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kBaseline), HasSubstr("%xmm"));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kBaseline), Not(HasSubstr("%ymm")));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kBaseline), Not(HasSubstr("\tv")));
}

TEST(LlvmKernelCompilerTest, ContractsNothing) {
  for (const IsaLevel isa : {IsaLevel::kAvx2, IsaLevel::kAvx512}) {
    EXPECT_THAT(Assembly(MultiplyThenAdd(), isa), Not(HasSubstr("fmadd")));
    EXPECT_THAT(Assembly(MultiplyThenAdd(), isa), HasSubstr("mulps"));
  }
}

TEST(LlvmKernelCompilerTest, FusesWhereItIsAsked) {
  const FusedKernel kernel = Elementwise(DType::kF32, 3, [](auto in) { return Fma(in[0], in[1], in[2]); });
  EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx2), HasSubstr("fmadd"));
  EXPECT_THAT(Assembly(kernel, IsaLevel::kBaseline), HasSubstr("fmaf"));
}

TEST(LlvmKernelCompilerTest, FindsExp) {
  for (const DType type : {DType::kF32, DType::kF64}) {
    const FusedKernel kernel = Elementwise(type, 1, [](auto in) { return 1 / (1 + math::Exp(-in[0])); });
    EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx512), HasSubstr("vscalefp"));
    EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx512), Not(HasSubstr("vpsll")));
    EXPECT_THAT(Assembly(kernel, IsaLevel::kAvx2), Not(HasSubstr("vscalefp")));
  }
}

TEST(LlvmKernelCompilerTest, ListsIrAndRefusesPtx) {
  const std::string ir = Listing(MultiplyThenAdd(), KernelListing::kIr, IsaLevel::kAvx512);
  EXPECT_THAT(ir, HasSubstr("fmul <16 x float>"));
  EXPECT_THAT(ir, Not(HasSubstr(" fast ")));
  EXPECT_THAT(ir, Not(HasSubstr("contract")));
  EXPECT_FALSE(CreateLlvmKernelCompiler()->List(MultiplyThenAdd(), KernelListing::kPtx, {}).ok());
}

TEST(LlvmKernelCompilerTest, CodeOutlivesItsCompiler) {
  const FusedKernel kernel = MultiplyThenAdd();
  const FusedKernel* kernels[] = {&kernel, &kernel};
  auto compiled = CreateLlvmKernelCompiler()->Compile(kernels, {});
  ASSERT_TRUE(compiled.ok()) << std::string(compiled.status().message());
  ASSERT_EQ(compiled->size(), 2u);
  const CompiledKernel second = (*compiled)[1];
  compiled->clear();
  ExpectSameBits(kernel, {77, 1, 1, 1, 1}, second, {}, 1);
}

TEST(LlvmKernelCompilerTest, NothingIsNothing) {
  const auto compiled = CreateLlvmKernelCompiler()->Compile({}, {});
  ASSERT_TRUE(compiled.ok());
  EXPECT_TRUE(compiled->empty());
}

TEST(LlvmKernelCompilerTest, RefusesAKernelThatDoesNotVerify) {
  FusedKernel kernel = MultiplyThenAdd();
  kernel.inputs[0].strides.clear();
  const FusedKernel* kernels[] = {&kernel};
  EXPECT_FALSE(CreateLlvmKernelCompiler()->Compile(kernels, {}).ok());
}

// exp is the one function that a code generator has its own instructions for. A prime step visits every
// exponent and every low bit; all floats were compared once.
TEST(ExpTest, SameBitsOverAllFloats) {
  constexpr uint64_t kStep = 127;
  constexpr int64_t kBlock = 1 << 16;
  const FusedKernel kernel = Elementwise(DType::kF32, 1, [](auto in) { return math::Exp(in[0]); });
  const FusedKernel* kernels[] = {&kernel};
  const auto compiled = CreateLlvmKernelCompiler()->Compile(kernels, {});
  ASSERT_TRUE(compiled.ok());
  const KernelInterpreter interpreter(kernel);
  const int64_t dims[] = {kBlock, 1, 1};
  std::vector<float> x(kBlock), expected(kBlock), actual(kBlock);
  const size_t bytes = (interpreter.ScratchBytes(dims) + 127) / 64 * 64;
  const std::unique_ptr<void, decltype(&std::free)> scratch(std::aligned_alloc(64, bytes), &std::free);
  uint64_t next = 0;
  while (next < (uint64_t{1} << 32)) {
    for (float& value : x) {
      value = std::bit_cast<float>(static_cast<uint32_t>(next));
      next += kStep;
    }
    const void* inputs[] = {x.data()};
    void* expected_outputs[] = {expected.data()};
    void* actual_outputs[] = {actual.data()};
    KernelError error{std::numeric_limits<int64_t>::max(), kKernelOk, 0};
    interpreter.Run({inputs, expected_outputs, dims, 0, kBlock, scratch.get(), &error});
    const KernelCall call{inputs, actual_outputs, dims, 0, kBlock, nullptr, &error};
    (*compiled)[0].function(&call);
    for (int64_t i = 0; i < kBlock; ++i) {
      ASSERT_EQ(std::bit_cast<uint32_t>(expected[i]), std::bit_cast<uint32_t>(actual[i]))
          << "exp of " << x[i];
    }
  }
}

TEST(ExpTest, SameBitsOverManyDoubles) {
  const FusedKernel kernel = Elementwise(DType::kF64, 1, [](auto in) { return math::Exp(in[0]); });
  const FusedKernel* kernels[] = {&kernel};
  const auto compiled = CreateLlvmKernelCompiler()->Compile(kernels, {});
  ASSERT_TRUE(compiled.ok());
  for (uint32_t seed = 1; seed <= 5; ++seed) ExpectSameBits(kernel, {100001, 1, 1}, (*compiled)[0], {}, seed);
}

}  // namespace
}  // namespace tenfold::testing
