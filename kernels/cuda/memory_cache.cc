// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/memory_cache.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace tenfold {

size_t DeviceMemoryCache::BlockBytes(size_t bytes) {
  constexpr size_t kAlignment = 64;
  if (bytes > SIZE_MAX / 2) return 0;
  const size_t step = std::max(kAlignment, std::bit_floor(bytes) / 4);
  return std::max(kAlignment, (bytes + step - 1) / step * step);
}

std::optional<CuDevicePtr> DeviceMemoryCache::Take(size_t block_bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto it = free_.find(block_bytes);
  if (it == free_.end() || it->second.empty()) return std::nullopt;
  const CuDevicePtr block = it->second.back();
  it->second.pop_back();
  kept_bytes_ -= block_bytes;
  return block;
}

void DeviceMemoryCache::Put(CuDevicePtr block, size_t block_bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  free_[block_bytes].push_back(block);
  kept_bytes_ += block_bytes;
}

std::vector<CuDevicePtr> DeviceMemoryCache::TakeAll() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<CuDevicePtr> all;
  for (const auto& [bytes, blocks] : free_) all.insert(all.end(), blocks.begin(), blocks.end());
  free_.clear();
  kept_bytes_ = 0;
  return all;
}

size_t DeviceMemoryCache::kept_bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return kept_bytes_;
}

}  // namespace tenfold
