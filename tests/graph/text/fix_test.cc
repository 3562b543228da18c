// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/fix.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"

namespace tenfold {
namespace {

std::string Codes(const std::vector<Diagnostic>& diagnostics) {
  return absl::StrJoin(diagnostics, " ", [](std::string* out, const Diagnostic& d) { *out += d.code; });
}

struct Case {
  const char* what;
  const char* broken;
  const char* mended;
  const char* fixed;  // codes, in the order in which they were mended
};

class Fix : public testing::TestWithParam<Case> {};

TEST_P(Fix, MendsTheText) {
  const FixedText result = FixText(GetParam().broken);
  EXPECT_EQ(result.text, GetParam().mended);
  EXPECT_EQ(Codes(result.fixed), GetParam().fixed);
  EXPECT_EQ(
      absl::StrJoin(result.left, "\n", [](std::string* out, const Diagnostic& d) { *out += d.ToString(); }),
      "");
  EXPECT_TRUE(ParseText(result.text).ok());
}

INSTANTIATE_TEST_SUITE_P(
    All, Fix,
    testing::Values(
        Case{"Op", "graph g(x: f32[4]) -> (y) {\n  y = Geul(x)\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y = Gelu(x)\n}\n", "E0101"},
        Case{"OpInAnotherCase", "graph g(x: f32[4]) -> (y) {\n  y = reduce_sum(x, axes=[0])\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y = ReduceSum(x, axes=[0])\n}\n", "E0101"},
        Case{"OpByAnotherName", "graph g(x: f32[4]) -> (y) {\n  y = Multiply(x, 2)\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y = Mul(x, 2)\n}\n", "E0101"},
        Case{"MatrixTheOtherWay", "graph g(x: f32[N,64], w: f32[10,64]) -> (y) {\n  y = MatMul(x, w)\n}\n",
             "graph g(x: f32[N,64], w: f32[10,64]) -> (y) {\n  w_transpose = Transpose(w)\n"
             "  y = MatMul(x, w_transpose)\n}\n",
             "E0201"},
        Case{"RowsTheOtherWay", "graph g(x: f32[64,5], w: f32[64,10]) -> (y) {\n  y = MatMul(x, w)\n}\n",
             "graph g(x: f32[64,5], w: f32[64,10]) -> (y) {\n  x_transpose = Transpose(x)\n"
             "  y = MatMul(x_transpose, w)\n}\n",
             "E0201"},
        Case{"BatchOfImages", "graph g(x: f32[N,28,28], w: f32[784,10]) -> (y) {\n  y = MatMul(x, w)\n}\n",
             "graph g(x: f32[N,28,28], w: f32[784,10]) -> (y) {\n  x_reshape = Reshape(x, {-1, 784})\n"
             "  y = MatMul(x_reshape, w)\n}\n",
             "E0201"},
        Case{"Attribute", "graph g(x: f32[4]) -> (y) {\n  y = Softmax(x, axes=-1)\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y = Softmax(x, axis=-1)\n}\n", "E0102"},
        Case{"Value", "graph g(input: f32[4]) -> (y) {\n  y = Neg(inptu)\n}\n",
             "graph g(input: f32[4]) -> (y) {\n  y = Neg(input)\n}\n", "E0107"},
        Case{"Output", "graph g(x: f32[4]) -> (p=probabilites) {\n  probabilities = Softmax(x)\n}\n",
             "graph g(x: f32[4]) -> (p=probabilities) {\n  probabilities = Softmax(x)\n}\n", "E0107"},
        Case{"NameThatNeedsQuotes", "graph g(\"a:0/in\": f32[4]) -> (y) {\n  y = Neg(\"a:0/inn\")\n}\n",
             "graph g(\"a:0/in\": f32[4]) -> (y) {\n  y = Neg(\"a:0/in\")\n}\n", "E0107"},
        Case{"ForeignDType", "graph g(x: float32[N,4]) -> (y) {\n  y = Neg(x)\n}\n",
             "graph g(x: f32[N,4]) -> (y) {\n  y = Neg(x)\n}\n", "E0210"},
        Case{"OneCast", "graph g(a: i16[4], b: i32[4]) -> (y) {\n  y = Add(a, b)\n}\n",
             "graph g(a: i16[4], b: i32[4]) -> (y) {\n  a_cast = Cast(a, to=i32)\n  y = Add(a_cast, b)\n}\n",
             "E0205"},
        Case{"TwoCasts", "graph g(a: i8[4], b: u8[4]) -> (y) {\n  y = Add(a, b)\n}\n",
             "graph g(a: i8[4], b: u8[4]) -> (y) {\n  a_cast = Cast(a, to=i16)\n  b_cast = Cast(b, to=i16)\n"
             "  y = Add(a_cast, b_cast)\n}\n",
             "E0205"},
        Case{"NamesThatAreTaken",
             "graph g(a: i16[4], b: i32[4], a_cast: i32[4]) -> (y, z) {\n  y = Add(a, b)\n  z = Mul(a, "
             "a_cast)\n}\n",
             "graph g(a: i16[4], b: i32[4], a_cast: i32[4]) -> (y, z) {\n  a_cast2 = Cast(a, to=i32)\n"
             "  y = Add(a_cast2, b)\n  a_cast3 = Cast(a, to=i32)\n  z = Mul(a_cast3, a_cast)\n}\n",
             "E0205 E0205"},
        Case{
            "Formula", "graph g(x: f32[4], w: f32[4]) -> (y) {\n  y = x * (w + 1) - 2 / -x  # a formula\n}\n",
            "graph g(x: f32[4], w: f32[4]) -> (y) {\n  add = Add(w, 1)\n  mul = Mul(x, add)\n  neg = Neg(x)\n"
            "  div = Div(2, neg)\n  y = Sub(mul, div)  # a formula\n}\n",
            "E0501"},
        Case{
            "CallsThatNest",
            "graph g(x: f32[4,4], add: f32[4]) -> (y) {\n  y = Softmax(Add(MatMul(x, x), add), axis=-1)\n}\n",
            "graph g(x: f32[4,4], add: f32[4]) -> (y) {\n  matmul = MatMul(x, x)\n  add_2 = Add(matmul, "
            "add)\n"
            "  y = Softmax(add_2, axis=-1)\n}\n",
            "E0501"},
        Case{
            "KeywordsOfOthers", "graph g(x: f32[2,3]) -> (y) {\n  y = ReduceSum(x, dim=1, keepdim=True)\n}\n",
            "graph g(x: f32[2,3]) -> (y) {\n  y = ReduceSum(x, axes=[1], keepdims=true)\n}\n", "E0102 E0102"},
        Case{
            "AttributesWithoutNames",
            "graph g(x: i32[2,3]) -> (y) {\n  s = ReduceSum(x, 1)\n  t = Transpose(s, {1, 0})\n  y = Cast(t, "
            "float32)\n}\n",
            "graph g(x: i32[2,3]) -> (y) {\n  s = ReduceSum(x, axes=[1])\n  t = Transpose(s, perm=[1, 0])\n  "
            "y = "
            "Cast(t, to=f32)\n}\n",
            "E0103 E0103 E0103"},
        Case{"OperandsWithNames", "graph g(x: f32[2,3]) -> (y) {\n  y = Reshape(x, shape={-1, 2})\n}\n",
             "graph g(x: f32[2,3]) -> (y) {\n  y = Reshape(x, {-1, 2})\n}\n", "E0102"},
        Case{"FractionBesideIntegers", "graph g(x: u8[4]) -> (y) {\n  y = Div(x, 255.0)\n}\n",
             "graph g(x: u8[4]) -> (y) {\n  x_cast = Cast(x, to=f32)\n  y = Div(x_cast, 255.0)\n}\n",
             "E0204"},
        Case{"BiasOfChannels", "graph g(x: f32[N,3,8,8], b: f32[3]) -> (y) {\n  y = Add(x, b)\n}\n",
             "graph g(x: f32[N,3,8,8], b: f32[3]) -> (y) {\n  b_reshape = Reshape(b, {3, 1, 1})\n"
             "  y = Add(x, b_reshape)\n}\n",
             "E0202"},
        Case{"Semicolon", "graph g(x: f32[2]) -> (y) {\n  y = Neg(x);\n}\n",
             "graph g(x: f32[2]) -> (y) {\n  y = Neg(x)\n}\n", "E0501"},
        Case{"SemicolonBetweenStatements", "graph g(x: f32[2]) -> (y) {\n  h = Neg(x); y = Exp(h)\n}\n",
             "graph g(x: f32[2]) -> (y) {\n  h = Neg(x)\n  y = Exp(h)\n}\n", "E0501"},
        Case{"ListsInOtherBrackets",
             "graph g(x: f32[2,3]) -> (y) {\n  s = ReduceSum(x, axes={1})\n  y = Reshape(s, [2])\n}\n",
             "graph g(x: f32[2,3]) -> (y) {\n  s = ReduceSum(x, axes=[1])\n  y = Reshape(s, {2})\n}\n",
             "E0102 E0501"},
        Case{"ValuesOfAttributes",
             "graph g(x: f32[2,3]) -> (y) {\n  s = ReduceSum(x, axes=1, keepdims=True)\n"
             "  y = Cast(s, to=float16)\n}\n",
             "graph g(x: f32[2,3]) -> (y) {\n  s = ReduceSum(x, axes=[1], keepdims=true)\n"
             "  y = Cast(s, to=f16)\n}\n",
             "E0102 E0102 E0102"},
        Case{"UnknownExtents", "graph g(x: f32[-1,M]) -> (y) {\n  y = Exp(x)\n}\n",
             "graph g(x: f32[N,M]) -> (y) {\n  y = Exp(x)\n}\n", "E0210"},
        Case{"TypesOfOthers", "graph g(x: float64(3, 4), k: i32) -> (y) {\n  y = Exp(x)\n}\n",
             "graph g(x: f64[3,4], k: i32[]) -> (y) {\n  y = Exp(x)\n}\n", "E0210 E0210"},
        Case{"ImageIntoALayer", "graph g(x: f32[28,28], w: f32[784,10]) -> (y) {\n  y = MatMul(x, w)\n}\n",
             "graph g(x: f32[28,28], w: f32[784,10]) -> (y) {\n  x_reshape = Reshape(x, {-1, 784})\n"
             "  y = MatMul(x_reshape, w)\n}\n",
             "E0201"},
        Case{"ReshapeCount", "graph g(x: f32[28,28]) -> (y) {\n  y = Reshape(x, {2, 784})\n}\n",
             "graph g(x: f32[28,28]) -> (y) {\n  y = Reshape(x, {1, 784})\n}\n", "E0208"},
        Case{"ReshapeToOneDim", "graph g(x: f32[28,28]) -> (y) {\n  y = Reshape(x, {783})\n}\n",
             "graph g(x: f32[28,28]) -> (y) {\n  y = Reshape(x, {784})\n}\n", "E0208"},
        Case{"ReshapeWhoseFirstDimIsRight",
             "graph g(x: f32[N,28,28]) -> (y) {\n  y = Reshape(x, {0, 780})\n}\n",
             "graph g(x: f32[N,28,28]) -> (y) {\n  y = Reshape(x, {0, 784})\n}\n", "E0208"},
        Case{"WrittenType", "graph g(x: f32[4]) -> (y) {\n  y: f32[5] = Neg(x)\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y: f32[4] = Neg(x)\n}\n", "E0504"},
        // What stands below a refused statement is read once that is mended.
        Case{"OneAfterTheOther",
             "graph g(a: i16[4], b: i32[4], c: i64[4]) -> (y) {\n  s = Add(a, b)\n  y = Add(s, c)\n}\n",
             "graph g(a: i16[4], b: i32[4], c: i64[4]) -> (y) {\n  a_cast = Cast(a, to=i32)\n  s = "
             "Add(a_cast, b)\n"
             "  s_cast = Cast(s, to=i64)\n  y = Add(s_cast, c)\n}\n",
             "E0205 E0205"},
        Case{"SeveralAtOnce",
             "graph g(x: double[28,28], w: f64[784,10]) -> (y) {\n  m = MatMul(x, w)\n  y = Softmaxx(m, "
             "axsi=-1)\n}\n",
             "graph g(x: f64[28,28], w: f64[784,10]) -> (y) {\n  x_reshape = Reshape(x, {-1, 784})\n"
             "  m = MatMul(x_reshape, w)\n  y = Softmax(m, axis=-1)\n}\n",
             "E0210 E0201 E0101 E0102"},
        Case{"NothingToMend", "graph g(x: f32[4]) -> (y) {\n  y = Neg(x)\n}\n",
             "graph g(x: f32[4]) -> (y) {\n  y = Neg(x)\n}\n", ""}),
    [](const auto& info) { return info.param.what; });

TEST(Fix, AFileBeginsWithItsVersion) {
  const FixedText result =
      FixText("graph g(x: f32[4]) -> (y) {\n  y = geul(x)\n}\n", {.require_header = true});
  EXPECT_EQ(result.text, "tenfold 1\n\ngraph g(x: f32[4]) -> (y) {\n  y = Gelu(x)\n}\n");
  EXPECT_TRUE(FixText("Dear reader", {.require_header = true}).fixed.empty());
}

TEST(Fix, LeavesWhatNobodyCanKnow) {
  constexpr char kText[] = "graph g(x: f32[3], w: f32[4]) -> (y, z) {\n  y = Add(x, w)\n  z = Gleu(x)\n}\n";
  const FixedText result = FixText(kText);
  EXPECT_EQ(result.text, "graph g(x: f32[3], w: f32[4]) -> (y, z) {\n  y = Add(x, w)\n  z = Gelu(x)\n}\n");
  EXPECT_EQ(Codes(result.fixed), "E0101");
  EXPECT_EQ(Codes(result.left), "E0202");
}

// Another function in its place would run, and be wrong.
TEST(Fix, DoesNotGuess) {
  const std::pair<const char*, const char*> kOps[] = {
      {"StringSplit", "ONNX has this op, Tenfold does not yet: `tenfold-dump --ops` lists what it has"},
      {"tf_idf_vectorizer", "ONNX has this op, Tenfold does not yet: `tenfold-dump --ops` lists what it has"},
      {"Gedu", "did you mean 'Gelu'?"},
      {"Frobnicate", "`tenfold-dump --ops` lists the ops"},
  };
  for (const auto& [op, help] : kOps) {
    const std::string text = absl::StrCat("graph g(x: f32[4]) -> (y) {\n  y = ", op, "(x)\n}\n");
    const FixedText result = FixText(text);
    EXPECT_EQ(result.text, text);
    ASSERT_EQ(Codes(result.left), "E0101");
    EXPECT_EQ(result.left[0].help, std::vector<Mend>{help});
  }
  // x1 may be meant as well as x2.
  const FixedText value = FixText("graph g(x1: f32[4], x2: f32[4]) -> (y) {\n  y = Neg(x3)\n}\n");
  EXPECT_TRUE(value.fixed.empty());
  // 5 rows of 64 are not 32 rows of 10.
  const FixedText rows = FixText("graph g(x: f32[5,64], w: f32[10,7]) -> (y) {\n  y = MatMul(x, w)\n}\n");
  EXPECT_TRUE(rows.fixed.empty());
  EXPECT_TRUE(rows.left[0].help.empty());
}

TEST(Fix, SaysWhichMendItChose) {
  const FixedText result = FixText("graph g(x: f32[4]) -> (y) {\n  y = Geul(x)\n}\n");
  ASSERT_EQ(result.fixed.size(), 1u);
  ASSERT_EQ(result.fixed[0].help.size(), 1u);
  EXPECT_EQ(result.fixed[0].help[0].text, "did you mean 'Gelu'?");
  EXPECT_EQ(result.fixed[0].location, "text:2:7");
}

// A read stops at some number of errors.
TEST(Fix, ManyErrorsTakeSeveralRounds) {
  std::string text = "graph g(x: f32[4]) -> (y) {\n";
  for (int i = 0; i < 200; ++i) absl::StrAppend(&text, "  v", i, " = Geul(x)\n");
  absl::StrAppend(&text, "  y = Neg(x)\n}\n");
  const FixedText result = FixText(text);
  EXPECT_EQ(result.fixed.size(), 200u);
  EXPECT_TRUE(result.left.empty());
}

}  // namespace
}  // namespace tenfold
