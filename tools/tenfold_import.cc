// SPDX-License-Identifier: Apache-2.0
//
// tenfold-import: makes .tnf graphs of array files and text graphs.
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/import_arrays.h"

namespace tenfold {
namespace {

ToolHelp Help() {
  return {
      .tool = "tenfold-import",
      .synopsis = "SOURCE -o MODEL.tnf",
      .purpose =
          "Makes a .tnf graph. SOURCE is an .npz, .safetensors or .npy file, each array of which becomes a\n"
          "Const and an output, or a text graph (.tnt), whose references to arrays, @\"weights.npz:w1\",\n"
          "are read from files beneath its own folder and become part of the graph. Large constants go into\n"
          "a .safetensors file beside MODEL.tnf, named after it and its contents; keep the two together.",
      .examples =
          "tenfold-import weights.npz -o weights.tnf\n"
          "tenfold-import weights.safetensors -o weights.tnf --external-bytes=0\n"
          "tenfold-import model.tnt -o model.tnf"};
}

ExitStatus Import(absl::string_view source, absl::string_view target, const SaveOptions& options) {
  const absl::StatusOr<Graph> graph = IsArrayFile(source) ? ImportArrays(source) : LoadGraph(source);
  if (!graph.ok()) return Report(graph.status(), Phase::kReading);
  const absl::Status saved = SaveGraph(*graph, target, options);
  return saved.ok() ? ExitStatus::kDone : Report(saved, Phase::kRunning);
}

}  // namespace
}  // namespace tenfold

int main(int argc, char** argv) {
  std::string output;
  tenfold::Flags flags(tenfold::Help());
  flags.Text("output", "MODEL.tnf", &output, "The file to write. It appears whole or not at all.");
  flags.Letter('o', "output");
  int64_t external_bytes = *tenfold::SaveOptions().external_bytes;
  flags.Integer<int64_t>("external-bytes", 0, std::numeric_limits<int64_t>::max(), &external_bytes,
                         absl::StrCat("Constants of this size and more go into the file beside (default ",
                                      external_bytes, "); 0 keeps all in one file."));
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no source is named: tenfold-import SOURCE -o MODEL.tnf"
                                                : "more than one source is named");
  }
  if (output.empty()) flags.UsageError("no file to write is named: -o MODEL.tnf");
  const absl::string_view target = tenfold::StripAt(output);
  if (!absl::EndsWith(target, ".tnf"))
    flags.UsageError(absl::StrCat("-o: '", target, "' does not end in .tnf"));
  tenfold::SaveOptions options = {.external_bytes = std::nullopt};
  if (external_bytes > 0) options.external_bytes = external_bytes;
  tenfold::Exit(tenfold::Import(tenfold::StripAt(flags.positional()[0]), target, options));
}
