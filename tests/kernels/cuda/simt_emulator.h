// SPDX-License-Identifier: Apache-2.0
//
// Runs GPU kernels without a GPU: the LLVM IR from which PTX is made is compiled for the host instead, and
// the threads of a block are fibers that meet at barriers and shuffles. What a real GPU adds is NVPTX's
// instruction selection and the driver's compiler, which ptx_kernel_test and gpu_bits_test look at.
#ifndef TENFOLD_TESTS_KERNELS_CUDA_SIMT_EMULATOR_H_
#define TENFOLD_TESTS_KERNELS_CUDA_SIMT_EMULATOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tenfold::testing {

class SimtEmulator {
 public:
  // `ir` is ListPtxIr's text.
  static absl::StatusOr<std::unique_ptr<SimtEmulator>> Create(const std::string& ir);
  ~SimtEmulator();

  // Runs the blocks one after another. Fails if threads of a block wait for each other for ever.
  absl::Status Launch(const std::string& symbol, unsigned blocks, unsigned threads,
                      std::span<const uint64_t> params) const;

 private:
  struct Impl;
  explicit SimtEmulator(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_KERNELS_CUDA_SIMT_EMULATOR_H_
