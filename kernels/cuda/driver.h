// SPDX-License-Identifier: Apache-2.0
//
// The CUDA driver as a table of functions, opened at run time. Neither building nor running needs a CUDA
// toolkit: the few types and signatures that are used stand here, in the driver's stable C ABI
// (tests/kernels/cuda/driver_abi_test.cc compares them with the toolkit's header where there is one).
//
// The table is a plain value. A test fills one with its own functions and everything above runs against it.
#ifndef TENFOLD_KERNELS_CUDA_DRIVER_H_
#define TENFOLD_KERNELS_CUDA_DRIVER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace tenfold {

using CuResult = int;                    // CUresult
using CuDevice = int;                    // CUdevice
using CuDevicePtr = unsigned long long;  // CUdeviceptr: an address in device memory
using CuContext = struct CuContextHandle*;
using CuModule = struct CuModuleHandle*;
using CuFunction = struct CuFunctionHandle*;
using CuStream = struct CuStreamHandle*;

inline constexpr CuResult kCuSuccess = 0;
inline constexpr CuResult kCuOutOfMemory = 2;
inline constexpr CuResult kCuNoDevice = 100;
inline constexpr CuResult kCuNoBinaryForGpu = 209;
inline constexpr CuResult kCuInvalidPtx = 218;
inline constexpr CuResult kCuUnsupportedPtxVersion = 222;
inline constexpr CuResult kCuIllegalAddress = 700;

// CUdevice_attribute.
inline constexpr int kCuAttributeMultiprocessorCount = 16;
inline constexpr int kCuAttributeComputeCapabilityMajor = 75;
inline constexpr int kCuAttributeComputeCapabilityMinor = 76;

// CUjit_option.
inline constexpr int kCuJitErrorLogBuffer = 5;
inline constexpr int kCuJitErrorLogBufferBytes = 6;

// CUstream_flags: the stream does not wait for the legacy default stream.
inline constexpr unsigned kCuStreamNonBlocking = 1;

// Members are named after the driver's functions: `mem_alloc` is cuMemAlloc. Which version of a symbol that
// is ("cuMemAlloc_v2") stands in driver.cc.
struct CudaDriver {
  CuResult (*init)(unsigned flags) = nullptr;
  CuResult (*driver_get_version)(int* version) = nullptr;
  CuResult (*get_error_name)(CuResult error, const char** name) = nullptr;
  CuResult (*get_error_string)(CuResult error, const char** text) = nullptr;

  CuResult (*device_get_count)(int* count) = nullptr;
  CuResult (*device_get)(CuDevice* device, int ordinal) = nullptr;
  CuResult (*device_get_name)(char* name, int capacity, CuDevice device) = nullptr;
  CuResult (*device_get_attribute)(int* value, int attribute, CuDevice device) = nullptr;
  CuResult (*device_total_mem)(size_t* bytes, CuDevice device) = nullptr;

  CuResult (*device_primary_ctx_retain)(CuContext* context, CuDevice device) = nullptr;
  CuResult (*device_primary_ctx_release)(CuDevice device) = nullptr;
  CuResult (*ctx_push_current)(CuContext context) = nullptr;
  CuResult (*ctx_pop_current)(CuContext* context) = nullptr;

  CuResult (*mem_alloc)(CuDevicePtr* memory, size_t bytes) = nullptr;
  CuResult (*mem_free)(CuDevicePtr memory) = nullptr;
  CuResult (*memcpy_htod_async)(CuDevicePtr to, const void* from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*memcpy_dtoh_async)(void* to, CuDevicePtr from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*memcpy_dtod_async)(CuDevicePtr to, CuDevicePtr from, size_t bytes, CuStream stream) = nullptr;
  CuResult (*memset_d8_async)(CuDevicePtr to, unsigned char value, size_t bytes, CuStream stream) = nullptr;

  CuResult (*stream_create)(CuStream* stream, unsigned flags) = nullptr;
  CuResult (*stream_destroy)(CuStream stream) = nullptr;
  CuResult (*stream_synchronize)(CuStream stream) = nullptr;

  CuResult (*module_load_data_ex)(CuModule* module, const void* image, unsigned num_options, int* options,
                                  void** option_values) = nullptr;
  CuResult (*module_unload)(CuModule module) = nullptr;
  CuResult (*module_get_function)(CuFunction* function, CuModule module, const char* name) = nullptr;
  CuResult (*launch_kernel)(CuFunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                            unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                            CuStream stream, void** params, void** extra) = nullptr;
};

// The machine's driver, initialised. E0701 no-device where there is none: that is an ordinary answer, and
// nothing is printed. `library` is what dlopen is asked for.
absl::StatusOr<CudaDriver> LoadCudaDriver(const std::string& library = "libcuda.so.1");

// How many devices the driver offers; 0 is not an error.
absl::StatusOr<int> CountCudaDevices(const CudaDriver& driver);

// OK for kCuSuccess; else an error that says `what` could not be done ("cannot allocate 64 bytes on ..."),
// with the driver's name and text for the result and a mend.
absl::Status CudaStatus(const CudaDriver& driver, CuResult result, absl::string_view what);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_DRIVER_H_
