// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/kernels/cuda/fake_driver.h"

#include <algorithm>
#include <cstring>

#include "tenfold/kernels/cuda/cuda_device.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

namespace tenfold::testing {
namespace {

constexpr CuResult kInvalidValue = 1;
constexpr CuResult kInvalidContext = 201;
constexpr CuResult kNotFound = 500;

FakeDriver* fake = nullptr;

template <typename Handle>
Handle MakeHandle(const void* p) {
  return reinterpret_cast<Handle>(const_cast<void*>(p));
}

void* HostAddress(CuDevicePtr address) { return reinterpret_cast<void*>(static_cast<uintptr_t>(address)); }

}  // namespace

#define ENTER(function, needs_context)                            \
  const std::lock_guard<std::recursive_mutex> lock(fake->mutex_); \
  if (const CuResult failure = fake->Enter(function, needs_context)) return failure

// The driver's functions.
struct FakeFunctions {
  static CuResult Init(unsigned) {
    ENTER("init", false);
    return kCuSuccess;
  }
  static CuResult DriverGetVersion(int* version) {
    ENTER("driver_get_version", false);
    *version = 12040;
    return kCuSuccess;
  }
  static CuResult GetErrorName(CuResult error, const char** name) {
    ENTER("get_error_name", false);
    *name = error == kCuOutOfMemory  ? "CUDA_ERROR_OUT_OF_MEMORY"
            : error == 719           ? "CUDA_ERROR_LAUNCH_FAILED"
            : error == kCuInvalidPtx ? "CUDA_ERROR_INVALID_PTX"
                                     : nullptr;
    return *name != nullptr ? kCuSuccess : kInvalidValue;
  }
  static CuResult GetErrorString(CuResult error, const char** text) {
    ENTER("get_error_string", false);
    *text = error == kCuOutOfMemory  ? "out of memory"
            : error == 719           ? "unspecified launch failure"
            : error == kCuInvalidPtx ? "a PTX JIT compilation failed"
                                     : nullptr;
    return *text != nullptr ? kCuSuccess : kInvalidValue;
  }
  static CuResult DeviceGetCount(int* count) {
    ENTER("device_get_count", false);
    *count = fake->devices;
    return kCuSuccess;
  }
  static CuResult DeviceGet(CuDevice* device, int ordinal) {
    ENTER("device_get", false);
    *device = 40 + ordinal;
    return kCuSuccess;
  }
  static CuResult DeviceGetName(char* name, int capacity, CuDevice) {
    ENTER("device_get_name", false);
    strncpy(name, "Fake GPU", capacity);
    return kCuSuccess;
  }
  static CuResult DeviceGetAttribute(int* value, int attribute, CuDevice) {
    ENTER("device_get_attribute", false);
    *value = attribute == kCuAttributeMultiprocessorCount      ? 2
             : attribute == kCuAttributeComputeCapabilityMajor ? fake->compute_capability / 10
                                                               : fake->compute_capability % 10;
    return kCuSuccess;
  }
  static CuResult DeviceTotalMem(size_t* bytes, CuDevice) {
    ENTER("device_total_mem", false);
    *bytes = fake->memory_limit;
    return kCuSuccess;
  }
  static CuResult PrimaryCtxRetain(CuContext* context, CuDevice) {
    ENTER("device_primary_ctx_retain", false);
    ++fake->retained_contexts;
    *context = MakeHandle<CuContext>(fake);
    return kCuSuccess;
  }
  static CuResult PrimaryCtxRelease(CuDevice) {
    ENTER("device_primary_ctx_release", false);
    --fake->retained_contexts;
    return kCuSuccess;
  }
  static CuResult CtxPushCurrent(CuContext) {
    ENTER("ctx_push_current", false);
    ++fake->context_depth;
    return kCuSuccess;
  }
  static CuResult CtxPopCurrent(CuContext*) {
    ENTER("ctx_pop_current", true);
    --fake->context_depth;
    return kCuSuccess;
  }
  static CuResult MemAlloc(CuDevicePtr* memory, size_t bytes) {
    ENTER("mem_alloc", true);
    if (bytes == 0) return kInvalidValue;
    if (bytes > fake->memory_limit - fake->live_bytes_) return kCuOutOfMemory;
    // The driver's alignment, and a filling that shows.
    std::vector<char> block(bytes + 256, '\x5a');
    const uintptr_t address = (reinterpret_cast<uintptr_t>(block.data()) + 255) / 256 * 256;
    fake->live_bytes_ += bytes;
    fake->allocations_.emplace(address, std::move(block));
    *memory = address;
    return kCuSuccess;
  }
  static CuResult MemFree(CuDevicePtr memory) {
    ENTER("mem_free", true);
    fake->RunQueue();
    const auto it = fake->allocations_.find(memory);
    if (it == fake->allocations_.end()) return kInvalidValue;
    fake->live_bytes_ -= it->second.size() - 256;
    fake->allocations_.erase(it);
    return kCuSuccess;
  }
  static CuResult CopyIn(CuDevicePtr to, const void* from, size_t bytes, CuStream) {
    ENTER("memcpy_htod_async", true);
    if (!fake->IsDeviceMemory(to, bytes)) return kInvalidValue;
    fake->queue_.push_back([=] { memcpy(HostAddress(to), from, bytes); });
    return kCuSuccess;
  }
  static CuResult CopyOut(void* to, CuDevicePtr from, size_t bytes, CuStream) {
    ENTER("memcpy_dtoh_async", true);
    if (!fake->IsDeviceMemory(from, bytes)) return kInvalidValue;
    fake->queue_.push_back([=] { memcpy(to, HostAddress(from), bytes); });
    return kCuSuccess;
  }
  static CuResult CopyWithin(CuDevicePtr to, CuDevicePtr from, size_t bytes, CuStream) {
    ENTER("memcpy_dtod_async", true);
    if (!fake->IsDeviceMemory(from, bytes) || !fake->IsDeviceMemory(to, bytes)) return kInvalidValue;
    fake->queue_.push_back([=] { memmove(HostAddress(to), HostAddress(from), bytes); });
    return kCuSuccess;
  }
  static CuResult Memset(CuDevicePtr to, unsigned char value, size_t bytes, CuStream) {
    ENTER("memset_d8_async", true);
    if (!fake->IsDeviceMemory(to, bytes)) return kInvalidValue;
    fake->queue_.push_back([=] { memset(HostAddress(to), value, bytes); });
    return kCuSuccess;
  }
  static CuResult StreamCreate(CuStream* stream, unsigned) {
    ENTER("stream_create", true);
    ++fake->live_streams;
    *stream = MakeHandle<CuStream>(fake);
    return kCuSuccess;
  }
  static CuResult StreamDestroy(CuStream) {
    ENTER("stream_destroy", true);
    --fake->live_streams;
    return kCuSuccess;
  }
  static CuResult StreamSynchronize(CuStream) {
    ENTER("stream_synchronize", true);
    fake->RunQueue();
    return kCuSuccess;
  }
  static CuResult ModuleLoad(CuModule* module, const void*, unsigned num_options, int* options,
                             void** values) {
    const std::lock_guard<std::recursive_mutex> lock(fake->mutex_);
    if (const CuResult failure = fake->Enter("module_load_data_ex", true)) {
      size_t capacity = 0;
      for (unsigned i = 0; i < num_options; ++i) {
        if (options[i] == kCuJitErrorLogBufferBytes) capacity = reinterpret_cast<uintptr_t>(values[i]);
      }
      for (unsigned i = 0; i < num_options; ++i) {
        if (options[i] != kCuJitErrorLogBuffer) continue;
        memcpy(values[i], fake->jit_log.data(), std::min(capacity, fake->jit_log.size()));
      }
      return failure;
    }
    ++fake->live_modules;
    *module = MakeHandle<CuModule>(fake);
    return kCuSuccess;
  }
  static CuResult ModuleUnload(CuModule) {
    ENTER("module_unload", true);
    --fake->live_modules;
    return kCuSuccess;
  }
  static CuResult ModuleGetFunction(CuFunction* function, CuModule, const char* name) {
    ENTER("module_get_function", true);
    const auto it = fake->kernels_.find(name);
    if (it == fake->kernels_.end()) return kNotFound;
    *function = MakeHandle<CuFunction>(&it->second);
    return kCuSuccess;
  }
  static CuResult LaunchKernel(CuFunction function, unsigned grid_x, unsigned, unsigned, unsigned block_x,
                               unsigned, unsigned, unsigned, CuStream, void** params, void**) {
    ENTER("launch_kernel", true);
    if (grid_x == 0 || block_x == 0) return kInvalidValue;
    const auto* kernel = reinterpret_cast<const FakeDriver::Kernel*>(function);
    // The values are the caller's only during the call.
    std::vector<uint64_t> values(kernel->device.num_params());
    for (size_t i = 0; i < values.size(); ++i) memcpy(&values[i], params[i], sizeof(uint64_t));
    fake->queue_.push_back([kernel, values] { fake->RunKernel(*kernel, values); });
    return kCuSuccess;
  }
};

FakeDriver::FakeDriver() {
  fake = this;
  table_ = {
      .init = &FakeFunctions::Init,
      .driver_get_version = &FakeFunctions::DriverGetVersion,
      .get_error_name = &FakeFunctions::GetErrorName,
      .get_error_string = &FakeFunctions::GetErrorString,
      .device_get_count = &FakeFunctions::DeviceGetCount,
      .device_get = &FakeFunctions::DeviceGet,
      .device_get_name = &FakeFunctions::DeviceGetName,
      .device_get_attribute = &FakeFunctions::DeviceGetAttribute,
      .device_total_mem = &FakeFunctions::DeviceTotalMem,
      .device_primary_ctx_retain = &FakeFunctions::PrimaryCtxRetain,
      .device_primary_ctx_release = &FakeFunctions::PrimaryCtxRelease,
      .ctx_push_current = &FakeFunctions::CtxPushCurrent,
      .ctx_pop_current = &FakeFunctions::CtxPopCurrent,
      .mem_alloc = &FakeFunctions::MemAlloc,
      .mem_free = &FakeFunctions::MemFree,
      .memcpy_htod_async = &FakeFunctions::CopyIn,
      .memcpy_dtoh_async = &FakeFunctions::CopyOut,
      .memcpy_dtod_async = &FakeFunctions::CopyWithin,
      .memset_d8_async = &FakeFunctions::Memset,
      .stream_create = &FakeFunctions::StreamCreate,
      .stream_destroy = &FakeFunctions::StreamDestroy,
      .stream_synchronize = &FakeFunctions::StreamSynchronize,
      .module_load_data_ex = &FakeFunctions::ModuleLoad,
      .module_unload = &FakeFunctions::ModuleUnload,
      .module_get_function = &FakeFunctions::ModuleGetFunction,
      .launch_kernel = &FakeFunctions::LaunchKernel,
  };
}

FakeDriver::~FakeDriver() { fake = nullptr; }

CuResult FakeDriver::Enter(const std::string& function, bool needs_context) {
  ++calls[function];
  const auto it = failures_.find(function);
  if (it != failures_.end() && it->second.skip-- <= 0) {
    const CuResult result = it->second.result;
    // A context that cannot be entered or waited for is broken, and what it was to do never happens.
    if (function == "stream_synchronize" || function == "ctx_push_current") queue_.clear();
    if (!it->second.for_ever) failures_.erase(it);
    return result;
  }
  return needs_context && context_depth == 0 ? kInvalidContext : kCuSuccess;
}

bool FakeDriver::IsDeviceMemory(CuDevicePtr address, size_t bytes) const {
  auto it = allocations_.upper_bound(address);
  if (it == allocations_.begin()) return false;
  --it;
  return address + bytes <= it->first + it->second.size() - 256;
}

void FakeDriver::RunQueue() {
  for (const auto& work : queue_) work();
  queue_.clear();
}

void FakeDriver::RunKernel(const Kernel& k, const std::vector<uint64_t>& params) {
  size_t next = 0;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (int i = 0; i < k.device.num_inputs; ++i) inputs.push_back(HostAddress(params[next++]));
  for (int i = 0; i < k.device.num_outputs; ++i) outputs.push_back(HostAddress(params[next++]));
  std::vector<int64_t> dims;
  for (const Dim& dim : k.kernel.DimExpressions()) {
    dims.push_back(dim.is_constant() ? dim.constant() : static_cast<int64_t>(params[next++]));
  }
  const KernelError error = InterpretCall(k.kernel, inputs, outputs, dims);
  if (!k.device.can_fail || error.code == kKernelOk) return;
  auto* word = static_cast<CudaErrorWord*>(HostAddress(params.back()));
  *word =
      std::min(*word, static_cast<CudaErrorWord>(error.index) << 8 | static_cast<CudaErrorWord>(error.code));
}

}  // namespace tenfold::testing
