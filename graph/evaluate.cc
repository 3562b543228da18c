// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/evaluate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/box_copy.h"
#include "tenfold/graph/composite.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate_control.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/graph/fused/kernel_failure.h"
#include "tenfold/graph/fused/lower.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/matmul_layout.h"
#include "tenfold/graph/matmul_reference.h"

namespace tenfold {
namespace {

using Tensors = std::vector<Tensor>;

// What all evaluations that one call leads to share.
struct How {
  std::optional<IsaLevel> level;
  const KernelInterrupt* interrupt;
  int64_t* steps_left;                    // iterations of loops
  const SymbolValues* symbols = nullptr;  // of the graph at hand, as far as they are known
};

absl::StatusOr<Tensors> Evaluate(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                 const How& how);

// A node alone in a graph whose inputs are typed as the tensors are. What inference must know the values of,
// as of Reshape's shape, is a constant in it.
struct SingleNode {
  Graph graph;
  std::vector<Tensor> feeds;  // of the graph's inputs, in order
  NodeId id{};

  const Node& node() const { return graph.node(id); }
  const TensorType& type(size_t output) const { return graph.value(node().outputs[output]).type; }
};

absl::StatusOr<SingleNode> Isolate(const Graph& graph, const Node& node, std::span<const Tensor> inputs) {
  SingleNode single{Graph(graph.shared_registry()), {}};
  single.graph.limits = graph.limits;
  std::vector<ValueId> operands;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (node.inputs[i] == kNoValue) {
      operands.push_back(kNoValue);
      continue;
    }
    const bool known = node.op->InputPort(i).known;
    const OpDef& op = *single.graph.registry().Find(known ? "Const" : "Input");
    Attrs attrs = known ? Attrs{{"value", inputs[i]}} : Attrs{{"type", inputs[i].type()}};
    TENFOLD_ASSIGN_OR_RETURN(NodeId id,
                             single.graph.AddNode(op, {}, std::move(attrs), {absl::StrCat("in", i)}, {}));
    operands.push_back(single.graph.node(id).outputs[0]);
    // What a composite stands for is fed all its inputs.
    if (!known || IsComposite(graph, node)) single.feeds.push_back(inputs[i]);
    if (known) continue;
    if (auto contents = ContentsOf(inputs[i])) single.graph.AssumeContents(operands.back(), *contents);
  }
  TENFOLD_ASSIGN_OR_RETURN(
      single.id, single.graph.AddNode(*node.op, operands, node.attrs, {graph.DisplayName(node.outputs[0])},
                                      node.provenance));
  for (size_t i = 0; i < single.node().outputs.size(); ++i) {
    const Shape& shape = single.type(i).shape;
    if (!shape.has_rank() || (!shape.is_static() && !PlacesOutputs(*node.op))) {
      return MakeError("E9001", absl::StrCat("the results of ", node.op->name, " have no known shape"));
    }
    TENFOLD_RETURN_IF_ERROR(single.graph.AddOutput(absl::StrCat("out", i), single.node().outputs[i]));
  }
  return single;
}

// Uninitialised tensors for the results.
absl::StatusOr<Tensors> AllocateResults(const SingleNode& single) {
  Tensors results;
  for (size_t i = 0; i < single.node().outputs.size(); ++i) {
    results.emplace_back();
    if (!single.type(i).shape.is_static()) continue;  // its place is found by the computation
    TENFOLD_ASSIGN_OR_RETURN(results.back(),
                             Tensor::Allocate(single.type(i).dtype, single.type(i).shape.static_dims()));
  }
  return results;
}

// "integer division by zero at [2,3] of Div 'q'".
absl::Status KernelFailure(const KernelError& error, const FusedKernel& kernel, const Graph& graph,
                           const Node& node) {
  const Dims dims = graph.value(node.outputs[0]).type.shape.static_dims();
  Dims index(dims.size());
  int64_t rest = error.index;
  for (size_t d = dims.size(); d-- > 0;) {
    index[d] = rest % std::max<int64_t>(1, dims[d]);
    rest /= std::max<int64_t>(1, dims[d]);
  }
  return DividedByZero(index, absl::StrCat(node.op->name, " '", kernel.name, "'"), node.provenance.location,
                       {});
}

absl::StatusOr<Tensors> RunFused(const SingleNode& single, const How& how) {
  const Node& node = single.node();
  TENFOLD_ASSIGN_OR_RETURN(LoweredKernel lowered,
                           LowerToKernel(single.graph, single.graph.DisplayName(node.outputs[0])));
  const FusedKernel& kernel = lowered.kernel;
  std::vector<int64_t> dims;
  for (const Dim& d : kernel.DimExpressions()) dims.push_back(d.constant());
  Tensors dense;
  std::vector<const void*> in;
  for (int i : lowered.body_inputs) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, single.feeds[i].Materialize());
    in.push_back(tensor.data());
    dense.push_back(std::move(tensor));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensors outputs, AllocateResults(single));
  std::vector<void*> out;
  for (Tensor& output : outputs) out.push_back(output.mutable_data());
  int64_t rows = 1;
  for (int d = 0; d < kernel.parallel_rank; ++d) rows *= kernel.extents[d].constant();
  const KernelInterpreter interpreter(kernel, how.level);
  // A tensor, for its alignment.
  TENFOLD_ASSIGN_OR_RETURN(
      Tensor scratch,
      Tensor::Allocate(DType::kU8, Dims{static_cast<int64_t>(interpreter.ScratchBytes(dims))}));
  KernelError error{std::numeric_limits<int64_t>::max(), kKernelOk, 0};
  const ScopedFloatEnvironment environment;
  interpreter.Run(
      {in.data(), out.data(), dims.data(), 0, rows, scratch.mutable_data(), &error, how.interrupt});
  if (error.code != kKernelOk) return KernelFailure(error, kernel, single.graph, node);
  return outputs;
}

