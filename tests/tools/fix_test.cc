// SPDX-License-Identifier: Apache-2.0
//
// --fix and --diagnostics=json, end to end.
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

class FixTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    WriteFile("twice.tnt", "tenfold 1\ngraph twice(x: f32[2]) -> (y) {\n  y = Mul(x, 2)\n}\n");
  }
};

TEST_F(FixTest, PrintsTheFlagThatTheCommandLacks) {
  WriteArray("x.npy", T("f64[2] 0.1 2"));
  const ToolResult refused = Run("tenfold-run twice.tnt --input x=x.npy --fix");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.out, "--cast=x=nearest\n");
  EXPECT_EQ(refused.err,
            "error[E0320 cast-refused]: 'x.npy' is f64[2], where f32 is due\n"
            "  cast=nearest would change 1 of 2 values, by 1.49e-09 at most\n"
            "  it feeds Input 'x' (twice.tnt:2:13), which is f32[2]\n"
            "  help: --cast x=nearest\n");
  const ToolResult mended =
      Run("tenfold-run twice.tnt --input x=x.npy $(tenfold-run twice.tnt --input x=x.npy --fix 2>/dev/null)");
  EXPECT_EQ(mended.exit_status, 0);
  EXPECT_EQ(mended.out, "y = f32[2] {0.2, 4}\n");
}

// Constants of a text graph are taken under the same flags as the inputs.
TEST_F(FixTest, ConstantsHaveTheirFlagsToo) {
  WriteArray("w.npy", T("f64[2] 0.1 2"));
  WriteFile("m.tnt",
            "tenfold 1\ngraph m(x: f32[2]) -> (y) {\n  w = Const f32[2] @\"w.npy\"\n  y = Mul(x, w)\n}\n");
  for (const char* command : {"tenfold-run m.tnt --input 'x=f32[2] 1 2'", "tenfold-import m.tnt -o m.tnf"}) {
    EXPECT_EQ(Run(std::string(command) + " --fix").out, "--cast=w=nearest\n") << command;
  }
  const ToolResult mended = Run("tenfold-run m.tnt --input 'x=f32[2] 1 2' --cast=w=nearest");
  EXPECT_EQ(mended.out, "y = f32[2] {0.1, 4}\n");
  EXPECT_EQ(mended.err, "w: from f64, cast=nearest: 1 of 2 values changed, by 1.49e-09 at most\n");
}

TEST_F(FixTest, AWrittenTypeThatTheArrayDoesNotHaveIsMended) {
  WriteArray("w.npy", T("f32[2] 0.1 2"));
  WriteFile("m.tnt", "tenfold 1\ngraph m() -> (w) {\n  w = Const f32[3] @\"w.npy\"\n}\n");
  const ToolResult refused = Run("tenfold-run m.tnt --fix");
  EXPECT_EQ(refused.out, "m.fixed.tnt\n");
  EXPECT_EQ(refused.err,
            "error[E0504 type-disagrees]: the array w.npy is f32[2], but the graph says f32[3]\n"
            "  --> m.tnt:3:21\n"
            "  3 |   w = Const f32[3] @\"w.npy\"\n"
            "    |                     ^~~~~~~\n"
            "  help: if the array is right, write f32[2]\n"
            "fixed E0504 at m.tnt:3:21: if the array is right, write f32[2]\n");
  EXPECT_EQ(Run("tenfold-run m.fixed.tnt").out, "w = f32[2] {0.1, 2}\n");
}

