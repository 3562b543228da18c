// SPDX-License-Identifier: Apache-2.0
//
// No text crashes the parser, and time stays proportional to its length.
#include <chrono>
#include <random>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/tests/graph/text/sample_graphs.h"

namespace tenfold {
namespace {

using testing::HasSubstr;

// A graph that is sound and reads back, or an error with a code of its own.
void Try(absl::string_view text) {
  const absl::StatusOr<Graph> graph = ParseText(text);
  if (!graph.ok()) {
    for (const Diagnostic& d : DiagnosticsOf(graph.status()))
      ASSERT_NE(d.code, "E9001") << text << "\n" << d.message;
    AnnotateText(text);
    return;
  }
  ASSERT_TRUE(VerifyGraph(*graph).ok()) << text;
  const std::string printed = PrintText(*graph);
  const absl::StatusOr<Graph> back = ParseText(printed);
  ASSERT_TRUE(back.ok()) << printed << back.status().message();
  ASSERT_EQ(PrintText(*back), printed);
}

TEST(HostileText, EveryPrefix) {
  for (const std::string& text : CanonicalTexts()) {
    for (size_t n = 0; n < text.size(); ++n) Try(absl::string_view(text).substr(0, n));
  }
}

TEST(HostileText, RandomMutations) {
  std::mt19937_64 random(11);
  const std::string alphabet = "(){}[]<>,=:@#\".-+*/ \n\\aNx019ef_\xc3\x28\0";
  for (const std::string& text : CanonicalTexts()) {
    for (int i = 0; i < 3000; ++i) {
      std::string mutated = text;
      for (uint64_t k = 0; k <= random() % 2; ++k) {
        const size_t at = random() % mutated.size();
        const char c = random() % 8 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
        switch (random() % 3) {
          case 0:
            mutated[at] = c;
            break;
          case 1:
            mutated.insert(at, 1, c);
            break;
          default:
            mutated.erase(at, 1 + random() % 4);
        }
      }
      Try(mutated);
    }
  }
}

std::string Repeat(absl::string_view piece, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) absl::StrAppend(&out, piece);
  return out;
}

// The message of the refusal, which has to come soon.
std::string RefusedSoon(const std::string& text) {
  const auto begin = std::chrono::steady_clock::now();
  const absl::StatusOr<Graph> graph = ParseText(text);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LT(seconds, 5) << text.substr(0, 80);
  EXPECT_FALSE(graph.ok());
  const std::string message(graph.status().message());
  EXPECT_LT(message.size(), 100'000u);
  return message;
}

TEST(HostileText, NothingIsQuadraticOrDeep) {
  constexpr int kMany = 100'000;
  const std::string head = "graph g(x: f32[4]) -> () {\n";
  EXPECT_THAT(RefusedSoon(head + Repeat(" y = Fused(x) {\n graph b(x: f32[4]) -> (x) {\n", kMany)),
              HasSubstr("bodies nest deeper than 8 levels"));
  RefusedSoon(head + Repeat("{", kMany));
  RefusedSoon(head + Repeat("(", kMany));
  RefusedSoon(head + Repeat("a, ", kMany));
  RefusedSoon(head + Repeat("a = Nope(x)\n", kMany));
  RefusedSoon(head + " y = Add(" + Repeat("x,", kMany));
  RefusedSoon(head + " y = Softmax(x, " + Repeat("axis=1,", kMany));
  RefusedSoon(head + " y = Const f32[2] {" + Repeat("1,", kMany));
  RefusedSoon(head + " y = Const f32[" + Repeat("1,", kMany));
  RefusedSoon(head + " y = Const f32[" + Repeat("(", kMany));
  RefusedSoon(head + " y = Const f32[" + Repeat("N*", kMany));
  RefusedSoon(head + " y = Tanh(x) from(" + Repeat("a,", kMany));
  RefusedSoon("graph g(" + Repeat("x: f32[4], ", kMany));
  RefusedSoon("graph g() where " + Repeat("N in [1,2], ", kMany));
  RefusedSoon(Repeat("\n", kMany) + "\x01" + Repeat("\"", kMany));
  RefusedSoon(Repeat("\xff", kMany));
  std::string misses = head;
  for (int i = 0; i < kMany; ++i) absl::StrAppend(&misses, "v", i, " = Tanh(u", i, ")\n");
  RefusedSoon(misses);
}

TEST(HostileText, MegabytesOfConstantsAreReadInLinearTime) {
  std::string text = "graph g() -> (w) {\n w = Const f32[1000000] {";
  for (int i = 0; i < 1'000'000; ++i) absl::StrAppend(&text, i == 0 ? "" : ", ", "0.", i);
  text += "}\n}\n";
  const auto begin = std::chrono::steady_clock::now();
  const absl::StatusOr<Graph> graph = ParseText(text);
  ASSERT_TRUE(graph.ok()) << graph.status().message();
  EXPECT_EQ(ParseText(PrintText(*graph))->ConstantValue(*graph->FindValue("w"))->num_elements(), 1'000'000);
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 10);
}

TEST(HostileText, ACountThatTheTextCannotHoldIsNotAllocated) {
  EXPECT_THAT(RefusedSoon("graph g() -> () {\n w = Const f32[16000000000] {1}\n}"),
              HasSubstr("but 1 were given"));
  EXPECT_THAT(RefusedSoon("graph g() -> () {\n w = Const f32[9000000000,9000000000] {1}\n}"),
              HasSubstr("E0402"));
  EXPECT_THAT(RefusedSoon("graph g() -> () {\n w = Const f32[9000000000,9000000000] splat 1\n}"),
              HasSubstr("E0402"));
}

TEST(HostileText, LimitsAreKept) {
  TextOptions options;
  options.limits.nodes = 2;
  const std::string text = "graph g(x: f32[4]) -> () {\n a = Tanh(x)\n b = Tanh(x)\n c = Tanh(x)\n}";
  EXPECT_THAT(std::string(ParseText(text, options).status().message()),
              HasSubstr("more than 2 statements, the limit"));
  options.limits = {};
  options.limits.text_bytes = 10;
  EXPECT_THAT(std::string(ParseText(text, options).status().message()), HasSubstr("the limit is 10"));
  options.limits = {};
  options.limits.rank = 1;
  EXPECT_THAT(std::string(ParseText("graph g(x: f32[1,2]) -> () {\n}", options).status().message()),
              HasSubstr("a type of 2 dims; the limit is 1"));
  options.limits = {};
  options.limits.name_bytes = 3;
  EXPECT_THAT(std::string(ParseText("graph long() -> () {\n}", options).status().message()),
              HasSubstr("a name of 4 bytes; the limit is 3"));
}

}  // namespace
}  // namespace tenfold
