// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/text_boxes.h"

#include <ostream>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold::text_recognition {

void PrintTo(const Rectangle& r, std::ostream* out) {
  *out << "{" << r.left << ", " << r.top << ", " << r.right << ", " << r.bottom << "}";
}

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kWidth = 30, kHeight = 20;

class TextBoxesTest : public testing::Test {
 protected:
  void Fill(const Rectangle& box, float probability) {
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) map_[y * kWidth + x] = probability;
    }
  }
  std::vector<Rectangle> Boxes(const BoxOptions& options = {}) const {
    std::vector<Rectangle> boxes;
    for (const TextBox& found : FindTextBoxes(map_, kWidth, options)) boxes.push_back(found.box);
    return boxes;
  }
  std::vector<float> map_ = std::vector<float>(kWidth * kHeight);
};

TEST_F(TextBoxesTest, NothingInAnEmptyMap) { EXPECT_THAT(Boxes(), IsEmpty()); }

TEST_F(TextBoxesTest, ARegionGrowsByItsAreaOverItsPerimeter) {
  Fill({10, 6, 17, 10}, 0.9f);
  EXPECT_THAT(Boxes(), ElementsAre(Rectangle{8, 4, 19, 12}));  // 28 * 1.6 / 22 is 2
  EXPECT_THAT(Boxes({.growth = 0}), ElementsAre(Rectangle{10, 6, 17, 10}));
}

TEST_F(TextBoxesTest, StaysWithinTheMap) {
  Fill({0, 0, kWidth, kHeight}, 1.0f);
  EXPECT_THAT(Boxes(), ElementsAre(Rectangle{0, 0, kWidth, kHeight}));
}

TEST_F(TextBoxesTest, TheScoreIsTheMeanOverTheBox) {
  Fill({4, 4, 8, 8}, 1.0f);
  Fill({4, 4, 6, 6}, 0.4f);
  const std::vector<TextBox> found = FindTextBoxes(map_, kWidth);
  ASSERT_EQ(found.size(), 1);
  EXPECT_FLOAT_EQ(found[0].score, 0.85f);
  EXPECT_THAT(Boxes({.min_score = 0.86f}), IsEmpty());
}

TEST_F(TextBoxesTest, SpecksAndFaintRegionsAreLeftOut) {
  Fill({4, 4, 14, 6}, 0.9f);     // two rows high
  Fill({4, 10, 14, 15}, 0.29f);  // below the threshold
  Fill({18, 10, 25, 15}, 0.4f);  // above it, but not sure enough
  EXPECT_THAT(Boxes(), IsEmpty());
}

TEST_F(TextBoxesTest, PixelsThatTouchAtCornersAreOneRegion) {
  Fill({4, 4, 8, 8}, 1.0f);
  Fill({8, 8, 12, 12}, 1.0f);
  EXPECT_THAT(Boxes({.growth = 0}), ElementsAre(Rectangle{4, 4, 12, 12}));
}

TEST_F(TextBoxesTest, RowsFromTheTopAndFromTheLeftWithin) {
  const Rectangle right = {20, 2, 26, 6}, left = {2, 4, 10, 8}, below = {1, 12, 6, 16};
  for (const Rectangle& box : {right, left, below}) Fill(box, 0.9f);
  EXPECT_THAT(Boxes({.growth = 0}), ElementsAre(right, left, below));  // left's middle is not above 6
  Fill({20, 2, 26, 8}, 0.9f);
  EXPECT_THAT(Boxes({.growth = 0}), ElementsAre(left, Rectangle{20, 2, 26, 8}, below));
}

}  // namespace
}  // namespace tenfold::text_recognition
