// SPDX-License-Identifier: Apache-2.0
//
// Reads the text of a picture with three networks of PP-OCR: one finds lines, one says which of them stand on
// their heads, one reads them.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_READER_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_READER_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/examples/text_recognition/ctc.h"
#include "tenfold/examples/text_recognition/image.h"
#include "tenfold/examples/text_recognition/network.h"

namespace tenfold::text_recognition {

struct ReaderOptions {
  int threads = 0;              // 0: one per hardware thread
  int max_side = 1600;          // larger pictures are shrunk before lines are looked for
  float min_confidence = 0.5f;  // less likely readings are left out
};

struct TextLine {
  Rectangle box;        // in the picture
  bool turned = false;  // it stood on its head
  Reading reading;
};

class TextReader {
 public:
  // `folder` has detection.onnx, direction.onnx, recognition.onnx and characters.txt, as fetch_models.py
  // makes it.
  static absl::StatusOr<TextReader> Load(const std::string& folder, const ReaderOptions& options = {});

  // The lines in reading order.
  absl::StatusOr<std::vector<TextLine>> Read(const Image& picture) const;

 private:
  TextReader(Network detection, Network direction, Network recognition, std::vector<std::string> characters,
             const ReaderOptions& options)
      : detection_(std::move(detection)),
        direction_(std::move(direction)),
        recognition_(std::move(recognition)),
        characters_(std::move(characters)),
        options_(options) {}

  absl::StatusOr<std::vector<Rectangle>> FindLines(const Image& picture) const;
  absl::StatusOr<bool> StandsOnItsHead(const Image& line) const;
  absl::StatusOr<Reading> ReadLine(const Image& line) const;

  Network detection_, direction_, recognition_;
  std::vector<std::string> characters_;
  ReaderOptions options_;
};

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_TEXT_READER_H_
