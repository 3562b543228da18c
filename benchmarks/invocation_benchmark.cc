// SPDX-License-Identifier: Apache-2.0
//
// What a run costs besides its arithmetic: a fused kernel of three nodes on 4 floats, and matrix products
// through the provider.
#include <omp.h>

#include <dnnl.hpp>
#include <memory>

#include "benchmark/benchmark.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"
#include "tenfold/kernels/onednn/onednn_matmul.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace tenfold {
namespace {

Scalar ThreeNodes(std::span<const Scalar> in) { return Max(in[0] * 2.0 + 1.0, Like(in[0], 0)); }

void BM_InvocationOfFourFloats(benchmark::State& state) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[4]");
  maker.Map(maker.Output("y", "f32[4]"), {x}, ThreeNodes);
  ExecutableOptions options;
  options.threads = 1;
  if (state.range(0) != 0) options.compiler = CreateLlvmKernelCompiler();
  const Executable exe = *Executable::Create(maker.Finish(), options);
  Invocation call = exe.Prepare();
  const float values[4] = {1, -2, 3, -4};
  for (auto _ : state) {
    if (!call.SetInput(0, std::span<const float>(values)).ok() || !call.Run().ok()) {
      state.SkipWithError("the run failed");
      break;
    }
    benchmark::DoNotOptimize(call.Output(0).data);
  }
}
BENCHMARK(BM_InvocationOfFourFloats)->ArgName("compiled")->Arg(0)->Arg(1);

void BM_MatMul1024(benchmark::State& state) {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[1024,1024]");
  const int w = maker.Constant("w", RandomTensor({1024, 1024}, 1));
  maker.MatMul(maker.Output("y", "f32[1024,1024]"), x, w);
  ExecutableOptions options;
  options.threads = static_cast<int>(state.range(0));
  options.matmuls = CreateOneDnnMatMulProvider();
  const Executable exe = *Executable::Create(maker.Finish(), options);
  Invocation call = exe.Prepare();
  const Tensor input = RandomTensor({1024, 1024}, 2);
  if (!call.SetInput(0, input).ok()) state.SkipWithError("the input was refused");
  for (auto _ : state) {
    if (!call.Run().ok()) state.SkipWithError("the run failed");
  }
}
BENCHMARK(BM_MatMul1024)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

// What it is held against: one packed inner product of the library's own, with its own threads.
void BM_OneDnnInnerProduct1024(benchmark::State& state) {
  using dnnl::memory;
  omp_set_num_threads(static_cast<int>(state.range(0)));
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::dims square = {1024, 1024};
  const auto f32 = memory::data_type::f32;
  const memory::desc plain(square, f32, memory::format_tag::ab), any(square, f32, memory::format_tag::any);
  const dnnl::inner_product_forward::primitive_desc description(
      {dnnl::prop_kind::forward_inference, plain, any, plain}, engine);
  const dnnl::inner_product_forward product(description);
  memory from(memory::desc(square, f32, memory::format_tag::ba), engine);
  memory lhs(plain, engine), rhs(description.weights_desc(), engine), out(plain, engine);
  dnnl::reorder(from, rhs).execute(stream, from, rhs);
  for (auto _ : state) {
    product.execute(stream, {{DNNL_ARG_SRC, lhs}, {DNNL_ARG_WEIGHTS, rhs}, {DNNL_ARG_DST, out}});
  }
  omp_set_num_threads(1);
}
BENCHMARK(BM_OneDnnInnerProduct1024)->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace tenfold

BENCHMARK_MAIN();
