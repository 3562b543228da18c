// SPDX-License-Identifier: Apache-2.0
//
// Compiled fused kernels beside kernels written by hand, in one run: one thread, 4 Mi floats, buffers aligned
// to 64 bytes and warm. Run with
//   --benchmark_repetitions=15 --benchmark_enable_random_interleaving --benchmark_report_aggregates_only
// and compare medians of one run; "ns" is the time an element.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "tenfold/benchmarks/handwritten/kernels.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"

namespace tenfold {
namespace {

constexpr int64_t kRows = 4096;
constexpr int64_t kColumns = 1024;
constexpr int64_t kElements = kRows * kColumns;

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;

Source Input(int i) { return {.kind = Source::kInput, .index = i}; }
Source StageOutput(int i) { return {.kind = Source::kStage, .index = i}; }

template <typename Formula>
ScalarProgram Program(int inputs, Formula formula) {
  const std::vector<DType> types(inputs, DType::kF32);
  return ScalarBuilder::Record(types, [&](auto in) { return std::vector<Scalar>{formula(in)}; });
}

Stage Map(ScalarProgram program, std::vector<Source> inputs) {
  Stage stage;
  stage.program = std::move(program);
  stage.inputs = std::move(inputs);
  return stage;
}

Stage Reduce(ScalarProgram combine, uint32_t identity, Source input) {
  Stage stage;
  stage.kind = Stage::kReduce;
  stage.program = Program(1, [](auto in) { return in[0]; });
  stage.inputs = {input};
  stage.combine = std::move(combine);
  stage.identity = stage.empty = identity;
  return stage;
}
Stage Sum(Source input) {
  return Reduce(Program(2, [](auto in) { return in[0] + in[1]; }), 0x80000000, input);
}
Stage Maximum(Source input) {
  return Reduce(Program(2, [](auto in) { return Max(in[0], in[1]); }), 0xff800000, input);
}

// As the op Gelu, tanh form, defines it.
Scalar GeluFormula(Scalar x) {
  constexpr double kTwoSqrtTwoOverPi = 1.5957691216057308;
  const Scalar twice_u = x * Fma(x * x, Like(x, kTwoSqrtTwoOverPi * 0.044715), Like(x, kTwoSqrtTwoOverPi));
  const Scalar e = math::Exp(-Abs(twice_u));
  const Scalar sigmoid = Select(twice_u < 0, e, Like(x, 1)) / (1 + e);
  return Select(x == -std::numeric_limits<double>::infinity(), Like(x, -0.0), x * sigmoid);
}

FusedKernel Gelu() {
  FusedKernel kernel;
  kernel.name = "gelu";
  kernel.extents = {Dim::Symbol("N")};
  kernel.parallel_rank = 1;
  kernel.inputs = {{DType::kF32, {1}}};
  kernel.stages = {Map(Program(1, [](auto in) { return GeluFormula(in[0]); }), {Input(0)})};
  kernel.outputs = {{.operand = {DType::kF32, {1}}, .source = StageOutput(0)}};
  return kernel;
}

FusedKernel OverRows(bool columns_known) {
  const Dim columns = columns_known ? Dim(kColumns) : Dim::Symbol("C");
  FusedKernel kernel;
  kernel.extents = {Dim::Symbol("N"), columns};
  kernel.parallel_rank = 1;
  kernel.inputs = {{DType::kF32, {columns, 1}}};
  return kernel;
}

FusedKernel Softmax(bool columns_known) {
  FusedKernel kernel = OverRows(columns_known);
  kernel.name = "softmax";
  kernel.stages = {
      Maximum(Input(0)),
      Map(Program(2, [](auto in) { return math::Exp(in[0] - in[1]); }), {Input(0), StageOutput(0)}),
      Sum(StageOutput(1)),
      Map(Program(2, [](auto in) { return in[0] / in[1]; }), {StageOutput(1), StageOutput(2)})};
  kernel.outputs = {{.operand = kernel.inputs[0], .source = StageOutput(3)}};
  return kernel;
}

FusedKernel RowSums(bool columns_known) {
  FusedKernel kernel = OverRows(columns_known);
  kernel.name = "row_sums";
  kernel.stages = {Sum(Input(0))};
  kernel.outputs = {{.operand = {DType::kF32, {1, 0}}, .source = StageOutput(0)}};
  return kernel;
}

float* AlignedFloats(int64_t count) {
  return static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(count) * sizeof(float)));
}

struct Buffers {
  Buffers() {
    for (int64_t i = 0; i < kElements; ++i) {
      x[i] = static_cast<float>((i * 7919) % 20011 - 10005) / 1000;
      y[i] = 0;
    }
  }
  float* const x = AlignedFloats(kElements);
  float* const y = AlignedFloats(kElements);
};

Buffers& SharedBuffers() {
  static Buffers& buffers = *new Buffers;
  return buffers;
}

