// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/device_kernel.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"

namespace tenfold {
namespace {

// Enough blocks to fill any GPU several times over; the kernels stride over the rest.
constexpr int64_t kBlocksPerMultiprocessor = 32;
// Rows in flight are cut down to what fits here: kept values are only fast while the caches hold them.
constexpr size_t kScratchBudget = size_t{256} << 20;

int64_t Product(std::span<const int64_t> extents) {
  int64_t product = 1;
  for (const int64_t extent : extents) product *= extent;
  return product;
}

}  // namespace

LaunchShape ShapeOfLaunch(const DeviceKernel& kernel, std::span<const int64_t> dims, int multiprocessors) {
  const int64_t rows = Product(dims.first(kernel.parallel_rank));
  const int64_t elements = Product(dims.subspan(kernel.parallel_rank, kernel.rank - kernel.parallel_rank));
  const int64_t max_blocks = kBlocksPerMultiprocessor * std::max(1, multiprocessors);
  LaunchShape shape;
  if (!kernel.row_kernel) {
    shape.threads = kMapThreads;
    const int64_t blocks = rows / kMapThreads + (rows % kMapThreads != 0);
    shape.blocks = static_cast<unsigned>(std::min(blocks, max_blocks));
    return shape;
  }
  shape.threads = kRowThreads;
  int64_t blocks = std::min(rows, max_blocks);
  size_t block_bytes = 0;
  // As the kernel lays them out: each kept row starts at a multiple of 64 bytes.
  for (const size_t bytes : kernel.kept_bytes) block_bytes += (elements * bytes + 63) / 64 * 64;
  if (block_bytes > 0 && blocks > 0) {
    blocks = std::clamp<int64_t>(kScratchBudget / block_bytes, 1, blocks);
    shape.scratch_bytes = blocks * block_bytes;
  }
  shape.blocks = static_cast<unsigned>(blocks);
  return shape;
}

absl::Status LaunchDeviceKernel(CudaDevice& device, const DeviceKernel& kernel, CuFunction function,
                                const DeviceCall& call) {
  const LaunchShape shape = ShapeOfLaunch(kernel, call.dims, device.info().multiprocessors);
  if (shape.blocks == 0) return absl::OkStatus();
  absl::InlinedVector<uint64_t, 64> values;
  for (const CuDevicePtr input : call.inputs) values.push_back(input);
  for (const CuDevicePtr output : call.outputs) values.push_back(output);
  for (const int dim : kernel.dim_params) values.push_back(static_cast<uint64_t>(call.dims[dim]));
  if (!kernel.kept_bytes.empty()) values.push_back(call.scratch);
  if (kernel.can_fail) values.push_back(call.error_word);
  absl::InlinedVector<void*, 64> params;
  for (uint64_t& value : values) params.push_back(&value);
  return device.Launch(function, shape.blocks, shape.threads, {params.data(), params.size()}, kernel.symbol);
}

}  // namespace tenfold
