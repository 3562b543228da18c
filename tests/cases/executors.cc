// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/executors.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"

namespace tenfold::testing {
namespace {

absl::StatusOr<std::vector<Tensor>> Run(const Graph& graph, const NamedTensors& feeds,
                                        const CompileOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(graph, options));
  TENFOLD_ASSIGN_OR_RETURN(NamedTensors outputs, executable.Run(feeds));
  std::vector<Tensor> tensors;
  for (auto& [name, tensor] : outputs) tensors.push_back(std::move(tensor));
  return tensors;
}

Executor Jit(const char* name, std::optional<IsaLevel> isa) {
  return {name, [isa](const Graph& graph, const NamedTensors& feeds) {
            return Run(graph, feeds, {.threads = 1, .isa = isa, .reference_contractions = true});
          }};
}

}  // namespace

const std::vector<Executor>& ExactExecutors() {
  static const auto* const kExecutors = new std::vector<Executor>{
      {"interpreter",
       [](const Graph& graph, const NamedTensors& feeds) {
         return Run(graph, feeds,
                    {.opt_level = 0, .jit = JitMode::kOff, .threads = 1, .reference_contractions = true});
       }},
      Jit("cpu", std::nullopt),
      Jit("cpu baseline", IsaLevel::kBaseline),
      Jit("cpu avx2", IsaLevel::kAvx2),
  };
  return *kExecutors;
}

absl::StatusOr<std::vector<Tensor>> RunWithLibraries(const Graph& graph, const NamedTensors& feeds) {
  return Run(graph, feeds, {.threads = 1});
}

Folded Fold(const Graph& graph) {
  CompileReport report;
  const absl::Status status =
      RunPipeline(graph, {.opt_level = 1, .reference_contractions = true}, Stage::kFolded, report);
  if (!status.ok()) return {status, ""};
  std::string remarks;
  for (const Remark& remark : report.remarks) absl::StrAppend(&remarks, remark.ToString(), "\n");
  const Graph& folded = report.stages.back().second;
  std::vector<Tensor> values;
  for (const GraphOutput& output : folded.outputs()) {
    const Tensor* value = folded.ConstantValue(output.value);
    if (value == nullptr) return {absl::NotFoundError("not folded"), remarks};
    values.push_back(*value);
  }
  return {std::move(values), remarks};
}

absl::Status MakePtx(const Graph& graph, PtxBatch& batch) {
  CompileReport report;
  TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, {}, Stage::kPlanned, report));
  std::vector<const FusedKernel*> kernels;
  for (const PlanStep& step : report.plan->steps) {
    if (const auto* fused = std::get_if<FusedStep>(&step.work)) kernels.push_back(&fused->kernel);
  }
  if (kernels.empty()) return absl::OkStatus();
  TENFOLD_RETURN_IF_ERROR(CompileToPtx(kernels).status());
  for (const FusedKernel* kernel : kernels) batch.Add(*kernel);
  return absl::OkStatus();
}

}  // namespace tenfold::testing
