// SPDX-License-Identifier: Apache-2.0
//
// What an op's inference sees, and how it states constraints. The context writes the errors: it knows the
// node's name, where it was built, and where its inputs come from.
#ifndef TENFOLD_GRAPH_INFER_CONTEXT_H_
#define TENFOLD_GRAPH_INFER_CONTEXT_H_

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tenfold/graph/layout.h"
#include "tenfold/graph/mend.h"
#include "tenfold/graph/op_def.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/size_assumption.h"

namespace tenfold {

// A small integer tensor's values, known while building: Shape -> Gather -> Reshape resolves to a type.
using Contents = std::vector<Dim>;
inline constexpr int kMaxKnownContents = 64;
// The attribute of ops whose results may have extents that only a run knows: the names of the symbols that
// stand for them. Inference gives names where there are none.
inline constexpr char kSymbolsAttr[] = "symbols";
AttrDef SymbolsAttr();

struct InferInput {
  TensorType type;
  std::optional<Contents> contents;
  std::string name;    // of the value; may be empty
  std::string origin;  // "Input 'x' (examples/digits.cc:24)"
  bool absent = false;
  const Tensor* constant = nullptr;  // of a Const
};

class Graph;

// What inference is given of the graph that the node stands in.
struct InferScope {
  std::span<const std::shared_ptr<const Graph>> bodies = {};
  // A symbol that the graph does not use yet, named after `hint`.
  std::function<std::string(const std::string& hint)> fresh_symbol = nullptr;
  // Where what is assumed goes. Null: nothing may be, and sizes must be proven equal.
  std::vector<SizeAssumption>* assumptions = nullptr;
};

struct InferResult {
  TensorType type;
  std::optional<Contents> contents;
  Layout layout;  // of a movement's output of known rank
};

class InferContext {
 public:
  InferContext(const OpDef& op, std::string node_name, std::span<const InferInput> inputs, const Attrs& attrs,
               const InferScope& scope);

  const OpDef& op() const { return op_; }
  const Attrs& attrs() const { return attrs_; }
  // At least one for each port; those of a variadic port follow one another.
  int num_inputs() const { return static_cast<int>(inputs_.size()); }
  bool has(int i) const { return i >= 0 && i < num_inputs() && !inputs_[i].absent; }
  // The following are of inputs that are there; the contents of an absent one are unknown.
  DType dtype(int i) const { return inputs_[i].type.dtype; }
  const Shape& shape(int i) const { return inputs_[i].type.shape; }
  const std::optional<Contents>& contents(int i) const { return inputs_[i].contents; }
  const TensorType& type(int i) const { return inputs_[i].type; }
  // The graphs that the node owns.
  const Graph& body(int i) const { return *scope_.bodies[i]; }
  int num_bodies() const { return static_cast<int>(scope_.bodies.size()); }
  // The tensor of a Const; null if the input is none.
  const Tensor* constant(int i) const { return inputs_[i].constant; }

  // --- Constraints. Each refusal names the inputs, their types and origins. ---

