// SPDX-License-Identifier: Apache-2.0
//
// The full text of what people see, with this file as the place. A negative test for every code of the graph;
// those of the compiler are in compiler_errors_test.cc.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

// What Build says, with "here+2" for the place two lines below line `here` of this file.
std::string ErrorOf(GraphBuilder& g, int here) {
  const absl::StatusOr<Graph> graph = std::move(g).Build();
  if (graph.ok()) return "no error";
  std::string text(graph.status().message());
  const std::string file = absl::StrCat(__FILE__, ":");
  for (size_t at = text.find(file); at != std::string::npos; at = text.find(file)) {
    size_t end = at + file.size();
    int line = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') line = line * 10 + (text[end++] - '0');
    text.replace(at, end - at, absl::StrCat("here+", line - here));
  }
  return text;
}

TEST(Diagnostics, E0101NamesTheNearestOp) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  g.Apply("SoftMax", {x});
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0101 unknown-op]: there is no op 'SoftMax'
  --> here+3
  help: did you mean 'Softmax'?)");
}

TEST(Diagnostics, E0102SaysWhichAttributesThereAre) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  g.Apply("Softmax", {x}, {{"axes", int64_t{0}}});
  g.Apply("Softmax", {x}, {{"axis", 0.5}});
  g.Apply("Cast", {x});
  g.Apply("Exp", {x}, {{"axis", int64_t{0}}});
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0102 bad-attribute]: Softmax 'softmax': there is no attribute 'axes'
  --> here+3
  x comes from Input 'x' (here+2)
  help: did you mean 'axis'?
error[E0102 bad-attribute]: Softmax 'softmax': attribute 'axis' is 0.5, a float, but must be an int
  --> here+4
  x comes from Input 'x' (here+2)
error[E0102 bad-attribute]: Cast 'cast': attribute 'to' is missing
  --> here+5
  x comes from Input 'x' (here+2)
error[E0102 bad-attribute]: Exp 'exp': there is no attribute 'axis'
  --> here+6
  x comes from Input 'x' (here+2)
  help: Exp has no attributes)");
}

TEST(Diagnostics, E0103CountsInputs) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  g.Apply("MatMul", {x, x, x}, {}, "product");
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0103 wrong-arity]: MatMul 'product' takes 2 inputs, but got 3
  --> here+3)");
}

// Too many inputs beside another mistake: the count comes first, since there are no ports to name the rest
// by.
TEST(Diagnostics, E0103ComesBeforeOtherMistakes) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  g.Apply("Neg", {x, x, x}, {{"axis", int64_t{0}}});
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0103 wrong-arity]: Neg 'neg' takes 1 input, but got 3
  --> here+3)");
}

TEST(Diagnostics, E0104NamesWhatIsThereTwice) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2});
  g.Input("x", DType::kF32, {3});
  g.Output("y", x);
  g.Output("y", x);
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0104 duplicate-name]: the graph already has a value 'x'
  --> here+3
  help: give one of them another name
error[E0104 duplicate-name]: the graph already has an output 'y'
  --> here+5
  help: give one of them another name)");
}

TEST(Diagnostics, E0105NamesTheForeigner) {
  const int here = __LINE__;
  GraphBuilder g, other;
  Value x = g.Input("x", DType::kF32, {2});
  Value foreign = other.Input("y", DType::kF32, {2});
  g.Output("sum", x + foreign);
  g.Output("foreign", foreign);
  g.Output("numbers", Add(1, 2));
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0105 not-a-value]: operand 1 of Add is not a value of this graph
  --> here+4
error[E0105 not-a-value]: output 'foreign' is not a value of this graph
  --> here+5
error[E0105 not-a-value]: output 'numbers' is not a value of this graph
  --> here+6)");
}

TEST(Diagnostics, E0201MendsByReshape) {
  const int here = __LINE__;
  GraphBuilder g("digits");
  Value x = g.Input("x", DType::kF32, {28, 28});
  Value w = g.Const(Tensor::Splat(DType::kF32, Dims{784, 10}, "\0\0\0\0"), "fc1/w");
  g.Output("y", g.Apply("MatMul", {x, w}, {}, "fc1/matmul"));
  EXPECT_EQ(
      ErrorOf(g, here),
      R"(error[E0201 shape-mismatch]: MatMul 'fc1/matmul': inner dims differ: lhs 'x' is f32[28,28], rhs 'fc1/w' is f32[784,10]
  --> here+4
  lhs comes from Input 'x' (here+2), rhs comes from Const 'fc1/w' (here+3)
  help: x has 28*28 = 784 elements: Reshape(x, {-1, 784}) gives f32[1,784])");
}

