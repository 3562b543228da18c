// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/executable.h"

#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <thread>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/runtime/plan_memory.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

using testing::ElementsAre;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Executable Make(Plan plan, ExecutableOptions options = {}) {
  absl::StatusOr<Executable> executable = Executable::Create(std::move(plan), std::move(options));
  EXPECT_EQ(executable.status(), absl::OkStatus());
  return *std::move(executable);
}

std::string Error(const absl::StatusOr<NamedTensors>& results) {
  return std::string(results.status().message());
}

// y = -(x * w + b), in one step each.
Plan SmallPlan(const std::string& type) {
  PlanMaker maker;
  const int x = maker.Input("x", type, "net.cc:1"), w = maker.Input("w", type, "net.cc:2");
  const int p = maker.Arena("p", type);
  maker.Map(p, {x, w}, MulOf);
  maker.Map(maker.Output("y", type), {p, x}, AddOf);
  return maker.Finish();
}

TEST(ExecutableTest, RunsByName) {
  const Executable exe = Make(SmallPlan("f32[N]"));
  for (const std::vector<float>& values : {std::vector<float>{1, 2, 3}, {4, 5}, {}}) {
    const Tensor t = Of<float>(values, {static_cast<int64_t>(values.size())});
    const auto out = exe.Run({{"w", t}, {"x", t}});
    ASSERT_EQ(out.status(), absl::OkStatus());
    ASSERT_EQ(out->size(), 1u);
    EXPECT_EQ(out->front().first, "y");
    EXPECT_EQ(out->front().second.dims(), t.dims());
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(out->front().second.at<float>(i), values[i] * values[i] + values[i]);
    }
  }
}

TEST(ExecutableTest, ResultsOutliveLaterRuns) {
  const Executable exe = Make(SmallPlan("f32[2]"));
  const auto run = [&](float v) {
    const Tensor t = Of<float>({v, v}, {2});
    return (*exe.Run({{"x", t}, {"w", t}}))[0].second;
  };
  const Tensor first = run(1), second = run(2);
  EXPECT_THAT(first.values<float>(), ElementsAre(2, 2));
  EXPECT_THAT(second.values<float>(), ElementsAre(6, 6));
}

TEST(ExecutableTest, FastFormFollowsShapes) {
  const Executable exe = Make(SmallPlan("f32[N,2]"));
  Invocation call = exe.Prepare();
  const std::vector<float> a = {1, 2, 3, 4}, b = {1, 1};
  ASSERT_EQ(call.SetInput(0, a), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, a), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_THAT(call.Output(0).dims, ElementsAre(2, 2));
  EXPECT_THAT(call.Output(0).values<float>(), ElementsAre(2, 6, 12, 20));
  ASSERT_EQ(call.SetInput(0, b), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, b), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_THAT(call.Output(0).dims, ElementsAre(1, 2));
  EXPECT_THAT(call.Output(0).values<float>(), ElementsAre(2, 2));
  std::vector<float> mine(2);
  ASSERT_EQ(call.SetOutput(0, std::span<float>(mine)), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_THAT(mine, ElementsAre(2, 2));
  ASSERT_EQ(call.SetInput(0, a), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, a), absl::OkStatus());
  EXPECT_EQ(
      call.Run().message(),
      "error[E0403 wrong-element-count]: output 'y' is f32[2,2]: 4 values, the memory given for it holds 2");
}

TEST(ExecutableTest, OutputsThatAreInputsConstantsSplatsAndReshapes) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[2,3]");
  const int c = maker.Constant("c", Of<float>({7, 8}, {2}));
  const float three = 3;
  const int s = maker.Constant("s", *Tensor::Splat(DType::kF32, Dims{4}, &three));
  maker.Copy(maker.Output("same", "f32[2,3]"), x, {3, 1}, true);
  maker.Copy(maker.Output("constant", "f32[2]"), c, {1});
  maker.Copy(maker.Output("filled", "f32[2,2]"), s, {0, 0});
  maker.Copy(maker.Output("transposed", "f32[3,2]"), x, {1, 3}, true);
  const int flat = maker.Output("flat", "f32[6]");
  const int h = maker.Alias("h", "f32[2,3]", flat);
  maker.Map(h, {x}, NegOf);
  maker.Map(maker.Output("plus", "f32[4]"), {s, s}, AddOf);
  const Executable exe = Make(maker.Finish());
  const float odd_nan = std::bit_cast<float>(0xffc12345u);
  const auto out = exe.Run({{"x", Of<float>({1, 2, 3, 4, 5, odd_nan}, {2, 3})}});
  ASSERT_EQ(out.status(), absl::OkStatus());
  EXPECT_EQ(std::bit_cast<uint32_t>((*out)[0].second.at<float>(5)), 0x7fc00000u);
  EXPECT_THAT((*out)[1].second.values<float>(), ElementsAre(7, 8));
  EXPECT_THAT((*out)[2].second.values<float>(), ElementsAre(3, 3, 3, 3));
  EXPECT_TRUE(SameBits((*out)[3].second, Of<float>({1, 4, 2, 5, 3, kNan}, {3, 2})));
  EXPECT_TRUE(SameBits((*out)[4].second, Of<float>({-1, -2, -3, -4, -5, kNan}, {6})));
  EXPECT_THAT((*out)[5].second.values<float>(), ElementsAre(6, 6, 6, 6));
}

