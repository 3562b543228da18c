// SPDX-License-Identifier: Apache-2.0
//
// One node of a model on its way to becoming one of ours, or a few: what the rows of the table of ops
// (graph/onnx/op_table.h) work on.
#ifndef TENFOLD_GRAPH_ONNX_NODE_DRAFT_H_
#define TENFOLD_GRAPH_ONNX_NODE_DRAFT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "proto/onnx.pb.h"
#include "tenfold/graph/graph.h"
#include "tenfold/graph/onnx/lengths.h"
#include "tenfold/graph/onnx/tensors.h"

namespace tenfold::onnx {

// What was computed of constants while importing.
struct FoldedValues {
  absl::flat_hash_map<ValueId, std::optional<Tensor>> values;  // nullopt: it does not follow from constants
  // What may still be spent, in operations and elements: a hostile model has a million nodes to compute.
  int64_t budget = int64_t{1} << 26;
  FollowedLengths lengths = {};
};

// The graph that nodes are added to, with what is known of it.
struct DraftGraph {
  Graph& graph;
  FoldedValues& folded;
};

class NodeDraft {
 public:
  using AttributeFinder = std::function<const AttributeProto*(absl::string_view name)>;

  // `names`: of the node's outputs, as the graph is to have them; empty where it has none. `find` gives the
  // attributes of the node, those that are attributes of a function around it followed to their values.
  NodeDraft(DraftGraph target, const NodeProto& node, int64_t opset, std::vector<std::string> names,
            Provenance provenance, AttributeFinder find, const TensorSource& source)
      : target_(target),
        node_(node),
        opset_(opset),
        names_(std::move(names)),
        provenance_(std::move(provenance)),
        find_(std::move(find)),
        source_(source) {}

  // --- What is to be built: at first the op of the same name, with the inputs and attributes that it has ---

  std::string op;
  std::vector<ValueId> inputs;  // kNoValue where one is absent
  Attrs attrs;
  Bodies bodies = {};
  // If not empty: all is built, and these are the node's outputs.
  std::vector<ValueId> results = {};

  // --- What the model says ---

  const NodeProto& node() const { return node_; }
  int64_t opset() const { return opset_; }
  const AttributeProto* Find(absl::string_view name) const { return find_(name); }
  int64_t Int(absl::string_view name, int64_t otherwise) const;
  std::string Text(absl::string_view name, absl::string_view otherwise) const;
  std::optional<std::vector<int64_t>> Ints(absl::string_view name) const;
  bool Has(size_t input) const { return input < inputs.size() && inputs[input] != kNoValue; }
  // Whether somebody may read it.
  bool Gives(size_t output) const { return output < names_.size() && !names_[output].empty(); }
  size_t num_outputs() const { return names_.size(); }
  // How many nodes come before it in its graph.
  size_t Position() const { return target_.graph.nodes().size(); }
  const TensorType& Type(size_t input) const { return TypeOf(inputs[input]); }
  const TensorType& TypeOf(ValueId value) const { return target_.graph.value(value).type; }
  // Errors: E0209 where it is not known.
  absl::StatusOr<int> Rank(size_t input) const;

  // --- Building ---

  // An attribute's value as one of ours (E0904 where it cannot be).
  absl::StatusOr<AttrValue> Convert(const AttributeProto& attribute, AttrKind kind) const;
  // The values of a constant, computed if it follows from constants; nullopt if it does not.
  std::optional<Tensor> Constant(size_t input) { return ConstantOf(inputs[input]); }
  std::optional<Tensor> ConstantOf(ValueId value);
  // The integers of an input that must be constant (E0906).
  absl::StatusOr<std::vector<int64_t>> ConstantInts(size_t input, absl::string_view name);
  // Puts `value` where input `i` is, with absent ones before it if need be.
  void SetInput(size_t i, ValueId value);
  absl::StatusOr<ValueId> Const(absl::StatusOr<Tensor> tensor);
  absl::StatusOr<ValueId> Const(const std::vector<int64_t>& list);
  // A node besides; its value is named after the first output.
  absl::StatusOr<ValueId> Emit(absl::string_view op, std::vector<ValueId> inputs, Attrs attrs = {});
  absl::StatusOr<std::vector<ValueId>> EmitAll(absl::string_view op, std::vector<ValueId> inputs,
                                               Attrs attrs);
  // The node itself: its outputs have the names that the model gives them.
  absl::StatusOr<std::vector<ValueId>> Finish();

 private:
  absl::StatusOr<NodeId> Add(absl::string_view op, std::vector<ValueId> inputs, Attrs attrs,
                             std::vector<std::string> names, Bodies bodies);

  const DraftGraph target_;
  const NodeProto& node_;
  const int64_t opset_;
  const std::vector<std::string> names_;
  const Provenance provenance_;
  const AttributeFinder find_;
  const TensorSource& source_;
};

}  // namespace tenfold::onnx

#endif  // TENFOLD_GRAPH_ONNX_NODE_DRAFT_H_
