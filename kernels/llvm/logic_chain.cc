// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/logic_chain.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Intrinsics.h"

namespace tenfold {
namespace {

// The instruction whose bits these are.
int32_t WithoutBitcasts(const ScalarProgram& program, int32_t i) {
  while (program.instrs[i].prim == Prim::kBitcast) i = program.instrs[i].args[0];
  return i;
}

bool IsLogic(const Instr& instr) {
  switch (instr.prim) {
    case Prim::kAnd:
    case Prim::kOr:
    case Prim::kXor:
    case Prim::kNot:
      return true;
    case Prim::kNeg:
    case Prim::kAbs:
      return IsFloat(instr.type);
    default:
      return false;
  }
}

}  // namespace

bool IsLogicChain(const ScalarProgram& program, int32_t i) {
  const Instr& root = program.instrs[i];
  if (!IsLogic(root)) return false;
  for (int k = 0; k < NumArgs(root.prim); ++k) {
    if (IsLogic(program.instrs[WithoutBitcasts(program, root.args[k])])) return true;
  }
  return false;
}

llvm::Value* Fenced(llvm::IRBuilderBase& builder, llvm::Value* value) {
  llvm::Type* const type = value->getType();
  const unsigned bits = type->getScalarSizeInBits();
  if (bits != 32 && bits != 64) return value;
  llvm::Type* const floats = type->getWithNewType(bits == 32 ? builder.getFloatTy() : builder.getDoubleTy());
  llvm::Value* fence = builder.CreateBitCast(value, floats);
  fence = builder.CreateIntrinsic(llvm::Intrinsic::arithmetic_fence, {floats}, {fence});
  return builder.CreateBitCast(fence, type);
}

}  // namespace tenfold
