// SPDX-License-Identifier: Apache-2.0
//
// Shapes and values that movements give, of symbols too, and what the ops around shapes let inference follow.
#include <gtest/gtest.h>

#include <string>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/tests/graph/core/inference.h"

namespace tenfold {
namespace {

using testing::Ints;

TEST(InferMovement, SlicesOfSymbols) {
  INFERS("Slice", "f32[N,3] i64[1]{1} i64[1]{9223372036854775807}", "f32[N - min(N, 1),3]");
  INFERS("Slice", "f32[N] i64[1]{0} i64[1]{9223372036854775807}", "f32[N]");
  INFERS("Slice", "f32[N] i64[1]{-2} i64[1]{9223372036854775807}", "f32[N - max(N - 2, 0)]");
  INFERS("Slice", "f32[N] i64[1]{0} i64[1]{M}", "f32[min(M, N)]");
  INFERS("Slice", "f32[N,4] i64[1]{-1} i64[1]{-9223372036854775808} i64[1]{0} i64[1]{-1}", "f32[N,4]");
  INFERS("Slice", "i64[3]{N,4,M} i64[1]{1} i64[1]{3}", "i64[2]{4,M}");
  INFERS("Slice", "i64[3]{N,4,M} i64[1]{-1} i64[1]{-4} i64[1]{0} i64[1]{-2}", "i64[2]{M,N}");
  REFUSES("Slice", "f32[N] i64[1]{N - 3} i64[1]{5}", "which may be negative");
  REFUSES("Slice", "f32[...] i64[1]{0} i64[1]{5}", "E0209");
  REFUSES("Slice", "f32[4] i64[1,1] i64[1]{5}", "but a list is needed");
}

TEST(InferMovement, ValuesOfShapesAreFollowed) {
  INFERS("Shape", "f32[N,3,M]", "i64[3]{N,3,M}");
  INFERS("Shape", "f32[N,3,M]", "i64[2]{3,M}", {"start", int64_t{1}});
  INFERS("Shape", "f32[N,3,M]", "i64[0]{}", {"start", int64_t{2}}, {"end", int64_t{-2}});
  INFERS("Size", "f32[N,3]", "i64[]{3*N}");
  INFERS("Gather", "i64[3]{N,4,M} i64[]{-1}", "i64[]{M}");
  INFERS("Gather", "i64[3]{N,4,M} i64[2]{0,1}", "i64[2]{N,4}");
  INFERS("Gather", "f32[N,4] i64[2]{0,1}", "f32[2,4]");
  REFUSES("Gather", "i64[3]{N,4,M} i64[]{3}", "indices hold 3, outside [-3, 3)");
  INFERS("Concat", "i64[1]{N} i64[2]{4,-1}", "i64[3]{N,4,-1}", {"axis", int64_t{0}});
  INFERS("Unsqueeze", "i64[]{N} i64[1]{0}", "i64[1]{N}");
  INFERS("Squeeze", "i64[1]{N}", "i64[]{N}");
  INFERS("Identity", "i64[2]{N,3}", "i64[2]{N,3}");
  INFERS("Split", "i64[3]{N,4,M} i64[2]{1,2}", "i64[1]{N} i64[2]{4,M}");
  INFERS("Expand", "i64[1]{N} i64[1]{3}", "i64[3]{N,N,N}");
  INFERS("Range", "i64[]{0} i64[]{N} i64[]{1}", "i64[N]");
  INFERS("Range", "i64[]{1} i64[]{4} i64[]{1}", "i64[3]{1,2,3}");
  INFERS("ConstantOfShape", "i64[1]{2}", "i64[2]{7,7}", {"value", Tensor::Scalar<int64_t>(7)});
  INFERS("ConstantOfShape", "i64[2]{N,3}", "f32[N,3]");
  // Narrow integers wrap at run time: only numbers that fit are followed.
  INFERS("Reshape", "i32[1]{5} i64[1]{1}", "i32[1]{5}");
  INFERS("Reshape", "i32[1]{N} i64[1]{1}", "i32[1]");
}

// Shape -> Gather -> Concat -> Reshape, as exporters write it.
TEST(InferMovement, AShapeThatIsComputedGivesAType) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {"N", 4, 6});
  const Value batch = Unsqueeze(Gather(ShapeOf(x), g.Const(Tensor::Scalar<int64_t>(0))), {0});
  const Value flat =
      Reshape(x, Concat({batch, g.Const(LiteralToTensor(Ints{-1}, DType::kI64))}, {.axis = 0}));
  EXPECT_EQ(flat.type().ToString(), "f32[N,24]");
  const Value tail = Slice(ShapeOf(x), {1}, {3});
  EXPECT_EQ(Reshape(x, Concat({{-1}, tail}, {.axis = 0})).type().ToString(), "f32[N,4,6]");
  EXPECT_TRUE(std::move(g).Build().ok());
}

