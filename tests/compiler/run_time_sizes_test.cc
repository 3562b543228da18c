// SPDX-License-Identifier: Apache-2.0
//
// Results whose extents follow from values: what is computed with them, in graphs and in bodies, folded and
// not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/tests/compiler/run_everywhere.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPick[] = R"(
graph pick(x: f32[N,3], t: f32[]) -> (where, doubled, sums, n) {
  hot = Greater(x, t)
  where = NonZero(hot)
  rows = ReduceMax(hot, axes=[1], keepdims=false)
  picked = Compress(x, rows, axis=0)
  doubled = Mul(picked, 2)
  sums = ReduceSum(doubled, axes=[0], keepdims=false)
  n = Size(doubled)
}
)";

TEST(RunTimeSizes, AreComputedWith) {
  const std::string x = "f32[3,3] {1, 5, 2, 0, 0, 1, 7, 2, nan}";
  EXPECT_THAT(RunAll(kPick, {{"x", x}, {"t", "f32[] {1.5}"}}),
              ElementsAre("i64[2,4] {0, 0, 2, 2, 1, 2, 0, 1}", "f32[2,3] {2, 10, 4, 14, 4, nan}",
                          "f32[3] {16, 14, nan}", "i64[] {6}"));
  EXPECT_THAT(RunAll(kPick, {{"x", x}, {"t", "f32[] {6}"}}),
              ElementsAre("i64[2,1] {2, 0}", "f32[1,3] {14, 4, nan}", "f32[3] {14, 4, nan}", "i64[] {3}"));
  EXPECT_THAT(RunAll(kPick, {{"x", x}, {"t", "f32[] {inf}"}}),
              ElementsAre("i64[2,0] {}", "f32[0,3] {}", "f32[3] {0, 0, 0}", "i64[] {0}"));
  EXPECT_THAT(RunAll(kPick, {{"x", "f32[0,3] {}"}, {"t", "f32[] {0}"}}),
              ElementsAre("i64[2,0] {}", "f32[0,3] {}", "f32[3] {0, 0, 0}", "i64[] {0}"));
}

// One Invocation, whose sizes change with every run.
TEST(RunTimeSizes, ChangeFromRunToRun) {
  const absl::StatusOr<Executable> executable = Compile(Parse(kPick), {.threads = 2});
  ASSERT_TRUE(executable.ok()) << executable.status();
  Invocation call = executable->Prepare();
  std::vector<float> x(3000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 1000);
  ASSERT_TRUE(call.SetInput(0, x).ok());
  for (float t : {990.0f, 2000.0f, 0.5f, 500.0f, 500.0f, 998.0f}) {
    const std::vector<float> threshold = {t};
    ASSERT_TRUE(call.SetInput(1, threshold).ok());
    ASSERT_EQ(call.Run(), absl::OkStatus());
    int64_t hot = 0, rows = 0;
    for (size_t r = 0; r < 1000; ++r) {
      int64_t in_row = 0;
      for (size_t c = 0; c < 3; ++c) in_row += x[3 * r + c] > t;
      hot += in_row;
      rows += in_row > 0;
    }
    EXPECT_THAT(call.Output(0).dims, ElementsAre(2, hot));
    EXPECT_THAT(call.Output(1).dims, ElementsAre(rows, 3));
  }
}

// Each round keeps what is larger than its number.
TEST(RunTimeSizes, InTheBodyOfALoop) {
  constexpr char kText[] = R"(
graph rounds(x: f32[N]) -> (left, sums) {
  left, sums = Loop(4, _, x) {
    graph body(i, go, v) -> (go, kept, sum) {
      limit = Cast(i, to=f32)
      more = Greater(v, limit)
      kept = Compress(v, more)
      sum = ReduceSum(kept, axes=[0], keepdims=false)
    }
  }
}
)";
  EXPECT_THAT(RunAll(kText, {{"x", "f32[6] {0, 1, 2, 3, 4, 5}"}}),
              ElementsAre("f32[2] {4, 5}", "f32[4] {15, 14, 12, 9}"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2] {1, 0}"}}), ElementsAre("f32[0] {}", "f32[4] {1, 0, 0, 0}"));
}

TEST(RunTimeSizes, ErrorsOfValues) {
  const std::string text = R"(
graph g(x: f32[N], c: bool[M]) -> (y) {
  y = Compress(x, c)
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {1, 2}"}, {"c", "bool[3] {true, false, true}"}}),
              ElementsAre(HasSubstr("condition[2] is true, but there are only 2 to choose from")));
}

TEST(RunTimeSizes, FoldToConstants) {
  const Graph graph = Parse(R"(
graph g(x: f32[2]) -> (y, counts) {
  c = Const i64[5] {3, 1, 3, 0, 1}
  u, first, inverse, counts = Unique(c)
  w = NonZero(u)
  s = ReduceSum(w, axes=[0, 1], keepdims=false)
  f = Cast(s, to=f32)
  y = Add(x, f)
}
)");
  const absl::StatusOr<Executable> executable = Compile(graph, {.opt_level = 1});
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_EQ(executable->plan().stages.size(), 1u);
  for (const PlanStep& step : executable->plan().steps) {
    for (const PlanNode& node : step.nodes) EXPECT_NE(node.op, "Unique");
  }
  EXPECT_THAT(RunAll(graph, Feeds({{"x", "f32[2] {10, 20}"}})),
              ElementsAre("f32[2] {13, 23}", "i64[3] {1, 2, 2}"));
}

TEST(RunTimeSizes, AreLimited) {
  const Graph graph = Parse("graph g(x: i8[N,N]) -> (y) {\n  y = NonZero(x)\n}\n");
  CompileOptions options;
  options.limits.tensor_bytes = 10000;
  const Tensor x = *Tensor::Splat(DType::kI8, Dims{30, 30}, "\1");
  EXPECT_EQ(DiagnosticsOf(Compile(graph, options)->Run({{"x", x}}).status())[0].message,
            "NonZero 'y': a result takes 14400 bytes; the limit tensor_bytes is 10000");
  options.limits = {};
  options.memory_limit = 10000;
  const absl::Status status = Compile(graph, options)->Run({{"x", x}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("error[E0404 memory-limit]"));
}

}  // namespace
}  // namespace tenfold
