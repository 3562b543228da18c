// SPDX-License-Identifier: Apache-2.0
//
// tenfold-run: runs a graph on arrays.
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "tenfold/compiler/compile.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/compare.h"
#include "tenfold/tools/compile_flags.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/run_inputs.h"
#include "tenfold/tools/timing.h"

namespace tenfold {
namespace {

const ToolHelp kHelp = {
    .tool = "tenfold-run",
    .synopsis = "MODEL [FLAGS]",
    .purpose =
        "Runs a graph (.tnf or .tnt). Without --output, prints every output's name, type and first values.",
    .examples =
        "tenfold-run digits.tnf --input x=images.npy --output p=p.npy\n"
        "tenfold-run digits.tnf --input x=images.npy --expect p=reference.npy --rtol 1e-5 --atol 1e-6\n"
        "tenfold-run scale.tnt --input 'x=f32[2,3] 1 2 3 4 5 6' --fetch m\n"
        "tenfold-run digits.tnf --input x=random:f32[512,64] --warmup 10 --repeat 1000 --jit wait"};

struct Arguments {
  std::string model;
  std::vector<std::string> inputs, outputs, expectations;
  Tolerance tolerance;
  CompileOptions compile;
  int64_t repeat = 0;
  int64_t warmup = 0;
  uint64_t seed = 0;
};

void Declare(Flags& flags, Arguments& a) {
  flags.List(
      "input", "NAME=ARRAY", &a.inputs,
      "Feeds an input. ARRAY is a file (x.npy, arrays.npz:x, with or without an '@' before it), a\n"
      "literal (f32[2,3] 1 2 3 4 5 6), random, or random:f32[4,64]. `random` alone takes its type from\n"
      "the graph, and the values of symbols from the other inputs.");
  flags.List("output", "NAME=FILE.npy", &a.outputs, "Writes an output to a file.");
  flags.List("expect", "NAME=ARRAY", &a.expectations,
             "Compares an output with a file or a literal: equal (-0 and +0 are), or within what --rtol,\n"
             "--atol and --max-ulp allow. Exit status 3 if it is not.");
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
      "repeat", 0, 1'000'000'000, &a.repeat,
      "After the run that gives the results, runs this many times more and prints how long\n"
      "they took. Use it with --jit wait, or the first runs may be interpreted.");
  flags.Integer<int64_t>("warmup", 0, 1'000'000'000, &a.warmup,
                         "Runs before those of --repeat that are not timed.");
  flags.Integer<uint64_t>("seed", 0, UINT64_MAX, &a.seed, "Of the random inputs. Default 0.");
}

std::vector<NamedArgument> SplitOrExit(const Flags& flags, absl::string_view flag,
                                       const std::vector<std::string>& texts) {
  std::vector<NamedArgument> split;
  for (const std::string& text : texts) {
    absl::StatusOr<NamedArgument> argument = SplitNamedArgument(flag, text);
    if (!argument.ok()) flags.UsageError(argument.status().message());
    split.push_back(*std::move(argument));
  }
  return split;
}

// The index of a plan's output (E0107).
absl::StatusOr<size_t> FindOutput(const Plan& plan, const Graph& graph, const std::string& name) {
  std::vector<std::string> names;
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    if (plan.outputs[i].name == name) return i;
    names.push_back(plan.outputs[i].name);
  }
  const std::string nearest = NearestName(name, names);
  std::string help = nearest.empty() ? "" : absl::StrCat("did you mean '", nearest, "'?");
  if (graph.FindValue(name).has_value())
    help = absl::StrCat("it is a value inside the graph: add --fetch ", name);
  return MakeError("E0107", absl::StrCat("the graph has no output '", name, "'"), help);
}

struct Expectation {
  std::string name;
  size_t output = 0;
  Tensor want;
};

// Times runs on a set of buffers of their own.
absl::StatusOr<TimingSummary> Measure(const Executable& executable, const NamedTensors& feeds,
                                      const Arguments& a) {
  Invocation call = executable.Prepare();
  for (size_t i = 0; i < executable.plan().inputs.size(); ++i) {
    for (const auto& [name, tensor] : feeds) {
      if (name != executable.plan().inputs[i].name) continue;
      TENFOLD_RETURN_IF_ERROR(call.SetInput(static_cast<int>(i), tensor));
    }
  }
  for (int64_t i = 0; i < a.warmup; ++i) TENFOLD_RETURN_IF_ERROR(call.Run());
  std::vector<int64_t> nanoseconds;
  nanoseconds.reserve(a.repeat);
  for (int64_t i = 0; i < a.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    TENFOLD_RETURN_IF_ERROR(call.Run());
    nanoseconds.push_back((std::chrono::steady_clock::now() - start) / std::chrono::nanoseconds(1));
  }
  return Summarize(std::move(nanoseconds));
}

