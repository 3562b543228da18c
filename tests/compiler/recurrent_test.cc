// SPDX-License-Identifier: Apache-2.0
//
// Recurrent layers in plans: what is left to do in each step when the weights are constant, products by a
// library, and what folding thinks that they take.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/runtime/plan.h"
#include "tenfold/tests/ramp.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kInput = 48, kHidden = 64;

Tensor Small(Dims dims) {
  Tensor tensor = Ramp(DType::kF32, dims);
  for (float& v : tensor.mutable_values<float>()) v /= 16;
  return tensor;
}

// An LSTM in `direction`, whose products are large enough for a library.
Graph Layer(const Shape& x_shape, const std::string& direction, bool lengths) {
  GraphBuilder g("layer");
  const int64_t directions = direction == "bidirectional" ? 2 : 1;
  const Value x = g.Input("x", DType::kF32, x_shape);
  Operand lens = std::nullopt;
  if (lengths) lens = g.Input("lens", DType::kI32, Shape{x_shape.dim(1)});
  const LSTMResults layer =
      LSTM(x, g.Const(Small({directions, 4 * kHidden, kInput}), "w"),
           g.Const(Small({directions, 4 * kHidden, kHidden}), "r"),
           g.Const(Small({directions, 8 * kHidden}), "b"), lens, std::nullopt, std::nullopt,
           g.Const(Small({directions, 3 * kHidden}), "p"), {.direction = direction});
  g.Output("y", layer.y);
  g.Output("h", layer.y_h);
  g.Output("c", layer.y_c);
  return *std::move(g).Build();
}

std::vector<std::string> KindsOf(const Plan& plan) {
  std::vector<std::string> kinds;
  for (const PlanStep& step : plan.steps) {
    constexpr const char* kNames[] = {"kernel", "product", "copy", "host kernel", "shape", "control"};
    kinds.emplace_back(kNames[step.work.index()]);
  }
  return kinds;
}

TEST(Recurrent, AStepIsAProductByAPackedConstantAndOneKernel) {
  for (const bool lengths : {false, true}) {
    CompileReport report;
    const Graph graph = Layer({20, 4, kInput}, "reverse", lengths);
    ASSERT_TRUE(RunPipeline(graph, {}, Stage::kPlanned, report).ok());
    const ControlStep* scan = nullptr;
    for (const PlanStep& step : report.plan->steps) {
      if (std::holds_alternative<ControlStep>(step.work)) scan = &std::get<ControlStep>(step.work);
    }
    ASSERT_NE(scan, nullptr) << ToString(*report.plan);
    EXPECT_EQ(scan->layout.captured, 0);
    const Plan& body = *scan->bodies[0];
    std::vector<std::string> kinds = KindsOf(body);
    // Without lengths y is the hidden state itself, which is carried, too.
    if (!lengths && kinds.back() == "copy") kinds.pop_back();
    EXPECT_THAT(kinds, ElementsAre("product", "kernel")) << ToString(body);
    const auto& product = std::get<MatMulStep>(body.steps[0].work);
    EXPECT_EQ(body.values[body.Root(product.rhs)].storage, StorageKind::kConstant);
  }
}

// Cutting weights apart frees what they were cut from.
TEST(Recurrent, FoldedWeightsTakeNoMoreMemory) {
  for (const bool gru : {false, true}) {
    GraphBuilder g("layer");
    const Value x = g.Input("x", DType::kF32, {"S", "N", kInput});
    const int64_t gates = gru ? 3 : 4;
    const Value w = g.Const(Small({2, gates * kHidden, kInput}), "w"),
                r = g.Const(Small({2, gates * kHidden, kHidden}), "r"),
                b = g.Const(Small({2, 2 * gates * kHidden}), "b");
    const std::string both = "bidirectional";
    g.Output("y", gru ? GRU(x, w, r, b, std::nullopt, std::nullopt, {.direction = both}).y
                      : LSTM(x, w, r, b, std::nullopt, std::nullopt, std::nullopt, std::nullopt,
                             {.direction = both})
                            .y);
    CompileOptions options;
    options.fold_budget.max_growth_bytes = 0;
    CompileReport report;
    ASSERT_TRUE(RunPipeline(*std::move(g).Build(), options, Stage::kPlanned, report).ok());
    int scans = 0;
    for (const PlanStep& step : report.plan->steps) {
      const auto* const scan = std::get_if<ControlStep>(&step.work);
      if (scan == nullptr) continue;
      ++scans;
      EXPECT_EQ(scan->layout.captured, 0) << ToString(*report.plan);
    }
    EXPECT_EQ(scans, 2);
  }
}

TEST(Recurrent, WeightsAreTransposedWhileCompiling) {
  CompileReport report;
  ASSERT_TRUE(RunPipeline(Layer({20, 4, kInput}, "forward", false), {}, Stage::kPlanned, report).ok());
  std::vector<std::string> kinds = KindsOf(*report.plan);
  std::erase(kinds, "copy");
  EXPECT_THAT(kinds, ElementsAre("product", "control")) << ToString(*report.plan);
  EXPECT_LE(report.plan->steps.size(), 2 + report.plan->outputs.size());  // nothing else is copied
}

