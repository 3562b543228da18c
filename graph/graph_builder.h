// SPDX-License-Identifier: Apache-2.0
//
// How people build graphs in C++: an API that reads like the mathematics. Op functions (`Relu(x)`, `MatMul(a,
// b)`) are generated into graph/ops.h.
#ifndef TENFOLD_GRAPH_GRAPH_BUILDER_H_
#define TENFOLD_GRAPH_GRAPH_BUILDER_H_

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph.h"

namespace tenfold {

class GraphBuilder;

// A value of a graph under construction: copied freely, valid as long as its builder. A value that stands for
// a failed op is poison: ops on it stay silent, so the first cause is the one reported.
class Value {
 public:
  Value() = default;
  // Unknown (f32[...]) for poison.
  const TensorType& type() const;
  DType dtype() const { return type().dtype; }
  const Shape& shape() const { return type().shape; }
  bool poison() const { return id_ < 0; }
  ValueId id() const { return static_cast<ValueId>(id_); }
  GraphBuilder* builder() const { return builder_; }

 private:
  friend class GraphBuilder;
  friend class ControlBuilder;
  Value(GraphBuilder* builder, int32_t id, int32_t scope = 0) : builder_(builder), id_(id), scope_(scope) {}
  GraphBuilder* builder_ = nullptr;
  int32_t id_ = -1;
  int32_t scope_ = 0;  // of the body that it belongs to
};

// A number or list of integers written where a value stands. It takes the dtype of the op's other operands: a
// floating literal rounds to nearest (refused if it becomes Inf), an integer literal must fit exactly, a
// floating literal with an integer tensor is refused (E0204).
using Literal = std::variant<int64_t, double, bool, std::vector<int64_t>>;
absl::StatusOr<Tensor> LiteralToTensor(const Literal& literal, DType dtype);

// An operand of an op function: a Value, a literal or nothing (`std::nullopt` for an optional input that is
// absent), and the place in the user's code.
class Operand {
 public:
  using Where = std::source_location;
  Operand(Value v, Where w = Where::current()) : value_(v), where_(w) {}                  // NOLINT
  Operand(std::nullopt_t, Where w = Where::current()) : where_(w) {}                      // NOLINT
  Operand(int v, Where w = Where::current()) : value_(Literal(int64_t{v})), where_(w) {}  // NOLINT
  Operand(int64_t v, Where w = Where::current()) : value_(Literal(v)), where_(w) {}       // NOLINT
  Operand(double v, Where w = Where::current()) : value_(Literal(v)), where_(w) {}        // NOLINT
  Operand(bool v, Where w = Where::current()) : value_(Literal(v)), where_(w) {}          // NOLINT
  Operand(std::initializer_list<int64_t> v, Where w = Where::current())                   // NOLINT
      : value_(Literal(std::vector<int64_t>(v))), where_(w) {}
  Operand(std::vector<int64_t> v, Where w = Where::current())  // NOLINT
      : value_(Literal(std::move(v))), where_(w) {}

  bool absent() const { return std::holds_alternative<std::monostate>(value_); }
  const Value* value() const { return std::get_if<Value>(&value_); }
  const Literal* literal() const { return std::get_if<Literal>(&value_); }
  const Where& where() const { return where_; }

 private:
  std::variant<std::monostate, Value, Literal> value_;
  Where where_;
};

// The results of an op. Those of a failed op are poison, and there are as many as one asks for.
class Values {
 public:
  Values() = default;
  Values(std::initializer_list<Value> values) : values_(values) {}
  explicit Values(std::vector<Value> values) : values_(std::move(values)) {}
  Values(std::vector<Value> values, Value beyond) : values_(std::move(values)), beyond_(beyond) {}
  Value operator[](size_t i) const { return i < values_.size() ? values_[i] : beyond_; }
  size_t size() const { return values_.size(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }

 private:
  std::vector<Value> values_;
  Value beyond_;
};

class GraphBuilder {
 public:
  using Where = std::source_location;

  explicit GraphBuilder(absl::string_view name = "main",
                        std::shared_ptr<const OpRegistry> registry = OpRegistry::Standard(),
                        const Limits& limits = {});
  GraphBuilder(const GraphBuilder&) = delete;

