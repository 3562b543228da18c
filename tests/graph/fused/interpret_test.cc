// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/interpret.h"

#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "gtest/gtest.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/tests/graph/fused/kernel_case.h"

namespace tenfold {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;
using In = std::span<const Scalar>;

constexpr Source kIn0 = {Source::kInput, 0, 0};
constexpr Source kIn1 = {Source::kInput, 1, 0};
constexpr Source FromStage(int s) { return {Source::kStage, s, 0}; }

ScalarProgram Program(std::vector<DType> types, Scalar (*formula)(In)) {
  return ScalarBuilder::Record(types, [formula](In in) { return std::vector<Scalar>{formula(in)}; });
}

Stage Map(std::vector<DType> types, Scalar (*formula)(In), std::vector<Source> inputs, bool per_row = false) {
  Stage stage;
  stage.per_row = per_row;
  stage.program = Program(types, formula);
  stage.inputs = std::move(inputs);
  return stage;
}

Stage Reduce(DType from, DType accumulator, Scalar (*formula)(In), Source input, Scalar (*combine)(In),
             uint64_t identity, uint64_t empty) {
  Stage stage = Map({from}, formula, {input});
  stage.kind = Stage::kReduce;
  stage.combine = Program({accumulator, accumulator}, combine);
  stage.identity = identity;
  stage.empty = empty;
  return stage;
}

uint64_t Bits(float f) { return std::bit_cast<uint32_t>(f); }

Scalar Same(In in) { return in[0]; }
Scalar Sum(In in) { return in[0] + in[1]; }
Scalar Maximum(In in) { return Max(in[0], in[1]); }
Scalar SelectMaximum(In in) { return Select(in[0] < in[1], in[1], in[0]); }

Stage SumOf(Source input, Scalar (*formula)(In) = Same) {
  return Reduce(DType::kF32, DType::kF32, formula, input, Sum, Bits(-0.0f), Bits(0.0f));
}

Stage MaxOf(Source input, Scalar (*combine)(In) = Maximum) {
  const uint64_t least = Bits(-std::numeric_limits<float>::infinity());
  return Reduce(DType::kF32, DType::kF32, Same, input, combine, least, least);
}

// Each row of [rows, length] minus its maximum, divided by the sum of its squares.
KernelCase NormalizeCase(int64_t rows, int64_t length, bool transposed) {
  KernelCase c;
  FusedKernel& k = c.kernel;
  k.name = "normalize";
  k.extents = {Dim::Symbol("R"), Dim::Symbol("N")};
  k.parallel_rank = 1;
  c.symbols = {{"R", rows}, {"N", length}};
  const std::vector<Dim> strides =
      transposed ? std::vector<Dim>{1, Dim::Symbol("R")} : std::vector<Dim>{Dim::Symbol("N"), 1};
  k.inputs = {{DType::kF32, strides}};
  k.stages = {
      MaxOf(kIn0), Map({DType::kF32, DType::kF32}, [](In in) { return in[0] - in[1]; }, {kIn0, FromStage(0)}),
      SumOf(FromStage(1), [](In in) { return in[0] * in[0]; }),
      Map(
          {DType::kF32}, [](In in) { return 1.0 / in[0]; }, {FromStage(2)}, /*per_row=*/true),
      Map({DType::kF32, DType::kF32}, [](In in) { return in[0] * in[1]; }, {FromStage(1), FromStage(3)})};
  k.outputs = {{{DType::kF32, strides}, FromStage(4), true}, {{DType::kF32, {1, 0}}, FromStage(2), true}};
  return c;
}

KernelCase ReduceCase(int64_t rows, int64_t length, bool columns, Stage stage) {
  KernelCase c;
  FusedKernel& k = c.kernel;
  k.name = "reduce";
  k.extents = {rows, length};
  k.parallel_rank = 1;
  k.inputs = {{DType::kF32, columns ? std::vector<Dim>{1, rows} : std::vector<Dim>{length, 1}}};
  k.stages = {std::move(stage)};
  k.outputs = {{{DType::kF32, {1, 0}}, FromStage(0), true}};
  return c;
}

TEST(Interpret, ReductionsFollowTheOrderAtEveryBoundary) {
  for (int64_t length :
       {0, 1, 2, 63, 64, 65, 511, 512, 513, 4095, 4096, 4097, 3 * 4096 + 5, 5 * 4096, 7 * 4096 + 1}) {
    for (int64_t rows : {1, 3}) {
      for (bool columns : {false, true}) {
        EXPECT_TRUE(Matches(ReduceCase(rows, length, columns, SumOf(kIn0)))) << length;
        EXPECT_TRUE(Matches(ReduceCase(rows, length, columns, MaxOf(kIn0)))) << length;
        EXPECT_TRUE(Matches(ReduceCase(rows, length, columns, MaxOf(kIn0, SelectMaximum)))) << length;
      }
    }
  }
}

TEST(Interpret, ColumnsAreReducedSideBySide) {
  for (int64_t length : {1, 5, 64, 70, 4097, 2 * 4096 + 65}) {
    for (int64_t rows : {2, 511, 513}) {
      if (rows * length > 600000 && length > 4097) continue;
      EXPECT_TRUE(Matches(ReduceCase(rows, length, true, SumOf(kIn0)))) << rows << "x" << length;
    }
    EXPECT_TRUE(Matches(ReduceCase(30, length, true, MaxOf(kIn0, SelectMaximum)))) << length;
  }
}

TEST(Interpret, StagesShareRows) {
  for (int64_t length : {0, 1, 7, 10, 64, 513, 5000}) {
    for (int64_t rows : {1, 2, 40, 600}) {
      if (rows * length > 1000000) continue;
      EXPECT_TRUE(Matches(NormalizeCase(rows, length, false))) << rows << "x" << length;
      EXPECT_TRUE(Matches(NormalizeCase(rows, length, true))) << rows << "x" << length;
    }
  }
}

TEST(Interpret, AKernelOfRankZeroHasOneElement) {
  KernelCase c;
  c.kernel.inputs = {{DType::kF32, {}}, {DType::kF32, {}}};
  c.kernel.stages = {Map({DType::kF32, DType::kF32}, Sum, {kIn0, kIn1})};
  c.kernel.outputs = {{{DType::kF32, {}}, FromStage(0)}};
  EXPECT_TRUE(Matches(c));
}

TEST(Interpret, AFullReductionHasOneRow) {
  KernelCase c = ReduceCase(1, 10000, false, SumOf(kIn0));
  c.kernel.extents = {Dim(100), Dim(100)};
  c.kernel.parallel_rank = 0;
  c.kernel.inputs[0].strides = {Dim(1), Dim(100)};
  c.kernel.outputs[0].operand.strides = {0, 0};
  EXPECT_TRUE(Matches(c));
}

// The smallest offending element wins, in whatever order a walk meets it.
TEST(Interpret, ReportsTheFirstDivisionByZero) {
  for (bool columns : {false, true}) {
    FusedKernel k;
    k.extents = {40, 30};
    k.parallel_rank = 1;
    k.inputs = {{DType::kI32, columns ? std::vector<Dim>{1, 40} : std::vector<Dim>{30, 1}}};
    k.stages = {Reduce(
        DType::kI32, DType::kI32, [](In in) { return in[0].builder()->ConstInt(DType::kI32, 1000) / in[0]; },
        kIn0, Sum, 0, 0)};
    k.outputs = {{{DType::kI32, {1, 0}}, FromStage(0)}};
    std::vector<int32_t> data(1200, 7);
    for (auto [row, i] : {std::pair(17, 29), std::pair(18, 0), std::pair(39, 1)}) {
      data[columns ? i * 40 + row : row * 30 + i] = 0;
    }
    const KernelError error = RunOnce(k, {}, {data.data()}, 0, 40);
    EXPECT_EQ(error.code, kIntegerDivisionByZero);
    EXPECT_EQ(error.index, 17 * 30 + 29);
    EXPECT_EQ(RunOnce(k, {}, {data.data()}, 18, 40).index, 18 * 30);
    EXPECT_EQ(RunOnce(k, {}, {data.data()}, 19, 39).index, std::numeric_limits<int64_t>::max());
  }
}

TEST(Interpret, StoresCanonicalNans) {
  KernelCase c;
  c.kernel.extents = {3};
  c.kernel.parallel_rank = 1;
  c.kernel.inputs = {{DType::kF32, {1}}};
  c.kernel.stages = {Map({DType::kF32}, Same, {kIn0})};
  c.kernel.outputs = {{{DType::kF32, {1}}, FromStage(0), true}};
  const uint32_t data[] = {0xffc00001, 0x7f800123, 0x3f800000};
  std::vector<uint32_t> out(3);
  RunOnce(c.kernel, {}, {data}, 0, 3, {out.data()});
  EXPECT_EQ(out, (std::vector<uint32_t>{0x7fc00000, 0x7fc00000, 0x3f800000}));
}

TEST(Interpret, RandomKernelsMatchTheReference) {
  for (uint32_t seed = 0; seed < 1500; ++seed) {
    std::mt19937 random(seed);
    const KernelCase c = RandomKernel(random);
    ASSERT_TRUE(c.kernel.Verify().ok()) << c.kernel.Verify() << c.kernel.ToString();
    ASSERT_TRUE(Matches(c, seed)) << "seed " << seed << "\n" << c.kernel.ToString();
  }
}

TEST(ScopedFloatEnvironment, SetsAndRestores) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(0x1F80 | 0x8040 | 0x6000);  // flush to zero, denormals are zero, round towards zero
  {
    ScopedFloatEnvironment environment;
    EXPECT_EQ(_mm_getcsr() & 0xFFC0u, 0x1F80u);
  }
  EXPECT_EQ(_mm_getcsr() & 0xFFC0u, 0x1F80u | 0x8040 | 0x6000);
  _mm_setcsr(before);
}

}  // namespace
}  // namespace tenfold
