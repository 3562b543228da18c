// SPDX-License-Identifier: Apache-2.0
//
// Our declarations of the CUDA driver against the toolkit's header, where there is one.
#include <gtest/gtest.h>

#include "tenfold/kernels/cuda/driver.h"

#if TENFOLD_HAVE_CUDA_TOOLKIT

#include <cuda.h>

#include <type_traits>

namespace tenfold {
namespace {

// The same parameters as seen by the C ABI: in registers a handle is a handle and an enum is an int.
template <typename A, typename B>
constexpr bool kPassedAlike =
    sizeof(A) == sizeof(B) && std::is_floating_point_v<A> == std::is_floating_point_v<B>;

template <typename Ours, typename Theirs>
struct SameSignature : std::false_type {};
template <typename R1, typename... A1, typename R2, typename... A2>
  requires(sizeof...(A1) == sizeof...(A2))
struct SameSignature<R1 (*)(A1...), R2 (*)(A2...)>
    : std::bool_constant<kPassedAlike<R1, R2> && (kPassedAlike<A1, A2> && ...)> {};

#define EXPECT_SAME_FUNCTION(member, function) \
  static_assert(SameSignature<decltype(CudaDriver::member), decltype(&function)>::value, #function)

EXPECT_SAME_FUNCTION(init, cuInit);
EXPECT_SAME_FUNCTION(driver_get_version, cuDriverGetVersion);
EXPECT_SAME_FUNCTION(get_error_name, cuGetErrorName);
EXPECT_SAME_FUNCTION(get_error_string, cuGetErrorString);
EXPECT_SAME_FUNCTION(device_get_count, cuDeviceGetCount);
EXPECT_SAME_FUNCTION(device_get, cuDeviceGet);
EXPECT_SAME_FUNCTION(device_get_name, cuDeviceGetName);
EXPECT_SAME_FUNCTION(device_get_attribute, cuDeviceGetAttribute);
EXPECT_SAME_FUNCTION(device_total_mem, cuDeviceTotalMem);
EXPECT_SAME_FUNCTION(device_primary_ctx_retain, cuDevicePrimaryCtxRetain);
EXPECT_SAME_FUNCTION(device_primary_ctx_release, cuDevicePrimaryCtxRelease);
EXPECT_SAME_FUNCTION(ctx_push_current, cuCtxPushCurrent);
EXPECT_SAME_FUNCTION(ctx_pop_current, cuCtxPopCurrent);
EXPECT_SAME_FUNCTION(mem_alloc, cuMemAlloc);
EXPECT_SAME_FUNCTION(mem_free, cuMemFree);
EXPECT_SAME_FUNCTION(memcpy_htod_async, cuMemcpyHtoDAsync);
EXPECT_SAME_FUNCTION(memcpy_dtoh_async, cuMemcpyDtoHAsync);
EXPECT_SAME_FUNCTION(memcpy_dtod_async, cuMemcpyDtoDAsync);
EXPECT_SAME_FUNCTION(memset_d8_async, cuMemsetD8Async);
EXPECT_SAME_FUNCTION(stream_create, cuStreamCreate);
EXPECT_SAME_FUNCTION(stream_destroy, cuStreamDestroy);
EXPECT_SAME_FUNCTION(stream_synchronize, cuStreamSynchronize);
EXPECT_SAME_FUNCTION(module_load_data_ex, cuModuleLoadDataEx);
EXPECT_SAME_FUNCTION(module_unload, cuModuleUnload);
EXPECT_SAME_FUNCTION(module_get_function, cuModuleGetFunction);
EXPECT_SAME_FUNCTION(launch_kernel, cuLaunchKernel);

TEST(DriverAbi, ConstantsAreTheToolkits) {
  EXPECT_EQ(kCuSuccess, CUDA_SUCCESS);
  EXPECT_EQ(kCuOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(kCuNoDevice, CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(kCuNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(kCuInvalidPtx, CUDA_ERROR_INVALID_PTX);
  EXPECT_EQ(kCuUnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
  EXPECT_EQ(kCuIllegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(kCuAttributeMultiprocessorCount, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
  EXPECT_EQ(kCuAttributeComputeCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
  EXPECT_EQ(kCuAttributeComputeCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
  EXPECT_EQ(kCuJitErrorLogBuffer, CU_JIT_ERROR_LOG_BUFFER);
  EXPECT_EQ(kCuJitErrorLogBufferBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
  EXPECT_EQ(kCuStreamNonBlocking, CU_STREAM_NON_BLOCKING);
}

// The header renames a function to the version that it means; driver.cc names the same ones.
#define TEXT_OF(x) #x
#define EXPANDED_TEXT_OF(x) TEXT_OF(x)

TEST(DriverAbi, VersionsAreTheToolkits) {
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuDeviceTotalMem), "cuDeviceTotalMem_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuDevicePrimaryCtxRelease), "cuDevicePrimaryCtxRelease_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuCtxPushCurrent), "cuCtxPushCurrent_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuCtxPopCurrent), "cuCtxPopCurrent_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemAlloc), "cuMemAlloc_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemFree), "cuMemFree_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemcpyHtoDAsync), "cuMemcpyHtoDAsync_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemcpyDtoHAsync), "cuMemcpyDtoHAsync_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemcpyDtoDAsync), "cuMemcpyDtoDAsync_v2");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuStreamDestroy), "cuStreamDestroy_v2");
  // These have one version only.
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuMemsetD8Async), "cuMemsetD8Async");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuModuleLoadDataEx), "cuModuleLoadDataEx");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuStreamSynchronize), "cuStreamSynchronize");
  EXPECT_STREQ(EXPANDED_TEXT_OF(cuLaunchKernel), "cuLaunchKernel");
}

}  // namespace
}  // namespace tenfold

#else

TEST(DriverAbi, IsTheToolkits) {
  GTEST_SKIP() << "no CUDA toolkit: nothing to compare our declarations with";
}

#endif
