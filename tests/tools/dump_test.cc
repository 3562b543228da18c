// SPDX-License-Identifier: Apache-2.0
//
// tenfold-dump, end to end.
#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr char kSoft[] = R"(tenfold 1

graph soft(x: f32[N,4]) -> (p) {
  half = Const f32[] {0.5}
  s = Mul(half, 4)
  t = Mul(x, s)
  p = Softmax(t)
}
)";

class DumpTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    WriteFile("soft.tnt", kSoft);
  }
};

TEST_F(DumpTest, ShowsTheSourceAsItIsWritten) {
  const ToolResult result = Run("tenfold-dump soft.tnt");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, kSoft);
}

TEST_F(DumpTest, ShowsEveryStageInEveryFormat) {
  for (const char* stage : {"source", "checked", "folded", "optimized", "placed", "fused", "planned"}) {
    const std::string command =
        std::string("tenfold-dump soft.tnt --stage ") + stage + " --explain --format ";
    const ToolResult text = Run(command + "text");
    EXPECT_EQ(text.exit_status, 0) << stage << text.err;
    EXPECT_THAT(text.out, HasSubstr("remarks\n")) << stage;
    const ToolResult json = Run(command + "json");
    EXPECT_EQ(json.exit_status, 0) << stage << json.err;
    const auto parsed = nlohmann::json::parse(json.out, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << stage;
    EXPECT_TRUE(parsed.contains("remarks")) << stage;
    EXPECT_EQ(parsed["name"], "soft") << stage;
    const ToolResult dot = Run(command + "dot");
    EXPECT_EQ(dot.exit_status, 0) << stage << dot.err;
    EXPECT_THAT(dot.out, StartsWith("digraph ")) << stage;
  }
}

TEST_F(DumpTest, ExplainsWhatFoldingDid) {
  const ToolResult result = Run("tenfold-dump soft.tnt --stage folded --explain");
  EXPECT_THAT(result.out, HasSubstr("# fold-constants: did  Mul 's'"));
  EXPECT_THAT(Run("tenfold-dump soft.tnt --stage folded --explain -O0").out, HasSubstr("# no remarks\n"));
}

TEST_F(DumpTest, ShowsWhichValuesLieInOthers) {
  WriteFile("parts.tnt", R"(tenfold 1
graph parts(x: f32[N,4], w: f32[4,4]) -> (y) {
  h = MatMul(x, w)
  s = Slice(h, {1}, {3})
  a = MatMul(s, w)
  j = Concat(h, a, axis=0)
  y = MatMul(j, w)
}
)");
  const std::string text = Run("tenfold-dump parts.tnt --stage planned --explain").out;
  EXPECT_THAT(
      text,
      HasSubstr("  s: f32[max(-min(N, 1) + min(N, 3), 0),4]  alias of h from element 4*min(N, 1) on\n"));
  EXPECT_THAT(text,
              HasSubstr("  a: f32[max(-min(N, 1) + min(N, 3), 0),4]  alias of j from element 4*N on\n"));
  EXPECT_THAT(text,
              HasSubstr("# share-memory: did  Slice 's': no copy: it is 'h' from element 4*min(N, 1) on\n"));
  const auto json =
      nlohmann::json::parse(Run("tenfold-dump parts.tnt --stage planned --format json").out, nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  std::map<std::string, std::string> places;
  for (const auto& value : json["values"]) {
    if (value["storage"] == "alias")
      places[value["name"].get<std::string>()] =
          value["of"].get<std::string>() + " + " + value.value("offset", "0");
  }
  EXPECT_THAT(places, ElementsAre(Pair("a", "j + 4*N"), Pair("j.0", "j + 0"), Pair("s", "h + 4*min(N, 1)")));
  // What is joined has an edge from each step that writes a part of it.
  EXPECT_THAT(Run("tenfold-dump parts.tnt --stage planned --format dot").out,
              AllOf(HasSubstr("  step1 -> step3 [label=\"j: "), HasSubstr("  step2 -> step3 [label=\"j: ")));
}

TEST_F(DumpTest, ShortensConstantsUnlessAskedForAll) {
  WriteFile(
      "wide.tnt",
      "tenfold 1\n\ngraph wide() -> (c) {\n  c = Const i8[20] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
      "14, 15, 16, 17, 18, 19, 20}\n}\n");
  EXPECT_THAT(Run("tenfold-dump wide.tnt").out, HasSubstr("..."));
  EXPECT_EQ(Run("tenfold-dump wide.tnt --full > again.tnt && cmp wide.tnt again.tnt").exit_status, 0);
}

TEST_F(DumpTest, ListsKernelsInEveryLanguage) {
  EXPECT_THAT(Run("tenfold-dump soft.tnt --kernels ir").out, HasSubstr("define "));
  EXPECT_THAT(Run("tenfold-dump soft.tnt --kernels asm").out, HasSubstr("ret"));
  const ToolResult ptx = Run("tenfold-dump soft.tnt --kernels=ptx");
  EXPECT_EQ(ptx.exit_status, 0);
  EXPECT_THAT(ptx.out, HasSubstr(".entry"));
  EXPECT_THAT(ptx.out, StartsWith("// kernel "));
  WriteFile("none.tnt", "tenfold 1\ngraph none(x: f32[N]) -> (x) {\n}\n");
  EXPECT_EQ(Run("tenfold-dump none.tnt --kernels ir").out, "; no fused kernels\n");
}

TEST_F(DumpTest, ShowsAnIllTypedGraphWithItsErrorsInPlace) {
  WriteFile("bad.tnt", R"(tenfold 1
graph bad(x: f32[28,28]) -> (y) {
  w = Const f32[784,10] splat 0.5
  y = MatMul(x, w)
}
)");
  const ToolResult result = Run("tenfold-dump bad.tnt --stage optimized");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.out, R"(tenfold 1
graph bad(x: f32[28,28]) -> (y) {
  w = Const f32[784,10] splat 0.5
  y = MatMul(x, w)
#     ^~~~~~ error[E0201 shape-mismatch]: MatMul 'y': inner dims differ: lhs 'x' is f32[28,28], rhs 'w' is f32[784,10]
#         --> bad.tnt:4:3
#         lhs comes from Input 'x' (bad.tnt:2:11), rhs comes from Const 'w' (bad.tnt:3:3)
#         help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784]; in text: x_reshape = Reshape(x, {-1, 784}), then y = MatMul(x_reshape, w)
}
)");
  EXPECT_THAT(result.err, StartsWith("error[E0201 shape-mismatch]: MatMul 'y': inner dims differ"));
}

TEST_F(DumpTest, RefusesFilesThatAreNoGraphs) {
  WriteArray("x.npy", T("f32[1] 1"));
  const ToolResult result = Run("mv x.npy x.bin && tenfold-dump x.bin");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0502 bad-graph-file]: the file is neither a .tnf graph nor text\n  --> x.bin\n"
            "  help: it is an array, which feeds an input of a graph: --input NAME=x.bin\n");
  EXPECT_EQ(result.out, "");
}

