// SPDX-License-Identifier: Apache-2.0
//
// The comparison of same_bits on fewer random elements.
#include "tenfold/tests/bits/same_bits.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace tenfold::testing {
namespace {

// A test for each dtype, which processors can share.
class SameBitsOf : public ::testing::TestWithParam<DType> {};

TEST_P(SameBitsOf, EveryOpInEveryExecutor) {
  SameBitsOptions options;
  options.dtypes = {std::string(Name(GetParam()))};
  options.random_elements = 20'000;
  const auto rows = CompareBits(options, [](const SameBitsRow& row) {
    EXPECT_EQ(row.mismatches, 0) << row.op << " of " << Name(row.dtype);
    for (const std::string& text : row.first_mismatches)
      ADD_FAILURE() << row.op << " of " << Name(row.dtype) << ": " << text;
    // Four thread counts of an interpreted and, at each ISA level that the host has, two compiled forms.
    EXPECT_GE(row.executors, 4 * 3);
    EXPECT_GE(row.random, 20'000);
    EXPECT_GT(row.results, row.random);
  });
  ASSERT_TRUE(rows.ok()) << rows.status();
  std::set<std::string> ops;
  for (const SameBitsRow& row : *rows) ops.insert(row.op);
  EXPECT_GE(ops.size(), IsBool(GetParam()) ? 9u : 18u);
}

INSTANTIATE_TEST_SUITE_P(DTypes, SameBitsOf, ::testing::ValuesIn(kComputedDTypes),
                         [](const auto& info) { return std::string(Name(info.param)); });

}  // namespace
}  // namespace tenfold::testing
