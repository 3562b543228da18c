// SPDX-License-Identifier: Apache-2.0
//
// What a run costs besides its arithmetic: a graph of three nodes on 4 floats; a feed held against a
// contract.
#include <span>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/contract_checker.h"
#include "tenfold/graph/derive_contract.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

void InvocationOfFourFloats(benchmark::State& state) {
  const auto executable =
      CompileUnary(DType::kF32, {4}, [](GraphBuilder&, Value x) { return Max(x * 2.0 + 1.0, 0); }, 1);
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

void ContractOf512x784Floats(benchmark::State& state) {
  const Tensor& feed = BenchmarkInput({512, 784});
  const ContractSample sample = {feed, "feed"};
  const auto contract =
      DeriveContract({"x", {DType::kF32, Shape{Dim::Symbol("N"), 784}}}, std::span(&sample, 1));
  if (!contract.ok()) return state.SkipWithError(std::string(contract.status().message()).c_str());
  const auto checker = ContractChecker::Create("x", "", *contract);
  if (!checker.ok()) return state.SkipWithError(std::string(checker.status().message()).c_str());
  for (auto _ : state) {
    if (!checker->Holds(feed.dims(), feed.data(), [] { return false; })) {
      return state.SkipWithError("the feed broke its own contract");
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(feed.stored_bytes()));
}
BENCHMARK(ContractOf512x784Floats);

}  // namespace
}  // namespace tenfold
