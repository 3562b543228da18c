// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string Errors(absl::string_view text, TextOptions options = {}) {
  options.file = "g.tnt";
  const absl::StatusOr<Graph> graph = ParseText(text, options);
  EXPECT_FALSE(graph.ok()) << text;
  return std::string(graph.status().message());
}

// The errors of a graph with the input `x: f32[N,4]` and these statements, from line 2 on.
std::string StatementErrors(absl::string_view statements) {
  return Errors("graph g(x: f32[N,4]) -> () {\n" + std::string(statements) + "\n}\n");
}

TEST(ParserErrors, ShowThePlaceAndWhatCouldStandThere) {
  EXPECT_EQ(StatementErrors("  y = Add(x x)"),
            "error[E0501 bad-syntax]: expected ')' or ',' after an operand, found 'x'\n"
            "  --> g.tnt:2:13\n"
            "  2 |   y = Add(x x)\n"
            "    |             ^");
}

TEST(ParserErrors, AContractMustBeWholeAndTrue) {
  const auto errors = [](absl::string_view contract) {
    return Errors("graph g(x: f32[N,2] contract(" + std::string(contract) + ")) -> (x) {\n}\n");
  };
  const std::string ranges = "min=f32[2] {0, 0}, max=f32[2] {1, 1}";
  EXPECT_EQ(
      errors("rows=0, axis=1, " + ranges),
      "error[E0501 bad-syntax]: the contract of 'x': it saw 0 rows\n"
      "  --> g.tnt:1:21\n"
      "  1 | graph g(x: f32[N,2] contract(rows=0, axis=1, min=f32[2] {0, 0}, max=f32[2] {1, 1})) -> (x) {\n"
      "    |                     ^~~~~~~~");
  EXPECT_THAT(errors("axis=1, " + ranges), HasSubstr("expected rows=, found 'axis'"));
  EXPECT_THAT(errors("\"a.npy\" rows=1"), HasSubstr("expected ',' after a sample, found 'rows'"));
  EXPECT_THAT(errors("rows=1, min=f32[2] {0, 0})"), HasSubstr("expected ',' before max=, found ')'"));
  EXPECT_THAT(errors("rows=1, axis=1, min=f32[2] {0, x}, max=f32[2] {1, 1}"), HasSubstr("E0506"));
  EXPECT_THAT(errors("rows=1, axis=1, min=f32[2] {0, ...}, max=f32[2] {1, 1}"), HasSubstr("E0505"));
  EXPECT_THAT(errors("rows=1, axis=-1, " + ranges), HasSubstr("axis -1 of f32[N,2] has no columns"));
  EXPECT_THAT(errors("rows=1, axis=9223372036854775807, " + ranges), HasSubstr("has no columns"));
  EXPECT_THAT(errors("rows=1, " + ranges), HasSubstr("its least values are f32[2], not f32[1]"));
  EXPECT_THAT(errors("type=f32[M,2], rows=1, axis=1, " + ranges),
              HasSubstr("it is for f32[M,2], and the input is f32[N,2]"));
  EXPECT_THAT(errors("rows=1, axis=1, min=f32[2] {0, 0}, max=f32[2] {1, -1}"),
              HasSubstr("the range of column 1 is empty: from 0 to -1"));
  EXPECT_THAT(errors("rows=1, axis=1, " + ranges + ", nans=i64[2] {0, 2}"),
              HasSubstr("it counts 2 NaNs in column 1 of 1 rows"));
  EXPECT_THAT(
      Errors("graph g(x: f32[2]) -> (y) {\n y = Fused(x) {\n graph b(x: f32[2] contract(rows=1, axis=0, "
             "min=f32[2] {0, 0}, max=f32[2] {1, 1})) -> (t) {\n t = Neg(x)\n }\n }\n}"),
      HasSubstr("axis 0 of f32[2] has no columns"));
  EXPECT_THAT(Errors("graph g(x: f32[2]) -> (y) {\n y = Fused(x) {\n graph b(x: f32[2] contract(rows=1, "
                     "min=f32[1] {0}, max=f32[1] {1})) -> (t) {\n t = Neg(x)\n }\n }\n}"),
              HasSubstr("an input of a body has a contract: only those of the graph have"));
}

