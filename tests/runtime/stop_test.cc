// SPDX-License-Identifier: Apache-2.0
//
// Runs end soon after their deadline, whatever they are computing. No time is measured: the clock of these
// tests ticks when it is read, so that a deadline is a number of readings, and the work between two readings
// is counted.
#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "gtest/gtest.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<int64_t> readings = 0;
Clock::time_point Tick() { return Clock::time_point(std::chrono::milliseconds(++readings)); }

constexpr int64_t kNever = int64_t{1} << 40;

// Runs with a deadline at reading number `deadline`, and gives the number of readings.
int64_t RunUntil(const Executable& exe, const NamedTensors& feeds, int64_t deadline, absl::Status& status,
                 int threads = 1) {
  readings = 0;
  RunOptions options = {.threads = threads, .clock = &Tick};
  options.deadline = Clock::time_point(std::chrono::milliseconds(deadline));
  status = exe.Run(feeds, options).status();
  return readings;
}

// One step of `work` elements or products, in one thread. It must be looked at every `most` of them, and end
// at the very reading that is past the deadline.
void ExpectStoppable(const Plan& plan, const NamedTensors& feeds, double work, double most) {
  SCOPED_TRACE(plan.name);
  const Executable exe = *Executable::Create(plan, {.threads = 2});
  absl::Status status;
  const int64_t all = RunUntil(exe, feeds, kNever, status);
  ASSERT_EQ(status, absl::OkStatus());
  EXPECT_GE(static_cast<double>(all), work / most);
  for (const int64_t deadline : {int64_t{1}, int64_t{2}, all / 2, all}) {
    EXPECT_EQ(RunUntil(exe, feeds, deadline, status), deadline);
    EXPECT_EQ(status.message(), "error[E0610 deadline-exceeded]: the run did not end before its deadline");
  }
  // Each thread may be at one more reading.
  EXPECT_LE(RunUntil(exe, feeds, all / 2, status, 2), all / 2 + 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  // The next run is whole again.
  EXPECT_GE(RunUntil(exe, feeds, kNever, status), all);
  EXPECT_EQ(status, absl::OkStatus());
}

Tensor Zeros(const Dims& dims) {
  const float zero = 0;
  return *Tensor::Splat(DType::kF32, dims, &zero)->Materialize();
}

constexpr int64_t kElements = int64_t{1} << 22;

TEST(StopTest, InsideOneEnormousRow) {
  PlanMaker maker("row sum");
  const int x = maker.Input("x", "f32[1,N]");
  maker.RowSum(maker.Output("s", "f32[1]"), x);
  ExpectStoppable(maker.Finish(), {{"x", Zeros({1, kElements})}}, kElements, 1 << 14);
}

TEST(StopTest, BetweenTheBlocksOfElements) {
  PlanMaker maker("map");
  const int x = maker.Input("x", "f32[N]");
  maker.Map(maker.Output("y", "f32[N]"), {x}, NegOf);
  ExpectStoppable(maker.Finish(), {{"x", Zeros({kElements})}}, kElements, 1 << 16);
}

// Blocks are not a fixed share of the work, or they would grow with it.
TEST(StopTest, BlocksDoNotGrowWithTheWork) {
  PlanMaker maker("wide");
  const int x = maker.Input("x", "f32[N,1]"), y = maker.Input("y", "f32[1,M]");
  maker.RowSum(maker.Output("s", "f32[N]"), [&] {
    const int sum = maker.Arena("sum", "f32[N,M]");
    maker.Map(sum, {x, y}, AddOf);
    return sum;
  }());
  ExpectStoppable(maker.Finish(), {{"x", Zeros({1 << 12, 1})}, {"y", Zeros({1, 1 << 12})}}, 1 << 24, 1 << 18);
}

// A deep product has few elements; a wide one has many from little.
TEST(StopTest, InsideAProduct) {
  for (const auto& [m, k, n] : {std::tuple{1, 1 << 20, 4}, {1, 64, 1 << 18}, {300, 1 << 12, 40}}) {
    PlanMaker maker("product");
    const int x = maker.Input("x", "f32[M,K]"), w = maker.Input("w", "f32[K,N]");
    maker.MatMul(maker.Output("y", "f32[M,N]"), x, w, true);
    ExpectStoppable(maker.Finish(), {{"x", Zeros({m, k})}, {"w", Zeros({k, n})}}, 1.0 * m * k * n, 1 << 20);
  }
}

TEST(StopTest, InsideCopiesAndFills) {
  PlanMaker copy("copy"), transpose("transpose"), fill("fill");
  copy.Copy(copy.Output("y", "f32[N]"), copy.Input("x", "f32[N]"), {1}, true);
  ExpectStoppable(copy.Finish(), {{"x", Zeros({kElements})}}, kElements, 1 << 17);
  transpose.Copy(transpose.Output("y", "f32[2048,N]"), transpose.Input("x", "f32[N,2048]"), {1, 2048});
  ExpectStoppable(transpose.Finish(), {{"x", Zeros({2048, 2048})}}, kElements, 1 << 18);
  fill.Input("size", "f32[N]");
  fill.Copy(fill.Output("y", "f32[N]"), fill.Constant("zero", Zeros({1})), {0});
  ExpectStoppable(fill.Finish(), {{"size", Zeros({kElements})}}, kElements, 1 << 17);
}

TEST(StopTest, ACancelledRunSaysSoAndComputesNothing) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N]");
  maker.Map(maker.Output("y", "f32[N]"), {x}, NegOf);
  const Executable exe = *Executable::Create(maker.Finish(), {.threads = 1});
  Invocation call = exe.Prepare();
  const Tensor in = RandomTensor({kElements}, 1);
  Tensor out = Zeros({kElements});
  ASSERT_EQ(call.SetInput(0, in), absl::OkStatus());
  ASSERT_EQ(call.SetOutput(0, out.mutable_values<float>()), absl::OkStatus());
  static std::atomic<bool> cancelled;
  cancelled = false;
  readings = 0;
  // Cancelled by its own third look at the clock.
  const RunOptions options = {.deadline = Clock::time_point::max(), .cancelled = &cancelled, .clock = [] {
                                cancelled = ++readings == 3;
                                return Clock::time_point();
                              }};
  EXPECT_EQ(call.Run(options).message(), "error[E0611 cancelled]: the run was cancelled");
  EXPECT_EQ(readings, 3);
  EXPECT_NE(out.at<float>(0), 0);
  EXPECT_EQ(out.at<float>(kElements - 1), 0);
}

