// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/graph.h"

#include <gtest/gtest.h>

#include <string>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

// x -> a = exp(x) -> b = tanh(a) -> output y, and a dead node beside them.
class GraphTest : public ::testing::Test {
 protected:
  GraphTest() {
    GraphBuilder g;
    Value x = g.Input("x", DType::kF32, {"N", 2});
    Value a = g.Named(Exp(x), "a");
    g.Named(Neg(a), "dead");
    g.Output("y", g.Named(Tanh(a), "b"));
    graph_ = *std::move(g).Build();
  }
  ValueId Id(const char* name) const { return *graph_.FindValue(name); }
  NodeId Add(Graph& graph, const char* op, std::vector<ValueId> inputs, const char* name) {
    return *graph.AddNode(*graph.registry().Find(op), std::move(inputs), {}, {name}, {});
  }
  std::string Verdict() const {
    const absl::Status status = VerifyGraph(graph_);
    return status.ok() ? "ok" : std::string(status.message());
  }

  Graph graph_;
};

TEST_F(GraphTest, ReadersAndOrigins) {
  const auto readers = graph_.Readers();
  EXPECT_EQ(readers[static_cast<size_t>(Id("a"))].size(), 2u);
  EXPECT_EQ(readers[static_cast<size_t>(Id("b"))].size(), 0u);
  EXPECT_EQ(graph_.DescribeOrigin(Id("x")).find("Input 'x' ("), 0u);
  EXPECT_EQ(graph_.ConstantValue(Id("x")), nullptr);
  EXPECT_TRUE(graph_.node(graph_.value(Id("x")).producer).tensor().num_elements() == 0);
}

TEST_F(GraphTest, ReplaceAllUsesMovesReadersAndOutputs) {
  const NodeId fresh = Add(graph_, "Sigmoid", {Id("x")}, "fresh");
  const ValueId to = graph_.node(fresh).outputs[0];
  const int64_t before = graph_.mutation_count();
  ASSERT_TRUE(graph_.ReplaceAllUses(Id("a"), to).ok());
  EXPECT_EQ(graph_.mutation_count(), before + 1);
  EXPECT_EQ(graph_.producer(Id("b")).inputs[0], to);
  ASSERT_TRUE(graph_.ReplaceAllUses(Id("b"), to).ok());
  EXPECT_EQ(graph_.outputs()[0].value, to);
  EXPECT_EQ(graph_.outputs()[0].name, "y");
  EXPECT_EQ(graph_.RemoveDeadNodes(), 3);  // a, dead, b
  EXPECT_EQ(Verdict(), "ok");
}

TEST_F(GraphTest, ReplaceAllUsesRefusesAnotherType) {
  const NodeId equal = Add(graph_, "Equal", {Id("a"), Id("a")}, "equal");
  const int64_t before = graph_.mutation_count();
  const absl::Status status = graph_.ReplaceAllUses(Id("a"), graph_.node(equal).outputs[0]);
  EXPECT_EQ(DiagnosticsOf(status)[0].ToString(),
            "error[E9001 internal-error]: a rewrite replaces f32[N,2] 'a' by bool[N,2] 'equal'");
  EXPECT_EQ(graph_.mutation_count(), before);
}

TEST_F(GraphTest, RemoveDeadNodesKeepsInputsAndFreesNames) {
  EXPECT_EQ(graph_.RemoveDeadNodes(), 1);
  EXPECT_FALSE(graph_.FindValue("dead").has_value());
  const int64_t before = graph_.mutation_count();
  EXPECT_EQ(graph_.RemoveDeadNodes(), 0);
  EXPECT_EQ(graph_.mutation_count(), before);
  EXPECT_EQ(graph_.value(graph_.node(Add(graph_, "Neg", {Id("a")}, "dead")).outputs[0]).name, "dead");

  GraphBuilder g;
  Value unread = g.Input("unread", DType::kF32, {2});
  Graph alone = *std::move(g).Build();
  EXPECT_EQ(alone.RemoveDeadNodes(), 0);
  EXPECT_EQ(alone.inputs()[0], unread.id());
}