TEST(ParserErrors, OfferTheNearestName) {
  EXPECT_EQ(StatementErrors(
                "  weights = Tanh(x)\n  y = MatMull(x, x)\n  z = Tanh(wieghts)\n  s = Softmax(x, axes=0)"),
            "error[E0101 unknown-op]: there is no op 'MatMull'\n"
            "  --> g.tnt:3:7\n"
            "  3 |   y = MatMull(x, x)\n"
            "    |       ^~~~~~~\n"
            "  help: did you mean 'MatMul'?\n"
            "error[E0107 unknown-name]: there is no value 'wieghts'\n"
            "  --> g.tnt:4:12\n"
            "  4 |   z = Tanh(wieghts)\n"
            "    |            ^~~~~~~\n"
            "  help: did you mean 'weights'?\n"
            "error[E0102 bad-attribute]: Softmax has no attribute 'axes'\n"
            "  --> g.tnt:5:18\n"
            "  5 |   s = Softmax(x, axes=0)\n"
            "    |                  ^~~~\n"
            "  help: did you mean 'axis'?");
}

TEST(ParserErrors, ComeFromTheOpsWithThePlaceInTheText) {
  EXPECT_THAT(
      StatementErrors("  w = Const f32[3,2] splat 0 at \"train.py:7\"\n  y = MatMul(x, w) at \"model.cc:9\""),
      AllOf(HasSubstr(
                "error[E0201 shape-mismatch]: MatMul 'y': inner dims differ: lhs 'x' is f32[N,4], rhs 'w' is "
                "f32[3,2]\n"
                "  --> g.tnt:3:7\n"
                "  3 |   y = MatMul(x, w) at \"model.cc:9\"\n"
                "    |       ^~~~~~\n"
                "  lhs comes from Input 'x' (g.tnt:1:9), rhs comes from Const 'w' (train.py:7)\n"),
            HasSubstr("built at model.cc:9")));
}

TEST(ParserErrors, AllOfAFileAreReportedAndTheirConsequencesAreNot) {
  const std::string errors = StatementErrors(
      "  a = Nope(x)\n"      // the cause
      "  b = Tanh(a)\n"      // silent
      "  c = Add(x, , 1)\n"  // another
      "  d = Add(c, b)\n"    // silent
      "  w = Const f32[2] {1, z}\n"
      "  e = Add(w, x\n"  // unclosed
      "  f = Tanh(q)");
  EXPECT_THAT(errors,
              AllOf(HasSubstr("no op 'Nope'"), HasSubstr("g.tnt:4:14"), HasSubstr("'z' is no number")));
  EXPECT_THAT(errors, AllOf(HasSubstr("--> g.tnt:8:"), HasSubstr("there is no value 'q'")));
  EXPECT_THAT(errors, AllOf(Not(HasSubstr("g.tnt:3:")), Not(HasSubstr("g.tnt:5:"))));
  const std::vector<Diagnostic> list = DiagnosticsOf(
      ParseText("graph g(x: f32[4]) -> (y) {\n a = Nope(x)\n b = Tanh(nix)\n y = Add(a, b)\n}").status());
  EXPECT_EQ(list.size(), 2u);
}

TEST(ParserErrors, AreCountedBeyondTheLimit) {
  std::string statements;
  for (int i = 0; i < 9; ++i) statements += " v" + std::to_string(i) + " = Nope(x)\n";
  TextOptions options;
  options.limits.errors = 2;
  const std::string errors = Errors("graph g(x: f32[4]) -> () {\n" + statements + "}\n", options);
  EXPECT_THAT(errors, AllOf(HasSubstr("g.tnt:3:"), Not(HasSubstr("g.tnt:4:"))));
}

