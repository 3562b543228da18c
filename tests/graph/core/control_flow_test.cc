// SPDX-License-Identifier: Apache-2.0
//
// Branches, loops and functions in C++.
#include "tenfold/graph/control_flow.h"

#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Evaluated(const Graph& graph, const std::vector<Tensor>& feeds) {
  EXPECT_TRUE(VerifyGraph(graph).ok()) << VerifyGraph(graph);
  const absl::StatusOr<std::vector<Tensor>> results = EvaluateGraph(graph, feeds);
  EXPECT_TRUE(results.ok()) << results.status();
  std::vector<std::string> texts;
  if (!results.ok()) return texts;
  for (const Tensor& tensor : *results) texts.push_back(tensor.ToString());
  return texts;
}

Tensor Floats(const std::vector<float>& values) {
  return *Tensor::FromVector(values, Dims{static_cast<int64_t>(values.size())});
}

std::vector<std::string> Errors(GraphBuilder&& g) {
  std::vector<std::string> messages;
  for (const Diagnostic& d : DiagnosticsOf(std::move(g).Build().status())) messages.push_back(d.message);
  return messages;
}

TEST(ControlFlow, IfUsesValuesFromOutside) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  Value c = g.Input("c", DType::kBool, Shape());
  Value scaled = x * 2.0;
  Values y = If(c, [&] { return Values{scaled + 1.0, x}; }, [&] { return Values{-x, scaled}; });
  ASSERT_EQ(y.size(), 2u);
  EXPECT_EQ(y[0].type().ToString(), "f32[N]");
  g.Output("a", y[0]);
  g.Output("b", y[1]);
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_THAT(PrintText(*graph), HasSubstr("graph then() -> (result0=add, result1=x) {\n"
                                           "      add = Add(mul, 1)\n"));
  EXPECT_THAT(Evaluated(*graph, {Floats({1, 2}), Tensor::Scalar(true)}),
              ElementsAre("f32[2] {3, 5}", "f32[2] {1, 2}"));
  EXPECT_THAT(Evaluated(*graph, {Floats({1, 2}), Tensor::Scalar(false)}),
              ElementsAre("f32[2] {-1, -2}", "f32[2] {2, 4}"));
}

TEST(ControlFlow, LoopCarriesAndStacks) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  LoopResults r = Loop(3, std::nullopt, {x}, [&](Value, Value, Values carried) -> LoopStep {
    const Value next = carried[0] + x;
    return {.carried = {next}, .rows = {next}};
  });
  ASSERT_EQ(r.rows.size(), 1u);
  EXPECT_EQ(r.rows[0].type().ToString(), "f32[3,N]");
  g.Output("y", r.carried[0]);
  g.Output("rows", r.rows[0]);
  EXPECT_THAT(Evaluated(*std::move(g).Build(), {Floats({1, 2})}),
              ElementsAre("f32[2] {4, 8}", "f32[3,2] {2, 4, 3, 6, 4, 8}"));
}

TEST(ControlFlow, LoopEndsByACondition) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {1});
  LoopResults r = Loop(std::nullopt, std::nullopt, {x}, [&](Value, Value, Values carried) -> LoopStep {
    const Value next = carried[0] * 2.0;
    return {.condition = ApplyOp("Less", {next, 10.0}), .carried = {next}, .rows = {next}};
  });
  EXPECT_EQ(r.rows[0].type().ToString(), "f32[loop_0,1]");
  g.Output("rows", r.rows[0]);
  EXPECT_THAT(Evaluated(*std::move(g).Build(), {Floats({1})}), ElementsAre("f32[4,1] {2, 4, 8, 16}"));
}

TEST(ControlFlow, ScanGoesOverElements) {
  GraphBuilder g("g");
  Value s = g.Input("s", DType::kF32, Shape());
  Value x = g.Input("x", DType::kF32, {2, "T"});
  LoopResults r = Scan({s}, {x},
                       [&](Values carried, Values elements) -> ScanStep {
                         const Value sum = ApplyOp("ReduceSum", {elements[0]}, {{"keepdims", false}});
                         const Value next = carried[0] + sum;
                         return {.carried = {next}, .rows = {next}};
                       },
                       {.input_axes = {1}, .output_directions = {1}});
  EXPECT_EQ(r.rows[0].type().ToString(), "f32[T]");
  g.Output("rows", r.rows[0]);
  const Tensor x_value = *Tensor::FromVector(std::vector<float>{1, 2, 3, 10, 20, 30}, Dims{2, 3});
  EXPECT_THAT(Evaluated(*std::move(g).Build(), {Tensor::Scalar(0.f), x_value}),
              ElementsAre("f32[3] {66, 33, 11}"));
}