TEST(ExecutableTest, BatchedMatMulsBroadcast) {
  PlanMaker maker;
  const int a = maker.Input("a", "f32[2,1,2,3]"), b = maker.Input("b", "f32[4,3,5]");
  maker.MatMul(maker.Output("y", "f32[2,4,2,5]"), a, b, true);
  const Tensor at = RandomTensor({2, 1, 2, 3}, 1), bt = RandomTensor({4, 3, 5}, 2);
  const auto out = Make(maker.Finish()).Run({{"a", at}, {"b", bt}});
  ASSERT_EQ(out.status(), absl::OkStatus());
  int64_t at_out = 0;
  for (int i = 0; i < 2; ++i) {
    for (int j = 0; j < 4; ++j) {
      for (int m = 0; m < 2; ++m) {
        for (int n = 0; n < 5; ++n) {
          float sum = 0;
          for (int k = 0; k < 3; ++k) {
            sum = std::fma(at.at<float>((i * 2 + m) * 3 + k), bt.at<float>((j * 3 + k) * 5 + n), sum);
          }
          EXPECT_EQ((*out)[0].second.at<float>(at_out++), sum);
        }
      }
    }
  }
}

Plan BigPlan() {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,512]"), w = maker.Input("w", "f32[512,96]");
  const int h = maker.Arena("h", "f32[N,512]"), m = maker.Arena("m", "f32[N,96]");
  maker.Map(h, {x, x}, MulOf);
  maker.MatMul(m, h, w);
  maker.RowSum(maker.Output("sums", "f32[N]"), h);
  maker.Map(maker.Output("y", "f32[N,96]"), {m, m}, AddOf);
  return maker.Finish();
}

TEST(ExecutableTest, SameBitsAtAnyNumberOfThreads) {
  const NamedTensors feeds = {{"x", RandomTensor({1000, 512}, 1)}, {"w", RandomTensor({512, 96}, 2)}};
  const NamedTensors expected = *Make(BigPlan(), {.threads = 1}).Run(feeds);
  for (int threads : {2, 3, 8}) {
    const Executable exe = Make(BigPlan(), {.threads = threads});
    for (int limit : {0, 1, 2}) {
      RunOptions options;
      options.threads = limit;
      const auto out = exe.Run(feeds, options);
      ASSERT_EQ(out.status(), absl::OkStatus());
      for (size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(SameBits((*out)[i].second, expected[i].second)) << threads << " threads";
      }
    }
  }
}

TEST(ExecutableTest, ManyThreadsOnOneExecutable) {
  const Executable exe = Make(BigPlan(), {.threads = 3});
  std::vector<NamedTensors> feeds, expected;
  for (int i = 0; i < 4; ++i) {
    feeds.push_back({{"x", RandomTensor({100 + 50 * i, 512}, i)}, {"w", RandomTensor({512, 96}, 9)}});
    expected.push_back(*exe.Run(feeds.back()));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 12; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const int which = (t + i) % 4;
        const auto out = exe.Run(feeds[which]);
        ASSERT_EQ(out.status(), absl::OkStatus());
        for (size_t o = 0; o < 2; ++o) EXPECT_TRUE(SameBits((*out)[o].second, expected[which][o].second));
      }
    });
  }
  for (std::thread& t : threads) t.join();
}