struct Case {
  const char* statements;
  const char* error;
};

TEST(ParserErrors, OneByOne) {
  const Case kCases[] = {
      {" y = Add(x, y)", "error[E0106 cycle]: 'y' depends on itself"},
      {" y = Tanh(z)\n z = Tanh(y)", "error[E0106 cycle]: 'z' is read before it is computed, at line 3"},
      {" x = Tanh(x)", "error[E0104 duplicate-name]: 'x' is defined twice: first at line 1"},
      {" y = Tanh(x)\n y = Neg(x)", "'y' is defined twice: first at line 2"},
      {" a, b = Tanh(x)", "error[E0103 wrong-arity]: Tanh gives 1 result, but 2 names stand before '='"},
      {" y = Add(x)", "error[E0103 wrong-arity]: Add takes 2 operands, but got 1"},
      {" y = Slice(x)", "error[E0103 wrong-arity]: Slice takes 3 to 5 operands, but got 1"},
      {" y = Concat(axis=0)", "error[E0103 wrong-arity]: Concat takes at least 1 operand, but got 0"},
      {" y = Tanh(_)", "error[E0103 wrong-arity]: Tanh needs its operand 'x'"},
      {" _ = Tanh(x)", "_ is an operand that is absent; a name stands in quotes: \"_\""},
      {" a, b = Split(x, num_outputs=4)", "Split gives 4 results, but 2 names stand before '='"},
      {" y = Softmax(x, axis=\"a\")",
       "error[E0102 bad-attribute]: the attribute 'axis' of Softmax is an integer of 64 bits"},
      {" y = Softmax(x, axis=1.5)", "the attribute 'axis' of Softmax is an integer of 64 bits"},
      {" y = Softmax(x, axis=99999999999999999999)",
       "the attribute 'axis' of Softmax is an integer of 64 bits"},
      {" y = ReduceSum(x, axes=[0, a])", "expected an element, found 'a'"},
      {" y = ReduceSum(x, axes=3)", "is a list of integers, such as [0, 1]"},
      {" y = ReduceSum(x, keepdims=1)", "is true or false"},
      {" y = Cast(x, to=f99)", "is a dtype, such as f32"},
      {" y = Softmax(x, axis=0, axis=1)", "the attribute 'axis' is given twice"},
      {" y = Softmax(axis=0, x)", "expected an attribute: operands stand before attributes, found 'x'"},
      {" y = Softmax(x, axis=7)", "error[E0203 bad-axis]"},
      {" y = Add(1, 2)", "error[E0204 bad-literal]: no other operand of Add gives this literal a dtype"},
      {" y = Mul(x, 16777217)", "error[E0204 bad-literal]"},
      {" y = Mul(x, 1e39)", "error[E0204 bad-literal]"},
      {" y = Mul(x, 1e999)", "'1e999' would become infinite as f64"},
      {" y = Mul(x, 1x)", "'1x' is no number"},
      {" y = Reshape(x, {1, 99999999999999999999})", "out of the range of i64"},
      {" i = Const u64[] {1}\n y = Add(i, -1)", "error[E0204 bad-literal]"},
      {" i = Const i32[] {1}\n y = Add(i, 0.5)", "error[E0204 bad-literal]"},
      {" i = Const i32[] {1}\n y = Add(i, 99999999999999999999)",
       "'99999999999999999999' is out of the range of i32"},
      {" y: f32[N,5] = Tanh(x)",
       "error[E0504 type-disagrees]: 'y' is written as f32[N,5], but Tanh gives f32[N,4]"},
      {" y = Input(x)", "an input stands in the graph's header, not in a statement"},
      {" y = Tanh(x) {\n graph b() -> () {\n }\n }",
       "Tanh takes no body: only a fused node, If, Loop and Scan have any"},
      {" y = Fused(x)", "Fused needs a body, the graph that it stands for"},
      {" y = Fused(x) {\n graph b() -> () {\n }\n }",
       "error[E0504 type-disagrees]: the body takes (), but the operands are (f32[N,4])"},
      {" y = Fused(x) {\n graph b(x: f32[4]) -> (x) {\n }\n }",
       "the body takes (f32[4]), but the operands are (f32[N,4])"},
      {" y = Fused(x) {\n graph b(x: f32[N,4]) -> () {\n }\n }",
       "Fused gives 0 results, but 1 name stands before '='"},
      {" y = Tanh(x) z = Tanh(x)", "expected the end of the line after a statement, found 'z'"},
      {" y = Const", "expected the type of the constant, found '}'"},
      {" y = Const f32[N] {1}", "a constant needs an integer for each dim, not f32[N]"},
      {" y = Const f32[2]", "expected the contents of the constant, found '}'"},
      {" y = Const f32[2] {1, 2, 3}",
       "error[E0403 wrong-element-count]: shape [2] holds 2 elements, but 3 were given"},
      {" y = Const i8[2] splat 200",
       "error[E0506 bad-element]: '200' is out of the range of i8, -128 to 127"},
      {" y = Const f32[9] {1, 2, ...}",
       "error[E0505 contents-left-out]: the contents of this f32[9] were left out"},
      {" y = Const @\"w.npz:a\"", "error[E0524 bad-reference]: the graph refers to the array w.npz: a"},
      {" y = Const @\"/etc/passwd\"", "error[E0525 reference-outside]"},
      {" y = Const @\"a/../../w.npz:a\"", "error[E0525 reference-outside]"},
      {" y = Const @w", "expected a file's name in quotes after '@', found 'w'"},
      {" y = Const f3[2] {1}", "error[E0210 bad-type-text]"},
      {" true = Tanh(x)", "expected the name of a result, found 'true'"},
      {" \"\" = Tanh(x)", "a name is empty"},
      {" \"\\q\" = Tanh(x)", "the string has an unknown escape"},
      {" \"y = Tanh(x)", "found a string without a closing quote"},
      {" y = Tanh(x) $", "found '$'"},
      {" y = Tanh(\x01)", "found the character \"\\x01\""},
      {" = Tanh(x)", "expected the name of a result, found '='"},
      {" y Tanh(x)", "expected '=' after the results, found 'Tanh'"},
      {" y = (x)", "expected an op's name, found '('"},
      {" y = Tanh x", "expected '(' before the operands of Tanh, found 'x'"},
  };
  for (const Case& c : kCases) EXPECT_THAT(StatementErrors(c.statements), HasSubstr(c.error)) << c.statements;
}

