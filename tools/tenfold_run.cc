// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run: runs a graph on arrays.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
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
#include "tenfold/tools/compile_flags.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/fix.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/limit_flags.h"
#include "tenfold/tools/load_model.h"
#include "tenfold/tools/policy_flags.h"
#include "tenfold/tools/process.h"
#include "tenfold/tools/profile.h"
#include "tenfold/tools/report.h"
#include "tenfold/tools/run_inputs.h"
#include "tenfold/tools/timing.h"

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
          "tenfold-run model.onnx --input images=random"};
}

struct Arguments {
  std::string model;
  std::vector<NamedArgument> inputs, outputs, expectations;
  Tolerance tolerance;
  CompileOptions compile;
  PolicyFlags policies;
  ContractMode contract = ContractMode::kEnforce;
  int64_t deadline = 0;  // milliseconds; 0: none
  int64_t repeat = 0;
  int64_t warmup = 0;
  std::string profile;  // a file; empty: none
  bool profile_table = false;
  uint64_t seed = 0;
  bool fix = false;
};

// A list flag whose values are NAME=VALUE. `check` gives a complaint about the value, or nothing.
void NamedList(Flags& flags, std::string name, std::string value, std::vector<NamedArgument>* out,
               std::string doc, std::string (*check)(absl::string_view value)) {
  flags.Custom(std::move(name), std::move(value), std::move(doc),
               [out, check](absl::string_view text) -> std::string {
                 std::optional<NamedArgument> argument = SplitNamedArgument(text);
                 // Without a name: what could be meant is said once the graph's names are known.
                 if (!argument && !text.empty() && text.find('=') == absl::string_view::npos)
                   argument = NamedArgument{"", std::string(text)};
                 if (!argument.has_value()) return "is not written NAME=VALUE";
                 std::string complaint = check == nullptr ? "" : check(argument->value);
                 if (complaint.empty()) out->push_back(*std::move(argument));
                 return complaint;
               });
}