  Value Input(absl::string_view name, DType dtype, Shape shape, Where where = Where::current());
  // `{"N", 64}`: text is a symbol or an expression over symbols.
  struct DimArg {
    DimArg(int64_t v) : dim(v) {}  // NOLINT
    DimArg(int v) : dim(v) {}      // NOLINT
    DimArg(const char* text);      // NOLINT
    Dim dim;
    bool ok = true;
  };
  Value Input(absl::string_view name, DType dtype, std::initializer_list<DimArg> dims,
              Where where = Where::current());
  Value Const(Tensor tensor, absl::string_view name = "constant", Where where = Where::current());
  // An ingested array that may have been refused; the refusal is reported by Build, with this place.
  Value Const(absl::StatusOr<Tensor> tensor, absl::string_view name = "constant",
              Where where = Where::current());
  // The same, with what was done to it.
  Value Const(absl::StatusOr<IngestedArray> array, absl::string_view name = "constant",
              Where where = Where::current());
  void Output(absl::string_view name, Value value, Where where = Where::current());
  // States the values of an input, where they are known: as Graph::AssumeContents.
  void AssumeContents(Value input, Contents contents) {
    if (!input.poison()) graph_.AssumeContents(input.id(), std::move(contents));
  }
  // `N in [1,512]`.
  void Bound(absl::string_view symbol, DimBounds bounds);

  // Applies any op by name; what the generated op functions call. A refusal is recorded, and poison returned.
  Value Apply(absl::string_view op, std::initializer_list<Operand> operands, Attrs attrs = {},
              absl::string_view name = "");
  Values ApplyMulti(absl::string_view op, std::span<const Operand> operands, Attrs attrs,
                    absl::string_view name, const std::string& location);
  Values ApplyMulti(absl::string_view op, std::span<const Operand> operands, Attrs attrs = {});

  // Gives the names of values built while it lives a prefix ("fc1/"), and their place as that of `where`.
  class Scope {
   public:
    Scope(GraphBuilder& builder, absl::string_view name, Where where = Where::current());
    ~Scope();
    Scope(const Scope&) = delete;

   private:
    GraphBuilder& builder_;
    size_t prefix_length_;
    std::string saved_location_;
  };

  // Names the value (made unique) and gives it back: `Named(MatMul(x, w), "fc1/matmul")`.
  Value Named(Value value, absl::string_view name);

  // How errors name the place: that of the enclosing scope, if there is one.
  std::string PlaceOf(const Where& where) const { return LocationOf(where); }
  const TensorType& TypeOf(Value value) const;
  // What is being built: within the function of a body, that body.
  const Graph& graph() const { return bodies_.empty() ? graph_ : bodies_.back()->graph; }
  // The graph, or every error, first cause first.
  absl::StatusOr<Graph> Build() &&;

 private:
  friend class Scope;
  friend class ControlBuilder;  // graph/control_flow.cc

  // A body under construction. What it reads of the graph around it becomes an Input of it.
  struct OpenBody {
    Graph graph;
    int32_t scope;
    std::vector<ValueId> captured;  // of the graph around it, in the order of the body's Inputs for them
    absl::flat_hash_map<ValueId, ValueId> inputs;  // by captured value
  };
  Graph& current() { return bodies_.empty() ? graph_ : bodies_.back()->graph; }
  int32_t current_scope() const { return bodies_.empty() ? 0 : bodies_.back()->scope; }
  // Of a graph that is still being built; null otherwise.
  const Graph* GraphOf(Value value) const;
  // The value in the graph that is being built; captured where it belongs to one around that (E0105 where to
  // none).
  absl::StatusOr<ValueId> Import(Value value, absl::string_view what);
  absl::StatusOr<ValueId> Capture(size_t body, ValueId outer);
  // The inputs of a node; nullopt if one is poison, or an error was recorded.
  std::optional<std::vector<ValueId>> ReadOperands(const OpDef& op, std::span<const Operand> operands,
                                                   const std::string& location);
  Values ResultsOf(NodeId node);
  std::string LocationOf(const Where& where) const;
  Value Fail(const absl::Status& status, const std::string& location);
  Graph graph_;
  std::vector<Diagnostic> errors_;
  std::string prefix_;
  std::string location_;                           // of the enclosing scope; empty outside
  std::vector<std::unique_ptr<OpenBody>> bodies_;  // innermost last
  int32_t next_scope_ = 1;
  absl::flat_hash_set<std::string> functions_;  // names
};

// The builder that the operands belong to; null if none is a value.
GraphBuilder* BuilderOf(std::span<const Operand> operands);

// Applies an op to operands of which at least one is a value; a value without a builder otherwise, which
// GraphBuilder::Output reports (E0105).
Value ApplyOp(absl::string_view op, std::initializer_list<Operand> operands, Attrs attrs = {});
Values ApplyOpMulti(absl::string_view op, std::span<const Operand> operands, Attrs attrs = {});

Value operator+(Operand a, Operand b);
Value operator-(Operand a, Operand b);
Value operator*(Operand a, Operand b);
Value operator/(Operand a, Operand b);
Value operator-(Operand a);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_GRAPH_BUILDER_H_
