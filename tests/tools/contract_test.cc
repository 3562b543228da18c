// SPDX-License-Identifier: Apache-2.0
//
// Contracts on the command lines: made by tenfold-import, enforced by tenfold-run.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

class ContractToolTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    WriteFile("m.tnt", "tenfold 1\ngraph m(x: f32[N,2], k: i64[]) -> (y) {\n  y = Mul(x, 2)\n}\n");
    WriteArray("train.npy", T("f32[3,2] 0 nan, 1 5, 2 6"));
  }
  ToolResult Import(const std::string& flags) { return Run("tenfold-import m.tnt -o m.tnf " + flags); }
};

TEST_F(ContractToolTest, IsMadeFromSamplesAndKeptInTheGraph) {
  WriteArchive("more.npz", {{"x", T("f32[1,2] 7 5")}});
  WriteFile("k.safetensors", *WriteSafetensors({{"k", T("i64[] 9007199254740993")}}));
  const ToolResult result =
      Import("--contract x=train.npy --contract k=k.safetensors:k --contract=x=@more.npz:x");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err,
            "contract of x: 4 rows of 2 columns from train.npy, more.npz: x, NaN in column 1\n"
            "contract of k: 1 value from k.safetensors: k, no NaN\n");
  EXPECT_EQ(Run("tenfold-dump m.tnf").out, R"(tenfold 1

graph m(x: f32[N,2] contract("train.npy", "more.npz: x", rows=4, axis=1, min=f32[2] {0, 5}, max=f32[2] {7, 6}, nans=i64[2] {0, 1}), k: i64[] contract("k.safetensors: k", rows=1, min=i64[1] {9007199254740993}, max=i64[1] {9007199254740993})) -> (y) {
  y = Mul(x, 2)
}
)");
  // Made anew, of a graph that has one; that of k stays.
  EXPECT_EQ(Run("tenfold-import m.tnf -o m.tnf --contract x=more.npz:x").err,
            "contract of x: 1 row of 2 columns from more.npz: x, no NaN\n");
  EXPECT_THAT(Run("tenfold-dump m.tnf").out, HasSubstr("i64[] contract(\"k.safetensors: k\""));
}

TEST_F(ContractToolTest, IsEnforcedUnlessARunSaysOtherwise) {
  ASSERT_EQ(Import("--contract x=train.npy").exit_status, 0);
  const std::string good = "tenfold-run m.tnf --input 'x=f32[1,2] 2 nan' --input 'k=i64[] 0'";
  const std::string bad = "tenfold-run m.tnf --input 'x=f32[2,2] 1 5, nan 7' --input 'k=i64[] 0'";
  EXPECT_EQ(Run(good).out, "y = f32[1,2] {4, nan}\n");
  const auto text = [](const std::string& severity) {
    const std::string rest =
        "  --> m.tnt:2:9\n"
        "  1 of 4 values is HOW, in 1 of 2 columns\n"
        "  the contract of 'x': 3 rows of 2 columns from train.npy, NaN in column 1\n"
        "NAN"
        "  help: if such values are right, make the contract anew from an array that has them, too: "
        "tenfold-import m.tnt -o m.tnf --contract x=train.npy --contract x=MORE.npy\n" +
        std::string(severity == "error"
                        ? "  help: to run all the same, with a warning: --contract=warn (in C++, "
                          "RunOptions::contract = ContractMode::kWarn)\n"
                        : "");
    std::string nan = rest, outside = rest;
    nan.replace(nan.find("HOW"), 3, "NaN where none was seen");
    nan.replace(nan.find("NAN"), 3,
                "  help: to put a mean in their place: --nan x=mean:axis=0 (or median, zero)\n");
    outside.erase(outside.find("NAN"), 3);
    outside.replace(outside.find("HOW"), 3, "outside the range of its column");
    return severity +
           "[E0612 contract-nan]: column 0 of 'x': NaN at row 1; the contract saw none in 3 rows\n" + nan +
           severity +
           "[E0613 contract-range]: column 1 of 'x': 7 at row 1; the contract saw 5 to 6 in 3 rows\n" +
           outside;
  };
  for (const char* flag : {"", " --contract=enforce"}) {
    const ToolResult refused = Run(bad + flag);
    EXPECT_EQ(refused.exit_status, 1);
    EXPECT_EQ(refused.out, "");
    EXPECT_EQ(refused.err, text("error"));
  }
  const ToolResult warned = Run(bad + " --contract warn --repeat 3 --jit off");
  EXPECT_EQ(warned.exit_status, 0);
  EXPECT_EQ(warned.err, text("warning"));
  EXPECT_THAT(warned.out, HasSubstr("y = f32[2,2] {2, 10, nan, 14}\n"));
  const ToolResult off = Run(bad + " --contract=off");
  EXPECT_EQ(off.exit_status, 0);
  EXPECT_EQ(off.err, "");
  EXPECT_EQ(Run(bad + " --contract=strict").exit_status, 2);
}

