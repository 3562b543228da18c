// SPDX-License-Identifier: Apache-2.0
//
// The tiers, with a compiler that makes its "machine code" out of a function of this file.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

std::atomic<int> calls = 0;

// y = x + x over rows, for kernels f32[N]; counts that it was called.
void DoubleIt(const KernelCall* call) {
  ++calls;
  for (int64_t i = call->block_begin; i < call->block_end; ++i) {
    static_cast<float*>(call->outputs[0])[i] = 2 * static_cast<const float*>(call->inputs[0])[i];
    static_cast<char*>(call->scratch)[999] = 1;  // asked for below
  }
}

class FakeCompiler final : public KernelCompiler {
 public:
  absl::StatusOr<std::vector<CompiledKernel>> Compile(std::span<const FusedKernel* const> kernels,
                                                      const KernelCompileOptions&) override {
    while (hold) std::this_thread::yield();
    ++batches;
    compiled += static_cast<int>(kernels.size());
    if (fail) return MakeError("E9001", "no code today");
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
    CompiledKernel kernel;
    kernel.function = DoubleIt;
    kernel.scratch_bytes = 1000;
    return std::vector<CompiledKernel>(kernels.size(), kernel);
  }
  absl::StatusOr<std::string> List(const FusedKernel&, KernelListing, const KernelCompileOptions&) override {
    return "";
  }

  std::atomic<bool> hold = false, fail = false;
  std::atomic<int> batches = 0, compiled = 0;
  std::chrono::milliseconds pause{0};
};

// `steps` kernels, all different unless `same`.
Plan Doublings(int steps, bool same = false) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[4]");
  for (int i = 0; i < steps; ++i) {
    maker.Map(maker.Output("y" + std::to_string(i), "f32[4]"), {x, x}, AddOf);
    // An input that nothing reads makes the kernel another one.
    auto& step = std::get<FusedStep>(maker.raw().steps.back().work);
    for (int k = 0; k < i && !same; ++k) {
      step.kernel.inputs.push_back(step.kernel.inputs[0]);
      step.inputs.push_back(x);
    }
  }
  return maker.Finish();
}

ExecutableOptions With(std::shared_ptr<FakeCompiler> compiler, JitMode jit) {
  ExecutableOptions options;
  options.threads = 2;
  options.jit = jit;
  options.compiler = std::move(compiler);
  return options;
}

void ExpectDoubled(const Executable& exe) {
  const auto out = exe.Run({{"x", Of<float>({1, 2, 3, 4}, {4})}});
  ASSERT_EQ(out.status(), absl::OkStatus());
  for (const auto& [name, tensor] : *out) EXPECT_TRUE(SameBits(tensor, Of<float>({2, 4, 6, 8}, {4}))) << name;
}

TEST(JitTest, WaitCompilesEverythingFirst) {
  auto compiler = std::make_shared<FakeCompiler>();
  const Executable exe = *Executable::Create(Doublings(20), With(compiler, JitMode::kWait));
  EXPECT_EQ(exe.num_compiled_steps(), 20);
  EXPECT_EQ(compiler->compiled, 20);
  calls = 0;
  ExpectDoubled(exe);
  EXPECT_EQ(calls, 20);
}

TEST(JitTest, EqualKernelsAreCompiledOnce) {
  auto compiler = std::make_shared<FakeCompiler>();
  const Executable exe = *Executable::Create(Doublings(20, /*same=*/true), With(compiler, JitMode::kWait));
  EXPECT_EQ(exe.num_compiled_steps(), 20);
  EXPECT_EQ(compiler->compiled, 1);
  ExpectDoubled(exe);
}

TEST(JitTest, OffNeverCompiles) {
  auto compiler = std::make_shared<FakeCompiler>();
  const Executable exe = *Executable::Create(Doublings(3), With(compiler, JitMode::kOff));
  ExpectDoubled(exe);
  EXPECT_EQ(exe.WaitForCode(), absl::OkStatus());
  EXPECT_EQ(compiler->batches, 0);
  EXPECT_EQ(exe.num_compiled_steps(), 0);
}

TEST(JitTest, BackgroundInterpretsUntilThereIsCode) {
  auto compiler = std::make_shared<FakeCompiler>();
  compiler->hold = true;
  const Executable exe = *Executable::Create(Doublings(20), With(compiler, JitMode::kBackground));
  Invocation call = exe.Prepare();  // made for the interpreter, then given code
  const std::vector<float> x = {1, 2, 3, 4};
  ASSERT_EQ(call.SetInput(0, x), absl::OkStatus());
  calls = 0;
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_EQ(calls, 0);
  compiler->hold = false;
  ASSERT_EQ(exe.WaitForCode(), absl::OkStatus());
  EXPECT_EQ(exe.num_compiled_steps(), 20);
  EXPECT_EQ(compiler->batches, 3);
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_EQ(calls, 20);
  EXPECT_EQ(call.Output(3).values<float>()[3], 8);
  ExpectDoubled(exe);
}

TEST(JitTest, DestructionWaitsForTheCurrentModuleOnly) {
  auto compiler = std::make_shared<FakeCompiler>();
  compiler->pause = std::chrono::milliseconds(20);
  {
    const Executable exe = *Executable::Create(Doublings(80), With(compiler, JitMode::kBackground));
  }
  EXPECT_LT(compiler->batches, 5);
}

TEST(JitTest, FailureIsAnErrorOrLeavesTheInterpreter) {
  auto compiler = std::make_shared<FakeCompiler>();
  compiler->fail = true;
  EXPECT_EQ(Executable::Create(Doublings(3), With(compiler, JitMode::kWait)).status().message(),
            "error[E9001 internal-error]: no code today");
  const Executable exe = *Executable::Create(Doublings(3), With(compiler, JitMode::kBackground));
  EXPECT_EQ(exe.WaitForCode().message(), "error[E9001 internal-error]: no code today");
  ExpectDoubled(exe);
}

}  // namespace
}  // namespace tenfold
