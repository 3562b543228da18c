// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/load_model.h"

#include <utility>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {

absl::StatusOr<Graph> LoadModel(absl::string_view path, const LoadOptions& options, NamedTensors constants) {
  if (IsOnnxFile(path)) {
    return ImportOnnx(
        path, {.registry = options.registry, .limits = options.limits, .constants = std::move(constants)});
  }
  if (!constants.empty()) {
    return MakeError("E0325", "--constant is for .onnx models; a graph of ours has its constants",
                     "write it in the graph: w = Const f32[784,10] @\"weights.npz:w\"");
  }
  return LoadGraph(path, options);
}

}  // namespace tenfold
