// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/thread_pool.h"

#include <algorithm>
#include <system_error>

#include "tenfold/graph/float_environment.h"

namespace tenfold {
namespace {

// About 20 microseconds: longer than the gap between two steps of a run, shorter than anybody would call busy
// waiting. Waking a sleeping thread costs the caller a system call and the job some tens of microseconds.
constexpr int kSpins = 1000;

inline void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  const int hardware = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int count = threads > 0 ? threads : hardware;
  // With more threads than cores, a spinning thread would keep another from its work.
  spins_ = count <= hardware ? kSpins : 0;
  workers_.reserve(count - 1);
  // With fewer threads than were asked for the bits are the same.
  try {
    for (int i = 1; i < count; ++i) workers_.emplace_back([this, i] { Work(i); });
  } catch (const std::system_error&) {
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(int64_t blocks, int max_threads, BlockFunction function, void* context) {
  if (busy_.exchange(true, std::memory_order_acquire)) {
    for (int64_t b = 0; b < blocks; ++b) function(context, b, 0);
    return;
  }
  function_ = function;
  context_ = context;
  blocks_ = blocks;
  max_threads_ = max_threads;
  next_.store(0, std::memory_order_relaxed);
  open_.store(true);
  epoch_.fetch_add(1);
  // A worker counts itself among the sleepers before it looks at the epoch a last time, so it either sees the
  // new epoch or is seen here.
  if (sleepers_.load() > 0) epoch_.notify_all();
  TakeBlocks(0);
  // No worker enters once the job is closed; those that are in are at their last block. The two sides store
  // and then load each other's flag, which only sequential consistency keeps in order.
  open_.store(false);
  for (int spin = 0; active_.load() != 0; ++spin) {
    if (spin < kSpins && spins_ > 0)
      Pause();
    else
      std::this_thread::yield();
  }
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::TakeBlocks(int participant) {
  const BlockFunction function = function_;
  void* const context = context_;
  const int64_t blocks = blocks_;
  for (int64_t b = next_.fetch_add(1, std::memory_order_relaxed); b < blocks;
       b = next_.fetch_add(1, std::memory_order_relaxed)) {
    function(context, b, participant);
  }
}

void ThreadPool::Work(int participant) {
  const ScopedFloatEnvironment environment;
  uint32_t seen = 0;
  while (true) {
    for (int spin = 0; spin < spins_ && epoch_.load(std::memory_order_relaxed) == seen; ++spin) Pause();
    if (epoch_.load() == seen) {
      sleepers_.fetch_add(1);
      epoch_.wait(seen);
      sleepers_.fetch_sub(1);
    }
    seen = epoch_.load();
    if (stopping_.load()) return;
    active_.fetch_add(1);
    if (open_.load() && participant < max_threads_) TakeBlocks(participant);
    active_.fetch_sub(1);
  }
}

}  // namespace tenfold