// As the graph must have it, which is not as the shell does.
TEST_F(FixTest, AReferenceIsMendedInTheGraphsOwnForm) {
  Run("mkdir models");
  WriteArchive("models/weights.npz", {{"fc/w", T("f32[2] 1 2")}});
  WriteFile("models/m.tnt",
            "tenfold 1\ngraph m() -> (a, b) {\n  a = Const @\"weights.npz:fc/ww\"\n"
            "  b = Const @\"wieghts.npz:fc/w\"\n}\n");
  const ToolResult refused = Run("tenfold-run models/m.tnt --fix");
  EXPECT_EQ(refused.out, "models/m.fixed.tnt\n");
  EXPECT_NE(refused.err.find("help: did you mean weights.npz:fc/w?"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("help: did you mean 'weights.npz'?"), std::string::npos) << refused.err;
  EXPECT_EQ(Run("tenfold-run models/m.fixed.tnt").out, "a = f32[2] {1, 2}\nb = f32[2] {1, 2}\n");
}

// As frameworks put the name of the model before those of its weights, or leave it out.
TEST_F(FixTest, AnArrayIsFoundBehindAnotherPrefix) {
  WriteArchive("a.npz", {{"model.fc.weight", T("f32[2] 1 2")}, {"bias", T("f32[2] 3 4")}});
  Run("mkdir models && mv a.npz models/w.npz");
  WriteFile("m.tnt",
            "tenfold 1\ngraph m() -> (a, b) {\n  a = Const @\"models/w.npz:fc.weight\"\n"
            "  b = Const @\"models/w.npz:module.bias\"\n}\n");
  const ToolResult refused = Run("tenfold-run m.tnt --fix");
  EXPECT_EQ(refused.out, "m.fixed.tnt\n");
  EXPECT_NE(refused.err.find("'models/w.npz' has no array 'fc.weight'"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("help: did you mean models/w.npz:bias?"), std::string::npos) << refused.err;
  EXPECT_EQ(Run("tenfold-run m.fixed.tnt").out, "a = f32[2] {1, 2}\nb = f32[2] {3, 4}\n");
}

TEST_F(FixTest, OfArraysThatAreAsNearNoneIsChosen) {
  WriteArchive("w.npz", {{"fc1.weight", T("f32[2] 1 2")}, {"fc2.weight", T("f32[2] 3 4")}});
  WriteFile("m.tnt", "tenfold 1\ngraph m() -> (a) {\n  a = Const @\"w.npz:fc.weight\"\n}\n");
  const ToolResult refused = Run("tenfold-run m.tnt --fix");
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("help: did you mean w.npz:fc1.weight, or w.npz:fc2.weight?"), std::string::npos)
      << refused.err;
}

TEST_F(FixTest, PrintsAFlagForEachArray) {
  WriteArchive("w.npz", {{"a", T("f64[2] 0.1 2")}, {"b's", T("f64[2] 1 2")}});
  const ToolResult refused = Run("tenfold-import w.npz -o w.tnf --dtype a=f32 --dtype \"b's=f16\" --fix");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.out, "--cast=a=nearest\n");  // the first array ends the import
  EXPECT_EQ(Run("tenfold-import w.npz -o w.tnf --dtype a=f32 --dtype \"b's=f16\" --cast a=nearest --fix").out,
            "'--cast=b'\\''s=exact'\n");
  EXPECT_EQ(Run("tenfold-import w.npz -o w.tnf --dtype a=f32 --dtype \"b's=f16\" --cast a=nearest "
                "'--cast=b'\\''s=exact'")
                .exit_status,
            0);
}

TEST_F(FixTest, PrintsTheFlagOfALimit) {
  EXPECT_EQ(Run("tenfold-run twice.tnt --input 'x=f32[2] 1 2' --tensor-bytes 7 --fix").out,
            "--tensor-bytes=8\n");
  EXPECT_EQ(Run("tenfold-run twice.tnt --input 'x=f32[2] 1 2' --tensor-bytes 7 "
                "$(tenfold-run twice.tnt --input 'x=f32[2] 1 2' --tensor-bytes 7 --fix 2>/dev/null)")
                .out,
            "y = f32[2] {2, 4}\n");
}

