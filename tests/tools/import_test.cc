// SPDX-License-Identifier: Apache-2.0
//
// tenfold-import, end to end.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/ingest/safetensors_writer.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

class ImportTest : public ToolTest {};

TEST_F(ImportTest, MakesAConstAndAnOutputOfEachArray) {
  WriteArchive("weights.npz", {{"w1", T("f32[2,2] 1 2 3 4")}, {"block/0:1", T("i8[3] -1 0 1")}});
  EXPECT_EQ(Run("tenfold-import weights.npz -o weights.tnf").exit_status, 0);
  EXPECT_EQ(Run("tenfold-dump weights.tnf").out, R"(tenfold 1

graph weights() -> (w1, "block/0:1") {
  w1 = Const f32[2,2] {1, 2, 3, 4}
  "block/0:1" = Const i8[3] {-1, 0, 1}
}
)");
}

TEST_F(ImportTest, ReadsOneArray) {
  WriteArray("bias.npy", T("f64[2] 0.5 -0.0"));
  EXPECT_EQ(Run("mkdir sub && tenfold-import @bias.npy -osub/b.tnf").exit_status, 0);
  EXPECT_THAT(Run("tenfold-dump sub/b.tnf").out, HasSubstr("bias = Const f64[2] {0.5, -0}"));
}

TEST_F(ImportTest, TakesInTheArraysThatATextGraphRefersTo) {
  WriteArchive("weights.npz", {{"w1", T("f32[2,2] 1 2 3 4")}});
  WriteFile(
      "model.tnt",
      "tenfold 1\ngraph m(x: f32[N,2]) -> (y) {\n  w = Const @\"weights.npz:w1\"\n  y = MatMul(x, w)\n}\n");
  EXPECT_EQ(Run("tenfold-import model.tnt --output model.tnf && rm weights.npz").exit_status, 0);
  EXPECT_EQ(Run("tenfold-run model.tnf --input 'x=f32[1,2] 1 1'").out, "y = f32[1,2] {4, 6}\n");
}

TEST_F(ImportTest, ReadsSafetensorsWholeAndOneByOne) {
  WriteFile("weights.safetensors",
            *WriteSafetensors({{"w1", T("f32[2,2] 1 2 3 4")}, {"fc/b:0", T("bf16[2] 0.5 -1")}}));
  EXPECT_EQ(Run("tenfold-import weights.safetensors -o weights.tnf").exit_status, 0);
  EXPECT_EQ(Run("tenfold-dump weights.tnf").out, R"(tenfold 1

graph weights() -> (w1, "fc/b:0") {
  w1 = Const f32[2,2] {1, 2, 3, 4}
  "fc/b:0" = Const bf16[2] {0.5, -1}
}
)");
  WriteFile("model.tnt",
            "tenfold 1\ngraph m(x: f32[N,2]) -> (y) {\n  w = Const @\"weights.safetensors:w1\"\n"
            "  y = MatMul(x, w)\n}\n");
  EXPECT_EQ(Run("tenfold-run model.tnt --input 'x=weights.safetensors:w1'").out,
            "y = f32[2,2] {7, 10, 15, 22}\n");
  EXPECT_EQ(Run("tenfold-run model.tnt --input x=weights.safetensors:w2").err,
            "error[E0311 no-such-array]: 'weights.safetensors' has no array 'w2'\n"
            "  it holds 'w1', 'fc/b:0'\n"
            "  it feeds Input 'x' (model.tnt:2:9), which is f32[N,2]\n"
            "  help: did you mean weights.safetensors:w1?\n");
  EXPECT_THAT(
      Run("tenfold-run model.tnt --input x=weights.safetensors").err,
      HasSubstr("error[E0524 bad-reference]: 'weights.safetensors' is a file of several arrays: 'w1', "
                "'fc/b:0'"));
}

TEST_F(ImportTest, LargeConstantsGoIntoAFileBeside) {
  WriteArchive("weights.npz", {{"w1", T("f32[1000] splat 1")}, {"b", T("f32[4] 1 2 3 4")}});
  const auto files = [&] { return Run("ls").out; };
  EXPECT_EQ(Run("tenfold-import weights.npz -o a.tnf").exit_status, 0);
  EXPECT_EQ(files(), "a.tnf\nweights.npz\n");
  EXPECT_EQ(Run("tenfold-import --external-bytes=2000 weights.npz -o a.tnf").exit_status, 0);
  EXPECT_THAT(files(), testing::MatchesRegex("a.tnf\na.tnf.[0-9a-f]+.safetensors\nweights.npz\n"));
  EXPECT_THAT(Run("tenfold-dump a.tnf").out, HasSubstr("b = Const f32[4] {1, 2, 3, 4}"));
  // A folder of one's own for the pair.
  EXPECT_EQ(Run("mkdir m && mv a.tnf* m && tenfold-dump m/a.tnf").exit_status, 0);
  EXPECT_EQ(Run("mv m/a.tnf . && tenfold-dump a.tnf").exit_status, 1);
}

