// SPDX-License-Identifier: Apache-2.0
//
// What a run of an Invocation costs: no allocation, counted by this program's own operator new.
#include "tenfold/runtime/invocation.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "gtest/gtest.h"
#include "tenfold/runtime/executable.h"
#include "tenfold/tests/runtime/plan_maker.h"

namespace {
std::atomic<int64_t> allocations = 0;
}  // namespace

void* operator new(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
void* operator new(size_t size, std::align_val_t align) {
  ++allocations;
  const size_t a = static_cast<size_t>(align);
  if (void* p = std::aligned_alloc(a, (size + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
void* operator new(size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  ++allocations;
  const size_t a = static_cast<size_t>(align);
  return std::aligned_alloc(a, (size + a - 1) / a * a);
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { std::free(p); }

namespace tenfold {
namespace {

Plan Network() {
  PlanMaker maker;
  const int x = maker.Input("x", "f32[N,64]"), w = maker.Input("w", "f32[64,32]");
  const int a = maker.Arena("a", "f32[N,64]"), m = maker.Arena("m", "f32[N,32]");
  maker.Map(a, {x, x}, AddOf);
  maker.MatMul(m, a, w);
  maker.RowSum(maker.Output("s", "f32[N]"), m);
  maker.Copy(maker.Output("t", "f32[32,N]"), m, {1, 32}, true);
  return maker.Finish();
}

TEST(InvocationTest, RunsWithoutAllocating) {
  for (int threads : {1, 2}) {
    const Executable exe = *Executable::Create(Network(), {.threads = threads});
    Invocation call = exe.Prepare();
    const int64_t n = 3000;  // enough that steps are shared among threads
    const Tensor x = RandomTensor({n, 64}, 1), w = RandomTensor({64, 32}, 2), x2 = RandomTensor({n, 64}, 3);
    ASSERT_EQ(call.SetInput(0, x.values<float>()), absl::OkStatus());
    ASSERT_EQ(call.SetInput(1, w), absl::OkStatus());
    ASSERT_EQ(call.Run(), absl::OkStatus());
    const int64_t before = allocations;
    bool ok = true;
    for (int i = 0; i < 20; ++i) {
      ok &= call.SetInput(0, (i % 2 ? x : x2).values<float>()).ok();
      ok &= call.SetInput(1, w).ok();
      ok &= call.Run().ok();
      ok &= call.Output(0).values<float>().size() == n;
    }
    EXPECT_EQ(allocations, before) << threads << " threads";
    EXPECT_TRUE(ok);
  }
}

TEST(InvocationTest, MemoryGrowsOnlyWhenItMust) {
  const Executable exe = *Executable::Create(Network(), {.threads = 1});
  Invocation call = exe.Prepare();
  const Tensor x = RandomTensor({100, 64}, 1), w = RandomTensor({64, 32}, 2);
  ASSERT_EQ(call.SetInput(0, x), absl::OkStatus());
  ASSERT_EQ(call.SetInput(1, w), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  const void* const first = call.Output(0).data;
  const Tensor smaller = RandomTensor({10, 64}, 1);
  ASSERT_EQ(call.SetInput(0, smaller), absl::OkStatus());
  ASSERT_EQ(call.Run(), absl::OkStatus());
  EXPECT_EQ(call.Output(0).data, first);
  EXPECT_EQ(call.Output(0).num_elements, 10);
  EXPECT_TRUE(call.Output(0).values<double>().empty());
  EXPECT_EQ(call.Output(7).data, nullptr);
}

}  // namespace
}  // namespace tenfold
