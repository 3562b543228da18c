// SPDX-License-Identifier: Apache-2.0
//
// What a kernel receives, interpreted or compiled. Plain C, since the interpreter, LLVM-generated code, CUDA
// host code and saved executables share it. It stands in graph/ because the interpreter of a fused kernel, on
// which inference and folding rest, is called through it too.
#ifndef TENFOLD_GRAPH_FUSED_KERNEL_ABI_H_
#define TENFOLD_GRAPH_FUSED_KERNEL_ABI_H_

#include <cstddef>
#include <cstdint>

extern "C" {

// What a kernel reports of bad values. `index` starts at INT64_MAX; the offence with the smallest linear
// index in the iteration space (row-major over all extents) wins, so the report does not depend on threads.
struct KernelError {
  int64_t index;  // INT64_MAX: no error
  int32_t code;   // a KernelErrorCode
  int32_t unused;
};

enum KernelErrorCode { kKernelOk = 0, kIntegerDivisionByZero = 1 };

// Asked now and then by a kernel that is long at work: not 0 says that nobody wants the result any more. The
// kernel then returns as soon as it can, its outputs unfinished.
struct KernelInterrupt {
  int32_t (*requested)(void* context);
  void* context;
};

struct KernelCall {
  const void* const* inputs;  // one per input: its first element, element-aligned
  void* const* outputs;       // one per output
  const int64_t* dims;        // FusedKernel::DimExpressions, evaluated
  int64_t block_begin;        // the share of the rows that this call computes: row numbers, row-major over
  int64_t block_end;          // the parallel extents
  void* scratch;              // 64-byte aligned; this call's own; as large as the kernel asked for
  KernelError* error;         // this call's own; the caller merges
  const KernelInterrupt* interrupt = nullptr;  // null: nothing can stop this call
};

// A compiled kernel, or the interpreter's stand-in for it.
typedef void (*KernelFunction)(const KernelCall* call);

}  // extern "C"

namespace tenfold {

inline bool StopRequested(const KernelInterrupt* interrupt) {
  return interrupt != nullptr && interrupt->requested(interrupt->context) != 0;
}

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_KERNEL_ABI_H_
