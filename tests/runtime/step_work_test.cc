// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/step_work.h"

#include "gtest/gtest.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

// The only step of a graph that gives `y`.
struct Compiled {
  Executable executable;
  const Plan& plan() const { return executable.plan(); }
  const PlanStep& step(size_t s = 0) const { return plan().steps[s]; }
};

Compiled CompileOutput(GraphBuilder& g, const Value& y) {
  g.Output("y", y);
  return {*Compile(*std::move(g).Build())};
}

TEST(StepWork, OfAKernel) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {"N", 8});
  const Compiled c = CompileOutput(g, Abs(x * 2.0 + 1.0));
  ASSERT_EQ(c.plan().steps.size(), 1u);
  const StepWork work = WorkOf(c.plan(), c.step(), {{"N", 5}});
  EXPECT_EQ(work.operations, 3 * 5 * 8);
  EXPECT_EQ(work.bytes, 2 * 5 * 8 * 4);
  EXPECT_EQ(KindOf(c.step()), "kernel");
  EXPECT_EQ(Describe(c.plan(), c.step()), "Mul, Add, Abs: abs");
}

TEST(StepWork, OfAReduction) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {6, 100});
  const Compiled c = CompileOutput(g, ReduceSum(x, {.axes = {1}}));
  const StepWork work = WorkOf(c.plan(), c.step(), {});
  EXPECT_EQ(work.operations, 600);
  EXPECT_EQ(work.bytes, 600 * 4 + 6 * 4);
}

TEST(StepWork, OfAMatMul) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {3, "M", 4}), w = g.Input("w", DType::kF32, {4, 5});
  const Compiled c = CompileOutput(g, MatMul(x, w));
  const StepWork work = WorkOf(c.plan(), c.step(), {{"M", 7}});
  EXPECT_EQ(work.operations, 2 * 3 * 7 * 4 * 5);
  EXPECT_EQ(work.bytes, 4 * (3 * 7 * 4 + 4 * 5 + 3 * 7 * 5));
  EXPECT_EQ(KindOf(c.step()), "matmul");
}

TEST(StepWork, OfAConvolution) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {2, 4, 10, 10}), w = g.Input("w", DType::kF32, {6, 2, 3, 3});
  const Compiled c = CompileOutput(g, Conv(x, w, std::nullopt, {.group = 2}));
  const StepWork work = WorkOf(c.plan(), c.step(), {});
  EXPECT_EQ(work.operations, 2.0 * 2 * 6 * 8 * 8 * 2 * 9);
  EXPECT_EQ(KindOf(c.step()), "host kernel");
}

TEST(StepWork, OfACopyAndAHostKernel) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kI64, {4, 3});
  const Compiled copy = CompileOutput(g, Concat({x, x}, {.axis = 1}));
  EXPECT_EQ(WorkOf(copy.plan(), copy.step(), {}).operations, 0);
  EXPECT_EQ(WorkOf(copy.plan(), copy.step(), {}).bytes, (12 + 24) * 8);
  GraphBuilder h;
  const Compiled sums = CompileOutput(h, CumSum(h.Input("x", DType::kI64, {4, 3}), 0));
  EXPECT_EQ(WorkOf(sums.plan(), sums.step(), {}).operations, 0);
  EXPECT_GE(WorkOf(sums.plan(), sums.step(), {}).bytes, 24 * 8);
}

TEST(StepWork, DescribesManyOps) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {8});
  for (int i = 0; i < 6; ++i) x = Abs(x + 1.0);
  const Compiled c = CompileOutput(g, x);
  ASSERT_EQ(c.plan().steps.size(), 1u);
  EXPECT_EQ(Describe(c.plan(), c.step()), "Add, Abs, Add, Abs and 8 more: abs.5");
}

}  // namespace
}  // namespace tenfold
