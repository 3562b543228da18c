// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/driver.h"

#include <dlfcn.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Looks functions up until one is missing, and remembers which.
class SymbolBinder {
 public:
  explicit SymbolBinder(void* library) : library_(library) {}

  template <typename F>
  void Bind(const char* symbol, F*& slot) {
    slot = reinterpret_cast<F*>(dlsym(library_, symbol));
    if (slot == nullptr && missing_.empty()) missing_ = symbol;
  }

  const std::string& missing() const { return missing_; }

 private:
  void* library_;
  std::string missing_;
};

// A symbol with a version suffix is the one that the toolkit's header names with a macro: the form with
// 64-bit sizes and addresses.
std::string BindAll(void* library, CudaDriver& d) {
  SymbolBinder binder(library);
  binder.Bind("cuInit", d.init);
  binder.Bind("cuDriverGetVersion", d.driver_get_version);
  binder.Bind("cuGetErrorName", d.get_error_name);
  binder.Bind("cuGetErrorString", d.get_error_string);
  binder.Bind("cuDeviceGetCount", d.device_get_count);
  binder.Bind("cuDeviceGet", d.device_get);
  binder.Bind("cuDeviceGetName", d.device_get_name);
  binder.Bind("cuDeviceGetAttribute", d.device_get_attribute);
  binder.Bind("cuDeviceTotalMem_v2", d.device_total_mem);
  binder.Bind("cuDevicePrimaryCtxRetain", d.device_primary_ctx_retain);
  binder.Bind("cuDevicePrimaryCtxRelease_v2", d.device_primary_ctx_release);
  binder.Bind("cuCtxPushCurrent_v2", d.ctx_push_current);
  binder.Bind("cuCtxPopCurrent_v2", d.ctx_pop_current);
  binder.Bind("cuMemAlloc_v2", d.mem_alloc);
  binder.Bind("cuMemFree_v2", d.mem_free);
  binder.Bind("cuMemcpyHtoDAsync_v2", d.memcpy_htod_async);
  binder.Bind("cuMemcpyDtoHAsync_v2", d.memcpy_dtoh_async);
  binder.Bind("cuMemcpyDtoDAsync_v2", d.memcpy_dtod_async);
  binder.Bind("cuMemsetD8Async", d.memset_d8_async);
  binder.Bind("cuStreamCreate", d.stream_create);
  binder.Bind("cuStreamDestroy_v2", d.stream_destroy);
  binder.Bind("cuStreamSynchronize", d.stream_synchronize);
  binder.Bind("cuModuleLoadDataEx", d.module_load_data_ex);
  binder.Bind("cuModuleUnload", d.module_unload);
  binder.Bind("cuModuleGetFunction", d.module_get_function);
  binder.Bind("cuLaunchKernel", d.launch_kernel);
  return binder.missing();
}

struct DriverMend {
  CuResult result;
  const char* code;
  const char* help;
};

constexpr char kDefaultHelp[] =
    "the device \"cpu\" computes the same bits; nvidia-smi and the system's log say more about the GPU";

constexpr DriverMend kMends[] = {
    {kCuOutOfMemory, "E0703",
     "nvidia-smi shows what holds the GPU's memory; smaller inputs or the device \"cpu\" need less of it"},
    {kCuNoDevice, "E0701",
     "the device \"cpu\" computes the same bits; CUDA_VISIBLE_DEVICES may hide a GPU that is there"},
    {kCuNoBinaryForGpu, "E0702", "generated code needs a GPU of compute capability 8.0 (Ampere) or later"},
    {kCuUnsupportedPtxVersion, "E0702", "update the GPU's driver: 525 (CUDA 12.0) or later knows this code"},
    {kCuIllegalAddress, "E0702",
     "this is a bug in Tenfold; the process must end before the GPU can be used again"},
};

}  // namespace

absl::Status CudaStatus(const CudaDriver& driver, CuResult result, absl::string_view what) {
  if (result == kCuSuccess) return absl::OkStatus();
  const char* name = nullptr;
  const char* text = nullptr;
  // Both leave null for a result that this driver does not know.
  if (driver.get_error_name(result, &name) != kCuSuccess) name = nullptr;
  if (driver.get_error_string(result, &text) != kCuSuccess) text = nullptr;
  const std::string message =
      absl::StrCat(what, ": ", name != nullptr ? name : absl::StrCat("unknown CUDA error ", result),
                   text != nullptr ? absl::StrCat(" (", text, ")") : "");
  for (const DriverMend& mend : kMends) {
    if (mend.result == result) return MakeError(mend.code, message, mend.help);
  }
  return MakeError("E0702", message, kDefaultHelp);
}

absl::StatusOr<CudaDriver> LoadCudaDriver(const std::string& library) {
  // NODELETE: the driver starts threads of its own, under which it must not be unmapped. So the handle can be
  // closed at once, and the table needs no owner.
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    return MakeError("E0701", absl::StrCat("no CUDA driver: ", library, " cannot be opened"),
                     "install the NVIDIA driver, or use the device \"cpu\", which computes the same bits");
  }
  CudaDriver driver;
  const std::string missing = BindAll(handle, driver);
  dlclose(handle);
  if (!missing.empty()) {
    return MakeError("E0701", absl::StrCat("the CUDA driver ", library, " has no function ", missing),
                     "update the GPU's driver: 525 (CUDA 12.0) or later will do");
  }
  TENFOLD_RETURN_IF_ERROR(CudaStatus(driver, driver.init(0), "cannot start the CUDA driver"));
  return driver;
}

absl::StatusOr<int> CountCudaDevices(const CudaDriver& driver) {
  int count = 0;
  const CuResult result = driver.device_get_count(&count);
  if (result == kCuNoDevice) return 0;
  TENFOLD_RETURN_IF_ERROR(CudaStatus(driver, result, "cannot count the GPUs"));
  return count;
}

}  // namespace tenfold