TEST(ExecutableTest, AnInvocationKeepsTheExecutableAlive) {
  std::optional<Executable> exe = Make(SmallPlan("f32[1]"));
  Invocation call = exe->Prepare();
  exe.reset();
  const std::vector<float> v = {3};
  ASSERT_EQ(call.SetInput(0, v), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, v), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_THAT(call.Output(0).values<float>(), ElementsAre(12));
}

TEST(ExecutableTest, IntegerDivisionByZeroNamesNodeAndIndex) {
  PlanMaker maker;
  const int a = maker.Input("a", "i32[N,4]"), b = maker.Input("b", "i32[N,4]");
  maker.Map(maker.Output("q", "i32[N,4]"), {a, b}, DivOf, "Div", true, "net.cc:7");
  const Plan plan = maker.Finish();
  for (int threads : {1, 4}) {
    const Executable exe = Make(plan, {.threads = threads});
    const int64_t n = 100000;
    std::vector<int32_t> divisors(n * 4, 1);
    divisors[4 * 70001] = 0;
    divisors[4 * 70000 + 3] = 0;
    const Tensor t = Of<int32_t>(divisors, {n, 4});
    for (int repeat = 0; repeat < 2; ++repeat) {
      EXPECT_EQ(
          exe.Run({{"a", t}, {"b", t}}).status().message(),
          "error[E0601 integer-division-by-zero]: integer division by zero at [70000,3] of Div 'q'\n"
          "  --> net.cc:7\n"
          "  help: for q = Div(n, d), if the quotient is to be 0 there: d_is_0 = Equal(d, 0), then d_or_1 = "
          "Where(d_is_0, 1, d), then q_or_n = Div(n, d_or_1), then q = Where(d_is_0, 0, q_or_n)\n"
          "  help: for q = Div(n, d), if 1 may stand for the divisor there: d_is_0 = Equal(d, 0), then "
          "d_or_1 = "
          "Where(d_is_0, 1, d), then q = Div(n, d_or_1)");
    }
    divisors.assign(n * 4, 1);
    const Tensor ones = Of<int32_t>(divisors, {n, 4});
    EXPECT_EQ(exe.Run({{"a", t}, {"b", ones}}).status(), absl::OkStatus());
  }
}

// Maps that write over an operand, at any number of threads.
TEST(ExecutableTest, ComputesInPlace) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,256]"), h = maker.Arena("h", "f32[N,256]");
  maker.Copy(h, x, {256, 1});
  const int sum = maker.Arena("sum", "f32[N,256]"), product = maker.Arena("product", "f32[N,256]");
  maker.Map(sum, {h, x}, AddOf);
  maker.Map(product, {sum, h}, MulOf);  // reads h, too: sum has memory of its own, and product takes it over
  maker.Map(maker.Output("y", "f32[N,256]"), {product, x}, AddOf);
  const Plan plan = maker.Finish();
  EXPECT_TRUE(plan.memory.arena_bytes == plan.values[h].type.shape.num_elements() * Dim(8));
  const Tensor fed = RandomTensor({300, 256}, 2);
  for (const int threads : {1, 2, 3}) {
    const Executable exe = Make(Plan(plan), {.threads = threads});
    for (int repeat = 0; repeat < 2; ++repeat) {
      const NamedTensors results = *exe.Run({{"x", fed}});
      for (int64_t i = 0; i < fed.num_elements(); ++i) {
        const float v = fed.at<float>(i);
        ASSERT_EQ(results[0].second.at<float>(i), (v + v) * v + v) << i;
      }
    }
  }
}

TEST(ExecutableTest, DeadlinesAndCancellation) {
  const Executable exe = Make(BigPlan(), {.threads = 2});
  const NamedTensors feeds = {{"x", RandomTensor({300, 512}, 1)}, {"w", RandomTensor({512, 96}, 2)}};
  RunOptions late;
  late.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(exe.Run(feeds, late).status().message(),
            "error[E0610 deadline-exceeded]: the run did not end before its deadline");
  EXPECT_EQ(exe.Run(feeds, late).status().code(), absl::StatusCode::kDeadlineExceeded);
  std::atomic<bool> cancelled = true;
  RunOptions stopped;
  stopped.cancelled = &cancelled;
  EXPECT_EQ(exe.Run(feeds, stopped).status().message(), "error[E0611 cancelled]: the run was cancelled");
  cancelled = false;
  RunProfile profile;
  stopped.profile = &profile;
  stopped.deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  EXPECT_EQ(exe.Run(feeds, stopped).status(), absl::OkStatus());
  ASSERT_EQ(profile.steps.size(), 4u);
  int64_t end = 0;
  for (const StepProfile& step : profile.steps) {
    EXPECT_GE(step.begin, end);
    EXPECT_GT(step.work.bytes, 0);
    end = step.begin + step.nanoseconds;
  }
  EXPECT_GE(profile.nanoseconds, end);
}

