// SPDX-License-Identifier: Apache-2.0
//
// Text from the classes that the recognition network gives: connectionist temporal classification (Graves et
// al., 2006), by the likeliest class of each step.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_CTC_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_CTC_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tenfold::text_recognition {

// The characters of classes 1, 2, ..., one a line of a file. Class 0 is the blank.
absl::StatusOr<std::vector<std::string>> LoadCharacters(const std::string& path);

struct Reading {
  std::string text;
  float confidence = 0;  // the mean over the characters; 0 if there are none
};

// `steps` holds the probabilities of all classes for one step after the other. The class behind the last
// character is the space. Refuses other numbers of classes.
absl::StatusOr<Reading> DecodeCtc(std::span<const float> steps, size_t classes,
                                  std::span<const std::string> characters);

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_CTC_H_
