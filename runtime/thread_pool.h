// SPDX-License-Identifier: Apache-2.0
//
// The one thread pool. A job is a number of blocks; the caller and the workers take blocks until none is
// left. Which thread computes a block never affects its bits: blocks are fixed by shape, and each writes its
// own output elements.
//
// Built for many short jobs: starting one allocates nothing and takes no lock, workers spin for a moment
// before they sleep, and a job that finds the pool busy with somebody else's runs on its caller alone.
#ifndef TENFOLD_RUNTIME_THREAD_POOL_H_
#define TENFOLD_RUNTIME_THREAD_POOL_H_

#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <type_traits>
#include <vector>

namespace tenfold {

class ThreadPool {
 public:
  // `threads` in all, the caller of ParallelFor included; 0: one per hardware thread.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(block, participant) for every block in [0, blocks), then returns. `participant` is in
  // [0, num_threads()), 0 for the caller; no two calls at one time share it. Uses at most `max_threads`.
  // Workers compute in the default float environment; the caller keeps its own. Bodies do not throw. A body
  // that calls ParallelFor of its own pool gets no help: that runs on its thread alone.
  template <typename Body>
  void ParallelFor(int64_t blocks, Body&& body, int max_threads = std::numeric_limits<int>::max()) {
    if (blocks <= 1 || max_threads <= 1 || workers_.empty()) {
      for (int64_t b = 0; b < blocks; ++b) body(b, 0);
      return;
    }
    using Plain = std::remove_reference_t<Body>;
    Run(
        blocks, max_threads,
        [](void* context, int64_t block, int participant) {
          (*static_cast<Plain*>(context))(block, participant);
        },
        const_cast<void*>(static_cast<const void*>(&body)));
  }

 private:
  using BlockFunction = void (*)(void* context, int64_t block, int participant);
  void Run(int64_t blocks, int max_threads, BlockFunction function, void* context);
  void TakeBlocks(int participant);
  void Work(int participant);

  // The job. Written only by the thread that holds `busy_`, while `open_` is false.
  BlockFunction function_ = nullptr;
  void* context_ = nullptr;
  int64_t blocks_ = 0;
  int max_threads_ = 0;

  // On cache lines of their own: each is written by one side and watched by the other.
  alignas(64) std::atomic<int64_t> next_{0};
  alignas(64) std::atomic<uint32_t> epoch_{0};  // counts jobs; workers wait for it to change
  std::atomic<int> sleepers_{0};
  std::atomic<bool> stopping_{false};
  alignas(64) std::atomic<bool> open_{false};
  std::atomic<bool> busy_{false};
  alignas(64) std::atomic<int> active_{0};  // workers that may be reading the job

  int spins_ = 0;
  std::vector<std::thread> workers_;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_THREAD_POOL_H_
