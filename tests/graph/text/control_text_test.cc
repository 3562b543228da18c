// SPDX-License-Identifier: Apache-2.0
//
// Control ops in text: what is canonical, what bodies see, and the full text of refusals.
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/text/dot.h"
#include "tenfold/graph/text/json.h"
#include "tenfold/graph/text/parser.h"
#include "tenfold/graph/text/printer.h"

namespace tenfold {
namespace {

using ::testing::HasSubstr;

std::string Printed(const std::string& text) {
  const absl::StatusOr<Graph> graph = ParseText(text);
  EXPECT_TRUE(graph.ok()) << graph.status();
  if (!graph.ok()) return "";
  EXPECT_TRUE(VerifyGraph(*graph).ok()) << VerifyGraph(*graph);
  return PrintText(*graph, {.header = false});
}

// Functions first, types of the bodies' inputs, what is captured by its name alone.
constexpr char kCanonical[] = R"(function scale(v: f32[B,4]) -> (r) {
  r = Mul(v, 0.5)
}

function twice(v: f32[B,4]) -> (r) {
  s = Call(v, function="scale")
  r = Call(s, function="scale")
}

graph control(x: f32[N,4], c: bool[], n: i64[]) -> (y, rows, t) {
  s = Call(x, function="twice")
  t = If(c) {
    graph then() -> (p) {
      p = Add(s, x)
    }
    graph else() -> (s) {
    }
  }
  y, rows = Loop(n, _, t, symbols=["y_0", "y_1"]) {
    graph body(i: i64[], go: bool[], v: f32[v_0,4]) -> (go, w, row) {
      w = If(go) {
        graph then() -> (q) {
          q = Concat(v, t, axis=0)
        }
        graph else() -> (q) {
          q = Concat(v, v, axis=0)
        }
      }
      row = ReduceSum(x, axes=[0], keepdims=false)
    }
  }
}
)";

TEST(ControlText, CanonicalTextPrintsTheSame) {
  const std::string printed = Printed(kCanonical);
  EXPECT_EQ(Printed(printed), printed);
  // The inner branches' size is one that only a run knows.
  EXPECT_THAT(printed, HasSubstr("w = If(go, symbols=[\"w_0\"]) {"));
}

TEST(ControlText, TypesOfInputsMayBeLeftOut) {
  const std::string text = R"(graph g(x: f32[N], n: i64[]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Exp(v)
    }
  }
}
)";
  EXPECT_THAT(Printed(text), HasSubstr("graph body(i: i64[], go: bool[], v: f32[N]) -> (go, w) {"));
}

// What a body defines goes before what stands around it. Passes rename values, so a graph may also hold a
// name twice that text could not tell apart: the body's own value then gets another.
TEST(ControlText, NamesOfABodyGoBefore) {
  const std::string text = R"(graph g(c: bool[], x: f32[N]) -> (y) {
  a = Neg(x)
  y = If(c) {
    graph then() -> (p) {
      p = Exp(a)
    }
    graph else() -> (a) {
      a = Abs(x)
    }
  }
}
)";
  EXPECT_EQ(Printed(text), text);
  absl::StatusOr<Graph> graph = ParseText(text);
  ASSERT_TRUE(graph->Rename(*graph->FindValue("a"), "p").ok());
  EXPECT_THAT(PrintText(*graph), HasSubstr("graph then() -> (p=p.1) {\n      p.1 = Exp(p)\n"));
  EXPECT_EQ(Printed(PrintText(*graph)), PrintText(*graph, {.header = false}));
}

TEST(ControlText, OtherFormsShowBodies) {
  const absl::StatusOr<Graph> graph = ParseText(kCanonical);
  const std::string json = PrintJson(*graph);
  EXPECT_THAT(json, HasSubstr("\"functions\""));
  EXPECT_THAT(json, HasSubstr("\"bodies\""));
  const std::string dot = PrintDot(*graph);
  EXPECT_THAT(dot, HasSubstr("label=\"then\""));
  EXPECT_THAT(dot, HasSubstr("label=\"scale\""));
}

TEST(ControlText, NestingIsLimited) {
  std::string functions = "function f0(x: f32[]) -> (y) {\n y = Exp(x)\n}\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "\"f" + std::to_string(i - 1) + "\"";
    functions += "function f" + std::to_string(i) + "(x: f32[]) -> (y) {\n a = Call(x, function=" + before +
                 ")\n y = Call(a, function=" + before + ")\n}\n";
  }
  const absl::Status status =
      ParseText(functions + "graph g(x: f32[]) -> (y) {\n y = Call(x, function=\"f11\")\n}\n").status();
  const Diagnostic d = DiagnosticsOf(status)[0];
  EXPECT_EQ(d.code, "E0402");
  EXPECT_EQ(d.message, "Call 'a' would nest bodies 9 levels deep; the limit is 8");
  EXPECT_EQ(d.help[0].text, "if that is meant, allow it: --nesting 9 (in C++, Limits::nesting)");
}

