// SPDX-License-Identifier: Apache-2.0
//
// If, Loop, Scan and Call, run: the interpreter and plans at every level give the same bits, shapes that only
// a run knows come out right, and what goes on for ever is stopped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/tests/compiler/run_everywhere.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kIf[] = R"(
graph g(c: bool[], x: f32[N,2], y: f32[2]) -> (a, b) {
  s = Mul(x, 2)
  a, b = If(c) {
    graph then() -> (p, q=y) {
      p = Add(s, y)
    }
    graph else() -> (p, q) {
      p = Neg(x)
      q = Exp(y)
    }
  }
}
)";

TEST(ControlFlow, IfTakesOneBranch) {
  EXPECT_THAT(RunAll(kIf, {{"c", "bool[] {true}"}, {"x", "f32[1,2] {1, 2}"}, {"y", "f32[2] {3, nan}"}}),
              ElementsAre("f32[1,2] {5, nan}", "f32[2] {3, nan}"));
  EXPECT_THAT(
      RunAll(kIf, {{"c", "bool[] {false}"}, {"x", "f32[2,2] {1, 2, 3, 4}"}, {"y", "f32[2] {0, -inf}"}}),
      ElementsAre("f32[2,2] {-1, -2, -3, -4}", "f32[2] {1, 0}"));
  EXPECT_THAT(RunAll(kIf, {{"c", "bool[] {false}"}, {"x", "f32[0,2] {}"}, {"y", "f32[2] {0, 0}"}}),
              ElementsAre("f32[0,2] {}", "f32[2] {1, 1}"));
}

// Sizes that differ are known once the branch has run, and everything behind it is bound then.
TEST(ControlFlow, BranchesOfOtherSizes) {
  const std::string text = R"(
graph g(c: bool[1], x: f32[N]) -> (y, z, n) {
  y = If(c) {
    graph then() -> (p) {
      p = Concat(x, x, axis=0)
    }
    graph else() -> (p) {
      p = Slice(x, {0}, {1})
    }
  }
  e = Exp(y)
  z = ReduceSum(e)
  n = Shape(e)
}
)";
  EXPECT_EQ(Parse(text).value(*Parse(text).FindValue("e")).type.ToString(), "f32[y_0]");
  EXPECT_THAT(RunAll(text, {{"c", "bool[1] {true}"}, {"x", "f32[3] {0, 0, 0}"}}),
              ElementsAre("f32[6] {0, 0, 0, 0, 0, 0}", "f32[1] {6}", "i64[1] {6}"));
  EXPECT_THAT(RunAll(text, {{"c", "bool[1] {false}"}, {"x", "f32[3] {0, 1, 2}"}}),
              ElementsAre("f32[1] {0}", "f32[1] {1}", "i64[1] {1}"));
  EXPECT_THAT(RunAll(text, {{"c", "bool[1] {false}"}, {"x", "f32[0] {}"}}),
              ElementsAre("f32[0] {}", "f32[1] {0}", "i64[1] {0}"));
}

// One Invocation, one size after the other.
TEST(ControlFlow, SizesChangeFromRunToRun) {
  const Graph graph = Parse(R"(
graph g(n: i64[], x: f32[2]) -> (y, s) {
  r, rows = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w, row=w) {
      w = Add(v, 1)
    }
  }
  y = Mul(rows, 2)
  s = ReduceSum(rows, axes=[0], keepdims=false)
}
)");
  const absl::StatusOr<Executable> executable = Compile(graph, {.threads = 1});
  ASSERT_TRUE(executable.ok()) << executable.status();
  Invocation call = executable->Prepare();
  const std::vector<float> x = {0, 10};
  ASSERT_TRUE(call.SetInput(1, x).ok());
  for (int64_t n : {3, 0, 1, 7, 3, -2}) {
    const std::vector<int64_t> trips = {n};
    ASSERT_TRUE(call.SetInput(0, trips).ok());
    const absl::Status status = call.Run();
    ASSERT_TRUE(status.ok()) << status;
    const int64_t rows = std::max<int64_t>(n, 0);
    EXPECT_THAT(call.Output(0).dims, ElementsAre(rows, 2));
    for (int64_t i = 0; i < rows; ++i)
      EXPECT_EQ(call.Output(0).values<float>()[2 * i + 1], 2 * (11 + i)) << n;
    EXPECT_EQ(call.Output(1).values<float>()[0], rows * (rows + 1) / 2) << n;
  }
}

