// SPDX-License-Identifier: Apache-2.0
//
// Graphs for benchmarks: built, compiled and run as a user would.
#ifndef TENFOLD_BENCHMARKS_BENCHMARK_GRAPH_H_
#define TENFOLD_BENCHMARKS_BENCHMARK_GRAPH_H_

#include <functional>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold {

// The compiled graph y = op(x), x being `dtype` of `shape`. Code is ready when it returns.
absl::StatusOr<Executable> CompileUnary(DType dtype, const Shape& shape,
                                        const std::function<Value(GraphBuilder&, Value)>& op, int threads);

// Runs `call` once, then in the benchmark's loop.
void RunInLoop(benchmark::State& state, Invocation& call);

// `count` floats between -10 and 10, 64-byte aligned, the same in every run.
const Tensor& BenchmarkInput(const Dims& dims);

}  // namespace tenfold

#endif  // TENFOLD_BENCHMARKS_BENCHMARK_GRAPH_H_
