// SPDX-License-Identifier: Apache-2.0
//
// Runs the tools as people do: in a folder of their own, through a shell.
#ifndef TENFOLD_TESTS_TOOLS_TOOL_TEST_H_
#define TENFOLD_TESTS_TOOLS_TOOL_TEST_H_

#include <string>

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct ToolResult {
  int exit_status = -1;
  std::string out;
  std::string err;
};

class ToolTest : public testing::Test {
 protected:
  void SetUp() override;

  // Runs a shell command in the test's folder, with the tools in PATH. TENFOLD_FLAGS is not set.
  ToolResult Run(absl::string_view command);

  void WriteFile(absl::string_view name, absl::string_view contents);
  std::string ReadFile(absl::string_view name);
  void WriteArray(absl::string_view name, const Tensor& tensor);
  void WriteArchive(absl::string_view name, const NamedTensors& tensors);
  Tensor ReadArray(absl::string_view name);
  bool Exists(absl::string_view name);
  // Of the repository, if it is among the test's data.
  static std::string SourceFile(absl::string_view path);

 private:
  std::string Path(absl::string_view name) const;
  std::string folder_;
};

// "f32[2] 1 2".
Tensor T(absl::string_view literal);

}  // namespace tenfold

#endif  // TENFOLD_TESTS_TOOLS_TOOL_TEST_H_
