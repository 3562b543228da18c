// SPDX-License-Identifier: Apache-2.0
//
// Whole graphs on a GPU, whose driver is fake: memory and launches are this machine's, everything above is
// what runs on a real one. The CPU says what each graph must give.
#include "tenfold/kernels/cuda/cuda_executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/kernels/onednn/onednn_matmul.h"
#include "tenfold/tests/kernels/cuda/fake_driver.h"
#include "tenfold/tests/ramp.h"

namespace tenfold::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr CuResult kLaunchFailed = 719;

Plan PlanOf(const Graph& graph, int opt_level = 2) {
  CompileReport report;
  const absl::Status status =
      RunPipeline(graph, {.opt_level = opt_level, .jit = JitMode::kOff}, Stage::kPlanned, report);
  EXPECT_TRUE(status.ok()) << status;
  return *report.plan;
}

// The driver learns each module's kernels, since it cannot read PTX. One executable for each driver: symbols
// are unique in their module only.
absl::StatusOr<Executable> OnGpu(FakeDriver& driver, Plan plan, ExecutableOptions options = {}) {
  TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<CudaDevice> device, CudaDevice::Open(driver.table()));
  options.threads = 2;
  options.device = CreateCudaExecutor(
      std::move(device), [&](const PtxModule& module, std::span<const FusedKernel* const> kernels) {
        for (size_t i = 0; i < kernels.size(); ++i) driver.AddKernel(module.kernels[i], *kernels[i]);
      });
  return Executable::Create(std::move(plan), std::move(options));
}

Executable OnCpu(Plan plan, ExecutableOptions options = {}) {
  options.threads = 2;
  return *Executable::Create(std::move(plan), std::move(options));
}

// Every bit, of NaNs too: outputs have canonical ones.
void ExpectSame(const NamedTensors& got, const NamedTensors& want) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    const Tensor &a = got[i].second, &b = want[i].second;
    ASSERT_EQ(a.dims(), b.dims()) << want[i].first;
    EXPECT_EQ(memcmp(a.data(), b.data(), a.stored_bytes()), 0)
        << want[i].first << "\n got " << a.ToString() << "\nwant " << b.ToString();
  }
}

// Each of `runs` in turn, with the ops fused and not.
void ExpectGpuAgrees(const absl::StatusOr<Graph>& graph, const std::vector<NamedTensors>& runs,
                     const ExecutableOptions& options = {}) {
  ASSERT_TRUE(graph.ok()) << graph.status();
  for (const int opt_level : {0, 2}) {
    SCOPED_TRACE(absl::StrCat("-O", opt_level));
    const Plan plan = PlanOf(*graph, opt_level);
    const Executable cpu = OnCpu(plan, options);
    FakeDriver driver;
    {
      const auto gpu = OnGpu(driver, plan, options);
      ASSERT_TRUE(gpu.ok()) << gpu.status();
      for (const NamedTensors& feeds : runs) {
        const auto want = cpu.Run(feeds);
        const auto got = gpu->Run(feeds);
        ASSERT_EQ(got.ok(), want.ok()) << got.status() << want.status();
        if (want.ok()) {
          ExpectSame(*got, *want);
        } else {
          EXPECT_EQ(got.status().message(), want.status().message());
        }
      }
    }
    EXPECT_GT(driver.calls["launch_kernel"], 0);
    EXPECT_TRUE(driver.nothing_left());
  }
}

absl::StatusOr<Graph> Perceptron(DType t = DType::kF32) {
  GraphBuilder g("mlp");
  Value x = g.Input("x", t, {"N", 64});
  Value h = Max(MatMul(x, g.Const(Ramp(t, {64, 24}), "w1")) + g.Const(Ramp(t, {24}), "b1"), 0);
  g.Output("probs",
           Softmax(MatMul(h, g.Const(Ramp(t, {24, 10}), "w2")) * 0.01 + g.Const(Ramp(t, {10}), "b2")));
  return std::move(g).Build();
}

std::vector<NamedTensors> Batches(DType t = DType::kF32) {
  std::vector<NamedTensors> runs;
  for (const int64_t n : {5, 0, 33, 1, 70, 5}) runs.push_back({{"x", Ramp(t, {n, 64})}});
  return runs;
}

