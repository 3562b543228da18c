// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/llvm/kernel_module.h"

extern "C" float roundevenf(float);
extern "C" double roundeven(double);

namespace tenfold {
namespace {

absl::Status FromLlvm(llvm::Error error) {
  return MakeError("E9001", absl::StrCat("LLVM: ", llvm::toString(std::move(error))));
}

// What code below SSE4.1 or FMA calls instead of an instruction, and nothing else: a kernel cannot
// reach other symbols of the process. All are correctly rounded.
llvm::orc::SymbolMap RuntimeSymbols(llvm::orc::LLJIT& jit) {
  llvm::orc::SymbolMap symbols;
  const auto add = [&](const char* name, auto* function) {
    symbols[jit.mangleAndIntern(name)] = {llvm::orc::ExecutorAddr::fromPtr(function),
                                          llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
  };
  add("fmaf", static_cast<float (*)(float, float, float)>(&::fmaf));
  add("fma", static_cast<double (*)(double, double, double)>(&::fma));
  add("floorf", static_cast<float (*)(float)>(&::floorf));
  add("floor", static_cast<double (*)(double)>(&::floor));
  add("ceilf", static_cast<float (*)(float)>(&::ceilf));
  add("ceil", static_cast<double (*)(double)>(&::ceil));
  add("truncf", static_cast<float (*)(float)>(&::truncf));
  add("trunc", static_cast<double (*)(double)>(&::trunc));
  add("roundevenf", &::roundevenf);
  add("roundeven", &::roundeven);
  add("memset", static_cast<void* (*)(void*, int, size_t)>(&std::memset));
  add("memcpy", static_cast<void* (*)(void*, const void*, size_t)>(&std::memcpy));
  return symbols;
}

class LlvmKernelCompiler : public KernelCompiler {
 public:
  absl::StatusOr<std::vector<CompiledKernel>> Compile(std::span<const FusedKernel* const> kernels,
                                                      const KernelCompileOptions& options) override {
    if (kernels.empty()) return std::vector<CompiledKernel>();
    for (const FusedKernel* kernel : kernels) TENFOLD_RETURN_IF_ERROR(kernel->Verify());
    std::optional<IsaLevel> level = options.isa;
    if (level.has_value()) level = std::min(*level, HostIsaLevel());
    TENFOLD_ASSIGN_OR_RETURN(std::unique_ptr<KernelModule> module,
                             KernelModule::Build(kernels, DescribeMachine(level), options.quick));
    TENFOLD_ASSIGN_OR_RETURN(KernelModule::Bytes object, module->Object());
    return Link(*module, std::move(object), kernels.size());
  }

  absl::StatusOr<std::string> List(const FusedKernel& kernel, KernelListing listing,
                                   const KernelCompileOptions& options) override {
    if (listing == KernelListing::kPtx) {
      return MakeError("E9001", "PTX is written by the CUDA kernel compiler, not by the one for the CPU");
    }
    TENFOLD_RETURN_IF_ERROR(kernel.Verify());
    const FusedKernel* kernels[] = {&kernel};
    TENFOLD_ASSIGN_OR_RETURN(std::unique_ptr<KernelModule> module,
                             KernelModule::Build(kernels, DescribeMachine(options.isa), options.quick));
    if (listing == KernelListing::kIr) return module->IrText();
    TENFOLD_ASSIGN_OR_RETURN(KernelModule::Bytes text, module->Assembly());
    return std::string(text.begin(), text.end());
  }

 private:
  // One LLJIT a module, owned by its kernels. JITLink maps the code writable, then executable,
  // never both.
  static absl::StatusOr<std::vector<CompiledKernel>> Link(const KernelModule& module,
                                                          KernelModule::Bytes object, size_t count) {
    auto created = llvm::orc::LLJITBuilder().create();
    if (!created) return FromLlvm(created.takeError());
    std::shared_ptr<llvm::orc::LLJIT> jit = std::move(*created);
    auto symbols = llvm::orc::absoluteSymbols(RuntimeSymbols(*jit));
    if (llvm::Error error = jit->getMainJITDylib().define(std::move(symbols)))
      return FromLlvm(std::move(error));
    const llvm::StringRef bytes(object.data(), object.size());
    if (llvm::Error error = jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(bytes, "kernels"))) {
      return FromLlvm(std::move(error));
    }
    std::vector<CompiledKernel> compiled(count);
    for (size_t i = 0; i < count; ++i) {
      auto address = jit->lookup(KernelModule::Symbol(i));
      if (!address) return FromLlvm(address.takeError());
      compiled[i].function = address->toPtr<KernelFunction>();
      compiled[i].code = jit;
      compiled[i].scratch_bytes = module.scratch(i).fixed;
      compiled[i].scratch_bytes_per_row_element = module.scratch(i).per_row_element;
    }
    return compiled;
  }
};

}  // namespace

std::unique_ptr<KernelCompiler> CreateLlvmKernelCompiler() { return std::make_unique<LlvmKernelCompiler>(); }

}  // namespace tenfold