TEST(ExecutableTest, RefusesWhatIsOverTheMemoryLimit) {
  const Executable exe = Make(SmallPlan("f32[N]"), {.threads = 1, .memory_limit = 35000});
  const Tensor x = RandomTensor({1000}, 1), huge = RandomTensor({2000}, 1);
  EXPECT_EQ(Error(exe.Run({{"x", x}, {"w", x}})), "");
  // A run has a limit of its own, whether the shapes are new or not.
  const std::string text =
      "error[E0404 memory-limit]: a run of 'test' holds 32096 bytes; the memory limit is 32095\n"
      "  4032 of intermediates, 4000 of outputs, 24064 of scratch, 0 of constants\n"
      "  with N = 1000: intermediates take 64*floordiv(N + 15, 16), outputs 64*floordiv(N + 15, 16)\n"
      "  the largest values:\n"
      "  value  type       kept for    bytes\n"
      "  p      f32[1000]  steps 0..1   4000\n"
      "  y      f32[1000]  output       4000\n"
      "  help: allow it: --memory-limit 32096 (in C++, memory_limit of CompileOptions or RunOptions)";
  EXPECT_EQ(Error(exe.Run({{"x", x}, {"w", x}}, {.memory_limit = 32095})), text);
  EXPECT_EQ(
      Error(Make(SmallPlan("f32[N]"), {.threads = 1}).Run({{"x", x}, {"w", x}}, {.memory_limit = 32095})),
      text);
  EXPECT_EQ(Error(exe.Run({{"x", x}, {"w", x}}, {.memory_limit = 32096})), "");
  EXPECT_THAT(Error(exe.Run({{"x", huge}, {"w", huge}})),
              testing::StartsWith("error[E0404 memory-limit]: a run of 'test' holds 40064 bytes; the memory "
                                  "limit is 35000\n"));
}

TEST(ExecutableTest, RefusesValuesOverTheLimitByName) {
  ExecutableOptions options = {.threads = 1};
  options.limits.tensor_bytes = 1000;
  const Executable exe = Make(SmallPlan("f32[N]"), options);
  const Tensor small = RandomTensor({10}, 1), large = RandomTensor({1000}, 1);
  EXPECT_EQ(Error(exe.Run({{"x", small}, {"w", small}})), "");
  EXPECT_EQ(Error(exe.Run({{"x", large}, {"w", large}})),
            "error[E0402 too-large]: Map 'p' is f32[1000]: 4000 bytes; the limit tensor_bytes is 1000\n"
            "  help: if that is meant, allow it: --tensor-bytes 4032 (in C++, Limits::tensor_bytes)");
}

// A splat is one value in the file and may be a matrix in memory.
TEST(ExecutableTest, RefusesConstantsThatWouldBeWrittenOut) {
  PlanMaker maker;
  const float one = 1;
  const int x = maker.Input("x", "f32[N,100]");
  maker.MatMul(maker.Output("y", "f32[N,50]"), x,
               maker.Constant("w", *Tensor::Splat(DType::kF32, Dims{100, 50}, &one)));
  ExecutableOptions options = {.threads = 1};
  options.limits.tensor_bytes = 19999;
  const Plan plan = maker.Finish();
  EXPECT_EQ(
      Executable::Create(plan, options).status().message(),
      "error[E0402 too-large]: the constant 'w' is f32[100,50]: 20000 bytes where all of it is read; the "
      "limit tensor_bytes is 19999\n"
      "  help: if that is meant, allow it: --tensor-bytes 20000 (in C++, Limits::tensor_bytes)");
  EXPECT_EQ(Executable::Create(plan, {.threads = 1, .memory_limit = 19999}).status().message(),
            "error[E0404 memory-limit]: the constants of 'test' up to 'w' take 20000 bytes; the memory limit "
            "is 19999");
  EXPECT_THAT(
      Error(Make(plan, {.threads = 1, .memory_limit = 20000}).Run({{"x", RandomTensor({3, 100}, 1)}})),
      testing::HasSubstr("600 of outputs, 0 of scratch, 20000 of constants\n"));
}