// ---------------------------------------------------------------------------------------------------------
// Bits.

TEST(CudaExecutor, RunsAPerceptronAtSeveralSizes) {
  for (const DType t : {DType::kF32, DType::kBF16}) {
    ExpectGpuAgrees(Perceptron(t), Batches(t));
    ExpectGpuAgrees(Perceptron(t), Batches(t), {.matmuls = CreateOneDnnMatMulProvider()});
  }
}

// Products of products stay on the host; operands of any kind, batches, and a product that is an output.
TEST(CudaExecutor, RunsChainsOfProducts) {
  GraphBuilder g("products");
  Value x = g.Input("x", DType::kF32, {3, "N", 4});
  Value y = g.Input("y", DType::kF32, {4, 5});
  Value a = MatMul(x, y);
  Value b = MatMul(a, g.Const(Ramp(DType::kF32, {5, 6}), "w"));
  Value c = MatMul(Tanh(b), g.Const(Ramp(DType::kF32, {6, 6}), "v"));
  g.Output("b", b);
  g.Output("c", c);
  g.Output("d", Exp(c) + ReduceSum(b, {.axes = {2}, .keepdims = true}));
  std::vector<NamedTensors> runs;
  for (const int64_t n : {3, 0, 7}) {
    runs.push_back({{"x", Ramp(DType::kF32, {3, n, 4})}, {"y", Ramp(DType::kF32, {4, 5})}});
  }
  ExpectGpuAgrees(std::move(g).Build(), runs);
}

// The host reads a view of what the device has written, and both write parts of one value, which both read.
TEST(CudaExecutor, SharesMemoryWithTheHost) {
  const DType t = DType::kF32;
  GraphBuilder g("parts");
  Value x = g.Input("x", t, {"N", 4});
  const Value w = g.Const(Ramp(t, {4, 4}), "w");
  const Values halves = Split(Exp(x), std::nullopt, {.axis = 0, .num_outputs = 2});
  Value joined = Concat({Tanh(halves[0]), MatMul(halves[1], w), x}, {.axis = 0});
  g.Output("device", Neg(joined));
  g.Output("host", MatMul(joined, w));
  g.Output("both", Concat({MatMul(x, w), Sqrt(x)}, {.axis = 0}));
  g.Output("tail", MatMul(Slice(joined, {1}, {3}), w));
  std::vector<NamedTensors> runs;
  for (const int64_t n : {5, 2, 6, 5}) runs.push_back({{"x", Ramp(t, {n, 4})}});
  ExpectGpuAgrees(std::move(g).Build(), runs);
}

TEST(CudaExecutor, RunsElementwiseChains) {
  for (const DType t : {DType::kF16, DType::kF32, DType::kF64}) {
    GraphBuilder g("chain");
    Value x = g.Input("x", t, {"N", 1, 7});
    Value y = g.Input("y", t, {5, 1});
    Value a = Tanh(x + y) * Sigmoid(y);
    Value b = Where(Equal(a, 0.5), a, Gelu(a, {.approximate = "tanh"}) / (Exp(-x) + 1));
    g.Output("a", a);
    g.Output("b", b);
    g.Output("t", Transpose(b, {.perm = {2, 0, 1}}) + 1);
    g.Output("q", OptimizationBarrier(Cast(b * 8, {.to = DType::kI16})) + 1);
    std::vector<NamedTensors> runs;
    for (const int64_t n : {3, 0, 40, 1}) runs.push_back({{"x", Ramp(t, {n, 1, 7})}, {"y", Ramp(t, {5, 1})}});
    ExpectGpuAgrees(std::move(g).Build(), runs);
  }
}

