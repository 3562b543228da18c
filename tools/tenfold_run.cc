// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run: runs a graph on arrays.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/ingest/printable.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/compare.h"
#include "tenfold/tools/compare_graphs.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/fix.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/load_model.h"
#include "tenfold/tools/node_run.h"
#include "tenfold/tools/policy_flags.h"
#include "tenfold/tools/process.h"
#include "tenfold/tools/profile.h"
#include "tenfold/tools/report.h"
#include "tenfold/tools/run_arguments.h"
#include "tenfold/tools/run_inputs.h"
#include "tenfold/tools/timing.h"
#include "tenfold/tools/validate.h"

namespace tenfold {
namespace {

ToolHelp Help() {
  return {
      .tool = "tenfold-run",
      .synopsis = "MODEL [FLAGS]",
      .purpose =
          "Runs a graph (.tnf, .tnt or .onnx). Without --output, prints every output's name, type and first\n"
          "values.",
      .examples =
          "tenfold-run digits.tnf --input x=images.npy --output p=p.npy\n"
          "tenfold-run digits.tnf --input x=images.npy --expect p=reference.npy --rtol 1e-5 --atol 1e-6\n"
          "tenfold-run digits.tnf --input x=images_f64.npy --fix  # prints --cast=x=nearest\n"
          "tenfold-run digits.tnf --input x=images.npy --contract=warn\n"
          "tenfold-run scale.tnt --input 'x=f32[2,3] 1 2 3 4 5 6' --fetch m\n"
          "tenfold-run digits.tnf --input x=random:f32[512,64] --warmup 10 --repeat 1000 --jit wait\n"
          "tenfold-run digits.tnf --input x=random:f32[512,64] --jit wait --profile-table\n"
          "tenfold-run model.onnx --input images=random\n"
          "tenfold-run model.onnx --input images=images.npy --validate\n"
          "tenfold-run model.onnx --input images=images.npy --compare-with smaller.onnx --rtol 0.01"};
}

// E0107, or E0602 for an argument without a name: `flag` names none of the outputs.
absl::Status NoSuchOutput(const Graph& graph, std::span<const std::string> names, absl::string_view flag,
                          const NamedArgument& argument) {
  if (argument.name.empty()) return LacksName(flag, argument, "output", names);
  const std::string nearest = NearestName(argument.name, names);
  Mend help = DidYouMean(nearest);
  if (help.empty() && !names.empty()) help = absl::StrCat("its outputs are ", absl::StrJoin(names, ", "));
  if (graph.FindValue(argument.name).has_value())
    help = MendByFlag("it is a value inside the graph: add ", "--fetch", argument.name);
  return MakeError("E0107", absl::StrCat("the graph has no output '", Printable(argument.name), "'"), help);
}

// Every argument that names no output.
std::vector<Diagnostic> UnknownOutputs(const RunArguments& a, const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphOutput& output : graph.outputs()) names.push_back(output.name);
  for (const std::string& fetch : a.compile.fetches) names.push_back(fetch);
  std::vector<Diagnostic> errors;
  const auto check = [&](absl::string_view flag, const std::vector<NamedArgument>& arguments) {
    for (const NamedArgument& argument : arguments) {
      if (std::find(names.begin(), names.end(), argument.name) != names.end()) continue;
      for (Diagnostic& error : DiagnosticsOf(NoSuchOutput(graph, names, flag, argument)))
        errors.push_back(std::move(error));
    }
  };
  check("--output", a.outputs);
  check("--expect", a.expectations);
  return errors;
}

// What is read before anything runs.
struct Inputs {
  Graph graph;
  NamedTensors feeds;
  std::vector<FeedOrigin> origins;  // of the feeds
  std::vector<Tensor> wanted;       // one an expectation
  std::optional<Graph> other;       // of --compare-with
};

LoadOptions LoadOptionsOf(const RunArguments& a, std::vector<std::string>* constants = nullptr) {
  return {.limits = a.compile.limits, .policy = a.policies.ForConstants(constants)};
}

absl::StatusOr<Inputs> Read(const RunArguments& a) {
  Inputs inputs;
  std::vector<std::string> names;  // that policies may name
  for (const NamedArgument& input : a.inputs) names.push_back(input.name);
  TENFOLD_ASSIGN_OR_RETURN(inputs.graph, LoadModel(StripAt(a.model), LoadOptionsOf(a, &names)));
  TENFOLD_RETURN_IF_ERROR(a.policies.CheckNames(names));
  if (!a.compare_with.empty()) {
    TENFOLD_ASSIGN_OR_RETURN(inputs.other, LoadModel(StripAt(a.compare_with), LoadOptionsOf(a)));
  }
  a.policies.ReportWhatTheyDid(inputs.graph);
  std::vector<Diagnostic> errors = UnknownOutputs(a, inputs.graph);
  absl::StatusOr<RunInputs> read = ReadInputs(a.inputs, inputs.graph, a.policies, a.seed, a.compile.limits);
  for (Diagnostic& error : DiagnosticsOf(read.status())) errors.push_back(std::move(error));
  TENFOLD_RETURN_IF_ERROR(ToStatus(std::move(errors)));
  for (const std::string& remark : read->remarks) ReportRemark(remark);
  inputs.feeds = std::move(read->feeds);
  inputs.origins = std::move(read->origins);
  for (const NamedArgument& expectation : a.expectations) {
    absl::StatusOr<Tensor> wanted = ReadArray(expectation.value, a.compile.limits);
    if (!wanted.ok()) return WithLiteral(wanted.status(), expectation, nullptr);
    inputs.wanted.push_back(*std::move(wanted));
  }
  return inputs;
}

// The results that `arguments` name, by index; Read has checked the names.
std::vector<size_t> FindOutputs(const NamedTensors& results, const std::vector<NamedArgument>& arguments) {
  std::vector<size_t> indices;
  for (const NamedArgument& argument : arguments) {
    for (size_t i = 0; i < results.size(); ++i) {
      if (results[i].first == argument.name) indices.push_back(i);
    }
  }
  return indices;
}

// An invocation with buffers of its own, fed and warmed up.
absl::StatusOr<Invocation> WarmInvocation(const Executable& executable, const NamedTensors& feeds,
                                          const RunArguments& a, const RunOptions& options) {
  Invocation call = executable.Prepare();
  for (size_t i = 0; i < executable.plan().inputs.size(); ++i) {
    for (const auto& [name, tensor] : feeds) {
      if (name != executable.plan().inputs[i].name) continue;
      TENFOLD_RETURN_IF_ERROR(call.SetInput(static_cast<int>(i), tensor));
    }
  }
  for (int64_t i = 0; i < a.warmup; ++i) TENFOLD_RETURN_IF_ERROR(call.Run(options));
  return call;
}

absl::Status Measure(Invocation& call, const RunArguments& a, const RunOptions& options) {
  std::vector<int64_t> nanoseconds;
  nanoseconds.reserve(a.repeat);
  for (int64_t i = 0; i < a.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    TENFOLD_RETURN_IF_ERROR(call.Run(options));
    nanoseconds.push_back((std::chrono::steady_clock::now() - start) / std::chrono::nanoseconds(1));
  }
  absl::PrintF("time of %d runs: %s\n", a.repeat, Summarize(std::move(nanoseconds)).ToString());
  return absl::OkStatus();
}

absl::Status Profile(Invocation& call, const Plan& plan, const RunArguments& a, RunOptions options) {
  std::vector<RunProfile> runs(std::clamp<int64_t>(a.repeat, 1, 100));
  for (RunProfile& run : runs) {
    options.profile = &run;
    TENFOLD_RETURN_IF_ERROR(call.Run(options));
  }
  if (a.profile_table) absl::PrintF("%s", ProfileTable(plan, runs));
  if (a.profile.empty()) return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(a.profile));
  TENFOLD_RETURN_IF_ERROR(file->Write(ProfileTrace(plan, runs)));
  return file->Commit();
}

