// SPDX-License-Identifier: Apache-2.0
//
// Values in the memory of others: views that are not copied, operands that are computed where they are
// joined, and when neither may be.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/compiler/pipeline.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/tests/compiler/run_everywhere.h"

namespace tenfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Planned {
  Plan plan;
  std::vector<std::string> remarks;  // of what shares memory
};

Planned PlanOf(const std::string& text, int opt_level = 2) {
  CompileReport report;
  const absl::Status status = RunPipeline(Parse(text), {.opt_level = opt_level}, Stage::kPlanned, report);
  EXPECT_TRUE(status.ok()) << status;
  Planned planned;
  if (report.plan) planned.plan = *std::move(report.plan);
  for (const Remark& remark : report.remarks) {
    if (remark.pass == "share-memory") planned.remarks.push_back(remark.ToString());
  }
  return planned;
}

// "b: alias of x from element 4 on", of all values that lie in others; steps: "1: y.1 = copy(x)".
std::vector<std::string> Aliases(const Plan& plan) {
  std::vector<std::string> texts;
  for (const PlanValue& value : plan.values) {
    if (value.storage != StorageKind::kAlias) continue;
    texts.push_back(
        absl::StrCat(value.name, ": ", plan.values[value.index].name, " + ", value.offset.ToString()));
  }
  return texts;
}
std::vector<std::string> Copies(const Plan& plan) {
  std::vector<std::string> texts;
  for (const PlanStep& step : plan.steps) {
    const auto* copy = std::get_if<CopyStep>(&step.work);
    if (copy != nullptr) texts.push_back(plan.values[copy->out].name);
  }
  return texts;
}

// --- Views -------------------------------------------------------------------------------------------------

constexpr char kSplit[] = R"(
graph g(x: f32[N,4,2], w: f32[2,3]) -> (p, q) {
  h = MatMul(x, w)
  a, b, c = Split(h, axis=0, num_outputs=3)
  d_w = Const f32[3] {0.5, 2, 1}
  d = MatMul(a, d_w)
  e_w = Const f32[3] {1, 1, 1}
  e = MatMul(c, e_w)
  f_w = Const f32[3] {1, 2, 3}
  f = MatMul(b, f_w)
  p = Add(e, 1)
  de = Concat(d, f, axis=0)
  q = Neg(de)
}
)";

TEST(SharedMemory, PartsOfASplitAreViews) {
  const Planned planned = PlanOf(kSplit);
  EXPECT_THAT(Copies(planned.plan), IsEmpty());
  EXPECT_THAT(Aliases(planned.plan),
              ElementsAre("a: h + 0", "b: h + 12*floordiv(N + 2, 3)", "c: h + 24*floordiv(N + 2, 3)",
                          "d: de + 0", "f: de + 4*floordiv(N + 2, 3)"));
  EXPECT_THAT(
      planned.remarks,
      ElementsAre("share-memory: did  Concat 'de': 2 of 2 operands are computed in it",
                  "share-memory: did  Split 'a': no copy: it is 'h' from element 0 on",
                  "share-memory: did  Split 'b': no copy: it is 'h' from element 12*floordiv(N + 2, 3) on",
                  "share-memory: did  Split 'c': no copy: it is 'h' from element 24*floordiv(N + 2, 3) on"));
  EXPECT_THAT(
      ToString(planned.plan),
      HasSubstr("b: f32[floordiv(N + 2, 3),4,3]  alias of h from element 12*floordiv(N + 2, 3) on\n"));
  EXPECT_THAT(
      RunAll(kSplit, {{"x",
                       "f32[3,4,2] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, "
                       "19, 20, 21, 22, 23, 24}"},
                      {"w", "f32[2,3] {1, 0, 2, 0, 1, -1}"}}),
      ElementsAre("f32[1,4] {52, 58, 64, 70}", "f32[2,4] {-4.5, -11.5, -18.5, -25.5, -53, -65, -77, -89}"));
  EXPECT_THAT(RunAll(kSplit, {{"x", "f32[0,4,2] {}"}, {"w", "f32[2,3] {1, 0, 2, 0, 1, -1}"}}),
              ElementsAre("f32[0,4] {}", "f32[0,4] {}"));
}

