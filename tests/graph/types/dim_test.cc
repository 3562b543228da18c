// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/dim.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

const Dim N = Dim::Symbol("N");
const Dim M = Dim::Symbol("M");

TEST(Dim, EqualPolynomialsAreEqual) {
  EXPECT_EQ(N + 4 + N, Dim(2) * N + 4);
  EXPECT_EQ((N + 1) * (N - 1), N * N - 1);
  EXPECT_EQ(N * M, M * N);
  EXPECT_EQ(N - N, Dim(0));
  EXPECT_FALSE(N == M);
  EXPECT_FALSE(N == Dim(1));
  EXPECT_EQ(N - M + M, N);
}

TEST(Dim, FloorDivAndModUseExactIdentities) {
  EXPECT_EQ(FloorDiv(N * 6, 3), N * 2);
  EXPECT_EQ(FloorDiv(N * 4 + 6, 4), N + 1);
  EXPECT_EQ(FloorDiv(N * 2, 4), FloorDiv(N, 2));
  EXPECT_EQ(FloorDiv(FloorDiv(N, 2), 3), FloorDiv(N, 6));
  EXPECT_EQ(FloorDiv(N - 1, 2) + 1, FloorDiv(N + 1, 2));
  EXPECT_EQ(FloorDiv(N, 1), N);
  EXPECT_EQ(FloorDiv(-7, 2), Dim(-4));
  EXPECT_EQ(Mod(N * 6, 3), Dim(0));
  EXPECT_EQ(Mod(N * 6 + 5, 3), Dim(2));
  EXPECT_EQ(Mod(Mod(N, 8), 4), Mod(N, 4));
  EXPECT_EQ(Mod(Mod(N, 4), 8), Mod(N, 4));
  EXPECT_EQ(Mod(-7, 4), Dim(1));
}

TEST(Dim, MinAndMaxKnowThatSymbolsAreNotNegative) {
  EXPECT_EQ(Max(N, 0), N);
  EXPECT_EQ(Min(N, 0), Dim(0));
  EXPECT_EQ(Max(N, N + 3), N + 3);
  EXPECT_EQ(Max(N * 2, N), N * 2);
  EXPECT_EQ(Min(N, Min(M, N)), Min(M, N));
  EXPECT_EQ(Max(Max(N, 3), 5), Max(5, N));
  EXPECT_FALSE(Max(N, 1) == N);
}

TEST(Dim, OverflowIsInvalidAndSpreads) {
  const Dim big = INT64_MAX;
  for (const Dim& d : {big + 1, big * 2, Dim(INT64_MIN) - 1, FloorDiv(INT64_MIN, -1), FloorDiv(N, 0),
                       Mod(N, 0), N * big * 2}) {
    EXPECT_FALSE(d.valid());
    EXPECT_FALSE((d + 1).valid());
    EXPECT_FALSE((d * 0).valid());
    EXPECT_FALSE(Max(N, d).valid());
    EXPECT_FALSE(d == d);
    EXPECT_FALSE(d.Evaluate({{"N", 1}}).has_value());
  }
}

TEST(Dim, ExpressionsThatGrowWithoutBoundAreInvalid) {
  Dim d = N + M + 1;
  for (int i = 0; i < 64; ++i) d = FloorDiv(d * d, 3) + Mod(d, N);
  EXPECT_FALSE(d.valid());
}

TEST(Dim, DividesExactly) {
  EXPECT_EQ(Dim::DivideExactly(N * 64, 64), N);
  EXPECT_EQ(Dim::DivideExactly(N * M * 64, N * 32), M * 2);
  EXPECT_EQ(Dim::DivideExactly((N + M) * (N - 2) * 64, (N + M) * 32), (N - 2) * 2);
  EXPECT_EQ(Dim::DivideExactly(0, N), Dim(0));
  EXPECT_EQ(Dim::DivideExactly(N * 3, 2), std::nullopt);
  EXPECT_EQ(Dim::DivideExactly(N + 1, N), std::nullopt);
  EXPECT_EQ(Dim::DivideExactly(N, M), std::nullopt);
  EXPECT_EQ(Dim::DivideExactly(N, 0), std::nullopt);
}