TEST(ExecutableTest, RefusesIntermediatesThatAreTogetherOverTheLimit) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N]");
  const int a = maker.Arena("a", "f32[N]"), b = maker.Arena("b", "f32[N]");
  maker.Map(a, {x}, NegOf);
  maker.Map(b, {a}, NegOf);
  maker.Map(maker.Output("y", "f32[N]"), {a, b}, AddOf);
  ExecutableOptions options = {.threads = 1};
  options.limits.tensor_bytes = 100;
  const Tensor values = RandomTensor({16}, 1);
  EXPECT_EQ(Error(Make(maker.Finish(), options).Run({{"x", values}})),
            "error[E0402 too-large]: the intermediates of 'test' take 128 bytes together; the limit "
            "tensor_bytes is 100\n"
            "  the largest values:\n"
            "  value  type     kept for    bytes\n"
            "  a      f32[16]  steps 0..2     64\n"
            "  b      f32[16]  steps 1..2     64\n"
            "  y      f32[16]  output         64\n"
            "  help: if that is meant, allow it: --tensor-bytes 128 (in C++, Limits::tensor_bytes)");
}

std::string FeedError(const Executable& exe, const NamedTensors& feeds) {
  return std::string(exe.Run(feeds).status().message());
}

TEST(FeedsTest, EveryRefusalNamesBothSides) {
  PlanMaker maker;
  const int x = maker.Input("images", "f32[N,2]", "net.cc:3"), y = maker.Input("y", "f32[N]", "net.cc:4");
  maker.Input("z", "f32[2*N + 1]", "net.cc:5");
  (void)y;
  maker.Copy(maker.Output("out", "f32[N,2]"), x, {2, 1});
  const Executable exe = Make(maker.Finish({{"N", {1, 512}}}));
  const Tensor x3 = RandomTensor({3, 2}, 1), y3 = RandomTensor({3}, 1), z7 = RandomTensor({7}, 1);
  EXPECT_EQ(FeedError(exe, {{"images", x3}, {"y", y3}, {"z", z7}}), "");
  EXPECT_EQ(FeedError(exe, {{"image", x3}}),
            "error[E0602 unknown-input]: the graph has no input 'image'\n"
            "  input 'images' is f32[N,2]\n  input 'y' is f32[N]\n  input 'z' is f32[2*N + 1]\n"
            "  help: did you mean 'images'?");
  EXPECT_EQ(FeedError(exe, {{"images", x3}, {"z", z7}}),
            "error[E0603 missing-input]: input 'y' is f32[N], it was fed nothing\n  --> net.cc:4\n"
            "  help: --input y=FILE.npy, or =random to try it");
  EXPECT_EQ(FeedError(exe, {{"images", Of<double>({1, 2}, {1, 2})}}),
            "error[E0604 input-dtype]: input 'images' is f32[N,2], it was fed f64[1,2]\n  --> net.cc:3\n"
            "  cast=exact would change none of its values\n"
            "  help: cast the array to f32 where it is loaded (cast=exact), or declare 'images' as f64");
  EXPECT_EQ(FeedError(exe, {{"images", Of<double>({0.1, 2}, {1, 2})}}),
            "error[E0604 input-dtype]: input 'images' is f32[N,2], it was fed f64[1,2]\n  --> net.cc:3\n"
            "  cast=nearest would change 1 of 2 values, by 1.49e-09 at most\n"
            "  help: cast the array to f32 where it is loaded (cast=nearest), or declare 'images' as f64");
  EXPECT_EQ(
      FeedError(exe, {{"images", RandomTensor({2, 3}, 1)}}),
      "error[E0605 input-shape]: input 'images' is f32[N,2], it was fed f32[2,3]: dim 1 is 3 instead of 2\n"
      "  --> net.cc:3\n"
      "  help: if its dims are in another order, transposing by (1, 0) gives [3,2]: declare it as it is and "
      "Transpose it in the graph");
  EXPECT_EQ(
      FeedError(exe, {{"images", RandomTensor({2, 1, 2}, 1)}}),
      "error[E0605 input-shape]: input 'images' is f32[N,2], it was fed f32[2,1,2]: rank 3 instead of 2\n"
      "  --> net.cc:3\n"
      "  help: its 4 values fit as [2,2]: feed tensor.Reshape(Dims{2, 2})");
  EXPECT_EQ(FeedError(exe, {{"images", y3}}),
            "error[E0605 input-shape]: input 'images' is f32[N,2], it was fed f32[3]: rank 1 instead of 2\n"
            "  --> net.cc:3\n"
            "  help: if the array is right, declare 'images' as f32[3]");
  EXPECT_EQ(
      FeedError(exe, {{"images", RandomTensor({3, 5}, 1)}}),
      "error[E0605 input-shape]: input 'images' is f32[N,2], it was fed f32[3,5]: dim 1 is 5 instead of 2\n"
      "  --> net.cc:3\n"
      "  help: if the array is right, declare 'images' as f32[N,5]");
  EXPECT_EQ(FeedError(exe, {{"images", x3}, {"y", RandomTensor({4}, 1)}, {"z", z7}}),
            "error[E0606 symbol-conflict]: N is 3 in 'images' and 4 in 'y'\n  --> net.cc:4\n"
            "  'images' is declared as f32[N,2] (net.cc:3) and was fed [3,2]\n"
            "  'y' is declared as f32[N] (net.cc:4) and was fed [4]\n"
            "  help: if they need not agree, declare dim 0 of 'y' by another symbol than N");
  EXPECT_EQ(FeedError(exe, {{"images", x3}, {"y", y3}, {"z", RandomTensor({8}, 1)}}),
            "error[E0606 symbol-conflict]: dim 0 of 'z' is 8, but 2*N + 1 is 7: N is 3 in 'images'\n"
            "  --> net.cc:5\n"
            "  'images' is declared as f32[N,2] (net.cc:3) and was fed [3,2]\n"
            "  'z' is declared as f32[2*N + 1] (net.cc:5) and was fed [8]");
  EXPECT_EQ(FeedError(exe, {{"images", RandomTensor({600, 2}, 1)}, {"y", y3}, {"z", z7}}),
            "error[E0607 symbol-out-of-bounds]: N is 600 in 'images', outside [1,512]\n  --> net.cc:3\n"
            "  'images' is declared as f32[N,2] (net.cc:3) and was fed [600,2]\n"
            "  help: a graph that takes it declares: where N in [1,600]");
  EXPECT_EQ(FeedError(exe, {{"y", y3}, {"y", y3}}),
            "error[E0609 fed-twice]: input 'y' was fed twice\n  --> net.cc:4");

  Invocation call = exe.Prepare();
  const std::vector<float> five(5);
  EXPECT_EQ(
      call.SetInput(0, five).message(),
      "error[E0605 input-shape]: input 'images' is f32[N,2], it was given 5 values: no N makes that many\n"
      "  --> net.cc:3");
  EXPECT_EQ(call.SetInput(3, five).message(),
            "error[E0602 unknown-input]: there is no input 3: the graph has 3");
}

