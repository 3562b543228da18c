// SPDX-License-Identifier: Apache-2.0
//
// Contracts on the way through the compiler: no pass loses one, and every tier holds feeds against them.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

constexpr char kModel[] = R"(tenfold 1

graph model(x: f32[N,2] contract("train.npy", rows=3, axis=1, min=f32[2] {0, -1}, max=f32[2] {1, 1}), w: f32[2]) -> (p) {
  c = Const f32[2] {1, 2}
  d = Mul(c, c)
  s = Mul(x, d)
  t = Add(s, w)
  p = Softmax(t)
}
)";

TEST(CompilerContract, EveryStageKeepsIt) {
  const absl::StatusOr<Graph> graph = ParseText(kModel);
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->contracts.size(), 1u);
  CompileReport report;
  ASSERT_TRUE(RunPipeline(*graph, {}, Stage::kPlanned, report).ok());
  EXPECT_EQ(report.stages.size(), 6u);
  for (const auto& [stage, staged] : report.stages) {
    EXPECT_TRUE(staged.contracts == graph->contracts) << Name(stage);
    EXPECT_TRUE(VerifyGraph(staged).ok()) << Name(stage);
  }
  ASSERT_TRUE(report.plan.has_value());
  EXPECT_TRUE(report.plan->inputs[0].contract == graph->contracts.at("x"));
  EXPECT_FALSE(report.plan->inputs[1].contract.has_value());
  EXPECT_THAT(ToString(*report.plan),
              HasSubstr("contract of 'x': 3 rows of 2 columns from train.npy, no NaN\n"));
}

TEST(CompilerContract, EveryTierHoldsFeedsAgainstIt) {
  const absl::StatusOr<Graph> graph = ParseText(kModel);
  ASSERT_TRUE(graph.ok()) << graph.status();
  const auto feeds = [](float value) {
    return NamedTensors{{"x", *Tensor::FromVector<float>({0, 0, 1, value}, Dims{2, 2})},
                        {"w", *Tensor::FromVector<float>({1e9f, -1e9f}, Dims{2})}};
  };
  for (const JitMode jit : {JitMode::kWait, JitMode::kBackground, JitMode::kOff}) {
    for (const int level : {0, 2}) {
      const absl::StatusOr<Executable> exe = Compile(*graph, {.opt_level = level, .jit = jit});
      ASSERT_TRUE(exe.ok()) << exe.status();
      EXPECT_TRUE(exe->Run(feeds(1)).ok());
      EXPECT_THAT(std::string(exe->Run(feeds(1.5)).status().message()),
                  HasSubstr("column 1 of 'x': 1.5 at row 1; the contract saw -1 to 1 in 3 rows"));
      EXPECT_TRUE(exe->Run(feeds(1.5), {.contract = ContractMode::kOff}).ok());
    }
  }
}

// Contracts follow the inputs that they are about.
TEST(CompilerContract, RenamedInputsKeepTheirContracts) {
  Graph graph = *ParseText(kModel);
  const Contract contract = graph.contracts.at("x");
  const ValueId x = *graph.FindValue("x"), w = *graph.FindValue("w");
  ASSERT_TRUE(graph.Rename(x, "image").ok());
  EXPECT_TRUE(graph.contracts.at("image") == contract);
  EXPECT_EQ(graph.contracts.size(), 1u);
  graph.SwapNames(x, w);
  EXPECT_TRUE(graph.contracts.at("w") == contract);
  EXPECT_EQ(graph.contracts.size(), 1u);
  EXPECT_TRUE(VerifyGraph(graph).ok());
  graph.contracts["y"] = contract;
  EXPECT_THAT(std::string(VerifyGraph(graph).message()),
              HasSubstr("there is a contract of 'y', which is no input"));
  graph.contracts.erase("y");
  graph.contracts.at("w").rows = -1;
  EXPECT_THAT(std::string(VerifyGraph(graph).message()), HasSubstr("the contract of 'w': it saw -1 rows"));
}

}  // namespace
}  // namespace tenfold
