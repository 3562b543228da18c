// SPDX-License-Identifier: Apache-2.0
//
// One thread for oneDNN while it plans or computes.
#ifndef TENFOLD_KERNELS_ONEDNN_SINGLE_THREAD_H_
#define TENFOLD_KERNELS_ONEDNN_SINGLE_THREAD_H_

// Of the OpenMP runtime that oneDNN is linked with. Its header belongs to GCC, and other compilers lack it.
extern "C" {
int omp_get_max_threads(void);
void omp_set_num_threads(int threads);
}

namespace tenfold {

// oneDNN splits a call over OpenMP's threads, of which there must be one: the parallelism is ours. The
// setting belongs to the calling thread; it also counts while primitives are made, which plan for that many.
class ScopedSingleThread {
 public:
  ScopedSingleThread() : saved_(omp_get_max_threads()) {
    if (saved_ != 1) omp_set_num_threads(1);
  }
  ~ScopedSingleThread() {
    if (saved_ != 1) omp_set_num_threads(saved_);
  }
  ScopedSingleThread(const ScopedSingleThread&) = delete;

 private:
  const int saved_;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_SINGLE_THREAD_H_