TEST_F(ImportTest, RefusesWhatTheInputHasWrong) {
  WriteFile("junk.npz", "no archive");
  ToolResult result = Run("tenfold-import junk.npz -o junk.tnf");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0310 bad-npz]"));
  EXPECT_EQ(result.out, "");
  EXPECT_FALSE(Exists("junk.tnf"));

  result = Run("tenfold-import nothere.npz -o x.tnf");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_EQ(result.err, "error[E0521 file-not-found]: there is no file 'nothere.npz'\n");
}

TEST_F(ImportTest, DoesNotReadOutsideTheGraphsFolder) {
  WriteArray("secret.npy", T("f32[1] 1"));
  WriteFile("model.tnt", "tenfold 1\ngraph m() -> (y) {\n  y = Const @\"../secret.npy\"\n}\n");
  const ToolResult result = Run("mkdir sub && mv model.tnt sub && tenfold-import sub/model.tnt -o x.tnf");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("error[E0525 reference-outside]"));
}

TEST_F(ImportTest, TellsWrongUsageFromWrongInput) {
  EXPECT_EQ(Run("tenfold-import").err,
            "tenfold-import: no source is named: tenfold-import SOURCE -o MODEL.tnf\n"
            "  tenfold-import --help lists the flags, with examples\n");
  for (const char* wrong :
       {"tenfold-import", "tenfold-import a.npz", "tenfold-import a.npz b.npz -o c.tnf",
        "tenfold-import a.npz -o c.onnx", "tenfold-import a.npz -o c.tnf --diagnostics=xml"}) {
    EXPECT_EQ(Run(wrong).exit_status, 2) << wrong;
  }
}

TEST_F(ImportTest, FailsWhereItCannotWrite) {
  WriteArray("a.npy", T("f32[1] 1"));
  const ToolResult result = Run("tenfold-import a.npy -o missing/a.tnf");
  EXPECT_EQ(result.exit_status, 4);
  EXPECT_EQ(result.err,
            "error[E0523 cannot-write]: cannot write 'missing/a.tnf': No such file or directory\n");
}

// What a policy did is reported, and kept in the graph.
TEST_F(ImportTest, TakesArraysUnderPolicies) {
  WriteArchive("w.npz", {{"a", T("f64[2] 0.1 nan")}, {"b", T("i64[2] 1 2")}});
  ToolResult result = Run(
      "tenfold-import w.npz -o w.tnf --dtype a=f32 --cast a=nearest --nan a=zero --dtype b=f16 --cast exact");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err,
            "a: from f64, nan=zero cast=nearest: 1 of 2 values changed, by 1.49e-09 at most; 1 NaN replaced\n"
            "b: from i64, cast=exact: 0 of 2 values changed\n");
  EXPECT_THAT(
      Run("tenfold-dump w.tnf --locations").out,
      HasSubstr("a = Const f32[2] {0.1, 0} array \"w.npz: a\" ingest(\"f64\", \"nan=zero cast=nearest\", "
                "values=2, changed=1, by=1.4901161138336505e-09, nans=1)"));
  EXPECT_EQ(Run("tenfold-import w.npz -o w.tnf --dtype a=f32").err,
            "error[E0320 cast-refused]: 'w.npz: a' is f64[2], where f32 is due\n"
            "  cast=nearest would change 1 of 2 values, by 1.49e-09 at most\n"
            "  help: --cast a=nearest\n");
  EXPECT_EQ(
      Run("tenfold-import w.npz -o w.tnf --dtype c=f32").err,
      "error[E0325 bad-policy]: --dtype names 'c', and there is no such array\n  help: did you mean 'a'?\n");
}

// In a text graph the type before the reference is what is due.
TEST_F(ImportTest, TextGraphsSayWhatIsDue) {
  WriteArray("w.npy", T("f64[2] 0.1 3"));
  WriteFile("m.tnt",
            "tenfold 1\ngraph m(x: f32[2]) -> (y) {\n  w = Const f32[2] @\"w.npy\"\n  y = Mul(x, w)\n}\n");
  ToolResult result = Run("tenfold-import m.tnt -o m.tnf");
  EXPECT_EQ(result.exit_status, 1);
  EXPECT_THAT(result.err, HasSubstr("w.npy' is f64[2], where f32 is due\n"));
  EXPECT_THAT(result.err, HasSubstr("  help: --cast w=nearest\n"));
  result = Run("tenfold-import m.tnt -o m.tnf --cast w=nearest");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.err, "w: from f64, cast=nearest: 1 of 2 values changed, by 1.49e-09 at most\n");
  EXPECT_EQ(Run("tenfold-run m.tnf --input 'x=f32[2] 1 1'").out, "y = f32[2] {0.1, 3}\n");
  EXPECT_THAT(Run("tenfold-import m.tnt -o m.tnf --cast nearest --nan v=zero").err,
              HasSubstr("did you mean 'w'?"));
}

}  // namespace
}  // namespace tenfold