TEST(CudaExecutor, RunsReductions) {
  for (const std::vector<int64_t>& axes :
       std::vector<std::vector<int64_t>>{{0}, {1}, {2}, {0, 2}, {1, 2}, {}}) {
    GraphBuilder g("reduce");
    Value x = g.Input("x", DType::kF32, {3, "K", 37});
    g.Output("sum", ReduceSum(x * x + 1, {.axes = axes}));
    g.Output("max", Neg(ReduceMax(x, {.axes = axes, .keepdims = true})));
    std::vector<NamedTensors> runs;
    for (const int64_t k : {130, 0, 1}) runs.push_back({{"x", Ramp(DType::kF32, {3, k, 37})}});
    ExpectGpuAgrees(std::move(g).Build(), runs);
  }
}

TEST(CudaExecutor, CopiesInputsConstantsAndViews) {
  for (const DType t : {DType::kBool, DType::kI8, DType::kU64, DType::kBF16, DType::kF32, DType::kF64}) {
    GraphBuilder g("copies");
    Value x = g.Input("x", t, {"N", 3, 2});
    g.Output("x", x);
    g.Output("again", x);
    g.Output("reshaped", Reshape(x, {-1}));
    g.Output("transposed", Transpose(x, {.perm = {2, 0, 1}}));
    g.Output("constant", g.Const(Ramp(t, {4}), "c"));
    g.Output("scalar", g.Const(Ramp(t, {}), "s"));
    std::vector<NamedTensors> runs;
    for (const int64_t n : {2, 0, 9}) runs.push_back({{"x", Ramp(t, {n, 3, 2})}});
    ExpectGpuAgrees(std::move(g).Build(), runs);
  }
}

TEST(CudaExecutor, CopiesGiveCanonicalNans) {
  GraphBuilder g("nans");
  Value x = g.Input("x", DType::kF32, {4});
  g.Output("y", x);
  const uint32_t bits[] = {0x7f800001, 0xffc12345, 0x80000000, 0x00000001};
  Tensor fed = *Tensor::Allocate(DType::kF32, Dims{4});
  memcpy(fed.mutable_data(), bits, sizeof(bits));
  ExpectGpuAgrees(std::move(g).Build(), {{{"x", fed}}});
}

TEST(CudaExecutor, AnIntegerDivisionByZeroNamesNodeAndElement) {
  GraphBuilder g("div");
  Value x = g.Input("x", DType::kI32, {2, "N"});
  Value q = g.Named(Div(12, x + 0), "q");
  g.Output("q", q);
  g.Output("sum", g.Named(Div(ReduceSum(q, {.axes = {1}}), OptimizationBarrier(q * 0)), "r"));
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  const NamedTensors first = {{"x", *Tensor::FromVector<int32_t>({1, 2, 3, 4, 0, 0}, Dims{2, 3})}};
  const NamedTensors later = {{"x", *Tensor::FromVector<int32_t>({1, 2, 3, 4}, Dims{2, 2})}};
  ExpectGpuAgrees(graph, {first, later, first});
  FakeDriver driver;
  const auto gpu = OnGpu(driver, PlanOf(*graph));
  ASSERT_TRUE(gpu.ok()) << gpu.status();
  EXPECT_THAT(std::string(gpu->Run(first).status().message()), HasSubstr("[1,1] of Div 'q'"));
  EXPECT_THAT(std::string(gpu->Run(later).status().message()), HasSubstr("of Div 'r'"));
}

// ---------------------------------------------------------------------------------------------------------
// Running again, and side by side.

TEST(CudaExecutor, KeepsMemoryCodeAndConstantsBetweenRuns) {
  FakeDriver driver;
  const auto gpu = OnGpu(driver, PlanOf(*Perceptron()));
  ASSERT_TRUE(gpu.ok()) << gpu.status();
  Invocation call = gpu->Prepare();
  const Tensor large = Ramp(DType::kF32, {70, 64}), small = Ramp(DType::kF32, {5, 64});
  ASSERT_TRUE(call.SetInput(0, large).ok());
  ASSERT_TRUE(call.Run().ok());
  const auto calls = driver.calls;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(call.SetInput(0, i == 1 ? small : large).ok());
    ASSERT_TRUE(call.Run().ok());
  }
  EXPECT_EQ(driver.calls["mem_alloc"], calls.at("mem_alloc"));
  EXPECT_EQ(driver.calls["module_load_data_ex"], 1);
  // The results of the two products; `x` and the weights are read on the host alone.
  EXPECT_EQ(driver.calls["memcpy_htod_async"] - calls.at("memcpy_htod_async"), 3 * 2);
  // The hidden layer for the second product, and the output.
  EXPECT_EQ(driver.calls["memcpy_dtoh_async"] - calls.at("memcpy_dtoh_async"), 3 * 2);
}

