// SPDX-License-Identifier: Apache-2.0
//
// The commands that refusals of arrays offer, pasted: each must write an array that is taken. They need
// Python and NumPy; without them the tests are skipped.
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

class MendsTest : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    if (Run("python3 -c 'import numpy'").exit_status != 0) GTEST_SKIP() << "there is no Python with NumPy";
  }

  // The commands of the help lines.
  static std::vector<std::string> Commands(const std::string& errors) {
    std::vector<std::string> commands;
    for (const absl::string_view line : absl::StrSplit(errors, '\n')) {
      const size_t begin = line.find("python3 -c ");
      if (absl::StartsWith(line, "  help: ") && begin != absl::string_view::npos) {
        commands.emplace_back(line.substr(begin));
      }
    }
    return commands;
  }

  // Runs the command and gives the name of the file that it wrote.
  std::string Paste(const std::string& command) {
    const ToolResult result = Run(command);
    EXPECT_EQ(result.exit_status, 0) << command << "\n" << result.err;
    return command.substr(command.rfind(' ') + 1);
  }

  // Imports what is refused, and then what its mend made of it.
  // One that offers alternatives is mended by the first.
  std::string Mended(const std::string& file, size_t alternatives = 1) {
    const ToolResult refused = Run(absl::StrCat("tenfold-import ", file, " -o model.tnf"));
    EXPECT_EQ(refused.exit_status, 1) << file;
    const std::vector<std::string> commands = Commands(refused.err);
    EXPECT_EQ(commands.size(), alternatives) << refused.err;
    if (commands.empty()) return "";
    const std::string made = Paste(commands[0]);
    const ToolResult taken = Run(absl::StrCat("tenfold-import ", made, " -o model.tnf"));
    EXPECT_EQ(taken.exit_status, 0) << commands[0] << "\n" << taken.err;
    return made;
  }

  std::string MendedArray(const std::string& file, size_t alternatives = 1) {
    return ReadArray(Mended(file, alternatives)).ToString();
  }
};

TEST_F(MendsTest, OfObjectArrays) {
  Run(absl::StrCat("cp '", std::filesystem::current_path().string(),
                   "'/tests/graph/ingest/testdata/objects/*.npy ."));
  EXPECT_EQ(MendedArray("none.npy"), "f64[4] {1, 2.5, nan, 4}");
  EXPECT_EQ(MendedArray("mixed.npy"), "f64[2,2] {1, nan, nan, 2}");
  EXPECT_EQ(MendedArray("ints.npy"), "f64[6] {1, 2, 1099511627776, -1, 300, 1180591620717411303424}");
  EXPECT_EQ(MendedArray("bools.npy"), "bool[2] {true, false}");
  EXPECT_EQ(MendedArray("floats.npy"), "f64[4] {1.5, 2.5, 1, 3}");
  EXPECT_EQ(MendedArray("ragged.npy"), "f64[3,3] {1, 2, 3, 4, 5, nan, 6, nan, nan}");
  EXPECT_TRUE(absl::StartsWith(MendedArray("ragged_arrays.npy"), "f64[2,400] {0, 1, 2, nan, nan,"));
  EXPECT_EQ(MendedArray("equal.npy"), "f64[2,2] {1, 2, 3, 4}");
  EXPECT_EQ(MendedArray("text.npy"), "f64[2] {1.5, 2}");
  EXPECT_EQ(MendedArray("text_and_none.npy"), "f64[2] {1.5, nan}");
  EXPECT_EQ(MendedArray("comma.npy"), "f64[2] {1.5, 2}");
  EXPECT_EQ(MendedArray("labels.npy"), "i64[2] {0, 1}");
  EXPECT_EQ(MendedArray("bytes.npy"), "f64[2] {nan, 1}");
  EXPECT_EQ(MendedArray("dates.npy"), "i64[2] {1577836800000000, 1609459200000000}");
  EXPECT_EQ(MendedArray("empty.npy"), "f64[0] {}");
  EXPECT_EQ(MendedArray("record.npy"), "i32[1] {1}");
  EXPECT_EQ(Mended("images.npy"), "images.npz");
  EXPECT_EQ(Mended("dict.npy"), "dict.npz");
}

