// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run, end to end.
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class RunTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    WriteFile("scale.tnt", R"(tenfold 1
graph scale(x: f32[N,2], z: f32[N]) -> (y) {
  w = Const f32[2,1] {1, 10}
  m = MatMul(x, w)
  r = Reshape(m, {-1})
  s = Mul(r, 2)
  y = Add(s, z)
}
)");
    WriteFile("double.tnt", "tenfold 1\ngraph double(x: f32[N]) -> (y) {\n  y = Mul(x, 2)\n}\n");
    WriteFile("quotient.tnt",
              "tenfold 1\ngraph quotient(a: i32[N], b: i32[N]) -> (q) {\n  q = Div(a, b)\n}\n");
  }
};

// --- Inputs and outputs ---

TEST_F(RunTest, PrintsOutputsWithoutOutputFlags) {
  const ToolResult result =
      Run("tenfold-run scale.tnt --input 'x=f32[2,2] 1 2 3 4' --input 'z=f32[2] {0.5, -1}'");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, "y = f32[2] {42.5, 85}\n");
  EXPECT_EQ(result.err, "");
}

TEST_F(RunTest, ReadsAndWritesFiles) {
  WriteArray("x.npy", T("f32[3] 1 -2 nan"));
  const ToolResult result = Run("tenfold-run double.tnt --input x=@x.npy --output y=@y.npy");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(SameBits(ReadArray("y.npy"), T("f32[3] 2 -4 nan")));
}

TEST_F(RunTest, ReadsArraysOfArchives) {
  WriteArchive("in.npz", {{"a", T("f32[1] 1")}, {"b:c", T("f32[1] 2")}});
  EXPECT_EQ(Run("tenfold-run double.tnt --input x=in.npz:b:c").out, "y = f32[1] {4}\n");
  const ToolResult result = Run("tenfold-run double.tnt --input x=in.npz");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0524 bad-reference]: 'in.npz' is a file of several arrays: 'a', 'b:c'\n"
            "  it feeds Input 'x' (double.tnt:2:14), which is f32[N]\n"
            "  help: name one: in.npz:a or in.npz:b:c\n");
}

TEST_F(RunTest, TakesTnfAsItTakesTnt) {
  EXPECT_EQ(Run("tenfold-import double.tnt -o d.tnf && tenfold-run @d.tnf --input 'x=f32[1] 4'").out,
            "y = f32[1] {8}\n");
}

TEST_F(RunTest, FetchesValuesInside) {
  EXPECT_EQ(
      Run("tenfold-run scale.tnt --input 'x=f32[1,2] 1 2' --input 'z=f32[1] 0' --fetch m --fetch s").out,
      "y = f32[1] {42}\nm = f32[1,1] {21}\ns = f32[1] {42}\n");
  const ToolResult result =
      Run("tenfold-run scale.tnt --input 'x=f32[1,2] 1 2' --input 'z=f32[1] 0' --output m=m.npy");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0107 unknown-name]: the graph has no output 'm'\n"
            "  help: it is a value inside the graph: add --fetch m\n");
}

TEST_F(RunTest, GivesTheSameBitsAtEveryLevelAndTier) {
  const std::string inputs = " --input x=random:f32[33,2] --input z=random --seed 5 --output y=";
  ASSERT_EQ(Run("tenfold-run scale.tnt" + inputs + "y.npy").exit_status, 0);
  for (const char* flags :
       {"-O0", "-O1", "--opt-level 2", "--jit off", "--jit=wait", "--threads 3", "--numerics exact"}) {
    const ToolResult result =
        Run(std::string("tenfold-run scale.tnt ") + flags + inputs + "other.npy && cmp y.npy other.npy");
    EXPECT_EQ(result.exit_status, 0) << flags << result.err;
  }
}

// --- Random inputs ---

TEST_F(RunTest, RandomInputsTakeSymbolsFromTheOthers) {
  const std::string first = Run("tenfold-run scale.tnt --input z=random --input 'x=f32[3,2] splat 0'").out;
  EXPECT_THAT(first, StartsWith("y = f32[3] {"));
  EXPECT_EQ(Run("tenfold-run scale.tnt --input z=random --input 'x=f32[3,2] splat 0'").out, first);
  EXPECT_NE(Run("tenfold-run scale.tnt --input z=random --input 'x=f32[3,2] splat 0' --seed 1").out, first);
}