TEST_F(GraphTest, SortRestoresOrderAndIsStable) {
  const NodeId late = Add(graph_, "Sigmoid", {Id("x")}, "late");
  ASSERT_TRUE(graph_.ReplaceAllUses(Id("a"), graph_.node(late).outputs[0]).ok());
  EXPECT_NE(Verdict().find("before it is produced"), std::string::npos) << Verdict();
  int64_t before = graph_.mutation_count();
  ASSERT_TRUE(graph_.SortTopologically().ok());
  EXPECT_EQ(graph_.mutation_count(), before + 1);
  EXPECT_EQ(Verdict(), "ok");
  const std::vector<NodeId> order = graph_.nodes();
  before = graph_.mutation_count();
  ASSERT_TRUE(graph_.SortTopologically().ok());
  EXPECT_EQ(graph_.nodes(), order);
  EXPECT_EQ(graph_.mutation_count(), before);
}

TEST_F(GraphTest, ACycleIsListed) {
  const NodeId c = Add(graph_, "Sigmoid", {Id("b")}, "c");
  ASSERT_TRUE(graph_.ReplaceAllUses(Id("x"), graph_.node(c).outputs[0]).ok());
  EXPECT_EQ(std::string(graph_.SortTopologically().message()),
            "error[E0106 cycle]: a value depends on itself: 'a' reads 'c' reads 'b' reads 'a'");
}

