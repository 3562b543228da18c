// SPDX-License-Identifier: Apache-2.0
//
// PNG and JPEG files, decoded by libpng and libjpeg-turbo.
#ifndef TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_FILE_H_
#define TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_FILE_H_

#include <cstdint>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "tenfold/examples/text_recognition/image.h"

namespace tenfold::text_recognition {

// What a header may ask for before memory is allocated.
inline constexpr int64_t kMaxPixels = int64_t{1} << 26;

// Transparent pixels are blended with white. Refuses what is neither PNG nor JPEG, is damaged, or has more
// than kMaxPixels.
absl::StatusOr<Image> LoadImage(const std::string& path);
// The same of a file in memory; `name` is for messages.
absl::StatusOr<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& name);

}  // namespace tenfold::text_recognition

#endif  // TENFOLD_EXAMPLES_TEXT_RECOGNITION_IMAGE_FILE_H_
