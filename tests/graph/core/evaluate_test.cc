// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/evaluate.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

// The only output of what `build` makes of inputs typed as `feeds` are, as text; or the error's first line.
template <typename Build>
std::string Evaluated(const std::vector<Tensor>& feeds, Build build) {
  GraphBuilder g;
  std::vector<Value> inputs;
  for (const Tensor& feed : feeds) {
    inputs.push_back(g.Input("in" + std::to_string(inputs.size()), feed.dtype(), feed.type().shape));
  }
  g.Output("y", build(inputs));
  const auto graph = std::move(g).Build();
  if (!graph.ok()) return std::string(graph.status().message());
  const auto results = EvaluateGraph(*graph, feeds);
  if (!results.ok()) return DiagnosticsOf(results.status())[0].message;
  return (*results)[0].ToString();
}

template <typename T>
Tensor Make(std::vector<T> values, Dims dims) {
  return *Tensor::FromVector<T>(values, dims);
}

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Evaluate, BroadcastsAndKeepsEmptyAndZeroDimensionalTensors) {
  const auto add = [](auto& in) { return in[0] + in[1]; };
  EXPECT_EQ(Evaluated({Make<int32_t>({1, 2, 3}, {3}), Make<int32_t>({10, 20}, {2, 1})}, add),
            "i32[2,3] {11, 12, 13, 21, 22, 23}");
  EXPECT_EQ(Evaluated({Make<int32_t>({1}, {}), Make<int32_t>({2}, {})}, add), "i32[] {3}");
  EXPECT_EQ(Evaluated({Make<int32_t>({}, {0, 3}), Make<int32_t>({1, 2, 3}, {3})}, add), "i32[0,3] {}");
  EXPECT_EQ(Evaluated({Make<int8_t>({127}, {1}), Make<int8_t>({1}, {1})}, add), "i8[1] {-128}");
}

TEST(Evaluate, IntegerDivisionByZeroNamesNodeAndElement) {
  EXPECT_EQ(Evaluated({Make<int32_t>({1, 2, 3, 4}, {2, 2}), Make<int32_t>({1, 0}, {2})},
                      [](auto& in) { return in[0].builder()->Named(in[0] / in[1], "q"); }),
            "integer division by zero at [0,1] of Div 'q'");
  EXPECT_EQ(
      Evaluated({Make<float>({1, 0}, {2}), Make<float>({0, 0}, {2})}, [](auto& in) { return in[0] / in[1]; }),
      "f32[2] {inf, nan}");
}

TEST(Evaluate, SpecialValues) {
  const Tensor x = Make<float>({0.0f, -0.0f, kInf, -kInf, kNan}, {5});
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return -in[0]; }), "f32[5] {-0, 0, -inf, inf, nan}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Max(in[0], 0.0); }), "f32[5] {0, 0, inf, 0, nan}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Exp(in[0]); }), "f32[5] {1, 1, inf, 0, nan}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Sigmoid(in[0]); }), "f32[5] {0.5, 0.5, 1, 0, nan}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Tanh(in[0]); }), "f32[5] {0, -0, 1, -1, nan}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Equal(in[0], in[0]); }),
            "bool[5] {true, true, true, true, false}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Cast(in[0], {.to = DType::kU8}); }),
            "u8[5] {0, 0, 255, 0, 0}");
}

TEST(Evaluate, Movement) {
  const Tensor x = Make<int16_t>({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Transpose(in[0]); }), "i16[3,2] {1, 4, 2, 5, 3, 6}");
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Reshape(in[0], {3, -1}); }), "i16[3,2] {1, 2, 3, 4, 5, 6}");
  EXPECT_EQ(Evaluated({Make<int16_t>({}, {0, 2})}, [](auto& in) { return Transpose(in[0]); }), "i16[2,0] {}");
}

TEST(Evaluate, ReductionsOfEmptyRows) {
  const Tensor x = Make<float>({}, {2, 0});
  const auto sum = [](auto& in) { return ReduceSum(in[0], {.axes = {1}, .keepdims = false}); };
  const auto max = [](auto& in) { return ReduceMax(in[0], {.axes = {1}, .keepdims = false}); };
  EXPECT_EQ(Evaluated({x}, sum), "f32[2] {0, 0}");
  EXPECT_EQ(Evaluated({x}, max), "f32[2] {-inf, -inf}");
  EXPECT_EQ(Evaluated({Make<int8_t>({}, {2, 0})}, max), "i8[2] {-128, -128}");
  EXPECT_EQ(Evaluated({Make<float>({-0.0f, -0.0f}, {2, 1})}, sum), "f32[2] {-0, -0}");
}

