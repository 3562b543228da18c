// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/ptx_emitter.h"

#include "llvm/IR/Constants.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/IntrinsicsNVPTX.h"

namespace tenfold {

using llvm::Value;

namespace {

constexpr unsigned kGlobalMemory = 1;  // NVPTX's address space of device memory

}  // namespace

// ---------------------------------------------------------------------------------------------------------
// Parameters.

PtxEmitter::PtxEmitter(llvm::Module& module, const FusedKernel& kernel, const DeviceKernel& device)
    : module_(module), kernel_(kernel), b_(module.getContext()) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type* pointer = llvm::PointerType::get(context, kGlobalMemory);
  std::vector<llvm::Type*> params(device.num_inputs + device.num_outputs, pointer);
  params.insert(params.end(), device.dim_params.size(), b_.getInt64Ty());
  if (!device.kept_bytes.empty()) params.push_back(pointer);
  if (device.can_fail) params.push_back(pointer);
  function_ = llvm::Function::Create(llvm::FunctionType::get(b_.getVoidTy(), params, false),
                                     llvm::GlobalValue::ExternalLinkage, device.symbol, module);
  function_->setCallingConv(llvm::CallingConv::PTX_Kernel);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
  b_.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function_));

  // Lets the driver's compiler give each thread as many registers as the block's size allows.
  const int threads = device.row_kernel ? kRowThreads : kMapThreads;
  llvm::Metadata* annotation[] = {llvm::ConstantAsMetadata::get(function_),
                                  llvm::MDString::get(context, "maxntidx"),
                                  llvm::ConstantAsMetadata::get(b_.getInt32(threads))};
  module.getOrInsertNamedMetadata("nvvm.annotations")->addOperand(llvm::MDNode::get(context, annotation));

  llvm::Function::arg_iterator arg = function_->arg_begin();
  for (int i = 0; i < device.num_inputs + device.num_outputs; ++i) operands_.push_back(&*arg++);
  const std::vector<Dim> dims = kernel.DimExpressions();
  for (const Dim& dim : dims) dims_.push_back(dim.is_constant() ? I64(dim.constant()) : nullptr);
  for (const int dim : device.dim_params) dims_[dim] = &*arg++;
  if (!device.kept_bytes.empty()) scratch_ = &*arg++;
  if (device.can_fail) error_word_ = &*arg++;
}

Value* PtxEmitter::Product(int begin, int end) {
  Value* product = I64(1);
  for (int d = begin; d < end; ++d) product = b_.CreateMul(product, Extent(d));
  return product;
}

Value* PtxEmitter::ThreadIndex() {
  return b_.CreateZExt(b_.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_tid_x, {}, {}),
                       b_.getInt64Ty());
}

Value* PtxEmitter::BlockIndex() {
  return b_.CreateZExt(b_.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_ctaid_x, {}, {}),
                       b_.getInt64Ty());
}

Value* PtxEmitter::NumBlocks() {
  return b_.CreateZExt(b_.CreateIntrinsic(llvm::Intrinsic::nvvm_read_ptx_sreg_nctaid_x, {}, {}),
                       b_.getInt64Ty());
}

void PtxEmitter::Barrier() { b_.CreateIntrinsic(llvm::Intrinsic::nvvm_barrier0, {}, {}); }

// ---------------------------------------------------------------------------------------------------------
// Control flow.

llvm::BasicBlock* PtxEmitter::NewBlock(const char* name) {
  return llvm::BasicBlock::Create(b_.getContext(), name, function_);
}

void PtxEmitter::If(Value* condition, llvm::function_ref<void()> then) {
  llvm::BasicBlock* then_block = NewBlock("then");
  llvm::BasicBlock* end = NewBlock("endif");
  b_.CreateCondBr(condition, then_block, end);
  b_.SetInsertPoint(then_block);
  then();
  b_.CreateBr(end);
  b_.SetInsertPoint(end);
}

PtxEmitter::Values PtxEmitter::While(Values carried, llvm::function_ref<Value*(const Values&)> condition,
                                     llvm::function_ref<Values(const Values&)> body) {
  llvm::BasicBlock* before = b_.GetInsertBlock();
  llvm::BasicBlock* head = NewBlock("while");
  llvm::BasicBlock* inside = NewBlock("body");
  llvm::BasicBlock* end = NewBlock("endwhile");
  b_.CreateBr(head);
  b_.SetInsertPoint(head);
  std::vector<llvm::PHINode*> phis;
  Values current;
  for (Value* initial : carried) {
    phis.push_back(b_.CreatePHI(initial->getType(), 2));
    phis.back()->addIncoming(initial, before);
    current.push_back(phis.back());
  }
  b_.CreateCondBr(condition(current), inside, end);
  b_.SetInsertPoint(inside);
  const Values next = body(current);
  for (size_t i = 0; i < phis.size(); ++i) phis[i]->addIncoming(next[i], b_.GetInsertBlock());
  b_.CreateBr(head);
  b_.SetInsertPoint(end);
  return current;
}

