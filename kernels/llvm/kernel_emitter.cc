// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/kernel_emitter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "llvm/IR/Constants.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/MDBuilder.h"
#include "tenfold/graph/fused/kernel_abi.h"

namespace tenfold {
namespace {

using llvm::Value;

// The smallest power of two that fits the vectors with the widest type in use, 2 to 64.
int ChooseLanes(const FusedKernel& kernel, const CodegenTarget& target) {
  size_t widest = 1;
  const auto visit = [&](const ScalarProgram& program) {
    for (const Instr& instr : program.instrs) widest = std::max(widest, SizeOf(instr.type));
  };
  for (const FusedKernel::Stage& stage : kernel.stages) {
    visit(stage.program);
    if (stage.kind == FusedKernel::Stage::kReduce) visit(stage.combine);
  }
  return target.vector_bytes() / static_cast<int>(widest);
}

}  // namespace

KernelEmitter::KernelEmitter(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                             const std::string& symbol)
    : kernel_(kernel),
      target_(target),
      space_(CollapseDims(kernel)),
      b_(module.getContext()),
      lanes_(ChooseLanes(kernel, target)) {
  auto* type = llvm::FunctionType::get(b_.getVoidTy(), {b_.getPtrTy()}, false);
  function_ = llvm::Function::Create(type, llvm::Function::ExternalLinkage, symbol, module);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
}

ScratchSize KernelEmitter::Emit() {
  b_.SetInsertPoint(llvm::BasicBlock::Create(b_.getContext(), "entry", function_));
  Value* call = function_->getArg(0);
  const auto field = [&](size_t offset, llvm::Type* type, const char* name) -> Value* {
    return b_.CreateAlignedLoad(type, b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), call, offset),
                                llvm::Align(8), name);
  };
  Value* inputs = field(offsetof(KernelCall, inputs), b_.getPtrTy(), "inputs");
  Value* outputs = field(offsetof(KernelCall, outputs), b_.getPtrTy(), "outputs");
  Value* dims = field(offsetof(KernelCall, dims), b_.getPtrTy(), "dims");
  Value* begin = field(offsetof(KernelCall, block_begin), b_.getInt64Ty(), "begin");
  Value* end = field(offsetof(KernelCall, block_end), b_.getInt64Ty(), "end");
  scratch_ = field(offsetof(KernelCall, scratch), b_.getPtrTy(), "scratch");
  error_ = field(offsetof(KernelCall, error), b_.getPtrTy(), "error");
  interrupt_ = field(offsetof(KernelCall, interrupt), b_.getPtrTy(), "interrupt");

  const auto load_base = [&](Value* array, size_t i) {
    bases_.push_back(b_.CreateLoad(b_.getPtrTy(), b_.CreateConstInBoundsGEP1_64(b_.getPtrTy(), array, i)));
  };
  for (size_t i = 0; i < kernel_.inputs.size(); ++i) load_base(inputs, i);
  for (size_t i = 0; i < kernel_.outputs.size(); ++i) load_base(outputs, i);

  const auto load_dims = [&](const std::vector<Dim>& values) {
    for (const Dim& dim : values) {
      if (dim.is_constant()) {
        dims_.push_back(I64(dim.constant()));
      } else {
        Value* address = b_.CreateConstInBoundsGEP1_64(b_.getInt64Ty(), dims, dims_.size());
        dims_.push_back(b_.CreateLoad(b_.getInt64Ty(), address));
      }
    }
  };
  load_dims(kernel_.extents);
  for (int i = 0; i < static_cast<int>(bases_.size()); ++i) load_dims(OperandAt(i).strides);

  EmitRows(begin, end);
  b_.CreateRetVoid();
  return scratch_size_;
}

// --- control flow

void KernelEmitter::For(Value* begin, Value* end, int64_t step, const std::function<void(Value*)>& body) {
  auto* loop = llvm::BasicBlock::Create(b_.getContext(), "loop", function_);
  auto* exit = llvm::BasicBlock::Create(b_.getContext(), "exit");
  llvm::BasicBlock* before = b_.GetInsertBlock();
  b_.CreateCondBr(b_.CreateICmpSLT(begin, end), loop, exit);
  b_.SetInsertPoint(loop);
  llvm::PHINode* i = b_.CreatePHI(b_.getInt64Ty(), 2, "i");
  i->addIncoming(begin, before);
  body(i);
  Value* next = b_.CreateAdd(i, I64(step));
  i->addIncoming(next, b_.GetInsertBlock());
  b_.CreateCondBr(b_.CreateICmpSLT(next, end), loop, exit);
  exit->insertInto(function_);
  b_.SetInsertPoint(exit);
}

