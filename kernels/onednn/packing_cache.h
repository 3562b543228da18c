// SPDX-License-Identifier: Apache-2.0
//
// Constant weights in the order that oneDNN wants them, packed once.
#ifndef TENFOLD_KERNELS_ONEDNN_PACKING_CACHE_H_
#define TENFOLD_KERNELS_ONEDNN_PACKING_CACHE_H_

#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tenfold/graph/tensor.h"

namespace tenfold {

// A part of a constant, [begin, begin + width) of its columns or channels, in the library's own order.
struct PackedConstant {
  Tensor source;  // kept, so that its address cannot come to mean another tensor
  int64_t begin, width;
  dnnl::memory packed;
};

// Packed parts in use, so that kernels of the same weights for several shapes share them.
class PackingCache {
 public:
  std::shared_ptr<const PackedConstant> Find(const Tensor& source, int64_t begin, int64_t width,
                                             const dnnl::memory::desc& desc) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(entries_, [](const auto& entry) { return entry.expired(); });
    for (const auto& entry : entries_) {
      std::shared_ptr<const PackedConstant> part = entry.lock();
      if (part != nullptr && part->source.data() == source.data() && part->source.dims() == source.dims() &&
          part->begin == begin && part->width == width && part->packed.get_desc() == desc) {
        return part;
      }
    }
    return nullptr;
  }
  void Add(const std::shared_ptr<const PackedConstant>& part) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.push_back(part);
  }
  // What was packed before somebody stopped it. Kept until a packing is whole, so that runs with a deadline
  // shorter than the packing still get there, one after the other.
  void KeepUnfinished(std::vector<std::shared_ptr<const PackedConstant>> parts) {
    const std::lock_guard<std::mutex> lock(mutex_);
    unfinished_ = std::move(parts);
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<const PackedConstant>> entries_;
  std::vector<std::shared_ptr<const PackedConstant>> unfinished_;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_ONEDNN_PACKING_CACHE_H_
