// SPDX-License-Identifier: Apache-2.0
//
// A short run of the mutations; the long one is `mutations --mutations=10000`.
#include "tenfold/tests/fuzz/mutations.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace tenfold::fuzz {
namespace {

constexpr char kCorpus[] = "tests/fuzz/corpus";

TEST(Mutations, OfEveryFileAreRefusedOrTaken) {
  MutationOptions options;
  options.mutations = 40;
  if (const char* folder = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR")) options.findings = folder;
  for (const std::string& file : FilesOf(kCorpus)) {
    const FileReport report = MutateFile(kCorpus, file, options);
    EXPECT_EQ(report.finding, "") << file;
    const bool twice = file.substr(0, 4) == "tnf/" || file.substr(0, 5) == "onnx/";
    const int64_t each = report.bytes == 0 ? 0 : twice ? 2 : 1;
    EXPECT_EQ(report.inputs, report.bytes + 1 + each * options.mutations) << file;
  }
}

TEST(Mutations, StartFromGoodFilesOfEveryFormat) {
  std::map<std::string, int> valid;
  int all = 0;
  for (const std::string& file : FilesOf(kCorpus)) {
    if (!IsValid(kCorpus, file)) continue;
    ++valid[file.substr(0, file.find('/'))];
    ++all;
  }
  EXPECT_GE(all, 37);
  for (const char* format : {"npy", "npz", "safetensors", "tnf", "tnt", "onnx"})
    EXPECT_GE(valid[format], 3) << format;
}

// The limits are really looked at.
TEST(Mutations, FindWhatIsSlowOrLarge) {
  MutationOptions options;
  options.mutations = 0;
  options.max_seconds = 0;
  EXPECT_NE(MutateFile(kCorpus, "tnt/mlp", options).finding.find("an input took 0.00 s and "),
            std::string::npos);
  options.max_seconds = 1;
  options.max_bytes = -1;
  EXPECT_NE(MutateFile(kCorpus, "tnt/mlp", options).finding.find("an input took 0.00 s and "),
            std::string::npos);
  EXPECT_EQ(MutateFile(kCorpus, "png/mlp", options).finding, "its folder names no format");
}

}  // namespace
}  // namespace tenfold::fuzz
