// SPDX-License-Identifier: Apache-2.0
//
// A CUDA driver for tests: device memory is host memory, a stream runs when it is waited for, and a launch
// runs the kernel interpreter. It counts what is alive, and fails on request.
#ifndef TENFOLD_TESTS_KERNELS_CUDA_FAKE_DRIVER_H_
#define TENFOLD_TESTS_KERNELS_CUDA_FAKE_DRIVER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/cuda/device_kernel.h"
#include "tenfold/kernels/cuda/driver.h"

namespace tenfold::testing {

// At most one at a time: the table's functions are plain functions. They may be called by several threads, as
// the driver's; what tests ask of the rest is asked by one.
class FakeDriver {
 public:
  FakeDriver();
  ~FakeDriver();
  FakeDriver(const FakeDriver&) = delete;

  const CudaDriver& table() const { return table_; }

  // What the machine has.
  int devices = 1;
  int compute_capability = 90;
  size_t memory_limit = size_t{1} << 30;
  std::string jit_log;  // written when a module is refused

  // Any module holds every kernel added, under its symbol.
  void AddKernel(DeviceKernel device, FusedKernel kernel) {
    const std::string symbol = device.symbol;
    kernels_[symbol] = {std::move(device), std::move(kernel)};
  }
  // The call of `function` after `skip` more fails with `result`; later ones too if `for_ever`.
  void Fail(const std::string& function, CuResult result, int skip = 0, bool for_ever = false) {
    failures_[function] = {result, skip, for_ever};
  }

  // What has been called, by the table's names.
  std::map<std::string, int> calls;
  // What is alive.
  size_t live_allocations() const { return allocations_.size(); }
  size_t live_bytes() const { return live_bytes_; }
  int live_modules = 0, live_streams = 0, retained_contexts = 0, context_depth = 0;
  bool nothing_left() const {
    return allocations_.empty() && live_modules == 0 && live_streams == 0 && retained_contexts == 0 &&
           context_depth == 0;
  }

 private:
  friend struct FakeFunctions;
  struct Failure {
    CuResult result = kCuSuccess;
    int skip = 0;
    bool for_ever = false;
  };
  struct Kernel {
    DeviceKernel device;
    FusedKernel kernel;
  };

  // Counts the call; what it must fail with.
  CuResult Enter(const std::string& function, bool needs_context);
  bool IsDeviceMemory(CuDevicePtr address, size_t bytes) const;
  void RunQueue();
  void RunKernel(const Kernel& kernel, const std::vector<uint64_t>& params);

  std::recursive_mutex mutex_;
  CudaDriver table_;
  std::map<std::string, Failure> failures_;
  std::map<std::string, Kernel> kernels_;
  std::map<CuDevicePtr, std::vector<char>> allocations_;
  size_t live_bytes_ = 0;
  std::vector<std::function<void()>> queue_;
};

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_KERNELS_CUDA_FAKE_DRIVER_H_