  // The NumPy broadcast of all inputs' shapes (E0202). Unknown rank if any has. Of sizes that are not known
  // to be 1 it is assumed that they are equal.
  absl::StatusOr<Shape> BroadcastAll();
  // `input_a`: the input whose first dims are those of `a`, so that something may be assumed of them; -1:
  // none.
  absl::StatusOr<Shape> Broadcast(const Shape& a, const Shape& b, absl::string_view what, int input_a = -1,
                                  int input_b = -1);
  absl::Status RankAtLeast(int i, int rank);
  // Dim `lhs_dim` of input `lhs` equals dim `rhs_dim` of input `rhs`, negative dims from the end (E0201).
  absl::Status SameDim(int lhs, int lhs_dim, int rhs, int rhs_dim, absl::string_view what);
  // True if dim `dim` of input `i` is `must`, or may be, which is assumed then: inference begins anew with
  // the operand as one of that size.
  bool TakeDim(int i, int dim, const Dim& must);
  // The same of a whole shape.
  bool TakeShape(int i, const Shape& must);
  // True if a size, described by `what`, is `must` or may be, which is assumed of the node then.
  bool TakeSize(const Dim& is, const Dim& must, std::string what);
  // The attribute `name` as an axis of a tensor of `rank` dims (E0203).
  absl::StatusOr<int> Axis(absl::string_view name, int rank);
  // The attribute `name` as distinct axes, sorted; an empty list means all axes.
  absl::StatusOr<std::vector<int>> Axes(absl::string_view name, int rank);
  // "lhs 'x' is f32[28,28]".
  std::string InputText(int i) const;
  // The name by which the input is known in `help`: the value's, or the port's where it has none.
  std::string NameOf(int i) const;
  // The values of an input that the result's shape follows from, which must be known here (E0211) and a list
  // or a scalar; the second form wants integers, not expressions.
  absl::StatusOr<Contents> Known(int i);
  absl::StatusOr<std::vector<int64_t>> KnownInts(int i);
  // `axes` of an input or an attribute named `name`, as they are listed, brought into [0, rank) (E0203).
  absl::StatusOr<std::vector<int>> NormalizeAxes(absl::string_view name, std::span<const int64_t> axes,
                                                 int rank);
  // Refuses with this node's name before `message` and the inputs' origins after it.
  absl::Status Fail(absl::string_view code, absl::string_view message, Mend help = {});

  // --- Results ---

  // Output `i`: its dtype follows from the op's ports.
  absl::Status SetOutput(int i, Shape shape);
  // The whole type, for sources.
  absl::Status SetOutputType(int i, TensorType type);
  absl::Status SetContents(int i, Contents contents);
  // An extent that only a run knows: a symbol of its own, whose name the attribute `symbols` keeps, so that
  // inferring again gives the same one. The op must have the attribute.
  Dim RunTimeDim();
  // Where the elements of a movement's output come from.
  void SetLayout(int i, Layout layout) { results_[i].layout = std::move(layout); }
  // How many results a variadic output stands for; before they are set.
  absl::Status SetNumOutputs(const Dim& count);

  // Used by InferNode.
  absl::Status CheckDTypes();
  std::vector<InferResult> TakeResults() { return std::move(results_); }
  const std::vector<std::string>& run_time_symbols() const { return run_time_symbols_; }
  // What was assumed; of operands, it is not in the results yet.
  const std::vector<SizeAssumption>& assumptions() const { return assumptions_; }
  // Errors show the types that operands have, not those that they are taken as.
  void SetInputsAsGiven(std::span<const InferInput> given) { given_ = given; }

 private:
  // A shape that is broadcast, and the input whose first dims it is.
  struct BroadcastOperand {
    const Shape* shape;
    int input;
  };
  absl::StatusOr<Shape> BroadcastOperands(std::span<const BroadcastOperand> operands, absl::string_view what);
  absl::StatusOr<Dim> BroadcastDim(std::span<const BroadcastOperand> operands, int from_end,
                                   absl::string_view what);
  absl::Status DoNotBroadcast(const Dim& x, const Dim& y, int from_end, bool same_rank,
                              absl::string_view what);
  std::string PortText(int i) const;
  const OpDef& op_;
  std::string node_name_;
  std::span<const InferInput> inputs_;  // as they are taken
  const Attrs& attrs_;
  const InferScope& scope_;
  std::vector<InferResult> results_;
  std::vector<std::string> run_time_symbols_;
  std::vector<SizeAssumption> assumptions_;
  std::span<const InferInput> given_;  // as they are
};

// Completes `attrs` with defaults and checks kinds and names, checks the number of inputs and their dtypes,
// and infers the outputs. The one inference that builder, importers and verifier use.
absl::StatusOr<std::vector<InferResult>> InferNode(const OpDef& op, std::string node_name,
                                                   std::span<const InferInput> inputs, Attrs& attrs,
                                                   const InferScope& scope = {});

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INFER_CONTEXT_H_
