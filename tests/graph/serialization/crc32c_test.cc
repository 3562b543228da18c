// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/serialization/crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

// The examples of RFC 3720, appendix B.4.
TEST(Crc32c, KnownValues) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string ascending;
  for (char c = 0; c < 32; ++c) ascending += c;
  EXPECT_EQ(Crc32c(ascending), 0x46dd794eu);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(Crc32c, InPartsIsTheSame) {
  const std::string text = "the quick brown fox jumps over the lazy dog";
  for (size_t n = 0; n <= text.size(); ++n)
    EXPECT_EQ(Crc32c(text.substr(n), Crc32c(text.substr(0, n))), Crc32c(text)) << n;
}

}  // namespace
}  // namespace tenfold
