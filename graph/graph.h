// SPDX-License-Identifier: Apache-2.0
//
// A typed dataflow graph: nodes in topological order, each value produced once. Passes edit it; the mutation
// counter tells whether one did.
#ifndef TENFOLD_GRAPH_GRAPH_H_
#define TENFOLD_GRAPH_GRAPH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/contract.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ingest_record.h"
#include "tenfold/graph/limits.h"
#include "tenfold/graph/op_registry.h"

namespace tenfold {

enum class ValueId : int32_t {};
enum class NodeId : int32_t {};

// In the place of an optional input that is absent.
inline constexpr ValueId kNoValue{-1};

// Those of `inputs` that are there. Whoever does not care for positions walks a node's inputs by this.
inline auto Present(const std::vector<ValueId>& inputs) {
  return inputs | std::views::filter([](ValueId id) { return id != kNoValue; });
}

// Where a node comes from. Survives every pass.
struct Provenance {
  std::string location;           // "examples/digits.cc:31", "model.tnt:4:3", a model's node name
  std::string array;              // of a Const: "weights.npz: fc1/w"
  std::vector<std::string> from;  // if a pass made the node: names of the source values that it stands for
  IngestRecord ingest = {};       // of a Const: what was done to the array's values on their way in
  bool operator==(const Provenance&) const = default;
};

class Graph;
using Bodies = std::vector<std::shared_ptr<const Graph>>;

struct Node {
  const OpDef* op = nullptr;
  std::vector<ValueId> inputs;  // kNoValue where an optional one is absent; the last is always there
  std::vector<ValueId> outputs;
  Attrs attrs;  // complete: every declared attribute that has a default is there
  Provenance provenance;
  // Of a fused node its group; of a control op the graphs that it runs (graph/control.h). A Call shares its
  // body with other Calls.
  Bodies bodies;

  // The value of a Const.
  const Tensor& tensor() const;
};

struct ValueInfo {
  std::string name;  // unique in the graph; empty only for a Const that the text form writes inline
  TensorType type;
  std::optional<Contents> contents;
  NodeId producer;
  int output_index = 0;
};

struct GraphOutput {
  std::string name;  // what a caller fetches; often the value's own name
  ValueId value;
};

// A value type; copies are independent (tensors shared). Thread-compatible.
class Graph {
 public:
  explicit Graph(std::shared_ptr<const OpRegistry> registry = OpRegistry::Standard())
      : registry_(std::move(registry)) {}

  std::string name = "main";
  std::map<std::string, DimBounds> symbol_bounds;
  // By the name of the input whose feeds they are about.
  std::map<std::string, Contract> contracts;
  // Of what AddNode infers: the rank of its results.
  Limits limits;

  const OpRegistry& registry() const { return *registry_; }
  const std::shared_ptr<const OpRegistry>& shared_registry() const { return registry_; }

  // --- Reading ---

  // Live nodes, each after the producers of its inputs.
  const std::vector<NodeId>& nodes() const { return order_; }
  const Node& node(NodeId id) const { return *nodes_[static_cast<int>(id)]; }
  const ValueInfo& value(ValueId id) const { return values_[static_cast<int>(id)]; }
  const Node& producer(ValueId id) const { return node(value(id).producer); }
  // Values of the Input nodes, in the order of declaration.
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<GraphOutput>& outputs() const { return outputs_; }
  int num_values() const { return static_cast<int>(values_.size()); }
  std::optional<ValueId> FindValue(absl::string_view name) const;
  // For messages: the name, or "%7" for an unnamed value.
  std::string DisplayName(ValueId id) const;
  // "Input 'x' (examples/digits.cc:24)".
  std::string DescribeOrigin(ValueId id) const;
  // The first output's display name.
  std::string DisplayName(NodeId id) const { return DisplayName(node(id).outputs[0]); }
  // Names of the source values that the node stands for: its `from`, or its own where no pass made it.
  std::vector<std::string> SourceNames(NodeId id) const;
  // The provenance of a node that stands for `nodes`: the place of `place`, and all their source names, once.
  Provenance MergedProvenance(NodeId place, std::span<const NodeId> nodes) const;
  // Nodes that read each value, indexed by ValueId; outputs of the graph are not counted.
  std::vector<std::vector<NodeId>> Readers() const;
  // The Const tensor that produces `id`, or null.
  const Tensor* ConstantValue(ValueId id) const;
  // How many levels of bodies there are within: 0 if no node has any.
  int depth() const { return depth_; }
  // Nodes, with those of all bodies, each body counted once.
  int64_t CountNodes() const;
  // A symbol that neither this graph nor one around it uses: `hint`, or that with a number.
  std::string FreshSymbol(const std::string& hint) const;

  // --- Building and editing; each call that changes something counts one mutation ---

