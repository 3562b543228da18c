// SPDX-License-Identifier: Apache-2.0
//
// docs/architecture.md lists the passes that there are, in their order.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/tests/tools/tool_test.h"

namespace tenfold {
namespace {

class ArchitectureTest : public ToolTest {};

TEST_F(ArchitectureTest, ListsThePasses) {
  std::string table = "| stage | pass | from | why there |\n|---|---|---|---|\n";
  for (const PassEntry& pass : DefaultPipeline()) {
    absl::StrAppend(&table, "| `", Name(pass.stage), "` | `", pass.name, "` | -O", pass.min_opt_level, " | ",
                    pass.why_here, " |\n");
  }
  EXPECT_NE(SourceFile("docs/architecture.md").find(table + "\n"), std::string::npos)
      << "docs/architecture.md has another table than\n"
      << table;
}

}  // namespace
}  // namespace tenfold
