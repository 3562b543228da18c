// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/graph_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

std::vector<Diagnostic> ErrorsOf(GraphBuilder& g) { return DiagnosticsOf(std::move(g).Build().status()); }

TEST(GraphBuilder, ReadsLikeTheMathematics) {
  GraphBuilder g("digits");
  Value x = g.Input("x", DType::kF32, {"N", 64});
  Value w = g.Const(Tensor::Splat(DType::kF32, Dims{64, 10}, "\0\0\0\0"), "w");
  Value logits = MatMul(x, w) * 0.5 + 1;
  g.Output("probs", Softmax(logits));
  g.Bound("N", {1, 512});
  EXPECT_EQ(logits.type().ToString(), "f32[N,10]");
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->name, "digits");
  EXPECT_EQ(graph->inputs().size(), 1u);
  EXPECT_EQ(graph->outputs().size(), 1u);
  EXPECT_EQ(graph->symbol_bounds.at("N"), (DimBounds{1, 512}));
  EXPECT_TRUE(VerifyGraph(*graph).ok());
}

TEST(GraphBuilder, DimsAreNumbersSymbolsAndExpressions) {
  GraphBuilder g;
  EXPECT_EQ(g.Input("a", DType::kI8, {}).type().ToString(), "i8[]");
  EXPECT_EQ(g.Input("b", DType::kI8, {2, "N", "2*N + 1"}).type().ToString(), "i8[2,N,2*N + 1]");
}

TEST(GraphBuilder, AllErrorsAreReportedFirstCauseFirst) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  Value y = g.Input("y", DType::kF32, {3});
  Value bad = x + y;                           // the first cause
  Value silent = Exp(bad) * x + Neg(bad) / 2;  // nothing new to say
  g.Output("silent", silent);
  g.Output("fine", x * 2);
  g.Output("second", MatMul(x, y));  // a cause of its own
  const int second_line = __LINE__ - 1;
  const std::vector<Diagnostic> errors = ErrorsOf(g);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_EQ(errors[0].code, "E0202");
  EXPECT_EQ(errors[1].code, "E0201");
  EXPECT_EQ(errors[1].location, absl::StrCat(__FILE__, ":", second_line));
}

TEST(GraphBuilder, PoisonIsSilentBesideLiterals) {
  GraphBuilder g;
  Value poison = g.Input("x", DType::kF32, {2}) + g.Input("y", DType::kF32, {3});
  EXPECT_TRUE(poison.poison());
  EXPECT_EQ(poison.type().ToString(), "f32[...]");
  for (Value v : {1 + poison, poison + 1, 1.5 / poison, Where(true, poison, 0), g.Named(poison, "p")}) {
    EXPECT_TRUE(v.poison());
  }
  g.Output("y", poison);
  EXPECT_EQ(ErrorsOf(g).size(), 1u);
}

TEST(GraphBuilder, ARefusedArrayIsReportedWithItsPlace) {
  GraphBuilder g;
  const int line = __LINE__ + 1;
  Value w = g.Const(absl::StatusOr<Tensor>(MakeError("E0521", "there is no file 'w.npy'")), "w");
  g.Output("y", Exp(w));
  const std::vector<Diagnostic> errors = ErrorsOf(g);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].code, "E0521");
  EXPECT_EQ(errors[0].location, absl::StrCat(__FILE__, ":", line));
}

TEST(GraphBuilder, ValuesAreNamedAndNamesMadeUnique) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  Value a = Exp(x), b = Exp(x), c = g.Named(Exp(x), "c"), d = g.Named(Exp(x), "c");
  const auto name = [&](Value v) { return g.graph().value(v.id()).name; };
  EXPECT_EQ(name(a), "exp");
  EXPECT_EQ(name(b), "exp.1");
  EXPECT_EQ(name(c), "c");
  EXPECT_EQ(name(d), "c.1");
  EXPECT_EQ(g.graph().FindValue("c.1"), d.id());
  EXPECT_EQ(g.graph().FindValue("exp.2"), std::nullopt);
}

TEST(GraphBuilder, ScopesGivePrefixAndPlace) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  Value inner, outer;
  const int scope_line = __LINE__ + 2;
  {
    GraphBuilder::Scope block(g, "block");
    outer = Exp(x);
    GraphBuilder::Scope layer(g, "fc1");
    inner = g.Named(Exp(x), "act");
    (void)(inner + g.Const(Tensor::Scalar(1.0f), "one"));
    (void)Softmax(x, {.axis = 7});
  }
  const int after_line = __LINE__ + 1;
  Value after = Tanh(x);
  const Graph& graph = g.graph();
  EXPECT_EQ(graph.value(outer.id()).name, "block/exp");
  EXPECT_EQ(graph.value(inner.id()).name, "block/fc1/act");
  EXPECT_TRUE(graph.FindValue("block/fc1/one").has_value());
  EXPECT_EQ(graph.value(after.id()).name, "tanh");
  // The place of the outermost scope's caller: the line that a user wrote.
  EXPECT_EQ(graph.producer(inner.id()).provenance.location, absl::StrCat(__FILE__, ":", scope_line));
  EXPECT_EQ(graph.producer(after.id()).provenance.location, absl::StrCat(__FILE__, ":", after_line));
  const std::vector<Diagnostic> errors = ErrorsOf(g);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].location, absl::StrCat(__FILE__, ":", scope_line));
}