struct Refusal {
  const char* text;
  const char* error;
};

constexpr Refusal kRefusals[] = {
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (x) {
    }
  }
}
)",
     R"(error[E0501 bad-syntax]: If has two bodies in { }, and 1 are written
  --> text:2:7
  2 |   y = If(c) {
    |       ^~
  help: write If(c) { graph then() -> (y) { ... } graph else() -> (y) { ... } })"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Call(x, function="norm") {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0501 bad-syntax]: Call takes no body: a function stands before the graph
  --> text:2:7
  2 |   y = Call(x, function="norm") {
    |       ^~~~)"},
    {R"(graph g(x: f32[N]) -> (y) {
  y = Neg(x) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0501 bad-syntax]: Neg takes no body: only a fused node, If, Loop and Scan have any
  --> text:2:7
  2 |   y = Neg(x) {
    |       ^~~)"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0504 type-disagrees]: 'body' takes 1 input, but Loop gives it 3
  --> text:3:11
  3 |     graph body(v) -> (v) {
    |           ^~~~
  help: a loop's body takes the iteration's number, the condition and the carried values)"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x, captured=1) {
    graph body(i, go, v) -> (go, v) {
    }
  }
}
)",
     R"(error[E0102 bad-attribute]: what a body reads of the graph around it is found, and not written as 'captured'
  --> text:2:21
  2 |   y = Loop(n, _, x, captured=1) {
    |                     ^~~~~~~~
  help: leave it out)"},
    {R"(graph g(c: bool[], scale: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (p) {
      p = Neg(scal)
    }
    graph else() -> (scale) {
    }
  }
}
)",
     R"(error[E0107 unknown-name]: there is no value 'scal'
  --> text:4:15
  4 |       p = Neg(scal)
    |               ^~~~
  help: did you mean 'scale'?)"},
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (p) {
      p = Neg(y)
    }
    graph else() -> (x) {
    }
  }
}
)",
     R"(error[E0106 cycle]: 'y' depends on itself
  --> text:4:15
  4 |       p = Neg(y)
    |               ^
  help: statements stand in the order of computation, and a graph has no cycles)"},
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (p) {
      p = Neg(z)
    }
    graph else() -> (x) {
    }
  }
  z = Neg(x)
}
)",
     R"(error[E0106 cycle]: 'z' is read before it is computed, at line 9
  --> text:4:15
  4 |       p = Neg(z)
    |               ^
  help: statements stand in the order of computation, and a graph has no cycles)"},
    {R"(function norm(x: f32[N]) -> (y) {
  y = Exp(x)
}
graph g(x: f32[2]) -> (y) {
  y = Call(x, function="nrom")
}
)",
     R"(error[E0107 unknown-name]: there is no function 'nrom'
  --> text:5:7
  5 |   y = Call(x, function="nrom")
    |       ^~~~
  help: did you mean 'norm'?)"},
    {R"(function norm(x: f32[N]) -> (y) {
  y = Call(x, function="norm")
}
graph g(x: f32[2]) -> (y) {
  y = Call(x, function="norm")
}
)",
     R"(error[E0107 unknown-name]: there is no function 'norm'
  --> text:2:7
  2 |   y = Call(x, function="norm")
    |       ^~~~
  help: a function stands before the graph: function f(x: f32[N]) -> (y) { ... })"},
    {R"(function norm(x: f32[N,N]) -> (y) {
  y = Exp(x)
}
graph g(x: f32[2,3]) -> (y) {
  y = Call(x, function="norm")
}
)",
     R"(error[E0504 type-disagrees]: Call 'y': input 'x' of function 'norm' is f32[N,N], but is given f32[2,3]
  --> text:5:7
  5 |   y = Call(x, function="norm")
    |       ^~~~
  arguments[0] comes from Input 'x' (text:4:9))"},
    {R"(function norm(x: f32[N,N]) -> (y) {
  y = Exp(x)
}
graph g(x: f32[2,3]) -> (y) {
  y = Call(x, x, function="norm")
}
)",
     R"(error[E0504 type-disagrees]: Call 'y': function 'norm' takes 1 input, but is given 2
  --> text:5:7
  5 |   y = Call(x, x, function="norm")
    |       ^~~~
  arguments[0] comes from Input 'x' (text:4:9), arguments[1] comes from Input 'x' (text:4:9))"},
    {R"(graph g(c: bool[], x: f32[N]) -> (y) {
  y = If(c) {
    graph then() -> (p) {
      p = Cast(x, to=f64)
    }
    graph else() -> (x) {
    }
  }
}
)",
     R"(error[E0205 dtype-mismatch]: If 'y': dtypes of its branches differ: result 0 is f64[N] 'p' in 'then' and f32[N] 'x' in 'else'
  --> text:2:7
  2 |   y = If(c) {
    |       ^~
  condition comes from Input 'c' (text:1:9), captured_values[0] comes from Input 'x' (text:1:20)
  help: Cast(p, to=f32) in 'then', or the other way round)"},
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (p) {
      p = ReduceSum(x, axes=[1], keepdims=false)
    }
    graph else() -> (x) {
    }
  }
}
)",
     R"(error[E0207 rank-mismatch]: If 'y': ranks of its branches differ: result 0 is f32[N] 'p' in 'then' and f32[N,4] 'x' in 'else'
  --> text:2:7
  2 |   y = If(c) {
    |       ^~
  condition comes from Input 'c' (text:1:9), captured_values[0] comes from Input 'x' (text:1:20)
  help: Reshape or Unsqueeze one of them: sizes may differ, ranks may not)"},
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (x) {
    }
    graph else() -> (x, z=x) {
    }
  }
}
)",
     R"(error[E0103 wrong-arity]: If 'y': its branches differ: 'then' gives 1 result, 'else' gives 2
  --> text:2:7
  2 |   y = If(c) {
    |       ^~
  condition comes from Input 'c' (text:1:9), captured_values[0] comes from Input 'x' (text:1:20))"},
    {R"(graph g(c: bool[], x: f32[N,4]) -> (y, z) {
  y, z = If(c) {
    graph then() -> (x) {
    }
    graph else() -> (x) {
    }
  }
}
)",
     R"(error[E0103 wrong-arity]: If gives 1 result, but 2 names stand before '='
  --> text:2:3
  2 |   y, z = If(c) {
    |   ^~~~~~~~~)"},
    {R"(graph g(c: bool[3], x: f32[N,4]) -> (y) {
  y = If(c) {
    graph then() -> (p=x) {
    }
    graph else() -> (x) {
    }
  }
}
)",
     R"(error[E0207 rank-mismatch]: If 'y': condition 'c' is bool[3], but one element is needed
  --> text:2:7
  2 |   y = If(c) {
    |       ^~
  condition comes from Input 'c' (text:1:9), captured_values[0] comes from Input 'x' (text:1:21)
  help: ReduceMax(c) or Reshape(c, {}) gives one)"},
    {R"(graph g(n: i64[], x: f32[N]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Cast(v, to=f64)
    }
  }
}
)",
     R"(error[E0205 dtype-mismatch]: Loop 'y': carried value 'v' goes into the body as f32[N] and comes out of it as f64[N]: the dtype must stay
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19)
  help: Cast(w, to=f32) at the end of the body)"},
    {R"(graph g(n: i64[], x: f32[N]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Unsqueeze(v, {0})
    }
  }
}
)",
     R"(error[E0207 rank-mismatch]: Loop 'y': carried value 'v' goes into the body as f32[N] and comes out of it as f32[1,N]: the rank must stay
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19)
  help: Reshape it at the end of the body)"},
    {R"(graph g(n: i64[], x: f32[N]) -> (y, r) {
  y, r = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w, row=w) {
      w = Concat(v, v, axis=0)
    }
  }
}
)",
     R"(error[E0221 unstable-shape]: Loop 'y': output 'row' of the body is stacked, and is f32[2*v_0], whose size 2*v_0 is not the same in every iteration
  --> text:2:10
  2 |   y, r = Loop(n, _, x) {
    |          ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19)
  help: Pad it to one size in the body, or carry it along by Concat)"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      s = Squeeze(v)
      w = Concat(s, s, axis=0)
    }
  }
}
)",
     R"(error[E0211 value-not-known]: Squeeze 's': data 'v' is f32[v_0]: whether dim 0, v_0, is dropped would depend on its value
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  data comes from Input 'v' (text:3:23)
  in the body of Loop, 'v' goes in as f32[2] and comes out as f32[4], so it was taken as f32[v_0]
  help: let the body give it back in the shape that it takes)"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v: f32[3]) -> (go, v) {
    }
  }
}
)",
     R"(error[E0504 type-disagrees]: Loop 'y': input 'v' of the body is f32[3], but is given f32[2]
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19))"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (v, w=v) {
    }
  }
}
)",
     R"(error[E0206 dtype-not-admitted]: Loop 'y': the first result of the body, 'v', is f32[2], but must be a bool[]: whether to go on
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19))"},
    {R"(graph g(n: i64[], x: f32[2]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go) {
    }
  }
}
)",
     R"(error[E0103 wrong-arity]: Loop 'y': the body gives 1 result, but a condition and 1 carried value are needed
  --> text:2:7
  2 |   y = Loop(n, _, x) {
    |       ^~~~
  trip_count comes from Input 'n' (text:1:9), carried[0] comes from Input 'x' (text:1:19))"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Scan(x) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0102 bad-attribute]: Scan: the attribute 'num_scan_inputs' is 0, for 1 operand to carry or scan
  --> text:2:7
  2 |   y = Scan(x) {
    |       ^~~~
  help: it counts the last operands, those that are scanned: at least 1)"},
    {R"(graph g(x: f32[2,3], z: f32[3]) -> (y) {
  y = Scan(x, z, num_scan_inputs=2) {
    graph body(v, w) -> (v) {
    }
  }
}
)",
     R"(error[E0201 shape-mismatch]: Scan 'y': lengths of scanned inputs differ: carried_and_scanned[0] 'x' is f32[2,3], carried_and_scanned[1] 'z' is f32[3]: 2 against 3
  --> text:2:7
  2 |   y = Scan(x, z, num_scan_inputs=2) {
    |       ^~~~
  carried_and_scanned[0] comes from Input 'x' (text:1:9), carried_and_scanned[1] comes from Input 'z' (text:1:22))"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Scan(x, num_scan_inputs=1, scan_input_axes=[2]) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0203 bad-axis]: Scan 'y': axis 2 in scan_input_axes is outside [-2, 2): carried_and_scanned[0] 'x' is f32[2,3]
  --> text:2:7
  2 |   y = Scan(x, num_scan_inputs=1, scan_input_axes=[2]) {
    |       ^~~~
  carried_and_scanned[0] comes from Input 'x' (text:1:9))"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Scan(x, num_scan_inputs=1, scan_input_directions=[2]) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0102 bad-attribute]: Scan: the attribute 'scan_input_directions' holds 2, but 0 is forward and 1 is reverse
  --> text:2:7
  2 |   y = Scan(x, num_scan_inputs=1, scan_input_directions=[2]) {
    |       ^~~~)"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Scan(x, num_scan_inputs=1, scan_output_axes=[2]) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0203 bad-axis]: Scan 'y': axis 2 in scan_output_axes is outside [-2, 2) for a stacked result of rank 2
  --> text:2:7
  2 |   y = Scan(x, num_scan_inputs=1, scan_output_axes=[2]) {
    |       ^~~~
  carried_and_scanned[0] comes from Input 'x' (text:1:9))"},
    {R"(graph g(x: f32[2,3]) -> (y) {
  y = Scan(x, num_scan_inputs=2) {
    graph body(v) -> (v) {
    }
  }
}
)",
     R"(error[E0102 bad-attribute]: Scan: the attribute 'num_scan_inputs' is 2, for 1 operand to carry or scan
  --> text:2:7
  2 |   y = Scan(x, num_scan_inputs=2) {
    |       ^~~~
  help: it counts the last operands, those that are scanned: at least 1)"},
    {R"(graph g(n: i64[], x: f32[N]) -> (y) {
  y = Loop(n, _, x, symbols=["N"]) {
    graph body(i, go, v) -> (go, w) {
      w = Concat(v, v, axis=0)
    }
  }
}
)",
     R"(error[E0210 bad-type-text]: the attribute 'symbols' of Loop names N, which is the size of something else already
  --> text:2:7
  2 |   y = Loop(n, _, x, symbols=["N"]) {
    |       ^~~~
  help: leave the attribute out, and names are found)"},
    {R"(graph g(n: i64[], x: f32[N]) -> (y) {
  y = Loop(n, _, x) {
    graph body(i, go, v) -> (go, w) {
      w = Concat(v, v, axis=1)
    }
  }
}
)",
     R"(error[E0203 bad-axis]: Concat 'w': axis=1 is outside [-1, 1) for a tensor of rank 1
  --> text:4:11
  4 |       w = Concat(v, v, axis=1)
    |           ^~~~~~
  inputs[0] comes from Input 'v' (text:3:23), inputs[1] comes from Input 'v' (text:3:23)
  help: its only axis is 0, or -1)"},
};

TEST(ControlText, RefusalsSayWhatToDo) {
  for (const Refusal& refusal : kRefusals) {
    const absl::StatusOr<Graph> graph = ParseText(refusal.text);
    EXPECT_FALSE(graph.ok()) << refusal.text;
    EXPECT_EQ(std::string(graph.status().message()), refusal.error);
  }
}

}  // namespace
}  // namespace tenfold
