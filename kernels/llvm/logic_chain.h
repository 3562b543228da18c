// SPDX-License-Identifier: Apache-2.0
//
// A way around a fault of LLVM 19 (llvm-project issue 157929): where AVX-512 merges the result of a
// three-operand logic instruction, vpternlog, into one of its operands under a mask, as for select(c,
// copysign(y, x), x), and another operand is in memory, the instruction gets the truth table of another order
// of its operands. So such results are kept from becoming part of a select, be it one that LLVM finds behind
// a multiplication by 1.
#ifndef TENFOLD_KERNELS_LLVM_LOGIC_CHAIN_H_
#define TENFOLD_KERNELS_LLVM_LOGIC_CHAIN_H_

#include <cstdint>

#include "tenfold/graph/scalar/scalar_program.h"

namespace llvm {
class IRBuilderBase;
class Value;
}  // namespace llvm

namespace tenfold {

// True if instruction `i` is a bitwise operation on another one's result: what may become one vpternlog.
bool IsLogicChain(const ScalarProgram& program, int32_t i);

// The same vector, behind a fence over which LLVM makes no instruction of two. Costs nothing by itself.
// Elements of other than 32 and 64 bits, for which no such instruction has a mask, are left alone.
llvm::Value* Fenced(llvm::IRBuilderBase& builder, llvm::Value* value);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_LOGIC_CHAIN_H_