TEST(Dim, PrintsInStandardNotation) {
  EXPECT_EQ((N + N + 4).ToString(), "2*N + 4");
  EXPECT_EQ((M * N - 3).ToString(), "M*N - 3");
  EXPECT_EQ((Dim(4) - N).ToString(), "-N + 4");
  EXPECT_EQ(FloorDiv(N, 2).ToString(), "floordiv(N, 2)");
  EXPECT_EQ(Max(4, N).ToString(), "max(N, 4)");
  EXPECT_EQ(Dim(INT64_MIN).ToString(), "-9223372036854775808");
  EXPECT_EQ(Dim::Symbol("batch \"1\"").ToString(), "\"batch \\\"1\\\"\"");
}

TEST(Dim, ParsesWhatItPrints) {
  for (const char* text : {"0", "-5", "N", "2*N + 4", "floordiv(N + 1, 2)", "M*N*N - 3*M",
                           "max(mod(N, 4), 2)", "min(M, N)", "-9223372036854775808", "9223372036854775807",
                           "\"a b\\\\c\"", "min", "floordiv(N, M)", "2*max(N, 1) - 7"}) {
    const absl::StatusOr<Dim> d = Dim::Parse(text);
    ASSERT_TRUE(d.ok()) << d.status();
    EXPECT_EQ(d->ToString(), text);
  }
  EXPECT_EQ(*Dim::Parse("  (N+1) * (N-1)+--2"), N * N + 1);
}

TEST(Dim, RefusesWhatIsNoDim) {
  const std::string deep(100000, '(');
  const std::string minus(100000, '-');
  std::string sum = "N";
  for (int i = 0; i < 100000; ++i) sum += "-N+N";
  for (const std::string& text :
       {std::string(), std::string("N M"), std::string("2N"), std::string("foo(1, 2)"),
        std::string("floordiv(N)"), std::string("floordiv(N, 0)"), std::string("9223372036854775808"),
        std::string("\"open"), std::string("\"\""), std::string("N +"), std::string("\xff\x00", 2), deep,
        minus, sum}) {
    const absl::StatusOr<Dim> d = Dim::Parse(text);
    ASSERT_FALSE(d.ok()) << text.substr(0, 80);
    EXPECT_EQ(DiagnosticsOf(d.status())[0].code, "E0210");
  }
}

TEST(Dim, CollectsSymbolsOnce) {
  std::vector<std::string> symbols;
  (Max(N, M) * N).CollectSymbols(symbols);
  EXPECT_THAT(symbols, testing::UnorderedElementsAre("M", "N"));
  EXPECT_EQ(N.symbol(), "N");
  EXPECT_EQ((N + 1).symbol(), std::nullopt);
}

// The value of a random expression, computed beside its canonical form, and what the form evaluates to.
TEST(Dim, CanonicalFormsKeepTheValue) {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    const SymbolValues symbols = {{"N", static_cast<int64_t>(random() % 20)},
                                  {"M", static_cast<int64_t>(random() % 7)}};
    std::vector<std::pair<Dim, int64_t>> pool = {{N, symbols.at("N")}, {M, symbols.at("M")}};
    for (int i = 0; i < 6; ++i) {
      const auto [a, x] = pool[random() % pool.size()];
      auto [b, y] = pool[random() % pool.size()];
      if (random() % 2 == 0) b = y = static_cast<int64_t>(random() % 13) - 4;
      const int op = random() % 7;
      if (std::abs(x) > 100000 || std::abs(y) > 100000 || ((op == 3 || op == 4) && y == 0)) continue;
      const int64_t quotient =
          op == 3 || op == 4 ? static_cast<int64_t>(std::floor(double(x) / double(y))) : 0;
      const std::pair<Dim, int64_t> results[] = {{a + b, x + y},
                                                 {a - b, x - y},
                                                 {a * b, x * y},
                                                 {FloorDiv(a, b), quotient},
                                                 {Mod(a, b), x - quotient * y},
                                                 {Min(a, b), std::min(x, y)},
                                                 {Max(a, b), std::max(x, y)}};
      if (!results[op].first.valid()) continue;
      pool.push_back(results[op]);
      ASSERT_EQ(pool.back().first.Evaluate(symbols), pool.back().second) << pool.back().first.ToString();
      const absl::StatusOr<Dim> parsed = Dim::Parse(pool.back().first.ToString());
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      ASSERT_EQ(*parsed, pool.back().first);
    }
  }
}

}  // namespace
}  // namespace tenfold
