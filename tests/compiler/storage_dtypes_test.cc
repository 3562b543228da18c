// SPDX-License-Identifier: Apache-2.0
//
// f8, i4 and u4 in whole graphs: every level and tier against node-by-node evaluation, with the values that
// are passed through, converted, moved and quantized, and odd numbers of packed elements.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {
namespace {

Tensor T(absl::string_view text) { return *ParseTensorLiteral(text); }

std::vector<std::string> RunAllWays(absl::string_view text, const NamedTensors& feeds) {
  const absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return {};
  std::vector<Tensor> in_order;
  for (const auto& [name, tensor] : feeds) in_order.push_back(tensor);
  const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(*graph, in_order);
  EXPECT_TRUE(want.ok()) << want.status();
  if (!want.ok()) return {};
  for (int level : {0, 1, 2}) {
    for (JitMode jit : {JitMode::kWait, JitMode::kOff}) {
      const absl::StatusOr<Executable> executable =
          Compile(*graph, {.opt_level = level, .jit = jit, .threads = level + 1});
      EXPECT_TRUE(executable.ok()) << executable.status();
      if (!executable.ok()) return {};
      const absl::StatusOr<NamedTensors> got = executable->Run(feeds);
      EXPECT_TRUE(got.ok()) << got.status();
      if (!got.ok()) return {};
      for (size_t i = 0; i < want->size(); ++i) {
        EXPECT_TRUE(SameBits((*got)[i].second, (*want)[i]))
            << "-O" << level << " " << (*got)[i].first << " is " << (*got)[i].second.ToString() << ", not "
            << (*want)[i].ToString();
      }
    }
  }
  std::vector<std::string> texts;
  for (const Tensor& tensor : *want) texts.push_back(tensor.ToString());
  return texts;
}

using Texts = std::vector<std::string>;

TEST(StorageDTypes, PackedValuesPassThrough) {
  EXPECT_EQ(RunAllWays(R"(graph g(x: i4[N]) -> (a=x, b=x, c, d, e=c, f) {
  c = Const u4[2] splat 9
  d = Const i4[3] {-8, 7, -1}
  f = Identity(x)
})",
                       {{"x", T("i4[5] 1 -2 3 -4 5")}}),
            (Texts{"i4[5] {1, -2, 3, -4, 5}", "i4[5] {1, -2, 3, -4, 5}", "u4[2] splat 9", "i4[3] {-8, 7, -1}",
                   "u4[2] splat 9", "i4[5] {1, -2, 3, -4, 5}"}));
}

TEST(StorageDTypes, PackedValuesMove) {
  EXPECT_EQ(RunAllWays(R"(graph g(x: i4[N,3]) -> (t, s, c, r, w) {
  t = Transpose(x)
  s = Slice(x, {1}, {3}, {1}, _)
  c = Concat(x, s, axis=1)
  r = Reshape(x, {-1})
  p = Const i4[1] splat 7
  w = Where(true, x, p)
})",
                       {{"x", T("i4[3,3] 1 -2 3 -4 5 -6 7 -8 0")}}),
            (Texts{"i4[3,3] {1, -4, 7, -2, 5, -8, 3, -6, 0}", "i4[3,2] {-2, 3, 5, -6, -8, 0}",
                   "i4[3,5] {1, -2, 3, -2, 3, -4, 5, -6, 5, -6, 7, -8, 0, -8, 0}",
                   "i4[9] {1, -2, 3, -4, 5, -6, 7, -8, 0}", "i4[3,3] {1, -2, 3, -4, 5, -6, 7, -8, 0}"}));
}

TEST(StorageDTypes, ConversionsFuseWithWhatSurroundsThem) {
  EXPECT_EQ(RunAllWays(R"(graph g(x: f32[N]) -> (y, z, p, q) {
  s = Mul(x, 2)
  y = Cast(s, to=f8e4m3fn)
  f = Cast(y, to=f32)
  z = Add(f, 1)
  p = Cast(z, to=u4)
  b = Cast(x, to=f8e5m2, saturate=false)
  q = BitCast(b, to=u8)
})",
                       {{"x", T("f32[5] 1.06 -0.3 1e9 nan 7.4")}}),
            (Texts{"f8e4m3fn[5] {2, -0.6, 450, nan, 15}", "f32[5] {3, 0.375, 449, nan, 16}",
                   "u4[5] {3, 0, 15, 0, 15}", "u8[5] {60, 181, 124, 126, 71}"}));
}

// A layer with weights of four bits, a scale for each block of a column.
TEST(StorageDTypes, WeightsOfFourBits) {
  EXPECT_EQ(RunAllWays(R"(graph g(x: f32[N,4]) -> (y, q) {
  w = Const i4[4,3] {-8, 7, 1, 2, -3, 0, 4, -5, 6, 1, 1, -1}
  s = Const f32[2,3] {0.5, 0.25, 1, 2, 4, 8}
  d = DequantizeLinear(w, s, axis=0, block_size=2)
  y = MatMul(x, d)
  h = Const f32[] {0.125}
  q = QuantizeLinear(y, h, output_dtype=i4)
})",
                       {{"x", T("f32[2,4] 1 0 0 0, 0.5 0 0.125 0")}}),
            (Texts{"f32[2,3] {-4, 1.75, 1, -1, -1.625, 6.5}", "i4[2,3] {-8, 7, 7, -8, -8, 7}"}));
}

TEST(StorageDTypes, FeedsAreNotPacked) {
  const auto error = [](absl::string_view type, absl::string_view feed) {
    const Graph graph = *ParseText(absl::StrCat("graph g(x: ", type, ") -> (y) {\n  y = Identity(x)\n}"));
    return std::string(Compile(graph, {.jit = JitMode::kOff})->Run({{"x", T(feed)}}).status().message());
  };
  const std::string to_packed = error("i4[3]", "i8[3] 1 2 3"), from_packed = error("i8[3]", "i4[3] 1 2 3");
  EXPECT_NE(to_packed.find("help: declare 'x' as i8, and Cast it in the graph"), std::string::npos)
      << to_packed;
  EXPECT_NE(from_packed.find("help: declare 'x' as i4, and Cast it in the graph"), std::string::npos)
      << from_packed;
}

TEST(StorageDTypes, OtherOpsRefuseThem) {
  const auto error = [](absl::string_view type) {
    return std::string(
        ParseText(absl::StrCat("graph g(x: ", type, ") -> (y) {\n  y = Neg(x)\n}")).status().message());
  };
  EXPECT_EQ(
      error("f8e5m2[2]"),
      "error[E0206 dtype-not-admitted]: Neg 'y': x 'x' is f8e5m2[2], but Neg takes i8, i16, i32, i64, f16, "
      "bf16, f32 or f64\n"
      "  --> text:2:7\n"
      "  2 |   y = Neg(x)\n"
      "    |       ^~~\n"
      "  x comes from Input 'x' (text:1:9)\n"
      "  help: Cast(x, to=f32) converts it, if that is meant");
  EXPECT_NE(error("i4[2]").find("x 'x' is i4[2], but Neg takes i8, i16"), std::string::npos);
}

}  // namespace
}  // namespace tenfold