// Three parts of two rows each are more than five rows.
TEST(SharedMemory, AViewThatCannotBeIsRefused) {
  constexpr char kText[] = R"(
graph g(x: f32[N,2]) -> (y) {
  a, b, c, d = Split(x, axis=0, num_outputs=4)
  m = Const f32[2] {1, 1}
  y = MatMul(a, m)
}
)";
  const absl::StatusOr<Executable> executable = Compile(Parse(kText));
  ASSERT_TRUE(executable.ok()) << executable.status();
  const auto got = executable->Run(Feeds({{"x", "f32[5,2] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}"}}));
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(
      got.status().message(),
      "error[E0605 input-shape]: Split 'c': with the extents that were fed, it would read or write outside "
      "its tensors");
  EXPECT_TRUE(executable->Run(Feeds({{"x", "f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}"}})).ok());
}

// Of a feed, a constant, another view, an output, of what a body takes and of what only a run knows the size
// of.
TEST(SharedMemory, ViewsOfEveryKindOfMemory) {
  constexpr char kText[] = R"(
graph g(x: f32[4,2], big: f32[N]) -> (of_feed, of_view, source, of_output, of_loop, of_step) {
  lower = Slice(x, {2}, {4})
  of_feed_w = Const f32[2] {1, 10}
  of_feed = MatMul(lower, of_feed_w)
  last = Slice(lower, {1}, {2})
  of_view_w = Const f32[2] {1, 10}
  of_view = MatMul(last, of_view_w)
  source_w = Const f32[2,1] {1, 100}
  source = MatMul(x, source_w)
  some = Slice(source, {1}, {3})
  of_output_w = Const f32[1] {1}
  of_output = MatMul(some, of_output_w)
  start = Slice(x, {1}, {3})
  of_loop = Loop(2, _, start) {
    graph body(i, go, v) -> (go, next) {
      first = Slice(v, {0}, {1})
      second = Slice(v, {1}, {2})
      product_w = Const f32[2,2] {0, 1, 1, 0}
      product = MatMul(second, product_w)
      next = Concat(product, first, axis=0)
    }
  }
  where = NonZero(big)
  tail = Slice(where, {1}, {9}, {1})
  row = Squeeze(tail, {0})
  cumulated = CumSum(row, 0)
  of_step = Neg(cumulated)
}
)";
  const std::vector<std::pair<std::string, std::string>> feeds = {{"x", "f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}"},
                                                                  {"big", "f32[5] {1, 0, 2, 0, 3}"}};
  EXPECT_THAT(RunAll(kText, feeds),
              ElementsAre("f32[2] {65, 87}", "f32[1] {87}", "f32[4,1] {201, 403, 605, 807}",
                          "f32[2] {403, 605}", "f32[2,2] {4, 3, 6, 5}", "i64[2] {-2, -6}"));
  const Plan plan = PlanOf(kText).plan;
  EXPECT_THAT(Aliases(plan), ElementsAre("lower: x + 4", "last: x + 6", "some: source + 1", "start: x + 2",
                                         "tail: where + min(where_0, 1)", "row: where + min(where_0, 1)"));
  EXPECT_THAT(Copies(plan), IsEmpty());
}

// Where the elements do not follow one another, and where it is an output. Elements without addresses are
// unpacked first.
TEST(SharedMemory, WhatIsNoViewSaysWhy) {
  constexpr char kText[] = R"(
graph g(x: f32[4,2], n: i4[8]) -> (fetched, y, m) {
  fetched = Slice(x, {1}, {3})
  column = Slice(x, {0}, {1}, {1})
  y_w = Const f32[1,1] {3}
  y = MatMul(column, y_w)
  m = Slice(n, {2}, {6})
}
)";
  const Planned planned = PlanOf(kText);
  EXPECT_THAT(
      planned.remarks,
      ElementsAre("share-memory: left Slice 'fetched': copied: it is an output, which has memory of its own",
                  "share-memory: left Slice 'column': copied: it is not one run of its operand's memory",
                  "share-memory: did  Slice 'm/slice': no copy: it is 'm/unpackelements' from element 2 on"));
  EXPECT_THAT(Aliases(planned.plan), ElementsAre("m/slice: m/unpackelements + 2"));
  EXPECT_THAT(
      RunAll(kText, {{"x", "f32[4,2] {1, 2, 3, 4, 5, 6, 7, 8}"}, {"n", "i4[8] {0, 1, 2, 3, 4, 5, 6, 7}"}}),
      ElementsAre("f32[2,2] {3, 4, 5, 6}", "f32[4,1] {3, 9, 15, 21}", "i4[4] {2, 3, 4, 5}"));
}