TEST_F(FixTest, WritesTheMendedGraphBesideTheBroken) {
  constexpr char kBroken[] =
      "tenfold 1\ngraph g(x: float32[2], k: i16[2]) -> (y) {\n  s = Ad(x, k)\n  y = Neg(s)\n}\n";
  WriteFile("sub.tnt", kBroken);
  const ToolResult refused =
      Run("mkdir models && mv sub.tnt models/m.tnt && tenfold-import models/m.tnt -o m.tnf --fix");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.out, "models/m.fixed.tnt\n");
  EXPECT_TRUE(refused.err.ends_with(
      "fixed E0210 at models/m.tnt:2:12: did you mean 'f32[2]'?\n"
      "fixed E0101 at models/m.tnt:3:7: did you mean 'Add'?\n"
      "fixed E0205 at models/m.tnt:3:7: Cast(k, to=f32) loses nothing; in text: k_cast = "
      "Cast(k, to=f32), then s = Add(x, k_cast)\n"))
      << refused.err;
  EXPECT_EQ(ReadFile("models/m.fixed.tnt"),
            "tenfold 1\ngraph g(x: f32[2], k: i16[2]) -> (y) {\n  k_cast = Cast(k, to=f32)\n"
            "  s = Add(x, k_cast)\n  y = Neg(s)\n}\n");
  EXPECT_EQ(ReadFile("models/m.tnt"), kBroken);
  EXPECT_FALSE(Exists("m.tnf"));
  EXPECT_EQ(Run("tenfold-import models/m.fixed.tnt -o m.tnf --fix").exit_status, 0);
  EXPECT_EQ(Run("tenfold-run m.tnf --input 'x=f32[2] 1 2' --input 'k=i16[2] 3 4'").out,
            "y = f32[2] {-4, -6}\n");
}

TEST_F(FixTest, DoesNotWriteOverAnotherFile) {
  WriteFile("m.tnt", "tenfold 1\ngraph g(x: f32[2]) -> (y) {\n  y = neg(x)\n}\n");
  WriteFile("m.fixed.tnt", "mine");
  EXPECT_EQ(Run("tenfold-run m.tnt --fix").out, "m.fixed2.tnt\n");
  EXPECT_EQ(ReadFile("m.fixed.tnt"), "mine");
  EXPECT_EQ(Run("tenfold-run m.tnt --fix").out, "m.fixed2.tnt\n");  // the same again
}

TEST_F(FixTest, NaNForAnIntegerNeedsTwoFlags) {
  WriteArray("x.npy", T("f64[2] nan 1.5"));
  WriteFile("count.tnt", "tenfold 1\ngraph g(k: i32[2]) -> (y) {\n  y = Neg(k)\n}\n");
  const ToolResult refused = Run("tenfold-run count.tnt --input k=x.npy --fix");
  EXPECT_EQ(refused.out, "--nan=k=zero\n--cast=k=nearest\n");
  EXPECT_EQ(refused.err,
            "error[E0320 cast-refused]: 'x.npy' is f64[2], where i32 is due\n"
            "  element [0] is nan, which i32 has not (1 of 2 values)\n"
            "  it feeds Input 'k' (count.tnt:2:9), which is i32[2]\n"
            "  help: to put 0 for NaN: --nan k=zero --cast k=nearest\n");
  EXPECT_EQ(Run("tenfold-run count.tnt --input k=x.npy --nan k=zero --cast k=nearest").out,
            "y = i32[2] {0, -2}\n");
}

// A .tnf holds its constants as they were imported.
TEST_F(FixTest, AFlagForAConstantThatIsNotTakenNowIsRefused) {
  WriteArray("w.npy", T("f32[2] 1 2"));
  WriteFile("m.tnt", "tenfold 1\ngraph m(x: f32[2]) -> (y) {\n  w = Const @\"w.npy\"\n  y = Mul(x, w)\n}\n");
  const ToolResult refused =
      Run("tenfold-import m.tnt -o m.tnf && tenfold-run m.tnf --input 'x=f32[2] 1 2' --cast w=nearest");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.err,
            "error[E0325 bad-policy]: --cast names 'w', and there is no such array\n"
            "  help: did you mean 'x'?\n");
}

