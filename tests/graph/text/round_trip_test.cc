// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/graph/text/sample_graphs.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

Graph Read(absl::string_view text, const TextOptions& options = {}) {
  absl::StatusOr<Graph> graph = ParseText(text, options);
  EXPECT_TRUE(graph.ok()) << text << "\n" << graph.status().message();
  return graph.ok() ? *std::move(graph) : Graph();
}

TEST(RoundTrip, CanonicalTextIsPrintedAsItIs) {
  for (const std::string& text : CanonicalTexts()) {
    const Graph graph = Read(text);
    EXPECT_EQ(PrintText(graph), text);
    EXPECT_TRUE(VerifyGraph(graph).ok());
  }
}

TEST(RoundTrip, RandomGraphsReadBackAndPrintTheSame) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    const Graph graph = RandomGraph(seed);
    ASSERT_TRUE(VerifyGraph(graph).ok());
    PrintOptions options;
    options.types = seed % 2 == 0;
    options.locations = seed % 3 == 0;
    const std::string text = PrintText(graph, options);
    const Graph back = Read(text);
    EXPECT_EQ(PrintText(back), PrintText(graph)) << seed;
    if (options.locations) {
      EXPECT_THAT(PrintText(back, options), HasSubstr("at \"")) << seed;
    }
    ASSERT_TRUE(VerifyGraph(back).ok());
  }
}

// What people write, and what it becomes.
TEST(RoundTrip, FreeFormBecomesCanonical) {
  const Graph graph = Read(R"(# A comment.
graph g (x : f32[ N , 4 ],
         k: i64[2])   # inputs may stand on several lines
  where N in [ 1 , ] -> (out = y) {

  y : f32[N,4] = Add( x ,
             2.50 )  at "a.cc:3"   array "w.npz: w"
  z = Softmax(x, axis=-1)
  l = Const
    i8[3] {1,
           2, 3}
}
)");
  EXPECT_EQ(PrintText(graph, {.locations = false}), R"(tenfold 1

graph g(x: f32[N,4], k: i64[2]) where N in [1,] -> (out=y) {
  y = Add(x, 2.5)
  z = Softmax(x)
  l = Const i8[3] {1, 2, 3}
}
)");
  const Node& y = graph.producer(*graph.FindValue("y"));
  EXPECT_EQ(y.provenance.location, "a.cc:3");
  EXPECT_EQ(y.provenance.array, "w.npz: w");
  EXPECT_EQ(graph.producer(*graph.FindValue("z")).provenance.location, "text:8:3");
}

TEST(RoundTrip, ALiteralTakesTheDtypeOfTheOtherOperand) {
  const Graph graph = Read(
      "graph g(x: f16[4], i: i8[4], c: bool[4]) -> (a, b, d) {\n a = Mul(x, 2)\n b = Max(-1, i)\n d = "
      "Where(c, x, inf)\n}");
  EXPECT_EQ(PrintText(graph, {.header = false}),
            "graph g(x: f16[4], i: i8[4], c: bool[4]) -> (a, b, d) {\n  a = Mul(x, 2)\n  b = Max(-1, i)\n  d "
            "= Where(c, x, inf)\n}\n");
  EXPECT_EQ(graph.ConstantValue(graph.producer(*graph.FindValue("a")).inputs[1])->dtype(), DType::kF16);
}

TEST(RoundTrip, AConstantThatNoLiteralCanStandForGetsAName) {
  Graph graph;
  graph.name = "g";
  const auto add = [&](const char* op, std::vector<ValueId> inputs, Attrs attrs, const char* name) {
    return graph
        .node(*graph.AddNode(*graph.registry().Find(op), std::move(inputs), std::move(attrs), {name}, {}))
        .outputs[0];
  };
  const ValueId x = add("Input", {}, {{"type", TensorType{DType::kF16, Shape{4}}}}, "const");
  const ValueId large =
      add("Const", {}, {{"value", Tensor::Scalar(ToF16(65504.0f))}}, "");  // shortest: 65500, not exact
  const ValueId one = add("Const", {}, {{"value", Tensor::Scalar(ToF16(1.0f))}}, "");
  const ValueId two = add("Const", {}, {{"value", Tensor::Scalar(ToF16(2.0f))}}, "");
  const ValueId sum = add("Add", {one, two}, {}, "sum");  // one of them must say the dtype
  const ValueId y = add("Add", {x, large}, {}, "y");
  ASSERT_TRUE(graph.AddOutput("y", y).ok());
  ASSERT_TRUE(graph.AddOutput("sum", sum).ok());
  ASSERT_TRUE(graph.AddOutput("two", two).ok());
  EXPECT_EQ(PrintText(graph, {.header = false}), R"(graph g(const: f16[4]) -> (y, sum, two=const.2) {
  const.3 = Const f16[] {65500}
  const.1 = Const f16[] {1}
  const.2 = Const f16[] {2}
  sum = Add(const.1, const.2)
  y = Add(const, const.3)
}
)");
  const std::string text = PrintText(graph);
  EXPECT_EQ(PrintText(Read(text)), text);
}

TEST(Printer, TypesLocationsElisionAndComments) {
  const Graph graph = Read(
      "graph g(x: f32[N,2] at \"a.cc:1\") -> (y) {\n c = Const f32[2] {1, 2} array \"w.npz: c\" at "
      "\"a.cc:2\"\n y = Add(x, c) from(p) at \"a.cc:3\"\n}");
  PrintOptions options;
  options.header = false;
  options.types = options.locations = true;
  options.max_elements = 1;
  options.comment = [](const Graph& g, NodeId id) {
    return g.node(id).op->name == "Add" ? "two\nlines" : "";
  };
  EXPECT_EQ(PrintText(graph, options), R"(graph g(x: f32[N,2] at "a.cc:1") -> (y) {
  c: f32[2] = Const f32[2] {1, ...} at "a.cc:2" array "w.npz: c"
  y: f32[N,2] = Add(x, c) from(p) at "a.cc:3"  # two lines
}
)");
  options.from = false;
  EXPECT_THAT(PrintText(graph, options), HasSubstr("Add(x, c) at \"a.cc:3\""));
}

TEST(Parser, ArraysByReferenceGoThroughTheResolver) {
  std::vector<std::string> asked;
  TextOptions options;
  options.resolve = [&](const ArrayRequest& request) -> absl::StatusOr<IngestedArray> {
    asked.push_back(std::string(request.file) + "|" + std::string(request.member) + "|" +
                    std::string(request.value) + "|" +
                    (request.dtype ? std::string(Name(*request.dtype)) : "any"));
    return IngestedArray{*Tensor::FromVector(std::vector<float>{1, 2}, Dims{2}), {}, ""};
  };
  const Graph graph =
      Read("graph g() -> (a, b) {\n a = Const @\"data/weights.npz:fc1/w:0\"\n b = Const f32[2] @\"b.npy\"\n}",
           options);
  EXPECT_THAT(asked, testing::ElementsAre("data/weights.npz|fc1/w:0|a|any", "b.npy||b|f32"));
  EXPECT_EQ(graph.producer(*graph.FindValue("a")).provenance.array, "data/weights.npz: fc1/w:0");
  EXPECT_EQ(graph.ConstantValue(*graph.FindValue("b"))->at<float>(1), 2);
}

}  // namespace
}  // namespace tenfold
