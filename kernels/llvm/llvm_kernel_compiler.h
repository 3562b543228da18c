// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels as machine code for this CPU, through LLVM's ORC.
#ifndef TENFOLD_KERNELS_LLVM_LLVM_KERNEL_COMPILER_H_
#define TENFOLD_KERNELS_LLVM_LLVM_KERNEL_COMPILER_H_

#include <memory>

#include "tenfold/runtime/kernel_provider.h"

namespace tenfold {

// Thread-safe; it need not outlive the kernels it made. A level above the host's is lowered to the
// host's for code that is to run, and taken at its word for a listing.
std::unique_ptr<KernelCompiler> CreateLlvmKernelCompiler();

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_LLVM_KERNEL_COMPILER_H_