void KernelEmitter::If(Value* condition, const std::function<void()>& then) {
  auto* yes = llvm::BasicBlock::Create(b_.getContext(), "then", function_);
  auto* join = llvm::BasicBlock::Create(b_.getContext(), "join");
  b_.CreateCondBr(condition, yes, join);
  b_.SetInsertPoint(yes);
  then();
  b_.CreateBr(join);
  join->insertInto(function_);
  b_.SetInsertPoint(join);
}

void KernelEmitter::Poll(Value* position, int64_t every) {
  Value* due = b_.CreateAnd(b_.CreateICmpSGT(position, I64(0)),
                            b_.CreateICmpEQ(b_.CreateAnd(position, I64(every - 1)), I64(0)));
  If(b_.CreateAnd(due, b_.CreateIsNotNull(interrupt_)), [&] {
    const auto field = [&](size_t offset) {
      Value* address = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), interrupt_, offset);
      return b_.CreateAlignedLoad(b_.getPtrTy(), address, llvm::Align(8));
    };
    auto* type = llvm::FunctionType::get(b_.getInt32Ty(), {b_.getPtrTy()}, false);
    Value* requested = b_.CreateCall(type, field(offsetof(KernelInterrupt, requested)),
                                     {field(offsetof(KernelInterrupt, context))});
    auto* stop = llvm::BasicBlock::Create(b_.getContext(), "stop", function_);
    auto* go_on = llvm::BasicBlock::Create(b_.getContext(), "go_on", function_);
    b_.CreateCondBr(b_.CreateICmpNE(requested, b_.getInt32(0)), stop, go_on);
    b_.SetInsertPoint(stop);
    b_.CreateRetVoid();
    b_.SetInsertPoint(go_on);
  });
}

llvm::AllocaInst* KernelEmitter::Variable(llvm::Type* type, Value* initial, const char* name) {
  llvm::IRBuilder<> entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
  llvm::AllocaInst* variable = entry.CreateAlloca(type, nullptr, name);
  if (initial != nullptr) Set(variable, initial);
  return variable;
}

Value* KernelEmitter::StackArray(DType type, int64_t count, const char* name) {
  llvm::IRBuilder<> entry(&function_->getEntryBlock(), function_->getEntryBlock().begin());
  auto* array = llvm::ArrayType::get(MemoryType(b_.getContext(), type, 1), count);
  llvm::AllocaInst* memory = entry.CreateAlloca(array, nullptr, name);
  memory->setAlignment(llvm::Align(64));
  return memory;
}

Value* KernelEmitter::ScratchArray(DType type, int64_t count) {
  Value* address = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), scratch_, scratch_size_.fixed);
  const size_t bytes = static_cast<size_t>(count) * SizeOf(type);
  scratch_size_.fixed += (bytes + 63) / 64 * 64;
  return address;
}

Value* KernelEmitter::ScratchRow(DType type, int64_t slots, Value* row_length) {
  Value* skipped = b_.CreateMul(row_length, I64(scratch_size_.per_row_element));
  Value* offset = b_.CreateAdd(skipped, I64(scratch_size_.fixed));
  scratch_size_.per_row_element += slots * SizeOf(type);
  return b_.CreateInBoundsGEP(b_.getInt8Ty(), scratch_, offset);
}

Value* KernelEmitter::WholeSteps(Value* begin, Value* end, int64_t step) {
  // Steps are powers of two.
  return b_.CreateAdd(begin, b_.CreateAnd(b_.CreateSub(end, begin), I64(-step)));
}

// --- the iteration space

Value* KernelEmitter::Extent(const LoopDim& loop) {
  Value* product = dims_[loop.dims[0]];
  for (size_t i = 1; i < loop.dims.size(); ++i) product = b_.CreateMul(product, dims_[loop.dims[i]]);
  return product;
}

Value* KernelEmitter::Extent(const std::vector<LoopDim>& loops) {
  Value* product = I64(1);
  for (const LoopDim& loop : loops) product = b_.CreateMul(product, Extent(loop));
  return product;
}

const FusedKernel::Operand& KernelEmitter::OperandAt(int operand) const {
  const int num_inputs = static_cast<int>(kernel_.inputs.size());
  return operand < num_inputs ? kernel_.inputs[operand] : kernel_.outputs[operand - num_inputs].operand;
}

Value* KernelEmitter::Stride(int operand, const LoopDim& loop) {
  return dims_[kernel_.rank() * (operand + 1) + loop.stride_dim()];
}

