// SPDX-License-Identifier: Apache-2.0
//
// tenfold-dump: shows a graph at any stage of compilation, its kernels' code, and the ops.
#include <cstdio>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/array_description.h"
#include "tenfold/tools/compile_flags.h"
#include "tenfold/tools/dump.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/kernel_listing.h"
#include "tenfold/tools/limit_flags.h"
#include "tenfold/tools/load_model.h"
#include "tenfold/tools/op_listing.h"
#include "tenfold/tools/process.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

struct Arguments {
  std::optional<Stage> stage;
  std::optional<KernelListing> kernels;
  bool ops = false;
  DescriptionOptions arrays;
  DumpOptions dump;
  CompileOptions compile;
};

ToolHelp Help() {
  return {
      .tool = "tenfold-dump",
      .synopsis = "MODEL [FLAGS]  |  tenfold-dump ARRAY [FLAGS]  |  tenfold-dump --ops [OP...]",
      .purpose =
          "Shows a graph (.tnf, .tnt or .onnx) as it stands at a stage of compilation. A text graph with "
          "errors is\n"
          "shown with the errors in place, and the exit status is 1.\n"
          "Of arrays (x.npy, arrays.npz, arrays.safetensors, arrays.npz:x) it shows statistics: how many "
          "values\n"
          "are NaN, infinite and 0; the least and the greatest but for NaN; mean and standard deviation (of "
          "the\n"
          "population) of the finite ones; and the same of each column, which is a position of the last "
          "axis.",
      .examples =
          "tenfold-dump digits.tnf\n"
          "tenfold-dump digits.tnf --stage optimized --explain\n"
          "tenfold-dump digits.tnf --stage fused --format dot | dot -Tsvg > digits.svg\n"
          "tenfold-dump digits.tnf --kernels ptx\n"
          "tenfold-dump train.npy --columns 64\n"
          "tenfold-dump --ops Softmax"};
}

void Declare(Flags& flags, Arguments& a) {
  std::vector<std::pair<std::string, std::optional<Stage>>> stages;
  for (int i = 0; i < kNumStages; ++i)
    stages.emplace_back(Name(static_cast<Stage>(i)), static_cast<Stage>(i));
  flags.Choice(
      "stage", stages, &a.stage,
      "Default source, the graph as it was written; with --explain: planned, what the runtime executes.");
  flags.Choice<DumpFormat>(
      "format", {{"text", DumpFormat::kText}, {"json", DumpFormat::kJson}, {"dot", DumpFormat::kDot}},
      &a.dump.format, "Default text, which is .tnt.");
  flags.Switch("explain", &a.dump.explain, "What each pass up to the stage did or did not do, and why.");
  flags.Switch("full", &a.dump.full, "Every element of every constant; text then reads back as a graph.");
  flags.Switch("locations", &a.dump.locations, "Where each node was built.");
  flags.Choice<std::optional<KernelListing>>(
      "kernels",
      {{"ir", KernelListing::kIr}, {"asm", KernelListing::kAssembly}, {"ptx", KernelListing::kPtx}},
      &a.kernels,
      "The fused kernels' code instead of the graph: LLVM IR or assembly for this CPU, or PTX, which\n"
      "needs no GPU.");
  flags.Integer<int64_t>(
      "columns", 0, INT64_MAX, &a.arrays.columns,
      absl::StrCat("Of an array: how many columns are listed. Default ", a.arrays.columns, "."));
  flags.Switch("ops", &a.ops, "The ops instead of a graph: those named, or all.");
  AddCompileFlags(flags, a.compile);
  AddDiagnosticsFlag(flags);
  AddLimitFlags(flags, a.compile.limits);
}

ExitStatus Print(const absl::StatusOr<std::string>& text) {
  if (!text.ok()) return Report(text.status(), Phase::kRunning);
  std::fwrite(text->data(), 1, text->size(), stdout);
  return ExitStatus::kDone;
}

absl::StatusOr<std::string> KernelsOf(const Graph& graph, const Arguments& a) {
  CompileReport report;
  TENFOLD_RETURN_IF_ERROR(RunPipeline(graph, a.compile, Stage::kPlanned, report));
  return ListKernels(*report.plan, *a.kernels, KernelOptions(a.compile));
}

ExitStatus DumpModel(absl::string_view path, const Arguments& a) {
  const absl::StatusOr<Graph> graph = LoadModel(path, {.limits = a.compile.limits});
  if (!graph.ok()) {
    if (const std::optional<AnnotatedText> annotated = AnnotateFile(path, a.compile.limits)) {
      std::fwrite(annotated->text.data(), 1, annotated->text.size(), stdout);
    }
    return Report(graph.status(), Phase::kReading);
  }
  if (a.kernels.has_value()) return Print(KernelsOf(*graph, a));
  DumpOptions options = a.dump;
  options.stage = a.stage.value_or(options.explain ? Stage::kPlanned : Stage::kSource);
  return Print(Dump(*graph, a.compile, options));
}

ExitStatus DumpArrays(absl::string_view argument, const Arguments& a) {
  DescriptionOptions options = a.arrays;
  options.json = a.dump.format == DumpFormat::kJson;
  options.limits = a.compile.limits;
  std::string text;
  const absl::Status status = DescribeArrays(argument, options, &text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return status.ok() ? ExitStatus::kDone : Report(status, Phase::kReading);
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  tenfold::PrepareProcess();
  tenfold::Arguments arguments;
  tenfold::Flags flags(tenfold::Help());
  tenfold::Declare(flags, arguments);
  flags.ParseOrExit(argc, argv);
  const std::vector<std::string>& positional = flags.positional();
  if (arguments.ops)
    tenfold::Exit(tenfold::Print(tenfold::ListOps(*tenfold::OpRegistry::Standard(), positional)));
  if (positional.size() != 1) {
    flags.UsageError(positional.empty() ? "no graph is named: tenfold-dump MODEL"
                                        : "more than one graph is named");
  }
  const absl::string_view shown = tenfold::StripAt(positional[0]);
  if (!tenfold::NamesArrays(shown)) tenfold::Exit(tenfold::DumpModel(shown, arguments));
  if (arguments.stage || arguments.kernels || arguments.dump.explain ||
      arguments.dump.format == tenfold::DumpFormat::kDot) {
    flags.UsageError("--stage, --kernels, --explain and --format=dot are for graphs");
  }
  tenfold::Exit(tenfold::DumpArrays(shown, arguments));
}
