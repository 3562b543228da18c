// SPDX-License-Identifier: Apache-2.0
//
// Help for convolutions that are refused. What each op infers and refuses stands in tests/ops.
#include <gtest/gtest.h>

#include "tenfold/tests/graph/core/inference.h"

namespace tenfold {
namespace {

TEST(InferWindows, HelpNamesTheGroupsThatWouldFit) {
  REFUSES("Conv", "f32[1,8,8,8] f32[4,2,3,3]", "help: with group=4 they fit");
  REFUSES("Conv", "f32[1,8,8,8] f32[4,4,3,3]", "help: with group=2 they fit");
  EXPECT_EQ(testing::Inferred("Conv", "f32[1,8,8,8] f32[4,3,3,3]", {}).find("help:"), std::string::npos);
  EXPECT_EQ(testing::Inferred("Conv", "f32[1,8,8,8] f32[3,4,3,3]", {}).find("help:"), std::string::npos);
}

TEST(InferWindows, SymbolsStaySymbols) {
  INFERS("Conv", "f32[N,C,H,W] f32[M,C,K,K]", "f32[N,M,H - K + 1,-K + W + 1]");
  REFUSES("Conv", "f32[N,C,H,W] f32[M,D,3,3]", "channels differ");
  INFERS("ConvTranspose", "f32[N,4,W] f32[4,M,3]", "f32[N,2*M,3*W]", {"group", int64_t{2}},
         {"strides", testing::Ints{3}});
  INFERS("AveragePool", "f32[N,C,W]", "f32[N,C,min(floordiv(W, 3) + 1, floordiv(W + 1, 3) + 1)]",
         {"kernel_shape", testing::Ints{2}}, {"strides", testing::Ints{3}}, {"ceil_mode", true},
         {"pads", testing::Ints{1, 0}});
}

}  // namespace
}  // namespace tenfold
