// SPDX-License-Identifier: Apache-2.0
//
// A GPU behind the driver table: memory, copies, modules and launches, in order, on one stream.
//
// A step of an executor is CopyIn, Launch, CopyOut; each only enqueues, and Synchronize waits for all of them
// and gives the first failure. Where a kernel can fail for its values, the step also passes the address of an
// error word: ClearErrorWords before, ReadErrorWords after.
#ifndef TENFOLD_KERNELS_CUDA_CUDA_DEVICE_H_
#define TENFOLD_KERNELS_CUDA_CUDA_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/kernels/cuda/driver.h"
#include "tenfold/kernels/cuda/memory_cache.h"

namespace tenfold {

class CudaDevice;

struct CudaDeviceInfo {
  int ordinal = 0;
  std::string name;            // "NVIDIA H100 80GB HBM3"
  int compute_capability = 0;  // 90 for 9.0
  int multiprocessors = 0;
  size_t memory_bytes = 0;
  int driver_version = 0;  // of CUDA: 13000 for 13.0
};

// Device memory, given back to its device's cache on destruction. Must not outlive the device.
class CudaBuffer {
 public:
  CudaBuffer() = default;
  CudaBuffer(CudaBuffer&& other) noexcept { *this = std::move(other); }
  CudaBuffer& operator=(CudaBuffer&& other) noexcept;
  ~CudaBuffer() { Release(); }

  // 0 for a buffer that holds nothing; else a multiple of 256, as the driver allocates.
  CuDevicePtr address() const { return address_; }
  // At least what was asked for.
  size_t bytes() const { return bytes_; }

 private:
  friend class CudaDevice;
  CudaBuffer(CudaDevice* device, CuDevicePtr address, size_t bytes)
      : device_(device), address_(address), bytes_(bytes) {}
  void Release();

  CudaDevice* device_ = nullptr;
  CuDevicePtr address_ = 0;
  size_t bytes_ = 0;
};

// Machine code on a device, unloaded on destruction. Must not outlive the device.
class CudaModule {
 public:
  CudaModule() = default;
  CudaModule(CudaModule&& other) noexcept { *this = std::move(other); }
  CudaModule& operator=(CudaModule&& other) noexcept;
  ~CudaModule() { Release(); }

  absl::StatusOr<CuFunction> Function(const std::string& symbol) const;

 private:
  friend class CudaDevice;
  CudaModule(CudaDevice* device, CuModule module) : device_(device), module_(module) {}
  void Release();

  CudaDevice* device_ = nullptr;
  CuModule module_ = nullptr;
};

// What a kernel's threads report to: 64 bits of device memory, index << 8 | KernelErrorCode, all ones for
// none. One atomic minimum keeps the smallest index together with its code, whatever the order of threads.
using CudaErrorWord = uint64_t;
inline constexpr CudaErrorWord kNoCudaError = ~CudaErrorWord{0};
KernelError DecodeErrorWord(CudaErrorWord word);

// Thread-safe as far as the driver is: calls from several threads enqueue in some order.
class CudaDevice {
 public:
  // Holds the device's primary context until destruction. The table is copied.
  static absl::StatusOr<std::unique_ptr<CudaDevice>> Open(const CudaDriver& driver, int ordinal = 0);
  ~CudaDevice();
  CudaDevice(const CudaDevice&) = delete;

  const CudaDeviceInfo& info() const { return info_; }

  // Uninitialised memory, rounded up by DeviceMemoryCache::BlockBytes. 0 bytes give a buffer that holds
  // nothing. Kept blocks are given up before the device is declared full (E0703).
  absl::StatusOr<CudaBuffer> Allocate(size_t bytes);
  // Frees what the cache keeps.
  absl::Status TrimMemory();

  // Host memory must stay as it is until Synchronize. Zero bytes touch nothing.
  absl::Status CopyIn(CuDevicePtr to, const void* from, size_t bytes);
  absl::Status CopyOut(void* to, CuDevicePtr from, size_t bytes);
  absl::Status CopyWithin(CuDevicePtr to, CuDevicePtr from, size_t bytes);

  // PTX text for any GPU at or above its target. What the driver's compiler says of it is part of the error.
  absl::StatusOr<CudaModule> LoadModule(const std::string& ptx);
  // `params[i]` points at the value of parameter i. `what` names the kernel in errors.
  absl::Status Launch(CuFunction function, unsigned blocks, unsigned threads_per_block,
                      std::span<void*> params, absl::string_view what);
  // Waits for everything enqueued so far. A failure of a kernel surfaces here.
  absl::Status Synchronize();

  absl::Status ClearErrorWords(CuDevicePtr words, size_t count);
  // Waits as Synchronize does.
  absl::Status ReadErrorWords(CuDevicePtr words, std::span<KernelError> errors);

 private:
  friend class CudaBuffer;
  friend class CudaModule;
  class ContextScope;

  CudaDevice(const CudaDriver& driver, CuDevice device, CudaDeviceInfo info)
      : driver_(driver), device_(device), info_(std::move(info)) {}
  absl::Status Start();
  std::string Named(absl::string_view what) const;
  absl::Status Check(CuResult result, absl::string_view what) const;
  absl::Status CheckCopy(CuResult result, size_t bytes, absl::string_view where) const;

  const CudaDriver driver_;
  const CuDevice device_;
  const CudaDeviceInfo info_;
  CuContext context_ = nullptr;
  CuStream stream_ = nullptr;
  DeviceMemoryCache cache_;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_CUDA_DEVICE_H_
