// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/plan_memory.h"

#include <random>

#include "gtest/gtest.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

struct Placed {
  int value, first, last;
  int64_t begin, end;
};

// Where everything lies when the symbols have these values.
std::vector<Placed> Place(const Plan& plan, const SymbolValues& symbols) {
  std::vector<Placed> placed;
  for (const MemoryPlan::Slot& slot : plan.memory.slots) {
    const int64_t offset = *slot.offset.Evaluate(symbols);
    placed.push_back(
        {slot.value, slot.first_step, slot.last_step, offset, offset + *slot.size.Evaluate(symbols)});
  }
  return placed;
}

// Whether step `s`, a map, writes `b` exactly over its operand `a`, and reads it nowhere else.
bool IsInPlace(const Plan& plan, int s, const Placed& a, const Placed& b) {
  const auto* step = std::get_if<FusedStep>(&plan.steps[s].work);
  if (step == nullptr || step->kernel.reduced_rank() > 0 || a.begin != b.begin || a.end != b.end)
    return false;
  if (!plan.IsWhole(step->outputs[0])) return false;
  for (size_t i = 0; i < step->inputs.size(); ++i) {
    if (plan.Root(step->inputs[i]) != a.value) continue;
    if (!(plan.OffsetOf(step->inputs[i]) == Dim(0))) return false;
    if (step->kernel.inputs[i].strides != step->kernel.outputs[0].operand.strides) return false;
  }
  return true;
}

// The properties that make a memory plan right, checked from the plan's steps rather than its live ranges.
void CheckPlan(const Plan& plan, const SymbolValues& symbols) {
  const std::vector<Placed> placed = Place(plan, symbols);
  const int64_t arena = *plan.memory.arena_bytes.Evaluate(symbols);
  EXPECT_LE(arena, *plan.memory.unshared_bytes.Evaluate(symbols));
  for (const Placed& p : placed) {
    const TensorType& type = plan.values[p.value].type;
    const int64_t bytes =
        *NumElements(*type.shape.Evaluate(symbols)) * static_cast<int64_t>(SizeOf(type.dtype));
    EXPECT_GE(p.end - p.begin, bytes);
    EXPECT_EQ(p.begin % 64, 0);
    EXPECT_EQ(p.end % 64, 0);
    EXPECT_LE(p.end, arena);
  }
  // Walk through the steps: the bytes of a value that is still read later are never written by another.
  for (const Placed& a : placed) {
    int born = -1, dies = -1;
    for (size_t s = 0; s < plan.steps.size(); ++s) {
      for (int v : StepOutputs(plan.steps[s])) {
        if (plan.Root(v) != a.value) continue;
        if (born < 0) born = static_cast<int>(s);  // later steps write further parts of it
        dies = static_cast<int>(s);
      }
      for (int v : StepInputs(plan.steps[s])) {
        if (plan.Root(v) == a.value) dies = static_cast<int>(s);
      }
    }
    for (int s = born; s <= dies; ++s) {
      for (int v : StepOutputs(plan.steps[s])) {
        for (const Placed& b : placed) {
          if (b.value != plan.Root(v) || b.value == a.value) continue;
          if (s == dies && IsInPlace(plan, s, a, b)) continue;
          EXPECT_TRUE(a.end <= b.begin || b.end <= a.begin)
              << plan.values[b.value].name << " overwrites " << plan.values[a.value].name << " at step " << s
              << "\n"
              << MemoryTable(plan);
        }
      }
    }
  }
}

