// SPDX-License-Identifier: Apache-2.0
//
// A negative test for each code that the compiler reports.
#include <gtest/gtest.h>

#include <string>

#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/fused/lower.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

// What lowering says of the group that `build` makes.
template <typename Build>
std::string Lowered(Build build) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {4, 8});
  g.Output("y", build(g, x));
  const auto graph = std::move(g).Build();
  if (!graph.ok()) return std::string(graph.status().message());
  const absl::StatusOr<LoweredKernel> kernel = LowerToKernel(*graph, "group");
  return kernel.ok() ? "lowered" : std::string(kernel.status().message());
}

TEST(Lower, TakesWhatIsOfOneForm) {
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return Exp(x * 2) + x; }), "lowered");
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return Exp(Transpose(x)); }), "lowered");
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return x / ReduceSum(Exp(x), {.axes = {1}}); }), "lowered");
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return ReduceMax(x) * 2; }), "lowered");
}

TEST(Lower, E0801SaysWhatDoesNotFit) {
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return MatMul(x, Transpose(x)); }),
            "error[E0801 not-fusible]: MatMul is not part of a fused kernel");
  EXPECT_EQ(Lowered([](GraphBuilder&, Value x) { return Transpose(Exp(x)); }),
            "error[E0801 not-fusible]: Transpose reads a value that is not in memory");
  const auto two_axes = [](GraphBuilder&, Value x) {
    return ReduceSum(x, {.axes = {0}}) + ReduceSum(x, {.axes = {1}});
  };
  EXPECT_EQ(Lowered(two_axes).find("error[E0801 not-fusible]"), 0u) << Lowered(two_axes);
}

// What the pipeline says with these options.
std::string Refusal(const CompileOptions& options) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {"N"});
  g.Output("y", g.Named(Exp(x), "exponential"));
  const auto graph = std::move(g).Build();
  CompileReport report;
  const absl::Status status = RunPipeline(*graph, options, Stage::kPlanned, report);
  return status.ok() ? "ok" : std::string(status.message());
}

TEST(Pipeline, E0107OffersTheNearestName) {
  CompileOptions options;
  options.fetches = {"exponentail"};
  EXPECT_EQ(Refusal(options),
            "error[E0107 unknown-name]: there is no value 'exponentail' to fetch\n  help: did you mean "
            "'exponential'?");
  options.fetches = {"exponential", "x"};
  EXPECT_EQ(Refusal(options), "ok");
}

TEST(Pipeline, E0802NamesTheOption) {
  CompileOptions options;
  options.disabled_passes = {"fold-constant"};
  EXPECT_EQ(
      Refusal(options),
      "error[E0802 bad-option]: there is no pass 'fold-constant'\n  help: did you mean 'fold-constants'?");
  options = {};
  options.opt_level = 3;
  EXPECT_EQ(Refusal(options), "error[E0802 bad-option]: optimization level 3 is not 0, 1 or 2");
}

}  // namespace
}  // namespace tenfold
