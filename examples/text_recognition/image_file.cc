// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/image_file.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold::text_recognition {
namespace {

template <size_t n>
bool StartsWith(std::span<const uint8_t> bytes, const std::array<uint8_t, n>& start) {
  return bytes.size() >= n && std::equal(start.begin(), start.end(), bytes.begin());
}

absl::Status CheckSize(int64_t width, int64_t height, const std::string& name) {
  if (width > 0 && height > 0 && width <= kMaxPixels / height) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, ": ", width, " x ", height, " pixels; at most ", kMaxPixels, " in all are read"));
}

absl::StatusOr<Image> DecodePng(std::span<const uint8_t> bytes, const std::string& name) {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> owner(&header, png_image_free);
  if (png_image_begin_read_from_memory(&header, bytes.data(), bytes.size()) == 0)
    return absl::InvalidArgumentError(absl::StrCat(name, ": not a good PNG file: ", header.message));
  TENFOLD_RETURN_IF_ERROR(CheckSize(header.width, header.height, name));
  header.format = PNG_FORMAT_RGB;
  Image image = Image::Blank(static_cast<int>(header.width), static_cast<int>(header.height));
  const png_color white = {255, 255, 255};
  if (png_image_finish_read(&header, &white, image.rgb.data(), 0, nullptr) == 0)
    return absl::InvalidArgumentError(absl::StrCat(name, ": not a good PNG file: ", header.message));
  return image;
}

absl::StatusOr<Image> DecodeJpeg(std::span<const uint8_t> bytes, const std::string& name) {
  const std::unique_ptr<void, int (*)(void*)> decoder(tjInitDecompress(), tjDestroy);
  const auto refuse = [&] {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": not a good JPEG file: ", tjGetErrorStr2(decoder.get())));
  };
  if (decoder == nullptr) return absl::ResourceExhaustedError("no memory for a JPEG decoder");
  int width = 0, height = 0, subsampling = 0, colours = 0;
  if (tjDecompressHeader3(decoder.get(), bytes.data(), bytes.size(), &width, &height, &subsampling,
                          &colours) != 0)
    return refuse();
  TENFOLD_RETURN_IF_ERROR(CheckSize(width, height, name));
  Image image = Image::Blank(width, height);
  if (tjDecompress2(decoder.get(), bytes.data(), bytes.size(), image.rgb.data(), width, 0, height, TJPF_RGB,
                    TJFLAG_STOPONWARNING) != 0)
    return refuse();
  return image;
}

}  // namespace

absl::StatusOr<Image> DecodeImage(std::span<const uint8_t> bytes, const std::string& name) {
  constexpr std::array<uint8_t, 8> kPng = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  constexpr std::array<uint8_t, 3> kJpeg = {0xff, 0xd8, 0xff};
  if (StartsWith(bytes, kPng)) return DecodePng(bytes, name);
  if (StartsWith(bytes, kJpeg)) return DecodeJpeg(bytes, name);
  return absl::InvalidArgumentError(absl::StrCat(name, ": neither a PNG nor a JPEG file"));
}

absl::StatusOr<Image> LoadImage(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat(path, ": cannot be opened"));
  const std::vector<uint8_t> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  return DecodeImage(bytes, path);
}

}  // namespace tenfold::text_recognition
