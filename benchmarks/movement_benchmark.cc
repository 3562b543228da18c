// SPDX-License-Identifier: Apache-2.0
//
// What cutting and joining costs: parts that are read where they lie, and written where they are joined,
// beside the same arithmetic in one piece.
#include <functional>
#include <utility>
#include <vector>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

constexpr int64_t kParts = 8;

void Run(benchmark::State& state, const std::function<Value(GraphBuilder&, Value)>& op) {
  const auto executable = CompileUnary(DType::kF32, {kParts, 1024, 1024}, op, 1);
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  if (!call.SetInput(0, BenchmarkInput({kParts, 1024, 1024})).ok()) return state.SkipWithError("no feed");
  RunInLoop(state, call);
}

// The sum of eight parts.
void SplitOf8x1024x1024(benchmark::State& state) {
  Run(state, [](GraphBuilder&, Value x) {
    const Values parts = Split(x, std::nullopt, {.axis = 0, .num_outputs = kParts});
    Value sum = parts[0];
    for (int64_t i = 1; i < kParts; ++i) sum = sum + parts[i];
    return sum;
  });
}
BENCHMARK(SplitOf8x1024x1024)->Unit(benchmark::kMillisecond)->UseRealTime();

// Eight results, joined.
void ConcatOf8x1024x1024(benchmark::State& state) {
  Run(state, [](GraphBuilder&, Value x) {
    const Values parts = Split(x, std::nullopt, {.axis = 0, .num_outputs = kParts});
    std::vector<Operand> results;
    for (int64_t i = 0; i < kParts; ++i) results.push_back(parts[i] * static_cast<double>(i + 2));
    return Concat(std::move(results), {.axis = 0});
  });
}
BENCHMARK(ConcatOf8x1024x1024)->Unit(benchmark::kMillisecond)->UseRealTime();

// As many bytes read and written as ConcatOf8x1024x1024 has to.
void MapOf8x1024x1024(benchmark::State& state) {
  Run(state, [](GraphBuilder&, Value x) { return x * 2.0; });
}
BENCHMARK(MapOf8x1024x1024)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace tenfold
