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

class TextReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    const char* const shared = std::getenv("TENFOLD_SHARED_DIR");
    if (shared == nullptr || !fs::exists(fs::path(shared) / "models" / "ppocrv4_rec"))
      GTEST_SKIP() << "no models/ppocrv4_rec: TENFOLD_SHARED_DIR names no folder that has it";
    folder_ = fs::path(std::getenv("TEST_TMPDIR")) / "models";
    fs::remove_all(folder_);
    fs::create_directory(folder_);
    for (const auto& [name, model] :
         {std::pair("detection.onnx", "ppocrv4_det"), std::pair("direction.onnx", "ppocr_cls"),
          std::pair("recognition.onnx", "ppocrv4_rec")}) {
      fs::copy_file(fs::path(shared) / "models" / model / "model.onnx", folder_ / name);
    }
    WriteCharacters(kCharacters);
  }

  void WriteCharacters(int count) {
    std::ofstream file(folder_ / "characters.txt");
    for (int i = 1; i <= count; ++i) file << (Classes().contains(i) ? Classes().at(i) : "?") << "\n";
  }

  fs::path folder_;
};

TEST_F(TextReaderTest, ReadsTheSample) {
  const auto reader = TextReader::Load(folder_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto picture = LoadImage("examples/text_recognition/data/sample.png");
  ASSERT_TRUE(picture.ok()) << picture.status();
  const auto lines = reader->Read(*picture);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(TextsOf(*lines),
              ElementsAre("Tenfold runs tensor graphs", "Order 4711", "12.50 EUR", "turned: Turned around"));
  for (const TextLine& line : *lines) EXPECT_GT(line.reading.confidence, 0.9) << line.reading.text;
  // Where "12.50 EUR" was drawn, with some room around.
  const Rectangle box = lines->at(2).box;
  EXPECT_NEAR(box.left, 432, 8);
  EXPECT_NEAR(box.top, 112, 8);
  EXPECT_NEAR(box.right, 588, 8);
  EXPECT_NEAR(box.bottom, 138, 8);
}

TEST_F(TextReaderTest, ReadsWhatRunsDown) {
  const auto reader = TextReader::Load(folder_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto picture = LoadImage("examples/text_recognition/data/sample.png");
  ASSERT_TRUE(picture.ok()) << picture.status();
  const auto lines = reader->Read(TurnHalf(TurnQuarter(*picture)));
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(TextsOf(*lines), UnorderedElementsAre("Tenfold runs tensor graphs", "Order 4711", "12.50 EUR",
                                                    "turned: Turned around"));
}

TEST_F(TextReaderTest, FindsNothingInAnEmptyPicture) {
  const auto reader = TextReader::Load(folder_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto lines = reader->Read(Image::Blank(1, 1));
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_TRUE(lines->empty());
}

TEST_F(TextReaderTest, RefusesTheCharactersOfAnotherNetwork) {
  WriteCharacters(10);
  const auto reader = TextReader::Load(folder_);
  ASSERT_TRUE(reader.ok()) << reader.status();
  const auto picture = LoadImage("examples/text_recognition/data/sample.png");
  ASSERT_TRUE(picture.ok()) << picture.status();
  EXPECT_EQ(reader->Read(*picture).status().message(),
            "the network has 6625 classes, and 10 characters make 12 with the blank and the space");
}

TEST_F(TextReaderTest, NamesTheModelThatIsMissing) {
  fs::remove(folder_ / "direction.onnx");
  EXPECT_THAT(std::string(TextReader::Load(folder_).status().message()),
              HasSubstr((folder_ / "direction.onnx").string()));
}

}  // namespace
}  // namespace tenfold::text_recognition