TEST(Diagnostics, E0201OfSymbolsAsksForOneDeclaration) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2, "N"});
  Value y = g.Input("y", DType::kF32, Shape{Dim::Symbol("N") + Dim(1), 2});
  g.Output("y", MatMul(x, y));
  EXPECT_EQ(
      ErrorOf(g, here),
      R"(error[E0201 shape-mismatch]: MatMul 'matmul': inner dims differ: lhs 'x' is f32[2,N], rhs 'y' is f32[N + 1,2]
  --> here+4
  lhs comes from Input 'x' (here+2), rhs comes from Input 'y' (here+3)
  help: declare both dims alike: N and N + 1 cannot be equal)");
}

TEST(Diagnostics, E0202ShowsTheDimsThatDisagree) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {"N", 10});
  Value b = g.Input("b", DType::kF32, {12});
  g.Output("y", x + b);
  EXPECT_EQ(
      ErrorOf(g, here),
      R"(error[E0202 not-broadcastable]: Add 'add': shapes do not broadcast: a 'x' is f32[N,10], b 'b' is f32[12]; at dim -1, 10 against 12
  --> here+4
  a comes from Input 'x' (here+2), b comes from Input 'b' (here+3)
  help: aligned at the last dim, dims must be equal or 1: Reshape or Transpose one of them)");
}

TEST(Diagnostics, E0203GivesTheRange) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {2, 3});
  g.Output("y", Softmax(x, {.axis = 2}));
  EXPECT_EQ(ErrorOf(g, here),
            R"(error[E0203 bad-axis]: Softmax 'softmax': axis=2 is outside [-2, 2) for a tensor of rank 2
  --> here+3
  x comes from Input 'x' (here+2)
  help: its axes are 0 to 1, or from the end -1 to -2)");
}

TEST(Diagnostics, E0204SaysWhatTheTypeHolds) {
  const int here = __LINE__;
  GraphBuilder g;
  Value i = g.Input("i", DType::kI8, {2});
  Value f = g.Input("f", DType::kF16, {2});
  g.Output("a", i + 300);
  g.Output("b", i + 1.5);
  g.Output("c", f + 1e6);
  g.Output("d", f + 2049);
  EXPECT_EQ(
      ErrorOf(g, here),
      R"(error[E0204 bad-literal]: operand 1 of Add: the literal 300 does not fit i8, which holds -128 to 127
  --> here+4
error[E0204 bad-literal]: operand 1 of Add: the literal 1.5 is floating-point, but the tensor is i8
  --> here+5
  help: Cast(x, to=f32) of the tensor x computes in f32
error[E0204 bad-literal]: operand 1 of Add: the literal 1e+06 overflows f16
  --> here+6
error[E0204 bad-literal]: operand 1 of Add: the integer literal 2049 is not exact in f16
  --> here+7
  help: write 2049.0 to round it to nearest)");
}

TEST(Diagnostics, E0205NamesTheCastThatLosesNothing) {
  struct Case {
    DType a, b;
    const char* help;
  };
  for (const Case& c :
       {Case{DType::kF32, DType::kF64, "Cast(a, to=f64) loses nothing"},
        Case{DType::kI32, DType::kF32, "Cast(a, to=f64) and Cast(b, to=f64) lose nothing"},
        Case{DType::kI16, DType::kF32, "Cast(a, to=f32) loses nothing"},
        Case{DType::kI8, DType::kU8, "Cast(a, to=i16) and Cast(b, to=i16) lose nothing"},
        Case{DType::kU32, DType::kI64, "Cast(a, to=i64) loses nothing"},
        Case{DType::kF16, DType::kBF16, "Cast(a, to=f32) and Cast(b, to=f32) lose nothing"},
        Case{DType::kI64, DType::kF64,
             "no dtype holds both without loss: Cast one of them to the dtype that is meant"},
        Case{DType::kU64, DType::kI8,
             "no dtype holds both without loss: Cast one of them to the dtype that is meant"}}) {
    const int here = __LINE__;
    GraphBuilder g;
    Value a = g.Input("a", c.a, {2});
    Value b = g.Input("b", c.b, {2});
    g.Output("y", Mul(a, b));
    EXPECT_EQ(
        ErrorOf(g, here),
        absl::StrCat("error[E0205 dtype-mismatch]: Mul 'mul': dtypes differ: a 'a' is ", Name(c.a),
                     "[2], b 'b' is ", Name(c.b),
                     "[2]\n  --> here+4\n  a comes from Input 'a' (here+2), b comes from Input 'b' (here+3)"
                     "\n  help: ",
                     c.help));
  }
}

