// SPDX-License-Identifier: Apache-2.0
//
// How the runtime gets machine code without knowing who makes it. kernels/ implements these interfaces with
// LLVM (CPU, PTX) and oneDNN; a program that links none of them still runs, interpreted.
#ifndef TENFOLD_RUNTIME_KERNEL_PROVIDER_H_
#define TENFOLD_RUNTIME_KERNEL_PROVIDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tenfold/graph/convolution_reference.h"
#include "tenfold/graph/dtype.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/scalar/interpreter.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// A fused kernel as machine code.
struct CompiledKernel {
  KernelFunction function = nullptr;
  std::shared_ptr<const void> code;  // keeps the code mapped

  // Bytes of KernelCall::scratch for one call: a fixed part, and a part for each element of a row (the
  // product of the reduced extents).
  size_t scratch_bytes = 0;
  size_t scratch_bytes_per_row_element = 0;
};

// What a kernel looks like inside, for `tenfold-dump --kernels`.
enum class KernelListing { kIr, kAssembly, kPtx };

struct KernelCompileOptions {
  // Code for at most this level; nullopt: everything the host has. The bits are the same.
  std::optional<IsaLevel> isa;
  // Quick code compiles several times faster and runs 5-25 % slower.
  bool quick = false;
};

// Compiles fused kernels for the CPU. Thread-safe.
class KernelCompiler {
 public:
  virtual ~KernelCompiler() = default;
  // One module for all: many kernels together cost far less than one at a time. Results are in order.
  virtual absl::StatusOr<std::vector<CompiledKernel>> Compile(std::span<const FusedKernel* const> kernels,
                                                              const KernelCompileOptions& options) = 0;
  virtual absl::StatusOr<std::string> List(const FusedKernel& kernel, KernelListing listing,
                                           const KernelCompileOptions& options) = 0;
};

// A matrix product [batch..., m, k] x [batch..., k, n] -> [batch..., m, n], row-major. Either side's batch
// may be broadcast as a whole (lhs_batched / rhs_batched false) ; other broadcasts are the caller's to lay
// out.
struct MatMulSpec {
  DType dtype = DType::kF32;
  int64_t batch = 1;
  bool lhs_batched = true;
  bool rhs_batched = true;
  int64_t m = 0, k = 0, n = 0;
  // The right side if it is a constant: packed once, at creation. Its original may be released afterwards.
  std::optional<Tensor> constant_rhs;
  // The result is observed: its NaNs are written canonical.
  bool canonicalize_nans = false;
};

// One implementation of a contraction for fixed extents. Immutable, thread-safe. The work is cut into
// num_tasks() parts fixed by the spec alone, each computing other output elements with k never split, so the
// bits are the same at any thread count. A task takes some ten milliseconds at most, since a run can only be
// stopped between two.
class MatMulKernel {
 public:
  virtual ~MatMulKernel() = default;
  virtual int64_t num_tasks() const = 0;
  // Bytes of 64-byte-aligned scratch that one task at a time needs.
  virtual size_t scratch_bytes() const = 0;
  virtual void RunTask(int64_t task, const void* lhs, const void* rhs, void* out, void* scratch) const = 0;
};

// Makes faster implementations of the reference loop nest; answers null where it has none for `spec`.
class MatMulProvider {
 public:
  virtual ~MatMulProvider() = default;
  // `interrupt` (null: none) is polled between pieces of the packing; once it says stop, whatever is returned
  // must not be used.
  virtual absl::StatusOr<std::unique_ptr<MatMulKernel>> Create(
      const MatMulSpec& spec, const KernelInterrupt* interrupt = nullptr) = 0;
};

// A convolution as graph/convolution_reference.h has it.
struct ConvolutionSpec {
  DType dtype = DType::kF32;
  ConvolutionExtents extents;
  bool has_bias = false;
  // The weights if they are a constant: packed once, at creation. Their original may be released afterwards.
  std::optional<Tensor> constant_weights;
  // The result is observed: its NaNs are written canonical.
  bool canonicalize_nans = false;
};

// As MatMulKernel: tasks fixed by the spec alone, each computing other output elements, with the sum over
// channels and kernel positions never split.
class ConvolutionKernel {
 public:
  virtual ~ConvolutionKernel() = default;
  virtual int64_t num_tasks() const = 0;
  // Bytes of 64-byte-aligned scratch that one task at a time needs.
  virtual size_t scratch_bytes() const = 0;
  virtual void RunTask(int64_t task, const ConvolutionOperands& operands, void* scratch) const = 0;
};

// Makes faster implementations of the reference loop nest; answers null where it has none for `spec`.
class ConvolutionProvider {
 public:
  virtual ~ConvolutionProvider() = default;
  // `interrupt` as in MatMulProvider.
  virtual absl::StatusOr<std::unique_ptr<ConvolutionKernel>> Create(
      const ConvolutionSpec& spec, const KernelInterrupt* interrupt = nullptr) = 0;
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_KERNEL_PROVIDER_H_
