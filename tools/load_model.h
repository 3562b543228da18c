// SPDX-License-Identifier: Apache-2.0
//
// A model of any format that the tools take: .tnf, .tnt or .onnx.
#ifndef TENFOLD_TOOLS_LOAD_MODEL_H_
#define TENFOLD_TOOLS_LOAD_MODEL_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/serialization/tnf.h"

namespace tenfold {

// What is said of an .onnx model besides, as in OnnxOptions. Other models say it themselves, and refuse it
// (E0325).
struct OnnxArguments {
  NamedTensors constants = {};
  std::vector<std::pair<std::string, Dim>> dims = {};
};

absl::StatusOr<Graph> LoadModel(absl::string_view path, const LoadOptions& options, OnnxArguments onnx = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_LOAD_MODEL_H_
