// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/ptx_kernel.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/ptx_emitter.h"

namespace tenfold {
namespace {

constexpr char kTriple[] = "nvptx64-nvidia-cuda";
// A block's static shared memory.
constexpr size_t kMaxSharedBytes = 48 << 10;
// The most that one reduction takes of it, 8 bytes a value (ptx_rows.cc).
constexpr size_t kSharedBytesPerReduction = (32 + 52 + 1) * 8;

// Each GPU's architecture with the oldest PTX version that knows it: an older driver reads older PTX.
struct Architecture {
  int compute_capability;
  const char* cpu;
  const char* ptx_feature;
};
constexpr Architecture kArchitectures[] = {
    {80, "sm_80", "+ptx70"}, {86, "sm_86", "+ptx71"}, {87, "sm_87", "+ptx74"},
    {89, "sm_89", "+ptx78"}, {90, "sm_90", "+ptx78"},
};

const Architecture& ArchitectureFor(int compute_capability) {
  const Architecture* best = &kArchitectures[0];
  for (const Architecture& a : kArchitectures) {
    if (a.compute_capability <= compute_capability) best = &a;
  }
  return *best;
}

absl::StatusOr<std::unique_ptr<llvm::TargetMachine>> MakeTargetMachine(const PtxOptions& options) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  std::string error;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, error);
  if (target == nullptr) return MakeError("E9001", absl::StrCat("LLVM cannot write PTX: ", error));
  llvm::TargetOptions target_options;
  target_options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  const Architecture& arch = ArchitectureFor(options.compute_capability);
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(kTriple, arch.cpu, arch.ptx_feature, target_options, std::nullopt,
                                  std::nullopt, llvm::CodeGenOptLevel::Default));
  if (machine == nullptr) return MakeError("E9001", absl::StrCat("LLVM cannot write PTX for ", arch.cpu));
  return machine;
}

// Letters, digits and underscores; unique by the number in front.
std::string SymbolFor(const FusedKernel& kernel, size_t number) {
  std::string symbol = absl::StrCat("k", number, "_");
  for (const char c : kernel.name.substr(0, 64)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    symbol += plain ? c : '_';
  }
  return symbol;
}

absl::StatusOr<DeviceKernel> Describe(const FusedKernel& kernel, size_t number) {
  TENFOLD_RETURN_IF_ERROR(kernel.Verify());
  DeviceKernel device;
  device.symbol = SymbolFor(kernel, number);
  device.num_inputs = static_cast<int>(kernel.inputs.size());
  device.num_outputs = static_cast<int>(kernel.outputs.size());
  device.rank = kernel.rank();
  device.parallel_rank = kernel.parallel_rank;
  size_t reductions = 0;
  for (const FusedKernel::Stage& stage : kernel.stages) {
    device.can_fail |= stage.program.CanFail();
    reductions += stage.kind == FusedKernel::Stage::kReduce;
  }
  device.row_kernel = kernel.reduced_rank() > 0;
  const std::vector<Dim> dims = kernel.DimExpressions();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!dims[i].is_constant()) device.dim_params.push_back(static_cast<int>(i));
  }
  if (device.row_kernel) {
    for (const FusedKernel::Source& kept : ScheduleLoops(kernel).kept) {
      device.kept_bytes.push_back(SizeOf(kernel.SourceType(kept)));
    }
  }
  if (device.num_params() > kMaxDeviceParams || reductions * kSharedBytesPerReduction > kMaxSharedBytes) {
    return MakeError("E0704",
                     absl::StrCat("kernel '", kernel.name, "' has ", device.num_params(), " parameters and ",
                                  reductions, " reductions: more than a GPU kernel can have"),
                     "fuse fewer ops into one kernel");
  }
  return device;
}

// Loads and index arithmetic that several operands or stages share are emitted several times.
void RemoveRepetitions(llvm::Module& module, llvm::TargetMachine& machine) {
  llvm::PassBuilder builder(&machine);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass());
  for (llvm::Function& function : module) {
    if (!function.isDeclaration()) passes.run(function, functions);
  }
}

struct Emission {
  std::unique_ptr<llvm::LLVMContext> context = std::make_unique<llvm::LLVMContext>();
  std::unique_ptr<llvm::Module> module;  // before its context, in the order of destruction
  std::vector<DeviceKernel> kernels;
};

absl::StatusOr<Emission> Emit(std::span<const FusedKernel* const> kernels, llvm::TargetMachine& machine) {
  Emission emission;
  emission.module = std::make_unique<llvm::Module>("tenfold", *emission.context);
  emission.module->setTargetTriple(kTriple);
  emission.module->setDataLayout(machine.createDataLayout());
  for (size_t i = 0; i < kernels.size(); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(DeviceKernel device, Describe(*kernels[i], i));
    PtxEmitter emitter(*emission.module, *kernels[i], device);
    if (device.row_kernel) {
      EmitPtxRows(emitter);
    } else {
      EmitPtxMap(emitter);
    }
    emission.kernels.push_back(std::move(device));
  }
  std::string fault;
  llvm::raw_string_ostream stream(fault);
  if (llvm::verifyModule(*emission.module, &stream)) {
    return MakeError("E9001", absl::StrCat("generated GPU code is malformed: ", fault));
  }
  RemoveRepetitions(*emission.module, machine);
  return emission;
}

}  // namespace

absl::StatusOr<PtxModule> CompileToPtx(std::span<const FusedKernel* const> kernels,
                                       const PtxOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<llvm::TargetMachine> machine, MakeTargetMachine(options));
  TENFOLD_ASSIGN_OR_RETURN(Emission emission, Emit(kernels, *machine));
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile)) {
    return MakeError("E9001", "LLVM cannot write PTX as text");
  }
  passes.run(*emission.module);
  return PtxModule{text.str().str(), std::move(emission.kernels)};
}

absl::StatusOr<std::string> ListPtxIr(std::span<const FusedKernel* const> kernels,
                                      const PtxOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<llvm::TargetMachine> machine, MakeTargetMachine(options));
  TENFOLD_ASSIGN_OR_RETURN(Emission emission, Emit(kernels, *machine));
  std::string text;
  llvm::raw_string_ostream stream(text);
  emission.module->print(stream, nullptr);
  return text;
}

}  // namespace tenfold