void Declare(Flags& flags, Arguments& a) {
  NamedList(
      flags, "input", "NAME=ARRAY", &a.inputs,
      "Feeds an input. ARRAY is a file (x.npy, arrays.npz:x, arrays.safetensors:x, with or without an '@'\n"
      "before it), a literal (f32[2,3] 1 2 3 4 5 6), random, or random:f32[4,64]. `random` alone takes\n"
      "its type from the graph, and the values of symbols from the other inputs.",
      nullptr);
  a.policies.Add(flags, "of the input NAME, or of a constant of a text graph,");
  flags.Choice<ContractMode>(
      "contract",
      {{"off", ContractMode::kOff}, {"warn", ContractMode::kWarn}, {"enforce", ContractMode::kEnforce}},
      &a.contract,
      "What happens with feeds that break a contract of the graph (tenfold-import --contract): nothing, a\n"
      "warning, or a refusal before anything runs (default).");
  NamedList(flags, "output", "NAME=FILE.npy", &a.outputs, "Writes an output to a file.",
            [](absl::string_view file) -> std::string {
              return absl::EndsWith(file, ".npy") ? "" : "does not end in .npy";
            });
  NamedList(flags, "expect", "NAME=ARRAY", &a.expectations,
            "Compares an output with a file or a literal: equal (-0 and +0 are), or within what --rtol,\n"
            "--atol and --max-ulp allow. Exit status 3 if it is not.",
            [](absl::string_view array) -> std::string {
              return FormOf(array) == ArrayForm::kRandom ? "is random: nothing to compare with" : "";
            });
  flags.Number("rtol", &a.tolerance.rtol, "Allows |got - want| <= atol + rtol * |want|. Default 0.");
  flags.Number("atol", &a.tolerance.atol, "See --rtol. Default 0.");
  flags.Integer<int64_t>("max-ulp", 0, INT64_MAX, &a.tolerance.max_ulp,
                         "Allows this many representable values between got and want. Default 0.");
  flags.Switch("equal-nan", &a.tolerance.equal_nan, "Lets a NaN equal a NaN.");
  AddCompileFlags(flags, a.compile);
  flags.Choice<JitMode>(
      "jit", {{"wait", JitMode::kWait}, {"background", JitMode::kBackground}, {"off", JitMode::kOff}},
      &a.compile.jit,
      "When kernels become machine code: before the first run, while the first runs are interpreted\n"
      "(default), or never. The bits are the same.");
  flags.Integer("threads", 0, 4096, &a.compile.threads,
                "Threads to compute with. Default 0: one a hardware thread.");
  flags.Integer<int64_t>(
      "deadline", 0, int64_t{1} << 40, &a.deadline,
      "Gives up with exit status 4 this many milliseconds after the inputs are read: compilation and all\n"
      "runs must have ended by then. Default 0: never. Ctrl-C gives up at once, in the same way.");
  flags.Bytes("memory-limit", &a.compile.memory_limit,
              "Refuses, before it begins, a run that would hold more: constants, intermediates, outputs and\n"
              "scratch. Default: what there is.");
  flags.Integer<int64_t>(
      "repeat", 0, 1'000'000'000, &a.repeat,
      "After the run that gives the results, runs this many times more and prints how long\n"
      "they took. Use it with --jit wait, or the first runs may be interpreted.");
  flags.Integer<int64_t>("warmup", 0, 1'000'000'000, &a.warmup,
                         "Runs before those of --repeat that are not timed.");
  flags.Text("profile", "FILE.json", &a.profile,
             "Writes when each step ran, for chrome://tracing or Perfetto: of as many further runs as\n"
             "--repeat says, at least one and at most 100. They cost a little more than others.");
  flags.Switch(
      "profile-table", &a.profile_table,
      "Prints where the time of such runs goes: each step with its median, the operations (GFLOP/s)\n"
      "and the bytes (GB/s) that it handles a second.");
  flags.Integer<uint64_t>("seed", 0, UINT64_MAX, &a.seed, "Of the random inputs. Default 0.");
  AddFixFlag(flags, &a.fix);
  AddDiagnosticsFlag(flags);
  AddLimitFlags(flags, a.compile.limits);
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
std::vector<Diagnostic> UnknownOutputs(const Arguments& a, const Graph& graph) {
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
};

LoadOptions LoadOptionsOf(const Arguments& a, std::vector<std::string>* constants = nullptr) {
  return {.limits = a.compile.limits, .policy = a.policies.ForConstants(constants)};
}

absl::StatusOr<Inputs> Read(const Arguments& a) {
  Inputs inputs;
  std::vector<std::string> names;  // that policies may name
  for (const NamedArgument& input : a.inputs) names.push_back(input.name);
  TENFOLD_ASSIGN_OR_RETURN(inputs.graph, LoadModel(StripAt(a.model), LoadOptionsOf(a, &names)));
  TENFOLD_RETURN_IF_ERROR(a.policies.CheckNames(names));
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

// The outputs that `arguments` name, by index; Read has checked the names.
std::vector<size_t> FindOutputs(const Plan& plan, const std::vector<NamedArgument>& arguments) {
  std::vector<size_t> indices;
  for (const NamedArgument& argument : arguments) {
    for (size_t i = 0; i < plan.outputs.size(); ++i) {
      if (plan.outputs[i].name == argument.name) indices.push_back(i);
    }
  }
  return indices;
}

// An invocation with buffers of its own, fed and warmed up.
absl::StatusOr<Invocation> WarmInvocation(const Executable& executable, const NamedTensors& feeds,
                                          const Arguments& a, const RunOptions& options) {
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

absl::Status Measure(Invocation& call, const Arguments& a, const RunOptions& options) {
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

absl::Status Profile(Invocation& call, const Plan& plan, const Arguments& a, RunOptions options) {
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

// Whether all comparisons passed. `executable` is the caller's, who need not destroy it: that would wait for
// background compilation.
absl::StatusOr<bool> Run(const Arguments& a, const Inputs& inputs, std::optional<Executable>& executable) {
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
  TENFOLD_ASSIGN_OR_RETURN(executable, Compile(inputs.graph, compile));
  const Plan& plan = executable->plan();
  const std::vector<size_t> written = FindOutputs(plan, a.outputs);
  const std::vector<size_t> compared = FindOutputs(plan, a.expectations);

  TENFOLD_ASSIGN_OR_RETURN(const NamedTensors results, executable->Run(inputs.feeds, run));
  for (const Diagnostic& warning : warnings) Report(warning);
  run.warnings = nullptr;  // told once
  for (size_t i = 0; i < written.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(SaveNpy(results[written[i]].second, StripAt(a.outputs[i].value)));
  }
  if (written.empty()) {
    for (const auto& [name, tensor] : results) {
      std::printf("%s = %s\n", QuoteName(name).c_str(), tensor.ToString().c_str());
    }
  }
  bool passed = true;
  for (size_t i = 0; i < compared.size(); ++i) {
    const Comparison comparison = Compare(results[compared[i]].second, inputs.wanted[i], a.tolerance);
    std::fprintf(comparison.passed() ? stdout : stderr, "%s\n",
                 comparison.ToString(a.expectations[i].name, a.tolerance).c_str());
    passed = passed && comparison.passed();
  }
  const bool profiles = a.profile_table || !a.profile.empty();
  if (a.repeat == 0 && !profiles) return passed;
  TENFOLD_ASSIGN_OR_RETURN(Invocation call, WarmInvocation(*executable, inputs.feeds, a, run));
  if (a.repeat > 0) TENFOLD_RETURN_IF_ERROR(Measure(call, a, run));
  if (profiles) TENFOLD_RETURN_IF_ERROR(Profile(call, plan, a, run));
  return passed;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  using tenfold::ExitStatus, tenfold::Phase;
  tenfold::PrepareProcess();
  tenfold::Arguments arguments;
  arguments.compile.device = "auto";
  arguments.compile.jit = tenfold::JitMode::kBackground;
  tenfold::Flags flags(tenfold::Help());
  tenfold::Declare(flags, arguments);
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no graph is named: tenfold-run MODEL"
                                                : "more than one graph is named");
  }
  arguments.model = flags.positional()[0];

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
