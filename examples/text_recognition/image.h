// SPDX-License-Identifier: Apache-2.0
//
// Pictures in memory, and what is done to their pixels.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tenfold::text_recognition {

// Rows from the top, 8 bits each of red, green and blue.
struct Image {
  int width = 0, height = 0;
  std::vector<uint8_t> rgb;

  static Image Blank(int width, int height) {
    return {width, height, std::vector<uint8_t>(size_t{3} * width * height)};
  }
  const uint8_t* pixel(int x, int y) const { return rgb.data() + 3 * (size_t{1} * y * width + x); }
  uint8_t* pixel(int x, int y) { return rgb.data() + 3 * (size_t{1} * y * width + x); }
};

// Pixels from `left` to before `right`, and from `top` to before `bottom`.
struct Rectangle {
  int left = 0, top = 0, right = 0, bottom = 0;
  int width() const { return right - left; }
  int height() const { return bottom - top; }
  bool operator==(const Rectangle&) const = default;
};

// `box` must lie within the image.
Image Crop(const Image& image, const Rectangle& box);
// By 180 degrees.
Image TurnHalf(const Image& image);
// By 90 degrees counterclockwise: what ran down runs to the right.
Image TurnQuarter(const Image& image);

// Each new pixel is a mean of the old ones that it covers, the nearer to its centre the heavier: linear
// interpolation where the image grows, and no aliasing where it shrinks.
Image Resize(const Image& image, int width, int height);

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_H_