// A view of an intermediate keeps it. So a small one that is read late is a copy; the same read at once is
// none, nor one of a feed, which is there anyway.
TEST(SharedMemory, ASmallViewDoesNotKeepALargeValue) {
  const std::string late = R"(
graph g(x: f32[64,64], w: f32[64,64]) -> (y) {
  h = MatMul(x, x)
  s = Slice(SOURCE, {3}, {4})
  a = MatMul(x, w)
  b = MatMul(a, x)
  y = MatMul(s, b)
}
)";
  const Planned of_intermediate = PlanOf(absl::StrReplaceAll(late, {{"SOURCE", "h"}}));
  EXPECT_THAT(
      of_intermediate.remarks,
      ElementsAre("share-memory: left Slice 's': copied: as a view it would keep 'h', of which it is a "
                  "small part, for later steps"));
  EXPECT_THAT(Copies(of_intermediate.plan), ElementsAre("s"));
  EXPECT_EQ(of_intermediate.plan.memory.arena_bytes.constant(), 2 * 64 * 64 * 4 + 64 * 4);
  const Planned of_feed = PlanOf(absl::StrReplaceAll(late, {{"SOURCE", "x"}}));
  EXPECT_THAT(Copies(of_feed.plan), IsEmpty());
  EXPECT_THAT(Aliases(of_feed.plan), ElementsAre("s: x + 192"));
  EXPECT_THAT(Copies(PlanOf(R"(
graph g(x: f32[64,64]) -> (y) {
  h = MatMul(x, x)
  s = Slice(h, {3}, {4})
  y = MatMul(s, x)
}
)")
                         .plan),
              IsEmpty());
}

// A kernel that reads a slice need not write it for others who read it, too.
TEST(SharedMemory, AFusedViewIsNotWrittenForOthers) {
  constexpr char kText[] = R"(
graph g(x: f32[4,3]) -> (y, z) {
  s = Slice(x, {1}, {3})
  y = Exp(s)
  z_w = Const f32[3] {1, 2, 3}
  z = MatMul(s, z_w)
}
)";
  const Planned planned = PlanOf(kText);
  EXPECT_THAT(Copies(planned.plan), IsEmpty());
  EXPECT_EQ(planned.plan.steps.size(), 2u);
  for (const PlanStep& step : planned.plan.steps) EXPECT_EQ(StepOutputs(step).size(), 1u);
  EXPECT_THAT(RunAll(kText, {{"x", "f32[4,3] {9, 9, 9, 0, 0, 0, -inf, 1, 0, 9, 9, 9}"}}),
              ElementsAre("f32[2,3] {1, 1, 1, 0, 2.7182817, 1}", "f32[2] {0, -inf}"));
}

// Written before they are read whatever the extents: offsets follow them from run to run.
TEST(SharedMemory, OffsetsFollowTheExtents) {
  const absl::StatusOr<Executable> executable = Compile(Parse(kSplit));
  ASSERT_TRUE(executable.ok()) << executable.status();
  Invocation call = executable->Prepare();
  const std::vector<float> w = {1, 0, 2, 0, 1, -1};
  for (const int64_t n : {3, 6, 3, 30, 6}) {
    std::vector<float> x(8 * n);
    for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
    ASSERT_EQ(call.SetInput(0, DType::kF32, Dims{n, 4, 2}, x.data()), absl::OkStatus());
    ASSERT_EQ(call.SetInput(1, DType::kF32, Dims{2, 3}, w.data()), absl::OkStatus());
    ASSERT_EQ(call.Run(), absl::OkStatus());
    // e + 1, of the last third: x0 + x1 + (2 x0 - x1) + 1.
    ASSERT_THAT(call.Output(0).dims, ElementsAre(n / 3, 4));
    const auto* p = static_cast<const float*>(call.Output(0).data);
    for (int64_t i = 0; i < n / 3 * 4; ++i)
      EXPECT_EQ(p[i], 3 * x[(n - n / 3) * 8 + 2 * i] + 1) << n << " " << i;
  }
}

// --- Parts -------------------------------------------------------------------------------------------------

