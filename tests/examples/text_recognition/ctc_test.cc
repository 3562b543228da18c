// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/ctc.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold::text_recognition {
namespace {

using testing::ElementsAre;

const std::vector<std::string> kCharacters = {"a", "b", "ä"};
constexpr size_t kClasses = 5;  // blank, a, b, ä, space

// The class of each step, and how sure the network is of it.
std::vector<float> Steps(const std::vector<std::pair<int, float>>& classes) {
  std::vector<float> steps(classes.size() * kClasses);
  for (size_t i = 0; i < classes.size(); ++i) steps[i * kClasses + classes[i].first] = classes[i].second;
  return steps;
}

std::string TextOf(const std::vector<std::pair<int, float>>& classes) {
  return DecodeCtc(Steps(classes), kClasses, kCharacters)->text;
}

TEST(CtcTest, RepeatedClassesAreOneCharacter) { EXPECT_EQ(TextOf({{1, 1}, {1, 1}, {2, 1}, {2, 1}}), "ab"); }

TEST(CtcTest, ABlankBetweenMakesTwo) { EXPECT_EQ(TextOf({{0, 1}, {1, 1}, {0, 1}, {1, 1}, {0, 1}}), "aa"); }

TEST(CtcTest, TheLastClassIsTheSpace) { EXPECT_EQ(TextOf({{3, 1}, {4, 1}, {2, 1}}), "ä b"); }

TEST(CtcTest, ConfidenceIsTheMeanOverTheCharacters) {
  const auto reading = DecodeCtc(Steps({{0, 0.1f}, {1, 0.5f}, {1, 0.9f}, {2, 0.75f}}), kClasses, kCharacters);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->text, "ab");
  EXPECT_FLOAT_EQ(reading->confidence, 0.625f);
}

TEST(CtcTest, NothingReadHasNoConfidence) {
  const auto reading = DecodeCtc(Steps({{0, 1}, {0, 1}}), kClasses, kCharacters);
  ASSERT_TRUE(reading.ok()) << reading.status();
  EXPECT_EQ(reading->text, "");
  EXPECT_EQ(reading->confidence, 0);
}

TEST(CtcTest, RefusesTheCharactersOfAnotherNetwork) {
  EXPECT_EQ(DecodeCtc({}, 7, kCharacters).status().message(),
            "the network has 7 classes, and 3 characters make 5 with the blank and the space");
}

TEST(CtcTest, LoadsOneCharacterALine) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/characters.txt";
  std::ofstream(path) << "a\n續\n\n!\n";
  const auto characters = LoadCharacters(path);
  ASSERT_TRUE(characters.ok()) << characters.status();
  EXPECT_THAT(*characters, ElementsAre("a", "續", "", "!"));
  EXPECT_EQ(LoadCharacters("no/such.txt").status().message(), "no/such.txt: cannot be opened");
}

}  // namespace
}  // namespace tenfold::text_recognition
