// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/text_boxes.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace tenfold::text_recognition {
namespace {

// The map with what has been visited.
class Regions {
 public:
  Regions(std::span<const float> map, int width, float threshold)
      : width_(width), height_(static_cast<int>(map.size() / width)), open_(map.size()) {
    std::transform(map.begin(), map.end(), open_.begin(), [&](float p) { return p > threshold; });
  }

  // The bounds of the region that holds (x, y), neighbours at corners included, if it has not been given yet;
  // else empty.
  Rectangle Take(int x, int y) {
    if (!Visit(x, y)) return {};
    Rectangle bounds = {x, y, x + 1, y + 1};
    while (!stack_.empty()) {  // no recursion: a region may be the whole picture
      const auto [from_x, from_y] = stack_.back();
      stack_.pop_back();
      bounds = {std::min(bounds.left, from_x), std::min(bounds.top, from_y),
                std::max(bounds.right, from_x + 1), std::max(bounds.bottom, from_y + 1)};
      for (int to_y = from_y - 1; to_y <= from_y + 1; ++to_y) {
        for (int to_x = from_x - 1; to_x <= from_x + 1; ++to_x) Visit(to_x, to_y);
      }
    }
    return bounds;
  }

  int height() const { return height_; }

 private:
  bool Visit(int x, int y) {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return false;
    const size_t i = size_t{1} * y * width_ + x;
    if (!open_[i]) return false;
    open_[i] = false;
    stack_.emplace_back(x, y);
    return true;
  }

  int width_, height_;
  std::vector<bool> open_;
  std::vector<std::pair<int, int>> stack_;
};

float Mean(std::span<const float> map, int width, const Rectangle& box) {
  double sum = 0;
  for (int y = box.top; y < box.bottom; ++y) {
    for (const float p : map.subspan(size_t{1} * y * width + box.left, box.width())) sum += p;
  }
  return static_cast<float>(sum / box.width() / box.height());
}

Rectangle Grown(const Rectangle& box, float growth, int width, int height) {
  const float area = static_cast<float>(box.width()) * static_cast<float>(box.height());
  const int by =
      static_cast<int>(std::lround(area * growth / (2.0f * static_cast<float>(box.width() + box.height()))));
  return {std::max(box.left - by, 0), std::max(box.top - by, 0), std::min(box.right + by, width),
          std::min(box.bottom + by, height)};
}

// A row begins with its highest box, and has every box whose middle is above the bottom of that one.
void SortAsRead(std::vector<TextBox>& boxes) {
  const auto top = [](const TextBox& b) { return b.box.top; };
  const auto left = [](const TextBox& b) { return b.box.left; };
  std::ranges::stable_sort(boxes, {}, top);
  for (auto row = boxes.begin(); row != boxes.end();) {
    const int bottom = row->box.bottom;
    const auto end = std::find_if(row, boxes.end(),
                                  [&](const TextBox& b) { return b.box.top + b.box.height() / 2 >= bottom; });
    std::ranges::stable_sort(row, end, {}, left);
    row = end;
  }
}

}  // namespace

std::vector<TextBox> FindTextBoxes(std::span<const float> map, int width, const BoxOptions& options) {
  std::vector<TextBox> boxes;
  if (width <= 0) return boxes;
  Regions regions(map, width, options.threshold);
  for (int y = 0; y < regions.height(); ++y) {
    for (int x = 0; x < width; ++x) {
      const Rectangle bounds = regions.Take(x, y);
      if (std::min(bounds.width(), bounds.height()) < std::max(options.min_side, 1)) continue;
      const float score = Mean(map, width, bounds);
      if (score < options.min_score) continue;
      boxes.push_back({Grown(bounds, options.growth, width, regions.height()), score});
    }
  }
  SortAsRead(boxes);
  return boxes;
}

}  // namespace tenfold::text_recognition
