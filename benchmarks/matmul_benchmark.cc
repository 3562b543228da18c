// SPDX-License-Identifier: Apache-2.0
//
// A matrix product by a constant, beside the library's own packed inner product.
#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

constexpr int64_t kSize = 1024;

void MatMul1024(benchmark::State& state) {
  const auto executable = CompileUnary(
      DType::kF32, {kSize, kSize},
      [](GraphBuilder& g, Value x) { return MatMul(x, g.Const(BenchmarkInput({kSize, kSize}), "w")); },
      static_cast<int>(state.range(0)));
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  if (!call.SetInput(0, BenchmarkInput({kSize, kSize})).ok())
    return state.SkipWithError("the input was refused");
  RunInLoop(state, call);
}
BENCHMARK(MatMul1024)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

void OneDnnInnerProduct1024(benchmark::State& state) {
  using dnnl::memory;
  omp_set_num_threads(static_cast<int>(state.range(0)));
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::dims square = {kSize, kSize};
  const auto f32 = memory::data_type::f32;
  const memory::desc plain(square, f32, memory::format_tag::ab), any(square, f32, memory::format_tag::any);
  const dnnl::inner_product_forward::primitive_desc description(
      {dnnl::prop_kind::forward_inference, plain, any, plain}, engine);
  const dnnl::inner_product_forward product(description);
  memory from(memory::desc(square, f32, memory::format_tag::ba), engine);
  memory lhs(plain, engine), rhs(description.weights_desc(), engine), out(plain, engine);
  for (const memory& filled : {from, lhs}) {
    const std::span<const float> values = BenchmarkInput({kSize, kSize}).values<float>();
    std::copy(values.begin(), values.end(), static_cast<float*>(filled.get_data_handle()));
  }
  dnnl::reorder(from, rhs).execute(stream, from, rhs);
  for (auto _ : state) {
    product.execute(stream, {{DNNL_ARG_SRC, lhs}, {DNNL_ARG_WEIGHTS, rhs}, {DNNL_ARG_DST, out}});
  }
  omp_set_num_threads(1);
}
BENCHMARK(OneDnnInnerProduct1024)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace tenfold