TEST_F(RunTest, RandomInputsNeedASize) {
  const ToolResult result = Run("tenfold-run scale.tnt --input z=random --input x=random");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0608 unbound-symbol]: input 'z' is f32[N], and no other input says what N is\n"
            "  help: --input z=random:f32[4]\n"
            "error[E0608 unbound-symbol]: input 'x' is f32[N,2], and no other input says what N is\n"
            "  help: --input x=random:f32[4,2]\n");
}

// --- Refusals ---

TEST_F(RunTest, RefusesAnotherDType) {
  WriteArray("x.npy", T("f64[2] 1 2"));
  const ToolResult result = Run("tenfold-run double.tnt --input x=x.npy");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err, R"(error[E0320 cast-refused]: 'x.npy' is f64[2], where f32 is due
  cast=exact would change none of its values
  it feeds Input 'x' (double.tnt:2:14), which is f32[N]
  help: --cast x=exact
)");
  EXPECT_EQ(Run("tenfold-run double.tnt --input 'x=f64[2] 1 2'").err,
            R"(error[E0604 input-dtype]: input 'x' is f32[N], it was fed f64[2] by --input x
  --> double.tnt:2:14
  cast=exact would change none of its values
  help: write it as f32
)");
}

TEST_F(RunTest, RefusesAnotherShape) {
  WriteArray("x.npy", T("f32[2,3] 1 2 3 4 5 6"));
  ToolResult result = Run("tenfold-run scale.tnt --input x=x.npy --input z=random");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(
      result.err,
      R"(error[E0605 input-shape]: input 'x' is f32[N,2], it was fed f32[2,3] by 'x.npy': dim 1 is 3 instead of 2
  --> scale.tnt:2:13
  help: if its dims are in another order, transposing by (1, 0) gives [3,2]: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); np.save(sys.argv[2], a.transpose(1, 0))' x.npy x.transposed.npy
  help: if the first 1 of axis 1 is not wanted: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); np.save(sys.argv[2], a[:, 1:])' x.npy x.trimmed.npy
  help: if the last 1 of axis 1 is not wanted: python3 -c 'import sys, numpy as np; a = np.load(sys.argv[1]); np.save(sys.argv[2], a[:, :2])' x.npy x.trimmed.npy
)");
  WriteArray("z.npy", T("f32[3] 1 2 3"));
  EXPECT_THAT(
      Run("tenfold-run scale.tnt --input 'x=f32[2,2] 1 2 3 4' --input z=z.npy").err,
      HasSubstr("help: if the first 2 of axis 0 of 'z' belong to 'x': python3 -c 'import sys, numpy as np; a "
                "= np.load(sys.argv[1]); np.save(sys.argv[2], a[:2])' z.npy z.first.npy\n"));
  EXPECT_EQ(
      Run("tenfold-run scale.tnt --input 'x=f32[1,2,2] 1 2 3 4' --input 'z=f32[2] 1 2'").err,
      "error[E0605 input-shape]: input 'x' is f32[N,2], it was fed f32[1,2,2] by --input x: rank 3 instead "
      "of 2\n"
      "  --> scale.tnt:2:13\n"
      "  help: its 4 values fit as [2,2]: write [2,2]\n");
  EXPECT_EQ(Run("tenfold-run scale.tnt --input 'x=f32[2,2] 1 2 3 4' --input 'z=f32[3] 1 2 3'").err,
            "error[E0606 symbol-conflict]: N is 2 in 'x' and 3 in 'z'\n"
            "  --> scale.tnt:2:26\n"
            "  'x' is declared as f32[N,2] (scale.tnt:2:13) and was fed [2,2] by --input x\n"
            "  'z' is declared as f32[N] (scale.tnt:2:26) and was fed [3] by --input z\n"
            "  help: if they need not agree, declare dim 0 of 'z' by another symbol than N\n");
}

