// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/load_model.h"

#include <utility>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {

absl::StatusOr<Graph> LoadModel(absl::string_view path, const LoadOptions& options, OnnxArguments onnx) {
  if (IsOnnxFile(path)) {
    return ImportOnnx(path, {.registry = options.registry,
                             .limits = options.limits,
                             .constants = std::move(onnx.constants),
                             .dims = std::move(onnx.dims)});
  }
  if (!onnx.dims.empty()) {
    return MakeError("E0325", "--dim is for .onnx models; a graph of ours says what its sizes are",
                     "write it in the graph's header: graph g(x: f32[1,3,32*H,32*W]) -> (y) {");
  }
  if (!onnx.constants.empty()) {
    return MakeError("E0325", "--constant is for .onnx models; a graph of ours has its constants",
                     "write it in the graph: w = Const f32[784,10] @\"weights.npz:w\"");
  }
  return LoadGraph(path, options);
}

}  // namespace tenfold