TEST_F(DumpTest, DescribesOps) {
  EXPECT_EQ(Run("tenfold-dump --ops Softmax").out, R"(Softmax(x, axis=-1) -> y
    exp(x) / sum(exp(x)) along an axis, shifted by the maximum so that nothing overflows.
    Follows from Exp and the order of summation.
    x: f16, bf16, f32 or f64
    axis: the axis along which the results sum to 1
    [composite]
)");
  const std::string all = Run("tenfold-dump --ops").out;
  EXPECT_THAT(all, HasSubstr("Cast(x, to=<dtype>) -> y\n"));
  EXPECT_THAT(all, HasSubstr("MatMul(lhs, rhs) -> "));
  EXPECT_THAT(all, Not(HasSubstr("Fused")));
  const ToolResult unknown = Run("tenfold-dump --ops Sofmax");
  EXPECT_EQ(unknown.exit_status, 1);
  EXPECT_EQ(unknown.err,
            "error[E0101 unknown-op]: there is no op 'Sofmax'\n  help: did you mean 'Softmax'?\n");
}

TEST_F(DumpTest, TellsWrongUsageFromWrongInput) {
  for (const char* wrong :
       {"tenfold-dump", "tenfold-dump a.tnf b.tnf", "tenfold-dump soft.tnt --stage lowered",
        "tenfold-dump soft.tnt --format yaml", "tenfold-dump soft.tnt --kernels sass"}) {
    EXPECT_EQ(Run(wrong).exit_status, 2) << wrong;
  }
  EXPECT_EQ(Run("tenfold-dump nothere.tnf").exit_status, 1);
}

}  // namespace
}  // namespace tenfold