void Report(benchmark::State& state) {
  state.counters["ns"] =
      benchmark::Counter(static_cast<double>(kElements) * 1e-9,
                         benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

template <typename Kernel>
void Handwritten(benchmark::State& state, Kernel kernel) {
  Buffers& buffers = SharedBuffers();
  if (*handwritten::Isa() == 0) return state.SkipWithError("needs AVX2");
  state.SetLabel(handwritten::Isa());
  for (auto _ : state) kernel(buffers.x, buffers.y);
  Report(state);
}

void Compiled(benchmark::State& state, const FusedKernel& kernel, bool quick) {
  Buffers& buffers = SharedBuffers();
  const FusedKernel* kernels[] = {&kernel};
  const auto compiled = CreateLlvmKernelCompiler()->Compile(kernels, {.isa = std::nullopt, .quick = quick});
  if (!compiled.ok()) return state.SkipWithError(std::string(compiled.status().message()).c_str());
  std::vector<int64_t> dims;
  const SymbolValues symbols = {{"N", kernel.rank() == 1 ? kElements : kRows}, {"C", kColumns}};
  for (const Dim& dim : kernel.DimExpressions()) dims.push_back(*dim.Evaluate(symbols));
  const CompiledKernel& code = (*compiled)[0];
  const size_t scratch_bytes = code.scratch_bytes + code.scratch_bytes_per_row_element * kColumns;
  const std::unique_ptr<float, decltype(&std::free)> scratch(
      AlignedFloats(static_cast<int64_t>(scratch_bytes / 64 * 16 + 16)), &std::free);
  const void* inputs[] = {buffers.x};
  void* outputs[] = {buffers.y};
  KernelError error{std::numeric_limits<int64_t>::max(), kKernelOk, 0};
  const KernelCall call{inputs, outputs, dims.data(), 0, dims[0], scratch.get(), &error};
  for (auto _ : state) code.function(&call);
  Report(state);
}

// How long compiling takes: `state.range(0)` kernels in one module.
void Compile(benchmark::State& state, const FusedKernel& kernel, bool quick) {
  const std::unique_ptr<KernelCompiler> compiler = CreateLlvmKernelCompiler();
  const std::vector<const FusedKernel*> kernels(state.range(0), &kernel);
  for (auto _ : state)
    benchmark::DoNotOptimize(compiler->Compile(kernels, {.isa = std::nullopt, .quick = quick}));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void RegisterAll() {
  using benchmark::RegisterBenchmark;
  const auto over_rows = [](auto function) {
    return [function](const float* x, float* y) { function(x, y, kRows, kColumns); };
  };
  const auto gelu = [](const float* x, float* y) { handwritten::Gelu(x, y, kElements); };
  RegisterBenchmark("gelu/handwritten", [=](auto& state) { Handwritten(state, gelu); });
  RegisterBenchmark("gelu/compiled", [](auto& state) { Compiled(state, Gelu(), false); });
  RegisterBenchmark("gelu/quick", [](auto& state) { Compiled(state, Gelu(), true); });
  RegisterBenchmark("softmax/handwritten",
                    [=](auto& state) { Handwritten(state, over_rows(&handwritten::Softmax)); });
  RegisterBenchmark("softmax/handwritten_reciprocal",
                    [=](auto& state) { Handwritten(state, over_rows(&handwritten::SoftmaxReciprocal)); });
  RegisterBenchmark("softmax/compiled", [](auto& state) { Compiled(state, Softmax(true), false); });
  RegisterBenchmark("softmax/compiled_any_size", [](auto& state) { Compiled(state, Softmax(false), false); });
  RegisterBenchmark("softmax/quick", [](auto& state) { Compiled(state, Softmax(true), true); });
  RegisterBenchmark("row_sums/handwritten",
                    [=](auto& state) { Handwritten(state, over_rows(&handwritten::RowSums)); });
  RegisterBenchmark("row_sums/compiled", [](auto& state) { Compiled(state, RowSums(true), false); });
  RegisterBenchmark("row_sums/compiled_any_size",
                    [](auto& state) { Compiled(state, RowSums(false), false); });
  RegisterBenchmark("row_sums/quick", [](auto& state) { Compiled(state, RowSums(true), true); });
  for (const bool quick : {false, true}) {
    const std::string suffix = quick ? "/quick" : "/good";
    RegisterBenchmark(("compile/gelu" + suffix).c_str(), [=](auto& state) { Compile(state, Gelu(), quick); })
        ->Arg(1)
        ->Arg(100)
        ->Unit(benchmark::kMillisecond);
    RegisterBenchmark(("compile/softmax" + suffix).c_str(),
                      [=](auto& state) { Compile(state, Softmax(true), quick); })
        ->Arg(1)
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  tenfold::RegisterAll();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
