// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/ctc.h"

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace tenfold::text_recognition {

absl::StatusOr<std::vector<std::string>> LoadCharacters(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
  std::vector<std::string> characters;
  for (std::string line; std::getline(file, line);) characters.push_back(std::move(line));
  return characters;
}

absl::StatusOr<Reading> DecodeCtc(std::span<const float> steps, size_t classes,
                                  std::span<const std::string> characters) {
  if (classes != characters.size() + 2) {
    return absl::InvalidArgumentError(absl::StrCat("the network has ", classes, " classes, and ",
                                                   characters.size(), " characters make ",
                                                   characters.size() + 2, " with the blank and the space"));
  }
  Reading reading;
  int count = 0;
  size_t last = 0;
  for (size_t step = 0; step + classes <= steps.size(); step += classes) {
    const std::span<const float> probabilities = steps.subspan(step, classes);
    const auto best = std::max_element(probabilities.begin(), probabilities.end());
    const size_t found = best - probabilities.begin();
    // A character that lasts for several steps is one; a blank between makes two of it.
    if (found != 0 && found != last) {
      reading.text += found <= characters.size() ? characters[found - 1] : " ";
      reading.confidence += *best;
      ++count;
    }
    last = found;
  }
  if (count > 0) reading.confidence /= static_cast<float>(count);
  return reading;
}

}  // namespace tenfold::text_recognition