TEST_F(FixTest, SaysWhichInputALiteralFeeds) {
  EXPECT_EQ(Run("tenfold-run twice.tnt --input 'x=f32[2] 1 zwei'").err,
            "error[E0506 bad-element]: element 1: 'zwei' is no number\n"
            "  --> tensor:1:10\n"
            "  1 | f32[2] 1 zwei\n"
            "    |          ^~~~\n"
            "  it feeds Input 'x' (twice.tnt:2:13), which is f32[2]\n");
}

TEST_F(FixTest, SaysWhatIsLeft) {
  WriteFile("m.tnt",
            "tenfold 1\ngraph g(x: f32[2], k: f32[3]) -> (y, z) {\n  y = Add(x, k)\n  z = Negg(x)\n}\n");
  const ToolResult refused = Run("tenfold-run m.tnt --fix");
  EXPECT_EQ(refused.out, "m.fixed.tnt\n");
  EXPECT_TRUE(
      refused.err.ends_with("fixed E0101 at m.tnt:4:7: did you mean 'Neg'?\nleft in m.fixed.tnt: 1 error\n"))
      << refused.err;
}

TEST_F(FixTest, SaysWhereItKnowsNoFix) {
  const ToolResult refused = Run("tenfold-run twice.tnt --fix");
  EXPECT_EQ(refused.exit_status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_EQ(refused.err,
            "error[E0603 missing-input]: input 'x' is f32[2], it was fed nothing\n  --> twice.tnt:2:13\n"
            "  help: --input x=FILE.npy, or =random to try it\n"
            "no fix is known for this\n");
}

TEST_F(FixTest, DoesNothingWhereNothingIsWrong) {
  EXPECT_EQ(Run("tenfold-run twice.tnt --input 'x=f32[2] 1 2' --fix").out, "y = f32[2] {2, 4}\n");
}

TEST_F(FixTest, DiagnosticsAreOneLineOfJsonEach) {
  WriteFile("m.tnt", "tenfold 1\ngraph g(x: f32[2]) -> (y, z) {\n  y = Ngeg(x)\n  z = Gleu(x)\n}\n");
  for (const char* command : {"tenfold-run m.tnt", "tenfold-import m.tnt -o m.tnf", "tenfold-dump m.tnt"}) {
    const ToolResult refused = Run(std::string(command) + " --diagnostics=json");
    EXPECT_EQ(refused.exit_status, 1) << command;
    const std::vector<std::string> lines = absl::StrSplit(refused.err, '\n');
    ASSERT_EQ(lines.size(), 3u) << refused.err;
    EXPECT_EQ(lines[2], "");
    const auto first = nlohmann::json::parse(lines[0], nullptr, false);
    ASSERT_FALSE(first.is_discarded()) << lines[0];
    EXPECT_EQ(first["code"], "E0101");
    EXPECT_EQ(first["slug"], "unknown-op");
    EXPECT_EQ(first["severity"], "error");
    EXPECT_EQ(first["location"], "m.tnt:3:7");
    EXPECT_EQ(first["help"][0]["edits"][0]["replace_text"]["begin"], 47);
    EXPECT_EQ(first["help"][0]["edits"][0]["replace_text"]["end"], 51);
    EXPECT_EQ(first["help"][0]["edits"][0]["replace_text"]["text"], "Neg");
    EXPECT_EQ(nlohmann::json::parse(lines[1], nullptr, false)["location"], "m.tnt:4:7");
  }
}

TEST_F(FixTest, RemarksAreJsonToo) {
  WriteArray("x.npy", T("f64[2] 0.1 2"));
  const ToolResult done = Run("tenfold-run twice.tnt --input x=x.npy --cast x=nearest --diagnostics=json");
  EXPECT_EQ(done.out, "y = f32[2] {0.2, 4}\n");
  const auto remark = nlohmann::json::parse(done.err, nullptr, false);
  ASSERT_FALSE(remark.is_discarded()) << done.err;
  EXPECT_EQ(remark["severity"], "remark");
  EXPECT_EQ(remark["message"], "x: from f64, cast=nearest: 1 of 2 values changed, by 1.49e-09 at most");
}

}  // namespace
}  // namespace tenfold
