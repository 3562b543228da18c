// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/graph/onnx/model_text.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/evaluate.h"
#include "tenfold/graph/text/printer.h"
#include "tenfold/graph/text/tensor_literal.h"

namespace tenfold {

std::string ModelBytes(const std::string& text) {
  onnx::ModelProto model;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &model)) << text;
  return model.SerializeAsString();
}

std::string ModelOfOpset(int opset, const std::string& graph) {
  return ModelBytes(
      absl::StrCat("ir_version: 8 opset_import { version: ", opset, " } graph { name: \"g\" ", graph, " }"));
}

std::string InputText(const std::string& name, const std::string& type) {
  static const std::map<DType, int> kTypes = {{DType::kF32, 1},  {DType::kI32, 6},  {DType::kI64, 7},
                                              {DType::kBool, 9}, {DType::kF16, 10}, {DType::kF64, 11}};
  const TensorType parsed = *TensorType::Parse(type);
  std::string dims;
  for (const Dim& dim : parsed.shape.dims()) {
    absl::StrAppend(&dims, dim.is_constant() ? absl::StrCat("dim { dim_value: ", dim.constant(), " } ")
                                             : absl::StrCat("dim { dim_param: \"", dim.ToString(), "\" } "));
  }
  return absl::StrCat("input { name: \"", name,
                      "\" type { tensor_type { elem_type: ", kTypes.at(parsed.dtype), " shape { ", dims,
                      "} } } } ");
}

std::string OutputText(const std::string& name) { return absl::StrCat("output { name: \"", name, "\" } "); }

std::string NodeText(const std::string& op, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const std::string& more) {
  std::string text = absl::StrCat("node { op_type: \"", op, "\" ");
  for (const std::string& name : inputs) absl::StrAppend(&text, "input: \"", name, "\" ");
  for (const std::string& name : outputs) absl::StrAppend(&text, "output: \"", name, "\" ");
  return absl::StrCat(text, more, " } ");
}

std::string IntAttr(const std::string& name, int64_t value) {
  return absl::StrCat("attribute { name: \"", name, "\" type: 2 i: ", value, " } ");
}

std::string IntsAttr(const std::string& name, const std::vector<int64_t>& values) {
  return absl::StrCat("attribute { name: \"", name, "\" type: 7 ints: [", absl::StrJoin(values, ", "),
                      "] } ");
}

std::string FloatAttr(const std::string& name, double value) {
  return absl::StrCat("attribute { name: \"", name, "\" type: 1 f: ", value, " } ");
}

std::string StringAttr(const std::string& name, const std::string& value) {
  return absl::StrCat("attribute { name: \"", name, "\" type: 3 s: \"", value, "\" } ");
}

std::string IntsTensor(const std::string& name, const std::vector<int64_t>& values) {
  return absl::StrCat("initializer { name: \"", name, "\" data_type: 7 dims: ", values.size(),
                      " int64_data: [", absl::StrJoin(values, ", "), "] } ");
}

std::string FloatsTensor(const std::string& name, const std::vector<double>& values) {
  return absl::StrCat("initializer { name: \"", name, "\" data_type: 1 dims: ", values.size(),
                      " float_data: [", absl::StrJoin(values, ", "), "] } ");
}

std::string Imported(const std::string& bytes, const OnnxOptions& options) {
  const absl::StatusOr<Graph> graph = ImportOnnxBytes(bytes, "model.onnx", options);
  if (!graph.ok()) return std::string(graph.status().message());
  return PrintText(*graph, {.header = false});
}

std::string Computed(const std::string& bytes, const std::vector<std::string>& feeds,
                     const OnnxOptions& options) {
  const absl::StatusOr<Graph> graph = ImportOnnxBytes(bytes, "model.onnx", options);
  if (!graph.ok()) return std::string(graph.status().message());
  std::vector<Tensor> tensors;
  for (const std::string& feed : feeds) {
    absl::StatusOr<Tensor> tensor = ParseTensorLiteral(feed);
    if (!tensor.ok()) return std::string(tensor.status().message());
    tensors.push_back(*std::move(tensor));
  }
  const absl::StatusOr<std::vector<Tensor>> results = EvaluateGraph(*graph, tensors);
  if (!results.ok()) return std::string(results.status().message());
  return absl::StrJoin(*results, ", ", [](std::string* out, const Tensor& tensor) {
    absl::StrAppend(out, tensor.ToString());
  });
}

}  // namespace tenfold
