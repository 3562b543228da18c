// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/tools/tool_test.h"

#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/npz.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {

void ToolTest::SetUp() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  folder_ = absl::StrCat(testing::TempDir(), "/", test.test_suite_name(), ".", test.name());
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
}

std::string ToolTest::Path(absl::string_view name) const { return absl::StrCat(folder_, "/", name); }

ToolResult ToolTest::Run(absl::string_view command) {
  const std::string here = std::filesystem::current_path().string();
  const std::string line =
      absl::StrCat("unset TENFOLD_FLAGS; cd '", folder_, "' && PATH='", here, "/tools:", here,
                   "/tests/tools':$PATH; { ", command, "\n} >.out 2>.err </dev/null");
  const int status = std::system(line.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, ReadFile(".out"), ReadFile(".err")};
}

void ToolTest::WriteFile(absl::string_view name, absl::string_view contents) {
  std::ofstream(Path(name), std::ios::binary) << contents;
}

std::string ToolTest::ReadFile(absl::string_view name) { return SourceFile(Path(name)); }

std::string ToolTest::SourceFile(absl::string_view path) {
  std::stringstream contents;
  contents << std::ifstream(std::string(path), std::ios::binary).rdbuf();
  return contents.str();
}

void ToolTest::WriteArray(absl::string_view name, const Tensor& tensor) {
  const absl::Status status = SaveNpy(tensor, Path(name));
  ASSERT_TRUE(status.ok()) << status;
}

void ToolTest::WriteArchive(absl::string_view name, const NamedTensors& tensors) {
  const absl::Status status = SaveNpz(tensors, Path(name));
  ASSERT_TRUE(status.ok()) << status;
}

Tensor ToolTest::ReadArray(absl::string_view name) {
  const absl::StatusOr<Tensor> tensor = LoadNpy(Path(name));
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return tensor.ok() ? *tensor : Tensor();
}

bool ToolTest::Exists(absl::string_view name) { return std::filesystem::exists(Path(name)); }

Tensor T(absl::string_view literal) {
  const absl::StatusOr<Tensor> tensor = ParseTensorLiteral(literal);
  EXPECT_TRUE(tensor.ok()) << tensor.status();
  return tensor.ok() ? *tensor : Tensor();
}

}  // namespace tenfold
