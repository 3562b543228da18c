// SPDX-License-Identifier: Apache-2.0
//
// Raw memory, 64-byte aligned and padded to whole lines: arenas, outputs and scratch.
#ifndef TENFOLD_RUNTIME_ALIGNED_BUFFER_H_
#define TENFOLD_RUNTIME_ALIGNED_BUFFER_H_

#include <cstddef>
#include <memory>
#include <new>

#include "tenfold/graph/tensor.h"

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
    const size_t padded = (bytes + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
    if (padded < bytes) return false;
    data_.reset(static_cast<char*>(::operator new(padded, std::align_val_t{kTensorAlignment}, std::nothrow)));
    if (data_ != nullptr) size_ = padded;
    return data_ != nullptr;
  }

 private:
  struct Delete {
    void operator()(char* p) const { ::operator delete(p, std::align_val_t{kTensorAlignment}); }
  };
  std::unique_ptr<char, Delete> data_;
  size_t size_ = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_ALIGNED_BUFFER_H_
