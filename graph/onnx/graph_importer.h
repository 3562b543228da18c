// SPDX-License-Identifier: Apache-2.0
//
// A GraphProto, the model's or a body's, as one of our graphs.
#ifndef TENFOLD_GRAPH_ONNX_GRAPH_IMPORTER_H_
#define TENFOLD_GRAPH_ONNX_GRAPH_IMPORTER_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/onnx/model_context.h"
#include "tenfold/graph/onnx/node_draft.h"
#include "tenfold/graph/onnx/op_table.h"

namespace tenfold::onnx {

// A constant of the model, read when it is first used.
struct ModelConstant {
  const TensorProto* proto = nullptr;  // null once it is read
  Tensor tensor;
  std::string name;
  Provenance provenance;
  bool failed = false;
};

// Builds one graph. A name that it does not define is looked for in the graph around, if it is a body, and
// captured (graph/control.h). Errors go to the context; what reads the result of a node that failed stays
// silent, so that first causes are what is reported.
class GraphImporter {
 public:
  GraphImporter(ModelContext& context, const GraphProto& proto, GraphImporter* outer = nullptr);

  // The model's graph; complete only if no error was recorded.
  Graph Import() &&;

 private:
  // What a name stands for.
  struct Binding {
    ValueId value = kNoValue;                           // kNoValue: poison, unless there is a constant
    std::shared_ptr<ModelConstant> constant = nullptr;  // not a value yet
    bool absent = false;                                // an input of a function that the call leaves out
  };
  // Names: of the graph, of each function that is being expanded, of each branch that stands for its If.
  struct Scope {
    absl::flat_hash_map<std::string, Binding> names;
    std::string prefix;  // of values' names and of places
    Opsets opsets;
    std::map<std::string, const AttributeProto*> attributes;  // of the call
    bool sees_around = false;                                 // the scope before it; a function sees nothing
  };

  // Of a body: its inputs are given values of these types.
  void AddGivenInputs(const std::vector<TensorType>& given);
  void AddInputs();
  void AddInput(const ValueInfoProto& input);
  void AddInitializers(const GraphProto& graph);
  void AddOutputs();
  void AddOutput(const std::string& name);
  bool Define(const std::string& name, Binding binding);

  void ImportNodes(const google::protobuf::RepeatedPtrField<NodeProto>& nodes);
  void ImportNode(const NodeProto& node, int64_t index);
  absl::Status TryNode(const NodeProto& node, const std::string& place);
  absl::Status AddConstant(const NodeProto& node, const std::string& place);
  absl::Status CallFunction(const FunctionProto& function, const NodeProto& node);
  // The branch of an If that is taken in every run; null if it is not known.
  const GraphProto* KnownBranch(const OpDef& op, const NodeProto& node, NodeDraft& draft);
  // PyTorch writes squeeze(x, d), where it does not know the size, as an If: if that is 1, Squeeze, else x as
  // it is. Results of two ranks have no type. So what was meant is taken for what is written, Squeeze, of
  // which runs check that the size is 1.
  bool IsSqueezeOfUnknownSize(ValueId condition, const GraphProto& then_branch,
                              const GraphProto& else_branch);
  // In the place of an If whose condition is constant, its branch.
  absl::Status InlineBranch(const GraphProto& branch, const NodeProto& node);
  // The values of a scope's outputs, which are those of `node`; the scope ends. Values from number `first` on
  // are the scope's own, and get the names that the node gives them.
  template <typename Names>
  absl::Status LeaveScope(const Names& names, const NodeProto& node, int first, size_t errors_before);
  // Completes the draft of If, Loop or Scan; false if a body failed, which is reported.
  absl::StatusOr<bool> AddBodies(const OpDef& op, const NodeProto& node, NodeDraft& draft);
  std::optional<Graph> ImportBody(const GraphProto& proto, const std::vector<TensorType>& given,
                                  std::vector<ValueId>& captured, const std::string& place);

  // The value that `name` stands for; nullopt for poison. Errors: E0908.
  absl::StatusOr<std::optional<ValueId>> Read(const std::string& name);
  // In this graph; null if it does not have it.
  Binding* FindHere(const std::string& name);
  // Null if neither this graph nor one around it has it.
  const Binding* Find(const std::string& name);
  // Whether names that this graph does not have may be those of the graph around.
  bool SeesOuter() const;
  absl::StatusOr<std::optional<ValueId>> Place(Binding& binding);
  absl::StatusOr<std::optional<ValueId>> Capture(ValueId outer);
  const AttributeProto* FindAttribute(const NodeProto& node, absl::string_view name) const;
  void Bind(const NodeProto& node, const std::vector<ValueId>& outputs);
  // Records which inputs of the model `error` is about, if that is that values are not known.
  void NoteNeeded(const absl::Status& error, const OpImport& import, const std::vector<ValueId>& operands);
  // All that these values follow from.
  void NoteInputs(std::vector<ValueId> open);
  std::string ValueName(const std::string& name) const;
  Scope& scope() { return scopes_.back(); }
  const Scope& scope() const { return scopes_.back(); }

  ModelContext& context_;
  const GraphProto& proto_;
  GraphImporter* const outer_;
  Graph graph_;
  FoldedValues folded_;
  std::vector<Scope> scopes_;
  std::vector<ValueId> captured_;  // of the graph around, in the order of this one's Inputs for them
  absl::flat_hash_map<ValueId, ValueId> captures_;
};

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_GRAPH_IMPORTER_H_
