// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/image_file.h"

#include <png.h>
#include <turbojpeg.h>

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold::text_recognition {
namespace {

using testing::ElementsAre;
using testing::StartsWith;

// `values` are pixels of `format`.
std::vector<uint8_t> EncodePng(int width, int height, uint32_t format, const std::vector<uint8_t>& values) {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = width;
  header.height = height;
  header.format = format;
  png_alloc_size_t size = 0;
  EXPECT_NE(png_image_write_to_memory(&header, nullptr, &size, 0, values.data(), 0, nullptr), 0);
  std::vector<uint8_t> bytes(size);
  EXPECT_NE(png_image_write_to_memory(&header, bytes.data(), &size, 0, values.data(), 0, nullptr), 0);
  bytes.resize(size);
  return bytes;
}

std::vector<uint8_t> EncodeJpeg(int width, int height, const std::vector<uint8_t>& values) {
  const tjhandle encoder = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;  // NOLINT: the library's type
  EXPECT_EQ(tjCompress2(encoder, values.data(), width, 0, height, TJPF_RGB, &data, &size, TJSAMP_444, 95, 0),
            0);
  std::vector<uint8_t> bytes(data, data + size);
  tjFree(data);
  tjDestroy(encoder);
  return bytes;
}

std::string Refusal(const std::vector<uint8_t>& bytes) {
  return std::string(DecodeImage(bytes, "x").status().message());
}

TEST(ImageFileTest, Png) {
  const std::vector<uint8_t> pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  const auto image = DecodeImage(EncodePng(3, 2, PNG_FORMAT_RGB, pixels), "x");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 3);
  EXPECT_EQ(image->height, 2);
  EXPECT_EQ(image->rgb, pixels);
}

TEST(ImageFileTest, GreyBecomesThreeChannels) {
  const auto image = DecodeImage(EncodePng(2, 1, PNG_FORMAT_GRAY, {7, 200}), "x");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->rgb, ElementsAre(7, 7, 7, 200, 200, 200));
}

TEST(ImageFileTest, WhatIsTransparentIsWhite) {
  const auto image = DecodeImage(EncodePng(2, 1, PNG_FORMAT_RGBA, {9, 9, 9, 0, 10, 20, 30, 255}), "x");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_THAT(image->rgb, ElementsAre(255, 255, 255, 10, 20, 30));
}

TEST(ImageFileTest, Jpeg) {
  const std::vector<uint8_t> pixels(size_t{3} * 16 * 8, 120);
  const auto image = DecodeImage(EncodeJpeg(16, 8, pixels), "x");
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(image->width, 16);
  EXPECT_EQ(image->height, 8);
  EXPECT_EQ(image->rgb, pixels);
}

TEST(ImageFileTest, RefusesOtherFiles) {
  EXPECT_EQ(Refusal({}), "x: neither a PNG nor a JPEG file");
  EXPECT_EQ(Refusal({'G', 'I', 'F', '8', '9', 'a', 0, 0}), "x: neither a PNG nor a JPEG file");
  EXPECT_EQ(LoadImage("no/such.png").status().message(), "no/such.png: cannot be opened");
}

TEST(ImageFileTest, RefusesWhatIsCutOff) {
  std::vector<uint8_t> png = EncodePng(2, 2, PNG_FORMAT_RGB, std::vector<uint8_t>(12, 77));
  png.resize(png.size() - 20);
  EXPECT_THAT(Refusal(png), StartsWith("x: not a good PNG file: "));
  std::vector<uint8_t> jpeg = EncodeJpeg(64, 64, std::vector<uint8_t>(size_t{3} * 64 * 64, 120));
  jpeg.resize(jpeg.size() - 20);
  EXPECT_THAT(Refusal(jpeg), StartsWith("x: not a good JPEG file: "));
}

TEST(ImageFileTest, RefusesMorePixelsThanItsHeaderShouldAskFor) {
  // Of a JPEG, since a changed header of a PNG has a wrong checksum. Height and width follow the marker of
  // the frame, its length and its precision.
  std::vector<uint8_t> jpeg = EncodeJpeg(16, 8, std::vector<uint8_t>(size_t{3} * 16 * 8, 120));
  size_t frame = 0;
  while (frame + 9 < jpeg.size() && !(jpeg[frame] == 0xff && jpeg[frame + 1] == 0xc0)) ++frame;
  ASSERT_LT(frame + 9, jpeg.size());
  for (size_t i = 5; i < 9; ++i) jpeg[frame + i] = i % 2 == 1 ? 0x7f : 0xff;
  EXPECT_EQ(Refusal(jpeg), "x: 32767 x 32767 pixels; at most 67108864 in all are read");
}

}  // namespace
}  // namespace tenfold::text_recognition