// A random chain of unary and binary steps with reshapes in between.
Plan RandomPlan(std::mt19937& random, const std::vector<std::string>& dims) {
  PlanMaker maker;
  auto pick = [&](int n) { return static_cast<int>(random() % n); };
  std::vector<int> values = {maker.Input("x", "f32[N,M]")};
  const int steps = 1 + pick(25);
  for (int s = 0; s < steps; ++s) {
    const std::string type = "f32[" + dims[pick(static_cast<int>(dims.size()))] + "]";
    const int a = values[pick(static_cast<int>(values.size()))];
    const int b = values[pick(static_cast<int>(values.size()))];
    const int out = maker.Arena("v" + std::to_string(s), type);
    // What the step computes does not matter here, only what it reads and writes.
    maker.Copy(out, a, std::vector<Dim>(maker.raw().values[out].type.shape.rank()));
    if (pick(2) == 0) {
      const int second = maker.Arena("w" + std::to_string(s), type);
      maker.Map(second, {out, out}, AddOf);
      values.push_back(second);
    }
    (void)b;
    values.push_back(out);
    if (pick(3) == 0) {
      const Dim elements = maker.raw().values[out].type.shape.num_elements();
      values.push_back(maker.Alias("r" + std::to_string(s), "f32[" + elements.ToString() + "]", out));
    }
    if (pick(3) == 0) {
      const int view = maker.View("u" + std::to_string(s), "f32[0]", out, 0);
      values.push_back(view);
      const int read = maker.Arena("m" + std::to_string(s), "f32[0]");
      maker.Map(read, {view}, NegOf);
    }
    if (pick(3) == 0) {  // two parts of one value, written by a step each
      const Shape shape = maker.raw().values[out].type.shape;
      const Dim elements = shape.num_elements();
      const int whole = maker.Arena("c" + std::to_string(s), "f32[" + (elements * Dim(2)).ToString() + "]");
      for (const Dim& offset : {Dim(0), elements}) {
        const std::string name = (offset == Dim(0) ? "p" : "q") + std::to_string(s);
        const int part = maker.View(name, type, whole, offset);
        maker.Map(part, {out}, NegOf);
        values.push_back(part);
        const int between = maker.Arena("b" + name, type);
        maker.Map(between, {out}, NegOf);
        values.push_back(between);
      }
      values.push_back(whole);
    }
  }
  const int y = maker.Output("y", "f32[N,M]");
  maker.Copy(y, values.back(), {0, 0});
  return maker.Finish();
}

TEST(PlanMemoryTest, NoTwoLiveValuesOverlap) {
  std::mt19937 random(1);
  for (int i = 0; i < 300; ++i) {
    const Plan plan = RandomPlan(random, {"3", "1000", "16,16", "64", "0", "7,9,11"});
    CheckPlan(plan, {{"N", 1}, {"M", 1}});
  }
}

TEST(PlanMemoryTest, NoTwoLiveValuesOverlapWhateverTheSymbols) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    const Plan plan =
        RandomPlan(random, {"N", "N,64", "M", "N,M", "2*N + 1", "max(N, M)", "floordiv(N, 2)", "100", "5"});
    for (const auto& [n, m] : {std::pair{0, 0}, {1, 1}, {1, 1000}, {1000, 1}, {17, 33}, {64, 64}}) {
      CheckPlan(plan, {{"N", n}, {"M", m}});
    }
  }
}

// Each map of a chain writes over its operand: one place is enough, however long it is.
TEST(PlanMemoryTest, AChainOfMapsNeedsOnePlace) {
  for (const char* type : {"f32[1024]", "f32[N,256]"}) {
    PlanMaker maker;
    int last = maker.Input("x", type);
    for (int i = 0; i < 10; ++i) {
      const int next = maker.Arena("h" + std::to_string(i), type);
      maker.Map(next, {last}, NegOf);
      last = next;
    }
    maker.Map(maker.Output("y", type), {last}, NegOf);
    const Plan plan = maker.Finish();
    const Dim one = plan.values[0].type.shape.num_elements() * Dim(4);
    EXPECT_TRUE(plan.memory.arena_bytes == one) << MemoryTable(plan);
    EXPECT_TRUE(plan.memory.unshared_bytes == one * Dim(10));
  }
}

// In a chain of copies, two values at a time are alive.
TEST(PlanMemoryTest, AChainOfCopiesNeedsTwoPlaces) {
  for (const char* type : {"f32[1024]", "f32[16*N]"}) {
    PlanMaker maker;
    int last = maker.Input("x", type);
    for (int i = 0; i < 10; ++i) {
      const int next = maker.Arena("h" + std::to_string(i), type);
      maker.Copy(next, last, {1});
      last = next;
    }
    maker.Copy(maker.Output("y", type), last, {1});
    const Plan plan = maker.Finish();
    EXPECT_TRUE(plan.memory.arena_bytes == plan.values[0].type.shape.num_elements() * Dim(8))
        << MemoryTable(plan);
  }
}

