// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/compile.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/cuda_device.h"
#include "tenfold/kernels/cuda/cuda_executor.h"
#include "tenfold/kernels/cuda/driver.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"
#include "tenfold/kernels/onednn/onednn_convolution.h"
#include "tenfold/kernels/onednn/onednn_matmul.h"

namespace tenfold {
namespace {

absl::StatusOr<std::shared_ptr<DeviceExecutor>> OpenGpu(int ordinal) {
  TENFOLD_ASSIGN_OR_RETURN(const CudaDriver driver, LoadCudaDriver());
  TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<CudaDevice> device, CudaDevice::Open(driver, ordinal));
  return CreateCudaExecutor(std::move(device));
}

// What runs kernels; null for the CPU.
absl::StatusOr<std::shared_ptr<DeviceExecutor>> OpenDevice(const std::string& name) {
  if (name == "cpu") return nullptr;
  // That there is no GPU, or none that can be used, is an ordinary answer to "auto".
  if (name == "auto") return OpenGpu(0).value_or(nullptr);
  absl::string_view number = name;
  int ordinal;
  if (absl::ConsumePrefix(&number, "cuda:") && absl::SimpleAtoi(number, &ordinal)) return OpenGpu(ordinal);
  return MakeError("E0701", absl::StrCat("there is no device '", name, "'"),
                   "the devices are auto, cpu, cuda:0, cuda:1, ...");
}

// What does not run where it was asked for.
void ExplainPlaces(const Plan& plan, const std::string& device, std::vector<Remark>& remarks) {
  for (const PlanStep& step : plan.steps) {
    if (HasDeviceForm(plan, step)) continue;
    remarks.push_back({.pass = "place-on-device",
                       .node = absl::StrCat(step.nodes[0].op, " '", step.nodes[0].name, "'"),
                       .did = false,
                       .reason = absl::StrCat("computed on the CPU, its operands copied: there is no kernel "
                                              "for it on '",
                                              device, "'")});
  }
}

}  // namespace

KernelCompileOptions KernelOptions(const CompileOptions& options) {
  return {.isa = options.isa, .quick = options.opt_level == 0};
}

absl::StatusOr<Executable> Compile(const Graph& graph, const CompileOptions& options, CompileReport* report) {
  ExecutableOptions how;
  TENFOLD_ASSIGN_OR_RETURN(how.device, OpenDevice(options.device));
  CompileReport local;
  CompileReport& out = report == nullptr ? local : *report;
  TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, options, Stage::kPlanned, out));
  how.threads = options.threads;
  how.pool = options.pool;
  how.jit = options.jit;
  how.compile = KernelOptions(options);
  how.limits = options.limits;
  how.memory_limit = options.memory_limit;
  how.deadline = options.deadline;
  how.cancelled = options.cancelled;
  if (!options.reference_contractions) {
    how.matmuls = CreateOneDnnMatMulProvider();
    how.convolutions = CreateOneDnnConvolutionProvider();
  }
  if (options.jit != JitMode::kOff) how.compiler = CreateLlvmKernelCompiler();
  if (how.device != nullptr) {
    // What the device does not take, bodies of control ops among it, is compiled for the CPU.
    absl::StatusOr<Executable> executable = Executable::Create(*out.plan, how);
    if (executable.ok()) ExplainPlaces(*out.plan, options.device, out.remarks);
    const bool stopped =
        absl::IsDeadlineExceeded(executable.status()) || absl::IsCancelled(executable.status());
    if (executable.ok() || stopped || options.device != "auto") return executable;
    // A graph that this GPU cannot take, or a GPU that is full: there is the CPU, with the same bits.
    out.remarks.push_back({.pass = "place-on-device",
                           .node = absl::StrCat("graph '", out.plan->name, "'"),
                           .did = false,
                           .reason = DiagnosticsOf(executable.status()).front().message});
    how.device = nullptr;
  }
  return Executable::Create(report == nullptr ? *std::move(out.plan) : *out.plan, std::move(how));
}

}  // namespace tenfold