TEST(ControlFlow, LoopCountsAndStacks) {
  const std::string text = R"(
graph g(x: f32[N,2], k: f32[2]) -> (y, i, rows) {
  y, i, rows = Loop(4, _, x, 0) {
    graph body(n, go, v, unused) -> (go, w, n, r) {
      w = Mul(v, k)
      r = ReduceSum(w, axes=[1], keepdims=false)
    }
  }
}
)";
  // A literal has no dtype among values that are carried.
  EXPECT_THAT(std::string(ParseText(text).status().message()), HasSubstr("gives this literal a dtype"));
  const std::string good = R"(
graph g(x: f32[N,2], k: f32[2]) -> (y, i, rows) {
  zero = Const i64[] {0}
  y, i, rows = Loop(4, _, x, zero) {
    graph body(n, go, v, unused) -> (go, w, n, r) {
      w = Mul(v, k)
      r = ReduceSum(w, axes=[1], keepdims=false)
    }
  }
}
)";
  EXPECT_EQ(Parse(good).value(*Parse(good).FindValue("rows")).type.ToString(), "f32[4,N]");
  EXPECT_THAT(RunAll(good, {{"x", "f32[1,2] {1, 1}"}, {"k", "f32[2] {2, 3}"}}),
              ElementsAre("f32[1,2] {16, 81}", "i64[] {3}", "f32[4,1] {5, 13, 35, 97}"));
  EXPECT_THAT(RunAll(good, {{"x", "f32[0,2] {}"}, {"k", "f32[2] {2, 3}"}}),
              ElementsAre("f32[0,2] {}", "i64[] {3}", "f32[4,0] {}"));
}

// Doubles until the sum is large: the number of rows and the last value follow from values.
TEST(ControlFlow, LoopEndsByItsCondition) {
  const std::string text = R"(
graph g(x: f32[N], go: bool[]) -> (y, rows, count) {
  y, rows = Loop(_, go, x) {
    graph body(n, go_in, v) -> (more, w, row=w) {
      w = Add(v, v)
      s = ReduceSum(w, keepdims=false)
      more = Less(s, 100)
    }
  }
  count = Shape(rows)
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {1, 2}"}, {"go", "bool[] {true}"}}),
              ElementsAre("f32[2] {64, 128}", "f32[6,2] {2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 128}",
                          "i64[2] {6, 2}"));
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {1, 2}"}, {"go", "bool[] {false}"}}),
              ElementsAre("f32[2] {1, 2}", "f32[0,2] {}", "i64[2] {0, 2}"));
}

TEST(ControlFlow, CarriedValuesChangeTheirShape) {
  const std::string text = R"(
graph g(x: f32[2], n: i64[]) -> (y, z) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      f = Cast(i, to=f32)
      t = Reshape(f, {1})
      w = Concat(v, t, axis=0)
    }
  }
  z = ReduceSum(y, keepdims=false)
}
)";
  const Graph graph = Parse(text);
  EXPECT_EQ(graph.value(*graph.FindValue("y")).type.ToString(), "f32[y_0]");
  const Graph& body = *graph.producer(*graph.FindValue("y")).bodies[0];
  EXPECT_EQ(body.value(*body.FindValue("v")).type.ToString(), "f32[v_0]");
  EXPECT_EQ(body.value(*body.FindValue("w")).type.ToString(), "f32[v_0 + 1]");
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {7, 8}"}, {"n", "i64[] {4}"}}),
              ElementsAre("f32[6] {7, 8, 0, 1, 2, 3}", "f32[] {21}"));
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {7, 8}"}, {"n", "i64[] {0}"}}),
              ElementsAre("f32[2] {7, 8}", "f32[] {15}"));
}

// Two values that change places, and with them their sizes.
TEST(ControlFlow, CarriedValuesChangePlaces) {
  const std::string text = R"(
graph g(x: f32[2], y: f32[3], n: i64[]) -> (a, b) {
  a, b = Loop(n, _, x, y) {
    graph body(i, go, p, q) -> (go, q, r=p) {
    }
  }
}
)";
  for (int n = 0; n < 4; ++n) {
    const std::vector<std::string> got = RunAll(
        text, {{"x", "f32[2] {1, 2}"}, {"y", "f32[3] {3, 4, 5}"}, {"n", absl::StrCat("i64[] {", n, "}")}});
    EXPECT_EQ(got[n % 2], "f32[2] {1, 2}") << n;
    EXPECT_EQ(got[1 - n % 2], "f32[3] {3, 4, 5}") << n;
  }
}

