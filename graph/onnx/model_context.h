// SPDX-License-Identifier: Apache-2.0
//
// What all parts of an import know: the model, where its bytes lie, and what went wrong so far.
#ifndef TENFOLD_GRAPH_ONNX_MODEL_CONTEXT_H_
#define TENFOLD_GRAPH_ONNX_MODEL_CONTEXT_H_

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/onnx/import.h"
#include "tenfold/graph/onnx/tensors.h"

namespace tenfold::onnx {

// Functions that call functions: deeper is no model that anybody wrote, and may be an endless one.
inline constexpr int kDeepestCall = 64;

// Version of each domain's ops; ai.onnx is the empty name.
using Opsets = std::map<std::string, int64_t>;

class ModelContext {
 public:
  // `place`: how errors name the model, such as its path.
  ModelContext(const ModelProto& model, const OnnxOptions& options, std::string place, TensorSource source);

  const ModelProto& model() const { return model_; }
  const OnnxOptions& options() const { return options_; }
  const Limits& limits() const { return options_.limits; }
  const std::string& place() const { return place_; }
  const TensorSource& source() const { return source_; }
  const Opsets& opsets() const { return opsets_; }

  // The function of the model that a node calls; null if it is an op's.
  const FunctionProto* FindFunction(const NodeProto& node) const;
  // Null if the input is none of OnnxOptions::constants.
  const Tensor* FindConstant(absl::string_view input) const;

  // The dim that a size of an input is; by OnnxOptions::dims another than its own symbol.
  Dim DimOf(const std::string& symbol);
  // E0602 for options that nothing asked for.
  absl::Status CheckOptions(const GraphProto& graph) const;

  void Add(const absl::Status& error);
  bool full() const { return static_cast<int64_t>(errors_.size()) >= limits().errors; }
  size_t num_errors() const { return errors_.size(); }
  std::vector<Diagnostic> TakeErrors() { return std::move(errors_); }

  int64_t nodes = 0;  // so far, those of functions each time they are called

 private:
  using FunctionKey = std::tuple<std::string, std::string, std::string>;  // domain, name, overload
  const ModelProto& model_;
  const OnnxOptions& options_;
  const std::string place_;
  const TensorSource source_;
  Opsets opsets_;
  std::map<FunctionKey, const FunctionProto*> functions_;
  std::vector<Diagnostic> errors_;
  std::set<std::string> symbols_;  // that sizes of inputs have
};

Opsets ReadOpsets(const google::protobuf::RepeatedPtrField<OperatorSetIdProto>& imports);
// "" for ai.onnx.
std::string DomainOf(const NodeProto& node);
// "node 'conv1'", or "node 12 (Conv)" where it has no name.
std::string NameOfNode(const NodeProto& node, int64_t index);

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_MODEL_CONTEXT_H_
