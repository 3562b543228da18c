// SPDX-License-Identifier: Apache-2.0
//
// Fused kernels -> one LLVM module -> object code or assembly.
#ifndef TENFOLD_KERNELS_LLVM_KERNEL_MODULE_H_
#define TENFOLD_KERNELS_LLVM_KERNEL_MODULE_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"
#include "tenfold/graph/fused/fused_kernel.h"
#include "tenfold/kernels/llvm/codegen_target.h"
#include "tenfold/kernels/llvm/kernel_emitter.h"

namespace tenfold {

// A CPU as LLVM names it.
struct MachineDescription {
  CodegenTarget target;
  std::string cpu;
  std::string features;
  std::string tune_cpu;
};

// This machine, or `level` of it. Tuned for this machine either way.
MachineDescription DescribeMachine(std::optional<IsaLevel> level);

class KernelModule {
 public:
  using Bytes = llvm::SmallVector<char, 0>;

  // Emits and optimises. `quick` saves time on both this and the code generation.
  static absl::StatusOr<std::unique_ptr<KernelModule>> Build(std::span<const FusedKernel* const> kernels,
                                                             const MachineDescription& machine, bool quick);

  static std::string Symbol(size_t kernel);
  const ScratchSize& scratch(size_t kernel) const { return scratch_[kernel]; }

  std::string IrText() const;
  absl::StatusOr<Bytes> Object() { return Generate(llvm::CodeGenFileType::ObjectFile); }
  absl::StatusOr<Bytes> Assembly() { return Generate(llvm::CodeGenFileType::AssemblyFile); }

 private:
  KernelModule() = default;
  absl::StatusOr<Bytes> Generate(llvm::CodeGenFileType type);
  void Optimize();

  std::unique_ptr<llvm::TargetMachine> machine_;
  llvm::LLVMContext context_;
  std::unique_ptr<llvm::Module> module_;
  std::vector<ScratchSize> scratch_;
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_KERNEL_MODULE_H_