TEST(CudaExecutor, RunsSideBySide) {
  const Plan plan = PlanOf(*Perceptron());
  const Executable cpu = OnCpu(plan);
  FakeDriver driver;
  {
    const auto gpu = OnGpu(driver, plan);
    ASSERT_TRUE(gpu.ok()) << gpu.status();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 10; ++i) {
          const NamedTensors feeds = {{"x", Ramp(DType::kF32, {1 + (7 * t + i) % 40, 64})}};
          const auto want = cpu.Run(feeds), got = gpu->Run(feeds);
          ASSERT_TRUE(got.ok()) << got.status();
          ExpectSame(*got, *want);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_TRUE(driver.nothing_left());
}

TEST(CudaExecutor, AnInvocationOutlivesItsExecutable) {
  FakeDriver driver;
  {
    std::optional<Invocation> call;
    {
      const auto gpu = OnGpu(driver, PlanOf(*Perceptron()));
      ASSERT_TRUE(gpu.ok()) << gpu.status();
      call = gpu->Prepare();
    }
    ASSERT_TRUE(call->SetInput(0, Ramp(DType::kF32, {2, 64})).ok());
    EXPECT_TRUE(call->Run().ok());
  }
  EXPECT_TRUE(driver.nothing_left());
}

TEST(CudaExecutor, StopsBetweenStepsAndMeasuresThem) {
  FakeDriver driver;
  const auto gpu = OnGpu(driver, PlanOf(*Perceptron()));
  ASSERT_TRUE(gpu.ok()) << gpu.status();
  const NamedTensors feeds = {{"x", Ramp(DType::kF32, {2, 64})}};
  std::atomic<bool> cancelled = true;
  EXPECT_THAT(std::string(gpu->Run(feeds, {.cancelled = &cancelled}).status().message()), HasSubstr("E0611"));
  EXPECT_EQ(driver.calls["launch_kernel"], 0);
  const auto past = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_THAT(std::string(gpu->Run(feeds, {.deadline = past}).status().message()), HasSubstr("E0610"));
  cancelled = false;
  RunProfile profile;
  EXPECT_TRUE(gpu->Run(feeds, {.cancelled = &cancelled, .profile = &profile}).ok());
  EXPECT_EQ(profile.steps.size(), gpu->plan().steps.size());
  for (const StepProfile& step : profile.steps) EXPECT_GT(step.nanoseconds, 0);
}

// ---------------------------------------------------------------------------------------------------------
// Failures.

TEST(CudaExecutor, ARunThatDoesNotFitIsRefusedAndALaterOneRuns) {
  GraphBuilder g("big");
  Value x = g.Input("x", DType::kF32, {"N"});
  g.Output("y", Exp(x));
  FakeDriver driver;
  driver.memory_limit = 1 << 20;
  {
    const auto gpu = OnGpu(driver, PlanOf(*std::move(g).Build()));
    ASSERT_TRUE(gpu.ok()) << gpu.status();
    const auto refused = gpu->Run({{"x", Ramp(DType::kF32, {1 << 19})}});
    EXPECT_THAT(std::string(refused.status().message()), StartsWith("error[E0703 device-memory]"));
    EXPECT_TRUE(gpu->Run({{"x", Ramp(DType::kF32, {1 << 10})}}).ok());
  }
  EXPECT_TRUE(driver.nothing_left());
}

// Opens, loads, runs twice at different sizes: copies, products, kernels that can fail.
absl::Status WholeRun(FakeDriver& driver, const Plan& plan) {
  TENFOLD_ASSIGN_OR_RETURN(const Executable gpu, OnGpu(driver, plan));
  for (const int64_t n : {2, 9}) {
    TENFOLD_RETURN_IF_ERROR(gpu.Run({{"x", Ramp(DType::kU32, {n, 3})}}).status());
  }
  return absl::OkStatus();
}

// Calls whose failure has nobody to be told: what they give back is lost to the driver anyway.
bool IsRelease(const std::string& function) {
  return function == "ctx_pop_current" || function == "mem_free" || function == "stream_destroy" ||
         function == "module_unload" || function == "device_primary_ctx_release";
}

TEST(CudaExecutor, EachCallThatFailsIsAStatusAndLeavesNothing) {
  GraphBuilder g("all");
  Value x = g.Input("x", DType::kU32, {"N", 3});
  Value h = MatMul(x + 1, g.Const(Ramp(DType::kU32, {3, 2}), "w"));
  g.Output("q", h / (Transpose(g.Const(Ramp(DType::kU32, {2, 1}), "d")) + Max(h, 1)));
  g.Output("x", x);
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  const Plan plan = PlanOf(*graph);
  std::map<std::string, int> calls;
  {
    FakeDriver driver;
    const absl::Status status = WholeRun(driver, plan);
    ASSERT_TRUE(status.ok()) << status;
    calls = driver.calls;
  }
  EXPECT_GE(calls.size(), 18u);
  for (const auto& [function, count] : calls) {
    if (IsRelease(function)) continue;
    for (int skip = 0; skip < count; ++skip) {
      SCOPED_TRACE(absl::StrCat(function, " after ", skip));
      FakeDriver driver;
      driver.Fail(function, kLaunchFailed, skip);
      const absl::Status status = WholeRun(driver, plan);
      // Giving back makes the context current and waits once more, with nobody to tell.
      if (status.ok()) {
        EXPECT_TRUE(function == "stream_synchronize" || function == "ctx_push_current");
        EXPECT_GE(skip, count - 4);
      } else {
        EXPECT_THAT(std::string(status.message()), HasSubstr("E0702 device-failure"));
        EXPECT_THAT(std::string(status.message()), HasSubstr("CUDA_ERROR_LAUNCH_FAILED"));
      }
      EXPECT_EQ(driver.context_depth, 0);
      EXPECT_EQ(driver.retained_contexts, 0);
      if (function != "ctx_push_current") {
        EXPECT_TRUE(driver.nothing_left());
      }
    }
  }
}

TEST(CudaExecutor, ARunAfterAFailureIsRight) {
  const Plan plan = PlanOf(*Perceptron());
  const Executable cpu = OnCpu(plan);
  FakeDriver driver;
  const auto gpu = OnGpu(driver, plan);
  ASSERT_TRUE(gpu.ok()) << gpu.status();
  const NamedTensors feeds = {{"x", Ramp(DType::kF32, {6, 64})}};
  for (const char* function : {"mem_alloc", "memcpy_htod_async", "launch_kernel", "stream_synchronize",
                               "memcpy_dtoh_async", "ctx_push_current"}) {
    SCOPED_TRACE(function);
    driver.Fail(function, kLaunchFailed, function == std::string("mem_alloc") ? 0 : 1);
    const auto failed = gpu->Run(feeds);
    if (failed.ok()) ADD_FAILURE() << "the run did not fail";
    const auto got = gpu->Run(feeds);
    ASSERT_TRUE(got.ok()) << got.status();
    ExpectSame(*got, *cpu.Run(feeds));
  }
}

TEST(Compile, ADeviceThatIsNotThereIsRefusedAndAutoGoesOn) {
  const auto graph = Perceptron();
  const std::string unknown(Compile(*graph, {.device = "tpu"}).status().message());
  EXPECT_EQ(unknown,
            "error[E0701 no-device]: there is no device 'tpu'\n"
            "  help: the devices are auto, cpu, cuda:0, cuda:1, ...");
  const std::string absent(Compile(*graph, {.device = "cuda:4711"}).status().message());
  EXPECT_THAT(absent, StartsWith("error[E0701 no-device]: "));
  EXPECT_THAT(absent, HasSubstr("\n  help: "));
  EXPECT_TRUE(Compile(*graph, {.device = "auto"}).ok());
}

}  // namespace
}  // namespace tenfold::testing
