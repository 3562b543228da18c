// SPDX-License-Identifier: Apache-2.0
//
// The device and the kernel runner against a fake driver.
#include "tenfold/kernels/cuda/cuda_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/kernel_runner.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"
#include "tenfold/tests/kernels/cuda/fake_driver.h"
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

namespace tenfold::testing {
namespace {

using ::testing::HasSubstr;

constexpr CuResult kLaunchFailed = 719;

std::string Text(const absl::Status& status) { return std::string(status.message()); }

PtxModule Compile(const std::vector<KernelCase>& cases, FakeDriver& driver) {
  std::vector<const FusedKernel*> kernels;
  for (const KernelCase& c : cases) kernels.push_back(&c.kernel);
  auto module = CompileToPtx(kernels);
  EXPECT_TRUE(module.ok()) << module.status();
  for (size_t i = 0; i < cases.size(); ++i) driver.AddKernel(module->kernels[i], cases[i].kernel);
  return *std::move(module);
}

KernelCase CaseNamed(const std::string& name) {
  for (KernelCase& c : AllKernelCases()) {
    if (c.kernel.name == name) return c;
  }
  ADD_FAILURE() << "no case " << name;
  return {};
}

// ---------------------------------------------------------------------------------------------------------
// Opening.

TEST(LoadCudaDriver, WithoutADriverThereIsNoDevice) {
  const auto driver = LoadCudaDriver("libno-such-driver.so.1");
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(Text(driver.status()),
            "error[E0701 no-device]: no CUDA driver: libno-such-driver.so.1 cannot be opened\n"
            "  help: install the NVIDIA driver, or use the device \"cpu\", which computes the same bits");
}

TEST(LoadCudaDriver, NamesTheFunctionThatIsMissing) {
  const auto driver = LoadCudaDriver("libm.so.6");
  ASSERT_FALSE(driver.ok());
  EXPECT_EQ(Text(driver.status()),
            "error[E0701 no-device]: the CUDA driver libm.so.6 has no function cuInit\n"
            "  help: update the GPU's driver: 525 (CUDA 12.0) or later will do");
}

TEST(CudaDevice, SaysWhatItIs) {
  FakeDriver driver;
  const auto device = CudaDevice::Open(driver.table());
  ASSERT_TRUE(device.ok()) << device.status();
  EXPECT_EQ((*device)->info().name, "Fake GPU");
  EXPECT_EQ((*device)->info().compute_capability, 90);
  EXPECT_EQ((*device)->info().multiprocessors, 2);
  EXPECT_EQ((*device)->info().memory_bytes, size_t{1} << 30);
  EXPECT_EQ((*device)->info().driver_version, 12040);
}

TEST(CudaDevice, RefusesADeviceThatIsNotThere) {
  FakeDriver driver;
  driver.devices = 2;
  EXPECT_EQ(Text(CudaDevice::Open(driver.table(), 2).status()),
            "error[E0701 no-device]: there is no GPU 2: the driver offers 2\n"
            "  help: GPUs are numbered from 0 to 1");
  EXPECT_FALSE(CudaDevice::Open(driver.table(), -1).ok());
  driver.devices = 0;
  EXPECT_EQ(Text(CudaDevice::Open(driver.table()).status()),
            "error[E0701 no-device]: the CUDA driver offers no GPU\n"
            "  help: use the device \"cpu\", which computes the same bits");
  EXPECT_TRUE(driver.nothing_left());
}

TEST(CudaDevice, NoDevicesIsAnAnswer) {
  FakeDriver driver;
  driver.Fail("device_get_count", kCuNoDevice);
  const auto count = CountCudaDevices(driver.table());
  ASSERT_TRUE(count.ok()) << count.status();
  EXPECT_EQ(*count, 0);
}

TEST(CudaDevice, RefusesAGpuThatIsTooOld) {
  FakeDriver driver;
  driver.compute_capability = 75;
  EXPECT_EQ(Text(CudaDevice::Open(driver.table()).status()),
            "error[E0701 no-device]: GPU 0 (Fake GPU) has compute capability 7.5\n"
            "  help: kernels need 8.0 (Ampere) or later; the device \"cpu\" computes the same bits");
}

// ---------------------------------------------------------------------------------------------------------
// Memory.

TEST(DeviceMemoryCache, RoundsSoThatNearSizesShareBlocks) {
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(1), 64u);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(64), 64u);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(65), 128u);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(1000), 1024u);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(1025), 1280u);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(size_t{5} << 20), size_t{5} << 20);
  EXPECT_EQ(DeviceMemoryCache::BlockBytes(SIZE_MAX), 0u);
  for (size_t bytes = 1; bytes < 100000; bytes = bytes * 9 / 8 + 1) {
    const size_t block = DeviceMemoryCache::BlockBytes(bytes);
    EXPECT_GE(block, bytes);
    EXPECT_EQ(block % 64, 0u);
    EXPECT_LE(block, std::max(bytes + 63, bytes + bytes / 4)) << bytes;
  }
}

