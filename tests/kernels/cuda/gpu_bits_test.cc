// SPDX-License-Identifier: Apache-2.0
//
// Every kernel on a real GPU against the interpreter: the same bits, and the same first offence. Skips where
// no GPU answers.
#include <gtest/gtest.h>

#include <cstdio>
#include <vector>

#include "tenfold/kernels/cuda/cuda_device.h"
#include "tenfold/kernels/cuda/driver.h"
#include "tenfold/kernels/cuda/kernel_runner.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

namespace tenfold::testing {
namespace {

void ExpectSameAsInterpreter(CudaDevice& device, const std::vector<KernelCase>& cases,
                             int compute_capability) {
  std::vector<const FusedKernel*> kernels;
  for (const KernelCase& c : cases) kernels.push_back(&c.kernel);
  auto module = CompileToPtx(kernels, {.compute_capability = compute_capability});
  ASSERT_TRUE(module.ok()) << module.status();
  const auto runner = CudaKernelRunner::Create(device, *std::move(module));
  ASSERT_TRUE(runner.ok()) << runner.status();
  for (size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].kernel.name);
    const std::vector<Tensor> inputs = MakeInputs(cases[i]);
    std::vector<Tensor> expected = MakeOutputs(cases[i]), got = MakeOutputs(cases[i]);
    const KernelError expected_error = Interpret(cases[i], inputs, expected);
    const auto error = runner->Run(i, EvaluateDims(cases[i]), inputs, got);
    ASSERT_TRUE(error.ok()) << error.status();
    EXPECT_EQ(error->index, expected_error.index);
    EXPECT_EQ(error->code, expected_error.code);
    for (size_t o = 0; o < got.size(); ++o) {
      EXPECT_TRUE(SameBits(expected[o], got[o]))
          << "output " << o << "\n  expected " << expected[o].ToString() << "\n  got      "
          << got[o].ToString();
    }
  }
}

TEST(GpuBits, AreTheInterpreters) {
  const auto driver = LoadCudaDriver();
  if (!driver.ok()) GTEST_SKIP() << "no GPU: " << driver.status().message();
  const auto count = CountCudaDevices(*driver);
  ASSERT_TRUE(count.ok()) << count.status();
  if (*count == 0) GTEST_SKIP() << "a CUDA driver, but no GPU";
  const auto device = CudaDevice::Open(*driver);
  ASSERT_TRUE(device.ok()) << device.status();
  const CudaDeviceInfo& info = (*device)->info();
  std::printf("on %s, compute capability %d, CUDA %d\n", info.name.c_str(), info.compute_capability,
              info.driver_version);
  // The oldest code that we write, which any GPU runs, and the GPU's own.
  for (const int compute_capability : {80, info.compute_capability}) {
    SCOPED_TRACE(compute_capability);
    for (const auto& cases : {PrimitiveCases(), MapCases(), MathCases(), RowCases()}) {
      ExpectSameAsInterpreter(**device, cases, compute_capability);
    }
  }
}

}  // namespace
}  // namespace tenfold::testing
