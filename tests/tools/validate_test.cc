// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run --validate: the first NaN, and the first infinity that arises.
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

class ValidateTest : public ToolTest {
 protected:
  // Of a graph with this body, fed `inputs`.
  ToolResult Validate(absl::string_view graph, absl::string_view flags) {
    WriteFile("m.tnt", absl::StrCat("tenfold 1\n", graph));
    return Run(absl::StrCat("tenfold-run m.tnt --validate ", flags));
  }
};

constexpr char kQuotient[] = R"(graph g(a: f32[N,2], b: f32[2]) -> (y) {
  n = Sub(a, 1)
  q = Div(n, b)
  r = Relu(q)
  y = ReduceSum(r, axes=[1])
}
)";

TEST_F(ValidateTest, LooksAtEveryValue) {
  const ToolResult result = Validate(kQuotient, "--input 'a=f32[1,2] 3 5' --input 'b=f32[2] 2 4'");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, "validate: 7 values, all finite\ny = f32[1,1] {2}\n");
}

TEST_F(ValidateTest, NamesTheNodeInWhichANanArises) {
  const ToolResult result = Validate(kQuotient, "--input 'a=f32[2,2] 3 1 2 1' --input 'b=f32[2] 1 0'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0616 nan-found]: Div 'q' gives NaN: 2 NaN among the 4 elements of f32[2,2]; the first, element [0,1], is nan
  --> m.tnt:4:3
  its operands hold no NaN; there, 'n' is 0, 'b' is 0
  help: to see what it is computed of, add --fetch n
)");
  EXPECT_EQ(result.out, "validate: 7 values: 3 with NaN, 0 with infinities\ny = f32[2,1] {nan, nan}\n");
}

TEST_F(ValidateTest, NamesTheNodeInWhichAnInfinityArises) {
  const ToolResult result = Validate(kQuotient, "--input 'a=f32[2,2] 3 -1 2 1' --input 'b=f32[2] 1 0'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0616 nan-found]: Div 'q' gives NaN: 1 NaN, 1 -Inf among the 4 elements of f32[2,2]; the first, element [1,1], is nan
  --> m.tnt:4:3
  its operands hold no NaN; there, 'n' is 0, 'b' is 0
  help: to see what it is computed of, add --fetch n
error[E0617 infinity-found]: Div 'q' gives an infinity: 1 NaN, 1 -Inf among the 4 elements of f32[2,2]; the first, element [0,1], is -inf
  --> m.tnt:4:3
  its operands are finite; there, 'n' is -2, 'b' is 0
  help: to see what it is computed of, add --fetch n
)");
}

// What is no elementwise op has no operands "there".
TEST_F(ValidateTest, ShowsTheRangesOfOtherOperands) {
  const ToolResult result = Validate(R"(graph g(x: f32[2,2]) -> (y) {
  w = Const f32[2,1] {3e38, -3e38}
  y = MatMul(x, w)
}
)",
                                     "--input 'x=f32[2,2] 1 1 9 -9'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0617 infinity-found]: MatMul 'y' gives an infinity: 1 +Inf among the 2 elements of f32[2,1]; the first, element [1,0], is inf
  --> m.tnt:4:3
  its operands are finite: 'x' is f32[2,2], from -9 to 9; 'w' is f32[2,1], from -3e+38 to 3e+38
)");
}

constexpr char kMasked[] = R"(graph g(x: f32[2,2], m: bool[2,2]) -> (p) {
  hide = Const f32[] {-inf}
  s = Where(m, x, hide)
  p = Softmax(s)
}
)";

TEST_F(ValidateTest, InfinitiesThatAreGivenAreNoFinding) {
  const ToolResult result =
      Validate(kMasked, "--input 'x=f32[2,2] 1 1 2 2' --input 'm=bool[2,2] true true true false'");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out,
            "validate: 5 values: 0 with NaN, 2 with infinities; infinities are given by Const 'hide' "
            "(m.tnt:3:3)\n"
            "p = f32[2,2] {0.5, 0.5, 1, 0}\n");
}

TEST_F(ValidateTest, ANanThatIsMadeOfThemIsOne) {
  const ToolResult result =
      Validate(kMasked, "--input 'x=f32[2,2] 1 1 2 2' --input 'm=bool[2,2] true true false false'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0616 nan-found]: Softmax 'p' gives NaN: 2 NaN among the 4 elements of f32[2,2]; the first, element [1,0], is nan
  --> m.tnt:5:3
  its operands hold no NaN: 's' is f32[2,2], from -inf to 1
  help: to see what it is computed of, add --fetch s
)");
}

TEST_F(ValidateTest, InfinitiesInAttributesAreGiven) {
  const ToolResult result = Validate(R"(graph g(x: f32[2]) -> (y) {
  s = Shape(x)
  y = ConstantOfShape(s, value=f32[1] {inf})
}
)",
                                     "--input 'x=f32[2] 1 2'");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out,
            "validate: 3 values: 0 with NaN, 1 with infinities; infinities are given by ConstantOfShape 'y' "
            "(m.tnt:4:3)\n"
            "y = f32[2] {inf, inf}\n");
}