// Both sides have a place: the declaration its own, the feed what the caller says of it.
TEST(FeedsTest, RefusalsNameTheOriginOfAFeed) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,3,2]", "net.cc:3");
  maker.Input("y", "f32[2*N]", "net.cc:4");
  maker.Copy(maker.Output("out", "f32[N,3,2]"), x, {6, 2, 1});
  const Executable exe = Make(maker.Finish({{"N", {1, 512}}}));
  const auto error = [&](const NamedTensors& feeds, const std::vector<FeedOrigin>& origins) {
    return std::string(exe.Run(feeds, {.origins = origins}).status().message());
  };
  const FeedOrigin file{"x", "'a/x.npy'", ArrayName{"a/x.npy", ""}};
  EXPECT_EQ(
      error({{"x", RandomTensor({4, 2, 3}, 1)}}, {file}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[4,2,3] by 'a/x.npy': dim 1 is 2 "
      "instead of 3\n"
      "  --> net.cc:3\n"
      "  help: if its dims are in another order, transposing by (0, 2, 1) gives [4,3,2]: python3 -c 'import "
      "sys, numpy as np; a = np.load(sys.argv[1]); np.save(sys.argv[2], a.transpose(0, 2, 1))' a/x.npy "
      "a/x.transposed.npy");
  // One sample whose channels come last.
  EXPECT_EQ(
      error({{"x", RandomTensor({2, 3}, 1)}}, {file}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[2,3] by 'a/x.npy': rank 2 instead "
      "of 3\n"
      "  --> net.cc:3\n"
      "  help: if its dims are in another order, transposing by (1, 0) and a dim for the one sample give "
      "[1,3,2]: "
      "python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); np.save(sys.argv[2], a.transpose(1, "
      "0)[None])' a/x.npy a/x.transposed.npy");
  // An index beside the data. What would put parts of rows together is no mend.
  EXPECT_EQ(
      error({{"x", RandomTensor({4, 3, 6}, 1)}}, {file}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[4,3,6] by 'a/x.npy': dim 2 is 6 "
      "instead of 2\n"
      "  --> net.cc:3\n"
      "  help: if the first 4 of axis 2 are not wanted: python3 -c 'import sys, numpy as np; a = "
      "np.load(sys.argv[1]); np.save(sys.argv[2], a[:, :, 4:])' a/x.npy a/x.trimmed.npy\n"
      "  help: if the last 4 of axis 2 are not wanted: python3 -c 'import sys, numpy as np; a = "
      "np.load(sys.argv[1]); np.save(sys.argv[2], a[:, :, :2])' a/x.npy a/x.trimmed.npy");
  EXPECT_EQ(
      error({{"x", RandomTensor({12}, 1)}}, {{"x", "'w.npz: x'", ArrayName{"w.npz", "x"}}}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[12] by 'w.npz: x': rank 1 instead "
      "of 3\n"
      "  --> net.cc:3\n"
      "  help: its 12 values fit as [2,3,2]: python3 -c 'import sys, numpy as np; d = "
      "dict(np.load(sys.argv[1])); n = sys.argv[2]; a = d[n]; d[n] = a.reshape(2, 3, 2); "
      "np.savez(sys.argv[3], **d)' w.npz x w.reshaped.npz");
  EXPECT_EQ(
      error({{"x", RandomTensor({12}, 1)}}, {{"x", "w", ArrayName{"w.safetensors", "x"}}}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[12] by w: rank 1 instead of 3\n"
      "  --> net.cc:3\n"
      "  help: its 12 values fit as [2,3,2]: python3 -c 'import sys; from safetensors.numpy import "
      "load_file, save_file; d = load_file(sys.argv[1]); n = sys.argv[2]; d[n] = d[n].reshape(2, 3, 2); "
      "save_file(d, sys.argv[3])' w.safetensors x w.reshaped.safetensors");
  const FeedOrigin sensor{"x", "sensor 7", std::nullopt};
  EXPECT_EQ(
      error({{"x", RandomTensor({12}, 1)}}, {sensor}),
      "error[E0605 input-shape]: input 'x' is f32[N,3,2], it was fed f32[12] by sensor 7: rank 1 instead of "
      "3\n"
      "  --> net.cc:3\n"
      "  help: its 12 values fit as [2,3,2]: write [2,3,2]");
  EXPECT_EQ(error({{"x", Of<double>({1}, {1, 1, 1})}}, {sensor}),
            "error[E0604 input-dtype]: input 'x' is f32[N,3,2], it was fed f64[1,1,1] by sensor 7\n"
            "  --> net.cc:3\n"
            "  cast=exact would change none of its values\n"
            "  help: write it as f32");
  EXPECT_EQ(
      error({{"x", RandomTensor({4, 3, 2}, 1)}, {"y", RandomTensor({6}, 1)}}, {sensor, {"y", "'y.npy'", {}}}),
      "error[E0606 symbol-conflict]: dim 0 of 'y' is 6, but 2*N is 8: N is 4 in 'x'\n"
      "  --> net.cc:4\n"
      "  'x' is declared as f32[N,3,2] (net.cc:3) and was fed [4,3,2] by sensor 7\n"
      "  'y' is declared as f32[2*N] (net.cc:4) and was fed [6] by 'y.npy'");
  EXPECT_EQ(error({{"x", RandomTensor({600, 3, 2}, 1)}, {"y", RandomTensor({6}, 1)}}, {file}),
            "error[E0607 symbol-out-of-bounds]: N is 600 in 'x', outside [1,512]\n"
            "  --> net.cc:3\n"
            "  'x' is declared as f32[N,3,2] (net.cc:3) and was fed [600,3,2] by 'a/x.npy'\n"
            "  help: a graph that takes it declares: where N in [1,600]");
}

TEST(FeedsTest, SymbolsAreSolvedFor) {
  PlanMaker maker;
  const int z = maker.Input("z", "f32[2*N + 1]", "net.cc:5");
  maker.Copy(maker.Output("out", "f32[N]"), z, {2});
  const Executable exe = Make(maker.Finish());
  EXPECT_EQ((*exe.Run({{"z", Of<float>({1, 2, 3, 4, 5}, {5})}}))[0].second.dims(), (Dims{2}));
  EXPECT_EQ(FeedError(exe, {{"z", RandomTensor({4}, 1)}}),
            "error[E0605 input-shape]: input 'z' is f32[2*N + 1]: dim 0 is 4, and 2*N + 1 is that for no N\n"
            "  --> net.cc:5\n"
            "  'z' is declared as f32[2*N + 1] (net.cc:5) and was fed [4]");
  PlanMaker unbound;
  unbound.Copy(unbound.Output("out", "f32[N]"), unbound.Input("z", "f32[N*N]"), {1});
  EXPECT_EQ(BindSymbols(unbound.raw()).message(),
            "error[E0608 unbound-symbol]: the value of N follows from no input\n"
            "  help: declare an input that has N itself as a dim");
}

TEST(PlanTest, VerifyFindsWhatIsWrong) {
  const auto verify = [](auto edit) {
    Plan plan = SmallPlan("f32[4]");
    edit(plan);
    return std::string(VerifyPlan(plan).message());
  };
  using testing::HasSubstr;
  EXPECT_EQ(verify([](Plan&) {}), "");
  EXPECT_THAT(verify([](Plan& p) { std::swap(p.steps[0], p.steps[1]); }), HasSubstr("p is read before"));
  EXPECT_THAT(verify([](Plan& p) { p.steps.push_back(p.steps[0]); }), HasSubstr("p is written again"));
  EXPECT_THAT(verify([](Plan& p) { p.steps.pop_back(); }), HasSubstr("output 'y' is never written"));
  EXPECT_THAT(verify([](Plan& p) { std::get<FusedStep>(p.steps[0].work).inputs[0] = 99; }),
              HasSubstr("operand is no value"));
  EXPECT_THAT(verify([](Plan& p) { p.values[0].type.dtype = DType::kI32; }), HasSubstr("takes x as f32"));
  EXPECT_THAT(verify([](Plan& p) { p.values[0].index = 5; }), HasSubstr("storage index 5"));
  EXPECT_THAT(verify([](Plan& p) { p.values[2].storage = StorageKind::kAlias, p.values[2].index = 2; }),
              HasSubstr("alias of itself"));
}

TEST(PlanTest, VerifyFindsWhatIsWrongWithViews) {
  using testing::HasSubstr;
  // Two parts of y, written by a step each, and a view across them, which a third reads.
  const auto verify = [](auto edit) {
    PlanMaker maker;
    const int x = maker.Input("x", "f32[4]"), wide = maker.Arena("wide", "f32[8]");
    maker.Map(maker.View("a", "f32[4]", wide, 0), {x}, NegOf);
    maker.Map(maker.View("b", "f32[4]", wide, 4), {x}, NegOf);
    maker.Map(maker.Output("y", "f32[4]"), {maker.View("middle", "f32[4]", wide, 2)}, NegOf);
    Plan plan = maker.Finish();
    edit(plan);
    return std::string(VerifyPlan(plan).message());
  };
  EXPECT_EQ(verify([](Plan&) {}), "");
  EXPECT_THAT(verify([](Plan& p) { p.values[3].offset = 5; }),
              HasSubstr("b f32[4] is an alias of wide f32[8] from element 5 on"));
  EXPECT_THAT(verify([](Plan& p) { p.values[3].offset = -1; }), HasSubstr("from element -1 on"));
  EXPECT_THAT(verify([](Plan& p) { p.views.clear(); }), HasSubstr("a f32[4] is an alias of wide f32[8]"));
  EXPECT_THAT(verify([](Plan& p) { p.views[0].value = 9; }), HasSubstr("a view is no value"));
  EXPECT_THAT(verify([](Plan& p) { p.steps.erase(p.steps.begin(), p.steps.begin() + 2); }),
              HasSubstr("middle is read before it is written"));
  EXPECT_THAT(verify([](Plan& p) { std::get<FusedStep>(p.steps[1].work).outputs[0] = 2; }),
              HasSubstr("a is written again"));
  EXPECT_THAT(verify([](Plan& p) { std::get<FusedStep>(p.steps[1].work).outputs[0] = 1; }),
              HasSubstr("wide is written again"));
}

}  // namespace
}  // namespace tenfold
