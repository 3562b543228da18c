// SPDX-License-Identifier: Apache-2.0
//
// Models written in protobuf's text form, for tests.
#ifndef TENFOLD_TESTS_GRAPH_ONNX_MODEL_TEXT_H_
#define TENFOLD_TESTS_GRAPH_ONNX_MODEL_TEXT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/onnx/import.h"

namespace tenfold {

// The bytes of a ModelProto of this text; fails the test if it is none.
std::string ModelBytes(const std::string& text);
// A model of the opset, `graph` being what stands in its graph.
std::string ModelOfOpset(int opset, const std::string& graph);
// "x: f32[2,N]" as an input or output of a graph.
std::string InputText(const std::string& name, const std::string& type);
std::string OutputText(const std::string& name);
// node { op_type: "Add" input: "a" input: "b" output: "c" <more> }; "" for an absent one.
std::string NodeText(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const std::string& more = "");
std::string IntAttr(const std::string& name, int64_t value);
std::string IntsAttr(const std::string& name, const std::vector<int64_t>& values);
std::string FloatAttr(const std::string& name, double value);
std::string StringAttr(const std::string& name, const std::string& value);
// Initializers, lists.
std::string IntsTensor(const std::string& name, const std::vector<int64_t>& values);
std::string FloatsTensor(const std::string& name, const std::vector<double>& values);

// The graph as text without its header, or what was refused.
std::string Imported(const std::string& bytes, const OnnxOptions& options = {});
// What the graph gives for feeds in the order of its inputs, all as literals: "f32[2] {1, 2}"; or the
// refusal.
std::string Computed(const std::string& bytes, const std::vector<std::string>& feeds,
                     const OnnxOptions& options = {});

}  // namespace tenfold

#endif  // TENFOLD_TESTS_GRAPH_ONNX_MODEL_TEXT_H_
