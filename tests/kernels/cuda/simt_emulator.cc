// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/kernels/cuda/simt_emulator.h"

#include <ucontext.h>

#include <map>
#include <utility>
#include <vector>

#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"

namespace tenfold::testing {
namespace {

constexpr unsigned kWarp = 32;
constexpr size_t kStackBytes = 64 << 10;

// One block of threads, each a fiber that runs until it waits for others.
class Block {
 public:
  using Body = void (*)(const uint64_t* params);

  using Stacks = std::vector<std::unique_ptr<char[]>>;  // one a thread; blocks take turns with them

  Block(Body body, const uint64_t* params, unsigned index, unsigned blocks, const Stacks& stacks)
      : body_(body),
        params_(params),
        index_(index),
        blocks_(blocks),
        stacks_(stacks),
        fibers_(stacks.size()),
        warps_((stacks.size() + kWarp - 1) / kWarp) {}

  // False if all that are left wait.
  bool Run() {
    current = this;
    all_.size = static_cast<unsigned>(fibers_.size());
    for (size_t w = 0; w < warps_.size(); ++w) warps_[w].size = kWarp;
    for (size_t t = 0; t < fibers_.size(); ++t) {
      ucontext_t& context = fibers_[t].context;
      Capture(context);
      context.uc_stack.ss_sp = stacks_[t].get();
      context.uc_stack.ss_size = kStackBytes;
      context.uc_link = &scheduler_;
      makecontext(&context, &Block::Start, 0);
    }
    unsigned left = static_cast<unsigned>(fibers_.size());
    while (left > 0) {
      const uint64_t before = progress_;
      for (thread_ = 0; thread_ < fibers_.size(); ++thread_) {
        if (fibers_[thread_].done) continue;
        swapcontext(&scheduler_, &fibers_[thread_].context);
        if (fibers_[thread_].done) --left;
      }
      if (progress_ == before) return false;
    }
    return true;
  }

  unsigned thread() const { return thread_; }
  unsigned index() const { return index_; }
  unsigned blocks() const { return blocks_; }
  void Barrier() { Meet(all_); }

  uint32_t ShuffleDown(uint32_t value, uint32_t distance) {
    Group& warp = warps_[thread_ / kWarp];
    fibers_[thread_].offered = value;
    Meet(warp);
    const unsigned lane = thread_ % kWarp;
    const uint32_t result = fibers_[lane + distance < kWarp ? thread_ + distance : thread_].offered;
    Meet(warp);
    return result;
  }

  static Block* current;

 private:
  struct Fiber {
    ucontext_t context;
    bool done = false;
    uint32_t offered = 0;
  };
  struct Group {
    unsigned size = 0, arrived = 0;
    uint64_t generation = 0;
  };

  // On its own, since a function that calls getcontext may lose its locals.
  static void Capture(ucontext_t& context) { getcontext(&context); }

  static void Start() {
    Block& block = *current;
    block.body_(block.params_);
    block.fibers_[block.thread_].done = true;
    ++block.progress_;
  }

  void Meet(Group& group) {
    const uint64_t generation = group.generation;
    ++progress_;
    if (++group.arrived == group.size) {
      group.arrived = 0;
      ++group.generation;
    }
    while (group.generation == generation) swapcontext(&fibers_[thread_].context, &scheduler_);
  }