// Each mend of a refusal, pasted.
TEST_F(RunTest, TakesArraysUnderPolicies) {
  WriteArray("x.npy", T("f64[3] 1 0.1 nan"));
  ToolResult result = Run("tenfold-run double.tnt --input x=x.npy --cast x=nearest");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, "y = f32[3] {2, 0.2, nan}\n");
  EXPECT_EQ(result.err, "x: from f64, cast=nearest: 1 of 3 values changed, by 1.49e-09 at most\n");

  result = Run("tenfold-run double.tnt --input x=x.npy --cast nearest --nan x=mean");
  EXPECT_EQ(result.out, "y = f32[3] {2, 0.2, 1.1}\n");
  EXPECT_EQ(
      result.err,
      "x: from f64, nan=mean cast=nearest: 2 of 3 values changed, by 1.19e-08 at most; 1 NaN replaced\n");

  WriteArray("n.npy", T("i64[2] 7 3000000000"));
  const std::string quotient = "tenfold-run quotient.tnt --input 'b=i32[2] 2 2' --input a=n.npy";
  EXPECT_THAT(Run(quotient + " --cast a=nearest").err,
              HasSubstr("help: to take the end of the range for it: --cast a=saturate\n"));
  EXPECT_EQ(Run(quotient + " --cast a=saturate").out, "q = i32[2] {3, 1073741823}\n");
}

TEST_F(RunTest, PoliciesMustNameAnInput) {
  WriteArray("x.npy", T("f32[1] 1"));
  ToolResult result = Run("tenfold-run double.tnt --input x=x.npy --cast y=nearest");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0325 bad-policy]: --cast names 'y', and there is no such array\n"
            "  help: did you mean 'x'?\n");
  result = Run("tenfold-run double.tnt --input x=x.npy --cast x=round");
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(
      result.err,
      HasSubstr("is not written refuse|exact|nearest|saturate or NAME=refuse|exact|nearest|saturate"));
}

TEST_F(RunTest, MapsWhereAsked) {
  WriteArray("x.npy", T("f32[2] 1 2"));
  WriteArchive("x.npz", {{"a", T("f32[1] 1")}});
  EXPECT_EQ(Run("tenfold-run double.tnt --input x=x.npy --storage x=mmap").out, "y = f32[2] {2, 4}\n");
  EXPECT_EQ(Run("tenfold-run double.tnt --input x=x.npz:a --storage x=mmap").err,
            "error[E0334 cannot-borrow]: 'x.npz: a' cannot be mapped: an .npz archive is unpacked while it "
            "is read\n"
            "  it feeds Input 'x' (double.tnt:2:14), which is f32[N]\n"
            "  help: to copy it: --storage x=copy\n");
}

TEST_F(RunTest, ReportsEveryInputThatCannotBeRead) {
  const ToolResult result = Run("tenfold-run scale.tnt --input x=no.npy --input 'z=f32[2] 1'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0521 file-not-found]: there is no file 'no.npy'\n"));
  EXPECT_THAT(result.err, HasSubstr("error[E0403 wrong-element-count]"));
}

TEST_F(RunTest, RefusesMissingAndUnknownInputs) {
  ToolResult result = Run("tenfold-run scale.tnt --input 'x=f32[1,2] 1 2'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0603 missing-input]: input 'z' is f32[N], it was fed nothing\n"));
  result = Run("tenfold-run double.tnt --input 'xx=f32[1] 1'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0602 unknown-input]: the graph has no input 'xx'\n"));
  EXPECT_THAT(result.err, HasSubstr("help: did you mean 'x'?\n"));
}

TEST_F(RunTest, RefusesAnIllTypedGraph) {
  WriteFile(
      "bad.tnt",
      "tenfold 1\ngraph b(x: f32[N,3]) -> (y) {\n  w = Const f32[2,1] {1, 10}\n  y = MatMul(x, w)\n}\n");
  const ToolResult result = Run("tenfold-run bad.tnt --input 'x=f32[1,3] 1 2 3'");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0201 shape-mismatch]: MatMul 'y': inner dims differ"));
}