TEST_F(ContractToolTest, SamplesAreTakenUnderThePoliciesOfTheirInput) {
  WriteArray("f64.npy", T("f64[2,2] 0.1 nan, 1 2"));
  EXPECT_EQ(Import("--contract x=f64.npy").err,
            "error[E0320 cast-refused]: 'f64.npy' is f64[2,2], where f32 is due\n"
            "  cast=nearest would change 1 of 4 values, by 1.49e-09 at most\n"
            "  it is a sample of Input 'x' (m.tnt:2:9), which is f32[N,2]\n"
            "  help: --cast x=nearest\n");
  EXPECT_FALSE(Exists("m.tnf"));
  EXPECT_EQ(Import("--contract x=f64.npy --cast x=nearest --nan x=zero").err,
            "x: from f64, nan=zero cast=nearest: 1 of 4 values changed, by 1.49e-09 at most; 1 NaN replaced\n"
            "contract of x: 2 rows of 2 columns from f64.npy, no NaN\n");
}

TEST_F(ContractToolTest, ColumnsAreThoseOfTheAxisThatIsNamed) {
  WriteFile("c.tnt", "tenfold 1\ngraph c(x: u8[N,2,3]) -> (x) {\n}\n");
  WriteArray("c.npy", T("u8[1,2,3] 1 2 3, 4 5 6"));
  EXPECT_EQ(Run("tenfold-import c.tnt -o c.tnf --contract x=c.npy --contract-axis x=1").err,
            "contract of x: 3 rows of 2 columns from c.npy, no NaN\n");
  EXPECT_THAT(Run("tenfold-run c.tnf --input 'x=u8[1,2,3] 1 2 3, 4 5 7'").err,
              HasSubstr("column 1 of 'x': 7 at [0,1,2]; the contract saw 4 to 6 in 3 values\n"));
  EXPECT_EQ(
      Run("tenfold-import c.tnt -o c.tnf --contract x=c.npy --contract-axis x=0").err,
      "error[E0605 input-shape]: input 'x' (c.tnt:2:9) is u8[N,2,3], and its axis 0 makes no columns: its "
      "extent varies\n"
      "  help: leave it out: the last axis makes the columns, where its extent is constant\n");
  EXPECT_EQ(Run("tenfold-import c.tnt -o c.tnf --contract-axis x=0").err,
            "error[E0325 bad-policy]: --contract-axis names 'x', and no --contract does\n"
            "  help: name a sample, too: --contract x=SAMPLE.npy\n");
}

TEST_F(ContractToolTest, RefusesWhatIsNoSample) {
  ToolResult result = Import("--contract kk=train.npy --contract x=missing.npy");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err,
            "error[E0602 unknown-input]: the graph has no input 'kk'\n  help: did you mean 'k'?\n"
            "error[E0521 file-not-found]: there is no file 'missing.npy'\n"
            "  it is a sample of Input 'x' (m.tnt:2:9), which is f32[N,2]\n");
  EXPECT_FALSE(Exists("m.tnf"));
  WriteArray("wide.npy", T("f32[3,3] splat 1"));
  EXPECT_EQ(
      Import("--contract x=wide.npy").err,
      "error[E0605 input-shape]: 'wide.npy' is f32[3,3], and input 'x' (m.tnt:2:9) is f32[N,2]: dim 1 is 3 "
      "instead of 2\n  help: if it varies, declare it so: f32[N,N1]\n");
  WriteArray("none.npy", T("f32[0,2] splat 1"));
  EXPECT_EQ(Import("--contract x=none.npy").err,
            "error[E0614 empty-contract]: the samples of 'x' hold no values to learn from\n");
  for (const char* usage :
       {"--contract x", "--contract 'x=f32[1,2] 1 2'", "--contract x=random", "--contract-axis x=y"}) {
    EXPECT_EQ(Import(usage).exit_status, 2) << usage;
  }
  // An array file becomes a graph without inputs.
  EXPECT_THAT(Run("tenfold-import train.npy -o t.tnf --contract x=train.npy").err, HasSubstr("E0602"));
}

}  // namespace
}  // namespace tenfold