  const Body body_;
  const uint64_t* const params_;
  const unsigned index_, blocks_;
  const Stacks& stacks_;
  std::vector<Fiber> fibers_;
  std::vector<Group> warps_;
  Group all_;
  ucontext_t scheduler_;
  unsigned thread_ = 0;
  uint64_t progress_ = 0;
};

Block* Block::current = nullptr;

// What the kernels' intrinsics become.
uint32_t ThreadIndex() { return Block::current->thread(); }
uint32_t BlockIndex() { return Block::current->index(); }
uint32_t NumBlocks() { return Block::current->blocks(); }
void Barrier() { Block::current->Barrier(); }
uint32_t ShuffleDown(uint32_t, uint32_t value, uint32_t distance, uint32_t) {
  return Block::current->ShuffleDown(value, distance);
}

const std::map<std::string, void*>& Intrinsics() {
  static const auto* const kMap = new std::map<std::string, void*>{
      {"llvm.nvvm.read.ptx.sreg.tid.x", reinterpret_cast<void*>(&ThreadIndex)},
      {"llvm.nvvm.read.ptx.sreg.ctaid.x", reinterpret_cast<void*>(&BlockIndex)},
      {"llvm.nvvm.read.ptx.sreg.nctaid.x", reinterpret_cast<void*>(&NumBlocks)},
      {"llvm.nvvm.barrier0", reinterpret_cast<void*>(&Barrier)},
      {"llvm.nvvm.shfl.sync.down.i32", reinterpret_cast<void*>(&ShuffleDown)},
  };
  return *kMap;
}

// `void run_<symbol>(const uint64_t* params)` around each kernel, and calls instead of intrinsics.
void MoveToHost(llvm::Module& module) {
  llvm::LLVMContext& context = module.getContext();
  llvm::IRBuilder<> b(context);
  std::vector<llvm::Function*> kernels, intrinsics;
  for (llvm::Function& f : module) {
    if (!f.isDeclaration()) kernels.push_back(&f);
    if (Intrinsics().count(f.getName().str())) intrinsics.push_back(&f);
  }
  for (llvm::Function* f : intrinsics) {
    void* const target = Intrinsics().at(f->getName().str());
    llvm::Constant* address = b.getInt64(reinterpret_cast<uintptr_t>(target));
    f->replaceAllUsesWith(llvm::ConstantExpr::getIntToPtr(address, f->getType()));
    f->eraseFromParent();
  }
  for (llvm::Function* f : kernels) {
    f->setCallingConv(llvm::CallingConv::C);
    llvm::FunctionType* type = llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy()}, false);
    llvm::Function* run =
        llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "run_" + f->getName(), module);
    b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", run));
    std::vector<llvm::Value*> args;
    for (llvm::Argument& arg : f->args()) {
      llvm::Value* slot = b.CreateConstGEP1_64(b.getInt64Ty(), run->getArg(0), args.size());
      llvm::Value* value = b.CreateLoad(b.getInt64Ty(), slot);
      args.push_back(arg.getType()->isPointerTy() ? b.CreateIntToPtr(value, arg.getType()) : value);
    }
    b.CreateCall(f, args);
    b.CreateRetVoid();
  }
}

absl::Status Failure(llvm::Error error) { return absl::InternalError(llvm::toString(std::move(error))); }

}  // namespace

struct SimtEmulator::Impl {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

SimtEmulator::SimtEmulator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SimtEmulator::~SimtEmulator() = default;

absl::StatusOr<std::unique_ptr<SimtEmulator>> SimtEmulator::Create(const std::string& ir) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto context = std::make_unique<llvm::LLVMContext>();
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module =
      llvm::parseIR(llvm::MemoryBufferRef(ir, "kernels"), diagnostic, *context);
  if (module == nullptr) return absl::InternalError(diagnostic.getMessage().str());
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder) return Failure(builder.takeError());
  builder->getOptions().AllowFPOpFusion = llvm::FPOpFusion::Strict;
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  auto jit = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(*builder)).create();
  if (!jit) return Failure(jit.takeError());
  module->setTargetTriple((*jit)->getTargetTriple().str());
  module->setDataLayout((*jit)->getDataLayout());
  MoveToHost(*module);
  if (llvm::Error error = (*jit)->addIRModule({std::move(module), std::move(context)})) {
    return Failure(std::move(error));
  }
  auto impl = std::make_unique<Impl>();
  impl->jit = std::move(*jit);
  return std::unique_ptr<SimtEmulator>(new SimtEmulator(std::move(impl)));
}

absl::Status SimtEmulator::Launch(const std::string& symbol, unsigned blocks, unsigned threads,
                                  std::span<const uint64_t> params) const {
  auto body = impl_->jit->lookup("run_" + symbol);
  if (!body) return Failure(body.takeError());
  Block::Stacks stacks(threads);
  for (auto& stack : stacks) stack.reset(new char[kStackBytes]);
  for (unsigned b = 0; b < blocks; ++b) {
    Block block(body->toPtr<Block::Body>(), params.data(), b, blocks, stacks);
    if (!block.Run()) return absl::InternalError("threads of " + symbol + " wait for each other for ever");
  }
  return absl::OkStatus();
}

}  // namespace tenfold::testing
