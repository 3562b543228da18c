// SPDX-License-Identifier: Apache-2.0
//
// Convolutions by constant weights, one thread: our tasks, which take and give row-major tensors, beside the
// library's own primitive on operands that lie in its own order already.
#include <benchmark/benchmark.h>
#include <omp.h>

#include <algorithm>
#include <dnnl.hpp>
#include <vector>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/kernels/onednn/onednn_convolution.h"

namespace tenfold {
namespace {

struct Shape {
  int64_t in, out, size, kernel, stride, pad;
  int64_t out_size() const { return (size + 2 * pad - kernel) / stride + 1; }
};
// A middle layer of an image network, its first layer, a pointwise and a late one.
constexpr Shape kShapes[] = {
    {64, 64, 56, 3, 1, 1}, {3, 64, 224, 7, 2, 3}, {256, 64, 56, 1, 1, 0}, {512, 512, 7, 3, 1, 1}};

ConvolutionExtents ExtentsOf(const Shape& s) {
  const WindowExtents axis = {.input = s.size,
                              .kernel = s.kernel,
                              .output = s.out_size(),
                              .stride = s.stride,
                              .pad_begin = s.pad,
                              .pad_end = s.pad};
  return {.in_channels = s.in, .out_channels = s.out, .window = {WindowExtents(), axis, axis}};
}

void SetCounters(benchmark::State& state, const Shape& s) {
  const double products =
      static_cast<double>(s.in * s.out * s.kernel * s.kernel * s.out_size() * s.out_size());
  state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * products * static_cast<double>(state.iterations()),
                                                 benchmark::Counter::kIsRate);
}

void Convolution(benchmark::State& state) {
  const Shape& s = kShapes[state.range(0)];
  const Tensor x = BenchmarkInput({1, s.in, s.size, s.size});
  ConvolutionSpec spec{.extents = ExtentsOf(s), .constant_weights = {}};
  spec.constant_weights = BenchmarkInput({s.out, s.in, s.kernel, s.kernel});
  const auto kernel = CreateOneDnnConvolutionProvider()->Create(spec);
  if (!kernel.ok() || *kernel == nullptr) return state.SkipWithError("no fast code on this CPU");
  Tensor y = *Tensor::Allocate(DType::kF32, Dims{1, s.out, s.out_size(), s.out_size()});
  Tensor scratch = *Tensor::Allocate(DType::kU8, Dims{static_cast<int64_t>((*kernel)->scratch_bytes())});
  for (auto _ : state) {
    for (int64_t task = 0; task < (*kernel)->num_tasks(); ++task) {
      (*kernel)->RunTask(task, {x.data(), nullptr, nullptr, y.mutable_data()}, scratch.mutable_data());
    }
  }
  SetCounters(state, s);
}
BENCHMARK(Convolution)->ArgName("shape")->DenseRange(0, 3);

void OneDnnBlockedConvolution(benchmark::State& state) {
  using dnnl::memory;
  const Shape& s = kShapes[state.range(0)];
  omp_set_num_threads(1);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto f32 = memory::data_type::f32;
  const auto any = memory::format_tag::any;
  const dnnl::convolution_forward::primitive_desc description(
      {dnnl::prop_kind::forward_inference,
       dnnl::algorithm::convolution_direct,
       memory::desc({1, s.in, s.size, s.size}, f32, any),
       memory::desc({s.out, s.in, s.kernel, s.kernel}, f32, any),
       memory::desc({1, s.out, s.out_size(), s.out_size()}, f32, any),
       {s.stride, s.stride},
       {s.pad, s.pad},
       {s.pad, s.pad}},
      engine);
  const dnnl::convolution_forward convolution(description);
  memory x(description.src_desc(), engine), w(description.weights_desc(), engine),
      y(description.dst_desc(), engine);
  for (const memory& filled : {x, w}) {
    std::fill_n(static_cast<float*>(filled.get_data_handle()), filled.get_desc().get_size() / 4, 0.5f);
  }
  for (auto _ : state) {
    convolution.execute(stream, {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y}});
  }
  SetCounters(state, s);
}
BENCHMARK(OneDnnBlockedConvolution)->ArgName("shape")->DenseRange(0, 3);

// The loop nest itself: what small convolutions and other dtypes run.
void ReferenceConvolution(benchmark::State& state) {
  const Shape& s = kShapes[state.range(0)];
  const Tensor x = BenchmarkInput({1, s.in, s.size, s.size});
  const Tensor w = BenchmarkInput({s.out, s.in, s.kernel, s.kernel});
  Tensor y = *Tensor::Allocate(DType::kF32, Dims{1, s.out, s.out_size(), s.out_size()});
  const ConvolutionExtents extents = ExtentsOf(s);
  for (auto _ : state) {
    ConvolutionReference(DType::kF32, extents, {x.data(), w.data(), nullptr, y.mutable_data()}, 0,
                         extents.num_units());
  }
  SetCounters(state, s);
}
BENCHMARK(ReferenceConvolution)->ArgName("shape")->DenseRange(0, 3);

}  // namespace
}  // namespace tenfold
