// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/run_arguments.h"

#include <utility>

#include "absl/strings/match.h"
#include "tenfold/tools/compile_flags.h"
#include "tenfold/tools/fix.h"
#include "tenfold/tools/limit_flags.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

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

}  // namespace

void DeclareRunFlags(Flags& flags, RunArguments& a) {
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
  flags.Number("rtol", &a.rtol,
               "Allows |got - want| <= atol + rtol * |want|. Default 0; of --compare-with by dtype, see "
               "there.");
  flags.Number("atol", &a.atol, "See --rtol.");
  flags.Integer<int64_t>("max-ulp", 0, INT64_MAX, &a.max_ulp,
                         "Allows this many representable values between got and want. Default 0.");
  flags.Switch("equal-nan", &a.equal_nan, "Lets a NaN equal a NaN.");
  flags.Switch(
      "validate", &a.validate,
      "Computes node by node, and looks at every value of the graph: names the first NaN, and the first\n"
      "infinity that arises from finite values, with the node, the element and its operands. Infinities\n"
      "in feeds, constants and attributes, as masks have them, are none. Exit status 3 if there is one.");
  flags.Text(
      "compare-with", "MODEL", &a.compare_with,
      "Computes both graphs node by node on the same feeds, and names the first value, matched by name,\n"
      "that differs, with its node in both. Outputs are matched by name or position. Integers and bools\n"
      "must be equal; floats differ by --rtol and --atol, by default 1e-3 and 1e-5 for f32, 1e-6 and 1e-9\n"
      "for f64, 1e-2 and 1e-3 for f16, 5e-2 and 1e-2 for bf16. Exit status 3 if there is one.");
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

std::string FindContradiction(const RunArguments& a) {
  if (!a.ComputesByNode()) return "";
  const std::string flag = a.validate ? "--validate" : "--compare-with";
  if (a.validate && !a.compare_with.empty())
    return "--validate and --compare-with are two runs: ask one at a time";
  if (a.repeat > 0 || a.warmup > 0 || a.profile_table || !a.profile.empty())
    return flag + " computes node by node: there are no runs to time";
  if (a.compile.device != "auto" && a.compile.device != "cpu")
    return flag + " computes node by node on the CPU: leave --device out";
  return "";
}

}  // namespace tenfold