// How many places of 4096 bytes the plan of `y = map(h, other)` takes, where h and other are intermediates.
int64_t PlacesOf(const std::string& other, bool read_later, PlanMaker::Formula formula = AddOf) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[32,32]");
  const int h = maker.Arena("h", "f32[32,32]"), y = maker.Arena("y", "f32[32,32]");
  maker.Map(h, {x}, NegOf);
  int second = h;
  if (other == "itself transposed") {
    second = maker.Alias("view", "f32[32,32]", h);
  } else if (other == "a row") {
    second = maker.Input("row", "f32[32]");
  }
  maker.Map(y, {h, second}, formula);
  if (other == "itself transposed") {
    auto& operands = std::get<FusedStep>(maker.raw().steps.back().work).kernel.inputs;
    std::swap(operands[1].strides[0], operands[1].strides[1]);
  }
  maker.Map(maker.Output("out", "f32[32,32]"), {y, read_later ? h : y}, AddOf);
  return maker.Finish().memory.arena_bytes.constant() / 4096;
}

TEST(PlanMemoryTest, AMapWritesOverAnOperandThatNobodyReadsAgain) {
  EXPECT_EQ(PlacesOf("itself", false), 1);
  EXPECT_EQ(PlacesOf("a row", false), 1);
  EXPECT_EQ(PlacesOf("itself", true), 2);
  EXPECT_EQ(PlacesOf("itself transposed", false), 2);
}

// How many places of 4096 bytes the plan of `y = -h` takes, where h, y and `wide` are intermediates that lie
// in one another as `where` says.
int64_t PlacesAround(const std::string& where) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1024]");
  int h, y, last;
  if (where == "h is the first half of wide" || where == "h is the second half of wide") {
    const int wide = maker.Arena("wide", "f32[2048]");
    maker.Copy(wide, x, {0});
    h = maker.View("h", "f32[1024]", wide, where == "h is the first half of wide" ? 0 : 1024);
    last = y = maker.Arena("y", "f32[1024]");
  } else {
    h = maker.Arena("h", "f32[1024]");
    maker.Map(h, {x}, NegOf);
    last = maker.Arena("wide", "f32[2048]");
    y = maker.View("y", "f32[1024]", last, 0);
    maker.Map(maker.View("z", "f32[1024]", last, 1024), {x}, NegOf);
  }
  maker.Map(y, {h}, NegOf);
  maker.Copy(maker.Output("out", "f32[1024]"), last, {1});
  return maker.Finish().memory.arena_bytes.constant() / 4096;
}

// y does not write over h where that is a part of something larger.
TEST(PlanMemoryTest, NoMapWritesOverAPart) {
  EXPECT_EQ(PlacesAround("h is the first half of wide"), 3);
  EXPECT_EQ(PlacesAround("h is the second half of wide"), 3);
  EXPECT_EQ(PlacesAround("y is the first half of wide"), 3);
}

// All padded sizes are equal, but y[i] lies behind h[i].
TEST(PlanMemoryTest, NoPartIsWrittenOverAnOperand) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[12]");
  const int h = maker.Arena("h", "f32[12]"), wide = maker.Arena("wide", "f32[16]");
  maker.Map(h, {x}, NegOf);
  maker.Map(maker.View("y", "f32[12]", wide, 4), {h}, NegOf);
  maker.Copy(maker.View("z", "f32[4]", wide, 0), x, {1});
  maker.Copy(maker.Output("out", "f32[16]"), wide, {1});
  EXPECT_EQ(maker.Finish().memory.arena_bytes.constant(), 2 * 64);
}

// Memory is taken from the first part on, though another value is computed before the second.
TEST(PlanMemoryTest, AValueLivesFromItsFirstPartOn) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1024]");
  const int wide = maker.Arena("wide", "f32[2048]"), other = maker.Arena("other", "f32[1024]");
  maker.Copy(maker.View("a", "f32[1024]", wide, 0), x, {1});
  maker.Copy(other, x, {1});
  maker.RowSum(maker.Output("sum", "f32[]"), other);
  maker.Copy(maker.View("b", "f32[1024]", wide, 1024), x, {1});
  maker.Copy(maker.Output("y", "f32[2048]"), wide, {1});
  const Plan plan = maker.Finish();
  ASSERT_EQ(plan.memory.slots.size(), 2u);
  EXPECT_EQ(plan.memory.slots[0].first_step, 0);
  EXPECT_EQ(plan.memory.slots[0].last_step, 4);
  EXPECT_EQ(plan.memory.arena_bytes.constant(), 3 * 4096);
}

