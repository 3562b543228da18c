// SPDX-License-Identifier: Apache-2.0
//
// What the CPU code generator knows of the machine.
#ifndef TENFOLD_KERNELS_LLVM_CODEGEN_TARGET_H_
#define TENFOLD_KERNELS_LLVM_CODEGEN_TARGET_H_

#include "tenfold/graph/scalar/interpreter.h"

namespace tenfold {

struct CodegenTarget {
  IsaLevel isa = IsaLevel::kBaseline;

  int vector_bytes() const { return isa == IsaLevel::kAvx512 ? 64 : isa == IsaLevel::kAvx2 ? 32 : 16; }
  // Whether any vector can be loaded and stored under a mask. Else the last few elements go one by
  // one.
  bool masked() const { return isa == IsaLevel::kAvx512; }
  bool f16_conversions() const { return isa != IsaLevel::kBaseline; }
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_CODEGEN_TARGET_H_
