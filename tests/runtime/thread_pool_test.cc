// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/thread_pool.h"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace tenfold {
namespace {

TEST(ThreadPoolTest, EveryBlockRunsExactlyOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.num_threads(), threads);
    for (int64_t blocks : {0, 1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(blocks);
      pool.ParallelFor(blocks, [&](int64_t b, int participant) {
        ASSERT_LT(participant, threads);
        ++runs[b];
      });
      for (const auto& r : runs) EXPECT_EQ(r, 1);
    }
  }
}

// Jobs so short that workers come late, over and over: what a job leaves behind must never meet the next one.
TEST(ThreadPoolTest, ManyShortJobs) {
  ThreadPool pool(3);
  for (int64_t job = 0; job < 20000; ++job) {
    std::atomic<int64_t> sum = 0;
    pool.ParallelFor(4, [&](int64_t b, int) { sum += job + b; });
    ASSERT_EQ(sum, 4 * job + 6);
  }
}

TEST(ThreadPoolTest, WorkersHelpWithLongBlocks) {
  ThreadPool pool(2);
  std::set<std::thread::id> ids[2];
  // Both blocks wait until both are running, so one thread alone would never end.
  std::atomic<int> running = 0;
  pool.ParallelFor(2, [&](int64_t, int participant) {
    ids[participant].insert(std::this_thread::get_id());
    ++running;
    while (running < 2) std::this_thread::yield();
  });
  EXPECT_EQ(ids[0].size(), 1u);
  EXPECT_EQ(ids[1].size(), 1u);
}

TEST(ThreadPoolTest, WakesSleepingWorkers) {
  ThreadPool pool(2);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::atomic<int> running = 0;
  pool.ParallelFor(2, [&](int64_t, int) {
    ++running;
    while (running < 2) std::this_thread::yield();
  });
  EXPECT_EQ(running, 2);
}

TEST(ThreadPoolTest, KeepsToMaxThreads) {
  ThreadPool pool(4);
  std::atomic<int> highest = 0;
  for (int i = 0; i < 200; ++i) {
    pool.ParallelFor(
        16,
        [&](int64_t, int participant) {
          if (participant > highest) highest = participant;
        },
        2);
  }
  EXPECT_LE(highest, 1);
}

TEST(ThreadPoolTest, CallersSideBySideAllFinish) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> total = 0;
  for (int c = 0; c < 4; ++c) {
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) pool.ParallelFor(10, [&](int64_t b, int) { total += b; });
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(total, 4 * 500 * 45);
}

TEST(ThreadPoolTest, NestedJobsRunInline) {
  ThreadPool pool(2);
  std::atomic<int> count = 0;
  pool.ParallelFor(4, [&](int64_t, int) { pool.ParallelFor(4, [&](int64_t, int) { ++count; }); });
  EXPECT_EQ(count, 16);
}

TEST(ThreadPoolTest, WorkersComputeInTheDefaultFloatEnvironment) {
  const unsigned saved = _mm_getcsr();
  _mm_setcsr(saved | 0x8040);  // flush to zero, denormals are zero: inherited by new threads
  ThreadPool pool(2);
  std::atomic<unsigned> worker = 0;
  std::atomic<int> running = 0;
  pool.ParallelFor(2, [&](int64_t, int participant) {
    if (participant == 1) worker = _mm_getcsr();
    ++running;
    while (running < 2) std::this_thread::yield();
  });
  _mm_setcsr(saved);
  EXPECT_EQ(worker & 0xffc0u, 0x1f80u);
}

}  // namespace
}  // namespace tenfold
