// SPDX-License-Identifier: Apache-2.0
//
// Graphs whose types assume that sizes are equal: right where they are, and refused where they are not, by
// the interpreter and by plans of every level alike.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/tests/compiler/run_everywhere.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kAdd[] = "graph add(x: f32[N], y: f32[M]) -> (z) {\n  z = Add(x, y)\n}\n";

TEST(SizeChecks, EqualSizesAreAdded) {
  EXPECT_THAT(RunAll(kAdd, {{"x", "f32[2] {1, 2}"}, {"y", "f32[2] {10, 20}"}}),
              ElementsAre("f32[2] {11, 22}"));
  EXPECT_THAT(RunAll(kAdd, {{"x", "f32[0] {}"}, {"y", "f32[0] {}"}}), ElementsAre("f32[0] {}"));
  EXPECT_THAT(RunAll(kAdd, {{"x", "f32[2] {1, 2}"}, {"y", "f32[3] {1, 2, 3}"}}),
              ElementsAre("Add 'z': dim 0 of a 'x' is N = 2, and must be M = 3"));
}

std::string ErrorOf(const std::string& text, const std::vector<std::pair<std::string, std::string>>& feeds) {
  const absl::StatusOr<Executable> executable = Compile(Parse(text), {.jit = JitMode::kOff, .threads = 1});
  if (!executable.ok()) return std::string(executable.status().message());
  return std::string(executable->Run(Feeds(feeds)).status().message());
}

TEST(SizeChecks, TheRefusalNamesNodeSizesAndWhatTheyFollowFrom) {
  EXPECT_EQ(ErrorOf(kAdd, {{"x", "f32[2] {1, 2}"}, {"y", "f32[3] {1, 2, 3}"}}),
            "error[E0619 sizes-disagree]: Add 'z': dim 0 of a 'x' is N = 2, and must be M = 3\n"
            "  --> text:2:3\n"
            "  in this run N is 2 in 'x', M is 3 in 'y'\n"
            "  help: feed sizes for which they agree");
}

// What was compiled adds element by element.
TEST(SizeChecks, AnotherBroadcastThanTheOneThatWasCompiledIsRefused) {
  EXPECT_EQ(ErrorOf(kAdd, {{"x", "f32[1] {1}"}, {"y", "f32[3] {1, 2, 3}"}}),
            "error[E0619 sizes-disagree]: Add 'z': dim 0 of a 'x' is N = 1, and must be M = 3\n"
            "  --> text:2:3\n"
            "  in this run N is 1 in 'x', M is 3 in 'y'\n"
            "  help: what is 1 is broadcast only where the graph says so: declare N as 1 (of an ONNX model: "
            "--dim N=1)");
  EXPECT_THAT(ErrorOf(kAdd, {{"x", "f32[3] {1, 2, 3}"}, {"y", "f32[1] {1}"}}), HasSubstr("declare M as 1"));
}

TEST(SizeChecks, ASizeThatIsAtMostOneIsBroadcast) {
  constexpr char kText[] = R"(
graph rows(x: f32[N,2]) -> (y) {
  first = Slice(x, {0}, {1}, {0})
  y = Sub(x, first)
}
)";
  EXPECT_THAT(RunAll(kText, {{"x", "f32[3,2] {1, 2, 3, 5, 8, 13}"}}),
              ElementsAre("f32[3,2] {0, 0, 2, 3, 7, 11}"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[0,2] {}"}}),
              ElementsAre("Sub 'y': dim 0 of b 'first' is min(N, 1) = 0, and must be 1"));
}

TEST(SizeChecks, OfProductsJoinsAndReshapes) {
  EXPECT_THAT(RunAll("graph g(x: f32[A,K], w: f32[L,B]) -> (y) {\n  y = MatMul(x, w)\n}\n",
                     {{"x", "f32[2,2] {1, 2, 3, 4}"}, {"w", "f32[2,1] {10, 1}"}}),
              ElementsAre("f32[2,1] {12, 34}"));
  EXPECT_THAT(RunAll("graph g(x: f32[A,2], y: f32[B,1]) -> (z) {\n  z = Concat(x, y, axis=1)\n}\n",
                     {{"x", "f32[2,2] {1, 2, 3, 4}"}, {"y", "f32[2,1] {10, 20}"}}),
              ElementsAre("f32[2,3] {1, 2, 10, 3, 4, 20}"));
  constexpr char kReshape[] = "graph g(x: f32[A,3]) -> (z) {\n  y = Reshape(x, {3, 2})\n  z = Neg(y)\n}\n";
  EXPECT_THAT(RunAll(kReshape, {{"x", "f32[2,3] {1, 2, 3, 4, 5, 6}"}}),
              ElementsAre("f32[3,2] {-1, -2, -3, -4, -5, -6}"));
  EXPECT_THAT(RunAll(kReshape, {{"x", "f32[1,3] {1, 2, 3}"}}),
              ElementsAre("Reshape 'y': the number of elements of x is 3*A = 3, and must be 6"));
  constexpr char kSqueeze[] = "graph g(x: f32[2,A]) -> (z) {\n  z = Squeeze(x, {1})\n}\n";
  EXPECT_THAT(RunAll(kSqueeze, {{"x", "f32[2,1] {1, 2}"}}), ElementsAre("f32[2] {1, 2}"));
  EXPECT_THAT(RunAll(kSqueeze, {{"x", "f32[2,2] {1, 2, 3, 4}"}}),
              ElementsAre("Squeeze 'z': dim 1 of data 'x' is A = 2, and must be 1"));
}

