// SPDX-License-Identifier: Apache-2.0
//
// tenfold-import: makes .tnf graphs of array files, ONNX models and text graphs.
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/serialization/tnf.h"
#include "tenfold/tools/array_argument.h"
#include "tenfold/tools/contract_flags.h"
#include "tenfold/tools/exit_status.h"
#include "tenfold/tools/fix.h"
#include "tenfold/tools/flags.h"
#include "tenfold/tools/import_arrays.h"
#include "tenfold/tools/limit_flags.h"
#include "tenfold/tools/load_model.h"
#include "tenfold/tools/policy_flags.h"
#include "tenfold/tools/process.h"
#include "tenfold/tools/report.h"

namespace tenfold {
namespace {

ToolHelp Help() {
  return {
      .tool = "tenfold-import",
      .synopsis = "SOURCE -o MODEL.tnf",
      .purpose =
          "Makes a .tnf graph. SOURCE is an .npz, .safetensors or .npy file, each array of which becomes a\n"
          "Const and an output, or a graph (.tnt, .tnf), whose references to arrays, @\"weights.npz:w1\",\n"
          "are read from files beneath its own folder and become part of the graph, or an ONNX model "
          "(.onnx),\n"
          "whose nodes become ours; what cannot be imported is listed at once. Large constants go into\n"
          "a .safetensors file beside MODEL.tnf, named after it and its contents; keep the two together.",
      .examples =
          "tenfold-import weights.npz -o weights.tnf\n"
          "tenfold-import weights.safetensors -o weights.tnf --external-bytes=0\n"
          "tenfold-import weights.npz -o weights.tnf --dtype w1=f32 --cast w1=nearest --nan zero\n"
          "tenfold-import model.tnt -o model.tnf\n"
          "tenfold-import model.onnx -o model.tnf\n"
          "tenfold-import model.onnx -o model.tnf --dim batch=1 --dim 'height=32*h' --constant 'axes=i64[1] "
          "0'\n"
          "tenfold-import model.tnt -o model.tnf --fix\n"
          "tenfold-import model.tnt -o model.tnf --contract x=train.npy --contract x=more.npz:x"};
}

struct Arguments {
  PolicyFlags policies;
  ContractFlags contracts;
  std::map<std::string, DType> dtypes;
  OnnxArguments onnx;
  SaveOptions save = {.external_bytes = std::nullopt};
  Limits limits;
  bool fix = false;
};

LoadOptions LoadOptionsOf(const Arguments& arguments, std::vector<std::string>* constants = nullptr) {
  return {.limits = arguments.limits, .policy = arguments.policies.ForConstants(constants)};
}

absl::StatusOr<Graph> Read(absl::string_view source, const Arguments& arguments) {
  if (IsArrayFile(source)) {
    return ImportArrays(source, arguments.policies, arguments.dtypes, arguments.limits);
  }
  if (!arguments.dtypes.empty()) {
    return MakeError("E0325", "--dtype is for files of arrays; a graph says what dtype is due",
                     "write it before the reference: w = Const f32[784,10] @\"weights.npz:w\"");
  }
  std::vector<std::string> names = arguments.contracts.inputs();
  TENFOLD_ASSIGN_OR_RETURN(Graph graph, LoadModel(source, LoadOptionsOf(arguments, &names), arguments.onnx));
  TENFOLD_RETURN_IF_ERROR(arguments.policies.CheckNames(names));
  return graph;
}

ExitStatus Import(absl::string_view source, absl::string_view target, const Arguments& arguments) {
  const SaveOptions& options = arguments.save;
  absl::StatusOr<Graph> graph = Read(source, arguments);
  const auto refuse = [&](const absl::Status& error) {
    const ExitStatus status = Report(error, Phase::kReading);
    if (arguments.fix) OfferFix(error, source, LoadOptionsOf(arguments));
    return status;
  };
  if (!graph.ok()) return refuse(graph.status());
  absl::StatusOr<std::vector<std::string>> news =
      arguments.contracts.MakeContracts(*graph, arguments.policies, arguments.limits);
  if (!news.ok()) return refuse(news.status());
  arguments.policies.ReportWhatTheyDid(*graph);
  for (std::string& line : *news) ReportRemark(std::move(line));
  const absl::Status saved = SaveGraph(*graph, target, options);
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
  int64_t external_bytes = *tenfold::SaveOptions().external_bytes;
  flags.Integer<int64_t>("external-bytes", 0, std::numeric_limits<int64_t>::max(), &external_bytes,
                         absl::StrCat("Constants of this size and more go into the file beside (default ",
                                      external_bytes, "); 0 keeps all in one file."));
  tenfold::Arguments arguments;
  flags.Custom("dtype", "NAME=DTYPE",
               "Of a file of arrays: the dtype that the array NAME is due as, such as f32.",
               [&](absl::string_view text) -> std::string {
                 const auto wish = tenfold::SplitNamedArgument(text);
                 const auto dtype = wish ? tenfold::ParseDType(wish->value) : std::nullopt;
                 if (!dtype) return "is not written NAME=DTYPE, such as w1=f32";
                 return arguments.dtypes[wish->name] = *dtype, "";
               });
  std::vector<tenfold::NamedArgument> constants;
  flags.Custom(
      "constant", "NAME=ARRAY",
      "Of an ONNX model: the input NAME becomes a constant, a file or a literal (f32[3] 1 2 3). For\n"
      "inputs whose values types follow from, such as axes and scales.",
      [&](absl::string_view text) -> std::string {
        auto constant = tenfold::SplitNamedArgument(text);
        if (!constant) return "is not written NAME=ARRAY, such as axes=axes.npy";
        constants.push_back(*std::move(constant));
        return "";
      });
  flags.Custom("dim", "NAME=DIM",
               "Of an ONNX model: the size that it calls NAME is known to be DIM, a number or an expression\n"
               "(batch=1, height=32*h). Feeds are held against it, and a size of 1 is broadcast.",
               [&](absl::string_view text) -> std::string {
                 const auto wish = tenfold::SplitNamedArgument(text);
                 const auto dim = wish ? tenfold::Dim::Parse(wish->value) : tenfold::Dim::Parse("");
                 if (!dim.ok()) return "is not written NAME=DIM, such as batch=1 or height=32*h";
                 arguments.onnx.dims.emplace_back(wish->name, *dim);
                 return "";
               });
  arguments.policies.Add(flags, "of the constant (or a sample of the input) NAME");
  arguments.contracts.Add(flags);
  tenfold::AddFixFlag(flags, &arguments.fix);
  tenfold::AddDiagnosticsFlag(flags);
  tenfold::AddLimitFlags(flags, arguments.limits);
  flags.ParseOrExit(argc, argv);
  if (flags.positional().size() != 1) {
    flags.UsageError(flags.positional().empty() ? "no source is named: tenfold-import SOURCE -o MODEL.tnf"
                                                : "more than one source is named");
  }
  if (output.empty()) flags.UsageError("no file to write is named: -o MODEL.tnf");
  const absl::string_view target = tenfold::StripAt(output);
  if (!absl::EndsWith(target, ".tnf"))
    flags.UsageError(absl::StrCat("-o: '", target, "' does not end in .tnf"));
  for (const tenfold::NamedArgument& constant : constants) {
    absl::StatusOr<tenfold::Tensor> tensor = tenfold::ReadArray(constant.value, arguments.limits);
    if (!tensor.ok()) tenfold::Exit(tenfold::Report(tensor.status(), tenfold::Phase::kReading));
    arguments.onnx.constants.emplace_back(constant.name, *std::move(tensor));
  }
  if (external_bytes > 0) arguments.save.external_bytes = external_bytes;
  tenfold::Exit(tenfold::Import(tenfold::StripAt(flags.positional()[0]), target, arguments));
}