constexpr int64_t kElementsBetweenPolls = 1 << 16;

// Copies the pieces of one output, bytes alone: payloads are kept.
absl::StatusOr<Tensor> RunLayout(const Layout& layout, const TensorType& type, std::span<const Tensor> inputs,
                                 const How& how) {
  const Dims dims = type.shape.static_dims();
  const bool one_piece = layout.fill == Layout::kNoFill && layout.pieces.size() == 1;
  if (one_piece) {
    const Tensor& input = inputs[layout.pieces[0].input];
    if (input.is_splat() && input.num_elements() > 0) return Tensor::Splat(type.dtype, dims, input.data());
    if (IsAlias(layout, input.type().shape)) return input.Reshape(dims);
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor output, Tensor::Allocate(type.dtype, dims));
  const auto size = static_cast<int64_t>(SizeOf(type.dtype));
  if (layout.fill == Layout::kZeros && output.num_elements() > 0) {
    std::memset(output.mutable_data(), 0, output.stored_bytes());
  } else if (layout.fill != Layout::kNoFill && output.num_elements() > 0) {
    BoxCopy({output.num_elements()}, 0, {0}, 0, {1}, size)
        .Run(inputs[layout.fill].data(), output.mutable_data(), 0, output.num_elements());
  }
  for (const Piece& piece : layout.pieces) {
    TENFOLD_ASSIGN_OR_RETURN(const Tensor input, inputs[piece.input].Materialize());
    const std::optional<BoxCopy> copy =
        BindPiece(piece, {}, size, input.num_elements(), output.num_elements());
    if (!copy) return MakeError("E9001", "a piece of a movement leaves its tensors");
    for (int64_t at = 0; at < copy->units() && !StopRequested(how.interrupt); at += kElementsBetweenPolls) {
      copy->Run(input.data(), output.mutable_data(), at, std::min(copy->units(), at + kElementsBetweenPolls));
    }
  }
  return output;
}

