// SPDX-License-Identifier: Apache-2.0
//
// The GPU kernels, run by the emulator, against the interpreter: the same bits and the same first offence,
// for every form, dtype and primitive.
#include <gtest/gtest.h>

#include <vector>

#include "tenfold/kernels/cuda/ptx_kernel.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"
#include "tenfold/tests/kernels/cuda/simt_emulator.h"

namespace tenfold::testing {
namespace {

struct Compiled {
  std::vector<KernelCase> cases;
  std::vector<DeviceKernel> kernels;
  std::unique_ptr<SimtEmulator> emulator;
};

void Compile(std::vector<KernelCase> cases, Compiled& compiled) {
  std::vector<const FusedKernel*> kernels;
  for (const KernelCase& c : cases) kernels.push_back(&c.kernel);
  const auto module = CompileToPtx(kernels);
  ASSERT_TRUE(module.ok()) << module.status();
  const auto ir = ListPtxIr(kernels);
  ASSERT_TRUE(ir.ok()) << ir.status();
  auto emulator = SimtEmulator::Create(*ir);
  ASSERT_TRUE(emulator.ok()) << emulator.status();
  compiled.cases = std::move(cases);
  compiled.kernels = module->kernels;
  compiled.emulator = *std::move(emulator);
}

// Runs case `index` as LaunchDeviceKernel would, on host memory.
KernelError Emulate(const Compiled& compiled, size_t index, std::span<const Tensor> inputs,
                    std::span<Tensor> outputs, int multiprocessors) {
  const DeviceKernel& kernel = compiled.kernels[index];
  const std::vector<int64_t> dims = EvaluateDims(compiled.cases[index]);
  const LaunchShape shape = ShapeOfLaunch(kernel, dims, multiprocessors);
  constexpr uint64_t kUntouched = 0xa5a5a5a5a5a5a5a5;
  std::vector<uint64_t> scratch(shape.scratch_bytes / 8 + 1, kUntouched);
  CudaErrorWord word = kNoCudaError;
  std::vector<uint64_t> params;
  const auto add = [&](const void* p) { params.push_back(reinterpret_cast<uintptr_t>(p)); };
  for (const Tensor& tensor : inputs) add(tensor.data());
  for (Tensor& tensor : outputs) add(tensor.mutable_data());
  for (const int dim : kernel.dim_params) params.push_back(dims[dim]);
  if (!kernel.kept_bytes.empty()) add(scratch.data());
  if (kernel.can_fail) add(&word);
  EXPECT_EQ(params.size(), static_cast<size_t>(kernel.num_params()));
  const absl::Status status = compiled.emulator->Launch(kernel.symbol, shape.blocks, shape.threads, params);
  EXPECT_TRUE(status.ok()) << status;
  // Each block keeps its rows in its own part of the scratch memory, and there are no more parts.
  EXPECT_EQ(scratch.back(), kUntouched);
  if (shape.scratch_bytes > 0) {
    EXPECT_NE(scratch[shape.scratch_bytes / 8 / shape.blocks * (shape.blocks - 1)], kUntouched);
  }
  return DecodeErrorWord(word);
}

void ExpectSameAsInterpreter(const Compiled& compiled, int multiprocessors) {
  for (size_t i = 0; i < compiled.cases.size(); ++i) {
    const KernelCase& c = compiled.cases[i];
    SCOPED_TRACE(c.kernel.name);
    const std::vector<Tensor> inputs = MakeInputs(c);
    std::vector<Tensor> expected = MakeOutputs(c), got = MakeOutputs(c);
    const KernelError expected_error = Interpret(c, inputs, expected);
    const KernelError error = Emulate(compiled, i, inputs, got, multiprocessors);
    EXPECT_EQ(error.index, expected_error.index);
    EXPECT_EQ(error.code, expected_error.code);
    for (size_t o = 0; o < got.size(); ++o) {
      EXPECT_TRUE(SameBits(expected[o], got[o]))
          << "output " << o << "\n  expected " << expected[o].ToString() << "\n  got      "
          << got[o].ToString();
    }
  }
}

TEST(KernelCases, HaveAnOffenceBehindTheFirstRow) {
  for (const KernelCase& c : RowCases()) {
    if (c.kernel.name != "failing_later_row") continue;
    std::vector<Tensor> outputs = MakeOutputs(c);
    const KernelError error = Interpret(c, MakeInputs(c), outputs);
    EXPECT_EQ(error.code, kIntegerDivisionByZero);
    EXPECT_GE(error.index, 5);
  }
}

class SimtBits : public ::testing::TestWithParam<std::vector<KernelCase> (*)()> {};

TEST_P(SimtBits, AgreeWithTheInterpreter) {
  Compiled compiled;
  ASSERT_NO_FATAL_FAILURE(Compile(GetParam()(), compiled));
  // One multiprocessor: every thread and block must stride. Many: most have one element or row.
  ExpectSameAsInterpreter(compiled, 1);
  ExpectSameAsInterpreter(compiled, 100);
}

INSTANTIATE_TEST_SUITE_P(Primitives, SimtBits, ::testing::Values(&PrimitiveCases));
INSTANTIATE_TEST_SUITE_P(Maps, SimtBits, ::testing::Values(&MapCases));
INSTANTIATE_TEST_SUITE_P(Maths, SimtBits, ::testing::Values(&MathCases));
INSTANTIATE_TEST_SUITE_P(Rows, SimtBits, ::testing::Values(&RowCases));

}  // namespace
}  // namespace tenfold::testing