// The padded sizes are equal, and yet the elements that the step reads are not those that it would write.
TEST(PlanMemoryTest, NoMapWritesOverAViewOfAPaddedValue) {
  for (const auto& [offset, bytes] : {std::pair{0, 64}, {4, 128}}) {
    PlanMaker maker;
    const int h = maker.Arena("h", "f32[12]");
    maker.Map(h, {maker.Input("x", "f32[12]")}, NegOf);
    const int y = maker.Arena("y", "f32[8]");
    maker.Map(y, {maker.View("view", "f32[8]", h, offset)}, NegOf);
    maker.Copy(maker.Output("out", "f32[8]"), y, {1});
    EXPECT_EQ(maker.Finish().memory.arena_bytes.constant(), bytes) << offset;
  }
}

// The view is read last, and so keeps all of `wide`.
TEST(PlanMemoryTest, AViewKeepsWhatItLiesIn) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1024]");
  const int wide = maker.Arena("wide", "f32[2048]"), a = maker.Arena("a", "f32[1024]");
  maker.Copy(wide, x, {0}).Copy(a, x, {1});
  const int view = maker.View("view", "f32[1024]", wide, 512);
  maker.Map(maker.Output("y", "f32[1024]"), {a, view}, AddOf);
  const Plan plan = maker.Finish();
  ASSERT_EQ(plan.memory.slots.size(), 2u);
  EXPECT_EQ(plan.memory.slots[0].value, wide);
  EXPECT_EQ(plan.memory.slots[0].last_step, 2);
  EXPECT_EQ(plan.memory.arena_bytes.constant(), 3 * 4096);
}

TEST(PlanMemoryTest, ReductionsHaveMemoryOfTheirOwn) {
  PlanMaker maker;
  const int h = maker.Arena("h", "f32[1024]");
  maker.Map(h, {maker.Input("x", "f32[1024]")}, NegOf);
  const int sum = maker.Arena("sum", "f32[]");
  maker.RowSum(sum, h);  // reads rows twice over, so never in place
  const int y = maker.Arena("y", "f32[1024]");
  maker.Map(y, {h, sum}, AddOf);
  maker.Map(maker.Output("out", "f32[1024]"), {y, sum}, AddOf);
  EXPECT_EQ(maker.Finish().memory.arena_bytes.constant(), 4096 + 64);
}

// A small value that outlives two large ones must not split the memory that they could share.
TEST(PlanMemoryTest, LargeValuesArePlacedFirst) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1024]");
  const int small = maker.Arena("small", "f32[16]");
  maker.Copy(small, x, {1});
  const int a = maker.Arena("a", "f32[1024]");
  maker.Map(a, {x}, NegOf);
  const int b = maker.Arena("b", "f32[2048]");
  maker.Copy(b, a, {0});
  const int c = maker.Arena("c", "f32[3072]");
  maker.Copy(c, small, {0});
  maker.Copy(maker.Output("y", "f32[1]"), c, {0});
  const Plan plan = maker.Finish();
  EXPECT_EQ(plan.memory.arena_bytes.constant(), 4096 + 8192 + 64) << MemoryTable(plan);
}

TEST(PlanMemoryTest, TableReadsWell) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,64]");
  const int w = maker.Constant("w", *Tensor::Allocate(DType::kF32, Dims{64, 10}));
  const int h = maker.Arena("h", "f32[N,10]");
  maker.MatMul(h, x, w);
  const int s = maker.Arena("s", "f32[16]");
  maker.Copy(s, w, {1});
  const int y = maker.Output("y", "f32[N,10]");
  maker.Map(y, {h, h}, AddOf);
  const Plan plan = maker.Finish();
  EXPECT_EQ(MemoryTable(plan),
            "  value  type       steps  offset                    bytes\n"
            "  h      f32[N,10]   0..2      64  64*floordiv(5*N + 7, 8)\n"
            "  s      f32[16]     1..1       0                       64\n"
            "  arena: 64*floordiv(5*N + 7, 8) + 64 bytes (64*floordiv(5*N + 7, 8) + 64 without sharing)\n"
            "  outputs: 64*floordiv(5*N + 7, 8) bytes\n"
            "  constants: 2560 bytes\n");
}

TEST(PlanMemoryTest, RefusesWhatCannotBeCounted) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1]");
  const int big = maker.Arena("big", "f32[4611686018427387904]");
  maker.Copy(big, x, {0});
  maker.Copy(maker.Output("y", "f32[1]"), big, {0});
  EXPECT_EQ(
      PlanMemory(maker.raw()).message(),
      "error[E0402 too-large]: 'big' is f32[4611686018427387904]: its size in bytes does not fit 64 bits");
}

}  // namespace
}  // namespace tenfold
