// SPDX-License-Identifier: Apache-2.0
//
// Which freed blocks of device memory to hand out again. Allocating on a GPU takes microseconds and freeing
// waits for it, so blocks are kept and reused; the sizes are rounded so that near sizes share blocks.
#ifndef TENFOLD_KERNELS_CUDA_MEMORY_CACHE_H_
#define TENFOLD_KERNELS_CUDA_MEMORY_CACHE_H_

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "tenfold/kernels/cuda/driver.h"

namespace tenfold {

// Free blocks by size. Thread-safe. Knows no driver: who takes a block owns it.
//
// Reuse needs no waiting as long as all work of a device is on one stream: what still uses a block was
// enqueued before whatever the block is handed out for.
class DeviceMemoryCache {
 public:
  // The size of the block that serves a request: a multiple of 64 bytes, so that kernels may write whole
  // vectors past the last element, and of a quarter of the power of two below, so that at most a fifth of a
  // large block is wasted. 0 if that overflows.
  static size_t BlockBytes(size_t bytes);

  // A kept block of exactly `block_bytes`.
  std::optional<CuDevicePtr> Take(size_t block_bytes);
  void Put(CuDevicePtr block, size_t block_bytes);
  // Everything kept; the cache is empty afterwards.
  std::vector<CuDevicePtr> TakeAll();
  size_t kept_bytes() const;

 private:
  mutable std::mutex mutex_;
  std::map<size_t, std::vector<CuDevicePtr>> free_;
  size_t kept_bytes_ = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_MEMORY_CACHE_H_
