// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/flags.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

enum class Colour { kRed, kGreen };

struct Values {
  bool loud = false;
  std::string output;
  std::vector<std::string> inputs;
  int threads = 0;
  uint64_t seed = 0;
  double rtol = 0;
  Colour colour = Colour::kRed;
};

class FlagsTest : public testing::Test {
 protected:
  FlagsTest()
      : flags_({.tool = "tool", .synopsis = "FILE", .purpose = "Does.", .examples = "tool x\ntool y"}) {
    flags_.Switch("loud", &values_.loud, "Says more.");
    flags_.Text("output", "FILE", &values_.output, "Where to.");
    flags_.Letter('o', "output");
    flags_.List("input", "NAME=ARRAY", &values_.inputs, "What.");
    flags_.Integer("threads", 1, 64, &values_.threads, "How many.\nNo more than 64.");
    flags_.Integer<uint64_t>("seed", 0, UINT64_MAX, &values_.seed, "Of chance.");
    flags_.Number("rtol", &values_.rtol, "How far.");
    flags_.Choice<Colour>("colour", {{"red", Colour::kRed}, {"green", Colour::kGreen}}, &values_.colour,
                          "Which.");
  }

  // The error's text; empty if there is none.
  std::string Parse(const std::vector<std::string>& arguments) {
    return std::string(flags_.Parse(arguments).message());
  }

  Values values_;
  Flags flags_;
};

TEST_F(FlagsTest, TakesValuesInBothForms) {
  EXPECT_EQ(Parse({"a", "--threads", "3", "--rtol=1e-5", "b", "--loud", "--colour", "green"}), "");
  EXPECT_EQ(values_.threads, 3);
  EXPECT_EQ(values_.rtol, 1e-5);
  EXPECT_TRUE(values_.loud);
  EXPECT_EQ(values_.colour, Colour::kGreen);
  EXPECT_THAT(flags_.positional(), ElementsAre("a", "b"));
}

TEST_F(FlagsTest, KeepsEveryValueOfAListAndTheLastOfTheOthers) {
  EXPECT_EQ(Parse({"--input", "x=x.npy", "--input=y=f32[2] 1 2", "--threads", "2", "--threads", "5"}), "");
  EXPECT_THAT(values_.inputs, ElementsAre("x=x.npy", "y=f32[2] 1 2"));
  EXPECT_EQ(values_.threads, 5);
}

TEST_F(FlagsTest, TakesLetters) {
  EXPECT_EQ(Parse({"-o", "a.tnf"}), "");
  EXPECT_EQ(values_.output, "a.tnf");
  EXPECT_EQ(Parse({"-ob.tnf"}), "");
  EXPECT_EQ(values_.output, "b.tnf");
  EXPECT_EQ(Parse({"-x"}), "unknown flag '-x'");
  EXPECT_EQ(Parse({"-o"}), "-o needs a value: -o FILE");
}

TEST_F(FlagsTest, EndsAtTwoDashes) {
  EXPECT_EQ(Parse({"--", "--loud", "-o", "-"}), "");
  EXPECT_FALSE(values_.loud);
  EXPECT_THAT(flags_.positional(), ElementsAre("--loud", "-o", "-"));
}

TEST_F(FlagsTest, NamesTheNearestOfAnUnknownFlag) {
  EXPECT_EQ(Parse({"--inptu=x"}), "unknown flag '--inptu'; did you mean '--input'?");
  EXPECT_EQ(Parse({"--diagnostics=json"}), "unknown flag '--diagnostics'");
}

TEST_F(FlagsTest, RefusesWrongValues) {
  EXPECT_EQ(Parse({"--threads=0"}), "--threads: '0' is no integer from 1 to 64");
  EXPECT_EQ(Parse({"--threads=two"}), "--threads: 'two' is no integer from 1 to 64");
  EXPECT_EQ(Parse({"--seed=-1"}), "--seed: '-1' is no integer that is at least 0");
  EXPECT_EQ(Parse({"--seed=18446744073709551616"}),
            "--seed: '18446744073709551616' is no integer that is at least 0");
  EXPECT_EQ(Parse({"--rtol=nan"}), "--rtol: 'nan' is no finite number that is at least 0");
  EXPECT_EQ(Parse({"--colour=blue"}), "--colour: 'blue' is none of red|green");
  EXPECT_EQ(Parse({"--loud=yes"}), "--loud takes no value");
  EXPECT_EQ(Parse({"--output="}), "--output: '' is empty");
  EXPECT_EQ(Parse({"--rtol"}), "--rtol needs a value: --rtol X");
}

TEST_F(FlagsTest, ReadsTheWholeRangeOfAnInteger) {
  EXPECT_EQ(Parse({"--seed", "18446744073709551615"}), "");
  EXPECT_EQ(values_.seed, UINT64_MAX);
}

TEST_F(FlagsTest, HelpShowsFlagsAndExamples) {
  EXPECT_EQ(Parse({"--help"}), "");
  EXPECT_TRUE(flags_.help_wanted());
  const std::string help = flags_.HelpText();
  EXPECT_THAT(help, HasSubstr("usage: tool FILE\n\nDoes.\n"));
  EXPECT_THAT(help, HasSubstr("  --output FILE, -oFILE\n      Where to.\n"));
  EXPECT_THAT(help, HasSubstr("  --threads N\n      How many.\n      No more than 64.\n"));
  EXPECT_THAT(help, HasSubstr("  --colour red|green\n"));
  EXPECT_THAT(help, HasSubstr("examples:\n  tool x\n  tool y\n"));
}

TEST(SplitWordsTest, SplitsAtWhiteSpaceOutsideQuotes) {
  EXPECT_THAT(*SplitWords("  --a=1\t--b '2 3'  \"it's\"x '' "),
              ElementsAre("--a=1", "--b", "2 3", "it'sx", ""));
  EXPECT_THAT(*SplitWords(""), ElementsAre());
  EXPECT_EQ(SplitWords("--a '1").status().message(), "a quote ' is not closed");
}

}  // namespace
}  // namespace tenfold