TEST(Diagnostics, E0206ListsWhatIsAdmitted) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kI32, {2});
  g.Output("y", Exp(x));
  EXPECT_EQ(
      ErrorOf(g, here),
      R"(error[E0206 dtype-not-admitted]: Exp 'exp': x 'x' is i32[2], but Exp takes f16, bf16, f32 or f64
  --> here+3
  x comes from Input 'x' (here+2)
  help: Cast(x, to=f32) converts it, if that is meant)");
}

TEST(Diagnostics, E0207SaysHowManyDimsAreNeeded) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, Shape{});
  g.Output("y", MatMul(x, x));
  EXPECT_EQ(ErrorOf(g, here),
            R"(error[E0207 rank-mismatch]: MatMul 'matmul': lhs 'x' is f32[], but at least 1 dim is needed
  --> here+3
  lhs comes from Input 'x' (here+2), rhs comes from Input 'x' (here+2))");
}

TEST(Diagnostics, E0208OffersTheNearestShape) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, {28, 28});
  g.Output("y", Reshape(x, {2, 784}));
  EXPECT_EQ(ErrorOf(g, here),
            R"(error[E0208 bad-reshape]: Reshape 'reshape': [28,28] holds 784 elements, [2,784] holds 1568
  --> here+3
  data comes from Input 'x' (here+2), shape comes from Const (here+3)
  help: the nearest shape that holds them is {1, 784})");
}

TEST(Diagnostics, E0208ChangesOneExtentAsLittleAsItCan) {
  const auto help = [](Shape shape, std::vector<int64_t> wanted) {
    GraphBuilder g;
    Reshape(g.Input("x", DType::kF32, std::move(shape)), wanted);
    const std::string error(std::move(g).Build().status().message());
    const size_t at = error.find("help: ");
    return at == std::string::npos ? "none" : error.substr(at + 6);
  };
  const std::string nearest = "the nearest shape that holds them is ";
  const Dim n = Dim::Symbol("N");
  EXPECT_EQ(help({28, 28}, {1, 785}), nearest + "{1, 784}");
  EXPECT_EQ(help({28, 28}, {-1, 785}), nearest + "{-1, 784}");
  EXPECT_EQ(help({12}, {5, 2}), nearest + "{6, 2}");
  EXPECT_EQ(help({12}, {2, 5}), nearest + "{2, 6}");
  EXPECT_EQ(help({12, 7}, {0, 8}), nearest + "{0, 7}");
  EXPECT_EQ(help({7}, {3, 2}), "the shape {-1} holds them: [7]");
  EXPECT_EQ(help({n, 28, 28}, {-1, 785}), nearest + "{-1, 784}");
  EXPECT_EQ(help({n, 28, 28}, {5, 784}), "none");  // N may be 5
  EXPECT_EQ(help({n, 28, 28}, {5, 5}), "the shape {-1} holds them: [784*N]");
  EXPECT_EQ(help({0, 3}, {2, 2}), nearest + "{0, 2}");
}

TEST(Diagnostics, E0209AsksForARank) {
  const int here = __LINE__;
  GraphBuilder g;
  Value x = g.Input("x", DType::kF32, Shape::UnknownRank());
  g.Output("y", Reshape(x, {2, 784}));
  EXPECT_EQ(ErrorOf(g, here), R"(error[E0209 unknown-rank]: Reshape 'reshape': the rank of data is not known
  --> here+3
  data comes from Input 'x' (here+2), shape comes from Const (here+3))");
}

TEST(Diagnostics, E0210NamesTheDim) {
  const int here = __LINE__;
  GraphBuilder g;
  g.Input("x", DType::kF32, {2, "N+*"});
  EXPECT_EQ(ErrorOf(g, here),
            R"(error[E0210 bad-type-text]: dim 1 of input 'x' is not an integer expression over symbols
  --> here+2)");
}

