// SPDX-License-Identifier: Apache-2.0
//
// A kernel at work on one enormous row asks now and then whether it is to stop, and does.
#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"
#include "tenfold/tests/kernels/llvm/kernel_harness.h"

namespace tenfold::testing {
namespace {

constexpr int64_t kLength = int64_t{1} << 20;

// The sum of each row, and its elements less that sum: a reduction, then a loop that only writes.
FusedKernel LessItsSum(std::vector<Dim> extents, std::vector<Dim> strides) {
  FusedKernel kernel;
  kernel.extents = std::move(extents);
  kernel.parallel_rank = 1;
  kernel.inputs = {{DType::kF32, strides}};
  kernel.stages = {
      Reduce(Reduction::kSum, DType::kF32, Input(0)),
      Map(Program({DType::kF32, DType::kF32}, [](auto in) { return std::vector<Scalar>{in[0] - in[1]}; }),
          {Input(0), StageOutput(0)})};
  kernel.outputs = {{.operand = {DType::kF32, strides}, .source = StageOutput(1)}};
  return kernel;
}

struct Counter {
  int64_t stop_at;
  int64_t polls = 0;
};

// Runs the kernel over rows [0, rows) of ones until the poll number `stop_at`; gives how many polls there
// were, and in `written` how many elements were written.
int64_t Polls(const CompiledKernel& kernel, const std::vector<int64_t>& dims, int64_t rows, int64_t stop_at,
              int64_t& written) {
  std::vector<float> in(rows * kLength, 1), out(rows * kLength, 7);
  const void* inputs[] = {in.data()};
  void* outputs[] = {out.data()};
  const size_t bytes = kernel.scratch_bytes + kernel.scratch_bytes_per_row_element * kLength;
  const std::unique_ptr<void, decltype(&std::free)> scratch(std::aligned_alloc(64, (bytes + 127) / 64 * 64),
                                                            &std::free);
  KernelError error{std::numeric_limits<int64_t>::max(), kKernelOk, 0};
  Counter counter{stop_at};
  const KernelInterrupt interrupt = {[](void* context) -> int32_t {
                                       auto* c = static_cast<Counter*>(context);
                                       return ++c->polls >= c->stop_at;
                                     },
                                     &counter};
  const KernelCall call{inputs, outputs, dims.data(), 0, rows, scratch.get(), &error, &interrupt};
  kernel.function(&call);
  written = std::count_if(out.begin(), out.end(), [](float v) { return v != 7; });
  return counter.polls;
}

void ExpectStoppable(const FusedKernel& shape, int64_t rows, int64_t steps_between) {
  for (const FusedKernel& kernel : {shape, WithSymbols(shape)}) {
    const FusedKernel* kernels[] = {&kernel};
    const std::vector<int64_t> dims = ConstantDims(shape);
    for (const IsaLevel isa : {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512}) {
      if (isa > HostIsaLevel()) continue;
      const auto compiled = CreateLlvmKernelCompiler()->Compile(kernels, {.isa = isa});
      ASSERT_TRUE(compiled.ok()) << std::string(compiled.status().message());
      int64_t written = 0;
      // Both loops poll, but at their beginning.
      const int64_t a_loop = kLength / steps_between - 1;
      EXPECT_EQ(Polls((*compiled)[0], dims, rows, INT64_MAX, written), 2 * a_loop);
      EXPECT_EQ(written, rows * kLength);
      EXPECT_EQ(Polls((*compiled)[0], dims, rows, 1, written), 1);
      EXPECT_EQ(written, 0);
      EXPECT_EQ(Polls((*compiled)[0], dims, rows, a_loop + 3, written), a_loop + 3);
      EXPECT_EQ(written, 3 * steps_between * rows);
    }
  }
}

TEST(StopTest, RowKernels) { ExpectStoppable(LessItsSum({1, kLength}, {kLength, 1}), 1, 1 << 16); }

TEST(StopTest, ColumnKernels) { ExpectStoppable(LessItsSum({4, kLength}, {1, 4}), 4, 1 << 12); }

}  // namespace
}  // namespace tenfold::testing