// Prints each comparison; true if all passed.
bool CompareAll(const std::vector<Expectation>& expectations, const NamedTensors& results,
                const Tolerance& tolerance) {
  bool passed = true;
  for (const Expectation& e : expectations) {
    const Comparison comparison = Compare(results[e.output].second, e.want, tolerance);
    std::fprintf(comparison.passed() ? stdout : stderr, "%s\n",
                 comparison.ToString(e.name, tolerance).c_str());
    passed = passed && comparison.passed();
  }
  return passed;
}

// `executable` is the caller's, who need not destroy it: that would wait for background compilation.
ExitStatus Run(const Flags& flags, Arguments& a, std::optional<Executable>& executable) {
  const std::vector<NamedArgument> inputs = SplitOrExit(flags, "--input", a.inputs);
  const std::vector<NamedArgument> outputs = SplitOrExit(flags, "--output", a.outputs);
  const std::vector<NamedArgument> expected = SplitOrExit(flags, "--expect", a.expectations);
  for (const NamedArgument& output : outputs) {
    if (!absl::EndsWith(output.value, ".npy")) {
      flags.UsageError(absl::StrCat("--output: '", output.value, "' does not end in .npy"));
    }
  }
  for (const NamedArgument& e : expected) {
    if (FormOf(e.value) == ArrayForm::kRandom)
      flags.UsageError("--expect: random values are nothing to compare with");
  }

  const absl::StatusOr<Graph> graph = LoadGraph(StripAt(a.model));
  if (!graph.ok()) return Report(graph.status(), Phase::kReading);
  const absl::StatusOr<NamedTensors> feeds = ReadInputs(inputs, *graph, a.seed);
  if (!feeds.ok()) return Report(feeds.status(), Phase::kReading);
  std::vector<Expectation> expectations;
  for (const NamedArgument& e : expected) {
    absl::StatusOr<Tensor> want = ReadArray(e.value);
    if (!want.ok()) return Report(want.status(), Phase::kReading);
    expectations.push_back({e.name, 0, *std::move(want)});
  }

  absl::StatusOr<Executable> compiled = Compile(*graph, a.compile);
  if (!compiled.ok()) return Report(compiled.status(), Phase::kRunning);
  executable = *std::move(compiled);
  const Plan& plan = executable->plan();
  std::vector<size_t> written;
  for (const NamedArgument& output : outputs) {
    const absl::StatusOr<size_t> index = FindOutput(plan, *graph, output.name);
    if (!index.ok()) return Report(index.status(), Phase::kReading);
    written.push_back(*index);
  }
  for (Expectation& e : expectations) {
    const absl::StatusOr<size_t> index = FindOutput(plan, *graph, e.name);
    if (!index.ok()) return Report(index.status(), Phase::kReading);
    e.output = *index;
  }

  const absl::StatusOr<NamedTensors> results = executable->Run(*feeds);
  if (!results.ok()) return Report(results.status(), Phase::kRunning);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const absl::Status saved = SaveNpy((*results)[written[i]].second, StripAt(outputs[i].value));
    if (!saved.ok()) return Report(saved, Phase::kRunning);
  }
  if (outputs.empty()) {
    for (const auto& [name, tensor] : *results)
      std::printf("%s = %s\n", QuoteName(name).c_str(), tensor.ToString().c_str());
  }
  const bool passed = CompareAll(expectations, *results, a.tolerance);

  if (a.repeat > 0) {
    const absl::StatusOr<TimingSummary> timing = Measure(*executable, *feeds, a);
    if (!timing.ok()) return Report(timing.status(), Phase::kRunning);
    std::printf("time of %d runs: %s\n", static_cast<int>(a.repeat), timing->ToString().c_str());
  }
  return passed ? ExitStatus::kDone : ExitStatus::kDiffers;
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  tenfold::Arguments arguments;
  arguments.compile.device = "auto";
  arguments.compile.jit = tenfold::JitMode::kBackground;
  tenfold::Flags flags(tenfold::kHelp);
  tenfold::Declare(flags, arguments);
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no graph is named: tenfold-run MODEL"
                                                : "more than one graph is named");
  }
  arguments.model = flags.positional()[0];
  std::optional<tenfold::Executable> executable;
  tenfold::Exit(tenfold::Run(flags, arguments, executable));
}
