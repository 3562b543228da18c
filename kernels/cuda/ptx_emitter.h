// SPDX-License-Identifier: Apache-2.0
//
// What the two forms of GPU kernel share: parameters, addresses, loads and stores, control flow, and stages
// at one point of the iteration space.
#ifndef TENFOLD_KERNELS_CUDA_PTX_EMITTER_H_
#define TENFOLD_KERNELS_CUDA_PTX_EMITTER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/cuda/device_kernel.h"
#include "tenfold/kernels/llvm/emit_scalar.h"

namespace tenfold {

// The points of the parallel dims, or of the reduced dims, under one row-major number. An index along a dim
// costs divisions, so it is emitted when something first asks for it; operands that lie dense in these dims
// never ask. Valid where `linear` is.
class LinearPoint {
 public:
  LinearPoint(llvm::Value* linear, int begin_dim, int end_dim)
      : linear_(linear), begin_(begin_dim), end_(end_dim) {}
  llvm::Value* linear() const { return linear_; }
  int begin_dim() const { return begin_; }
  int end_dim() const { return end_; }

 private:
  friend class PtxEmitter;
  llvm::Value* linear_;
  int begin_, end_;
  std::vector<llvm::Value*> indices_;
};

class PtxEmitter {
 public:
  using Values = std::vector<llvm::Value*>;

  // Starts a function of `device`'s signature in `module`.
  PtxEmitter(llvm::Module& module, const FusedKernel& kernel, const DeviceKernel& device);

  llvm::IRBuilder<>& b() { return b_; }
  const FusedKernel& kernel() const { return kernel_; }
  llvm::Module& module() { return module_; }
  llvm::Value* I64(int64_t value) { return b_.getInt64(value); }

  // ---- Parameters.
  llvm::Value* Extent(int dim) { return dims_[dim]; }
  // The product of the extents of dims [begin, end).
  llvm::Value* Product(int begin, int end);
  llvm::Value* scratch() const { return scratch_; }

  // ---- Threads of the grid.
  llvm::Value* ThreadIndex();
  llvm::Value* BlockIndex();
  llvm::Value* NumBlocks();
  void Barrier();

  // ---- Control flow.
  void If(llvm::Value* condition, llvm::function_ref<void()> then);
  // While `condition(carried)`: carried = body(carried). Gives the last carried values.
  Values While(Values carried, llvm::function_ref<llvm::Value*(const Values&)> condition,
               llvm::function_ref<Values(const Values&)> body);
  // for (i = begin; i < end; i += step) carried = body(i, carried).
  Values For(llvm::Value* begin, llvm::Value* end, llvm::Value* step, Values carried,
             llvm::function_ref<Values(llvm::Value*, const Values&)> body);

  // ---- Operands.
  // Every operand's address, moved from `bases` to `point`: inputs, then
  // outputs. Those that no instruction uses cost nothing.
  Values AddressesAt(LinearPoint& point, const Values& bases);
  const Values& parameters() const { return operands_; }
  llvm::Value* LoadInput(int input, const Values& addresses);
  void StoreOutput(int output, llvm::Value* value, const Values& addresses);
  llvm::Value* Load(llvm::Value* address, DType type);
  void Store(llvm::Value* address, llvm::Value* value, DType type);

  // ---- Computation.
  // The outputs of `program`. A failure is noted, to be reported by Report.
  Values Evaluate(const ScalarProgram& program, const Values& inputs);
  // combine(accumulator, value) of stage `stage`. Fails silently: there is no one element to blame.
  llvm::Value* Combine(int stage, llvm::Value* accumulator, llvm::Value* value);
  // Reports what Evaluate noted since the last call, as element `index` of the iteration space.
  void Report(llvm::Value* index);
  llvm::Type* Register(DType type) { return RegisterType(b_.getContext(), type, 1); }
  llvm::Constant* Constant(DType type, uint64_t bits) {
    return RegisterConstant(b_.getContext(), type, bits, 1);
  }
  void Return() { b_.CreateRetVoid(); }

 private:
  const FusedKernel::Operand& Operand(int position) const;
  llvm::Value* Offset(int operand, LinearPoint& point);
  bool IsDense(const FusedKernel::Operand& operand, const LinearPoint& point) const;
  const Values& Indices(LinearPoint& point);
  llvm::BasicBlock* NewBlock(const char* name);

  llvm::Module& module_;
  const FusedKernel& kernel_;
  llvm::IRBuilder<> b_;
  llvm::Function* function_;
  Values operands_;  // addresses of inputs, then of outputs
  Values dims_;      // one per DimExpressions: a constant or a parameter
  llvm::Value* scratch_ = nullptr;
  llvm::Value* error_word_ = nullptr;
  llvm::Value* failed_ = nullptr;
};

// The two forms of kernel: one thread an element (ptx_map.cc), one block a row (ptx_rows.cc).
void EmitPtxMap(PtxEmitter& emitter);
void EmitPtxRows(PtxEmitter& emitter);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_CUDA_PTX_EMITTER_H_
