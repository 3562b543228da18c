// SPDX-License-Identifier: Apache-2.0
//
// Raw memory, 64-byte aligned and padded to whole lines: arenas, outputs and scratch.
#ifndef TENFOLD_RUNTIME_ALIGNED_BUFFER_H_
#define TENFOLD_RUNTIME_ALIGNED_BUFFER_H_

#include <cstddef>

#include "tenfold/graph/aligned_memory.h"

namespace tenfold {

class AlignedBuffer {
 public:
  char* data() const { return data_.get(); }
  size_t size() const { return size_; }

  // At least `bytes`; what was in it is lost if it grows. False if there is no memory; it is empty then.
  bool Grow(size_t bytes) {
    if (bytes <= size_) return true;
    data_.reset();
    size_ = 0;
    data_ = AllocateAligned(bytes);
    if (data_ != nullptr) size_ = PaddedSize(bytes);
    return data_ != nullptr;
  }

 private:
  AlignedMemory data_;
  size_t size_ = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_ALIGNED_BUFFER_H_