// What was found, on stderr; and a summary, once all was looked at. Whether nothing was found.
absl::StatusOr<bool> Conclude(const absl::Status& ran, std::vector<Diagnostic> findings,
                              const std::string& summary) {
  const bool passed = findings.empty();
  Report(ToStatus(std::move(findings)), Phase::kRunning);
  if (!ran.ok()) return ran;
  std::printf("%s\n", summary.c_str());
  return passed;
}

absl::StatusOr<bool> ValidateValues(const Inputs& inputs, const NodeRunOptions& options,
                                    NamedTensors& results) {
  Validation validation;
  const absl::Status ran = Validate(inputs.graph, inputs.feeds, options, validation);
  results = std::move(validation.outputs);
  return Conclude(ran, std::move(validation.findings), validation.ToString());
}

absl::StatusOr<bool> CompareValues(const RunArguments& a, const Inputs& inputs, const NodeRunOptions& options,
                                   NamedTensors& results) {
  const auto quoted = [](absl::string_view path) { return absl::StrCat("'", Printable(path), "'"); };
  const GraphNames names = {quoted(StripAt(a.model)), quoted(StripAt(a.compare_with))};
  GraphComparison comparison;
  const absl::Status ran = CompareGraphs(inputs.graph, *inputs.other, inputs.feeds,
                                         {a.rtol, a.atol, a.max_ulp}, names, options, comparison);
  results = std::move(comparison.outputs);
  std::vector<Diagnostic> findings;
  if (comparison.finding) findings.push_back(*std::move(comparison.finding));
  return Conclude(ran, std::move(findings), comparison.ToString(names));
}

