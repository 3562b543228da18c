// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/cuda_device.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

// Makes the device's context the calling thread's for a while, and leaves the thread as it was: the process
// may use CUDA in other ways.
class CudaDevice::ContextScope {
 public:
  explicit ContextScope(const CudaDevice& device) : driver_(device.driver_) {
    status_ = device.Check(driver_.ctx_push_current(device.context_), "cannot use the GPU's context");
  }
  ~ContextScope() {
    CuContext popped;
    if (status_.ok()) driver_.ctx_pop_current(&popped);
  }
  ContextScope(const ContextScope&) = delete;
  const absl::Status& status() const { return status_; }

 private:
  const CudaDriver& driver_;
  absl::Status status_;
};

// ---------------------------------------------------------------------------------------------------------
// Opening and closing.

namespace {

absl::StatusOr<CudaDeviceInfo> Describe(const CudaDriver& driver, CuDevice device, int ordinal) {
  const auto check = [&](CuResult result) {
    return CudaStatus(driver, result, absl::StrCat("cannot ask GPU ", ordinal, " what it is"));
  };
  CudaDeviceInfo info;
  info.ordinal = ordinal;
  char name[256] = {};
  TENFOLD_RETURN_IF_ERROR(check(driver.device_get_name(name, sizeof(name) - 1, device)));
  info.name = name;
  int major = 0, minor = 0;
  TENFOLD_RETURN_IF_ERROR(
      check(driver.device_get_attribute(&major, kCuAttributeComputeCapabilityMajor, device)));
  TENFOLD_RETURN_IF_ERROR(
      check(driver.device_get_attribute(&minor, kCuAttributeComputeCapabilityMinor, device)));
  info.compute_capability = 10 * major + minor;
  TENFOLD_RETURN_IF_ERROR(
      check(driver.device_get_attribute(&info.multiprocessors, kCuAttributeMultiprocessorCount, device)));
  TENFOLD_RETURN_IF_ERROR(check(driver.device_total_mem(&info.memory_bytes, device)));
  TENFOLD_RETURN_IF_ERROR(check(driver.driver_get_version(&info.driver_version)));
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<CudaDevice>> CudaDevice::Open(const CudaDriver& driver, int ordinal) {
  TENFOLD_ASSIGN_OR_RETURN(const int count, CountCudaDevices(driver));
  if (ordinal < 0 || ordinal >= count) {
    return MakeError("E0701",
                     count == 0 ? std::string("the CUDA driver offers no GPU")
                                : absl::StrCat("there is no GPU ", ordinal, ": the driver offers ", count),
                     count == 0 ? "use the device \"cpu\", which computes the same bits"
                                : absl::StrCat("GPUs are numbered from 0 to ", count - 1));
  }
  CuDevice handle;
  TENFOLD_RETURN_IF_ERROR(
      CudaStatus(driver, driver.device_get(&handle, ordinal), absl::StrCat("cannot open GPU ", ordinal)));
  TENFOLD_ASSIGN_OR_RETURN(CudaDeviceInfo info, Describe(driver, handle, ordinal));
  if (info.compute_capability < 80) {
    return MakeError("E0701",
                     absl::StrCat("GPU ", ordinal, " (", info.name, ") has compute capability ",
                                  info.compute_capability / 10, ".", info.compute_capability % 10),
                     "kernels need 8.0 (Ampere) or later; the device \"cpu\" computes the same bits");
  }
  std::unique_ptr<CudaDevice> device(new CudaDevice(driver, handle, std::move(info)));
  TENFOLD_RETURN_IF_ERROR(device->Start());
  return device;
}

absl::Status CudaDevice::Start() {
  TENFOLD_RETURN_IF_ERROR(
      Check(driver_.device_primary_ctx_retain(&context_, device_), "cannot make a context"));
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return Check(driver_.stream_create(&stream_, kCuStreamNonBlocking), "cannot make a stream");
}

// A destructor has nobody to tell, and a broken context fails every call: results are dropped on purpose.
CudaDevice::~CudaDevice() {
  if (context_ == nullptr) return;
  {
    const ContextScope scope(*this);
    if (stream_ != nullptr) {
      driver_.stream_synchronize(stream_);
      driver_.stream_destroy(stream_);
    }
    for (const CuDevicePtr block : cache_.TakeAll()) driver_.mem_free(block);
  }
  driver_.device_primary_ctx_release(device_);
}

std::string CudaDevice::Named(absl::string_view what) const {
  return absl::StrCat(what, " on GPU ", info_.ordinal, " (", info_.name, ")");
}

// Texts are made only for a failure: copies and launches are on the fast path.
absl::Status CudaDevice::Check(CuResult result, absl::string_view what) const {
  if (result == kCuSuccess) return absl::OkStatus();
  return CudaStatus(driver_, result, Named(what));
}

// ---------------------------------------------------------------------------------------------------------
// Memory.

CudaBuffer& CudaBuffer::operator=(CudaBuffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

void CudaBuffer::Release() {
  if (address_ != 0) device_->cache_.Put(address_, bytes_);
  address_ = 0;
}

absl::StatusOr<CudaBuffer> CudaDevice::Allocate(size_t bytes) {
  if (bytes == 0) return CudaBuffer();
  const size_t block = DeviceMemoryCache::BlockBytes(bytes);
  if (block == 0) {
    return MakeError("E0703", Named(absl::StrCat("cannot allocate ", bytes, " bytes")),
                     "no memory is that large: check the shapes of the inputs");
  }
  if (const auto kept = cache_.Take(block)) return CudaBuffer(this, *kept, block);

  CuDevicePtr address = 0;
  CuResult result;
  {
    const ContextScope scope(*this);
    TENFOLD_RETURN_IF_ERROR(scope.status());
    result = driver_.mem_alloc(&address, block);
  }
  if (result == kCuOutOfMemory && cache_.kept_bytes() > 0) {
    TENFOLD_RETURN_IF_ERROR(TrimMemory());
    const ContextScope scope(*this);
    TENFOLD_RETURN_IF_ERROR(scope.status());
    result = driver_.mem_alloc(&address, block);
  }
  if (result != kCuSuccess) return Check(result, absl::StrCat("cannot allocate ", bytes, " bytes"));
  return CudaBuffer(this, address, block);
}

absl::Status CudaDevice::TrimMemory() {
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  absl::Status status;
  // Freeing waits for the work that uses a block; the other blocks are freed even if one fails.
  for (const CuDevicePtr block : cache_.TakeAll()) {
    status.Update(Check(driver_.mem_free(block), "cannot free memory"));
  }
  return status;
}

absl::Status CudaDevice::CheckCopy(CuResult result, size_t bytes, absl::string_view where) const {
  if (result == kCuSuccess) return absl::OkStatus();
  return Check(result, absl::StrCat("cannot copy ", bytes, " bytes ", where));
}

absl::Status CudaDevice::CopyIn(CuDevicePtr to, const void* from, size_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return CheckCopy(driver_.memcpy_htod_async(to, from, bytes, stream_), bytes, "into memory");
}

absl::Status CudaDevice::CopyOut(void* to, CuDevicePtr from, size_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return CheckCopy(driver_.memcpy_dtoh_async(to, from, bytes, stream_), bytes, "out of memory");
}

absl::Status CudaDevice::CopyWithin(CuDevicePtr to, CuDevicePtr from, size_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return CheckCopy(driver_.memcpy_dtod_async(to, from, bytes, stream_), bytes, "within memory");
}

// ---------------------------------------------------------------------------------------------------------
// Code.

CudaModule& CudaModule::operator=(CudaModule&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(module_, other.module_);
  return *this;
}

void CudaModule::Release() {
  if (module_ == nullptr) return;
  const CudaDevice::ContextScope scope(*device_);
  if (scope.status().ok()) device_->driver_.module_unload(module_);
  module_ = nullptr;
}

absl::StatusOr<CuFunction> CudaModule::Function(const std::string& symbol) const {
  if (module_ == nullptr) return MakeError("E9001", absl::StrCat("no module holds kernel ", symbol));
  const CudaDevice::ContextScope scope(*device_);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  CuFunction function = nullptr;
  TENFOLD_RETURN_IF_ERROR(
      device_->Check(device_->driver_.module_get_function(&function, module_, symbol.c_str()),
                     absl::StrCat("cannot find kernel ", symbol)));
  return function;
}

absl::StatusOr<CudaModule> CudaDevice::LoadModule(const std::string& ptx) {
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  char log[8192] = {};
  int options[] = {kCuJitErrorLogBuffer, kCuJitErrorLogBufferBytes};
  // The driver takes an integer option in the place of the pointer.
  void* values[] = {log, reinterpret_cast<void*>(uintptr_t{sizeof(log) - 1})};
  CuModule module = nullptr;
  const CuResult result = driver_.module_load_data_ex(&module, ptx.c_str(), 2, options, values);
  absl::Status status = Check(result, "cannot load generated code");
  if (!status.ok()) {
    const absl::string_view text = absl::StripAsciiWhitespace(log);
    return text.empty() ? status : WithNote(status, absl::StrCat("the driver's compiler: ", text));
  }
  return CudaModule(this, module);
}

absl::Status CudaDevice::Launch(CuFunction function, unsigned blocks, unsigned threads_per_block,
                                std::span<void*> params, absl::string_view what) {
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  const CuResult result = driver_.launch_kernel(function, blocks, 1, 1, threads_per_block, 1, 1, 0, stream_,
                                                params.data(), nullptr);
  if (result == kCuSuccess) return absl::OkStatus();
  return Check(result, absl::StrCat("cannot launch kernel ", what));
}

absl::Status CudaDevice::Synchronize() {
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return Check(driver_.stream_synchronize(stream_), "a copy or kernel failed");
}

// ---------------------------------------------------------------------------------------------------------
// Error words.

KernelError DecodeErrorWord(CudaErrorWord word) {
  if (word == kNoCudaError) return {INT64_MAX, kKernelOk, 0};
  return {static_cast<int64_t>(word >> 8), static_cast<int32_t>(word & 0xff), 0};
}

absl::Status CudaDevice::ClearErrorWords(CuDevicePtr words, size_t count) {
  if (count == 0) return absl::OkStatus();
  const ContextScope scope(*this);
  TENFOLD_RETURN_IF_ERROR(scope.status());
  return Check(driver_.memset_d8_async(words, 0xff, count * sizeof(CudaErrorWord), stream_),
               "cannot clear error words");
}

absl::Status CudaDevice::ReadErrorWords(CuDevicePtr words, std::span<KernelError> errors) {
  std::vector<CudaErrorWord> values(errors.size(), kNoCudaError);
  TENFOLD_RETURN_IF_ERROR(CopyOut(values.data(), words, values.size() * sizeof(CudaErrorWord)));
  TENFOLD_RETURN_IF_ERROR(Synchronize());
  for (size_t i = 0; i < errors.size(); ++i) errors[i] = DecodeErrorWord(values[i]);
  return absl::OkStatus();
}

}  // namespace tenfold
