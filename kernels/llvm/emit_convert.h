// SPDX-License-Identifier: Apache-2.0
//
// Prim::kConvert as LLVM IR, for every pair of types.
#ifndef TENFOLD_KERNELS_LLVM_EMIT_CONVERT_H_
#define TENFOLD_KERNELS_LLVM_EMIT_CONVERT_H_

#include "tenfold/graph/dtype.h"
#include "tenfold/kernels/llvm/emit_scalar.h"

namespace tenfold {

// `value` is in register form, and so is the result.
llvm::Value* EmitConvert(llvm::IRBuilderBase& builder, const EmitTarget& target, llvm::Value* value,
                         DType from, DType to);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_EMIT_CONVERT_H_
