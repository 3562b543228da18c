// SPDX-License-Identifier: Apache-2.0
//
// How long it takes from a graph to machine code.
#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

template <typename Op>
void CompileGraph(benchmark::State& state, const Shape& shape, Op op) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        CompileUnary(DType::kF32, shape, [&](GraphBuilder&, Value x) { return op(x); }, 1));
  }
}
BENCHMARK_CAPTURE(CompileGraph, gelu, Shape{4096}, [](Value x) {
  return Gelu(x);
})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(CompileGraph, softmax, Shape{64, 1024}, [](Value x) {
  return Softmax(x);
})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenfold
