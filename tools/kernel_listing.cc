// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/kernel_listing.h"

#include <memory>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"
#include "tenfold/kernels/llvm/llvm_kernel_compiler.h"

namespace tenfold {
namespace {

// How each of the languages begins a comment.
absl::string_view CommentMark(KernelListing listing) {
  switch (listing) {
    case KernelListing::kIr:
      return ";";
    case KernelListing::kAssembly:
      return "#";
    case KernelListing::kPtx:
      break;
  }
  return "//";
}

absl::StatusOr<std::string> ListOne(const FusedKernel& kernel, KernelListing listing,
                                    const KernelCompileOptions& options, KernelCompiler& compiler) {
  if (listing != KernelListing::kPtx) return compiler.List(kernel, listing, options);
  const FusedKernel* const kernels[] = {&kernel};
  TENFOLD_ASSIGN_OR_RETURN(PtxModule module, CompileToPtx(kernels));
  return std::move(module.ptx);
}

}  // namespace

absl::StatusOr<std::string> ListKernels(const Plan& plan, KernelListing listing,
                                        const KernelCompileOptions& options) {
  const std::unique_ptr<KernelCompiler> compiler = CreateLlvmKernelCompiler();
  std::string text;
  std::vector<const Plan*> plans = BodiesOf(plan);
  plans.push_back(&plan);
  std::vector<const PlanStep*> steps;
  for (const Plan* each : plans) {
    for (const PlanStep& step : each->steps) steps.push_back(&step);
  }
  for (const PlanStep* each : steps) {
    const PlanStep& step = *each;
    const auto* fused = std::get_if<FusedStep>(&step.work);
    if (fused == nullptr) continue;
    const std::string nodes = absl::StrJoin(step.nodes, ", ", [](std::string* out, const PlanNode& node) {
      absl::StrAppend(out, node.op, " '", node.name, "'");
    });
    absl::StrAppend(&text, text.empty() ? "" : "\n", CommentMark(listing), " kernel ", fused->kernel.name,
                    ": ", nodes, "\n");
    TENFOLD_ASSIGN_OR_RETURN(const std::string code, ListOne(fused->kernel, listing, options, *compiler));
    absl::StrAppend(&text, code);
  }
  if (text.empty()) return absl::StrCat(CommentMark(listing), " no fused kernels\n");
  return text;
}

}  // namespace tenfold
