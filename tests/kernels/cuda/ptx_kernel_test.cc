// SPDX-License-Identifier: Apache-2.0
//
// The PTX of every form, dtype and primitive: that it shows only exactly rounded operations, and that ptxas
// takes it where a CUDA toolkit is.
#include "tenfold/kernels/cuda/ptx_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

namespace tenfold::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<const FusedKernel*> KernelsOf(const std::vector<KernelCase>& cases) {
  std::vector<const FusedKernel*> kernels;
  for (const KernelCase& c : cases) kernels.push_back(&c.kernel);
  return kernels;
}

std::string PtxOf(const FusedKernel& kernel, int compute_capability = 80) {
  const FusedKernel* const one[] = {&kernel};
  const auto module = CompileToPtx(one, {.compute_capability = compute_capability});
  EXPECT_TRUE(module.ok()) << module.status();
  return module.ok() ? module->ptx : "";
}

const KernelCase& Named(const std::vector<KernelCase>& cases, const std::string& name) {
  for (const KernelCase& c : cases) {
    if (c.kernel.name == name) return c;
  }
  ADD_FAILURE() << "no case " << name;
  return cases[0];
}

// The instruction on a line of PTX, without a predicate: "add.rn.f32". Empty for other lines.
std::string Opcode(absl::string_view line) {
  for (absl::string_view word : absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    if (word[0] == '@') continue;
    const bool instruction = word[0] >= 'a' && word[0] <= 'z';
    return instruction ? std::string(absl::StripSuffix(word, ";")) : "";
  }
  return "";
}

std::vector<std::string> Opcodes(const std::string& ptx) {
  std::vector<std::string> opcodes;
  for (absl::string_view line : absl::StrSplit(ptx, '\n')) {
    std::string opcode = Opcode(line);
    if (!opcode.empty()) opcodes.push_back(std::move(opcode));
  }
  return opcodes;
}

bool Contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool AsksForFma(const FusedKernel& kernel) {
  for (const FusedKernel::Stage& stage : kernel.stages) {
    for (const ScalarProgram* program : {&stage.program, &stage.combine}) {
      for (const Instr& instr : program->instrs) {
        if (instr.prim == Prim::kFma) return true;
      }
    }
  }
  return false;
}

// ---------------------------------------------------------------------------------------------------------

class PtxText : public ::testing::TestWithParam<KernelCase> {};

TEST_P(PtxText, HasOnlyExactlyRoundedForms) {
  const std::string ptx = PtxOf(GetParam().kernel);
  // An approximation, a flush of subnormals, or a division to 2 ULP.
  EXPECT_THAT(ptx, Not(HasSubstr(".approx")));
  EXPECT_THAT(ptx, Not(HasSubstr(".ftz")));
  EXPECT_THAT(ptx, Not(HasSubstr(".full")));
  // A call would be a library's function.
  EXPECT_THAT(ptx, Not(HasSubstr("call")));
  const std::regex rounds("(add|sub|mul|div|rcp|sqrt|fma|mad)\\..*f(32|64)");
  const std::regex extremum_f32("(min|max)\\..*f32");
  const std::regex narrows("cvt\\..*\\.(f16\\.f32|f16\\.f64|f32\\.f64|f32\\.[su]\\d+|f64\\.[su]64)");
  for (const std::string& opcode : Opcodes(ptx)) {
    // Without .rn, ptxas may contract a product and a sum.
    if (std::regex_match(opcode, rounds)) {
      EXPECT_THAT(opcode, HasSubstr(".rn.")) << opcode;
    }
    // Without .NaN, a NaN loses.
    if (std::regex_match(opcode, extremum_f32)) {
      EXPECT_THAT(opcode, HasSubstr(".NaN.")) << opcode;
    }
    if (std::regex_match(opcode, narrows)) {
      EXPECT_THAT(opcode, HasSubstr(".rn.")) << opcode;
    }
  }
}

TEST_P(PtxText, FusesNothingThatWasNotFused) {
  bool has_fma = false;
  for (const std::string& opcode : Opcodes(PtxOf(GetParam().kernel)))
    has_fma |= opcode.substr(0, 4) == "fma.";
  EXPECT_EQ(has_fma, AsksForFma(GetParam().kernel));
}

INSTANTIATE_TEST_SUITE_P(All, PtxText, ::testing::ValuesIn(AllKernelCases()),
                         [](const auto& info) { return info.param.kernel.name; });

// ---------------------------------------------------------------------------------------------------------

TEST(PtxTarget, IsTheGpuAsFarAsLlvmKnowsIt) {
  const std::vector<KernelCase> cases = MapCases();
  const FusedKernel& kernel = cases[0].kernel;
  EXPECT_THAT(PtxOf(kernel, 80), HasSubstr(".version 7.0\n.target sm_80\n"));
  EXPECT_THAT(PtxOf(kernel, 88), HasSubstr(".target sm_87\n"));
  EXPECT_THAT(PtxOf(kernel, 90), HasSubstr(".version 7.8\n.target sm_90\n"));
  // A newer GPU runs an older one's code; sm_90a would tie it to that GPU.
  EXPECT_THAT(PtxOf(kernel, 120), HasSubstr(".target sm_90\n"));
}

