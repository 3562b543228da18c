// SPDX-License-Identifier: Apache-2.0
//
// What a run costs besides its arithmetic: a graph of three nodes on 4 floats.
#include <span>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

void InvocationOfFourFloats(benchmark::State& state) {
  const auto executable = CompileUnary({4}, [](GraphBuilder&, Value x) { return Max(x * 2.0 + 1.0, 0); }, 1);
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  const float values[4] = {1, -2, 3, -4};
  for (auto _ : state) {
    if (!call.SetInput(0, std::span<const float>(values)).ok() || !call.Run().ok()) {
      return state.SkipWithError("the run failed");
    }
    benchmark::DoNotOptimize(call.Output(0).data);
  }
}
BENCHMARK(InvocationOfFourFloats);

}  // namespace
}  // namespace tenfold
