// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/onednn/onednn_matmul.h"

#include <omp.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "tenfold/graph/half.h"
#include "tenfold/graph/matmul_reference.h"

namespace tenfold {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

struct Operands {
  Tensor lhs, rhs;
};

Tensor Random(DType dtype, const Dims& dims, std::mt19937& random) {
  std::normal_distribution<float> normal;
  Tensor tensor = *Tensor::Allocate(dtype, dims);
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    const float v = normal(random);
    if (dtype == DType::kF32)
      tensor.mutable_values<float>()[i] = v;
    else
      tensor.mutable_values<BF16>()[i] = ToBF16(v);
  }
  return tensor;
}

double At(const Tensor& t, int64_t i) {
  return t.dtype() == DType::kF32 ? t.at<float>(i) : ToFloat(t.at<BF16>(i));
}

void Set(Tensor& t, int64_t i, float v) {
  if (t.dtype() == DType::kF32)
    t.mutable_values<float>()[i] = v;
  else
    t.mutable_values<BF16>()[i] = ToBF16(v);
}

// Runs all tasks, last first.
Tensor RunAll(const MatMulKernel& kernel, const MatMulSpec& spec, const Operands& in) {
  Tensor out = *Tensor::Allocate(spec.dtype, Dims{spec.batch, spec.m, spec.n});
  std::vector<char> scratch(kernel.scratch_bytes() + 64);
  void* aligned =
      reinterpret_cast<void*>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~uintptr_t{63});
  const void* rhs = spec.constant_rhs ? nullptr : in.rhs.data();
  for (int64_t t = kernel.num_tasks(); t-- > 0;) {
    kernel.RunTask(t, in.lhs.data(), rhs, out.mutable_data(), aligned);
  }
  return out;
}

Tensor Reference(const MatMulSpec& spec, const Operands& in) {
  Tensor out = *Tensor::Allocate(spec.dtype, Dims{spec.batch, spec.m, spec.n});
  const int64_t batch[] = {spec.batch}, lhs[] = {spec.lhs_batched}, rhs[] = {spec.rhs_batched};
  const MatMulExtents extents = {batch, lhs, rhs, spec.m, spec.k, spec.n};
  MatMulReference(spec.dtype, extents, in.lhs.data(), in.rhs.data(), out.mutable_data(), 0,
                  extents.num_rows());
  return out;
}

// Within the stated bound of the reference, non-finite values alike.
void ExpectClose(const MatMulSpec& spec, const Operands& in, const Tensor& got, const Tensor& want) {
  const double unit = std::ldexp(1.0, spec.dtype == DType::kF32 ? -24 : -8);
  for (int64_t i = 0; i < want.num_elements(); ++i) {
    const double g = At(got, i), w = At(want, i);
    if (!std::isfinite(w)) {
      ASSERT_TRUE(std::isnan(w) ? std::isnan(g) : g == w) << "element " << i << ": " << g << " not " << w;
      continue;
    }
    const int64_t b = i / (spec.m * spec.n), row = i / spec.n % spec.m, column = i % spec.n;
    // bf16 instructions may take subnormal operands, and give subnormal results, as zero.
    const double smallest = spec.dtype == DType::kBF16 ? 0x1p-126 : 0;
    double sum = 0, flushed = smallest;
    for (int64_t k = 0; k < spec.k; ++k) {
      const double x = std::abs(At(in.lhs, ((spec.lhs_batched ? b : 0) * spec.m + row) * spec.k + k));
      const double y = std::abs(At(in.rhs, ((spec.rhs_batched ? b : 0) * spec.k + k) * spec.n + column));
      sum += x * y;
      if (x < smallest || y < smallest) flushed += x * y;
    }
    const double bound = 2 * spec.k * std::ldexp(1.0, -24) * sum + 2 * unit * std::abs(w) + flushed;
    ASSERT_LE(std::abs(g - w), bound) << "element " << i << ": " << g << " not " << w;
  }
}

Operands Make(const MatMulSpec& spec, std::mt19937& random) {
  return {Random(spec.dtype, Dims{spec.lhs_batched ? spec.batch : 1, spec.m, spec.k}, random),
          Random(spec.dtype, Dims{spec.rhs_batched ? spec.batch : 1, spec.k, spec.n}, random)};
}