TEST(ControlFlow, ScanGoesAlongAnyAxisInAnyDirection) {
  const std::string text = R"(
graph g(s: f32[2], x: f32[T,2], y: f32[2,T]) -> (last, sums, products) {
  last, sums, products = Scan(s, x, y, num_scan_inputs=2, scan_input_axes=[0, -1], scan_input_directions=[0, 1],
                              scan_output_axes=[0, 1], scan_output_directions=[1, 0]) {
    graph body(state, a, b) -> (next, row=next, p) {
      next = Add(state, a)
      p = Mul(a, b)
    }
  }
}
)";
  const Graph graph = Parse(text);
  EXPECT_EQ(graph.value(*graph.FindValue("products")).type.ToString(), "f32[2,T]");
  EXPECT_THAT(RunAll(graph, Feeds({{"s", "f32[2] {100, 200}"},
                                   {"x", "f32[3,2] {1, 2, 3, 4, 5, 6}"},
                                   {"y", "f32[2,3] {1, 10, 100, 2, 20, 200}"}})),
              ElementsAre("f32[2] {109, 212}", "f32[3,2] {109, 212, 104, 206, 101, 202}",
                          "f32[2,3] {100, 30, 5, 400, 80, 12}"));
  EXPECT_THAT(RunAll(graph, Feeds({{"s", "f32[2] {1, 2}"}, {"x", "f32[0,2] {}"}, {"y", "f32[2,0] {}"}})),
              ElementsAre("f32[2] {1, 2}", "f32[0,2] {}", "f32[2,0] {}"));
}

TEST(ControlFlow, CallsShareAFunction) {
  const std::string text = R"(
function half(v: f32[B,2]) -> (h, n) {
  h = Mul(v, 0.5)
  n = ReduceSum(h)
}

function twice(v: f32[K,2]) -> (w) {
  a, n = Call(v, function="half")
  w, m = Call(a, function="half")
}

graph g(x: f32[N,2]) -> (y, z, t) {
  y = Call(x, function="twice")
  c = Const f32[1,2] {4, 8}
  z, t = Call(c, function="half")
}
)";
  const Graph graph = Parse(text);
  EXPECT_EQ(graph.value(*graph.FindValue("y")).type.ToString(), "f32[N,2]");
  EXPECT_EQ(graph.value(*graph.FindValue("z")).type.ToString(), "f32[1,2]");
  EXPECT_THAT(RunAll(graph, Feeds({{"x", "f32[2,2] {4, 8, 12, 16}"}})),
              ElementsAre("f32[2,2] {1, 2, 3, 4}", "f32[1,2] {2, 4}", "f32[1,1] {6}"));
}

// A result whose size only the call knows stays what it was when the function is called again.
TEST(ControlFlow, ResultsOfOtherCallsStay) {
  const std::string text = R"(
function upto(n: i64[]) -> (rows) {
  zero = Const i64[] {0}
  last, rows = Loop(n, _, zero) {
    graph body(i, go, v) -> (go, w, v) {
      w = Add(v, 10)
    }
  }
}

graph g(n: i64[], m: i64[]) -> (a, b, c) {
  a = Call(n, function="upto")
  b = Call(m, function="upto")
  c = Concat(a, b, axis=0)
}
)";
  EXPECT_THAT(RunAll(text, {{"n", "i64[] {3}"}, {"m", "i64[] {2}"}}),
              ElementsAre("i64[3] {0, 10, 20}", "i64[2] {0, 10}", "i64[5] {0, 10, 20, 0, 10}"));
}

TEST(ControlFlow, BodiesNestAndSeeAllAround) {
  const std::string text = R"(
graph g(x: f32[N], n: i64[], m: i64[]) -> (y) {
  one = Const f32[] {1}
  y = Loop(n, _, x) {
    graph outer(i, go, v) -> (go, w) {
      w = Loop(m, _, v) {
        graph inner(j, going, u) -> (going, t) {
          odd = Equal(j, i)
          t = If(odd) {
            graph then() -> (r) {
              r = Add(u, v)
            }
            graph else() -> (r) {
              r = Add(u, one)
            }
          }
        }
      }
    }
  }
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[2] {1, 2}"}, {"n", "i64[] {2}"}, {"m", "i64[] {3}"}}),
              ElementsAre("f32[2] {10, 14}"));
}

