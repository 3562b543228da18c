// SPDX-License-Identifier: Apache-2.0
//
// The loop forms, compiled, against the interpreter: shapes, strides, reduction lengths, blocks.
#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

namespace tenfold::testing {
namespace {

using Extents = std::vector<int64_t>;

// The elements of `strides` that belong to parallel dims, 0 for reduced ones.
std::vector<Dim> RowStrides(const Extents& extents, int parallel_rank) {
  std::vector<int64_t> strides = DenseStrides(Extents(extents.begin(), extents.begin() + parallel_rank));
  strides.resize(extents.size(), 0);
  return ToDims(strides);
}

// A reduction of one dense array whose storage order of dims is `order` (a permutation of the kernel's dims,
// outermost first).
FusedKernel ReductionOf(Reduction reduction, DType type, const Extents& extents, int parallel_rank,
                        const std::vector<int>& order) {
  std::vector<int64_t> strides(extents.size());
  int64_t stride = 1;
  for (size_t i = order.size(); i-- > 0;) {
    strides[order[i]] = stride;
    stride *= extents[order[i]];
  }
  FusedKernel kernel;
  kernel.name = absl::StrCat("reduce ", Name(type));
  kernel.extents = ToDims(extents);
  kernel.parallel_rank = parallel_rank;
  kernel.inputs = {{type, ToDims(strides)}};
  kernel.stages = {Reduce(reduction, type, Input(0))};
  kernel.outputs = {{.operand = {type, RowStrides(extents, parallel_rank)}, .source = StageOutput(0)}};
  return kernel;
}

FusedKernel RowReduction(Reduction reduction, DType type, int64_t rows, int64_t length) {
  return ReductionOf(reduction, type, {rows, length}, 1, {0, 1});
}
FusedKernel ColumnReduction(Reduction reduction, DType type, int64_t columns, int64_t length) {
  return ReductionOf(reduction, type, {columns, length}, 1, {1, 0});
}

// exp(x - max) / sum, with the storage of a column kernel if `by_column`.
FusedKernel Softmax(int64_t rows, int64_t length, bool by_column) {
  const std::vector<Dim> strides = by_column ? ToDims({1, rows}) : ToDims({length, 1});
  FusedKernel kernel;
  kernel.name = by_column ? "column softmax" : "row softmax";
  kernel.extents = ToDims({rows, length});
  kernel.parallel_rank = 1;
  kernel.inputs = {{DType::kF32, strides}};
  const std::vector<DType> two = {DType::kF32, DType::kF32};
  kernel.stages = {
      Reduce(Reduction::kMax, DType::kF32, Input(0)),
      Map(Program(two, [](auto in) { return std::vector<Scalar>{math::Exp(in[0] - in[1])}; }),
          {Input(0), StageOutput(0)}),
      Reduce(Reduction::kSum, DType::kF32, StageOutput(1)),
      Map(Program(two, [](auto in) { return std::vector<Scalar>{in[0] / in[1]}; }),
          {StageOutput(1), StageOutput(2)}),
  };
  kernel.outputs = {{.operand = {DType::kF32, strides}, .source = StageOutput(3), .canonicalize_nans = true}};
  return kernel;
}

// Mean and inverse deviation, a map per row in between, scale and bias, a result in bf16 and one a row.
FusedKernel Normalisation(int64_t rows, int64_t length, bool by_column) {
  const std::vector<Dim> strides = by_column ? ToDims({1, rows}) : ToDims({length, 1});
  FusedKernel kernel;
  kernel.name = by_column ? "column normalisation" : "row normalisation";
  kernel.extents = ToDims({rows, length});
  kernel.parallel_rank = 1;
  const DType f32 = DType::kF32;
  kernel.inputs = {{f32, strides}, {f32, ToDims({0, 1})}, {f32, ToDims({1, 0})}};
  const double n = static_cast<double>(length);
  kernel.stages = {
      Reduce(Reduction::kSum, f32, Input(0)),
      Map(Program({f32}, [&](auto in) { return std::vector<Scalar>{in[0] / n}; }), {StageOutput(0)}, true),
      Map(Program({f32, f32},
                  [](auto in) {
                    const Scalar d = in[0] - in[1];
                    return std::vector<Scalar>{d, d * d};
                  }),
          {Input(0), StageOutput(1)}),
      Reduce(Reduction::kSum, f32, StageOutput(2, 1)),
      Map(Program({f32, f32}, [&](auto in) { return std::vector<Scalar>{in[1] / Sqrt(in[0] / n + 1e-5)}; }),
          {StageOutput(3), Input(2)}, true),
      Map(Program(
              {f32, f32, f32},
              [](auto in) { return std::vector<Scalar>{Convert(Fma(in[0], in[1], in[2]), DType::kBF16)}; }),
          {StageOutput(2), StageOutput(4), Input(1)}),
  };
  kernel.outputs = {{.operand = {DType::kBF16, strides}, .source = StageOutput(5), .canonicalize_nans = true},
                    {.operand = {f32, ToDims({1, 0})}, .source = StageOutput(4), .canonicalize_nans = true},
                    {.operand = {f32, strides}, .source = StageOutput(2)}};
  return kernel;
}

// x * w + b over `extents`, with the strides of each given, stored densely.
FusedKernel Affine(const Extents& extents, const Extents& x, const Extents& w, const Extents& b, DType type) {
  FusedKernel kernel;
  kernel.name = "affine";
  kernel.extents = ToDims(extents);
  kernel.parallel_rank = static_cast<int>(extents.size());
  kernel.inputs = {{type, ToDims(x)}, {type, ToDims(w)}, {type, ToDims(b)}};
  kernel.stages = {
      Map(Program({type, type, type}, [](auto in) { return std::vector<Scalar>{in[0] * in[1] + in[2]}; }),
          {Input(0), Input(1), Input(2)})};
  kernel.outputs = {{.operand = {type, ToDims(DenseStrides(extents))}, .source = StageOutput(0)}};
  return kernel;
}

TEST(MapLoopsTest, BroadcastsStridesAndTransposes) {
  for (const int64_t block : {0, 1, 17, 1000}) {
    ExpectSameBitsEverywhere(
        {Affine({}, {}, {}, {}, DType::kF32), Affine({0}, {1}, {0}, {1}, DType::kF32),
         Affine({1}, {1}, {0}, {1}, DType::kF64), Affine({63}, {1}, {1}, {0}, DType::kF32),
         Affine({40, 33}, {33, 1}, {0, 1}, {1, 0}, DType::kF32),
         Affine({40, 33}, {1, 40}, {66, 2}, {0, 0}, DType::kI16),
         Affine({3, 5, 70}, {350, 70, 1}, {70, 0, 1}, {0, 1, 0}, DType::kF64),
         Affine({3, 1, 70}, {70, 70, 1}, {70, 70, 1}, {70, 1, 1}, DType::kU8),
         Affine({2, 3, 4, 5}, {60, 20, 5, 1}, {1, 2, 6, 24}, {0, 0, 0, 1}, DType::kI64)},
        {.rows_a_block = block});
  }
}

TEST(RowLoopsTest, LengthsAroundVectorsLanesAndChunks) {
  for (const int64_t length :
       {0, 1, 15, 16, 63, 64, 65, 127, 129, 4095, 4096, 4097, 4160, 5 * 4096, 7 * 4096 + 1}) {
    ExpectSameBitsEverywhere({RowReduction(Reduction::kSum, DType::kF32, 3, length),
                              ColumnReduction(Reduction::kSum, DType::kF32, 37, length)},
                             {.nans = false, .rows_a_block = 2});
  }
}

TEST(RowLoopsTest, EveryReductionOfEveryType) {
  std::vector<FusedKernel> kernels;
  for (const Reduction reduction : {Reduction::kSum, Reduction::kProduct, Reduction::kMin, Reduction::kMax,
                                    Reduction::kAnd, Reduction::kOr}) {
    for (const DType type : kComputedDTypes) {
      if (!Reduces(reduction, type)) continue;
      kernels.push_back(RowReduction(reduction, type, 3, 165));
      kernels.push_back(ColumnReduction(reduction, type, 83, 70));
    }
  }
  ExpectSameBitsEverywhere(kernels, {.nans = false});
  ExpectSameBitsEverywhere({RowReduction(Reduction::kMax, DType::kF32, 40, 70),
                            RowReduction(Reduction::kMin, DType::kF64, 40, 7),
                            ColumnReduction(Reduction::kMax, DType::kF32, 40, 7)});
}

// Wide strips, one and a part of another, and what is left of a line; lengths around the groups of
// accumulators that are computed together, around their number and around chunks.
TEST(ColumnLoopsTest, WideStrips) {
  for (const int64_t length : {0, 1, 2, 7, 8, 9, 33, 63, 64, 65, 129, 577, 4097, 4153, 2 * 4096 + 5}) {
    ExpectSameBitsEverywhere({ColumnReduction(Reduction::kSum, DType::kF32, 131, length)}, {.nans = false});
  }
  for (const int64_t length : {7, 64, 600}) {
    ExpectSameBitsEverywhere({ColumnReduction(Reduction::kSum, DType::kF32, 2200, length),
                              ColumnReduction(Reduction::kMax, DType::kF64, 1111, length),
                              ColumnReduction(Reduction::kProduct, DType::kI8, 1500, length),
                              ColumnReduction(Reduction::kOr, DType::kBool, 1111, length)},
                             {.nans = false, .rows_a_block = 700});
  }
}

TEST(ColumnLoopsTest, WideStripsOverSeveralDims) {
  std::vector<FusedKernel> kernels;
  std::vector<int> order = {0, 1, 2, 3};
  do {
    kernels.push_back(ReductionOf(Reduction::kSum, DType::kF32, {2, 300, 9, 13}, 2, order));
  } while (std::next_permutation(order.begin(), order.end()));
  ExpectSameBitsEverywhere(kernels, {.nans = false});
}

// Long code and several values to reduce: sums of exponentials and of tangents.
TEST(ColumnLoopsTest, WideStripsOfLongCode) {
  for (const int64_t length : {1, 40, 64, 300}) {
    FusedKernel kernel = ColumnReduction(Reduction::kSum, DType::kF32, 400, length);
    const auto map = [](auto function) {
      return Map(Program({DType::kF32}, [&](auto in) { return std::vector<Scalar>{function(in[0])}; }),
                 {Input(0)});
    };
    kernel.stages = {map([](Scalar x) { return math::Exp(x); }), map([](Scalar x) { return math::Tanh(x); }),
                     Reduce(Reduction::kSum, DType::kF32, StageOutput(0)),
                     Reduce(Reduction::kSum, DType::kF32, StageOutput(1))};
    FusedKernel::Output second = kernel.outputs[0];
    kernel.outputs[0].source = StageOutput(2), second.source = StageOutput(3);
    kernel.outputs.push_back(second);
    ExpectSameBitsEverywhere({kernel}, {.nans = false});
  }
}

TEST(ReductionLoopsTest, SeveralDimsInAnyOrder) {
  std::vector<FusedKernel> kernels;
  std::vector<int> order = {0, 1, 2, 3};
  do {
    kernels.push_back(ReductionOf(Reduction::kSum, DType::kF32, {3, 35, 5, 20}, 2, order));
  } while (std::next_permutation(order.begin(), order.end()));
  kernels.push_back(ReductionOf(Reduction::kSum, DType::kF64, {30, 50}, 0, {1, 0}));
  kernels.push_back(ReductionOf(Reduction::kSum, DType::kF64, {30, 50}, 0, {0, 1}));
  kernels.push_back(ReductionOf(Reduction::kSum, DType::kF32, {30, 1, 50, 1}, 3, {0, 1, 2, 3}));
  ExpectSameBitsEverywhere(kernels, {.nans = false, .rows_a_block = 50});
}

TEST(ReductionLoopsTest, SeveralStages) {
  for (const int64_t length : {0, 1, 5, 64, 100, 4097}) {
    std::vector<FusedKernel> kernels;
    for (const bool by_column : {false, true}) {
      kernels.push_back(Softmax(35, length, by_column));
      if (length > 0) kernels.push_back(Normalisation(35, length, by_column));
    }
    ExpectSameBitsEverywhere(kernels, {.nans = false, .rows_a_block = 20});
    ExpectSameBitsEverywhere(kernels, {.rows_a_block = 35});
  }
}

TEST(ErrorTest, TheSmallestIndexIsReported) {
  std::vector<FusedKernel> kernels;
  for (const bool by_column : {false, true}) {
    for (const DType type : {DType::kI32, DType::kI64, DType::kU8}) {
      const std::vector<DType> two = {type, type};
      const std::vector<Dim> strides = by_column ? ToDims({1, 41}) : ToDims({70, 1});
      FusedKernel kernel;
      kernel.name = "division";
      kernel.extents = ToDims({41, 70});
      kernel.parallel_rank = 1;
      kernel.inputs = {{type, strides}, {type, strides}};
      const ScalarProgram divide = Program(two, [](auto in) { return std::vector<Scalar>{in[0] / in[1]}; });
      kernel.stages = {Map(divide, {Input(0), Input(1)}), Reduce(Reduction::kSum, type, StageOutput(0)),
                       Map(divide, {StageOutput(1), StageOutput(1)}, true)};
      kernel.outputs = {{.operand = {type, ToDims({1, 0})}, .source = StageOutput(2)}};
      kernels.push_back(kernel);
    }
  }
  ExpectSameBitsEverywhere(kernels);
  ExpectSameBitsEverywhere(kernels, {.rows_a_block = 3});
}

}  // namespace
}  // namespace tenfold::testing