TEST(ParserErrors, OfTheHeader) {
  const Case kCases[] = {
      {"", "expected 'graph', found the end of the text"},
      {"tenfold 2\ngraph g() -> () {}",
       "error[E0503 unsupported-version]: the text is in version 2 of the format; this Tenfold reads version "
       "1"},
      {"tenfold x", "expected the format's version after 'tenfold', found 'x'"},
      {"graph (", "expected the graph's name, found '('"},
      {"graph g(x) -> () {}", "expected ':' and a type after the input's name, found ')'"},
      {"graph g(x: 4) -> () {}", "expected a type, found '4'"},
      {"graph g(x: f32[N) -> () {}", "error[E0210 bad-type-text]"},
      {"graph g(x: f32[4], x: f32[4]) -> () {}", "'x' is defined twice"},
      {"graph g(x: f32[4]) {}", "expected '->' and the outputs after the inputs, found '{'"},
      {"graph g(x: f32[4]) -> (y) {}", "error[E0107 unknown-name]: there is no value 'y'"},
      {"graph g(x: f32[4]) -> (x, x) {}", "error[E0104 duplicate-name]: the graph already has an output 'x'"},
      {"graph g() where N [1,2] -> () {}", "expected 'in', found '['"},
      {"graph g() where N in [2,1] -> () {}", "no dim lies within the bounds of 'N'"},
      {"graph g() where N in [-1,1] -> () {}", "no dim lies within the bounds of 'N'"},
      {"graph g() where N in [1,2], N in [1,] -> () {}", "the symbol 'N' has bounds already"},
      {"graph g() where N in [99999999999999999999,] -> () {}", "is no integer of 64 bits"},
      {"graph g() -> () {} graph h() -> () {}",
       "expected the end of the file after the graph, found 'graph'"},
      {"graph g() -> () {", "expected a statement or '}', found the end of the text"},
      {"graph g() -> () {\n\xff}", "the text is not UTF-8 from here on"},
  };
  for (const Case& c : kCases) EXPECT_THAT(Errors(c.statements), HasSubstr(c.error)) << c.statements;
  TextOptions options;
  options.require_header = true;
  EXPECT_THAT(Errors("graph g() -> () {}", options),
              HasSubstr("expected 'tenfold 1', the first line of a text graph, found 'graph'"));
}