TEST(SizeChecks, OfTheLabelsOfAnEinsum) {
  constexpr char kProduct[] =
      "graph g(x: f32[A,K], w: f32[L,B]) -> (y) {\n  y = Einsum(x, w, equation=\"ij,jk->ik\")\n}\n";
  EXPECT_THAT(RunAll(kProduct, {{"x", "f32[2,2] {1, 2, 3, 4}"}, {"w", "f32[2,1] {10, 1}"}}),
              ElementsAre("f32[2,1] {12, 34}"));
  EXPECT_THAT(RunAll(kProduct, {{"x", "f32[2,2] {1, 2, 3, 4}"}, {"w", "f32[1,1] {10}"}}),
              ElementsAre("Einsum 'y': dim 0 of inputs[1] 'w' is L = 1, and must be K = 2"));
  constexpr char kTrace[] = "graph g(x: f32[A,B]) -> (y) {\n  y = Einsum(x, equation=\"ii->\")\n}\n";
  EXPECT_THAT(RunAll(kTrace, {{"x", "f32[2,2] {1, 2, 3, 4}"}}), ElementsAre("f32[] {5}"));
  EXPECT_THAT(RunAll(kTrace, {{"x", "f32[2,1] {1, 2}"}}),
              ElementsAre("Einsum 'y': dim 1 of inputs[0] 'x' is B = 1, and must be A = 2"));
}

TEST(SizeChecks, OfIndicesThatMayBeFewer) {
  constexpr char kText[] =
      "graph g(x: f32[N,2], i: i64[M,1]) -> (y) {\n  y = GatherElements(x, i, axis=1)\n}\n";
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2,2] {1, 2, 3, 4}"}, {"i", "i64[1,1] {1}"}}),
              ElementsAre("f32[1,1] {2}"));
  EXPECT_THAT(
      RunAll(kText, {{"x", "f32[1,2] {1, 2}"}, {"i", "i64[2,1] {1, 0}"}}),
      ElementsAre(
          "GatherElements 'y': the lesser of dim 0 of indices and data is min(M, N) = 1, and must be M = 2"));
}

// Two outputs by two ways, one of which is a composite.
TEST(SizeChecks, OfCompositesAndFusedKernels) {
  constexpr char kText[] = R"(
graph norm(x: f32[N,K], scale: f32[L], y: f32[N,M]) -> (n, s) {
  e = Exp(y)
  n, mean, inverse = LayerNormalization(x, scale)
  t = Mul(n, e)
  s = ReduceSum(t, axes=[1], keepdims=false)
}
)";
  const std::string x = "f32[2,2] {1, 3, 5, 9}", zero = "f32[2,2] splat 0";
  const std::vector<std::string> same = RunAll(kText, {{"x", x}, {"scale", "f32[2] {1, 2}"}, {"y", zero}});
  ASSERT_EQ(same.size(), 2);
  EXPECT_THAT(same[1], HasSubstr("f32[2] {0.99"));
  EXPECT_THAT(RunAll(kText, {{"x", x}, {"scale", "f32[3] splat 1"}, {"y", zero}}),
              ElementsAre(HasSubstr("= 3, and must be ")));
  EXPECT_THAT(RunAll(kText, {{"x", x}, {"scale", "f32[2] splat 1"}, {"y", "f32[2,1] {0, 0}"}}),
              ElementsAre(HasSubstr("and must be ")));
}

// It does not depend on the level which runs are refused.
TEST(SizeChecks, OfNodesThatAreNotNeeded) {
  constexpr char kText[] = R"(
graph size(x: f32[N], y: f32[M]) -> (n) {
  z = Add(x, y)
  n = Shape(z)
}
)";
  EXPECT_THAT(RunAll(kText, {{"x", "f32[3] splat 1"}, {"y", "f32[3] splat 1"}}), ElementsAre("i64[1] {3}"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[3] splat 1"}, {"y", "f32[2] splat 1"}}),
              ElementsAre("Add 'z': dim 0 of a 'x' is N = 3, and must be M = 2"));
}

TEST(SizeChecks, OfABranchOnlyWhereItIsTaken) {
  constexpr char kText[] = R"(
graph choose(c: bool[], x: f32[N], y: f32[M]) -> (z) {
  z = If(c) {
    graph yes() -> (r) {
      r = Add(x, y)
    }
    graph no() -> (r) {
      r = Neg(x)
    }
  }
}
)";
  const std::pair<std::string, std::string> x = {"x", "f32[2] {1, 2}"}, y = {"y", "f32[3] {1, 2, 3}"};
  EXPECT_THAT(RunAll(kText, {{"c", "bool[] {false}"}, x, y}), ElementsAre("f32[2] {-1, -2}"));
  EXPECT_THAT(RunAll(kText, {{"c", "bool[] {true}"}, x, y}),
              ElementsAre(HasSubstr("N = 2, and must be M = 3")));
  EXPECT_THAT(RunAll(kText, {{"c", "bool[] {true}"}, x, {"y", "f32[2] {10, 20}"}}),
              ElementsAre("f32[2] {11, 22}"));
}

