// SPDX-License-Identifier: Apache-2.0
//
// A recurrent layer by constant weights, 64 steps of 128 units, one thread, beside its matrix products alone:
// one of all steps' inputs, then one after the other as each step needs the one before, by the library's own
// primitive on weights that it has packed.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>
#include <string>
#include <vector>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

constexpr int64_t kSteps = 64, kUnits = 128;

// Numbers of the size that trained weights have: with larger ones gates would be 0 and 1.
Value Weights(GraphBuilder& g, const Dims& dims, const char* name) {
  Tensor weights = *Tensor::Allocate(DType::kF32, dims);
  const std::span<const float> values = BenchmarkInput(dims).values<float>();
  std::transform(values.begin(), values.end(), weights.mutable_values<float>().begin(),
                 [](float v) { return v / 100; });
  return g.Const(weights, name);
}

void RunLayer(benchmark::State& state, int64_t gates,
              const std::function<Value(Value, Value, Value, Value)>& op) {
  const int64_t batch = state.range(0);
  const auto executable = CompileUnary(
      DType::kF32, {kSteps, batch, kUnits},
      [&](GraphBuilder& g, Value x) {
        return op(x, Weights(g, {1, gates * kUnits, kUnits}, "w"),
                  Weights(g, {1, gates * kUnits, kUnits}, "r"), Weights(g, {1, 2 * gates * kUnits}, "b"));
      },
      /*threads=*/1);
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  if (!call.SetInput(0, BenchmarkInput({kSteps, batch, kUnits})).ok())
    return state.SkipWithError("the input was refused");
  RunInLoop(state, call);
}

void Lstm(benchmark::State& state) {
  RunLayer(state, 4, [](Value x, Value w, Value r, Value b) { return LSTM(x, w, r, b).y; });
}
BENCHMARK(Lstm)->ArgName("batch")->Arg(1)->Arg(16);

void Gru(benchmark::State& state) {
  RunLayer(state, 3, [](Value x, Value w, Value r, Value b) {
    return GRU(x, w, r, b, std::nullopt, std::nullopt, {.linear_before_reset = true}).y;
  });
}
BENCHMARK(Gru)->ArgName("batch")->Arg(1)->Arg(16);

// [m, units] x [units, columns], packed.
class Product {
 public:
  Product(const dnnl::engine& engine, int64_t m, int64_t columns) {
    using dnnl::memory;
    const auto f32 = memory::data_type::f32;
    const memory::desc lhs({m, kUnits}, f32, memory::format_tag::ab),
        rhs({kUnits, columns}, f32, memory::format_tag::any), out({m, columns}, f32, memory::format_tag::ab);
    const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(lhs, rhs, out), engine);
    product_ = dnnl::matmul(description);
    lhs_ = memory(lhs, engine), rhs_ = memory(description.weights_desc(), engine), out_ = memory(out, engine);
    for (const memory& filled : {lhs_, rhs_}) {
      std::fill_n(static_cast<float*>(filled.get_data_handle()), filled.get_desc().get_size() / 4, 0.5f);
    }
  }
  void Run(dnnl::stream& stream) {
    product_.execute(stream, {{DNNL_ARG_SRC, lhs_}, {DNNL_ARG_WEIGHTS, rhs_}, {DNNL_ARG_DST, out_}});
  }

 private:
  dnnl::matmul product_;
  dnnl::memory lhs_, rhs_, out_;
};

void RunProducts(benchmark::State& state, int64_t gates) {
  const int64_t batch = state.range(0);
  omp_set_num_threads(1);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  Product inputs(engine, kSteps * batch, gates * kUnits), recurrence(engine, batch, gates * kUnits);
  for (auto _ : state) {
    inputs.Run(stream);
    for (int64_t t = 0; t < kSteps; ++t) recurrence.Run(stream);
  }
}

void OneDnnLstmProducts(benchmark::State& state) { RunProducts(state, 4); }
BENCHMARK(OneDnnLstmProducts)->ArgName("batch")->Arg(1)->Arg(16);

void OneDnnGruProducts(benchmark::State& state) { RunProducts(state, 3); }
BENCHMARK(OneDnnGruProducts)->ArgName("batch")->Arg(1)->Arg(16);

}  // namespace
}  // namespace tenfold
