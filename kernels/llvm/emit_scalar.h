// SPDX-License-Identifier: Apache-2.0
//
// ScalarProgram -> LLVM IR: straight-line code for one element (a GPU thread) or for a vector of
// elements (the CPU). Independent of the target; both code generators emit exactly this, so they
// compute the same bits.
//
// Rules kept here (docs/numerics.md): no fast-math or contract flag, no nsw/nuw, llvm.fma and never
// fmuladd, float to int by selects, bf16 by integer rounding, divisions guarded.
#ifndef TENFOLD_KERNELS_LLVM_EMIT_SCALAR_H_
#define TENFOLD_KERNELS_LLVM_EMIT_SCALAR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace llvm {
class Constant;
class IRBuilderBase;
class LLVMContext;
class Type;
class Value;
}  // namespace llvm

namespace tenfold {

// How values look in the emitted code, and what the target does well.
struct EmitTarget {
  int lanes = 1;                // elements a value: 1 is plain scalars, more are <lanes x T>
  bool avx512 = false;          // has AVX-512's F and DQ: more instructions for vectors of 512 bits
  bool f16_conversions = true;  // fpext and fptrunc between f16 and f32 are instructions (F16C, every GPU)
};

// A value in a register: bool is i1; f16 and bf16 are their bits, i16; the rest as one expects.
llvm::Type* RegisterType(llvm::LLVMContext& context, DType type, int lanes);
// The same in memory: only bool differs, a byte that is 0 or 1.
llvm::Type* MemoryType(llvm::LLVMContext& context, DType type, int lanes);
llvm::Value* MemoryToRegister(llvm::IRBuilderBase& builder, llvm::Value* loaded, DType type);
llvm::Value* RegisterToMemory(llvm::IRBuilderBase& builder, llvm::Value* value, DType type);
// The value whose bit pattern is `bits` in every lane.
llvm::Constant* RegisterConstant(llvm::LLVMContext& context, DType type, uint64_t bits, int lanes);

struct EmittedProgram {
  std::vector<llvm::Value*> outputs;  // in register form
  // i1, or a vector of them: the lanes in which an integer division by zero took place. Null if the
  // program holds no division that could fail. The caller leaves out lanes that are not elements,
  // and reports.
  llvm::Value* failed = nullptr;
};

// Appends the code of `program`, which must verify, at the builder's position. `inputs` are in
// register form.
EmittedProgram EmitScalarProgram(llvm::IRBuilderBase& builder, const EmitTarget& target,
                                 const ScalarProgram& program, std::span<llvm::Value* const> inputs);

// Any NaN becomes the canonical one: 7fc0'0000 and its like. Other types are left alone.
llvm::Value* EmitCanonicalNan(llvm::IRBuilderBase& builder, llvm::Value* value, DType type);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_EMIT_SCALAR_H_