TEST_F(MendsTest, OfOtherArrays) {
  WriteFile("make.py", R"(import numpy as np, zipfile
s = np.save
s("comma.npy", np.array(["1,5", "2"]))
s("holes.npy", np.array([["1.5", "n/a"], ["", "-INF"]]))
s("labels.npy", np.array(["seven", "nine"]))
s("bytes.npy", np.array([b"1,5", b"\xe9", b"2e3"]))
s("record.npy", np.array([(1, 2.)], [("a", "i4"), ("b", "f8")]))
s("date.npy", np.array(["2020-01-01"], "M8[D]"))
s("duration.npy", np.array([7], "m8[s]"))
s("longdouble.npy", np.array([1.5], np.longdouble))
s("thousands.npy", np.array(["1,234", "-12"]))
s("complex.npy", np.array([1 + 2j]))
s("raw.npy", np.zeros(2, "V3"))
s("bool.npy", np.array([True, False]))
b = bytearray(open("bool.npy", "rb").read())
b[-1] = 7
open("bool.npy", "wb").write(b)
s("one.npy", np.array([1.5, 2.5]))
b = open("one.npy", "rb").read()
open("trailing.npy", "wb").write(b + b"xx")
open("two.npy", "wb").write(b + b)
with zipfile.ZipFile("duplicate.npz", "w") as f:
    f.writestr("a.npy", b)
    f.writestr("a.npy", b)
)");
  ASSERT_EQ(Run("python3 make.py").exit_status, 0) << ReadFile(".err");
  EXPECT_EQ(MendedArray("comma.npy"), "f64[2] {1.5, 2}");
  EXPECT_EQ(MendedArray("holes.npy"), "f64[2,2] {1.5, nan, nan, -inf}");
  EXPECT_EQ(MendedArray("labels.npy"), "i64[2] {1, 0}");
  EXPECT_EQ(MendedArray("bytes.npy"), "f64[3] {1.5, nan, 2000}");
  EXPECT_EQ(MendedArray("record.npy", 2), "f64[1,2] {1, 2}");
  EXPECT_EQ(MendedArray("thousands.npy", 2), "f64[2] {1234, -12}");
  EXPECT_EQ(MendedArray("date.npy"), "i64[1] {18262}");
  EXPECT_EQ(MendedArray("duration.npy"), "i64[1] {7}");
  EXPECT_EQ(MendedArray("longdouble.npy"), "f64[1] {1.5}");
  EXPECT_EQ(MendedArray("complex.npy"), "f64[1,2] {1, 2}");
  EXPECT_EQ(MendedArray("raw.npy"), "u8[6] {0, 0, 0, 0, 0, 0}");
  EXPECT_EQ(MendedArray("bool.npy"), "bool[2] {true, true}");
  EXPECT_EQ(MendedArray("trailing.npy"), "f64[2] {1.5, 2.5}");
  EXPECT_EQ(Mended("two.npy"), "two.npz");
  EXPECT_EQ(Mended("duplicate.npz"), "duplicate.last.npz");
}