// Operands are computed where they are joined; in the memory of an output, whose NaNs are canonical.
TEST(SharedMemory, OperandsAreComputedInTheOutput) {
  constexpr char kText[] = R"(
graph g(x: f32[N,2], m: f32[2,2]) -> (y) {
  a = MatMul(x, m)
  b = Sqrt(x)
  k = CumSum(x, 0)
  y = Concat(a, b, k, axis=0)
}
)";
  const Planned planned = PlanOf(kText);
  EXPECT_THAT(Aliases(planned.plan), ElementsAre("a: y + 0", "k: y + 4*N", "b: y + 2*N"));
  EXPECT_THAT(Copies(planned.plan), IsEmpty());
  EXPECT_TRUE(planned.plan.memory.arena_bytes == Dim(0));
  EXPECT_THAT(planned.remarks,
              ElementsAre("share-memory: did  Concat 'y': 3 of 3 operands are computed in it"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2,2] {4, -1, 0, 9}"}, {"m", "f32[2,2] {0, 1, 1, 0}"}}),
              ElementsAre("f32[6,2] {-1, 4, 9, 0, 2, nan, 0, 3, 4, -1, 4, 8}"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[0,2] {}"}, {"m", "f32[2,2] {0, 1, 1, 0}"}}),
              ElementsAre("f32[0,2] {}"));
}

// Each for another reason; they are copied to their places, one step each.
TEST(SharedMemory, WhatElseIsJoinedIsCopied) {
  constexpr char kText[] = R"(
graph g(x: f32[1,2], m: f32[2,2]) -> (fetched, y) {
  c = Const f32[1,2] {8, 9}
  fetched = MatMul(x, m)
  twice = MatMul(fetched, m)
  placed = MatMul(twice, m)
  view = Slice(m, {1}, {2})
  y = Concat(x, c, fetched, twice, placed, view, axis=0)
}
)";
  const Planned planned = PlanOf(kText);
  EXPECT_THAT(
      planned.remarks,
      ElementsAre(
          "share-memory: did  Concat 'y': 1 of 6 operands are computed in it",
          "share-memory: left Concat 'y': 'x' is copied: it is an input; 'c' is copied: it is a constant; "
          "'fetched' is copied: it is an output; 'twice' is copied: it is read more than once; "
          "'view' is copied: it is a view of 'm'",
          "share-memory: did  Slice 'view': no copy: it is 'm' from element 2 on"));
  EXPECT_THAT(Aliases(planned.plan), ElementsAre("placed: y + 8", "view: m + 2", "y.0: y + 0", "y.1: y + 2",
                                                 "y.2: y + 4", "y.3: y + 6", "y.5: y + 10"));
  EXPECT_THAT(Copies(planned.plan), ElementsAre("y.0", "y.1", "y.2", "y.3", "y.5"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[1,2] {1, 2}"}, {"m", "f32[2,2] {0, 2, 1, 0}"}}),
              ElementsAre("f32[1,2] {2, 2}", "f32[6,2] {1, 2, 8, 9, 2, 2, 2, 4, 4, 4, 1, 0}"));
}

// One value twice is in two places; along an inner axis nothing is in one piece; the same of sizes that only
// a run knows.
TEST(SharedMemory, WhatIsNotComputedInPlace) {
  EXPECT_THAT(PlanOf(R"(
graph g(x: f32[2,2]) -> (y) {
  a = MatMul(x, x)
  y = Concat(a, a, axis=0)
}
)")
                  .remarks,
              ElementsAre("share-memory: left Concat 'y': 'a' is copied: it is read more than once"));
  EXPECT_THAT(
      PlanOf(R"(
graph g(x: f32[2,2]) -> (y) {
  a = MatMul(x, x)
  b_w = Const f32[2] {1, 2}
  b = MatMul(x, b_w)
  c = Unsqueeze(b, {1})
  y = Concat(a, c, axis=1)
}
)")
          .remarks,
      ElementsAre("share-memory: left Concat 'y': its operands are copied: each lies in it in pieces"));
  constexpr char kGrown[] = R"(
graph g(x: f32[N]) -> (y) {
  a = CumSum(x, 0)
  some = Const bool[3] {true, false, true}
  found = Compress(x, some)
  b = CumSum(found, 0)
  y = Concat(a, b, axis=0)
}
)";
  const Planned grown = PlanOf(kGrown);
  EXPECT_THAT(
      grown.remarks,
      ElementsAre("share-memory: left Concat 'y': its operands are copied: its size follows from found_0, "
                  "which only a run knows"));
  EXPECT_THAT(RunAll(kGrown, {{"x", "f32[4] {1, 2, 3, 4}"}}), ElementsAre("f32[6] {1, 3, 6, 10, 1, 4}"));
}

