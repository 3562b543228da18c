// SPDX-License-Identifier: Apache-2.0
//
// From the map that the detection network gives, how likely each pixel belongs to the core of a line of text,
// to boxes around lines.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_BOXES_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_BOXES_H_

#include <span>
#include <vector>

#include "tenfold/examples/text_recognition/image.h"

namespace tenfold::text_recognition {

struct BoxOptions {
  float threshold = 0.3f;  // of a pixel that belongs to a line
  float min_score = 0.5f;  // mean of the map over a box
  int min_side = 3;        // in pixels of the map; smaller ones are specks
  // The network is trained on lines that were shrunk by their area times a ratio over their perimeter
  // (Liao et al., Real-time Scene Text Detection with Differentiable Binarization, 2020); this grows them
  // back.
  float growth = 1.6f;
};

struct TextBox {
  Rectangle box;
  float score = 0;
};

// One upright box for each connected region of `map`, which has `width` columns; in reading order: rows from
// the top, and from the left within a row.
std::vector<TextBox> FindTextBoxes(std::span<const float> map, int width, const BoxOptions& options = {});

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_BOXES_H_
