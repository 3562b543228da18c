// SPDX-License-Identifier: Apache-2.0
//
// The README's C++ example does what the README says it does. That it compiles, the build has shown.
#include "gtest/gtest.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

class ReadmeTest : public ToolTest {};

TEST_F(ReadmeTest, TheExamplePrintsWhatIsShown) {
  const std::string readme = SourceFile("README.md");
  // The first block without a language after the example is what it prints.
  const size_t example = readme.find("```cpp\n");
  ASSERT_NE(example, std::string::npos);
  const size_t begin = readme.find("\n```\n", readme.find("\n```\n", example) + 5) + 5;
  const std::string shown = readme.substr(begin, readme.find("```", begin) - begin);
  const ToolResult result = Run("readme_example");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, shown);
}

}  // namespace
}  // namespace tenfold