TEST(Recurrent, LibrariesThreadsAndExtents) {
  for (const char* direction : {"forward", "reverse", "bidirectional"}) {
    for (const bool lengths : {false, true}) {
      const Graph graph = Layer({Dim::Symbol("S"), Dim::Symbol("N"), kInput}, direction, lengths);
      const Executable one = *Compile(graph, {.threads = 1}), four = *Compile(graph, {.threads = 4});
      for (const auto& [steps, batch] : {std::pair<int64_t, int64_t>{9, 3}, {1, 1}, {0, 3}, {5, 0}, {9, 3}}) {
        NamedTensors feeds = {{"x", Small({steps, batch, kInput})}};
        if (lengths) {
          Tensor lens = *Tensor::Allocate(DType::kI32, Dims{batch});
          for (int64_t b = 0; b < batch; ++b)
            lens.mutable_values<int32_t>()[b] = static_cast<int32_t>(b % (steps + 1));
          feeds.push_back({"lens", lens});
        }
        std::vector<Tensor> inputs;
        for (const auto& [name, tensor] : feeds) inputs.push_back(tensor);
        const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(graph, inputs);
        ASSERT_TRUE(want.ok()) << want.status();
        const absl::StatusOr<NamedTensors> got = one.Run(feeds), again = four.Run(feeds);
        ASSERT_TRUE(got.ok()) << got.status();
        ASSERT_TRUE(again.ok()) << again.status();
        for (size_t i = 0; i < want->size(); ++i) {
          EXPECT_TRUE(SameBits((*got)[i].second, (*again)[i].second)) << "output " << i;
          const auto a = (*got)[i].second.values<float>(), b = (*want)[i].values<float>();
          ASSERT_EQ(a.size(), b.size());
          for (size_t k = 0; k < a.size(); ++k) {
            ASSERT_LE(std::abs(a[k] - b[k]), 2e-6)
                << "output " << i << ", " << k << " of " << steps << " steps";
          }
        }
      }
    }
  }
}

// The work within counts, not what goes in and comes out.
TEST(Recurrent, FoldingCountsTheProducts) {
  GraphBuilder g("constant");
  g.Output("y", LSTM(g.Const(Small({30, 5, kInput}), "x"), g.Const(Small({1, 4 * kHidden, kInput}), "w"),
                     g.Const(Small({1, 4 * kHidden, kHidden}), "r"))
                    .y);
  const Graph graph = *std::move(g).Build();
  const std::optional<int64_t> work = EstimateOperations(graph, graph.producer(graph.outputs()[0].value));
  ASSERT_TRUE(work.has_value());
  EXPECT_GT(*work, 30 * 5 * 4 * kHidden * (kInput + kHidden));
  const auto remarks = [&](int64_t budget) {
    CompileOptions options;
    options.fold_budget.max_operations = budget;
    CompileReport report;
    EXPECT_TRUE(RunPipeline(graph, options, Stage::kFolded, report).ok());
    std::vector<std::string> texts;
    for (const Remark& remark : report.remarks) texts.push_back(remark.ToString());
    return texts;
  };
  EXPECT_THAT(remarks(*work), ElementsAre(HasSubstr("did  LSTM 'lstm'")));
  EXPECT_THAT(remarks(*work - 1), ElementsAre(HasSubstr("left LSTM 'lstm': it takes about")));
}

// What was over the budget once is not computed after all when composites are in parts.
TEST(Recurrent, TheBudgetIsOneForAllFolding) {
  GraphBuilder g("constant");
  g.Output("n", Neg(g.Const(Small({1000}), "a")));  // takes 1000 elements, gives 1000
  g.Output("p", Softmax(g.Const(Small({4, 10}), "b")));
  const Graph graph = *std::move(g).Build();
  const auto folded = [&](int64_t budget) {
    CompileOptions options;
    options.fold_budget.max_operations = budget;
    CompileReport report;
    EXPECT_TRUE(RunPipeline(graph, options, Stage::kFused, report).ok());
    std::vector<std::string> texts;
    for (const Remark& remark : report.remarks) {
      if (remark.did && remark.pass.starts_with("fold-constants")) texts.push_back(remark.ToString());
    }
    return texts;
  };
  EXPECT_THAT(folded(2000), ElementsAre("fold-constants: did  Neg 'neg': 1000 values, 4000 bytes"));
  EXPECT_THAT(folded(4000), ElementsAre(HasSubstr("Neg 'neg'"), HasSubstr("Softmax 'softmax'")));
}

TEST(Recurrent, WeightsOfTwoDirectionsNeedBoth) {
  GraphBuilder g("layer");
  const Value x = g.Input("x", DType::kF32, {"S", "N", 3});
  g.Output("y", RNN(x, g.Input("w", DType::kF32, {2, 4, 3}), g.Input("r", DType::kF32, {2, 4, 4})).y);
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  ASSERT_FALSE(graph.ok());
  const Diagnostic d = DiagnosticsOf(graph.status())[0];
  EXPECT_EQ(d.code, "E0201");
  EXPECT_EQ(d.message, "RNN 'rnn': w 'w' is f32[2,4,3], but must be [1,4,3]");
  EXPECT_THAT(d.help, ElementsAre("weights of two directions need direction=\"bidirectional\""));
}

}  // namespace
}  // namespace tenfold