TEST(InferMovement, Splits) {
  INFERS("Split", "f32[2*N,3]", "f32[N,3] f32[N,3]", {"num_outputs", int64_t{2}});
  INFERS("Split", "f32[7]", "f32[3] f32[3] f32[1]", {"num_outputs", int64_t{3}});
  INFERS("Split", "f32[N] i64[2]{1,N - 1}", "f32[1] f32[N - 1]");
  REFUSES("Split", "f32[6] i64[2]{2,4}", "num_outputs is 3, but split has 2 extents",
          {"num_outputs", int64_t{3}});
  REFUSES("Split", "f32[6]", "num_outputs is -1", {"num_outputs", int64_t{-1}});
}

// A list that is too long to be followed is known where it is a constant.
TEST(InferMovement, ManyParts) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {300});
  EXPECT_EQ(Split(x, std::vector<int64_t>(100, 3))[99].type().ToString(), "f32[3]");
}

TEST(InferMovement, PadsAndTilesOfSymbols) {
  INFERS("Pad", "f32[N,3] i64[4]{1,0,2,-1}", "f32[N + 3,2]");
  INFERS("Pad", "f32[N,3] i64[2]{1,1} _ i64[1]{0}", "f32[N + 2,3]", {"mode", std::string("reflect")});
  INFERS("Tile", "f32[N,3] i64[2]{2,M}", "f32[2*N,3*M]");
  REFUSES("Tile", "f32[3] i64[1]{-1}", "dim 0 would be repeated -1 times");
  INFERS("Expand", "f32[N,1] i64[3]{2,1,M}", "f32[2,N,M]");
  INFERS("DepthToSpace", "f32[N,4*C,H,W]", "f32[N,C,2*H,2*W]", {"blocksize", int64_t{2}});
  REFUSES("DepthToSpace", "f32[1,4,2,2]", "blocksize is 0, but it is 1 or more", {"blocksize", int64_t{0}});
  REFUSES("Pad", "f32[3] i64[2]{1152921504606846977,0}", "axis 0 would be padded by 1152921504606846977");
  REFUSES("Pad", "f32[3] i64[2]{1,1} f32[2]", "but it is one value that fills");
}

TEST(InferMovement, SizesThatOverflowAreRefused) {
  REFUSES("Tile", "f32[4611686018427387904] i64[1]{4}", "E0402");
  REFUSES("Expand", "f32[1,1] i64[2]{4611686018427387904,4611686018427387904}", "E0402");
  REFUSES("Concat", "f32[9223372036854775807] f32[1]", "E0402", {"axis", int64_t{0}});
  REFUSES("Range", "i64[]{-9223372036854775808} i64[]{9223372036854775807} i64[]{1}", "E0402");
}

// --- Inputs that may be absent, and any number of them -----------------------------------------------------

TEST(Arity, IsSaidAsTheOpTakesIt) {
  REFUSES("Gather", "f32[2]", "Gather takes 2 inputs, but got 1");
  REFUSES("Slice", "f32[2] i64[1]{0}", "Slice takes 3 to 5 inputs, but got 2");
  REFUSES("Slice", "f32[2] _ i64[1]{0}", "Slice needs its input 'starts', which is absent");
  REFUSES("Concat", "", "Concat takes at least 1 input, but got 0", {"axis", int64_t{0}});
  REFUSES("Concat", "f32[2] _", "Concat needs its input 'inputs', which is absent", {"axis", int64_t{0}});
  REFUSES("Concat", "f32[2] f64[2]", "dtypes differ: inputs[0] is f32[2], inputs[1] is f64[2]",
          {"axis", int64_t{0}});
  INFERS("Slice", "f32[5,5] i64[1]{0} i64[1]{4} _ i64[1]{2}", "f32[2,5]");
}

TEST(Arity, TrailingAbsentInputsAreDropped) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {4, 4});
  const Value a = Slice(x, {0}, {2}, std::nullopt, std::nullopt);
  EXPECT_EQ(g.graph().producer(a.id()).inputs.size(), 3u);
  const Value b = Slice(x, {0}, {2}, std::nullopt, {1});
  const std::vector<ValueId>& inputs = g.graph().producer(b.id()).inputs;
  ASSERT_EQ(inputs.size(), 5u);
  EXPECT_EQ(inputs[3], kNoValue);
  EXPECT_EQ(std::ranges::distance(Present(inputs)), 4);
  g.Output("y", a + b);
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(VerifyGraph(*graph), absl::OkStatus());
}

TEST(Arity, ResultsOfAFailedOpArePoisonHoweverManyAreAskedFor) {
  GraphBuilder g;
  const Value x = g.Input("x", DType::kF32, {4});
  const Values parts = Split(x, {1, 1});
  EXPECT_EQ(parts.size(), 0u);
  EXPECT_TRUE(parts[1].poison());
  EXPECT_EQ(parts[1].builder(), &g);
  const TopKResults top = TopK(x, {9});
  EXPECT_TRUE(top.values.poison());
  EXPECT_TRUE(top.indices.poison());
  g.Output("y", parts[1] + top.values);
  const std::vector<Diagnostic> errors = DiagnosticsOf(std::move(g).Build().status());
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].code, "E0212");
  EXPECT_EQ(errors[1].code, "E0212");
}

}  // namespace
}  // namespace tenfold