absl::StatusOr<Tensors> RunMovement(const SingleNode& single, std::span<const Tensor> inputs,
                                    const How& how) {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<Layout> layouts, LayoutsOf(single.graph, single.node()));
  Tensors results;
  for (size_t i = 0; i < layouts.size(); ++i) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor result, RunLayout(layouts[i], single.type(i), inputs, how));
    results.push_back(std::move(result));
  }
  return results;
}

// Tensors for the results whose extents a kernel finds.
class TensorPlacer final : public OutputPlacer {
 public:
  TensorPlacer(const SingleNode& single, Tensors& outputs) : single_(single), outputs_(outputs) {}
  absl::StatusOr<void*> Place(size_t output, std::span<const int64_t> dims, int64_t) override {
    TENFOLD_ASSIGN_OR_RETURN(outputs_[output], Tensor::Allocate(single_.type(output).dtype, dims));
    return outputs_[output].mutable_data();
  }

 private:
  const SingleNode& single_;
  Tensors& outputs_;
};

absl::StatusOr<Tensors> RunHostKernel(const SingleNode& single, std::span<const Tensor> inputs,
                                      const How& how) {
  const Node& node = single.node();
  const auto& kernel = std::get<HostKernel>(node.op->computation);
  KernelContext context(absl::StrCat(node.op->name, " '", single.graph.DisplayName(single.id), "'"),
                        node.provenance.location, node.attrs);
  Tensors dense(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    KernelTensor& view = context.inputs.emplace_back();
    view.absent = node.inputs.size() <= i || node.inputs[i] == kNoValue;
    if (view.absent) continue;
    TENFOLD_ASSIGN_OR_RETURN(dense[i], inputs[i].Materialize());
    view = {dense[i].dtype(), dense[i].dims(), dense[i].num_elements(), const_cast<void*>(dense[i].data())};
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensors outputs, AllocateResults(single));
  for (size_t i = 0; i < outputs.size(); ++i) {
    KernelTensor& view = context.outputs.emplace_back();
    view.dtype = single.type(i).dtype;
    if (!single.type(i).shape.is_static()) continue;
    view = {view.dtype, outputs[i].dims(), outputs[i].num_elements(), outputs[i].mutable_data()};
  }
  TensorPlacer placer(single, outputs);
  context.placer = &placer;
  Tensor scratch;  // a tensor, for its alignment
  if (kernel.scratch_bytes != nullptr) {
    TENFOLD_ASSIGN_OR_RETURN(scratch, Tensor::Allocate(DType::kU8, Dims{kernel.scratch_bytes(context)}));
  }
  SerialRunner runner(how.interrupt, scratch.mutable_data());
  context.runner = &runner;
  const ScopedFloatEnvironment environment;
  TENFOLD_RETURN_IF_ERROR(CallKernel(kernel, context));
  return outputs;
}

// What inference says of the results.
absl::StatusOr<Tensors> ResultsFromShapes(const SingleNode& single) {
  TENFOLD_ASSIGN_OR_RETURN(Tensors results, AllocateResults(single));
  for (size_t i = 0; i < results.size(); ++i) {
    const std::optional<Contents>& contents = single.graph.value(single.node().outputs[i]).contents;
    const bool whole = contents && static_cast<int64_t>(contents->size()) == results[i].num_elements();
    if (!whole || results[i].dtype() != DType::kI64)
      return MakeError("E9001", "inference does not say the values");
    for (size_t k = 0; k < contents->size(); ++k) {
      results[i].mutable_values<int64_t>()[k] = (*contents)[k].constant();
    }
  }
  return results;
}

Dims Constants(const std::vector<Dim>& dims) {
  Dims constants;
  for (const Dim& dim : dims) constants.push_back(dim.constant());
  return constants;
}

