// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/image.h"

#include <algorithm>
#include <cmath>

namespace tenfold::text_recognition {
namespace {

// What a new pixel of one axis is made of: weights of the old ones from `first` on, which add up to 1.
struct Mixture {
  int first = 0;
  std::vector<float> weights;
};

std::vector<Mixture> Mixtures(int old_size, int new_size) {
  const double scale = static_cast<double>(old_size) / new_size;
  const double reach = std::max(scale, 1.0);  // a triangle as wide as two new pixels, or two old ones
  std::vector<Mixture> mixtures(new_size);
  for (int i = 0; i < new_size; ++i) {
    const double centre = (i + 0.5) * scale;
    Mixture& mixture = mixtures[i];
    mixture.first = std::max(0, static_cast<int>(std::floor(centre - reach)));
    const int end = std::min(old_size, static_cast<int>(std::ceil(centre + reach)));
    double sum = 0;
    for (int k = mixture.first; k < end; ++k) {
      const double weight = std::max(0.0, 1 - std::abs(k + 0.5 - centre) / reach);
      mixture.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : mixture.weights) weight = static_cast<float>(weight / sum);
  }
  return mixtures;
}

uint8_t Rounded(float value) { return static_cast<uint8_t>(std::clamp(value + 0.5f, 0.0f, 255.0f)); }

Image ResizeRows(const Image& image, int width) {
  Image result = Image::Blank(width, image.height);
  const std::vector<Mixture> mixtures = Mixtures(image.width, width);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < width; ++x) {
      float sum[3] = {};
      const uint8_t* from = image.pixel(mixtures[x].first, y);
      for (const float weight : mixtures[x].weights) {
        for (float& channel : sum) channel += weight * static_cast<float>(*from++);
      }
      std::transform(sum, sum + 3, result.pixel(x, y), Rounded);
    }
  }
  return result;
}

Image ResizeColumns(const Image& image, int height) {
  Image result = Image::Blank(image.width, height);
  const std::vector<Mixture> mixtures = Mixtures(image.height, height);
  std::vector<float> row(size_t{3} * image.width);
  for (int y = 0; y < height; ++y) {
    std::fill(row.begin(), row.end(), 0.0f);
    int from_y = mixtures[y].first;
    for (const float weight : mixtures[y].weights) {
      const uint8_t* from = image.pixel(0, from_y++);
      for (float& value : row) value += weight * static_cast<float>(*from++);
    }
    std::transform(row.begin(), row.end(), result.pixel(0, y), Rounded);
  }
  return result;
}

}  // namespace

Image Crop(const Image& image, const Rectangle& box) {
  Image result = Image::Blank(box.width(), box.height());
  for (int y = 0; y < result.height; ++y) {
    std::copy_n(image.pixel(box.left, box.top + y), size_t{3} * result.width, result.pixel(0, y));
  }
  return result;
}

Image TurnHalf(const Image& image) {
  Image result = Image::Blank(image.width, image.height);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(image.pixel(x, y), 3, result.pixel(image.width - 1 - x, image.height - 1 - y));
    }
  }
  return result;
}

Image TurnQuarter(const Image& image) {
  Image result = Image::Blank(image.height, image.width);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      std::copy_n(image.pixel(x, y), 3, result.pixel(y, image.width - 1 - x));
    }
  }
  return result;
}

Image Resize(const Image& image, int width, int height) {
  return ResizeColumns(ResizeRows(image, width), height);
}

}  // namespace tenfold::text_recognition
