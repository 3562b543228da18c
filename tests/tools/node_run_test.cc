// SPDX-License-Identifier: Apache-2.0
//
// Graphs that are run node by node, and what is looked for in their values.
#include "tenfold/tools/node_run.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/tests/tools/tool_test.h"
#include "tenfold/tools/compare_graphs.h"
#include "tenfold/tools/validate.h"

namespace tenfold {
namespace {

Graph Parse(absl::string_view text) {
  absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

std::vector<std::string> ValueNames(const Graph& graph) {
  std::vector<std::string> names;
  for (NodeId id : graph.nodes()) {
    for (ValueId value : graph.node(id).outputs) {
      if (!graph.value(value).name.empty()) names.push_back(graph.value(value).name);
    }
  }
  return names;
}

// Every value has the bits that a compiled run gives if it is fetched.
void ExpectSameAsCompiled(const Graph& graph, const NamedTensors& feeds) {
  CompileOptions options;
  options.fetches = ValueNames(graph);
  const absl::StatusOr<Executable> executable = Compile(graph, options);
  ASSERT_TRUE(executable.ok()) << executable.status();
  const absl::StatusOr<NamedTensors> want = executable->Run(feeds);
  ASSERT_TRUE(want.ok()) << want.status();
  absl::StatusOr<NodeRun> run = NodeRun::Start(graph, feeds, {.compile = options});
  ASSERT_TRUE(run.ok()) << run.status();
  while (!run->done()) {
    const absl::StatusOr<NodeId> node = run->Next();
    ASSERT_TRUE(node.ok()) << node.status();
  }
  const NamedTensors got = run->Outputs();
  ASSERT_EQ(got.size(), want->size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, (*want)[i].first);
    EXPECT_TRUE(SameBits(*got[i].second.Materialize(), (*want)[i].second))
        << got[i].first << ": " << got[i].second.ToString() << " against " << (*want)[i].second.ToString();
  }
}

TEST(NodeRunTest, GivesTheValuesOfACompiledRun) {
  ExpectSameAsCompiled(Parse(R"(tenfold 1
graph g(x: f32[N,4]) where N in [1,512] -> (p, s) {
  w = Const f32[4,3] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
  k = Const f32[8,8] splat 0.5
  h = MatMul(x, w)
  b = Add(h, {1, -2, 3})
  l, mean, scale = LayerNormalization(b, {1, 1, 1}, axis=-1)
  p = Softmax(l)
  d = Shape(x)
  n = Gather(d, {0})
  t = Concat(n, {1, 3}, axis=0)
  r = Reshape(p, t)
  s = Mul(r, r)
  c = ReduceSum(k)
  i = Const i4[4,3] {-8, 7, 1, 2, -3, 0, 4, -5, 6, 1, 1, -1}
  e = Const f32[3] {0.5, 0.25, 1}
  q = DequantizeLinear(i, e)
}
)"),
                       {{"x", T("f32[2,4] 1 -2 3 -4 5 -6 7 -8")}});
}

TEST(NodeRunTest, GivesTheValuesOfControlFlowAndOfSizesThatOnlyARunKnows) {
  ExpectSameAsCompiled(
      Parse(R"(tenfold 1

function half(v: f32[B,4]) -> (r) {
  r = Mul(v, 0.5)
}

graph control(x: f32[N,4], c: bool[], n: i64[]) -> (y, rows, s, z) {
  h = Call(x, function="half")
  t = If(c) {
    graph then() -> (q) {
      q = Concat(h, x, axis=0)
    }
    graph else() -> (h) {
    }
  }
  y, rows = Loop(n, c, t) {
    graph body(i, go, v) -> (go, w, row) {
      w = Concat(v, t, axis=0)
      row = Call(x, function="half")
    }
  }
  k = Const f32[4] {0, 1, 2, 3}
  last, s = Scan(k, x, num_scan_inputs=1, scan_output_directions=[1]) {
    graph step(u, e) -> (z, p) {
      z = Add(u, e)
      p = Neg(z)
    }
  }
  at = NonZero(y)
  few = Cast(at, to=f32)
  z = Exp(few)
}
)"),
      {{"x", T("f32[2,4] 1 0 3 -4 0 -6 7 -8")}, {"c", T("bool[] true")}, {"n", T("i64[] 2")}});
}

TEST(NodeRunTest, HoldsValuesUntilTheyAreRead) {
  const Graph graph =
      Parse("tenfold 1\ngraph g(x: f32[1]) -> (c) {\n  a = Exp(x)\n  b = Neg(a)\n  c = Neg(b)\n}\n");
  absl::StatusOr<NodeRun> run = NodeRun::Start(graph, {{"x", T("f32[1] 0")}});
  ASSERT_TRUE(run.ok()) << run.status();
  const ValueId a = *graph.FindValue("a");
  std::string held;  // whether 'a' is, after each node
  while (!run->done()) {
    ASSERT_TRUE(run->Next().ok());
    held += run->Find(a) != nullptr ? '1' : '0';
  }
  EXPECT_EQ(held, "0110");
  EXPECT_EQ(run->Outputs()[0].second.ToString(), "f32[1] {1}");
}

TEST(NodeRunTest, FindsWhatIsNotFiniteInEveryFloat) {
  for (const char* literal :
       {"f64[5] 1 -inf nan inf nan", "f32[5] 1 -inf nan inf nan", "f16[5] 1 -inf nan inf nan",
        "bf16[5] 1 -inf nan inf nan", "f8e5m2[5] 1 -inf nan inf nan"}) {
    const NonFinite found = FindNonFinite(T(literal));
    EXPECT_EQ(found.nans, 2) << literal;
    EXPECT_EQ(found.positive_infs, 1) << literal;
    EXPECT_EQ(found.negative_infs, 1) << literal;
    EXPECT_EQ(found.first_nan, 2) << literal;
    EXPECT_EQ(found.first_inf, 1) << literal;
  }
  const NonFinite splat = FindNonFinite(T("f32[10,10] splat -inf"));
  EXPECT_EQ(splat.negative_infs, 100);
  EXPECT_EQ(splat.first_inf, 0);
  EXPECT_EQ(FindNonFinite(T("f8e4m3fn[2] 448 nan")).first_nan, 1);
  EXPECT_EQ(FindNonFinite(T("i32[2] 1 2")).first_nan, -1);
  EXPECT_EQ(FindNonFinite(T("f32[0] {}")).nans, 0);
}

// What a caller in C++ gets.
TEST(NodeRunTest, ValidationAndComparisonAreForCallersToo) {
  const Graph graph = Parse("tenfold 1\ngraph g(x: f32[1]) -> (y) {\n  y = Log(x)\n}\n");
  Validation validation;
  ASSERT_TRUE(Validate(graph, {{"x", T("f32[1] -1")}}, {}, validation).ok());
  EXPECT_EQ(validation.values, 2);
  ASSERT_EQ(validation.findings.size(), 1u);
  EXPECT_EQ(validation.findings[0].code, "E0616");
  GraphComparison comparison;
  ASSERT_TRUE(CompareGraphs(graph, graph, {{"x", T("f32[1] -1")}}, {}, {}, {}, comparison).ok());
  EXPECT_EQ(comparison.compared, 2);
  EXPECT_FALSE(comparison.finding.has_value());
  EXPECT_EQ(comparison.ToString({}),
            "compare: 2 values agree; 0 only in the first graph, 0 only in the second graph");
}

}  // namespace
}  // namespace tenfold
