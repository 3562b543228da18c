// SPDX-License-Identifier: Apache-2.0
//
// Whole graphs through the whole compiler: every level, every tier, against node-by-node evaluation.
#include "tenfold/compiler/compile.h"

#include <gtest/gtest.h>

#include <vector>

#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/tests/ramp.h"

namespace tenfold {
namespace {

struct Way {
  int opt_level;
  JitMode jit;
  int threads;
};

std::vector<Way> AllWays() {
  std::vector<Way> ways;
  for (int level : {0, 2}) {
    for (JitMode jit : {JitMode::kWait, JitMode::kOff}) ways.push_back({level, jit, level == 0 ? 1 : 3});
  }
  ways.push_back({1, JitMode::kOff, 3});
  ways.push_back({2, JitMode::kBackground, 2});
  return ways;
}

// Every way of compiling gives the bits of the evaluation, for each of `runs`. Contractions run by the
// reference, whose bits are the op's.
void ExpectAllWaysAgree(const Graph& graph, const std::vector<NamedTensors>& runs) {
  for (const Way& way : AllWays()) {
    SCOPED_TRACE(testing::Message() << "-O" << way.opt_level << " jit " << static_cast<int>(way.jit)
                                    << " threads " << way.threads);
    CompileReport report;
    auto executable = Compile(
        graph,
        {.opt_level = way.opt_level, .jit = way.jit, .threads = way.threads, .reference_contractions = true},
        &report);
    ASSERT_TRUE(executable.ok()) << executable.status();
    for (const NamedTensors& feeds : runs) {
      std::vector<Tensor> in_order;
      for (const auto& [name, tensor] : feeds) in_order.push_back(tensor);
      const auto want = EvaluateGraph(graph, in_order);
      ASSERT_TRUE(want.ok()) << want.status();
      const auto got = executable->Run(feeds);
      ASSERT_TRUE(got.ok()) << got.status();
      ASSERT_EQ(got->size(), want->size());
      for (size_t i = 0; i < want->size(); ++i) {
        EXPECT_TRUE(SameBits((*got)[i].second, (*want)[i]))
            << (*got)[i].first << "\n got " << (*got)[i].second.ToString() << "\nwant "
            << (*want)[i].ToString() << "\n"
            << ToString(*report.plan);
      }
    }
  }
}

class EveryFloat : public testing::TestWithParam<DType> {};

TEST_P(EveryFloat, MultilayerPerceptronAgreesInEveryWay) {
  const DType t = GetParam();
  GraphBuilder g("mlp");
  Value x = g.Input("x", t, {"N", 64});
  Value h = Max(MatMul(x, g.Const(Ramp(t, {64, 24}), "w1")) + g.Const(Ramp(t, {24}), "b1"), 0);
  g.Output("probs",
           Softmax(MatMul(h, g.Const(Ramp(t, {24, 10}), "w2")) * 0.01 + g.Const(Ramp(t, {10}), "b2")));
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  std::vector<NamedTensors> runs;
  for (int64_t n : {0, 1, 5, 33}) runs.push_back({{"x", Ramp(t, {n, 64})}});
  ExpectAllWaysAgree(*graph, runs);
}

TEST_P(EveryFloat, ElementwiseChainWithBroadcastsAgreesInEveryWay) {
  const DType t = GetParam();
  GraphBuilder g("chain");
  Value x = g.Input("x", t, {"N", 1, 7});
  Value y = g.Input("y", t, {5, 1});
  Value a = Tanh(x + y) * Sigmoid(y);
  Value b = Where(Equal(a, 0.5), a, Gelu(a, {.approximate = "tanh"}) / (Exp(-x) + 1));
  g.Output("a", a);
  g.Output("b", b);
  g.Output("t", Transpose(b, {.perm = {2, 0, 1}}) + 1);
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  std::vector<NamedTensors> runs;
  for (int64_t n : {0, 1, 3, 40}) runs.push_back({{"x", Ramp(t, {n, 1, 7})}, {"y", Ramp(t, {5, 1})}});
  ExpectAllWaysAgree(*graph, runs);
}

TEST_P(EveryFloat, ReductionsOverEveryAxisAgreeInEveryWay) {
  const DType t = GetParam();
  for (const std::vector<int64_t>& axes :
       std::vector<std::vector<int64_t>>{{0}, {1}, {2}, {0, 2}, {0, 1}, {1, 2}, {}}) {
    for (bool keepdims : {false, true}) {
      GraphBuilder g("reduce");
      Value x = g.Input("x", t, {3, "K", 37});
      g.Output("sum", ReduceSum(x * x + 1, {.axes = axes, .keepdims = keepdims}));
      g.Output("max", Neg(ReduceMax(x, {.axes = axes, .keepdims = keepdims})));
      const auto graph = std::move(g).Build();
      ASSERT_TRUE(graph.ok()) << graph.status();
      std::vector<NamedTensors> runs;
      for (int64_t k : {0, 1, 130}) runs.push_back({{"x", Ramp(t, {3, k, 37})}});
      ExpectAllWaysAgree(*graph, runs);
    }
  }
}

TEST_P(EveryFloat, SoftmaxOverEveryAxisAgreesInEveryWay) {
  const DType t = GetParam();
  for (int64_t axis : {0, 1, 2, -1}) {
    GraphBuilder g("softmax");
    g.Output("y", Softmax(g.Input("x", t, {4, "K", 9}), {.axis = axis}));
    const auto graph = std::move(g).Build();
    ASSERT_TRUE(graph.ok()) << graph.status();
    std::vector<NamedTensors> runs;
    for (int64_t k : {1, 70}) runs.push_back({{"x", Ramp(t, {4, k, 9})}});
    ExpectAllWaysAgree(*graph, runs);
  }
}

INSTANTIATE_TEST_SUITE_P(Floats, EveryFloat,
                         testing::Values(DType::kF16, DType::kBF16, DType::kF32, DType::kF64),
                         [](const auto& info) { return std::string(Name(info.param)); });

TEST(Compile, OutputsThatAreInputsConstantsAndAliasesAreCopied) {
  GraphBuilder g("copies");
  Value x = g.Input("x", DType::kF32, {2, 3});
  g.Output("x", x);
  g.Output("again", x);
  g.Output("reshaped", Reshape(x, {3, 2}));
  g.Output("constant", g.Const(Ramp(DType::kI32, {4}), "c"));
  g.Output("sum", x + x);
  g.Output("sum_too", x + x);
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  ExpectAllWaysAgree(*graph, {NamedTensors{{"x", Ramp(DType::kF32, {2, 3})}}});
}

TEST(Compile, AnIntegerDivisionByZeroNamesNodeAndElement) {
  GraphBuilder g("div");
  Value x = g.Input("x", DType::kI32, {2, 3});
  g.Output("q", g.Named(Div(12, x + 0), "q"));
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  const Tensor fed = *Tensor::FromVector<int32_t>({1, 2, 3, 4, 0, 0}, Dims{2, 3});
  for (const Way& way : AllWays()) {
    auto executable = Compile(*graph, {.opt_level = way.opt_level, .jit = way.jit, .threads = way.threads});
    ASSERT_TRUE(executable.ok()) << executable.status();
    const auto got = executable->Run({{"x", fed}});
    ASSERT_FALSE(got.ok());
    EXPECT_NE(std::string(got.status().message()).find("[1,1] of Div 'q'"), std::string::npos)
        << got.status();
  }
}

}  // namespace
}  // namespace tenfold
