// SPDX-License-Identifier: Apache-2.0
//
// The block-at-a-time interpreter of fused kernels: the meaning of every elementwise op and reduction, and
// the executor of everything that is not compiled (yet).
#ifndef TENFOLD_GRAPH_FUSED_INTERPRET_H_
#define TENFOLD_GRAPH_FUSED_INTERPRET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/graph/fused/kernel_abi.h"
#include "tenfold/graph/scalar/interpreter.h"

namespace tenfold {

// A kernel prepared for interpretation. Immutable, thread-safe.
class KernelInterpreter {
 public:
  // `kernel` must verify; the interpreter keeps its own copy of what it needs. `level` as for
  // BlockInterpreter.
  explicit KernelInterpreter(const FusedKernel& kernel, std::optional<IsaLevel> level = std::nullopt);
  ~KernelInterpreter();
  KernelInterpreter(const KernelInterpreter&) = delete;

  // Bytes of KernelCall::scratch that one call needs under `dims`.
  size_t ScratchBytes(std::span<const int64_t> dims) const;
  // Computes rows [block_begin, block_end).
  void Run(const KernelCall& call) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_INTERPRET_H_