absl::StatusOr<Tensors> RunMatMul(const SingleNode& single, const How& how) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor lhs, single.feeds[0].Materialize());
  TENFOLD_ASSIGN_OR_RETURN(Tensor rhs, single.feeds[1].Materialize());
  const TensorType& type = single.type(0);
  TENFOLD_ASSIGN_OR_RETURN(Tensors outputs, AllocateResults(single));
  const MatMulLayout layout = LayOutMatMul(lhs.type().shape, rhs.type().shape);
  const Dims batch = Constants(layout.batch), lhs_strides = Constants(layout.lhs_strides),
             rhs_strides = Constants(layout.rhs_strides);
  const MatMulExtents extents{
      batch, lhs_strides, rhs_strides, layout.m.constant(), layout.k.constant(), layout.n.constant()};
  const ScopedFloatEnvironment environment;
  MatMulReference(type.dtype, extents, lhs.data(), rhs.data(), outputs[0].mutable_data(), 0,
                  extents.num_rows(), how.level, how.interrupt);
  return outputs;
}

// What the node's type assumes of sizes holds, as far as they are known.
absl::Status CheckSizes(const Graph& graph, const Node& node, const SymbolValues& symbols) {
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<SizeAssumption> assumptions, AssumptionsOf(graph, node));
  for (const SizeAssumption& assumption : assumptions) {
    const std::optional<int64_t> is = assumption.is.Evaluate(symbols),
                                 must = assumption.must.Evaluate(symbols);
    if (!is || !must || *is == *must) continue;
    const std::string name = node.op->name == "EnsureShape"
                                 ? node.attrs.Get<std::string>("reader")
                                 : absl::StrCat(node.op->name, " '", graph.DisplayName(node.outputs[0]), "'");
    return ToStatus(SizesDisagree(assumption, name, node.provenance.location, symbols));
  }
  return absl::OkStatus();
}

// Whether sizes of the graph, or of what is in its bodies, have values in an evaluation alone.
bool HasSymbols(const Graph& graph) {
  return graph.depth() > 0 || std::any_of(graph.inputs().begin(), graph.inputs().end(), [&](ValueId input) {
           const Shape& shape = graph.value(input).type.shape;
           return shape.has_rank() && !shape.is_static();
         });
}

// The evaluation of a graph without the observation at its end.
absl::StatusOr<Tensors> EvaluateBody(const Graph& graph, std::span<const Tensor> feeds, const How& outer) {
  absl::flat_hash_map<ValueId, Tensor> values;
  // A symbol that no input tells is one of the graph around.
  SymbolValues symbols;
  const bool symbolic = HasSymbols(graph);
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    values[graph.inputs()[i]] = feeds[i];
    if (symbolic) BindSymbols(graph.value(graph.inputs()[i]).type, feeds[i].dims(), symbols);
  }
  if (outer.symbols != nullptr && symbolic) symbols.insert(outer.symbols->begin(), outer.symbols->end());
  How how = outer;
  how.symbols = &symbols;
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op->name == "Input") continue;
    Tensors inputs;
    for (ValueId input : node.inputs) inputs.push_back(input == kNoValue ? Tensor() : values[input]);
    if (symbolic && !node.op->Is<Source>()) TENFOLD_RETURN_IF_ERROR(CheckSizes(graph, node, symbols));
    TENFOLD_ASSIGN_OR_RETURN(Tensors outputs, Evaluate(graph, node, inputs, how));
    if (StopRequested(how.interrupt) && node.op->Is<Control>()) return Tensors(graph.outputs().size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (symbolic) BindSymbols(graph.value(node.outputs[i]).type, outputs[i].dims(), symbols);
      values[node.outputs[i]] = std::move(outputs[i]);
    }
  }
  Tensors results;
  for (const GraphOutput& output : graph.outputs()) results.push_back(values[output.value]);
  return results;
}

// An elementwise op on splats alone: one element is computed.
absl::StatusOr<Tensors> EvaluateSplats(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                       const Dims& dims, const How& how) {
  Tensors elements;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& input = inputs[i];
    if (node.inputs[i] == kNoValue) {
      elements.emplace_back();
      continue;
    }
    TENFOLD_ASSIGN_OR_RETURN(Tensor element, Tensor::Splat(input.dtype(), {}, input.data()));
    elements.push_back(std::move(element));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensors result, Evaluate(graph, node, elements, how));
  TENFOLD_ASSIGN_OR_RETURN(Tensor splat, Tensor::Splat(result[0].dtype(), dims, result[0].data()));
  return Tensors{std::move(splat)};
}