TEST_F(MendsTest, OfFeeds) {
  WriteFile("rows.tnt", "tenfold 1\ngraph rows(x: f32[N,2]) -> (y) {\n  y = Neg(x)\n}\n");
  WriteFile("counts.tnt", "tenfold 1\ngraph counts(x: i32[N]) -> (y) {\n  y = Neg(x)\n}\n");
  const auto outcomes = [&](const std::string& run) {
    const ToolResult refused = Run(run + "bad.npy");
    EXPECT_EQ(refused.exit_status, 1);
    std::vector<std::string> results;
    for (const std::string& command : Commands(refused.err)) results.push_back(Run(run + Paste(command)).out);
    return results;
  };
  using testing::ElementsAre;
  WriteArray("bad.npy", T("f32[2,3] 1 2 3 4 5 6"));
  EXPECT_THAT(outcomes("tenfold-run rows.tnt --input x="),
              ElementsAre("y = f32[3,2] {-1, -4, -2, -5, -3, -6}\n", "y = f32[2,2] {-2, -3, -5, -6}\n",
                          "y = f32[2,2] {-1, -2, -4, -5}\n"));
  WriteArray("bad.npy", T("f32[4] 1 2 3 4"));
  EXPECT_THAT(outcomes("tenfold-run rows.tnt --input x="), ElementsAre("y = f32[2,2] {-1, -2, -3, -4}\n"));
  WriteArray("bad.npy", T("f32[3] 1.5 nan inf"));
  EXPECT_THAT(outcomes("tenfold-run counts.tnt --cast x=nearest --input x="),
              ElementsAre("y = i32[3] {-2, 0, 0}\n"));
  // Flags are pasted behind the command.
  WriteArray("bad.npy", T("f32[2] 1.5 nan"));
  const std::string run = "tenfold-run counts.tnt --input x=bad.npy";
  const std::string error = Run(run).err;
  const std::string help = "  help: to put 0 for NaN: ";
  ASSERT_THAT(error, HasSubstr(help + "--nan x=zero --cast x=nearest\n"));
  EXPECT_EQ(Run(run + " --nan x=zero --cast x=nearest").out, "y = i32[2] {-2, 0}\n");
}

// With tenfold-run, since tenfold-import takes what is no array file for a graph in text.
TEST_F(MendsTest, OfFilesThatAreNoArrays) {
  WriteFile("x.csv", "a,b\n1.5,2\n3,4\n");
  WriteFile("x.txt", "1.5 2\n3 4\n");
  WriteFile("x.json", "[[1.5, 2], [3, 4]]");
  WriteFile("neg.tnt", "tenfold 1\ngraph neg(x: f64[2,2]) -> (y) {\n  y = Neg(x)\n}\n");
  for (const std::string file : {"x.csv", "x.txt", "x.json"}) {
    const ToolResult refused = Run(absl::StrCat("tenfold-run neg.tnt --input x=", file));
    EXPECT_EQ(refused.exit_status, 1) << file;
    const std::vector<std::string> commands = Commands(refused.err);
    ASSERT_EQ(commands.size(), 1u) << refused.err;
    EXPECT_EQ(Run(absl::StrCat("tenfold-run neg.tnt --input x=", Paste(commands[0]))).out,
              "y = f64[2,2] {-1.5, -2, -3, -4}\n")
        << file;
  }
}

TEST_F(MendsTest, OfNamesThatAShellWouldRead) {
  for (const std::string name : {"my data (1)", "it's", "$HOME", "a\nb", "back`id`", "\xff"}) {
    SCOPED_TRACE(name);
    WriteArray("plain.npy", T("f32[2,3] 1 2 3 4 5 6"));
    WriteFile("twice.tnt", "tenfold 1\ngraph twice(x: f32[3,2]) -> (y) {\n  y = Add(x, x)\n}\n");
    WriteFile("name", name);
    ASSERT_EQ(Run("mv plain.npy \"$(cat name).npy\"").exit_status, 0);
    const ToolResult refused = Run("tenfold-run twice.tnt --input \"x=$(cat name).npy\"");
    const std::vector<std::string> commands = Commands(refused.err);
    ASSERT_FALSE(commands.empty()) << refused.err;
    WriteFile("mend.sh", commands[0] + "\n");
    EXPECT_EQ(Run("bash mend.sh").exit_status, 0) << commands[0];
    EXPECT_EQ(Run("tenfold-run twice.tnt --input \"x=$(cat name).transposed.npy\"").out,
              "y = f32[3,2] {2, 8, 4, 10, 6, 12}\n");
  }
}

}  // namespace
}  // namespace tenfold