TEST_F(ValidateTest, ANanInAFeedOrAConstantIsNamed) {
  constexpr char kGraph[] = R"(graph g(x: f32[2]) -> (y) {
  w = Const f16[3] {1, nan, nan}
  y = Exp(w)
  z = Neg(x)
}
)";
  const ToolResult feed = Validate(kGraph, "--input 'x=f32[2] nan inf'");
  EXPECT_EQ(feed.exit_status, 3);
  EXPECT_EQ(
      feed.err,
      R"(error[E0616 nan-found]: Input 'x' holds NaN: 1 NaN, 1 +Inf among the 2 elements of f32[2]; the first, element [0], is nan
  --> m.tnt:2:9
)");
  const ToolResult constant = Validate(kGraph, "--input 'x=f32[2] 1 inf'");
  EXPECT_EQ(constant.exit_status, 3);
  EXPECT_EQ(
      constant.err,
      R"(error[E0616 nan-found]: Const 'w' holds NaN: 2 NaN among the 3 elements of f16[3]; the first, element [1], is nan
  --> m.tnt:3:3
)");
}

TEST_F(ValidateTest, ScalarsAndSplatsHaveNoIndex) {
  const ToolResult result = Validate(R"(graph g(x: f64[]) -> (y) {
  y = Log(x)
}
)",
                                     "--input 'x=f64[] -1'");
  EXPECT_EQ(result.err,
            R"(error[E0616 nan-found]: Log 'y' gives NaN: 1 NaN among the 1 element of f64[]; it is nan
  --> m.tnt:3:3
  its operands hold no NaN; there, 'x' is -1
)");
}

// What a body computes is not seen, and that is said.
TEST_F(ValidateTest, NamesTheLoopInWhoseBodyItArises) {
  const ToolResult result = Validate(R"(graph g(x: f32[2], n: i64[]) -> (y) {
  y = Loop(n, true, x) {
    graph body(i, go, v) -> (go, w) {
      d = Sub(v, 1)
      w = Sqrt(d)
    }
  }
}
)",
                                     "--input 'x=f32[2] 1 5' --input 'n=i64[] 2'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"(error[E0616 nan-found]: Loop 'y' gives NaN: 1 NaN among the 2 elements of f32[2]; the first, element [0], is nan
  --> m.tnt:3:3
  its operands hold no NaN: 'n' is i64[], from 2 to 2; '%2' is bool[], from true to true; 'x' is f32[2], from 1 to 5
  the values inside its bodies are not looked at: one of them may be the first
)");
}

// A failure comes after what was found before it.
TEST_F(ValidateTest, TellsWhatItFoundBeforeAFailure) {
  const ToolResult result = Validate(R"(graph g(x: f32[2], d: i32[2]) -> (q) {
  r = Sqrt(x)
  i = Cast(r, to=i32)
  q = Div(i, d)
}
)",
                                     "--input 'x=f32[2] 4 -4' --input 'd=i32[2] 1 0'");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_EQ(result.err.substr(0, 40), "error[E0616 nan-found]: Sqrt 'r' gives N");
  EXPECT_NE(result.err.find("error[E0601 integer-division-by-zero]: "), std::string::npos) << result.err;
  EXPECT_EQ(result.out, "");
}

TEST_F(ValidateTest, TellsMachines) {
  const ToolResult result =
      Validate("graph g(x: f32[1]) -> (y) {\n  y = Log(x)\n}\n", "--input 'x=f32[1] 0' --diagnostics=json");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(
      result.err,
      R"({"code":"E0617","message":"Log 'y' gives an infinity: 1 -Inf among the 1 element of f32[1]; the first, element [0], is -inf","location":"m.tnt:3:3","notes":["its operands are finite; there, 'x' is 0"],"help":[],"severity":"error","slug":"infinity-found"})"
      "\n");
}

TEST_F(ValidateTest, FeedsAreCheckedAsInARun) {
  const ToolResult result = Validate(kQuotient, "--input 'a=f32[1,3] 1 2 3' --input 'b=f32[2] 1 2'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err, Run("tenfold-run m.tnt --input 'a=f32[1,3] 1 2 3' --input 'b=f32[2] 1 2'").err);
  EXPECT_NE(result.err.find("E0605"), std::string::npos);
}

TEST_F(ValidateTest, FetchesExpectationsAndLimitsHoldAsInARun) {
  const std::string feeds = "--input 'a=f32[1,2] 3 5' --input 'b=f32[2] 2 4' ";
  const ToolResult result = Validate(kQuotient, feeds + "--fetch q --expect 'y=f32[1,1] 3'");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.out, "validate: 7 values, all finite\ny = f32[1,1] {2}\nq = f32[1,2] {1, 1}\n");
  EXPECT_NE(result.err.find("compare y: 1 of 1 element outside"), std::string::npos) << result.err;
  EXPECT_EQ(Validate(kQuotient, feeds + "--memory-limit 4").exit_status, 4);
}

TEST_F(ValidateTest, FlagsThatContradictItAreWrongUsage) {
  const auto error = [&](absl::string_view flags) { return Validate(kQuotient, flags).err; };
  const std::string more = "\n  tenfold-run --help lists the flags, with examples\n";
  EXPECT_EQ(error("--repeat 3"),
            "tenfold-run: --validate computes node by node: there are no runs to time" + more);
  EXPECT_EQ(error("--device cuda:0"),
            "tenfold-run: --validate computes node by node on the CPU: leave --device out" + more);
  EXPECT_EQ(error("--compare-with n.tnt"),
            "tenfold-run: --validate and --compare-with are two runs: ask one at a time" + more);
}

}  // namespace
}  // namespace tenfold