// --- Literals
// ------------------------------------------------------------------------------------------------

// Contents of the literal as `dtype`, or the error's code.
std::string Stored(const Literal& literal, DType dtype) {
  const absl::StatusOr<Tensor> tensor = LiteralToTensor(literal, dtype);
  return tensor.ok() ? tensor->ToString() : DiagnosticsOf(tensor.status())[0].code;
}

TEST(Literals, FloatsRoundToNearestAndDoNotOverflow) {
  EXPECT_EQ(Stored(0.1, DType::kF64), "f64[] {0.1}");
  EXPECT_EQ(LiteralToTensor(0.1, DType::kF32)->at<float>(0), 0.1f);
  EXPECT_EQ(LiteralToTensor(2049.0, DType::kF16)->at<F16>(0), ToF16(2048.0));  // ties to even
  EXPECT_EQ(LiteralToTensor(2051.0, DType::kF16)->at<F16>(0), ToF16(2052.0));
  EXPECT_EQ(LiteralToTensor(65519.0, DType::kF16)->at<F16>(0), ToF16(65504.0));
  EXPECT_EQ(Stored(65520.0, DType::kF16), "E0204");
  EXPECT_EQ(Stored(1e39, DType::kF32), "E0204");
  EXPECT_EQ(Stored(1e39, DType::kBF16), "E0204");
  EXPECT_EQ(Stored(-1e39, DType::kF32), "E0204");
  EXPECT_EQ(Stored(std::numeric_limits<double>::infinity(), DType::kF16), "f16[] {inf}");
  EXPECT_EQ(Stored(std::nan(""), DType::kBF16), "bf16[] {nan}");
  EXPECT_EQ(Stored(-0.0, DType::kF32), "f32[] {-0}");
  EXPECT_EQ(Stored(1e-320, DType::kF32), "f32[] {0}");
}

TEST(Literals, IntegersFitExactly) {
  EXPECT_EQ(Stored(int64_t{-128}, DType::kI8), "i8[] {-128}");
  EXPECT_EQ(Stored(int64_t{128}, DType::kI8), "E0204");
  EXPECT_EQ(Stored(int64_t{255}, DType::kU8), "u8[] {255}");
  EXPECT_EQ(Stored(int64_t{-1}, DType::kU64), "E0204");
  EXPECT_EQ(Stored(std::numeric_limits<int64_t>::min(), DType::kI64), "i64[] {-9223372036854775808}");
  EXPECT_EQ(Stored(int64_t{16777216}, DType::kF32), "f32[] {16777216}");
  EXPECT_EQ(Stored(int64_t{16777217}, DType::kF32), "E0204");
  EXPECT_EQ(Stored(int64_t{2048}, DType::kF16), "f16[] {2048}");
  EXPECT_EQ(Stored(int64_t{2049}, DType::kF16), "E0204");
  EXPECT_EQ(Stored(int64_t{100000}, DType::kF16), "E0204");
  EXPECT_EQ(Stored(int64_t{257}, DType::kBF16), "E0204");
  EXPECT_EQ(Stored(std::numeric_limits<int64_t>::max(), DType::kF64), "E0204");
  EXPECT_TRUE(LiteralToTensor(std::numeric_limits<int64_t>::min(), DType::kF32).ok());  // a power of two
}

TEST(Literals, KindsAreNotMixed) {
  EXPECT_EQ(Stored(1.0, DType::kI32), "E0204");
  EXPECT_EQ(Stored(true, DType::kI32), "E0204");
  EXPECT_EQ(Stored(int64_t{1}, DType::kBool), "E0204");
  EXPECT_EQ(Stored(0.0, DType::kBool), "E0204");
  EXPECT_EQ(Stored(true, DType::kBool), "bool[] {true}");
  EXPECT_EQ(Stored(std::vector<int64_t>{1, -1}, DType::kI64), "i64[2] {1, -1}");
  EXPECT_EQ(Stored(std::vector<int64_t>{1, 300}, DType::kU8), "E0204");
  EXPECT_EQ(Stored(std::vector<int64_t>{}, DType::kI64), "i64[0] {}");
}

TEST(Literals, TakeTheDTypeOfTheOtherOperands) {
  GraphBuilder g;
  Value x = g.Input("x", DType::kI16, {2});
  Value c = g.Input("c", DType::kBool, {2});
  EXPECT_EQ((1 - x).dtype(), DType::kI16);
  EXPECT_EQ(Where(c, 1, x).dtype(), DType::kI16);
  EXPECT_EQ(Where(true, x, 0).dtype(), DType::kI16);
  EXPECT_EQ(Reshape(x, {1, 2}).type().ToString(), "i16[1,2]");
  (void)Where(c, 1, 0);  // nothing says which
  const int line = __LINE__ - 1;
  const std::vector<Diagnostic> errors = ErrorsOf(g);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(
      errors[0].ToString(),
      absl::StrCat(
          "error[E0204 bad-literal]: operand 1 of Where: a literal, and no other operand gives it a dtype\n",
          "  --> ", __FILE__, ":", line, "\n  help: make it a Const with the dtype that is meant"));
}

}  // namespace
}  // namespace tenfold
