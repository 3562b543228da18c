// SPDX-License-Identifier: Apache-2.0
//
// The weights of a model, left where they lie.
//
// Parsed as it is, a model file would be copied into strings, and from there into tensors. Instead the file's
// messages are walked as bytes, and what holds many elements (raw_data, float_data, double_data) is left out:
// a TensorProto::Detached says where it lies. What remains is the structure, some hundred bytes a node, which
// protobuf parses and Limits::graph_bytes bounds.
#ifndef TENFOLD_GRAPH_ONNX_DETACH_DATA_H_
#define TENFOLD_GRAPH_ONNX_DETACH_DATA_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/limits.h"

namespace tenfold::onnx {

// What the bytes are a message of, of those that tensors may lie in.
enum class MessageKind : uint8_t { kModel, kGraph, kFunction, kNode, kAttribute, kTensor };

// `bytes` without the data of its tensors. Errors: E0901 where it is no protobuf message; E0402 where the
// structure is larger than Limits::graph_bytes, or graphs are nested deeper than Limits::nesting.
absl::StatusOr<std::string> DetachData(absl::string_view bytes, MessageKind kind, const Limits& limits);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_DETACH_DATA_H_