absl::StatusOr<Tensors> Evaluate(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                 const How& how) {
  if (node.op->name == "Const") return Tensors{node.tensor()};
  if (node.op->name == "EnsureShape")
    return Tensors{inputs[0]};  // its type names symbols, which have values here
  if (node.op->Is<FusedBody>()) return EvaluateBody(*node.bodies[0], inputs, how);
  if (node.op->Is<Control>()) {
    static const auto* const kNoSymbols = new SymbolValues();
    const auto run_body = [&](const Graph& body, std::span<const Tensor> given) {
      return EvaluateBody(body, given, how);
    };
    const auto should_stop = [&] { return StopRequested(how.interrupt); };
    const ControlRun run = {run_body, should_stop, *how.steps_left,
                            how.symbols == nullptr ? *kNoSymbols : *how.symbols};
    return EvaluateControl(graph, node, inputs, run);
  }
  TENFOLD_ASSIGN_OR_RETURN(const SingleNode single, Isolate(graph, node, inputs));
  const bool one_value_each = std::all_of(single.feeds.begin(), single.feeds.end(), [](const Tensor& t) {
    return t.num_elements() == 1 || (t.is_splat() && t.num_elements() > 0);
  });
  if (node.op->Is<Elementwise>() && one_value_each) {
    const Dims dims = single.type(0).shape.static_dims();
    if (NumElements(dims).value_or(0) > 1) return EvaluateSplats(graph, node, inputs, dims, how);
  }
  if (IsComposite(single.graph, single.node())) {
    std::vector<InferInput> types;
    for (size_t i = 0; i < inputs.size(); ++i) {
      InferInput& input = types.emplace_back();
      input.absent = node.inputs[i] == kNoValue;
      if (!input.absent) input.type = inputs[i].type(), input.contents = ContentsOf(inputs[i]);
    }
    TENFOLD_ASSIGN_OR_RETURN(const Graph body, ExpandComposite(single.graph, single.node(), types));
    return EvaluateBody(body, single.feeds, how);
  }
  if (node.op->Is<Elementwise>() || node.op->Is<Reduction>()) return RunFused(single, how);
  if (node.op->Is<Movement>()) return RunMovement(single, inputs, how);
  if (node.op->Is<Contraction>()) return RunMatMul(single, how);
  if (node.op->Is<HostKernel>()) return RunHostKernel(single, inputs, how);
  if (node.op->Is<FromShapes>()) return ResultsFromShapes(single);
  return MakeError("E9001", absl::StrCat(node.op->name, " cannot be evaluated"));
}

}  // namespace

bool PlacesOutputs(const OpDef& op) {
  const auto* const kernel = std::get_if<HostKernel>(&op.computation);
  return kernel != nullptr && kernel->places_outputs;
}

absl::StatusOr<Tensors> EvaluateNode(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                     std::optional<IsaLevel> level, const KernelInterrupt* interrupt) {
  int64_t steps = graph.limits.loop_steps;
  return Evaluate(graph, node, inputs, {level, interrupt, &steps});
}

absl::StatusOr<Tensors> EvaluateGraph(const Graph& graph, std::span<const Tensor> feeds,
                                      std::optional<IsaLevel> level) {
  if (feeds.size() != graph.inputs().size()) {
    return MakeError(
        "E0103", absl::StrCat("the graph takes ", graph.inputs().size(), " inputs, but got ", feeds.size()));
  }
  int64_t steps = graph.limits.loop_steps;
  TENFOLD_ASSIGN_OR_RETURN(Tensors results, EvaluateBody(graph, feeds, {level, nullptr, &steps}));
  for (Tensor& result : results) {
    if (!HasNan(result.dtype())) continue;
    TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, result.Materialize());
    TENFOLD_ASSIGN_OR_RETURN(Tensor observed, Tensor::Allocate(dense.dtype(), dense.dims()));
    if (dense.num_elements() > 0) std::memcpy(observed.mutable_data(), dense.data(), dense.stored_bytes());
    CanonicalizeNans(observed.dtype(), observed.mutable_data(), observed.num_elements());
    result = std::move(observed);
  }
  return results;
}