// What a function captures becomes a further argument of every call.
TEST(ControlFlow, FunctionsAreSharedAndTakeAnySize) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  Value y = g.Input("y", DType::kF32, {3});
  Value k = g.Input("k", DType::kF32, Shape());
  const Function f = DefineFunction(g, "scale", {{DType::kF32, Shape{Dim::Symbol("B")}}},
                                    [&](Values p) { return Values{p[0] * k}; });
  Values a = Call(f, {x});
  Values b = Call(f, {y});
  EXPECT_EQ(a[0].type().ToString(), "f32[N]");
  EXPECT_EQ(b[0].type().ToString(), "f32[3]");
  g.Output("a", a[0]);
  g.Output("b", b[0]);
  const Graph graph = *std::move(g).Build();
  EXPECT_EQ(FunctionsOf(graph).size(), 1u);
  EXPECT_THAT(Evaluated(graph, {Floats({1}), Floats({1, 2, 3}), Tensor::Scalar(2.f)}),
              ElementsAre("f32[1] {2}", "f32[3] {2, 4, 6}"));
}

TEST(ControlFlow, FirstCausesAreReported) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  Value c = g.Input("c", DType::kBool, Shape());
  Value inside;
  Values y = If(
      c,
      [&] {
        inside = x + 1.0;
        return Values{inside};
      },
      [&] { return Values{x + c}; });
  EXPECT_TRUE(y[0].poison());
  Value z = y[0] + 1.0;  // silent
  (void)z;
  g.Output("inside", inside);
  Value w = inside + x;
  EXPECT_TRUE(w.poison());
  EXPECT_THAT(Errors(std::move(g)), ElementsAre(HasSubstr("Add 'add': b 'c' is bool[], but Add takes"),
                                                "output 'inside' belongs to a body that has ended",
                                                "operand 0 of Add belongs to a body that has ended"));
}

TEST(ControlFlow, WrongBodiesAreRefused) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  Loop(2, std::nullopt, {x}, [&](Value, Value, Values) -> LoopStep { return {.carried = {}}; });
  If(x, [&] { return Values{x}; }, [&] { return Values{x}; });
  Value c = g.Input("c", DType::kBool, Shape());
  If(
      c,
      [&] {
        g.Output("y", x);
        return Values{g.Input("late", DType::kF32, {2})};
      },
      [&] { return Values{x}; });
  If(c, [&] { return Values(); }, [&] { return Values(); });
  (void)DefineFunction(g, "f", {}, [&](Values) { return Values{x}; });
  (void)DefineFunction(g, "f", {}, [&](Values) { return Values{x}; });
  EXPECT_THAT(Errors(std::move(g)),
              ElementsAre("the body of Loop does not give 1 carried value back",
                          HasSubstr("condition 'x' is f32[N], but If takes bool"),
                          "output 'y' is declared within a body", "the input 'late' stands within a body",
                          "If 'if': the body gives no results", "there is a function 'f' already"));
}

// Types of a graph can be made more precise, and bodies follow.
TEST(ControlFlow, ReinferFollowsInputs) {
  GraphBuilder g("g");
  Value x = g.Input("x", DType::kF32, {"N"});
  Value n = g.Input("n", DType::kI64, Shape());
  LoopResults r = Loop(n, std::nullopt, {x}, [&](Value, Value, Values carried) -> LoopStep {
    return {.carried = {carried[0] + x}, .rows = {x}};
  });
  g.Output("y", r.carried[0]);
  g.Output("rows", r.rows[0]);
  Graph graph = *std::move(g).Build();
  EXPECT_EQ(graph.value(graph.outputs()[1].value).type.ToString(), "f32[loop_0,N]");
  ASSERT_TRUE(graph.SetInputType(graph.inputs()[0], {DType::kF32, Shape{5}}).ok());
  ASSERT_TRUE(graph.Reinfer().ok());
  EXPECT_EQ(graph.value(graph.outputs()[0].value).type.ToString(), "f32[5]");
  EXPECT_EQ(graph.value(graph.outputs()[1].value).type.ToString(), "f32[loop_0,5]");
  EXPECT_TRUE(VerifyGraph(graph).ok()) << VerifyGraph(graph);
  // An input cannot have the size that a node gives.
  EXPECT_EQ(
      DiagnosticsOf(graph.SetInputType(graph.inputs()[0], {DType::kF32, Shape{Dim::Symbol("loop_0")}}))[0]
          .message,
      "the symbol loop_0 is a size that only a run knows, and an input cannot declare it");
}

TEST(ControlFlow, SymbolsAreSubstituted) {
  const SymbolMap by = {{"N", *Dim::Parse("2*M")}, {"K", Dim(3)}};
  EXPECT_EQ(Dim::Parse("N*K + floordiv(N, 2) + max(K, P) + 1")->Substitute(by).ToString(),
            "7*M + max(P, 3) + 1");
  EXPECT_EQ(Dim::Parse("mod(N, 2) + min(K, 2)")->Substitute(by).ToString(), "2");
}

}  // namespace
}  // namespace tenfold