TEST(CudaDevice, ReusesBlocksAndFreesThemInTheEnd) {
  FakeDriver driver;
  {
    const auto device = CudaDevice::Open(driver.table());
    ASSERT_TRUE(device.ok()) << device.status();
    CuDevicePtr first;
    {
      const auto buffer = (*device)->Allocate(1000);
      ASSERT_TRUE(buffer.ok()) << buffer.status();
      EXPECT_EQ(buffer->bytes(), 1024u);
      first = buffer->address();
    }
    const auto again = (*device)->Allocate(1010);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->address(), first);
    EXPECT_EQ(driver.calls["mem_alloc"], 1);
    const auto other = (*device)->Allocate(1010);
    EXPECT_NE(other->address(), first);
    const auto nothing = (*device)->Allocate(0);
    ASSERT_TRUE(nothing.ok());
    EXPECT_EQ(nothing->address(), 0u);
    EXPECT_EQ(driver.live_allocations(), 2u);
  }
  EXPECT_TRUE(driver.nothing_left());
}

TEST(CudaDevice, GivesUpKeptBlocksBeforeItIsFull) {
  FakeDriver driver;
  driver.memory_limit = 1 << 20;
  const auto device = CudaDevice::Open(driver.table());
  ASSERT_TRUE(device.ok()) << device.status();
  ASSERT_TRUE((*device)->Allocate(600000).ok());
  const auto large = (*device)->Allocate(900000);
  EXPECT_TRUE(large.ok()) << large.status();
  const auto too_large = (*device)->Allocate(500000);
  EXPECT_EQ(
      Text(too_large.status()),
      "error[E0703 device-memory]: cannot allocate 500000 bytes on GPU 0 (Fake GPU): "
      "CUDA_ERROR_OUT_OF_MEMORY (out of memory)\n"
      "  help: nvidia-smi shows what holds the GPU's memory; smaller inputs or the device \"cpu\" need less "
      "of it");
  EXPECT_EQ(absl::StatusCode::kResourceExhausted, too_large.status().code());
  EXPECT_FALSE((*device)->Allocate(SIZE_MAX).ok());
}

TEST(CudaDevice, CopiesInOrderAndAtTheLatestWhenWaitedFor) {
  FakeDriver driver;
  const auto device = CudaDevice::Open(driver.table());
  ASSERT_TRUE(device.ok()) << device.status();
  auto a = (*device)->Allocate(16), b = (*device)->Allocate(16);
  ASSERT_TRUE(a.ok() && b.ok());
  const std::string in = "sixteen letters!";
  std::string out(16, '?');
  EXPECT_TRUE((*device)->CopyIn(a->address(), in.data(), 16).ok());
  EXPECT_TRUE((*device)->CopyWithin(b->address(), a->address(), 16).ok());
  EXPECT_TRUE((*device)->CopyOut(out.data(), b->address(), 16).ok());
  EXPECT_TRUE((*device)->CopyOut(nullptr, 0, 0).ok());
  EXPECT_TRUE((*device)->Synchronize().ok());
  EXPECT_EQ(out, in);
  EXPECT_EQ(driver.context_depth, 0);
}

TEST(CudaDevice, AMoveHandsOver) {
  FakeDriver driver;
  const auto device = CudaDevice::Open(driver.table());
  ASSERT_TRUE(device.ok()) << device.status();
  CudaBuffer a = *(*device)->Allocate(100);
  const CuDevicePtr address = a.address();
  CudaBuffer b = std::move(a);
  EXPECT_EQ(b.address(), address);
  EXPECT_EQ(a.address(), 0u);  // NOLINT: what is left is specified
}

// ---------------------------------------------------------------------------------------------------------
// Kernels.