TEST(Evaluate, MatMulOfVectorsBatchesAndNoTerms) {
  const auto product = [](auto& in) { return MatMul(in[0], in[1]); };
  const Tensor v = Make<int32_t>({1, 2}, {2}), m = Make<int32_t>({1, 2, 3, 4}, {2, 2});
  EXPECT_EQ(Evaluated({v, v}, product), "i32[] {5}");
  EXPECT_EQ(Evaluated({v, m}, product), "i32[2] {7, 10}");
  EXPECT_EQ(Evaluated({m, v}, product), "i32[2] {5, 11}");
  EXPECT_EQ(Evaluated({Make<int32_t>({1, 0, 0, 1, 2, 0, 0, 2}, {2, 2, 2}), m}, product),
            "i32[2,2,2] {1, 2, 3, 4, 2, 4, 6, 8}");
  EXPECT_EQ(Evaluated({Make<float>({}, {2, 0}), Make<float>({}, {0, 2})}, product), "f32[2,2] {0, 0, 0, 0}");
}

TEST(Evaluate, HalvesOfACompositeRoundOnce) {
  // In f32, the quotients are 1/3; rounding exp or the sum on the way would show.
  const Tensor x = Make<F16>({ToF16(1.0), ToF16(1.0), ToF16(1.0)}, {3});
  EXPECT_EQ(Evaluated({x}, [](auto& in) { return Softmax(in[0]) * 3; }), "f16[3] {1, 1, 1}");
}

TEST(Evaluate, SplatsStaySplatsWhateverTheirSize) {
  const float two = 2;
  const Tensor huge = *Tensor::Splat(DType::kF32, Dims{int64_t{1} << 20, int64_t{1} << 20}, &two);
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, huge.type().shape);
  const Value y = x * g.Const(Tensor::Scalar(3.0f), "three");
  const Value t = Transpose(x);
  for (const auto& [value, inputs] :
       {std::pair{y, std::vector<Tensor>{huge, Tensor::Scalar(3.0f)}}, {t, {huge}}}) {
    const auto result = EvaluateNode(g.graph(), g.graph().producer(value.id()), inputs);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_TRUE((*result)[0].is_splat());
  }
  EXPECT_EQ((*EvaluateNode(g.graph(), g.graph().producer(y.id()),
                           std::vector<Tensor>{huge, Tensor::Scalar(3.0f)}))[0]
                .at<float>(0),
            6.0f);
}

// Payloads survive movement, and are canonical once they are observed.
TEST(Evaluate, NansAreCanonicalWhereTheyAreObserved) {
  const Tensor x = Make<float>({std::bit_cast<float>(0xffc01234u), 1.0f}, {2});
  GraphBuilder g;
  const Value v = Transpose(Reshape(g.Input("x", DType::kF32, {2}), {1, 2}));
  g.Output("y", v);
  const auto observed = EvaluateGraph(g.graph(), std::vector<Tensor>{x});
  ASSERT_TRUE(observed.ok()) << observed.status();
  EXPECT_EQ(std::bit_cast<uint32_t>((*observed)[0].at<float>(0)), 0x7fc00000u);
  const auto moved =
      EvaluateNode(g.graph(), g.graph().producer(v.id()), std::vector<Tensor>{*x.Reshape(Dims{1, 2})});
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(std::bit_cast<uint32_t>((*moved)[0].at<float>(0)), 0xffc01234u);
}

TEST(Evaluate, AnotherNumberOfFeedsIsRefused) {
  GraphBuilder g;
  g.Output("y", -g.Input("x", DType::kF32, {2}));
  EXPECT_EQ(DiagnosticsOf(EvaluateGraph(g.graph(), {}).status())[0].message,
            "the graph takes 1 inputs, but got 0");
}

TEST(EstimateOperations, CountsElementsAndTerms) {
  GraphBuilder g;
  Value a = g.Input("a", DType::kF32, {10, 20}), b = g.Input("b", DType::kF32, {20, 30});
  Value n = g.Input("n", DType::kF32, {"N"});
  const auto count = [&](Value v) { return EstimateOperations(g.graph(), g.graph().producer(v.id())); };
  EXPECT_EQ(count(Exp(a)), 400);
  EXPECT_EQ(count(MatMul(a, b)), 200 + 600 + 300 + 10 * 20 * 30);
  EXPECT_EQ(count(Exp(n)), std::nullopt);
}

}  // namespace
}  // namespace tenfold
