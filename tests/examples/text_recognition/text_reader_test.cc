// SPDX-License-Identifier: Apache-2.0
//
// A picture with known text, read with the models of PP-OCR. They are not part of this repository: the
// environment variable TENFOLD_SHARED_DIR names the folder that holds models/, and without it the test is
// skipped.
#include "tenfold/examples/text_recognition/text_reader.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/examples/text_recognition/image_file.h"

namespace tenfold::text_recognition {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr int kCharacters = 6623;

// The classes of the characters that the picture has. The models there come without the list of all.
const std::map<int, std::string>& Classes() {
  static const auto& classes = *new std::map<int, std::string>{
      {25, "2"},   {26, "0"},   {29, "7"},   {93, "1"},   {466, "."},  {631, "5"},  {632, "4"},
      {1033, "s"}, {1034, "u"}, {1381, "T"}, {1958, "r"}, {2710, "l"}, {3332, "e"}, {3333, "t"},
      {3539, "h"}, {4245, "o"}, {4381, "E"}, {4389, "f"}, {4497, "U"}, {4544, "a"}, {4545, "p"},
      {4547, "n"}, {4548, "g"}, {4741, "O"}, {5127, "R"}, {5171, "d"}};
  return classes;
}

std::vector<std::string> TextsOf(const std::vector<TextLine>& lines) {
  std::vector<std::string> texts;
  for (const TextLine& line : lines) texts.push_back((line.turned ? "turned: " : "") + line.reading.text);
  return texts;
}

// The models in a folder as TextReader wants it; loaded once, since that compiles three networks.
class TextReaderTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* const shared = std::getenv("TENFOLD_SHARED_DIR");
    if (shared == nullptr || !fs::exists(fs::path(shared) / "models" / "ppocrv4_rec")) return;
    const fs::path folder = fs::path(std::getenv("TEST_TMPDIR")) / "models";
    fs::remove_all(folder);
    fs::create_directory(folder);
    for (const auto& [name, model] :
         {std::pair("detection.onnx", "ppocrv4_det"), std::pair("direction.onnx", "ppocr_cls"),
          std::pair("recognition.onnx", "ppocrv4_rec")}) {
      fs::copy_file(fs::path(shared) / "models" / model / "model.onnx", folder / name);
    }
    std::ofstream characters(folder / "characters.txt");
    for (int i = 1; i <= kCharacters; ++i) {
      characters << (Classes().contains(i) ? Classes().at(i) : "?") << "\n";
    }
    characters.close();
    reader_ = new absl::StatusOr<TextReader>(TextReader::Load(folder));
  }

  static void TearDownTestSuite() { delete reader_; }

  void SetUp() override {
    if (reader_ == nullptr)
      GTEST_SKIP() << "no models/ppocrv4_rec: TENFOLD_SHARED_DIR names no folder that has it";
    ASSERT_TRUE(reader_->ok()) << reader_->status();
    const auto sample = LoadImage("examples/text_recognition/data/sample.png");
    ASSERT_TRUE(sample.ok()) << sample.status();
    sample_ = *sample;
  }

  std::vector<TextLine> Read(const Image& picture) const {
    const auto lines = (*reader_)->Read(picture);
    EXPECT_TRUE(lines.ok()) << lines.status();
    return lines.value_or(std::vector<TextLine>());
  }

  static absl::StatusOr<TextReader>* reader_;
  Image sample_;
};

absl::StatusOr<TextReader>* TextReaderTest::reader_ = nullptr;

TEST_F(TextReaderTest, ReadsTheSample) {
  const std::vector<TextLine> lines = Read(sample_);
  ASSERT_THAT(TextsOf(lines),
              ElementsAre("Tenfold runs tensor graphs", "Order 4711", "12.50 EUR", "turned: Turned around"));
  for (const TextLine& line : lines) EXPECT_GT(line.reading.confidence, 0.9) << line.reading.text;
  // Where "12.50 EUR" was drawn, with some room around.
  EXPECT_NEAR(lines[2].box.left, 432, 8);
  EXPECT_NEAR(lines[2].box.top, 112, 8);
  EXPECT_NEAR(lines[2].box.right, 588, 8);
  EXPECT_NEAR(lines[2].box.bottom, 138, 8);
}

TEST_F(TextReaderTest, ReadsWhatRunsDown) {
  EXPECT_THAT(
      TextsOf(Read(TurnHalf(TurnQuarter(sample_)))),
      UnorderedElementsAre("Tenfold runs tensor graphs", "Order 4711", "12.50 EUR", "turned: Turned around"));
}

TEST_F(TextReaderTest, FindsNothingInAnEmptyPicture) {
  EXPECT_THAT(TextsOf(Read(Image::Blank(1, 1))), IsEmpty());
}

TEST(TextReaderRefusalTest, NamesTheModelThatIsMissing) {
  EXPECT_THAT(std::string(TextReader::Load("no/such/folder").status().message()),
              HasSubstr("no/such/folder/detection.onnx"));
}

}  // namespace
}  // namespace tenfold::text_recognition
