// SPDX-License-Identifier: Apache-2.0
//
// Compiled kernels beside kernels written by hand: one thread, 4 Mi floats, buffers aligned and warm. "ns" is
// the time an element.
#include <cstdint>
#include <span>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/benchmarks/handwritten/kernels.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

constexpr int64_t kRows = 4096;
constexpr int64_t kColumns = 1024;
constexpr int64_t kElements = kRows * kColumns;

// Where all of them write, so that none has the warmer memory.
std::span<float> SharedOutput() {
  static Tensor& output = *new Tensor(*Tensor::Allocate(DType::kF32, Dims{kElements}));
  return output.mutable_values<float>();
}

void Report(benchmark::State& state, const Dims& dims) {
  state.counters["ns"] =
      benchmark::Counter(static_cast<double>(NumElements(dims).value_or(0)) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <typename Op>
void Compiled(benchmark::State& state, const Shape& shape, Op op) {
  const auto executable = CompileUnary(DType::kF32, shape, [&](GraphBuilder&, Value x) { return op(x); }, 1);
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  const Dims dims = shape.is_static() ? shape.static_dims() : Dims{kRows, kColumns};
  const Tensor& input = BenchmarkInput(dims);
  const absl::Status fed = call.SetInput(0, input);
  const absl::Status placed = call.SetOutput(0, SharedOutput());
  if (!fed.ok() || !placed.ok()) return state.SkipWithError("the buffers were refused");
  RunInLoop(state, call);
  Report(state, dims);
}

template <typename Kernel>
void Handwritten(benchmark::State& state, const Dims& dims, Kernel kernel) {
  if (*handwritten::Isa() == 0) return state.SkipWithError("needs AVX2");
  state.SetLabel(handwritten::Isa());
  const float* x = BenchmarkInput(dims).values<float>().data();
  float* y = SharedOutput().data();
  for (auto _ : state) kernel(x, y);
  Report(state, dims);
}

const Shape kVector = {kElements};
const Shape kMatrix = {kRows, kColumns};
const Shape kAnyMatrix = {Dim::Symbol("N"), Dim::Symbol("C")};

BENCHMARK_CAPTURE(Handwritten, gelu, Dims{kElements},
                  [](const float* x, float* y) { handwritten::Gelu(x, y, kElements); });
BENCHMARK_CAPTURE(Compiled, gelu, kVector, [](Value x) { return Gelu(x, {.approximate = "tanh"}); });

BENCHMARK_CAPTURE(Handwritten, softmax, Dims{kRows, kColumns},
                  [](const float* x, float* y) { handwritten::Softmax(x, y, kRows, kColumns); });
BENCHMARK_CAPTURE(Handwritten, softmax_by_reciprocal, Dims{kRows, kColumns},
                  [](const float* x, float* y) { handwritten::SoftmaxReciprocal(x, y, kRows, kColumns); });
BENCHMARK_CAPTURE(Compiled, softmax, kMatrix, [](Value x) { return Softmax(x); });
BENCHMARK_CAPTURE(Compiled, softmax_of_any_size, kAnyMatrix, [](Value x) { return Softmax(x); });

BENCHMARK_CAPTURE(Handwritten, row_sums, Dims{kRows, kColumns},
                  [](const float* x, float* y) { handwritten::RowSums(x, y, kRows, kColumns); });
BENCHMARK_CAPTURE(Compiled, row_sums, kMatrix, [](Value x) { return ReduceSum(x, {.axes = {1}}); });
BENCHMARK_CAPTURE(Compiled, row_sums_of_any_size, kAnyMatrix,
                  [](Value x) { return ReduceSum(x, {.axes = {1}}); });

// The sums over the first dim of a matrix, and over the dim in the middle.
const Dims kMiddle = {64, 64, 1024};
BENCHMARK_CAPTURE(Handwritten, column_sums, Dims{kRows, kColumns},
                  [](const float* x, float* y) { handwritten::AxisSums(x, y, 1, kRows, kColumns); });
BENCHMARK_CAPTURE(Compiled, column_sums, kMatrix, [](Value x) { return ReduceSum(x, {.axes = {0}}); });
BENCHMARK_CAPTURE(Handwritten, middle_sums, kMiddle, [](const float* x, float* y) {
  handwritten::AxisSums(x, y, kMiddle[0], kMiddle[1], kMiddle[2]);
});
BENCHMARK_CAPTURE(Compiled, middle_sums, Shape::Of(kMiddle),
                  [](Value x) { return ReduceSum(x, {.axes = {1}}); });

constexpr int64_t kFeatures = 768;
const Shape kTokens = {kRows, kFeatures};

Value LayerNorm(Value x) {
  const Tensor& scale = BenchmarkInput({kFeatures});
  return LayerNormalization(x, x.builder()->Const(scale), x.builder()->Const(scale)).y;
}

BENCHMARK_CAPTURE(Handwritten, layer_norm, Dims{kRows, kFeatures}, [](const float* x, float* y) {
  const float* const scale = BenchmarkInput({kFeatures}).values<float>().data();
  handwritten::LayerNorm(x, scale, scale, y, kRows, kFeatures);
});
BENCHMARK_CAPTURE(Compiled, layer_norm, kTokens, LayerNorm);

}  // namespace
}  // namespace tenfold