  // Infers types and appends a node. `names` are for the outputs, made unique by a suffix where taken
  // ("y.1"); missing ones are derived from the op's name. An empty name of a Const stays empty.
  absl::StatusOr<NodeId> AddNode(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs,
                                 std::vector<std::string> names, Provenance provenance, Bodies bodies = {});
  // The graph whose node this one is to be a body of, while both are built: its symbols are not fresh here.
  // Null again before this graph is moved or copied out.
  void SetEnclosing(const Graph* enclosing) { enclosing_ = enclosing; }
  // States the values of an Input of a graph that stands for a part of another, where they are known.
  void AssumeContents(ValueId input, Contents contents);
  // Declares an Input anew (E0210 for a symbol that a node of this graph gives). What follows from it is
  // inferred by Reinfer.
  absl::Status SetInputType(ValueId input, TensorType type, std::optional<Contents> contents = std::nullopt);
  // Takes away an Input that nothing reads.
  void RemoveInput(ValueId input);
  // Infers every node again, after types of inputs or operands have changed; bodies follow their operands.
  // After an error the graph is of no use.
  absl::Status Reinfer();
  // Gives a node other operands, and a control node other bodies; its results keep their types (E9001
  // otherwise).
  absl::Status SetBodies(NodeId node, std::vector<ValueId> inputs, Attrs attrs, Bodies bodies);
  // Refuses (E0104) a name that is taken.
  absl::Status AddOutput(absl::string_view name, ValueId value);
  // Every reader of `from`, and every output, reads `to` instead. Types must agree (E9001 otherwise).
  absl::Status ReplaceAllUses(ValueId from, ValueId to);
  // The same where more is known of the type of `to`; Reinfer must follow.
  void ReplaceAllUsesByRefined(ValueId from, ValueId to);
  // Gives the value another name, made unique by a suffix where it is taken.
  absl::Status Rename(ValueId value, absl::string_view name);
  // The two values exchange names, so that a replacement keeps the name that people know.
  void SwapNames(ValueId a, ValueId b);
  void SetProvenance(NodeId node, Provenance provenance);
  // Removes nodes that no output needs, Inputs excepted; gives how many.
  int RemoveDeadNodes();
  // Restores topological order after edits that put producers behind readers (stable).
  absl::Status SortTopologically();

  int64_t mutation_count() const { return mutation_count_; }

 private:
  std::string UniqueName(absl::string_view wanted);
  void FreeName(ValueId id);
  absl::Status CheckLimits(const OpDef& op, const std::vector<std::string>& names,
                           const std::vector<InferResult>& results, const Bodies& bodies) const;
  // Refuses symbols that would mean two things (E0210), and takes note of the others.
  absl::Status TakeSymbols(const OpDef& op, const Attrs& attrs, const std::vector<InferResult>& results);
  // Contracts follow the inputs that they are about.
  void RenameContract(const std::string& from, const std::string& to);
  std::shared_ptr<const OpRegistry> registry_;
  std::vector<std::shared_ptr<Node>> nodes_;
  std::vector<NodeId> order_;
  std::vector<ValueInfo> values_;
  // By value: the nodes that read it, and some that did, so that a replacement looks at these alone.
  std::vector<std::vector<NodeId>> users_;
  std::vector<ValueId> inputs_;
  std::vector<GraphOutput> outputs_;
  absl::flat_hash_map<std::string, ValueId> by_name_;
  // No suffix of a name below this is free; without it, naming n values alike takes n^2 steps.
  absl::flat_hash_map<std::string, int64_t> next_suffix_;
  int64_t mutation_count_ = 0;
  int depth_ = 0;
  const Graph* enclosing_ = nullptr;
  // All that types name, and those of them that a node gives, whose extents only a run knows.
  absl::flat_hash_set<std::string> symbols_, run_time_symbols_;
};

// Calls visit(body) for every graph within `graph`, each once, those within a body before it.
void VisitBodies(const Graph& graph, absl::FunctionRef<void(const std::shared_ptr<const Graph>&)> visit);

// The values of a small tensor of signed integers, a list or a scalar, as dims.
std::optional<Contents> ContentsOf(const Tensor& tensor);

// The name that a value gets when nobody named it: "matmul" for MatMul.
std::string DefaultValueName(const OpDef& op);

// The dtype that a literal in place of input `port` takes: that of another operand bound to the same type
// variable, or the only one that the port admits, or i64 of two for indices. `dtype_of(k)` gives operand k's
// dtype, nullopt for a literal.
std::optional<DType> LiteralDType(const OpDef& op, size_t port, size_t num_operands,
                                  const std::function<std::optional<DType>(size_t)>& dtype_of);

// What the types of the node's results take for granted (graph/infer_context.h).
absl::StatusOr<std::vector<SizeAssumption>> AssumptionsOf(const Graph& graph, const Node& node);

// Where the elements of a movement's outputs come from.
absl::StatusOr<std::vector<Layout>> LayoutsOf(const Graph& graph, const Node& node);

// Re-infers every node and compares with the stored types; checks order, uniqueness of names and outputs
// (E9001). What the pipeline runs after every pass.
absl::Status VerifyGraph(const Graph& graph);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_GRAPH_H_