// What is joined is joined again, and given another shape: all of it lies in the output from the beginning.
TEST(SharedMemory, PartsOfParts) {
  constexpr char kText[] = R"(
graph g(x: f32[2,2]) -> (y) {
  a = MatMul(x, x)
  b_w = Const f32[2] {1, 2}
  b = MatMul(x, b_w)
  bb = Unsqueeze(b, {0})
  ab = Concat(a, bb, axis=0)
  c = CumSum(x, 1)
  abc = Concat(c, ab, axis=0)
  y = Reshape(abc, {10})
}
)";
  const Planned planned = PlanOf(kText);
  EXPECT_THAT(planned.remarks,
              ElementsAre("share-memory: did  Reshape 'y': 'abc' is computed in its memory",
                          "share-memory: did  Concat 'abc': 2 of 2 operands are computed in it",
                          "share-memory: did  Concat 'ab': 2 of 2 operands are computed in it"));
  EXPECT_THAT(Aliases(planned.plan), ElementsAre("a: y + 4", "b: y + 8", "c: y + 0"));
  EXPECT_THAT(Copies(planned.plan), IsEmpty());
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2,2] {1, 2, 3, 4}"}}),
              ElementsAre("f32[10] {1, 3, 3, 7, 7, 10, 15, 22, 5, 11}"));
}

// The output has a place only when another step has run.
TEST(SharedMemory, AReshapedResultWhoseExtentsOnlyARunKnows) {
  constexpr char kText[] = R"(
graph g(x: f32[0], z: f32[2], c: bool[2]) -> (y) {
  a = CumSum(x, 0)
  found = Compress(z, c)
  n = Shape(found)
  none = Const i64[1] {0}
  sizes = Concat(none, n, axis=0)
  y = Reshape(a, sizes, allowzero=true)
}
)";
  EXPECT_THAT(Copies(PlanOf(kText).plan), ElementsAre("sizes.0", "y"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[0] {}"}, {"z", "f32[2] {1, 2}"}, {"c", "bool[2] {true, true}"}}),
              ElementsAre("f32[0,2] {}"));
}

TEST(SharedMemory, AReshapedResultIsComputedInTheOutput) {
  constexpr char kText[] = R"(
graph g(x: f32[2,N]) -> (y, kept, z) {
  a = CumSum(x, 1)
  y = Reshape(a, {-1})
  kept = CumSum(x, 0)
  z = Flatten(kept)
}
)";
  const Plan plan = PlanOf(kText).plan;
  EXPECT_THAT(Aliases(plan), ElementsAre("a: y + 0", "z: kept + 0"));
  EXPECT_THAT(Copies(plan), ElementsAre("z"));
  EXPECT_TRUE(plan.memory.arena_bytes == Dim(0));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2,2] {1, 2, 3, 4}"}}),
              ElementsAre("f32[4] {1, 3, 3, 7}", "f32[2,2] {1, 2, 4, 6}", "f32[2,2] {1, 2, 4, 6}"));
}

// Branches write where their results are joined; what a loop carries is not joined there.
TEST(SharedMemory, ControlStepsWriteParts) {
  constexpr char kText[] = R"(
graph g(x: f32[2], c: bool[]) -> (y) {
  a = If(c) {
    graph then() -> (p) {
      p = Exp(x)
    }
    graph else() -> (p) {
      p = Neg(x)
    }
  }
  b = Loop(3, _, x) {
    graph body(i, go, v) -> (go, next) {
      next = Add(v, v)
    }
  }
  joined = Concat(a, b, axis=0)
  y = Neg(joined)
}
)";
  const Plan plan = PlanOf(kText).plan;
  EXPECT_THAT(Aliases(plan), ElementsAre("a: joined + 0", "b: joined + 2"));
  EXPECT_THAT(RunAll(kText, {{"x", "f32[2] {0, 1}"}, {"c", "bool[] {false}"}}),
              ElementsAre("f32[4] {0, 1, -0, -8}"));
}

}  // namespace
}  // namespace tenfold
