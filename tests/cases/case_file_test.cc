// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/case_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace tenfold::testing {
namespace {

constexpr char kTwoCases[] =
    "# First.\n"
    "# More about it.\n"
    "op Add\n"
    "a: f32[2] {1,\n"
    "  2}\n"
    "# of b\n"
    "b: f32[] {3}\n"
    "---\n"
    "# Second.\n"
    "graph g(x: f32[N]) -> (x) {\n"
    "}\n"
    "passes: fuse\n"
    "expect:\n"
    "nothing\n";

std::vector<CaseText> TwoCases() {
  absl::StatusOr<std::vector<CaseText>> cases = ParseCaseFile(kTwoCases);
  EXPECT_TRUE(cases.ok()) << cases.status();
  return cases.ok() ? *std::move(cases) : std::vector<CaseText>(2);
}

TEST(CaseFile, HasHeadsAndSections) {
  const std::vector<CaseText> cases = TwoCases();
  ASSERT_EQ(cases.size(), 2u);
  EXPECT_EQ(cases[0].title, "First.");
  EXPECT_EQ(cases[0].Kind(), "op");
  ASSERT_EQ(cases[0].sections.size(), 2u);
  EXPECT_EQ(cases[0].Find("a")->text, "f32[2] {1,\n  2}");
  EXPECT_EQ(cases[0].Find("b")->text, "f32[] {3}");
  EXPECT_EQ(cases[0].Find("c"), nullptr);
  EXPECT_EQ(cases[1].title, "Second.");
  EXPECT_EQ(cases[1].line, 9);
  EXPECT_EQ(cases[1].Kind(), "graph");
  EXPECT_EQ(cases[1].Find("expect")->text, "nothing");
}

TEST(CaseFile, PrintsAsItStood) {
  const std::vector<CaseText> cases = TwoCases();
  EXPECT_EQ(cases[0].ToString() + "---\n" + cases[1].ToString(), kTwoCases);
}

TEST(CaseFile, RefusesCasesWithoutATitleAndTwoOfOneTitle) {
  EXPECT_FALSE(ParseCaseFile("op Add\n").ok());
  const absl::StatusOr<std::vector<CaseText>> twice = ParseCaseFile("# A\nop Add\n---\n# A\nop Sub\n");
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(std::string(twice.status().message()), "line 4: two cases are called 'A'");
}

TEST(CaseFile, ReplacesOneCaseAndLeavesTheRestAsItStood) {
  const std::string path = ::testing::TempDir() + "/two.case";
  std::ofstream(path) << kTwoCases;
  std::vector<CaseText> cases = TwoCases();
  cases[1].Set("expect", "something");
  cases[1].Set("remarks", "");
  ASSERT_TRUE(ReplaceInFile(path, cases[1]).ok());
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::string want = kTwoCases;
  want.replace(want.find("nothing"), std::string("nothing").size(), "something");
  EXPECT_EQ(text, want + "remarks:\n");
}

}  // namespace
}  // namespace tenfold::testing