TEST_F(GraphTest, DeepGraphsNeedNoStack) {
  ValueId last = Id("b");
  for (int i = 0; i < 100'000; ++i) last = graph_.node(Add(graph_, "Neg", {last}, "n")).outputs[0];
  ASSERT_TRUE(graph_.AddOutput("deep", last).ok());
  EXPECT_TRUE(graph_.SortTopologically().ok());
  EXPECT_EQ(graph_.RemoveDeadNodes(), 1);
  EXPECT_EQ(Verdict(), "ok");
}

TEST_F(GraphTest, CopiesAreIndependent) {
  Graph copy = graph_;
  Add(copy, "Neg", {*copy.FindValue("b")}, "more");
  ASSERT_TRUE(copy.ReplaceAllUses(*copy.FindValue("a"), *copy.FindValue("x")).ok());
  ASSERT_TRUE(copy.Rename(*copy.FindValue("b"), "renamed").ok());
  copy.SetProvenance(copy.nodes()[1], {"elsewhere", "", {}});
  copy.RemoveDeadNodes();
  EXPECT_EQ(Verdict(), "ok");
  EXPECT_EQ(graph_.nodes().size(), 4u);
  EXPECT_EQ(graph_.producer(Id("b")).inputs[0], Id("a"));
  EXPECT_FALSE(graph_.FindValue("more").has_value());
  EXPECT_NE(graph_.producer(Id("a")).provenance.location, "elsewhere");
}

TEST_F(GraphTest, RenamingKeepsNamesUnique) {
  ASSERT_TRUE(graph_.Rename(Id("b"), "a").ok());
  EXPECT_TRUE(graph_.FindValue("a.1").has_value());
  EXPECT_FALSE(graph_.FindValue("b").has_value());
  EXPECT_FALSE(graph_.Rename(Id("a"), "").ok());
  int64_t before = graph_.mutation_count();
  ASSERT_TRUE(graph_.Rename(Id("a"), "a").ok());  // nothing to do
  EXPECT_EQ(graph_.mutation_count(), before);
  const ValueId a = Id("a"), other = Id("a.1");
  graph_.SwapNames(a, other);
  EXPECT_EQ(Id("a"), other);
  EXPECT_EQ(Id("a.1"), a);
  EXPECT_EQ(graph_.mutation_count(), before + 1);
}

TEST_F(GraphTest, RenamingAValueThatIsGoneLeavesItsNamesakeAlone) {
  const ValueId dead = Id("dead");
  graph_.RemoveDeadNodes();
  const ValueId fresh = graph_.node(Add(graph_, "Neg", {Id("a")}, "dead")).outputs[0];
  ASSERT_TRUE(graph_.Rename(dead, "ghost").ok());
  EXPECT_EQ(graph_.FindValue("dead"), fresh);
}

TEST_F(GraphTest, AddingCountsOneMutation) {
  const int64_t before = graph_.mutation_count();
  Add(graph_, "Neg", {Id("a")}, "n");
  EXPECT_EQ(graph_.mutation_count(), before + 1);
  ASSERT_TRUE(graph_.AddOutput("n", Id("n")).ok());
  EXPECT_EQ(graph_.mutation_count(), before + 2);
  EXPECT_EQ(DiagnosticsOf(graph_.AddOutput("n", Id("n")))[0].code, "E0104");
  graph_.SetProvenance(graph_.value(Id("n")).producer, {"elsewhere", "", {}});
  EXPECT_EQ(graph_.producer(Id("n")).provenance.location, "elsewhere");
  EXPECT_EQ(graph_.mutation_count(), before + 3);
  EXPECT_EQ(
      DiagnosticsOf(graph_.AddNode(*graph_.registry().Find("Neg"), {static_cast<ValueId>(999)}, {}, {"m"}, {})
                        .status())[0]
          .code,
      "E0105");
  EXPECT_EQ(graph_.mutation_count(), before + 3);
}

TEST_F(GraphTest, ProvenanceNamesEachSourceValueOnce) {
  using Names = std::vector<std::string>;
  const NodeId a = graph_.value(Id("a")).producer, b = graph_.value(Id("b")).producer;
  EXPECT_EQ(graph_.SourceNames(a), Names{"a"});
  graph_.SetProvenance(b, {"place", "array", {"s", "a"}});
  EXPECT_EQ(graph_.SourceNames(b), (Names{"s", "a"}));  // "b" is the name that a pass gave
  const NodeId nodes[] = {a, b, a};
  EXPECT_EQ(graph_.MergedProvenance(b, nodes), (Provenance{"place", "array", {"a", "s"}}));
}

TEST_F(GraphTest, VerifyFindsAnOutputThatNothingProduces) {
  const ValueId dead = Id("dead");
  graph_.RemoveDeadNodes();
  ASSERT_TRUE(graph_.AddOutput("ghost", dead).ok());
  EXPECT_EQ(Verdict(),
            "error[E9001 internal-error]: graph 'main' does not verify: output 'ghost' is never produced");
}

TEST_F(GraphTest, VerifyFindsTwoValuesOfOneName) {
  const ValueId dead = Id("dead");
  graph_.RemoveDeadNodes();
  Add(graph_, "Neg", {Id("a")}, "dead");
  graph_.SwapNames(Id("b"), dead);
  EXPECT_EQ(Verdict(),
            "error[E9001 internal-error]: graph 'main' does not verify: two values are named 'dead'");
}

// A fused node whose body does not take what the node reads.
TEST_F(GraphTest, VerifyLooksIntoBodies) {
  GraphBuilder g;
  g.Output("y", Neg(g.Input("x", DType::kF64, {2})));
  const auto body = std::make_shared<const Graph>(*std::move(g).Build());
  const auto fused = graph_.AddNode(*graph_.registry().Find("Fused"), {Id("a")}, {}, {"fused"}, {}, {body});
  EXPECT_EQ(DiagnosticsOf(fused.status())[0].message,
            "a fused node's body declares f64[2] for an input of f32[N,2]");
  EXPECT_FALSE(graph_.AddNode(*graph_.registry().Find("Fused"), {Id("a")}, {}, {"fused"}, {}).ok());
}

}  // namespace
}  // namespace tenfold
