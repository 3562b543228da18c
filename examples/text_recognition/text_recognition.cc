// SPDX-License-Identifier: Apache-2.0
//
// Prints the text of a picture: where each line is, how sure the network is of it, and what it says.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tenfold/examples/text_recognition/image_file.h"
#include "tenfold/examples/text_recognition/text_reader.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold::text_recognition {
namespace {

constexpr char kUsage[] =
    "usage: text_recognition MODELS IMAGE...\n"
    "  MODELS is the folder that examples/text_recognition/fetch_models.py makes; IMAGE is PNG or JPEG\n";

absl::Status PrintText(const TextReader& reader, const std::string& path) {
  TENFOLD_ASSIGN_OR_RETURN(const Image picture, LoadImage(path));
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<TextLine> lines, reader.Read(picture));
  for (const TextLine& line : lines) {
    std::printf("%4d,%-4d %4dx%-4d %3.0f %%  %s%s\n", line.box.left, line.box.top, line.box.width(),
                line.box.height(), 100 * line.reading.confidence, line.reading.text.c_str(),
                line.turned ? "  (turned by 180 degrees)" : "");
  }
  return absl::OkStatus();
}

absl::Status PrintAll(const std::string& models, const std::vector<std::string>& images) {
  TENFOLD_ASSIGN_OR_RETURN(const TextReader reader, TextReader::Load(models));
  for (const std::string& image : images) {
    if (images.size() > 1) std::printf("%s:\n", image.c_str());
    TENFOLD_RETURN_IF_ERROR(PrintText(reader, image));
  }
  return absl::OkStatus();
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() < 2) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  const absl::Status status = PrintAll(arguments[0], {arguments.begin() + 1, arguments.end()});
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace
}  // namespace tenfold::text_recognition

int main(int argc, char** argv) {
  return tenfold::text_recognition::Main({argv + std::min(argc, 1), argv + argc});
}