// Writes, prints and compares the results. Whether all comparisons passed.
absl::StatusOr<bool> Deliver(const RunArguments& a, const Inputs& inputs, const NamedTensors& results) {
  const std::vector<size_t> written = FindOutputs(results, a.outputs);
  const std::vector<size_t> compared = FindOutputs(results, a.expectations);
  for (size_t i = 0; i < written.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(SaveNpy(results[written[i]].second, StripAt(a.outputs[i].value)));
  }
  if (written.empty()) {
    for (const auto& [name, tensor] : results) {
      std::printf("%s = %s\n", QuoteName(name).c_str(), tensor.ToString().c_str());
    }
  }
  const Tolerance tolerance = {a.rtol.value_or(0), a.atol.value_or(0), a.max_ulp, a.equal_nan};
  bool passed = true;
  for (size_t i = 0; i < compared.size(); ++i) {
    const Comparison comparison = Compare(results[compared[i]].second, inputs.wanted[i], tolerance);
    std::fprintf(comparison.passed() ? stdout : stderr, "%s\n",
                 comparison.ToString(a.expectations[i].name, tolerance).c_str());
    passed = passed && comparison.passed();
  }
  return passed;
}

// Whether all comparisons passed, and nothing was found. `executable` is the caller's, who need not destroy
// it: that would wait for background compilation.
absl::StatusOr<bool> Run(const RunArguments& a, const Inputs& inputs, std::optional<Executable>& executable) {
  CompileOptions compile = a.compile;
  if (a.deadline > 0)
    compile.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(a.deadline);
  compile.cancelled = CancelledByInterrupt();
  RunOptions run = {.deadline = compile.deadline,
                    .cancelled = compile.cancelled,
                    .contract = a.contract,
                    .origins = inputs.origins};
  std::vector<Diagnostic> warnings;
  run.warnings = &warnings;
  NamedTensors results;
  bool passed = true;
  if (a.ComputesByNode()) {
    compile.device = "cpu";
    TENFOLD_ASSIGN_OR_RETURN(passed, a.validate ? ValidateValues(inputs, {compile, run}, results)
                                                : CompareValues(a, inputs, {compile, run}, results));
  } else {
    TENFOLD_ASSIGN_OR_RETURN(executable, Compile(inputs.graph, compile));
    TENFOLD_ASSIGN_OR_RETURN(results, executable->Run(inputs.feeds, run));
  }
  for (const Diagnostic& warning : warnings) Report(warning);
  run.warnings = nullptr;  // told once
  TENFOLD_ASSIGN_OR_RETURN(const bool as_expected, Deliver(a, inputs, results));
  passed = passed && as_expected;
  const bool profiles = a.profile_table || !a.profile.empty();
  if (a.repeat == 0 && !profiles) return passed;
  TENFOLD_ASSIGN_OR_RETURN(Invocation call, WarmInvocation(*executable, inputs.feeds, a, run));
  if (a.repeat > 0) TENFOLD_RETURN_IF_ERROR(Measure(call, a, run));
  if (profiles) TENFOLD_RETURN_IF_ERROR(Profile(call, executable->plan(), a, run));
  return passed;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  using tenfold::ExitStatus, tenfold::Phase;
  tenfold::PrepareProcess();
  tenfold::RunArguments arguments;
  arguments.compile.device = "auto";
  arguments.compile.jit = tenfold::JitMode::kBackground;
  tenfold::Flags flags(tenfold::Help());
  tenfold::DeclareRunFlags(flags, arguments);
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no graph is named: tenfold-run MODEL"
                                                : "more than one graph is named");
  }
  arguments.model = flags.positional()[0];
  if (const std::string error = tenfold::FindContradiction(arguments); !error.empty())
    flags.UsageError(error);

  const auto refuse = [&](const absl::Status& error, Phase phase) {
    const ExitStatus status = tenfold::Report(error, phase);
    if (arguments.fix)
      tenfold::OfferFix(error, tenfold::StripAt(arguments.model), tenfold::LoadOptionsOf(arguments));
    tenfold::Exit(status);
  };
  const absl::StatusOr<tenfold::Inputs> inputs = tenfold::Read(arguments);
  if (!inputs.ok()) refuse(inputs.status(), Phase::kReading);
  std::optional<tenfold::Executable> executable;
  const absl::StatusOr<bool> passed = tenfold::Run(arguments, *inputs, executable);
  if (!passed.ok()) refuse(passed.status(), Phase::kRunning);
  tenfold::Exit(*passed ? ExitStatus::kDone : ExitStatus::kDiffers);
}