bool KernelEmitter::IsPerRowInput(int input) const {
  return kernel_.IsPerRow({.kind = Source::kInput, .index = input});
}

Value* KernelEmitter::At(DType type, Value* base, Value* index) {
  return b_.CreateInBoundsGEP(MemoryType(b_.getContext(), type, 1), base, index);
}

Value* KernelEmitter::ElementAddress(int operand, Value* base, Value* offset) {
  return At(OperandAt(operand).dtype, base, offset);
}

KernelEmitter::Odometer KernelEmitter::StartOdometer(const std::vector<LoopDim>& loops, Value* position,
                                                     const char* name) {
  Odometer odometer{loops, std::vector<llvm::AllocaInst*>(loops.size())};
  for (size_t d = loops.size(); d-- > 0;) {
    Value* extent = Extent(loops[d]);
    // The outermost coordinate needs no remainder. An extent of 0 has no rows, and no caller gets
    // here.
    Value* coordinate = d == 0 ? position : b_.CreateURem(position, extent);
    odometer.coordinates[d] = Variable(b_.getInt64Ty(), coordinate, name);
    if (d > 0) position = b_.CreateUDiv(position, extent);
  }
  return odometer;
}

void KernelEmitter::Advance(const Odometer& odometer) {
  const std::function<void(size_t)> carry = [&](size_t d) {
    Value* next = b_.CreateAdd(Get(odometer.coordinates[d]), I64(1));
    Set(odometer.coordinates[d], next);
    if (d == 0) return;
    If(b_.CreateICmpEQ(next, Extent(odometer.loops[d])), [&] {
      Set(odometer.coordinates[d], I64(0));
      carry(d - 1);
    });
  };
  if (!odometer.loops.empty()) carry(odometer.loops.size() - 1);
}

Value* KernelEmitter::Offset(const Odometer& odometer, int operand) {
  Value* offset = I64(0);
  for (size_t d = 0; d < odometer.loops.size(); ++d) {
    Value* stride = Stride(operand, odometer.loops[d]);
    offset = b_.CreateAdd(offset, b_.CreateMul(Get(odometer.coordinates[d]), stride));
  }
  return offset;
}

// --- values

Value* KernelEmitter::Splat(Value* scalar, int lanes) {
  return lanes == 1 ? scalar : b_.CreateVectorSplat(lanes, scalar);
}

Value* KernelEmitter::MaskBelow(Value* count, int lanes) {
  llvm::SmallVector<llvm::Constant*, 64> iota;
  for (int i = 0; i < lanes; ++i) iota.push_back(b_.getInt32(i));
  Value* limit = b_.CreateTrunc(Min(count, I64(lanes)), b_.getInt32Ty());
  return b_.CreateICmpSLT(llvm::ConstantVector::get(iota), Splat(limit, lanes));
}

namespace {

// <0, stride, 2 * stride, ...>
Value* LaneOffsets(llvm::IRBuilder<>& b, Value* stride, int lanes) {
  llvm::SmallVector<llvm::Constant*, 64> iota;
  for (int i = 0; i < lanes; ++i) iota.push_back(b.getInt64(i));
  return b.CreateMul(llvm::ConstantVector::get(iota), b.CreateVectorSplat(lanes, stride));
}

bool IsConstant(Value* v, int64_t value) {
  const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(v);
  return constant != nullptr && constant->getSExtValue() == value;
}

}  // namespace

Value* KernelEmitter::Load(DType type, Value* address, Value* stride, int lanes, Value* mask) {
  llvm::Type* scalar = MemoryType(b_.getContext(), type, 1);
  llvm::Type* vector = MemoryType(b_.getContext(), type, lanes);
  const llvm::Align align(SizeOf(type));
  if (lanes == 1 || IsConstant(stride, 0)) {
    return Splat(MemoryToRegister(b_, b_.CreateAlignedLoad(scalar, address, align), type), lanes);
  }
  Value* loaded;
  if (IsConstant(stride, 1)) {
    loaded = mask == nullptr
                 ? static_cast<Value*>(b_.CreateAlignedLoad(vector, address, align))
                 : b_.CreateMaskedLoad(vector, address, align, mask, llvm::Constant::getNullValue(vector));
  } else {
    Value* addresses = b_.CreateGEP(scalar, address, LaneOffsets(b_, stride, lanes));
    loaded = b_.CreateMaskedGather(vector, addresses, align, mask, llvm::Constant::getNullValue(vector));
  }
  return MemoryToRegister(b_, loaded, type);
}

