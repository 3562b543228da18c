// SPDX-License-Identifier: Apache-2.0
#include "tenfold/examples/text_recognition/text_reader.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tenfold/examples/text_recognition/text_boxes.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold::text_recognition {
namespace {

// What the networks were trained with.
constexpr Normalization kPictures = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
constexpr Normalization kLines = {{0.5f, 0.5f, 0.5f}, {0.5f, 0.5f, 0.5f}};
constexpr int kSideMultiple = 32;  // detection halves a picture five times
constexpr int kLineHeight = 48;
constexpr int kDirectionWidth = 192;
constexpr int kMinReadingWidth = 320;
constexpr int kMaxReadingWidth = 8192;
constexpr float kSureOfDirection = 0.9f;

int RoundUp(int size, int multiple) { return (size + multiple - 1) / multiple * multiple; }

int SideForDetection(int side, double scale) {
  const int multiples = static_cast<int>(std::lround(side * scale / kSideMultiple));
  return std::max(multiples, 1) * kSideMultiple;
}

// The line at the height that the networks take.
Image AtLineHeight(const Image& line, int max_width) {
  const double width = std::ceil(static_cast<double>(line.width) * kLineHeight / line.height);
  return Resize(line, static_cast<int>(std::clamp(width, 1.0, static_cast<double>(max_width))), kLineHeight);
}

// The height of lines stands in some exports of the model; in others it is open, and called x_2 by the
// importer.
absl::StatusOr<Network> LoadRecognition(const std::string& path, int threads) {
  absl::StatusOr<Network> network = Network::Load(path, threads, {{"x_2", kLineHeight}});
  return network.ok() ? std::move(network) : Network::Load(path, threads);
}

absl::Status WrongShape(absl::string_view network, const Tensor& result, absl::string_view wanted) {
  return absl::InvalidArgumentError(absl::StrCat("the ", network, " network gives ", result.type().ToString(),
                                                 "; ", wanted, " is expected"));
}

}  // namespace

absl::StatusOr<TextReader> TextReader::Load(const std::string& folder, const ReaderOptions& options) {
  // The detection adds maps of a picture that it has halved to maps that it has doubled, which only fit for
  // such sizes.
  std::vector<std::pair<std::string, Dim>> sizes = {
      {"p2o.DynamicDimension.1", kSideMultiple * Dim::Symbol("h")},
      {"p2o.DynamicDimension.2", kSideMultiple * Dim::Symbol("w")}};
  TENFOLD_ASSIGN_OR_RETURN(Network detection,
                           Network::Load(folder + "/detection.onnx", options.threads, std::move(sizes)));
  TENFOLD_ASSIGN_OR_RETURN(Network direction, Network::Load(folder + "/direction.onnx", options.threads));
  TENFOLD_ASSIGN_OR_RETURN(Network recognition,
                           LoadRecognition(folder + "/recognition.onnx", options.threads));
  TENFOLD_ASSIGN_OR_RETURN(std::vector<std::string> characters, LoadCharacters(folder + "/characters.txt"));
  return TextReader(std::move(detection), std::move(direction), std::move(recognition), std::move(characters),
                    options);
}

absl::StatusOr<std::vector<Rectangle>> TextReader::FindLines(const Image& picture) const {
  const int longest = std::max(picture.width, picture.height);
  const double scale = std::min(1.0, static_cast<double>(options_.max_side) / longest);
  const int width = SideForDetection(picture.width, scale);
  const int height = SideForDetection(picture.height, scale);
  TENFOLD_ASSIGN_OR_RETURN(const Tensor input, ToTensor(Resize(picture, width, height), kPictures, width));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor map, detection_.Run(input));
  if (map.dims() != Dims{1, 1, height, width}) {
    return WrongShape("detection", map, absl::StrCat("f32[1,1,", height, ",", width, "]"));
  }
  const auto across = [&](int x) { return static_cast<int>(int64_t{1} * x * picture.width / width); };
  const auto down = [&](int y) { return static_cast<int>(int64_t{1} * y * picture.height / height); };
  std::vector<Rectangle> lines;
  for (const TextBox& found : FindTextBoxes(map.values<float>(), width)) {
    const Rectangle line = {across(found.box.left), down(found.box.top), across(found.box.right),
                            down(found.box.bottom)};
    if (line.width() > 0 && line.height() > 0) lines.push_back(line);
  }
  return lines;
}

absl::StatusOr<bool> TextReader::StandsOnItsHead(const Image& line) const {
  TENFOLD_ASSIGN_OR_RETURN(const Tensor input,
                           ToTensor(AtLineHeight(line, kDirectionWidth), kLines, kDirectionWidth));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor directions, direction_.Run(input));
  if (directions.dims() != Dims{1, 2}) return WrongShape("direction", directions, "f32[1,2]");
  return directions.at<float>(1) > kSureOfDirection;
}

absl::StatusOr<Reading> TextReader::ReadLine(const Image& line) const {
  const Image scaled = AtLineHeight(line, kMaxReadingWidth);
  const int width = std::max(RoundUp(scaled.width, kSideMultiple), kMinReadingWidth);
  TENFOLD_ASSIGN_OR_RETURN(const Tensor input, ToTensor(scaled, kLines, width));
  TENFOLD_ASSIGN_OR_RETURN(const Tensor classes, recognition_.Run(input));
  if (classes.rank() != 3) return WrongShape("recognition", classes, "f32[1,steps,classes]");
  return DecodeCtc(classes.values<float>(), static_cast<size_t>(classes.dims()[2]), characters_);
}

absl::StatusOr<std::vector<TextLine>> TextReader::Read(const Image& picture) const {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<Rectangle> boxes, FindLines(picture));
  std::vector<TextLine> lines;
  for (const Rectangle& box : boxes) {
    Image line = Crop(picture, box);
    if (line.height >= 1.5 * line.width) line = TurnQuarter(line);  // it runs down, or up
    TENFOLD_ASSIGN_OR_RETURN(const bool turned, StandsOnItsHead(line));
    if (turned) line = TurnHalf(line);
    TENFOLD_ASSIGN_OR_RETURN(Reading reading, ReadLine(line));
    if (reading.text.empty() || reading.confidence < options_.min_confidence) continue;
    lines.push_back({box, turned, std::move(reading)});
  }
  return lines;
}

}  // namespace tenfold::text_recognition