// Interpreted and compiled, folded or not, the first in row-major order is named.
TEST_F(RunTest, AnIntegerDividedByZeroFailsTheRun) {
  for (const char* how : {"", " --jit off", " --jit wait", " --jit wait -O0"}) {
    const ToolResult result = Run(
        absl::StrCat("tenfold-run quotient.tnt --input 'a=i32[4] 6 7 8 0' --input 'b=i32[4] 3 0 2 0'", how));
    EXPECT_EQ(result.exit_status, 4);
    EXPECT_EQ(
        result.err,
        "error[E0601 integer-division-by-zero]: integer division by zero at [1] of Div 'q': 'b' is 0 "
        "there\n"
        "  --> quotient.tnt:3:3\n"
        "  help: if the quotient is to be 0 there: b_is_0 = Equal(b, 0), then b_or_1 = Where(b_is_0, 1, b), "
        "then q_or_n = Div(a, b_or_1), then q = Where(b_is_0, 0, q_or_n)\n"
        "  help: if 1 may stand for the divisor there: b_is_0 = Equal(b, 0), then b_or_1 = Where(b_is_0, 1, "
        "b), then q = Div(a, b_or_1)\n")
        << how;
  }
}

TEST_F(RunTest, ADeviceThatIsNotThereFailsTheRun) {
  const ToolResult result = Run("tenfold-run double.tnt --input 'x=f32[1] 1' --device cuda:63");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_THAT(result.err, StartsWith("error[E0701 no-device]: "));
}

TEST_F(RunTest, AutoUsesWhatIsThereWithoutNoise) {
  const ToolResult result = Run("tenfold-run double.tnt --input 'x=f32[1] 1' --device auto");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "");
}

// --- Comparing ---

TEST_F(RunTest, ComparesWithFilesAndLiterals) {
  WriteArray("y.npy", T("f32[2] 2 4"));
  ToolResult result = Run("tenfold-run double.tnt --input 'x=f32[2] 1 2' --expect y=@y.npy");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, "y = f32[2] {2, 4}\ncompare y: 2 elements agree (exactly)\n");

  result =
      Run("tenfold-run double.tnt --input 'x=f32[2] 1 2' --expect 'y=f32[2] 2 4.5' --rtol 1e-5 --atol 1e-6");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.err,
            "compare y: 1 of 2 elements outside the tolerance (rtol 1e-05, atol 1e-06)\n"
            "  worst: element [1]: got 4, want 4.5; abs error 0.5, rel error 0.111, 1048576 ulp\n");
}

TEST_F(RunTest, WritesOutputsEvenIfAComparisonFails) {
  const ToolResult result =
      Run("tenfold-run double.tnt --input 'x=f32[1] 1' --expect 'y=f32[1] 3' --output y=y.npy");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(SameBits(ReadArray("y.npy"), T("f32[1] 2")));
}

TEST_F(RunTest, TolerancesAreFlags) {
  const std::string run = "tenfold-run double.tnt --input 'x=f32[2] 1 nan' --expect ";
  EXPECT_EQ(Run(run + "'y=f32[2] 2 nan'").exit_status, 3);
  EXPECT_EQ(Run(run + "'y=f32[2] 2 nan' --equal-nan").exit_status, 0);
  EXPECT_EQ(Run(run + "'y=f32[2] 2.0000002 nan' --equal-nan").exit_status, 3);
  EXPECT_EQ(Run(run + "'y=f32[2] 2.0000002 nan' --equal-nan --max-ulp 1").exit_status, 0);
  EXPECT_EQ(Run(run + "'y=f64[2] 2 nan' --equal-nan").err,
            "compare y: types differ: got f32[2], want f64[2]\n");
}

// --- The rest of the command line ---

TEST_F(RunTest, TimesRuns) {
  const ToolResult result =
      Run("tenfold-run double.tnt --input 'x=f32[1] 1' --repeat 5 --warmup 2 --jit wait");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(
      result.out,
      MatchesRegex("y = f32\\[1\\] \\{2\\}\ntime of 5 runs: min [0-9.]+ [mnu]?s, median [0-9.]+ [mnu]?s, "
                   "p95 [0-9.]+ [mnu]?s, max [0-9.]+ [mnu]?s\n"));
}

