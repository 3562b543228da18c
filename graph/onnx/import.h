// SPDX-License-Identifier: Apache-2.0
//
// ONNX models as graphs. docs/onnx.md says what is imported, and how.
#ifndef TENFOLD_GRAPH_ONNX_IMPORT_H_
#define TENFOLD_GRAPH_ONNX_IMPORT_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

struct OnnxOptions {
  std::shared_ptr<const OpRegistry> registry = OpRegistry::Standard();
  Limits limits = {};
  // Inputs of the model that become constants, by name: types may follow from their values then.
  NamedTensors constants = {};
  // What sizes that the model names are known to be, by name: {"batch", 1}, {"height", 32 *
  // Dim::Symbol("h")}. More is proven while the graph is built then, and less is left for runs to check.
  std::vector<std::pair<std::string, Dim>> dims = {};
  // Where weights lie that the model names instead of holding; empty: the folder of its file.
  std::string folder = {};
  // If not null: the inputs of the model whose values types follow from, where that is why it was refused.
  std::vector<std::string>* needed_constants = nullptr;
};

// The graph of an .onnx file. Values have the names that the model gives them, nodes its node names as their
// place. Errors: E0901 to E0908, those of files, and those of inference; all at once, each with its
// node. E0602 for a constant or a size that the model does not have.
absl::StatusOr<Graph> ImportOnnx(absl::string_view path, const OnnxOptions& options = {});

// The same of a model in memory; `place` is how errors name it. Weights are copied.
absl::StatusOr<Graph> ImportOnnxBytes(absl::string_view bytes, absl::string_view place,
                                      const OnnxOptions& options = {});

// By its ending, since a model begins with no magic number.
bool IsOnnxFile(absl::string_view path);

// A tensor that stands alone in a file, a TensorProto, as ONNX keeps the data of its tests.
absl::StatusOr<Tensor> ReadOnnxTensor(absl::string_view path, const Limits& limits = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_ONNX_IMPORT_H_