// A captured value whose size is a product, which tells neither factor.
TEST(ControlFlow, SymbolsOfTheGraphAroundAreSeen) {
  const std::string text = R"(
graph g(x: f32[N,M], n: i64[]) -> (rows, s) {
  flat = Reshape(x, {-1})
  last, rows = Loop(n, _, n) {
    graph body(i, go, v) -> (go, v, flat) {
    }
  }
  s = Shape(rows)
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[1,2] {1, 2}"}, {"n", "i64[] {2}"}}),
              ElementsAre("f32[2,2] {1, 2, 1, 2}", "i64[2] {2, 2}"));
  EXPECT_THAT(RunAll(text, {{"x", "f32[3,2] {1, 2, 3, 4, 5, 6}"}, {"n", "i64[] {0}"}}),
              ElementsAre("f32[0,6] {}", "i64[2] {0, 6}"));
}

TEST(ControlFlow, ErrorsOfABodyNameItsNode) {
  const std::string text = R"(
graph g(x: i64[3], n: i64[]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      d = Sub(2, i)
      w = Div(v, d)
    }
  }
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "i64[3] {8, 16, 24}"}, {"n", "i64[] {2}"}}),
              ElementsAre("i64[3] {4, 8, 12}"));
  const absl::StatusOr<Executable> executable = Compile(Parse(text));
  ASSERT_TRUE(executable.ok()) << executable.status();
  const absl::Status status =
      executable->Run(Feeds({{"x", "i64[3] {8, 16, 24}"}, {"n", "i64[] {3}"}})).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("E0601"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("Div 'w'"));
}

constexpr char kForever[] = R"(
graph g(x: f32[N]) -> (y) {
  y = Loop(_, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Add(v, 1)
    }
  }
}
)";

TEST(ControlFlow, ALoopWithoutEndIsStopped) {
  const NamedTensors feeds = Feeds({{"x", "f32[2] {1, 2}"}});
  Limits limits;
  limits.loop_steps = 1000;
  const absl::StatusOr<Executable> bounded = Compile(Parse(kForever), {.limits = limits});
  ASSERT_TRUE(bounded.ok()) << bounded.status();
  const Diagnostic d = DiagnosticsOf(bounded->Run(feeds).status())[0];
  EXPECT_EQ(d.code, "E0402");
  EXPECT_EQ(d.message, "Loop 'y': the loops and calls of a run have made 1000 steps, the limit");
  EXPECT_EQ(d.help[0].text, "if that is meant, allow it: --loop-steps 10000 (in C++, Limits::loop_steps)");
  Graph graph = Parse(kForever);
  graph.limits = limits;
  EXPECT_EQ(DiagnosticsOf(EvaluateGraph(graph, std::vector<Tensor>{feeds[0].second}).status())[0].message,
            d.message);

  const absl::StatusOr<Executable> executable = Compile(Parse(kForever));
  ASSERT_TRUE(executable.ok()) << executable.status();
  RunOptions options;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(20);
  EXPECT_EQ(DiagnosticsOf(executable->Run(feeds, options).status())[0].code, "E0610");
  const std::atomic<bool> cancelled = true;
  options = {};
  options.cancelled = &cancelled;
  EXPECT_EQ(DiagnosticsOf(executable->Run(feeds, options).status())[0].code, "E0611");
}

// Rows that are collected are bounded by what one tensor may take, and by what a run may hold.
TEST(ControlFlow, RowsWithoutEndAreRefused) {
  const Graph graph = Parse(R"(
graph g(x: f32[1000]) -> (y) {
  last, y = Loop(_, _, x) {
    graph body(i, go, v) -> (go, v, w) {
      w = Exp(v)
    }
  }
}
)");
  const NamedTensors feeds = {{"x", *Tensor::Splat(DType::kF32, Dims{1000}, "\0\0\0\0")}};
  Limits limits;
  limits.tensor_bytes = 100000;
  const absl::StatusOr<Executable> small = Compile(graph, {.limits = limits});
  ASSERT_TRUE(small.ok()) << small.status();
  EXPECT_EQ(DiagnosticsOf(small->Run(feeds).status())[0].message,
            "Loop 'last': a result takes 104000 bytes; the limit tensor_bytes is 100000");
  const absl::StatusOr<Executable> executable = Compile(graph);
  RunOptions options;
  options.memory_limit = 1000000;
  const Diagnostic d = DiagnosticsOf(executable->Run(feeds, options).status())[0];
  EXPECT_EQ(d.code, "E0404");
  EXPECT_THAT(d.message, HasSubstr("the memory limit is 1000000"));
}

