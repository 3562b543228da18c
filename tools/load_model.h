// SPDX-License-Identifier: Apache-2.0
//
// A model of any format that the tools take: .tnf, .tnt or .onnx.
#ifndef TENFOLD_TOOLS_LOAD_MODEL_H_
#define TENFOLD_TOOLS_LOAD_MODEL_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/serialization/tnf.h"

namespace tenfold {

// `constants`: inputs of an .onnx model that become constants (OnnxOptions::constants); other models have
// their own, and refuse them (E0325).
absl::StatusOr<Graph> LoadModel(absl::string_view path, const LoadOptions& options,
                                NamedTensors constants = {});

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_LOAD_MODEL_H_
