// SPDX-License-Identifier: Apache-2.0
//
// tenfold-import: makes .tnf graphs of array files and text graphs.
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/import_arrays.h"
#include "tenfold/tools/limit_flags.h"
#include "tenfold/tools/process.h"

namespace tenfold {
namespace {

ToolHelp Help() {
  return {
      .tool = "tenfold-import",
      .synopsis = "SOURCE -o MODEL.tnf",
      .purpose =
          "Makes a .tnf graph. SOURCE is an .npz or .npy file, each array of which becomes a Const and an\n"
          "output, or a text graph (.tnt), whose references to arrays (@\"weights.npz:w1\") are read from\n"
          "files beneath its own folder and become part of the graph.",
      .examples =
          "tenfold-import weights.npz -o weights.tnf\n"
          "tenfold-import model.tnt -o model.tnf"};
}

ExitStatus Import(absl::string_view source, absl::string_view target, const Limits& limits) {
  const bool arrays = absl::EndsWith(source, ".npz") || absl::EndsWith(source, ".npy");
  const absl::StatusOr<Graph> graph =
      arrays ? ImportArrays(source, limits) : LoadGraph(source, {.limits = limits});
  if (!graph.ok()) return Report(graph.status(), Phase::kReading);
  const absl::Status saved = SaveGraph(*graph, target);
  return saved.ok() ? ExitStatus::kDone : Report(saved, Phase::kRunning);
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  tenfold::PrepareProcess();
  std::string output;
  tenfold::Flags flags(tenfold::Help());
  flags.Text("output", "MODEL.tnf", &output, "The file to write. It appears whole or not at all.");
  flags.Letter('o', "output");
  tenfold::Limits limits;
  tenfold::AddLimitFlags(flags, limits);
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no source is named: tenfold-import SOURCE -o MODEL.tnf"
                                                : "more than one source is named");
  }
  if (output.empty()) flags.UsageError("no file to write is named: -o MODEL.tnf");
  const absl::string_view target = tenfold::StripAt(output);
  if (!absl::EndsWith(target, ".tnf"))
    flags.UsageError(absl::StrCat("-o: '", target, "' does not end in .tnf"));
  tenfold::Exit(tenfold::Import(tenfold::StripAt(flags.positional()[0]), target, limits));
}