TEST_F(RunTest, TellsWrongUsageFromWrongInput) {
  for (const char* wrong :
       {"tenfold-run", "tenfold-run a.tnf b.tnf", "tenfold-run double.tnt --inptu x=x.npy",
        "tenfold-run double.tnt --input x=", "tenfold-run double.tnt --device tpu",
        "tenfold-run double.tnt --jit maybe", "tenfold-run double.tnt -O3",
        "tenfold-run double.tnt --output y=y.txt", "tenfold-run double.tnt --expect y=random",
        "tenfold-run double.tnt --diagnostics=xml"}) {
    const ToolResult result = Run(wrong);
    EXPECT_EQ(result.exit_status, 2) << wrong;
    EXPECT_THAT(result.err, HasSubstr("tenfold-run --help lists the flags")) << wrong;
  }
}

// Everything that is wrong with the names is said at once, with the names that there are.
TEST_F(RunTest, SaysWhichNamesAnArgumentCanHave) {
  WriteArray("a.npy", T("f32[1] 1"));
  EXPECT_EQ(
      Run("tenfold-run double.tnt --input a.npy --output b.npy").err,
      "error[E0602 unknown-input]: --output 'b.npy' does not name the output that it is for: it is written "
      "NAME=VALUE\n"
      "  help: --output y=b.npy\n"
      "error[E0602 unknown-input]: --input 'a.npy' does not name the input that it is for: it is written "
      "NAME=VALUE\n"
      "  help: --input x=a.npy\n");
  const ToolResult result = Run("tenfold-run double.tnt --input features=a.npy --expect probabilities=a.npy");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0107 unknown-name]: the graph has no output 'probabilities'\n  help: its outputs are y\n"
            "error[E0602 unknown-input]: the graph has no input 'features'\n"
            "  help: it has one: --input x=a.npy\n");
}

TEST_F(RunTest, SaysHowValuesAreWritten) {
  for (const auto& [wrong, right] : {std::pair{"1 2 3", "f32[3] 1 2 3"},
                                     {"[-1.5, nan]", "f32[2] -1.5 nan"},
                                     {"[[1, 2], [3, 4]]", "f32[4] 1 2 3 4"},
                                     {"7", "f32[1] 7"}}) {
    const ToolResult result = Run(absl::StrCat("tenfold-run double.tnt --input 'x=", wrong, "'"));
    EXPECT_THAT(result.err, StartsWith("error[E0521 file-not-found]: there is no file"));
    EXPECT_THAT(result.err,
                HasSubstr(absl::StrCat("help: values are written with their type: 'x=", right, "'")));
  }
  EXPECT_EQ(Run("tenfold-run double.tnt --input 'x=f32[2] -1.5 nan'").out, "y = f32[2] {-3, nan}\n");
  EXPECT_THAT(Run("tenfold-run double.tnt --input x=1x").err, Not(HasSubstr("written with")));
}

TEST_F(RunTest, ReadsFlagsFromTheEnvironment) {
  EXPECT_EQ(Run("TENFOLD_FLAGS=\"--input 'x=f32[1] 21'\" tenfold-run double.tnt").out, "y = f32[1] {42}\n");
  ToolResult result = Run("TENFOLD_FLAGS='--jit=never' tenfold-run double.tnt");
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_THAT(result.err,
              StartsWith("tenfold-run: TENFOLD_FLAGS: --jit: 'never' is none of wait|background|off\n"));
  // The command line has the last word.
  EXPECT_EQ(Run("TENFOLD_FLAGS=--device=cuda:63 tenfold-run double.tnt --device cpu --input 'x=f32[1] 1'")
                .exit_status,
            0);
}

TEST_F(RunTest, HelpHasExamples) {
  const ToolResult result = Run("tenfold-run --help");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_THAT(result.out, StartsWith("usage: tenfold-run MODEL [FLAGS]\n"));
  EXPECT_THAT(result.out, HasSubstr("examples:\n  tenfold-run digits.tnf --input x=images.npy"));
}

TEST_F(RunTest, SaysWhenItCannotWriteItsOutput) {
  const ToolResult result = Run("tenfold-run double.tnt --input 'x=f32[1] 1' >/dev/full");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_EQ(result.err, "cannot write to stdout: No space left on device\n");
}

}  // namespace
}  // namespace tenfold