TEST(PtxForm, MapIsOneThreadAnElement) {
  const std::vector<KernelCase> cases = MapCases();
  const std::string ptx = PtxOf(Named(cases, "long").kernel);
  EXPECT_THAT(ptx, HasSubstr(".maxntid 256"));
  EXPECT_THAT(ptx, Not(HasSubstr("bar.sync")));
  EXPECT_THAT(ptx, Not(HasSubstr(".shared")));
  // Dense operands: the element's number is the offset.
  EXPECT_THAT(ptx, Not(HasSubstr("div.")));
  EXPECT_THAT(ptx, Not(HasSubstr("rem.")));
}

TEST(PtxForm, ReductionIsABlockARow) {
  const std::vector<KernelCase> cases = RowCases();
  const std::string ptx = PtxOf(Named(cases, "sum_f32_5").kernel);
  EXPECT_THAT(ptx, HasSubstr(".maxntid 64"));
  EXPECT_THAT(ptx, HasSubstr("bar.sync"));
  // The halving tree below 32: through registers, in this order.
  size_t at = 0;
  for (const int distance : {16, 8, 4, 2, 1}) {
    const size_t found = ptx.find("shfl.sync.down.b32", at);
    ASSERT_NE(found, std::string::npos) << distance;
    EXPECT_THAT(ptx.substr(found, ptx.find('\n', found) - found),
                HasSubstr(absl::StrCat(", ", distance, ", 31, -1")));
    at = found + 1;
  }
  EXPECT_EQ(ptx.find("shfl.sync", at), std::string::npos);
}

TEST(PtxForm, ParametersAreOperandsSymbolsScratchAndErrorWord) {
  const std::vector<KernelCase> cases = AllKernelCases();
  const std::vector<const FusedKernel*> kernels = {&Named(cases, "static_broadcast").kernel,
                                                   &Named(cases, "softmax_70").kernel,
                                                   &Named(cases, "divide_i32").kernel};
  const auto module = CompileToPtx(kernels);
  ASSERT_TRUE(module.ok()) << module.status();
  const DeviceKernel& map = module->kernels[0];
  EXPECT_EQ(map.symbol, "k0_static_broadcast");
  EXPECT_FALSE(map.row_kernel);
  EXPECT_TRUE(map.dim_params.empty());
  EXPECT_EQ(map.num_params(), 3);
  const DeviceKernel& softmax = module->kernels[1];
  EXPECT_TRUE(softmax.row_kernel);
  EXPECT_THAT(softmax.kept_bytes, ::testing::ElementsAre(4));
  // M and N, and the row strides of the input and the output.
  EXPECT_THAT(softmax.dim_params, ::testing::ElementsAre(0, 1, 2, 4));
  EXPECT_EQ(softmax.num_params(), 2 + 4 + 1);
  EXPECT_FALSE(softmax.can_fail);
  const DeviceKernel& divide = module->kernels[2];
  EXPECT_TRUE(divide.can_fail);
  EXPECT_THAT(module->ptx, HasSubstr("atom.global.min.u64"));
}

TEST(PtxForm, NamesOfAllKindsBecomeSymbols) {
  KernelCase c = MapCases()[0];
  c.kernel.name = "block/0:1.größe\n" + std::string(200, 'x');
  const std::string ptx = PtxOf(c.kernel);
  EXPECT_THAT(ptx, HasSubstr(".entry k0_block_0_1_gr"));
}

TEST(PtxForm, TooManyOperandsAreRefused) {
  KernelCase c = MapCases()[0];
  for (int i = 0; i < 600; ++i) c.kernel.inputs.push_back(c.kernel.inputs[0]);
  const FusedKernel* const one[] = {&c.kernel};
  const auto module = CompileToPtx(one);
  ASSERT_FALSE(module.ok());
  EXPECT_EQ(
      std::string(module.status().message()),
      "error[E0704 device-kernel-too-large]: kernel 'scalar' has 602 parameters and 0 reductions: more than "
      "a GPU kernel can have\n  help: fuse fewer ops into one kernel");
}

// ---------------------------------------------------------------------------------------------------------

TEST(Ptxas, TakesEveryKernel) {
  const char* const ptxas = std::getenv("PTXAS");
  ASSERT_NE(ptxas, nullptr);
  if (std::system(absl::StrCat(ptxas, " --version > /dev/null 2>&1").c_str()) != 0) {
    GTEST_SKIP() << "no CUDA toolkit, so no ptxas: the PTX is not assembled";
  }
  const std::vector<KernelCase> cases = AllKernelCases();
  for (const int compute_capability : {80, 90}) {
    const auto module = CompileToPtx(KernelsOf(cases), {.compute_capability = compute_capability});
    ASSERT_TRUE(module.ok()) << module.status();
    const std::string base = absl::StrCat(std::getenv("TEST_TMPDIR"), "/kernels_", compute_capability);
    std::ofstream(base + ".ptx") << module->ptx;
    const std::string command =
        absl::StrCat(ptxas, " --warning-as-error -v -O1 -arch=sm_", compute_capability, " ", base, ".ptx -o ",
                     base, ".cubin > ", base, ".log 2>&1");
    const int status = std::system(command.c_str());
    std::ifstream log(base + ".log");
    const std::string text{std::istreambuf_iterator<char>(log), {}};
    EXPECT_EQ(status, 0) << text.substr(0, 4000);
    EXPECT_THAT(text, Not(HasSubstr("error")));
    EXPECT_TRUE(Contains(text, "Compiling entry function 'k0_"));
  }
}

}  // namespace
}  // namespace tenfold::testing