TEST(CudaKernelRunner, RunsEveryForm) {
  FakeDriver driver;
  const std::vector<KernelCase> cases = AllKernelCases();
  {
    const auto device = CudaDevice::Open(driver.table());
    ASSERT_TRUE(device.ok()) << device.status();
    const auto runner = CudaKernelRunner::Create(**device, Compile(cases, driver));
    ASSERT_TRUE(runner.ok()) << runner.status();
    for (size_t i = 0; i < cases.size(); ++i) {
      SCOPED_TRACE(cases[i].kernel.name);
      const std::vector<Tensor> inputs = MakeInputs(cases[i]);
      std::vector<Tensor> expected = MakeOutputs(cases[i]), got = MakeOutputs(cases[i]);
      const KernelError expected_error = Interpret(cases[i], inputs, expected);
      const auto error = runner->Run(i, EvaluateDims(cases[i]), inputs, got);
      ASSERT_TRUE(error.ok()) << error.status();
      EXPECT_EQ(error->index, expected_error.index);
      EXPECT_EQ(error->code, expected_error.code);
      for (size_t o = 0; o < got.size(); ++o) EXPECT_TRUE(SameBits(expected[o], got[o])) << o;
    }
  }
  EXPECT_TRUE(driver.nothing_left());
}

TEST(CudaKernelRunner, NothingToComputeLaunchesNothing) {
  FakeDriver driver;
  const std::vector<KernelCase> cases = {CaseNamed("empty")};
  const auto device = CudaDevice::Open(driver.table());
  const auto runner = CudaKernelRunner::Create(**device, Compile(cases, driver));
  ASSERT_TRUE(runner.ok()) << runner.status();
  std::vector<Tensor> outputs = MakeOutputs(cases[0]);
  EXPECT_TRUE(runner->Run(0, EvaluateDims(cases[0]), MakeInputs(cases[0]), outputs).ok());
  EXPECT_EQ(driver.calls["launch_kernel"], 0);
}

TEST(LaunchShape, BlocksCoverTheWorkAndScratchStaysBounded) {
  DeviceKernel map;
  map.rank = map.parallel_rank = 1;
  EXPECT_EQ(ShapeOfLaunch(map, std::vector<int64_t>{1}, 132).blocks, 1u);
  EXPECT_EQ(ShapeOfLaunch(map, std::vector<int64_t>{257}, 132).blocks, 2u);
  EXPECT_EQ(ShapeOfLaunch(map, std::vector<int64_t>{int64_t{1} << 40}, 132).blocks, 132u * 32);
  EXPECT_EQ(ShapeOfLaunch(map, std::vector<int64_t>{0}, 132).blocks, 0u);
  DeviceKernel row;
  row.rank = 2;
  row.parallel_rank = 1;
  row.row_kernel = true;
  row.kept_bytes = {4, 1};
  const LaunchShape few = ShapeOfLaunch(row, std::vector<int64_t>{3, 100}, 132);
  EXPECT_EQ(few.blocks, 3u);
  EXPECT_EQ(few.threads, 64u);
  EXPECT_EQ(few.scratch_bytes, 3u * (448 + 128));
  // One row is kept whatever it costs.
  EXPECT_EQ(ShapeOfLaunch(row, std::vector<int64_t>{2, int64_t{1} << 32}, 132).blocks, 1u);
  // Rows of 64 MB: four at a time.
  row.kept_bytes = {4};
  EXPECT_EQ(ShapeOfLaunch(row, std::vector<int64_t>{1000, 1 << 24}, 132).blocks, 4u);
}

TEST(ErrorWord, KeepsIndexAndCode) {
  EXPECT_EQ(DecodeErrorWord(kNoCudaError).index, INT64_MAX);
  EXPECT_EQ(DecodeErrorWord(kNoCudaError).code, kKernelOk);
  const KernelError error = DecodeErrorWord(CudaErrorWord{123456789012} << 8 | kIntegerDivisionByZero);
  EXPECT_EQ(error.index, 123456789012);
  EXPECT_EQ(error.code, kIntegerDivisionByZero);
}

