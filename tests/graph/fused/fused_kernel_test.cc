// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/fused_kernel.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;
using testing::HasSubstr;

constexpr DType kF = DType::kF32;
constexpr Source kIn0 = {Source::kInput, 0, 0};
constexpr Source FromStage(int s) { return {Source::kStage, s, 0}; }

ScalarProgram AddAll(int inputs) {
  return ScalarBuilder::Record(std::vector<DType>(inputs, kF), [](std::span<const Scalar> in) {
    Scalar sum = in[0];
    for (size_t i = 1; i < in.size(); ++i) sum = sum + in[i];
    return std::vector<Scalar>{sum};
  });
}

Stage Map(std::vector<Source> inputs, bool per_row = false) {
  Stage stage;
  stage.per_row = per_row;
  stage.program = AddAll(static_cast<int>(inputs.size()));
  stage.inputs = std::move(inputs);
  return stage;
}

Stage Reduce(std::vector<Source> inputs) {
  Stage stage = Map(std::move(inputs));
  stage.kind = Stage::kReduce;
  stage.combine = AddAll(2);
  stage.identity = 0x80000000;
  return stage;
}

FusedKernel Kernel(std::vector<Stage> stages) {
  FusedKernel k;
  k.name = "test";
  k.extents = {Dim::Symbol("N"), 64};
  k.parallel_rank = 1;
  k.inputs = {{kF, {64, 1}}, {kF, {1, 0}}};
  k.stages = std::move(stages);
  const Source last = FromStage(static_cast<int>(k.stages.size()) - 1);
  k.outputs = {{{kF, {64, k.IsPerRow(last) ? 0 : 1}}, last}};
  return k;
}

std::string Loops(const FusedKernel& kernel) {
  std::string text;
  for (const LoopSchedule::Loop& loop : ScheduleLoops(kernel).loops) {
    text += (text.empty() ? "" : " ") + std::to_string(loop.begin_stage) + "-" +
            std::to_string(loop.end_stage) + (loop.per_row ? "r" : "");
  }
  return text;
}

TEST(ScheduleLoops, SoftmaxTakesThreeLoops) {
  const FusedKernel k = Kernel(
      {Reduce({kIn0}), Map({kIn0, FromStage(0)}), Reduce({FromStage(1)}), Map({FromStage(1), FromStage(2)})});
  ASSERT_TRUE(k.Verify().ok()) << k.Verify();
  EXPECT_EQ(Loops(k), "0-1 1-3 3-4");
  EXPECT_EQ(ScheduleLoops(k).kept, std::vector<Source>{FromStage(1)});
}

TEST(ScheduleLoops, IndependentReductionsShareALoop) {
  const FusedKernel k = Kernel(
      {Reduce({kIn0}), Map({kIn0, kIn0}), Reduce({FromStage(1)}), Map({FromStage(0), FromStage(2)}, true)});
  ASSERT_TRUE(k.Verify().ok()) << k.Verify();
  EXPECT_EQ(Loops(k), "0-3 3-4r");
  EXPECT_TRUE(ScheduleLoops(k).kept.empty());
}

TEST(ScheduleLoops, PerRowMapsFormAGroupBetweenLoops) {
  const FusedKernel k =
      Kernel({Reduce({kIn0}), Map({FromStage(0)}, true), Map({FromStage(1), {Source::kInput, 1, 0}}, true),
              Map({kIn0, FromStage(2)}), Map({FromStage(3)})});
  ASSERT_TRUE(k.Verify().ok()) << k.Verify();
  EXPECT_EQ(Loops(k), "0-1 1-3r 3-5");
}

TEST(FusedKernel, ListsDimExpressions) {
  const FusedKernel k = Kernel({Map({kIn0})});
  EXPECT_EQ(k.DimExpressions(), (std::vector<Dim>{Dim::Symbol("N"), 64, 64, 1, 1, 0, 64, 1}));
  EXPECT_EQ(k.num_dims(), 8);
}

TEST(FusedKernel, PrintsItself) {
  const std::string text = Kernel({Reduce({kIn0}), Map({FromStage(0)}, true)}).ToString();
  EXPECT_THAT(text, HasSubstr("kernel test parallel [N] reduced [64]\n  in0: f32 strides [64,1]\n"));
  EXPECT_THAT(text, HasSubstr("  s0: reduce(in0)\n"));
  EXPECT_THAT(text, HasSubstr("combine, identity 0x80000000, empty 0x0\n"));
  EXPECT_THAT(text, HasSubstr("  s1: map per row(s0)\n"));
  EXPECT_THAT(text, HasSubstr("  out0: f32 strides [64,0] = s1\n"));
}

TEST(FusedKernel, VerifyNamesWhatIsWrong) {
  const auto refusal = [](void (*spoil)(FusedKernel&)) {
    FusedKernel k = Kernel({Reduce({kIn0}), Map({FromStage(0)}, true), Map({kIn0, FromStage(1)})});
    EXPECT_TRUE(k.Verify().ok()) << k.Verify();
    spoil(k);
    return std::string(k.Verify().message());
  };
  EXPECT_THAT(refusal([](FusedKernel& k) { k.parallel_rank = 3; }), HasSubstr("parallel_rank"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.extents[0] = -1; }), HasSubstr("an extent is invalid"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.inputs[0].strides.pop_back(); }),
              HasSubstr("in0 lacks a stride"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.inputs[0].dtype = DType::kI32; }), HasSubstr("as another type"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.stages[1].inputs = {kIn0}; }),
              HasSubstr("s1 is per row, but input 0"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.stages[0].inputs = {FromStage(2)}; }),
              HasSubstr("reads what is not there"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.stages[0].combine = AddAll(3); }),
              HasSubstr("combines other types"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.parallel_rank = 2; }), HasSubstr("no dim is reduced"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.outputs.clear(); }), HasSubstr("no output"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.outputs[0].source = kIn0; }), HasSubstr("comes from no stage"));
  EXPECT_THAT(refusal([](FusedKernel& k) { k.outputs[0].source = FromStage(1); }),
              HasSubstr("a stride in a reduced dim"));
}

}  // namespace
}  // namespace tenfold
