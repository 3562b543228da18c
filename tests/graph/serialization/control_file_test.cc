// SPDX-License-Identifier: Apache-2.0
//
// Bodies and functions in graph files: written, read, and what is said of files that lie about them.
#include <cstring>
#include <functional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "proto/graph.pb.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/serialization/crc32c.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;

constexpr char kText[] = R"(tenfold 1

function half(v: f32[B,4]) -> (r) {
  r = Mul(v, 0.5)
}

function quarter(v: f32[B,4]) -> (r) {
  s = Call(v, function="half")
  r = Call(s, function="half")
}

graph g(x: f32[N,4], c: bool[], n: i64[]) -> (y, rows) {
  s = Call(x, function="quarter")
  k = Const i64[2] {2, -1}
  t = If(c) {
    graph then() -> (q) {
      p = Add(s, x)
      q = Reshape(p, k)
    }
    graph else() -> (q) {
      q = Reshape(s, k)
    }
  }
  y, rows = Loop(n, _, t, symbols=["y_0", "y_1"]) {
    graph body(i: i64[], go: bool[], v: f32[v_0,2*N]) -> (go, w, row) {
      w = Concat(v, t, axis=0)
      row = ReduceSum(x, axes=[0], keepdims=false)
    }
  }
}
)";

// What is said of the file once `lie` has changed something.
std::string FileError(const std::function<void(v1::Graph&)>& lie) {
  const std::string bytes = *SerializeGraph(*ParseText(kText));
  constexpr size_t kHeaderSize = 32;
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + 16, sizeof(size));
  v1::Graph message;
  EXPECT_TRUE(message.ParseFromArray(bytes.data() + kHeaderSize, static_cast<int>(size)));
  lie(message);
  std::string changed = bytes.substr(0, kHeaderSize) + message.SerializeAsString();
  size = changed.size() - kHeaderSize;
  const uint32_t checksum = Crc32c(absl::string_view(changed).substr(kHeaderSize));
  std::memcpy(changed.data() + 16, &size, sizeof(size));
  std::memcpy(changed.data() + 12, &checksum, sizeof(checksum));
  const absl::StatusOr<Graph> graph = ParseGraph(changed);
  if (graph.ok()) return "loaded";
  const Diagnostic d = DiagnosticsOf(graph.status())[0];
  EXPECT_NE(d.code, "E9001") << d.ToString();
  return d.code + ": " + d.message;
}

v1::Node& Find(v1::Graph& graph, const std::string& op) {
  for (v1::Node& node : *graph.mutable_nodes()) {
    if (node.op() == op) return node;
  }
  ADD_FAILURE() << op;
  return *graph.add_nodes();
}

v1::Attribute& Attr(v1::Node& node, const std::string& name) {
  for (v1::Attribute& attribute : *node.mutable_attributes()) {
    if (attribute.name() == name) return attribute;
  }
  ADD_FAILURE() << name;
  return *node.add_attributes();
}

TEST(ControlFile, ReadsWhatWasWritten) {
  const absl::StatusOr<Graph> graph = ParseText(kText);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(PrintText(*graph), kText);
  const std::string bytes = *SerializeGraph(*graph);
  const absl::StatusOr<Graph> read = ParseGraph(bytes);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(PrintText(*read), kText);
  EXPECT_TRUE(VerifyGraph(*read).ok()) << VerifyGraph(*read);
  EXPECT_EQ(*SerializeGraph(*read), bytes);
}

TEST(ControlFile, BodiesAreWhatTheOpHas) {
  EXPECT_EQ(FileError([](v1::Graph& g) { Find(g, "If").mutable_bodies()->RemoveLast(); }),
            "E0502: the file's structure is wrong: If has 1 body, not 2");
  EXPECT_EQ(FileError([](v1::Graph& g) { *Find(g, "Const").add_bodies() = g; }),
            "E0502: the file's structure is wrong: Const has 1 body, not 0");
  EXPECT_EQ(FileError([](v1::Graph& g) { *Find(g, "If").mutable_body() = g; }),
            "E0502: the file's structure is wrong: If has a body");
  EXPECT_EQ(FileError([](v1::Graph& g) { *Find(g, "Call").add_bodies() = g.functions(0); }),
            "E0502: the file's structure is wrong: Call has 1 body, not 0");
}

