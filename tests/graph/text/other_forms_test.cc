// SPDX-License-Identifier: Apache-2.0
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/text/dot.h"
#include "tenfold/graph/text/json.h"
#include "tenfold/graph/text/parser.h"

namespace tenfold {
namespace {

using testing::HasSubstr;
using testing::Not;

Graph Read(absl::string_view text) {
  absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status().message();
  return graph.ok() ? *std::move(graph) : Graph();
}

TEST(PrintJson, HasEveryPartOfAGraph) {
  const Graph graph = Read(
      "graph g(x: f32[N,2]) where N in [1,512], M in [2,] -> (probs=p) {\n"
      "  w = Const f32[3] {0.1, inf, nan} at \"a.cc:1\" array \"w.npz: w\"\n"
      "  z = Const i8[9,9] splat -1\n"
      "  p = Softmax(x, axis=0) from(q) at \"a.cc:2\"\n"
      "}");
  const auto json = nlohmann::json::parse(PrintJson(graph));
  EXPECT_EQ(json["format"], "tenfold.graph");
  EXPECT_EQ(json["version"], 1);
  EXPECT_EQ(json["name"], "g");
  EXPECT_EQ(json["symbols"], nlohmann::json::parse(R"({"N": {"min": 1, "max": 512}, "M": {"min": 2}})"));
  EXPECT_EQ(json["inputs"], nlohmann::json::parse(R"([{"name": "x", "type": "f32[N,2]"}])"));
  EXPECT_EQ(json["outputs"],
            nlohmann::json::parse(R"([{"name": "probs", "value": "p", "type": "f32[N,2]"}])"));
  ASSERT_EQ(json["nodes"].size(), 4u);
  EXPECT_EQ(json["nodes"][1]["attributes"]["value"],
            nlohmann::json::parse(R"({"type": "f32[3]", "values": [0.1, "inf", "nan"]})"));
  EXPECT_EQ(json["nodes"][1]["array"], "w.npz: w");
  EXPECT_EQ(json["nodes"][2]["attributes"]["value"],
            nlohmann::json::parse(R"({"type": "i8[9,9]", "splat": -1})"));
  EXPECT_EQ(json["nodes"][3],
            nlohmann::json::parse(
                R"({"op": "Softmax", "inputs": ["x"], "outputs": [{"name": "p", "type": "f32[N,2]"}],
                                                       "attributes": {"axis": 0}, "from": ["q"], "location": "a.cc:2"})"));
}

TEST(PrintJson, HasContracts) {
  const Graph graph = Read(
      "graph g(x: f32[N,2] contract(\"a.npy\", rows=3, axis=1, min=f32[2] {-inf, 0.1}, max=f32[2] {1, 2}, "
      "nans=i64[2] {0, 1})) -> (x) {\n}");
  EXPECT_EQ(nlohmann::json::parse(PrintJson(graph))["inputs"][0]["contract"],
            nlohmann::json::parse(R"({"type": "f32[N,2]", "samples": ["a.npy"], "rows": 3, "axis": 1,
                                      "min": {"type": "f32[2]", "values": ["-inf", 0.1]},
                                      "max": {"type": "f32[2]", "values": [1.0, 2.0]},
                                      "nans": {"type": "i64[2]", "values": [0, 1]}})"));
}

TEST(PrintJson, LeavesLargeConstantsOutAndNestsBodies) {
  const Graph graph = Read(
      "graph g(x: f32[3]) -> (y) {\n  w = Const f32[3] {1, 2, 3}\n  y = Fused(x) {\n"
      "    graph body(x: f32[3]) -> (t) {\n      t = Tanh(x)\n    }\n  }\n}");
  const auto json = nlohmann::json::parse(PrintJson(graph, {.max_elements = 2, .indent = -1}));
  EXPECT_FALSE(json["nodes"][1]["attributes"]["value"].contains("values"));
  EXPECT_EQ(json["nodes"][2]["body"]["name"], "body");
}

TEST(PrintJson, SurvivesNamesThatAreNoUtf8) {
  Graph graph;
  graph.name = "\xff";
  EXPECT_EQ(nlohmann::json::parse(PrintJson(graph))["name"], "\xef\xbf\xbd");
}

TEST(PrintDot, DrawsNodesEdgesAndBodies) {
  const Graph graph = Read(
      "graph \"a \\\"g\\\"\"(x: f32[N,2]) -> (y) {\n  w = Const f32[2] {1, 2}\n  m = Mul(x, w)\n  s = Add(m, "
      "2)\n"
      "  y = Fused(s) {\n    graph body(a: f32[N,2]) -> (t) {\n      t = Tanh(a)\n    }\n  }\n}");
  DotOptions options;
  options.note = [](const Graph& g, NodeId id) { return g.node(id).op->name == "Mul" ? "fused" : ""; };
  EXPECT_EQ(PrintDot(graph, options),
            R"(digraph "a \"g\"" {
  node [fontname="monospace"];
  n0 [shape=oval, label="Input(type=f32[N,2])\nx"];
  n1 [shape=oval, label="Const f32[2] {1, 2}\nw"];
  n2 [shape=box, label="Mul\nm\nfused"];
  n0 -> n2 [label="f32[N,2]"];
  n1 -> n2 [label="f32[2]"];
  n4 [shape=box, label="Add(2)\ns"];
  n2 -> n4 [label="f32[N,2]"];
  n5 [shape=box, label="Fused\ny"];
  n4 -> n5 [label="f32[N,2]"];
  subgraph cluster_n5 {
    label="body";
    n5_n0 [shape=oval, label="Input(type=f32[N,2])\na"];
    n5_n1 [shape=box, label="Tanh\nt"];
    n5_n0 -> n5_n1 [label="f32[N,2]"];
    n5_out0 [shape=oval, label="t"];
    n5_n1 -> n5_out0 [label="f32[N,2]"];
  }
  out0 [shape=oval, label="y"];
  n5 -> out0 [label="f32[N,2]"];
}
)");
}

}  // namespace
}  // namespace tenfold