// A branch that is put in the place of its If, where its sizes have other names.
TEST(SizeChecks, OfABranchThatIsKnownToBeTaken) {
  constexpr char kText[] = R"(
graph choose(x: f32[N], y: f32[M]) -> (z) {
  c = Const bool[] {true}
  z = If(c) {
    graph yes() -> (r) {
      hot = Greater(x, 1)
      kept = Compress(x, hot)
      r = Add(kept, y)
    }
    graph no() -> (r) {
      r = Neg(x)
    }
  }
}
)";
  const std::pair<std::string, std::string> x = {"x", "f32[3] {1, 2, 3}"};
  EXPECT_THAT(RunAll(kText, {x, {"y", "f32[2] {10, 20}"}}), ElementsAre("f32[2] {12, 23}"));
  for (int level : {0, 1, 2}) {
    const absl::StatusOr<Executable> executable =
        Compile(Parse(kText), {.opt_level = level, .jit = JitMode::kOff});
    ASSERT_TRUE(executable.ok()) << executable.status();
    const absl::Status status = executable->Run(Feeds({x, {"y", "f32[3] {10, 20, 30}"}})).status();
    EXPECT_THAT(DiagnosticsOf(status)[0].message, HasSubstr("_0 = 2, and must be M = 3"));
  }
}

TEST(SizeChecks, InALoop) {
  constexpr char kText[] = R"(
graph sum(n: i64[], x: f32[N], y: f32[M]) -> (z) {
  z = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Add(v, y)
    }
  }
}
)";
  EXPECT_THAT(RunAll(kText, {{"n", "i64[] {3}"}, {"x", "f32[2] {1, 2}"}, {"y", "f32[2] {10, 20}"}}),
              ElementsAre("f32[2] {31, 62}"));
  EXPECT_THAT(RunAll(kText, {{"n", "i64[] {3}"}, {"x", "f32[2] {1, 2}"}, {"y", "f32[1] {10}"}}),
              ElementsAre(HasSubstr("and must be ")));
}

// Sizes that follow from values are checked once they are known.
TEST(SizeChecks, OfSizesThatOnlyARunKnows) {
  constexpr char kText[] = R"(
graph pick(x: f32[N], y: f32[M]) -> (z, both) {
  hot = Greater(x, 0)
  kept = Compress(x, hot)
  z = Mul(kept, y)
  other = Less(y, 100)
  few = Compress(y, other)
  both = Add(kept, few)
}
)";
  const std::pair<std::string, std::string> x = {"x", "f32[4] {1, -1, 2, -2}"};
  EXPECT_THAT(RunAll(kText, {x, {"y", "f32[2] {10, 20}"}}),
              ElementsAre("f32[2] {10, 40}", "f32[2] {11, 22}"));
  EXPECT_THAT(RunAll(kText, {x, {"y", "f32[3] {10, 20, 30}"}}), ElementsAre(HasSubstr("and must be ")));
  EXPECT_THAT(RunAll(kText, {x, {"y", "f32[2] {10, 200}"}}), ElementsAre(HasSubstr("and must be ")));
}

// One Invocation, fed one size after another.
TEST(SizeChecks, OfEachShapeThatIsFed) {
  const absl::StatusOr<Executable> executable = Compile(Parse(kAdd), {.threads = 1});
  ASSERT_TRUE(executable.ok()) << executable.status();
  Invocation call = executable->Prepare();
  const std::vector<float> four = {1, 2, 3, 4}, three = {1, 2, 3};
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(call.SetInput(0, four).ok());
    ASSERT_TRUE(call.SetInput(1, four).ok());
    EXPECT_EQ(call.Run(), absl::OkStatus());
    ASSERT_TRUE(call.SetInput(1, three).ok());
    EXPECT_EQ(DiagnosticsOf(call.Run())[0].code, "E0619");
  }
}

TEST(SizeChecks, StandInRemarksAndInThePlan) {
  CompileReport report;
  const absl::StatusOr<Executable> executable = Compile(Parse(kAdd), {.jit = JitMode::kOff}, &report);
  ASSERT_TRUE(executable.ok()) << executable.status();
  EXPECT_THAT(ToString(*report.plan), HasSubstr("check N == M: dim 0 of a 'x' in Add 'z'\n"));
  bool found = false;
  for (const Remark& remark : report.remarks) {
    if (remark.pass != "ensure-shapes") continue;
    found = true;
    EXPECT_EQ(remark.node, "Add 'z'");
    EXPECT_EQ(remark.reason, "a run checks that dim 0 of a 'x', N, is M");
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace tenfold