// Compilation looks, too: here between the modules of --jit=wait.
class SlowCompiler final : public KernelCompiler {
 public:
  absl::StatusOr<std::vector<CompiledKernel>> Compile(std::span<const FusedKernel* const> kernels,
                                                      const KernelCompileOptions&) override {
    compiled += static_cast<int>(kernels.size());
    cancelled = true;
    return std::vector<CompiledKernel>(kernels.size());
  }
  absl::StatusOr<std::string> List(const FusedKernel&, KernelListing, const KernelCompileOptions&) override {
    return "";
  }
  int compiled = 0;
  std::atomic<bool> cancelled = false;
};

TEST(StopTest, CompilationBetweenModules) {
  PlanMaker maker;
  int x = maker.Input("x", "f32[N]");
  for (int i = 0; i < 40; ++i) {
    const std::string name = "v" + std::to_string(i);
    const std::string type = "f32[" + std::to_string(i + 2) + ",N]";  // no two kernels are the same
    const int y = i == 39 ? maker.Output(name, type) : maker.Arena(name, type);
    maker.Map(y, {x}, NegOf);
  }
  const auto compiler = std::make_shared<SlowCompiler>();
  const auto exe = Executable::Create(
      maker.Finish(), {.threads = 1, .compiler = compiler, .cancelled = &compiler->cancelled});
  EXPECT_EQ(exe.status().message(), "error[E0611 cancelled]: the compilation was cancelled");
  EXPECT_GT(compiler->compiled, 0);
  EXPECT_LE(compiler->compiled, 8);
}

}  // namespace
}  // namespace tenfold