namespace {

// Of bodies, since Calls share theirs. A dim that is no constant: unknown.
using Estimates = absl::flat_hash_map<const Graph*, Dim>;

Dim Unknown() { return Dim::Symbol("?"); }

Dim EstimateNode(const Graph& graph, const Node& node, Estimates& known);

Dim EstimateBody(const Graph& body, Estimates& known) {
  if (const auto it = known.find(&body); it != known.end()) return it->second;
  Dim work = 1;
  for (NodeId id : body.nodes()) work = work + EstimateNode(body, body.node(id), known);
  if (!work.is_constant()) work = Unknown();
  return known[&body] = work;
}

// How often a loop goes round at most.
Dim Trips(const Graph& graph, const Node& node) {
  const absl::StatusOr<ControlLayout> layout = LayOutControl(*node.op, node.inputs.size(), node.attrs);
  if (!layout.ok()) return Unknown();
  if (layout->kind == ControlKind::kScan) {
    const Shape& shape = graph.value(node.inputs[layout->carried]).type.shape;
    const std::optional<int> axis =
        shape.has_rank() ? NormalizeAxis(layout->scan_inputs[0].axis, shape.rank()) : std::nullopt;
    return axis ? shape.dim(*axis) : Unknown();
  }
  if (node.inputs.empty() || node.inputs[0] == kNoValue) return Unknown();
  const std::optional<Contents>& contents = graph.value(node.inputs[0]).contents;
  return contents && contents->size() == 1 ? Max((*contents)[0], Dim(0)) : Unknown();
}

// What its parts take.
Dim EstimateComposite(const Graph& graph, const Node& node) {
  const absl::StatusOr<Graph> body = ExpandComposite(graph, node);
  if (!body.ok()) return Unknown();
  Estimates known;  // of graphs that are gone afterwards
  return EstimateBody(*body, known);
}

Dim EstimateNode(const Graph& graph, const Node& node, Estimates& known) {
  if (IsComposite(graph, node)) return EstimateComposite(graph, node);
  Dim work = 0;
  const auto elements = [&](ValueId id) {
    const Shape& shape = graph.value(id).type.shape;
    return shape.has_rank() ? shape.num_elements() : Unknown();
  };
  // What a kernel selects is no more than what it reads.
  if (!PlacesOutputs(*node.op)) {
    for (ValueId output : node.outputs) work = work + elements(output);
  }
  for (ValueId input : Present(node.inputs)) work = work + elements(input);
  if (const auto* kernel = std::get_if<HostKernel>(&node.op->computation)) work = work * Dim(kernel->cost);
  if (node.op->Is<Contraction>()) {
    const Shape& lhs = graph.value(node.inputs[0]).type.shape;
    if (lhs.has_rank()) work = work + elements(node.outputs[0]) * lhs.dim(lhs.rank() - 1);
  }
  if (node.op->Is<Control>()) {
    Dim bodies = 0;
    for (const auto& body : node.bodies) bodies = bodies + EstimateBody(*body, known);
    const auto kind = std::get<Control>(node.op->computation).kind;
    const bool repeats = kind == ControlKind::kLoop || kind == ControlKind::kScan;
    work = work + (repeats ? bodies * Trips(graph, node) : bodies);
  }
  return work;
}

}  // namespace

std::optional<int64_t> EstimateOperations(const Graph& graph, const Node& node) {
  Estimates known;
  const Dim work = EstimateNode(graph, node, known);
  if (!work.is_constant()) return std::nullopt;
  return work.constant();
}

}  // namespace tenfold