void Check(MatMulSpec spec, bool constant, bool specials) {
  SCOPED_TRACE(testing::Message() << Name(spec.dtype).data() << " " << spec.batch << "x" << spec.m << "x"
                                  << spec.k << "x" << spec.n << (constant ? " constant" : ""));
  std::mt19937 random(static_cast<uint32_t>(spec.m * 7 + spec.n));
  Operands in = Make(spec, random);
  if (specials) {
    // In bf16 a subnormal operand counts as zero, which times Inf is NaN: see the header.
    const float tiny = spec.dtype == DType::kBF16 ? 1e-30f : 1e-40f;
    const float values[] = {kInf, -kInf, std::nanf(""), 0.0f, -0.0f, tiny};
    for (Tensor* t : {&in.lhs, &in.rhs}) {
      for (float v : values) Set(*t, random() % t->num_elements(), v);
    }
  }
  if (constant) spec.constant_rhs = *in.rhs.Reshape(Dims{spec.k, spec.n});
  const auto kernel = CreateOneDnnMatMulProvider()->Create(spec);
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  if (*kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
  const Tensor out = RunAll(**kernel, spec, in);
  ExpectClose(spec, in, out, Reference(spec, in));
  EXPECT_TRUE(SameBits(RunAll(**kernel, spec, in), out));
}

TEST(OneDnnMatMulTest, AgreesWithTheReference) {
  for (DType dtype : {DType::kF32, DType::kBF16}) {
    for (const auto& [m, k, n] : {std::tuple{1, 300, 700},
                                  {450, 64, 64},
                                  {64, 64, 10},
                                  {300, 129, 515},
                                  {129, 257, 63},
                                  {1000, 1, 100},
                                  {257, 33, 1025}}) {
      for (bool constant : {false, true}) {
        for (bool specials : {false, true}) {
          MatMulSpec spec;
          spec.dtype = dtype;
          spec.m = m, spec.k = k, spec.n = n;
          Check(spec, constant, specials);
        }
      }
    }
  }
}

// In whole blocks and at both edges, and in no element beyond the result.
TEST(OneDnnMatMulTest, WritesNansCanonical) {
  const auto provider = CreateOneDnnMatMulProvider();
  std::mt19937 random(5);
  MatMulSpec spec{.m = 300, .k = 16, .n = 1100, .constant_rhs = {}};
  Operands in{Random(DType::kF32, {spec.m, spec.k}, random), Random(DType::kF32, {spec.k, spec.n}, random)};
  for (int64_t row : {int64_t{3}, spec.m - 1}) {
    in.lhs.mutable_values<float>()[row * spec.k] = std::bit_cast<float>(0xffc12345);
  }
  in.rhs.mutable_values<float>()[spec.n - 2] = std::bit_cast<float>(0x7fc54321);
  for (bool constant : {false, true}) {
    if (constant) spec.constant_rhs = in.rhs;
    spec.canonicalize_nans = true;
    const auto kernel = provider->Create(spec);
    ASSERT_TRUE(kernel.ok());
    if (*kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
    const Tensor out = RunAll(**kernel, spec, in);
    for (int64_t i = 0; i < out.num_elements(); ++i) {
      const int64_t row = i / spec.n, column = i % spec.n;
      const bool nan = row == 3 || row == spec.m - 1 || column == spec.n - 2;
      ASSERT_EQ(std::isnan(out.at<float>(i)), nan) << i;
      ASSERT_EQ(nan, std::bit_cast<uint32_t>(out.at<float>(i)) == 0x7fc00000u) << i;
    }
  }
}

TEST(OneDnnMatMulTest, Batches) {
  for (int sides = 0; sides < 4; ++sides) {
    MatMulSpec spec;
    spec.batch = 3;
    spec.lhs_batched = sides & 1;
    spec.rhs_batched = sides & 2;
    spec.m = 40, spec.k = 50, spec.n = 30;
    Check(spec, /*constant=*/!spec.rhs_batched, false);
    Check(spec, false, true);
  }
}

TEST(OneDnnMatMulTest, LeavesToTheReferenceWhatItCannotDoBetter) {
  const auto provider = CreateOneDnnMatMulProvider();
  MatMulSpec spec;
  spec.m = spec.k = spec.n = 8;
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.m = spec.n = 1024;
  spec.k = 0;
  EXPECT_EQ(*provider->Create(spec), nullptr);
  spec.k = 1024;
  spec.dtype = DType::kF64;
  EXPECT_EQ(*provider->Create(spec), nullptr);
}

// A run can only be stopped between tasks, so a task never takes long, and where k is huge it is narrow
// instead.
TEST(OneDnnMatMulTest, TasksAreShort) {
  constexpr double kMostProducts = int64_t{1} << 29;
  for (int64_t k : {1 << 10, 1 << 14, 1 << 18, 1 << 22, 1 << 24}) {
    for (int64_t m : {1, 40, 5000}) {
      for (int64_t n : {16, 300, 4096}) {
        const MatMulSpec spec{.m = m, .k = k, .n = n, .constant_rhs = {}};
        const auto kernel = CreateOneDnnMatMulProvider()->Create(spec);
        ASSERT_TRUE(kernel.ok());
        if (*kernel == nullptr) continue;
        // Blocks at the edges are smaller, which the average hides; a whole block is what is bounded.
        const double products = 1.0 * m * n * k / static_cast<double>((*kernel)->num_tasks());
        EXPECT_LE(products, kMostProducts) << m << "x" << k << "x" << n;
      }
    }
  }
  const MatMulSpec deep{.m = 1, .k = (1 << 24) + 1, .n = 1, .constant_rhs = {}};
  EXPECT_EQ(*CreateOneDnnMatMulProvider()->Create(deep), nullptr);
}

// Small integers, of which sums are exact in any order.
TEST(OneDnnMatMulTest, NarrowTasksGiveTheWholeProduct) {
  MatMulSpec spec{.m = 40, .k = 100000, .n = 150, .constant_rhs = {}};
  Tensor lhs = *Tensor::Allocate(DType::kF32, Dims{spec.m, spec.k});
  Tensor rhs = *Tensor::Allocate(DType::kF32, Dims{spec.k, spec.n});
  for (int64_t i = 0; i < lhs.num_elements(); ++i) {
    lhs.mutable_values<float>()[i] = static_cast<float>(i / spec.k);
  }
  for (int64_t i = 0; i < rhs.num_elements(); ++i) {
    rhs.mutable_values<float>()[i] = static_cast<float>(i % spec.n % 4);
  }
  for (const bool constant : {false, true}) {
    if (constant) spec.constant_rhs = rhs;
    const auto kernel = CreateOneDnnMatMulProvider()->Create(spec);
    ASSERT_TRUE(kernel.ok());
    if (*kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
    EXPECT_GT((*kernel)->num_tasks(), 1);
    const Tensor out = RunAll(**kernel, spec, {lhs, rhs});
    for (int64_t i = 0; i < out.num_elements(); ++i) {
      ASSERT_EQ(out.at<float>(i), static_cast<float>(i / spec.n * (i % spec.n % 4) * spec.k)) << i;
    }
  }
}

int32_t CountDown(void* left) { return --*static_cast<int*>(left) < 0; }

// Packing stops between pieces, and goes on there next time: runs with short deadlines get there in the end.
TEST(OneDnnMatMulTest, PackingIsStoppedAndGoesOn) {
  std::mt19937 random(7);
  const auto provider = CreateOneDnnMatMulProvider();
  MatMulSpec spec{.m = 64, .k = 64, .n = 4096, .constant_rhs = {}};  // 8 pieces
  spec.constant_rhs = Random(DType::kF32, {spec.k, spec.n}, random);
  if (*CreateOneDnnMatMulProvider()->Create(spec) == nullptr) GTEST_SKIP() << "no fast code on this CPU";
  int polls = 3;
  const KernelInterrupt interrupt = {&CountDown, &polls};
  EXPECT_EQ(*provider->Create(spec, &interrupt), nullptr);
  EXPECT_EQ(polls, -1);
  polls = 100;
  EXPECT_NE(*provider->Create(spec, &interrupt), nullptr);
  EXPECT_EQ(polls, 92);
}

TEST(OneDnnMatMulTest, TasksSideBySideGiveTheSameBits) {
  MatMulSpec spec;
  spec.m = 700, spec.k = 200, spec.n = 1100;
  std::mt19937 random(3);
  const Operands in = Make(spec, random);
  spec.constant_rhs = *in.rhs.Reshape(Dims{spec.k, spec.n});
  const auto kernel = *CreateOneDnnMatMulProvider()->Create(spec);
  if (kernel == nullptr) GTEST_SKIP() << "no fast code on this CPU";
  const Tensor expected = RunAll(*kernel, spec, in);
  std::vector<std::thread> threads;
  for (int t = 0; t < 24; ++t) {  // more than the call objects that a kernel keeps
    threads.emplace_back([&] { EXPECT_TRUE(SameBits(RunAll(*kernel, spec, in), expected)); });
  }
  for (std::thread& t : threads) t.join();
}

TEST(OneDnnMatMulTest, RestoresTheCallersOpenMpThreads) {
  omp_set_num_threads(3);
  MatMulSpec spec;
  spec.m = spec.k = spec.n = 64;
  Check(spec, true, false);
  EXPECT_EQ(omp_get_max_threads(), 3);
}

}  // namespace
}  // namespace tenfold
