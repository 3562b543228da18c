// SPDX-License-Identifier: Apache-2.0
//
// The ONNX backend's cases that Debian packages (libonnx-testdata), each a test of its own. A case that is
// listed as failing and passes is a failure, too: the list only shrinks.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/tests/conformance/backend_case.h"
#include "tenfold/tests/conformance/case_list.h"

namespace tenfold {
namespace {

constexpr char kData[] = "/usr/share/libonnx-testdata/data";
constexpr char kCases[] = "tests/conformance/debian_tensor_only.txt";
constexpr char kFailures[] = "tests/conformance/debian_failures.txt";

const CaseList& ListIn(const char* path) {
  static auto* const lists = new std::map<std::string, CaseList>;
  const auto [list, is_new] = lists->try_emplace(path);
  if (is_new) {
    absl::StatusOr<CaseList> read = ReadCaseList(path);
    if (read.ok()) list->second = *std::move(read);
  }
  return list->second;
}

std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& [name, reason] : ListIn(kCases)) names.push_back(name);
  return names;
}

class DebianCase : public testing::TestWithParam<std::string> {};

TEST_P(DebianCase, Passes) {
  ASSERT_TRUE(std::filesystem::exists(kData)) << "apt-get install libonnx-testdata";
  const CompileOptions options = {.jit = JitMode::kOff, .threads = 1};
  const CaseResult result = RunIsolated(absl::StrCat(kData, "/", GetParam()), options, 60);
  if (!ListIn(kFailures).contains(GetParam())) {
    EXPECT_EQ(result.failure, "");
  } else {
    EXPECT_NE(result.failure, "") << "it passes: take it out of " << kFailures;
  }
}

std::string TestName(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !absl::ascii_isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, DebianCase, testing::ValuesIn(Cases()), TestName);

TEST(DebianCases, AreAsManyAsThePackageHas) { EXPECT_EQ(ListIn(kCases).size(), 1013); }

TEST(DebianCases, FailuresAreCasesAndHaveReasons) {
  EXPECT_FALSE(ListIn(kFailures).empty());
  for (const auto& [name, reason] : ListIn(kFailures)) {
    EXPECT_TRUE(ListIn(kCases).contains(name)) << name;
    EXPECT_NE(reason, "") << name;
  }
}

// So that a runner that passes everything does not pass this.
TEST(BackendCases, TellsWhatIsWrong) {
  const CaseResult missing = RunIsolated("tests/conformance/no_such_case", {.jit = JitMode::kOff}, 60);
  EXPECT_EQ(missing.failure,
            "error[E0521 file-not-found]: there is no file 'tests/conformance/no_such_case/model.onnx'");
}

}  // namespace
}  // namespace tenfold
