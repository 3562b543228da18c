// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run --compare-with: the first value in which two graphs differ.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

class CompareGraphsTest : public ToolTest {
 protected:
  // Of graphs with these statements, which take x: f32[N,2] and give y.
  ToolResult Compare(absl::string_view first, absl::string_view second, absl::string_view flags) {
    const auto graph = [](absl::string_view body) {
      return absl::StrCat("tenfold 1\ngraph g(x: f32[N,2]) -> (y) {\n", body, "}\n");
    };
    WriteFile("a.tnt", graph(first));
    WriteFile("b.tnt", graph(second));
    return Run(absl::StrCat("tenfold-run a.tnt --compare-with b.tnt ", flags));
  }
};

constexpr char kX[] = "--input 'x=f32[2,2] 1 2 3 4' ";

TEST_F(CompareGraphsTest, EqualGraphsAgree) {
  const ToolResult result =
      Compare("  h = Mul(x, 3)\n  y = Neg(h)\n", "  t = Add(x, x)\n  h = Add(t, x)\n  y = Neg(h)\n", kX);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(
      result.out,
      "compare: 3 values agree; 0 only in 'a.tnt', 1 only in 'b.tnt'\ny = f32[2,2] {-3, -6, -9, -12}\n");
}

TEST_F(CompareGraphsTest, NamesTheFirstValueThatDiffers) {
  const ToolResult result =
      Compare("  h = Mul(x, 3)\n  t = Exp(x)\n  s = Add(h, t)\n  y = Neg(s)\n",
              "  w = Const f32[2] {3, 2.5}\n  h = Mul(x, w)\n  s = Add(h, x)\n  y = Neg(s)\n", kX);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0618 values-differ]: 'h' differs: 2 of 4 elements (rtol 0.001, atol 1e-05), first element [0,1]: 6 against 5
  --> a.tnt:3:3
  furthest outside the tolerance: element [1,1]: 12 against 10, abs error 2, rel error 0.2
  in 'a.tnt': Mul 'h' (a.tnt:3:3) of 'x', '%1'
  in 'b.tnt': Mul 'h' (b.tnt:4:3) of 'x', 'w'
  its operand 'x' agrees; '%1' is only in 'a.tnt'
)");
  EXPECT_EQ(result.out.substr(0, result.out.find('\n')),
            "compare: 4 values, of which 3 differ; 1 only in 'a.tnt', 1 only in 'b.tnt'");
}

TEST_F(CompareGraphsTest, NamesOtherTypes) {
  const ToolResult result = Compare("  h = Exp(x)\n  y = Neg(h)\n",
                                    "  c = Cast(x, to=f64)\n  h = Exp(c)\n  y = Cast(h, to=f32)\n", kX);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.err, R"(error[E0618 values-differ]: 'h' differs: f32[2,2] against f64[2,2]
  --> a.tnt:3:3
  in 'a.tnt': Exp 'h' (a.tnt:3:3) of 'x'
  in 'b.tnt': Exp 'h' (b.tnt:4:3) of 'c'
  its operand 'x' agrees
)");
}

TEST_F(CompareGraphsTest, LetsPassWhatTheToleranceAllows) {
  constexpr char kFirst[] = "  y = Mul(x, 1.0005)\n", kSecond[] = "  y = Identity(x)\n";
  EXPECT_EQ(Compare(kFirst, kSecond, kX).exit_status, 0);
  EXPECT_EQ(Compare(kFirst, kSecond, absl::StrCat(kX, "--rtol 1e-4")).exit_status, 3);
  EXPECT_EQ(Compare(kFirst, kSecond, absl::StrCat(kX, "--rtol 1e-4 --atol 0.01")).exit_status, 0);
  EXPECT_EQ(Compare(kFirst, kSecond, absl::StrCat(kX, "--rtol 0 --atol 0")).exit_status, 3);
}

TEST_F(CompareGraphsTest, NanEqualsNanAndInfinitiesAreEqualOrNot) {
  constexpr char kInput[] = "--input 'x=f32[1,2] -1 0'";
  EXPECT_EQ(Compare("  y = Log(x)\n", "  h = Mul(x, 2)\n  y = Log(h)\n", kInput).exit_status, 0);
  const ToolResult result = Compare("  y = Log(x)\n", "  l = Log(x)\n  y = Neg(l)\n", kInput);
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err.substr(0, result.err.find('\n')),
      "error[E0618 values-differ]: 'y' differs: 1 of 2 elements (rtol 0.001, atol 1e-05), first element "
      "[0,1]: -inf against inf");
}

