// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/image.h"

#include <algorithm>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold::text_recognition {
namespace {

using testing::ElementsAre;

// Grey pixels, a row after the other.
Image Grey(int width, const std::vector<uint8_t>& values) {
  Image image = Image::Blank(width, static_cast<int>(values.size()) / width);
  for (size_t i = 0; i < values.size(); ++i) std::fill_n(image.rgb.begin() + 3 * i, 3, values[i]);
  return image;
}

std::vector<int> Values(const Image& image) {
  std::vector<int> values;
  for (size_t i = 0; i < image.rgb.size(); i += 3) {
    EXPECT_EQ(image.rgb[i], image.rgb[i + 1]);
    EXPECT_EQ(image.rgb[i], image.rgb[i + 2]);
    values.push_back(image.rgb[i]);
  }
  return values;
}

TEST(ImageTest, Crop) {
  const Image image = Grey(3, {1, 2, 3,  //
                               4, 5, 6,  //
                               7, 8, 9});
  const Image part = Crop(image, {1, 0, 3, 2});
  EXPECT_EQ(part.width, 2);
  EXPECT_EQ(part.height, 2);
  EXPECT_THAT(Values(part), ElementsAre(2, 3, 5, 6));
}

TEST(ImageTest, Turns) {
  const Image image = Grey(3, {1, 2, 3,  //
                               4, 5, 6});
  EXPECT_THAT(Values(TurnHalf(image)), ElementsAre(6, 5, 4, 3, 2, 1));
  const Image quarter = TurnQuarter(image);
  EXPECT_EQ(quarter.width, 2);
  EXPECT_EQ(quarter.height, 3);
  EXPECT_THAT(Values(quarter), ElementsAre(3, 6,  //
                                           2, 5,  //
                                           1, 4));
}

TEST(ImageTest, ChannelsStayTogether) {
  Image image = Image::Blank(2, 1);
  image.rgb = {10, 20, 30, 40, 50, 60};
  EXPECT_THAT(TurnHalf(image).rgb, ElementsAre(40, 50, 60, 10, 20, 30));
  EXPECT_THAT(Resize(image, 1, 1).rgb, ElementsAre(25, 35, 45));
}

TEST(ImageTest, GrowsByLinearInterpolation) {
  EXPECT_THAT(Values(Resize(Grey(2, {0, 100}), 4, 1)), ElementsAre(0, 25, 75, 100));
  EXPECT_THAT(Values(Resize(Grey(1, {0, 100}), 1, 4)), ElementsAre(0, 25, 75, 100));
}

TEST(ImageTest, ShrinksByMeansOfAllThatAPixelCovers) {
  // Weights 3/7, 3/7, 1/7 and 1/7, 3/7, 3/7.
  EXPECT_THAT(Values(Resize(Grey(4, {0, 100, 200, 40}), 2, 1)), ElementsAre(71, 117));
  EXPECT_THAT(Values(Resize(Grey(1, {0, 100, 200, 40}), 1, 2)), ElementsAre(71, 117));
}

TEST(ImageTest, TheSameSizeIsTheSameImage) {
  const Image image = Grey(3, {0, 255, 7, 8, 9, 254});
  EXPECT_EQ(Resize(image, 3, 2).rgb, image.rgb);
}

}  // namespace
}  // namespace tenfold::text_recognition