// --- The machinery
// -------------------------------------------------------------------------------------------

TEST(Diagnostics, CodesAreSortedAndComplete) {
  std::string last;
  for (const ErrorCode& code : AllErrorCodes()) {
    EXPECT_LT(last, std::string(code.id));
    last = std::string(code.id);
    EXPECT_EQ(code.id.size(), 5u);
    EXPECT_FALSE(code.slug.empty());
    EXPECT_GT(code.paragraph.size(), 20u) << code.id;
    EXPECT_NE(code.status, absl::StatusCode::kOk) << code.id;
    EXPECT_EQ(FindErrorCode(code.id).slug, code.slug);
  }
  EXPECT_EQ(FindErrorCode("E9999").id, "E9001");
}

TEST(Diagnostics, AStatusCarriesAllParts) {
  const Diagnostic first{"E0201", "dims differ", "a.cc:1", {"one note", "another"}, {"mend it"}};
  const Diagnostic second{"E0107", "no such name", "", {}, {}};
  const absl::Status status = ToStatus({first, second});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            "error[E0201 shape-mismatch]: dims differ\n  --> a.cc:1\n  one note\n  another\n  help: mend it\n"
            "error[E0107 unknown-name]: no such name");
  const std::vector<Diagnostic> back = DiagnosticsOf(status);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].ToString(), first.ToString());
  EXPECT_EQ(back[0].help, first.help);
  EXPECT_EQ(back[1].code, "E0107");
  EXPECT_EQ(ToStatus(back[1]).code(), absl::StatusCode::kNotFound);
}

TEST(Diagnostics, ForeignStatusesBecomeInternalErrors) {
  EXPECT_TRUE(DiagnosticsOf(absl::OkStatus()).empty());
  EXPECT_TRUE(ToStatus(std::vector<Diagnostic>()).ok());
  const std::vector<Diagnostic> d = DiagnosticsOf(absl::DataLossError("disk"));
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].ToString(), "error[E9001 internal-error]: disk");
}

TEST(Diagnostics, LocationAndNotesGoToTheFirst) {
  absl::Status status =
      ToStatus({Diagnostic{"E0104", "a", "", {}, {}}, Diagnostic{"E0104", "b", "", {}, {}}});
  status = WithNote(WithLocation(WithLocation(status, "first.cc:1"), "second.cc:2"), "while testing");
  const std::vector<Diagnostic> d = DiagnosticsOf(status);
  ASSERT_EQ(d.size(), 2u);
  EXPECT_EQ(d[0].location, "first.cc:1");
  EXPECT_EQ(d[0].notes, std::vector<std::string>{"while testing"});
  EXPECT_EQ(d[1].location, "");
  EXPECT_TRUE(WithLocation(absl::OkStatus(), "x").ok());
}

// Protobuf refuses strings that are not UTF-8; the payload must survive them.
TEST(Diagnostics, BytesThatAreNotUtf8LoseNothingElse) {
  Diagnostic hostile{"E0107", "no '\xff\xfe' here", "\xc3.cc:1", {"cut \xe2\x82"}, {"\xed\xa0\x80"}};
  const absl::Status status = ToStatus(hostile);
  const std::vector<Diagnostic> d = DiagnosticsOf(status);
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E0107");
  EXPECT_EQ(d[0].message, "no '\uFFFD\uFFFD' here");
  EXPECT_EQ(d[0].location, "\uFFFD.cc:1");
  EXPECT_EQ(d[0].notes.size(), 1u);
  EXPECT_EQ(d[0].help.size(), 1u);
  EXPECT_EQ(std::string(status.message()), d[0].ToString());
  const std::vector<Diagnostic> again = DiagnosticsOf(WithNote(status, "\xff"));
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].code, "E0107");
}

TEST(Diagnostics, NearestNameIsNear) {
  const std::vector<std::string> names = {"Softmax", "MatMul", "Max"};
  EXPECT_EQ(NearestName("SoftMax", names), "Softmax");
  EXPECT_EQ(NearestName("MatMlu", names), "MatMul");
  EXPECT_EQ(NearestName("Mx", names), "Max");
  EXPECT_EQ(NearestName("Convolution", names), "");
  EXPECT_EQ(NearestName(std::string(10'000, 'M'), names), "");
  EXPECT_EQ(NearestName("x", {}), "");
}

}  // namespace
}  // namespace tenfold