void KernelEmitter::Store(DType type, Value* value, Value* address, Value* stride, int lanes, Value* mask) {
  value = RegisterToMemory(b_, value, type);
  const llvm::Align align(SizeOf(type));
  if (lanes == 1 || (IsConstant(stride, 1) && mask == nullptr)) {
    b_.CreateAlignedStore(value, address, align);
  } else if (IsConstant(stride, 1)) {
    b_.CreateMaskedStore(value, address, align, mask);
  } else {
    llvm::Type* scalar = MemoryType(b_.getContext(), type, 1);
    b_.CreateMaskedScatter(value, b_.CreateGEP(scalar, address, LaneOffsets(b_, stride, lanes)), align, mask);
  }
}

std::vector<Value*> KernelEmitter::EvaluateStage(int index, const Site& site, Values& values) {
  const FusedKernel::Stage& stage = kernel_.stages[index];
  std::vector<Value*> inputs;
  for (const Source& source : stage.inputs) {
    Value*& value = values[KeyOf(source)];
    if (value == nullptr) value = site.fetch(source);
    inputs.push_back(value);
  }
  EmittedProgram emitted = EmitScalarProgram(b_, ScalarTarget(site.lanes), stage.program, inputs);
  if (emitted.failed != nullptr) ReportFailure(emitted.failed, site);
  for (size_t i = 0; i < emitted.outputs.size(); ++i) {
    values[{index, static_cast<int>(i)}] = emitted.outputs[i];
  }
  return emitted.outputs;
}

void KernelEmitter::ReportFailure(Value* failed, const Site& site) {
  if (site.mask != nullptr) failed = b_.CreateAnd(failed, site.mask);
  Value* any = site.lanes == 1 ? failed : b_.CreateOrReduce(failed);
  If(any, [&] {
    Value* index = site.index();
    if (site.lanes > 1) {
      // Lanes ascend in the iteration space, so the lowest failing lane is the first.
      llvm::Type* bits = b_.getIntNTy(site.lanes);
      Value* lane =
          b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, b_.CreateBitCast(failed, bits), b_.getTrue());
      lane = b_.CreateZExtOrTrunc(lane, b_.getInt64Ty());
      index = b_.CreateAdd(index, b_.CreateMul(lane, site.index_step));
    }
    Value* seen = b_.CreateAlignedLoad(b_.getInt64Ty(), error_, llvm::Align(8));
    If(b_.CreateICmpSLT(index, seen), [&] {
      b_.CreateAlignedStore(index, error_, llvm::Align(8));
      Value* code = b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), error_, offsetof(KernelError, code));
      b_.CreateAlignedStore(b_.getInt32(kIntegerDivisionByZero), code, llvm::Align(4));
    });
  });
}

Value* KernelEmitter::Combine(const FusedKernel::Stage& stage, Value* accumulator, Value* value, int lanes) {
  Value* inputs[2] = {accumulator, value};
  return EmitScalarProgram(b_, ScalarTarget(lanes), stage.combine, inputs).outputs[0];
}

llvm::Constant* KernelEmitter::Identity(int stage, int lanes) {
  return RegisterConstant(b_.getContext(), AccumulatorType(stage), kernel_.stages[stage].identity, lanes);
}

Value* KernelEmitter::OrEmpty(int stage, Value* value, Value* row_length, int lanes) {
  llvm::Constant* empty =
      RegisterConstant(b_.getContext(), AccumulatorType(stage), kernel_.stages[stage].empty, lanes);
  return b_.CreateSelect(b_.CreateICmpEQ(row_length, I64(0)), empty, value);
}

// Row form wants one reduced loop that some operand walks element by element; then its vectors are
// loads.
LoopForm ChooseLoopForm(const FusedKernel& kernel) {
  if (kernel.reduced_rank() == 0) return LoopForm::kMap;
  const IterationSpace space = CollapseDims(kernel);
  if (space.reduced.size() > 1) return LoopForm::kColumn;
  const auto any_contiguous = [&](const LoopDim& loop) {
    return std::any_of(kernel.inputs.begin(), kernel.inputs.end(), [&](const FusedKernel::Operand& input) {
      return input.strides[loop.stride_dim()] == Dim(1);
    });
  };
  const bool contiguous_rows = any_contiguous(space.reduced[0]);
  const bool contiguous_columns = !space.parallel.empty() && any_contiguous(space.parallel.back());
  return !contiguous_rows && contiguous_columns ? LoopForm::kColumn : LoopForm::kRow;
}

}  // namespace tenfold