PtxEmitter::Values PtxEmitter::For(Value* begin, Value* end, Value* step, Values carried,
                                   llvm::function_ref<Values(Value*, const Values&)> body) {
  carried.insert(carried.begin(), begin);
  Values last = While(
      std::move(carried), [&](const Values& now) { return b_.CreateICmpSLT(now[0], end); },
      [&](const Values& now) {
        Values next = body(now[0], Values(now.begin() + 1, now.end()));
        next.insert(next.begin(), b_.CreateAdd(now[0], step));
        return next;
      });
  last.erase(last.begin());
  return last;
}

// ---------------------------------------------------------------------------------------------------------
// Operands.

// True if stepping the point's number by one always steps the operand by its last stride.
bool PtxEmitter::IsDense(const FusedKernel::Operand& operand, const LinearPoint& point) const {
  for (int d = point.begin_; d + 1 < point.end_; ++d) {
    if (!(operand.strides[d] == operand.strides[d + 1] * kernel_.extents[d + 1])) return false;
  }
  return true;
}

const PtxEmitter::Values& PtxEmitter::Indices(LinearPoint& point) {
  if (!point.indices_.empty()) return point.indices_;
  point.indices_.resize(point.end_ - point.begin_);
  Value* rest = point.linear_;
  for (int d = point.end_ - 1; d > point.begin_; --d) {
    point.indices_[d - point.begin_] = b_.CreateURem(rest, Extent(d));
    rest = b_.CreateUDiv(rest, Extent(d));
  }
  point.indices_[0] = rest;
  return point.indices_;
}

const FusedKernel::Operand& PtxEmitter::Operand(int position) const {
  const int num_inputs = static_cast<int>(kernel_.inputs.size());
  return position < num_inputs ? kernel_.inputs[position] : kernel_.outputs[position - num_inputs].operand;
}

// In elements; null for none.
Value* PtxEmitter::Offset(int operand, LinearPoint& point) {
  const std::vector<Dim>& strides = Operand(operand).strides;
  const auto is_zero = [&](int d) { return strides[d].is_constant() && strides[d].constant() == 0; };
  const auto stride = [&](int d) { return dims_[kernel_.rank() * (1 + operand) + d]; };
  if (point.begin_ == point.end_) return nullptr;
  if (IsDense(Operand(operand), point)) {
    const int last = point.end_ - 1;
    return is_zero(last) ? nullptr : b_.CreateMul(point.linear_, stride(last));
  }
  Value* offset = nullptr;
  for (int d = point.begin_; d < point.end_; ++d) {
    if (is_zero(d)) continue;
    Value* term = b_.CreateMul(Indices(point)[d - point.begin_], stride(d));
    offset = offset == nullptr ? term : b_.CreateAdd(offset, term);
  }
  return offset;
}

PtxEmitter::Values PtxEmitter::AddressesAt(LinearPoint& point, const Values& bases) {
  Values addresses = bases;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const int operand = static_cast<int>(i);
    llvm::Type* type = MemoryType(b_.getContext(), Operand(operand).dtype, 1);
    if (Value* offset = Offset(operand, point)) addresses[i] = b_.CreateGEP(type, addresses[i], offset);
  }
  return addresses;
}

Value* PtxEmitter::LoadInput(int input, const Values& addresses) {
  return Load(addresses[input], kernel_.inputs[input].dtype);
}

void PtxEmitter::StoreOutput(int output, Value* value, const Values& addresses) {
  const FusedKernel::Output& out = kernel_.outputs[output];
  if (out.canonicalize_nans) value = EmitCanonicalNan(b_, value, out.operand.dtype);
  Store(addresses[kernel_.inputs.size() + output], value, out.operand.dtype);
}

Value* PtxEmitter::Load(Value* address, DType type) {
  llvm::Type* memory = MemoryType(b_.getContext(), type, 1);
  return MemoryToRegister(b_, b_.CreateAlignedLoad(memory, address, llvm::Align(SizeOf(type))), type);
}

void PtxEmitter::Store(Value* address, Value* value, DType type) {
  b_.CreateAlignedStore(RegisterToMemory(b_, value, type), address, llvm::Align(SizeOf(type)));
}

// ---------------------------------------------------------------------------------------------------------
// Computation.

PtxEmitter::Values PtxEmitter::Evaluate(const ScalarProgram& program, const Values& inputs) {
  EmittedProgram emitted = EmitScalarProgram(b_, EmitTarget{}, program, inputs);
  if (emitted.failed != nullptr) {
    failed_ = failed_ == nullptr ? emitted.failed : b_.CreateOr(failed_, emitted.failed);
  }
  return std::move(emitted.outputs);
}

Value* PtxEmitter::Combine(int stage, Value* accumulator, Value* value) {
  return EmitScalarProgram(b_, EmitTarget{}, kernel_.stages[stage].combine, Values{accumulator, value})
      .outputs[0];
}

void PtxEmitter::Report(Value* index) {
  if (failed_ == nullptr) return;
  If(std::exchange(failed_, nullptr), [&] {
    Value* word = b_.CreateOr(b_.CreateShl(index, 8), I64(kIntegerDivisionByZero));
    b_.CreateAtomicRMW(llvm::AtomicRMWInst::UMin, error_word_, word, llvm::Align(8),
                       llvm::AtomicOrdering::Monotonic);
  });
}

}  // namespace tenfold
