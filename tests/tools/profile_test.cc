// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/profile.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/ops.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

// y = concat(x, x) + sum(x), in three steps.
Executable ThreeSteps() {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {4, 8});
  const Value two = Concat({x, x}, {.axis = 0}), all = ReduceSum(x);
  g.Output("y", two + all);
  return *Compile(*std::move(g).Build());
}

RunProfile RunOf(std::vector<int64_t> times) {
  RunProfile run;
  for (int64_t time : times) {
    run.steps.push_back({run.nanoseconds, time, {.operations = 320, .bytes = 640}});
    run.nanoseconds += time;
  }
  run.steps[0].work.operations = 0;
  run.nanoseconds += 10;  // between steps
  return run;
}

TEST(Profile, TheTableHasTheLongestStepFirst) {
  const Executable executable = ThreeSteps();
  ASSERT_EQ(executable.plan().steps.size(), 3u);
  const std::vector<RunProfile> runs = {RunOf({100, 640, 60}), RunOf({120, 900, 60}),
                                        RunOf({90, 320, 1'000'000})};
  const std::string table = ProfileTable(executable.plan(), runs);
  std::vector<std::string> names;
  for (const PlanStep& step : executable.plan().steps) names.push_back(step.nodes.back().op);
  EXPECT_EQ(names, (std::vector<std::string>{"Concat", "ReduceSum", "Add"}));
  EXPECT_THAT(table, MatchesRegex("  step +kind +time +share +GFLOP/s +GB/s\n"
                                  "  ReduceSum: [^ ]+ +kernel +640 ns +80.0 % +0.5 +1\n"
                                  "  Concat: [^ ]+ +copy +100 ns +12.5 % +- +6.4\n"
                                  "  Add: [^ ]+ +kernel +60 ns +7.5 % +5.33 +10.7\n"
                                  "  all steps: 800 ns; a run: 1.09 us, medians of 3 runs\n"));
  EXPECT_THAT(ProfileTable(executable.plan(), std::span(runs).first(1)),
              HasSubstr("  all steps: 800 ns; a run: 810 ns\n"));
}

TEST(Profile, TheTraceHasRunsAndTheirSteps) {
  const Executable executable = ThreeSteps();
  const std::vector<RunProfile> runs = {RunOf({100, 640, 60}), RunOf({120, 900, 60})};
  const nlohmann::json trace = nlohmann::json::parse(ProfileTrace(executable.plan(), runs));
  const nlohmann::json& events = trace["traceEvents"];
  ASSERT_EQ(events.size(), 1u + 2 * (1 + 3));
  EXPECT_EQ(events[0]["ph"], "M");
  EXPECT_EQ(events[1]["name"], "run 0");
  EXPECT_EQ(events[1]["dur"], 0.81);
  const nlohmann::json& sum = events[7];  // of the second run
  EXPECT_EQ(sum["ph"], "X");
  EXPECT_EQ(sum["ts"], 0.81 + 0.12);
  EXPECT_EQ(sum["dur"], 0.9);
  EXPECT_EQ(sum["cat"], "kernel");
  EXPECT_EQ(sum["args"]["step"], 1);
  EXPECT_EQ(sum["args"]["operations"], 320);
  EXPECT_EQ(sum["args"]["nodes"].size(), 1u);
}

// End to end.
using ProfileRunTest = ToolTest;

TEST_F(ProfileRunTest, WritesTableAndTrace) {
  WriteFile("net.tnt",
            "tenfold 1\ngraph net(x: f32[N,3], w: f32[3,2]) -> (y) {\n  m = MatMul(x, w)\n"
            "  y = Relu(m)\n}\n");
  const ToolResult result = Run(
      "tenfold-run net.tnt --input 'x=f32[2,3] splat 1' --input 'w=f32[3,2] splat 2' --jit wait --repeat 5 "
      "--profile-table --profile trace.json");
  EXPECT_EQ(result.err, "");
  EXPECT_THAT(result.out, HasSubstr("  MatMul: m"));
  EXPECT_THAT(result.out, HasSubstr(", medians of 5 runs\n"));
  const nlohmann::json trace = nlohmann::json::parse(ReadFile("trace.json"), nullptr, false);
  ASSERT_TRUE(trace.is_object());
  EXPECT_EQ(trace["traceEvents"].size(), 1u + 5 * 3);
}

TEST_F(ProfileRunTest, RefusesAFileThatCannotBeWritten) {
  WriteFile("net.tnt", "tenfold 1\ngraph net(x: f32[N]) -> (y) {\n  y = Relu(x)\n}\n");
  const ToolResult result = Run("tenfold-run net.tnt --input 'x=f32[2] splat 1' --profile nodir/trace.json");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_THAT(result.err, HasSubstr("error[E0523 cannot-write]"));
}

}  // namespace
}  // namespace tenfold
