// SPDX-License-Identifier: Apache-2.0
//
// What one row gives besides its executors: a C++ function, a text form, a page of documentation. Compiled by
// trial.sh alone, in a copy of the tree in which the op exists.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>

#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold {
namespace {

TEST(NewOp, HasACxxFunctionAndATextForm) {
  GraphBuilder g("new_op");
  Value x = g.Input("x", DType::kF32, {"N", 4});
  g.Output("y", g.Named(Square(x), "y"));
  const auto graph = std::move(g).Build();
  ASSERT_TRUE(graph.ok()) << graph.status();
  const std::string text = PrintText(*graph);
  EXPECT_NE(text.find("  y = Square(x)\n"), std::string::npos) << text;
  const auto read = ParseText(text);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(PrintText(*read), text);
}

TEST(NewOp, RefusesWhatItsRowDoesNotAdmit) {
  const auto graph = ParseText("graph g(x: bool[3]) -> (y) {\n  y = Square(x)\n}\n");
  ASSERT_FALSE(graph.ok());
  EXPECT_NE(std::string(graph.status().message()).find("Square takes "), std::string::npos) << graph.status();
}

TEST(NewOp, IsDocumented) {
  std::ifstream file(std::getenv("OPS_MD"));
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(page.find("Square"), std::string::npos);
  EXPECT_NE(page.find("The square. Integers wrap."), std::string::npos);
}

}  // namespace
}  // namespace tenfold
