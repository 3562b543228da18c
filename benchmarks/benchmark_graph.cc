// SPDX-License-Identifier: Apache-2.0
#include "tenfold/benchmarks/benchmark_graph.h"

#include <map>
#include <utility>

#include "tenfold/graph/diagnostic.h"

namespace tenfold {

absl::StatusOr<Executable> CompileUnary(DType dtype, const Shape& shape,
                                        const std::function<Value(GraphBuilder&, Value)>& op, int threads) {
  GraphBuilder g("benchmark");
  g.Output("y", op(g, g.Input("x", dtype, shape)));
  TENFOLD_ASSIGN_OR_RETURN(const Graph graph, std::move(g).Build());
  return Compile(graph, {.threads = threads});
}

void RunInLoop(benchmark::State& state, Invocation& call) {
  // The first run touches memory for the first time.
  if (const absl::Status status = call.Run(); !status.ok()) {
    return state.SkipWithError(std::string(status.message()).c_str());
  }
  for (auto _ : state) {
    if (const absl::Status status = call.Run(); !status.ok()) {
      return state.SkipWithError(std::string(status.message()).c_str());
    }
  }
}

const Tensor& BenchmarkInput(const Dims& dims) {
  static auto& inputs = *new std::map<Dims, Tensor>;
  auto [it, is_new] = inputs.try_emplace(dims);
  if (is_new) {
    it->second = *Tensor::Allocate(DType::kF32, dims);
    int64_t i = 0;
    for (float& value : it->second.mutable_values<float>()) {
      value = static_cast<float>((i++ * 7919) % 20011 - 10005) / 1000;
    }
  }
  return it->second;
}

}  // namespace tenfold
