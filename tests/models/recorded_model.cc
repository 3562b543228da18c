// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/models/recorded_model.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/npy.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {
namespace {

namespace fs = std::filesystem;

std::string FileOf(const std::string& name, const std::string& file) {
  return absl::StrCat(ModelsFolder().value_or(""), "/", name, "/", file);
}

}  // namespace

std::optional<std::string> ModelsFolder() {
  const char* const shared = std::getenv("TENFOLD_SHARED_DIR");
  std::error_code error;
  if (shared == nullptr || !fs::is_directory(fs::path(shared) / "models", error)) return std::nullopt;
  return (fs::path(shared) / "models").string();
}

absl::StatusOr<Graph> ImportModel(const std::string& name) { return ImportOnnx(FileOf(name, "model.onnx")); }

CompileOptions OptionsOf(const Mode& mode) {
  CompileOptions options;
  options.opt_level = mode.opt_level;
  options.numerics = mode.numerics;
  options.threads = 1;
  return options;
}

absl::StatusOr<std::vector<std::optional<Tensor>>> Recorded(const std::string& name, const std::string& what,
                                                            size_t count) {
  std::vector<std::optional<Tensor>> tensors(count);
  for (size_t k = 0; k < count; ++k) {
    const std::string path = FileOf(name, absl::StrCat(what, "_", k, ".npy"));
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    TENFOLD_ASSIGN_OR_RETURN(tensors[k], LoadNpy(path));
  }
  return tensors;
}

absl::StatusOr<std::vector<Tensor>> RunModel(const Graph& graph, const CompileOptions& options,
                                             const std::vector<Tensor>& inputs) {
  TENFOLD_ASSIGN_OR_RETURN(const Executable executable, Compile(graph, options));
  NamedTensors feeds;
  for (size_t i = 0; i < inputs.size(); ++i)
    feeds.emplace_back(graph.value(graph.inputs()[i]).name, inputs[i]);
  TENFOLD_ASSIGN_OR_RETURN(NamedTensors outputs, executable.Run(feeds));
  std::vector<Tensor> results;
  for (auto& [name, tensor] : outputs) results.push_back(std::move(tensor));
  return results;
}

}  // namespace tenfold