class NoDevice final : public DeviceExecutor {
 public:
  absl::StatusOr<std::unique_ptr<DevicePlan>> Load(const DeviceProgram&) override {
    return MakeError("E0701", "there is none");
  }
};

// Device memory is placed before a run.
TEST(ControlFlow, DevicesTakeNoSizesThatOnlyARunKnows) {
  CompileReport report;
  ASSERT_TRUE(RunPipeline(Parse(kForever), {}, Stage::kPlanned, report).ok());
  const ExecutableOptions options = {.device = std::make_shared<NoDevice>()};
  EXPECT_EQ(DiagnosticsOf(Executable::Create(*report.plan, options).status())[0].code, "E0701");
  const Graph graph = Parse(R"(
graph g(x: f32[2], n: i64[]) -> (rows) {
  y, rows = Loop(n, _, x) {
    graph body(i, go, v) -> (go, v, row=v) {
    }
  }
}
)");
  report = {};
  ASSERT_TRUE(RunPipeline(graph, {}, Stage::kPlanned, report).ok());
  const Diagnostic d = DiagnosticsOf(Executable::Create(*report.plan, options).status())[0];
  EXPECT_EQ(d.code, "E0711");
  EXPECT_EQ(d.message,
            "Loop 'y' gives results whose sizes only a run knows, and device memory is placed before it");
  EXPECT_EQ(d.help[0].text, "--device cpu computes it, and so does --device auto");
}

// --- The compiler ------------------------------------------------------------------------------------------

std::vector<std::string> Remarks(const Graph& graph, const std::string& pass, CompileOptions options = {}) {
  CompileReport report;
  const absl::Status status = RunPipeline(graph, options, Stage::kFused, report);
  EXPECT_TRUE(status.ok()) << status;
  std::vector<std::string> texts;
  for (const Remark& remark : report.remarks) {
    if (remark.pass == pass) texts.push_back(remark.ToString());
  }
  return texts;
}

TEST(ControlFlow, ABranchThatIsKnownIsInlined) {
  const Graph graph = Parse(R"(
graph g(x: f32[N]) -> (y, z) {
  yes = Const bool[] {true}
  y = If(yes) {
    graph then() -> (p) {
      q = Exp(x)
      p = Concat(q, q, axis=0)
    }
    graph else() -> (p=x) {
    }
  }
  z = Neg(y)
}
)");
  CompileReport report;
  ASSERT_TRUE(RunPipeline(graph, {}, Stage::kFolded, report).ok());
  const Graph& folded = report.stages.back().second;
  // The size of the branch, not of both.
  EXPECT_EQ(folded.value(*folded.FindValue("z")).type.ToString(), "f32[2*N]");
  for (NodeId id : folded.nodes()) EXPECT_NE(folded.node(id).op->name, "If");
  EXPECT_THAT(Remarks(graph, "fold-constants"),
              ElementsAre("fold-constants: did  If 'y': its condition is true: only 'then' is computed"));
  EXPECT_THAT(RunAll(graph, Feeds({{"x", "f32[1] {0}"}})), ElementsAre("f32[2] {1, 1}", "f32[2] {-1, -1}"));
}

// What folding finds out later does not change the types that were inferred without it.
TEST(ControlFlow, TypesStayWhenConditionsAreFolded) {
  const std::string text = R"(
graph g(x: f32[N], c: bool[]) -> (rows, z, w) {
  f = Const bool[] {false}
  go = Not(f)
  last, rows = Loop(2, go, x) {
    graph body(i, going, v) -> (more, w, row=w) {
      w = Add(v, 1)
      more = Not(f)
    }
  }
  z = Neg(rows)
  w = If(c) {
    graph then() -> (r) {
      l, r = Loop(2, go, x) {
        graph body(i, going, v) -> (going, v, row=v) {
        }
      }
    }
    graph else() -> (r) {
      u = If(go) {
        graph then() -> (s) {
          s = Concat(x, x, axis=0)
        }
        graph else() -> (x) {
        }
      }
      r = Unsqueeze(u, {0})
    }
  }
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[1] {1}"}, {"c", "bool[] {true}"}}),
              ElementsAre("f32[2,1] {2, 3}", "f32[2,1] {-2, -3}", "f32[2,1] {1, 1}"));
  EXPECT_THAT(RunAll(text, {{"x", "f32[1] {1}"}, {"c", "bool[] {false}"}}),
              ElementsAre("f32[2,1] {2, 3}", "f32[2,1] {-2, -3}", "f32[1,2] {1, 1}"));
}