TEST(ParserErrors, AReferenceOfAnotherTypeIsRefused) {
  TextOptions options;
  options.resolve = [](const ArrayRequest&) -> absl::StatusOr<IngestedArray> {
    return IngestedArray{*Tensor::FromVector(std::vector<double>{1}, Dims{1}), {}, ""};
  };
  EXPECT_THAT(Errors("graph g() -> () {\n w = Const f32[1] @\"w.npy\"\n}", options),
              HasSubstr("error[E0504 type-disagrees]: the array w.npy is f64[1], but the graph says f32[1]"));
}

TEST(ParserErrors, AfterABrokenListTheNextStatementIsRead) {
  const std::string errors = StatementErrors(
      " a = Const f32[40] {1, 2,\n  3 4,\n  5\n }\n b = Nope(x)\n c = Const f32[2] {1 2}\n d = Tanh(a)\n e = "
      "Nix(x)");
  EXPECT_THAT(errors, AllOf(HasSubstr("g.tnt:3:5"), HasSubstr("no op 'Nope'"), HasSubstr("g.tnt:7:"),
                            HasSubstr("no op 'Nix'")));
}

TEST(ParserErrors, InABodyAreReportedOnce) {
  EXPECT_EQ(StatementErrors(
                " y = Fused(x) {\n  graph b(x: f32[N,4]) -> (t) {\n   t = Tahn(x)\n  }\n }\n z = Tanh(y)"),
            "error[E0101 unknown-op]: there is no op 'Tahn'\n"
            "  --> g.tnt:4:8\n"
            "  4 |    t = Tahn(x)\n"
            "    |        ^~~~\n"
            "  help: did you mean 'Tanh'?");
}

TEST(AnnotateText, PutsEachErrorBelowItsLine) {
  const AnnotatedText annotated = AnnotateText(
      "tenfold 1\n"
      "graph g(x: f32[N,4]) -> (z) {\n"
      "  y = Tahn(x)\n"
      "  z = Add(y, w)\n"
      "}\n",
      {.file = "g.tnt"});
  EXPECT_EQ(annotated.text,
            "tenfold 1\n"
            "graph g(x: f32[N,4]) -> (z) {\n"
            "  y = Tahn(x)\n"
            "#     ^~~~ error[E0101 unknown-op]: there is no op 'Tahn'\n"
            "#         help: did you mean 'Tanh'?\n"
            "  z = Add(y, w)\n"
            "#            ^ error[E0107 unknown-name]: there is no value 'w'\n"
            "}\n");
  ASSERT_EQ(annotated.errors.size(), 2u);
  EXPECT_EQ(annotated.errors[1].location, "g.tnt:4:14");
  // The comments change nothing.
  EXPECT_EQ(AnnotateText(annotated.text).errors.size(), 2u);
}

TEST(AnnotateText, LeavesAGoodTextAlone) {
  const std::string text = "graph g() -> () {\n}\n";
  EXPECT_EQ(AnnotateText(text).text, text);
  EXPECT_TRUE(AnnotateText(text).errors.empty());
}

}  // namespace
}  // namespace tenfold
