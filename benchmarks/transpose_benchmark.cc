// SPDX-License-Identifier: Apache-2.0
//
// Transpositions beside a copy of as many bytes, beyond the caches: one thread. "GB/s" counts what is read
// and what is written.
#include <cstdint>
#include <cstring>
#include <vector>

#include "tenfold/benchmarks/benchmark_graph.h"
#include "tenfold/graph/ops.h"

namespace tenfold {
namespace {

constexpr int64_t kBytes = int64_t{256} << 20;

const Tensor& Source() { return BenchmarkInput(Dims{kBytes / int64_t{sizeof(float)}}); }

void SetBytes(benchmark::State& state) {
  state.counters["GB/s"] = benchmark::Counter(2e-9 * kBytes, benchmark::Counter::kIsIterationInvariantRate);
}

void CopyBeyondTheCaches(benchmark::State& state) {
  Tensor target = *Tensor::Allocate(DType::kF32, Source().dims());
  void* const to = target.mutable_data();
  std::memset(to, 0, kBytes);  // its pages are there
  for (auto _ : state) {
    std::memcpy(to, Source().data(), kBytes);
    benchmark::ClobberMemory();
  }
  SetBytes(state);
}
BENCHMARK(CopyBeyondTheCaches)->Unit(benchmark::kMillisecond);

// Of kBytes: `dims` lack the outermost extent.
void TransposeOf(benchmark::State& state, DType dtype, Dims dims, const std::vector<int64_t>& perm) {
  const int64_t inner = *NumElements(dims);
  dims.insert(dims.begin(), kBytes / static_cast<int64_t>(SizeOf(dtype)) / inner);
  const auto executable = CompileUnary(
      dtype, Shape::Of(dims), [&](GraphBuilder&, Value x) { return Transpose(x, {.perm = perm}); }, 1);
  if (!executable.ok()) return state.SkipWithError(std::string(executable.status().message()).c_str());
  Invocation call = executable->Prepare();
  const absl::Status fed = call.SetInput(0, dtype, dims, Source().data());
  if (!fed.ok()) return state.SkipWithError(std::string(fed.message()).c_str());
  RunInLoop(state, call);
  SetBytes(state);
}
BENCHMARK_CAPTURE(TransposeOf, f32_matrix, DType::kF32, {8192}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, i32_matrix, DType::kI32, {8192}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, f32_channels_last, DType::kF32, {64, 128, 128}, {0, 2, 3, 1})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, f32_heads, DType::kF32, {512, 16, 64}, {0, 2, 1, 3})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, i16_matrix, DType::kI16, {8192}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, i64_matrix, DType::kI64, {8192}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, u8_matrix, DType::kU8, {8192}, {1, 0})->Unit(benchmark::kMillisecond);
// Rows of the output begin anywhere in lines of memory.
BENCHMARK_CAPTURE(TransposeOf, f32_odd, DType::kF32, {1000}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, i16_odd, DType::kI16, {1000}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, i64_odd, DType::kI64, {1000}, {1, 0})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(TransposeOf, u8_odd, DType::kU8, {1000}, {1, 0})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenfold
