// SPDX-License-Identifier: Apache-2.0
//
// The ground that the loop forms (map, row, column) stand on: the function with its arguments,
// structured loops, operands in memory, and stages evaluated for a vector of elements.
#ifndef TENFOLD_KERNELS_LLVM_KERNEL_EMITTER_H_
#define TENFOLD_KERNELS_LLVM_KERNEL_EMITTER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/llvm/codegen_target.h"
#include "tenfold/kernels/llvm/emit_scalar.h"
#include "tenfold/kernels/llvm/iteration_space.h"

namespace tenfold {

// KernelCall::scratch as CompiledKernel states it.
struct ScratchSize {
  size_t fixed = 0;
  size_t per_row_element = 0;
};

class KernelEmitter {
 public:
  KernelEmitter(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                const std::string& symbol);
  virtual ~KernelEmitter() = default;
  KernelEmitter(const KernelEmitter&) = delete;

  // Writes the whole function.
  ScratchSize Emit();

 protected:
  using Value = llvm::Value;
  using Source = FusedKernel::Source;
  using IndexFunction = std::function<Value*()>;

  // Vectors of this many elements fill the machine's vectors with the widest type used.
  int lanes() const { return lanes_; }

  // The code of rows [begin, end).
  virtual void EmitRows(Value* begin, Value* end) = 0;

  // --- structured control flow; a variable becomes a register (mem2reg)
  llvm::ConstantInt* I64(int64_t value) { return b_.getInt64(value); }
  // for (i = begin; i < end; i += step): `end - begin` need not be a multiple of step.
  void For(Value* begin, Value* end, int64_t step, const std::function<void(Value* i)>& body);
  void If(Value* condition, const std::function<void()>& then);
  // Returns from the function if KernelCall::interrupt says so: asked where `position`, which counts
  // elements, is another multiple of `every`, a power of two. Between two polls of one call lie at most
  // `every` steps.
  void Poll(Value* position, int64_t every);
  llvm::AllocaInst* Variable(llvm::Type* type, Value* initial, const char* name);
  Value* Get(llvm::AllocaInst* variable) { return b_.CreateLoad(variable->getAllocatedType(), variable); }
  void Set(llvm::AllocaInst* variable, Value* value) { b_.CreateStore(value, variable); }
  // 64-byte aligned stack memory, allocated once a call.
  Value* StackArray(DType type, int64_t count, const char* name);
  // The same from KernelCall::scratch.
  Value* ScratchArray(DType type, int64_t count);
  // Rows of kept values go behind the fixed part: `slots` elements for each element of a row.
  Value* ScratchRow(DType type, int64_t slots, Value* row_length);

  Value* Min(Value* a, Value* b) { return b_.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b); }
  // begin + the largest multiple of step that fits.
  Value* WholeSteps(Value* begin, Value* end, int64_t step);

  // --- the iteration space
  Value* Extent(const std::vector<LoopDim>& loops);  // of all together
  Value* Extent(const LoopDim& loop);
  // Operands are numbered: inputs, then outputs.
  int OutputOperand(int output) const { return static_cast<int>(kernel_.inputs.size()) + output; }
  const FusedKernel::Operand& OperandAt(int operand) const;
  Value* Stride(int operand, const LoopDim& loop);
  bool IsPerRowInput(int input) const;
  // Address of an operand at `base` + index * stride.
  Value* ElementAddress(int operand, Value* base, Value* offset);

  // Coordinates in a nest of loops, as variables.
  struct Odometer {
    std::vector<LoopDim> loops;
    std::vector<llvm::AllocaInst*> coordinates;
  };
  Odometer StartOdometer(const std::vector<LoopDim>& loops, Value* position, const char* name);
  void Advance(const Odometer& odometer);  // by one, with carry
  Value* Offset(const Odometer& odometer, int operand);

  // --- values
  EmitTarget ScalarTarget(int lanes) const {
    return {.lanes = lanes,
            .avx512 = target_.isa == IsaLevel::kAvx512,
            .f16_conversions = target_.f16_conversions()};
  }
  llvm::Type* Register(DType type, int lanes) { return RegisterType(b_.getContext(), type, lanes); }
  Value* Splat(Value* scalar, int lanes);
  // lanes elements at address, stride elements apart. `mask` (null: all) says which exist.
  Value* Load(DType type, Value* address, Value* stride, int lanes, Value* mask);
  void Store(DType type, Value* value, Value* address, Value* stride, int lanes, Value* mask);
  Value* At(DType type, Value* base, Value* index);  // &base[index]
  // The lanes below `count`.
  Value* MaskBelow(Value* count, int lanes);

  // A place where stages are evaluated.
  struct Site {
    int lanes = 1;
    Value* mask = nullptr;
    std::function<Value*(const Source&)> fetch;  // inputs, and values of earlier loops
    std::function<Value*()> index;               // linear index of lane 0 in the iteration space
    Value* index_step = nullptr;                 // from lane to lane
  };
  // Values of stages and inputs seen at one site, by source.
  using SourceKey = std::pair<int, int>;
  static SourceKey KeyOf(const Source& s) {
    return s.kind == Source::kInput ? SourceKey{-1 - s.index, 0} : SourceKey{s.index, s.output};
  }
  using Values = std::map<SourceKey, Value*>;
  // The outputs of stage `index`'s program, also put into `values`.
  std::vector<Value*> EvaluateStage(int index, const Site& site, Values& values);
  Value* Combine(const FusedKernel::Stage& stage, Value* accumulator, Value* value, int lanes);
  DType AccumulatorType(int stage) const { return kernel_.stages[stage].program.output_type(0); }
  llvm::Constant* Identity(int stage, int lanes);
  Value* OrEmpty(int stage, Value* value, Value* row_length, int lanes);

  const FusedKernel& kernel_;
  const CodegenTarget target_;
  const IterationSpace space_;
  llvm::IRBuilder<> b_;

 private:
  void ReportFailure(Value* failed, const Site& site);

  llvm::Function* function_;
  int lanes_;
  std::vector<Value*> bases_;  // per operand
  std::vector<Value*> dims_;
  Value* scratch_ = nullptr;
  Value* error_ = nullptr;
  Value* interrupt_ = nullptr;
  ScratchSize scratch_size_;

 protected:
  Value* Base(int operand) const { return bases_[operand]; }
};

// The three forms. Map: no reduced dims. Row: one reduced loop, vectors along it. Column: vectors
// along the innermost parallel loop, any reduced loops.
enum class LoopForm { kMap, kRow, kColumn };
LoopForm ChooseLoopForm(const FusedKernel& kernel);
ScratchSize EmitMapKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                          const std::string& symbol);
ScratchSize EmitRowKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                          const std::string& symbol);
ScratchSize EmitColumnKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                             const std::string& symbol);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_KERNEL_EMITTER_H_