TEST(ControlFile, CapturedValuesAreCounted) {
  EXPECT_THAT(FileError([](v1::Graph& g) { Attr(Find(g, "Loop"), "captured").set_int_value(-1); }),
              HasSubstr("E0102: Loop: the attribute 'captured' is -1, and there can be 3"));
  EXPECT_THAT(FileError([](v1::Graph& g) { Attr(Find(g, "Loop"), "captured").set_int_value(1); }),
              HasSubstr("E0207: Loop 'y': carried value 't' goes into the body as f32[2,2*N]"));
  EXPECT_THAT(FileError([](v1::Graph& g) { Attr(Find(g, "If"), "captured").set_int_value(1); }),
              HasSubstr("E0103: If takes 1 operand, the condition, but got 3"));
  EXPECT_THAT(FileError([](v1::Graph& g) { Find(g, "If").mutable_inputs()->RemoveLast(); }),
              HasSubstr("E0102"));
  EXPECT_THAT(FileError([](v1::Graph& g) { Find(g, "If").set_inputs(1, 0xffffffff); }), HasSubstr("E0103"));
  EXPECT_THAT(FileError([](v1::Graph& g) {
                v1::Graph& body = *Find(g, "If").mutable_bodies(1);
                v1::Type& declared = *body.mutable_nodes(0)->mutable_attributes(0)->mutable_type_value();
                declared.mutable_dims(0)->set_expression("K");
                *body.mutable_nodes(0)->mutable_outputs(0)->mutable_type() = declared;
              }),
              HasSubstr("E05"));
}

TEST(ControlFile, ResultsAreThoseOfTheBody) {
  EXPECT_THAT(FileError([](v1::Graph& g) { Find(g, "Loop").mutable_bodies(0)->clear_outputs(); }),
              HasSubstr("E0103: Loop 'y': the body gives 0 results"));
  EXPECT_THAT(FileError([](v1::Graph& g) { Find(g, "Loop").mutable_outputs()->RemoveLast(); }),
              HasSubstr("E0502"));
  EXPECT_THAT(
      FileError(
          [](v1::Graph& g) { Attr(Find(g, "Loop"), "symbols").mutable_strings_value()->set_values(0, "N"); }),
      HasSubstr("E0210: the attribute 'symbols' of Loop names N, which is the size of something else"));
  EXPECT_THAT(FileError([](v1::Graph& g) {
                Attr(Find(g, "Loop"), "symbols").mutable_strings_value()->set_values(0, "y_1");
              }),
              HasSubstr("E0102: Loop 'y': the attribute 'symbols' names y_1 twice"));
  EXPECT_THAT(FileError([](v1::Graph& g) {
                Attr(Find(g, "Loop"), "symbols").mutable_strings_value()->set_values(0, "");
              }),
              HasSubstr("E0102: Loop 'y': the attribute 'symbols' has an empty name"));
  EXPECT_THAT(FileError([](v1::Graph& g) {
                Attr(Find(g, "Loop"), "symbols").mutable_strings_value()->set_values(0, "K");
              }),
              HasSubstr("E0504: 'y' is stored as f32[y_0,2*N], but is f32[K,2*N]"));
}

TEST(ControlFile, FunctionsStandBeforeTheirCalls) {
  EXPECT_EQ(FileError([](v1::Graph& g) { g.mutable_functions()->SwapElements(0, 1); }),
            "E0502: the file's structure is wrong: a Call names no function that stands before it");
  EXPECT_EQ(FileError([](v1::Graph& g) { *g.add_functions() = g.functions(0); }),
            "E0502: the file's structure is wrong: there are two functions 'half'");
  EXPECT_EQ(FileError([](v1::Graph& g) { *g.mutable_functions(0)->add_functions() = g.functions(1); }),
            "E0502: the file's structure is wrong: a body has functions of its own");
  EXPECT_EQ(FileError([](v1::Graph& g) { Attr(Find(g, "Call"), "function").set_int_value(3); }),
            "E0502: the file's structure is wrong: a Call names no function that stands before it");
}

// Each level twice the one below: kept once, so it is small to read, to check and to count.
TEST(ControlFile, FunctionsThatDoubleStaySmall) {
  std::string text = "function f0(x: f32[4]) -> (y) {\n y = Exp(x)\n}\n";
  for (int i = 1; i < 8; ++i) {
    const std::string call = "Call(x, function=\"f" + std::to_string(i - 1) + "\")";
    text += "function f" + std::to_string(i) + "(x: f32[4]) -> (y) {\n";
    for (int k = 0; k < 200; ++k) text += " a" + std::to_string(k) + " = " + call + "\n";
    text += " y = Add(a0, a199)\n}\n";
  }
  const absl::StatusOr<Graph> graph =
      ParseText(text + "graph g(x: f32[4]) -> (y) {\n y = Call(x, function=\"f7\")\n}\n");
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_TRUE(VerifyGraph(*graph).ok());
  EXPECT_EQ(graph->CountNodes(), 2 + 2 + 7 * 202);
  const absl::StatusOr<Graph> read = ParseGraph(*SerializeGraph(*graph));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->CountNodes(), graph->CountNodes());
}

}  // namespace
}  // namespace tenfold