// The branch that is left has loops of its own, which are inferred anew where they come to stand.
TEST(ControlFlow, LoopsInABranchThatIsInlined) {
  const std::string text = R"(
graph g(x: f32[N], n: i64[]) -> (y) {
  f = Const bool[] {false}
  go = Not(f)
  y = If(go) {
    graph then() -> (r) {
      l, r = Loop(2, go, x) {
        graph body(i, going, v) -> (going, w, row=v) {
          t = Loop(n, _, v) {
            graph inner(j, on, u) -> (on, q) {
              q = Concat(u, x, axis=0)
            }
          }
          m = ReduceSum(t)
          w = Mul(v, m)
        }
      }
    }
    graph else() -> (r) {
      r = Unsqueeze(x, {0})
    }
  }
}
)";
  EXPECT_THAT(RunAll(text, {{"x", "f32[1] {1}"}, {"n", "i64[] {3}"}}), ElementsAre("f32[2,1] {1, 4}"));
}

TEST(ControlFlow, LoopsOverConstantsAreFoldedWithinTheBudget) {
  const Graph graph = Parse(R"(
graph g(x: f32[2]) -> (y) {
  one = Const f32[2] {1, 1}
  p = Loop(10, _, one) {
    graph body(i, go, v) -> (go, w) {
      w = Add(v, v)
    }
  }
  y = Mul(x, p)
}
)");
  EXPECT_THAT(Remarks(graph, "fold-constants"),
              ElementsAre("fold-constants: did  Loop 'p': 2 values, 8 bytes"));
  CompileOptions tight;
  tight.fold_budget.max_operations = 30;
  EXPECT_THAT(Remarks(graph, "fold-constants", tight),
              ElementsAre(HasSubstr("operations, and 30 are left of the budget")));
  EXPECT_THAT(RunAll(graph, Feeds({{"x", "f32[2] {1, 2}"}})), ElementsAre("f32[2] {1024, 2048}"));
}

// A captured constant becomes one of the body, where it is folded on.
TEST(ControlFlow, ConstantsMoveIntoBodies) {
  const Graph graph = Parse(R"(
graph g(x: f32[2], n: i64[]) -> (y) {
  k = Const f32[2] {1, 2}
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      e = Neg(k)
      w = Add(v, e)
    }
  }
}
)");
  EXPECT_THAT(Remarks(graph, "fold-constants"),
              ElementsAre("fold-constants: did  Neg 'e': 2 values, 8 bytes"));
  CompileReport report;
  ASSERT_TRUE(RunPipeline(graph, {}, Stage::kFused, report).ok());
  const Graph& fused = report.stages.back().second;
  EXPECT_EQ(fused.producer(fused.outputs()[0].value).inputs.size(), 3u);  // trip count, no condition, x
  EXPECT_THAT(RunAll(graph, Feeds({{"x", "f32[2] {0, 0}"}, {"n", "i64[] {3}"}})),
              ElementsAre("f32[2] {-3, -6}"));
}

// What is fused, decomposed and merged outside is so in bodies.
TEST(ControlFlow, PassesGoIntoBodies) {
  const Graph graph = Parse(R"(
graph g(x: f32[N,8], n: i64[]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      a = Softmax(v)
      b = Softmax(v)
      w = Add(a, b)
    }
  }
}
)");
  CompileReport report;
  ASSERT_TRUE(RunPipeline(graph, {}, Stage::kPlanned, report).ok());
  const auto* loop = std::get_if<ControlStep>(&report.plan->steps[0].work);
  ASSERT_NE(loop, nullptr);
  int kernels = 0;
  for (const PlanStep& step : loop->bodies[0]->steps) kernels += std::holds_alternative<FusedStep>(step.work);
  EXPECT_EQ(kernels, 1);
  EXPECT_THAT(ToString(*report.plan), HasSubstr("y = loop(n, x) {body}"));
}

}  // namespace
}  // namespace tenfold
