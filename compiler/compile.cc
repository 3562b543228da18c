// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/compile.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"
#include "tenfold/kernels/onednn/onednn_matmul.h"

namespace tenfold {
namespace {

absl::Status CheckDevice(const std::string& device) {
  if (device == "cpu" || device == "auto") return absl::OkStatus();
  if (absl::StartsWith(device, "cuda:")) {
    return MakeError(
        "E0701",
        absl::StrCat("graphs do not run on '", device, "' yet: its kernels can be listed and tested"),
        "--device=cpu runs the graph with the same bits");
  }
  return MakeError("E0701", absl::StrCat("there is no device '", device, "'"),
                   "the devices are auto and cpu");
}

}  // namespace

absl::StatusOr<Executable> Compile(const Graph& graph, const CompileOptions& options, CompileReport* report) {
  TENFOLD_RETURN_IF_ERROR(CheckDevice(options.device));
  CompileReport local;
  CompileReport& out = report == nullptr ? local : *report;
  TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, options, Stage::kPlanned, out));
  ExecutableOptions how;
  how.threads = options.threads;
  how.pool = options.pool;
  how.jit = options.jit;
  how.compile.isa = options.isa;
  if (options.jit != JitMode::kOff) how.compiler = CreateLlvmKernelCompiler();
  if (!options.reference_contractions) how.matmuls = CreateOneDnnMatMulProvider();
  return Executable::Create(report == nullptr ? *std::move(out.plan) : *out.plan, std::move(how));
}

}  // namespace tenfold
