// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/quote.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tenfold {
namespace {

using testing::Eq;
using testing::Optional;

TEST(QuoteName, LeavesPlainNamesAlone) {
  for (const char* name : {"x", "w.1", "fc1/w", "_a", "Softmax"}) EXPECT_EQ(QuoteName(name), name);
}

TEST(QuoteName, QuotesWhatWouldReadAsSomethingElse) {
  EXPECT_EQ(QuoteName("block/0:1"), "\"block/0:1\"");
  EXPECT_EQ(QuoteName(""), "\"\"");
  EXPECT_EQ(QuoteName("1"), "\"1\"");
  EXPECT_EQ(QuoteName("a b"), "\"a b\"");
  for (const char* number : {"true", "false", "nan", "inf"})
    EXPECT_EQ(QuoteName(number), "\"" + std::string(number) + "\"");
}

TEST(QuoteString, EscapesControlCharactersAndKeepsUtf8) {
  EXPECT_EQ(QuoteString("a\"b\\c\n\t\r\x01\x7f"), R"("a\"b\\c\n\t\r\x01\x7f")");
  EXPECT_EQ(QuoteString("größe"), "\"größe\"");
  EXPECT_EQ(QuoteString("\xff"), R"("\xff")");
}

TEST(Unquote, InvertsQuoteString) {
  std::string every;
  for (int c = 0; c < 0x80; ++c) every += static_cast<char>(c);
  EXPECT_THAT(Unquote(QuoteString(every)), Optional(every));
  EXPECT_THAT(Unquote("\"größe\""), Optional(Eq("größe")));
}

TEST(Unquote, RefusesUnknownEscapesAndBytesThatAreNoUtf8) {
  for (const char* bad : {R"("\a")", R"("\x")", R"("\x1")", R"("\xzz")", R"("\xff")"}) {
    EXPECT_EQ(Unquote(bad), std::nullopt) << bad;
  }
}

TEST(FindInvalidUtf8, AcceptsShortestFormsOnly) {
  EXPECT_EQ(FindInvalidUtf8("plain text that is longer than eight bytes, größe, €, 𝄞"), std::nullopt);
  EXPECT_THAT(FindInvalidUtf8("\x80"), Optional(0u));
  EXPECT_THAT(FindInvalidUtf8("ab\xc0\xaf"), Optional(2u));            // overlong '/'
  EXPECT_THAT(FindInvalidUtf8("12345678\xed\xa0\x80"), Optional(8u));  // a surrogate
  EXPECT_THAT(FindInvalidUtf8("\xf4\x90\x80\x80"), Optional(0u));      // above U+10FFFF
  EXPECT_THAT(FindInvalidUtf8("\xe2\x82"), Optional(0u));              // cut off
}

}  // namespace
}  // namespace tenfold