TEST_F(CompareGraphsTest, IntegersMustBeEqual) {
  constexpr char kFirst[] = "  i = Cast(x, to=i32)\n  y = Cast(i, to=f32)\n";
  constexpr char kSecond[] = "  j = Cast(x, to=i32)\n  i = Add(j, 1)\n  y = Cast(i, to=f32)\n";
  const ToolResult result = Compare(kFirst, kSecond, absl::StrCat(kX, "--rtol 9 --atol 9"));
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err.substr(0, result.err.find('\n')),
      "error[E0618 values-differ]: 'i' differs: 4 of 4 elements (exactly), first element [0,0]: 1 against 2");
}

// Outputs are the same by name, or where the names differ by position; what is computed of inputs of one
// graph alone, too.
TEST_F(CompareGraphsTest, MatchesOutputsByNameAndPosition) {
  WriteFile("a.tnt",
            "tenfold 1\ngraph a(x: f32[2], u: f32[1]) -> (p, \"q\"=h) {\n  p = Neg(x)\n  h = Mul(x, 2)\n}\n");
  WriteFile("b.tnt", "tenfold 1\ngraph b(x: f32[2]) -> (q, r) {\n  r = Exp(x)\n  q = Add(x, x)\n}\n");
  const ToolResult result =
      Run("tenfold-run a.tnt --compare-with b.tnt --input 'x=f32[2] 1 2' --input 'u=f32[1] 1'");
  // 'q' is matched by name, so 'p' and 'r' stand at no common position.
  EXPECT_EQ(result.exit_status, 0) << result.err;
  EXPECT_EQ(result.out.substr(0, result.out.find('\n')),
            "compare: 2 values agree; 2 only in 'a.tnt', 1 only in 'b.tnt'");
  WriteFile("c.tnt", "tenfold 1\ngraph c(x: f32[2]) -> (r, s) {\n  r = Exp(x)\n  s = Add(x, x)\n}\n");
  EXPECT_EQ(
      Run("tenfold-run a.tnt --compare-with c.tnt --input 'x=f32[2] 1 2' --input 'u=f32[1] 1'").err,
      R"(error[E0618 values-differ]: the output 'p' differs: 2 of 2 elements (rtol 0.001, atol 1e-05), first element [0]: -1 against 2.7182817
  --> a.tnt:3:3
  furthest outside the tolerance: element [0]: -1 against 2.7182817, abs error 3.72, rel error 1.37
  in 'a.tnt': Neg 'p' (a.tnt:3:3) of 'x'
  in 'c.tnt': Exp 'r' (c.tnt:3:3) of 'x'
  its operand 'x' agrees
)");
}

TEST_F(CompareGraphsTest, NothingInCommonIsNoAgreement) {
  WriteFile("a.tnt", "tenfold 1\ngraph a(x: f32[2]) -> (p) {\n  p = Neg(x)\n}\n");
  WriteFile("b.tnt", "tenfold 1\ngraph b(x: f32[2]) -> (q, r) {\n  r = Exp(x)\n  q = Add(x, x)\n}\n");
  const ToolResult result = Run("tenfold-run a.tnt --compare-with b.tnt --input 'x=f32[2] 1 2'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.err,
            "error[E0618 values-differ]: nothing that is computed can be compared: the graphs have no such "
            "value of "
            "one name, and 1 output against 2\n"
            "  help: give the values that are to be compared the same names in both graphs\n");
}

TEST_F(CompareGraphsTest, TheSecondGraphIsHeldAgainstTheFeedsToo) {
  WriteFile("a.tnt", "tenfold 1\ngraph a(x: f32[2]) -> (y) {\n  y = Neg(x)\n}\n");
  WriteFile("b.tnt", "tenfold 1\ngraph b(x: f32[2], z: f32[2]) -> (y) {\n  y = Add(x, z)\n}\n");
  const ToolResult result = Run("tenfold-run a.tnt --compare-with b.tnt --input 'x=f32[2] 1 2'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_NE(result.err.find("E0603"), std::string::npos) << result.err;
  EXPECT_NE(result.err.find("b.tnt:2:"), std::string::npos) << result.err;
  EXPECT_EQ(Run("tenfold-run a.tnt --compare-with no.tnt --input 'x=f32[2] 1 2'").exit_status, 1);
}

}  // namespace
}  // namespace tenfold
