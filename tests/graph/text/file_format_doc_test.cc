// SPDX-License-Identifier: Apache-2.0
//
// The text graphs of docs/file-format.md are read here, so that the page cannot go stale.
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold {
namespace {

std::vector<std::string> Blocks(const std::string& language) {
  std::ifstream file("docs/file-format.md");
  std::vector<std::string> blocks;
  std::string line, block;
  bool inside = false;
  while (std::getline(file, line)) {
    if (inside && line == "```") {
      blocks.push_back(block);
      inside = false;
    } else if (inside) {
      block += line + "\n";
    } else if (line == "```" + language) {
      inside = true;
      block.clear();
    }
  }
  return blocks;
}

TextOptions WithArrays() {
  TextOptions options;
  options.resolve = [](const ArrayRequest&) -> absl::StatusOr<IngestedArray> {
    return IngestedArray{*Tensor::FromVector(std::vector<float>(640), Dims{64, 10}), {}, ""};
  };
  return options;
}

TEST(FileFormatDoc, EveryTextGraphIsAccepted) {
  const std::vector<std::string> blocks = Blocks("tnt");
  EXPECT_GE(blocks.size(), 2u);
  for (const std::string& block : blocks) {
    const absl::StatusOr<Graph> graph = ParseText(block, WithArrays());
    EXPECT_TRUE(graph.ok()) << block << graph.status().message();
  }
}

TEST(FileFormatDoc, CanonicalTextPrintsAsItIs) {
  const std::vector<std::string> blocks = Blocks("tnt canonical");
  EXPECT_GE(blocks.size(), 1u);
  for (const std::string& block : blocks) {
    const absl::StatusOr<Graph> graph = ParseText(block);
    ASSERT_TRUE(graph.ok()) << block << graph.status().message();
    EXPECT_EQ(PrintText(*graph), block);
  }
}

TEST(FileFormatDoc, TheAnnotatedExampleIsWhatIsShown) {
  const std::vector<std::string> shown = Blocks("tnt annotated");
  ASSERT_EQ(shown.size(), 1u);
  std::string source;
  std::istringstream lines(shown[0]);
  for (std::string line; std::getline(lines, line);) {
    if (line[0] != '#') source += line + "\n";
  }
  EXPECT_EQ(AnnotateText(source, {.file = "model.tnt"}).text, shown[0]);
}

}  // namespace
}  // namespace tenfold
