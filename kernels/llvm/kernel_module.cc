// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/kernel_module.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/PassManager.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Utils/Mem2Reg.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

void InitializeLlvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
  });
}

// The x86-64 levels as psABI defines them; v3 has FMA and F16C.
const char* LevelCpu(IsaLevel level) {
  switch (level) {
    case IsaLevel::kBaseline:
      return "x86-64";
    case IsaLevel::kAvx2:
      return "x86-64-v3";
    case IsaLevel::kAvx512:
      break;
  }
  return "x86-64-v4";
}

ScratchSize EmitKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                       const std::string& symbol) {
  switch (ChooseLoopForm(kernel)) {
    case LoopForm::kMap:
      return EmitMapKernel(module, kernel, target, symbol);
    case LoopForm::kRow:
      return EmitRowKernel(module, kernel, target, symbol);
    case LoopForm::kColumn:
      break;
  }
  return EmitColumnKernel(module, kernel, target, symbol);
}

// Attributes of a function override what the TargetMachine was made with, so they are set in this
// one place.
void DescribeFunctions(llvm::Module& module, const MachineDescription& machine) {
  const std::string width = absl::StrCat(machine.target.vector_bytes() * 8);
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("target-cpu", machine.cpu);
    function.addFnAttr("target-features", machine.features);
    if (!machine.tune_cpu.empty()) function.addFnAttr("tune-cpu", machine.tune_cpu);
    // Else some CPUs' tuning splits 512-bit vectors in two.
    function.addFnAttr("prefer-vector-width", width);
    function.addFnAttr("min-legal-vector-width", width);
  }
}

}  // namespace

MachineDescription DescribeMachine(std::optional<IsaLevel> level) {
  MachineDescription machine;
  if (level.has_value()) {
    machine.target.isa = *level;
    machine.cpu = LevelCpu(*level);
    machine.tune_cpu = llvm::sys::getHostCPUName().str();
    return machine;
  }
  machine.target.isa = HostIsaLevel();
  machine.cpu = llvm::sys::getHostCPUName().str();
  // Named one by one too: a hypervisor may hide some that the CPU's name implies.
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
    absl::StrAppend(&machine.features, machine.features.empty() ? "" : ",", feature.second ? "+" : "-",
                    std::string(feature.first()));
  }
  return machine;
}

absl::StatusOr<std::unique_ptr<KernelModule>> KernelModule::Build(std::span<const FusedKernel* const> kernels,
                                                                  const MachineDescription& machine,
                                                                  bool quick) {
  InitializeLlvm();
  std::unique_ptr<KernelModule> result(new KernelModule);
  const std::string triple = llvm::sys::getProcessTriple();
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (target == nullptr)
    return MakeError("E9001", absl::StrCat("LLVM has no target for this machine: ", error));

  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  // The default Large model spells every constant's address out; JITLink places a module in one
  // piece anyway.
  result->machine_.reset(target->createTargetMachine(
      triple, machine.cpu, machine.features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small,
      quick ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default, /*JIT=*/true));
  if (result->machine_ == nullptr) return MakeError("E9001", "LLVM cannot make code for this machine");

  result->module_ = std::make_unique<llvm::Module>("tenfold", result->context_);
  llvm::Module& module = *result->module_;
  module.setTargetTriple(triple);
  module.setDataLayout(result->machine_->createDataLayout());
  for (size_t i = 0; i < kernels.size(); ++i) {
    result->scratch_.push_back(EmitKernel(module, *kernels[i], machine.target, Symbol(i)));
  }
  DescribeFunctions(module, machine);

  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyModule(module, &stream)) {
    return MakeError("E9001", absl::StrCat("the emitted code does not verify: ", complaint));
  }
  if (!quick) result->Optimize();
  return result;
}

// The code is born vectorised and in order; what is left to do is local. More passes were measured
// to cost three times as much, for nothing.
void KernelModule::Optimize() {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(machine_.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);

  llvm::FunctionPassManager passes;
  passes.addPass(llvm::PromotePass());
  passes.addPass(llvm::InstCombinePass());
  passes.addPass(llvm::EarlyCSEPass());
  for (llvm::Function& function : *module_) {
    if (!function.isDeclaration()) passes.run(function, functions);
  }
}

std::string KernelModule::Symbol(size_t kernel) { return absl::StrCat("tenfold_kernel_", kernel); }

std::string KernelModule::IrText() const {
  std::string text;
  llvm::raw_string_ostream stream(text);
  module_->print(stream, nullptr);
  return text;
}

absl::StatusOr<KernelModule::Bytes> KernelModule::Generate(llvm::CodeGenFileType type) {
  Bytes buffer;
  llvm::raw_svector_ostream stream(buffer);
  llvm::legacy::PassManager passes;
  if (machine_->addPassesToEmitFile(passes, stream, nullptr, type)) {
    return MakeError("E9001", "LLVM cannot write code for this machine");
  }
  passes.run(*module_);
  return buffer;
}

}  // namespace tenfold