TEST(CudaModule, ShowsWhatTheDriversCompilerSays) {
  FakeDriver driver;
  const auto device = CudaDevice::Open(driver.table());
  driver.jit_log = "ptxas application ptx input, line 7; error : Unknown symbol 'x'\n";
  driver.Fail("module_load_data_ex", kCuInvalidPtx);
  const auto module = (*device)->LoadModule("not PTX");
  ASSERT_FALSE(module.ok());
  EXPECT_THAT(Text(module.status()),
              HasSubstr("error[E0702 device-failure]: cannot load generated code on GPU 0 (Fake GPU): "
                        "CUDA_ERROR_INVALID_PTX (a PTX JIT compilation failed)"));
  EXPECT_THAT(Text(module.status()),
              HasSubstr("the driver's compiler: ptxas application ptx input, line 7; error : "
                        "Unknown symbol 'x'"));
}

TEST(CudaStatus, AResultThatTheDriverCannotNameIsANumber) {
  FakeDriver driver;
  EXPECT_EQ(
      Text(CudaStatus(driver.table(), 4711, "cannot do it")),
      "error[E0702 device-failure]: cannot do it: unknown CUDA error 4711\n"
      "  help: the device \"cpu\" computes the same bits; nvidia-smi and the system's log say more about the "
      "GPU");
}

// ---------------------------------------------------------------------------------------------------------
// Failures.

// Opens, loads, runs a kernel that keeps values and can fail.
absl::Status WholeRun(FakeDriver& driver, const KernelCase& c, const PtxModule& module) {
  TENFOLD_ASSIGN_OR_RETURN(const auto device, CudaDevice::Open(driver.table()));
  TENFOLD_ASSIGN_OR_RETURN(const CudaKernelRunner runner, CudaKernelRunner::Create(*device, module));
  const std::vector<Tensor> inputs = MakeInputs(c);
  std::vector<Tensor> outputs = MakeOutputs(c);
  return runner.Run(0, EvaluateDims(c), inputs, outputs).status();
}

// Calls whose failure has nobody to be told: what they give back is lost to the driver anyway.
bool IsRelease(const std::string& function) {
  return function == "ctx_pop_current" || function == "mem_free" || function == "stream_destroy" ||
         function == "module_unload" || function == "device_primary_ctx_release";
}

TEST(Failures, EachCallThatFailsIsAStatusAndLeavesNothing) {
  const KernelCase c = CaseNamed("failing_rows");
  std::map<std::string, int> calls;
  {
    FakeDriver driver;
    const absl::Status status = WholeRun(driver, c, Compile({c}, driver));
    ASSERT_TRUE(status.ok()) << status;
    calls = driver.calls;
  }
  EXPECT_GE(calls.size(), 18u);
  for (const auto& [function, count] : calls) {
    if (IsRelease(function)) continue;
    for (int skip = 0; skip < count; ++skip) {
      SCOPED_TRACE(absl::StrCat(function, " after ", skip));
      FakeDriver driver;
      const PtxModule module = Compile({c}, driver);
      driver.Fail(function, kLaunchFailed, skip);
      const absl::Status status = WholeRun(driver, c, module);
      // The device's destructor is the last to wait and to make the context current.
      const bool in_destructor = status.ok();
      EXPECT_TRUE(!in_destructor || function == "stream_synchronize" || function == "ctx_push_current");
      if (!in_destructor) {
        EXPECT_THAT(Text(status), HasSubstr("E0702 device-failure"));
        EXPECT_THAT(Text(status), HasSubstr("CUDA_ERROR_LAUNCH_FAILED (unspecified launch failure)"));
      }
      EXPECT_EQ(driver.context_depth, 0);
      EXPECT_EQ(driver.retained_contexts, 0);
      if (function != "ctx_push_current") {
        EXPECT_TRUE(driver.nothing_left());
      }
    }
  }
}

// After a fault the driver fails every call.
TEST(Failures, ABrokenContextIsSurvived) {
  const KernelCase c = CaseNamed("softmax_70");
  FakeDriver driver;
  const PtxModule module = Compile({c}, driver);
  for (const char* function : {"stream_synchronize", "mem_free", "module_unload", "stream_destroy"}) {
    driver.Fail(function, kCuIllegalAddress, 0, true);
  }
  const absl::Status status = WholeRun(driver, c, module);
  EXPECT_THAT(Text(status), HasSubstr("a copy or kernel failed on GPU 0 (Fake GPU)"));
  EXPECT_EQ(driver.retained_contexts, 0);
}

}  // namespace
}  // namespace tenfold::testing
