// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/evaluate.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/composite.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/graph/fused/interpret.h"
#include "tenfold/graph/fused/kernel_failure.h"
#include "tenfold/graph/fused/lower.h"
#include "tenfold/graph/matmul_layout.h"
#include "tenfold/graph/matmul_reference.h"

namespace tenfold {
namespace {

using Tensors = std::vector<Tensor>;

// What all evaluations that one call leads to share.
struct How {
  std::optional<IsaLevel> level;
  const KernelInterrupt* interrupt;
};

absl::StatusOr<Tensors> Evaluate(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                 const How& how);

// A graph that holds `node` alone, its inputs typed as the tensors are. A tensor that inference must know the
// values of (Reshape's shape) is a constant in it.
absl::StatusOr<Graph> SingleNodeGraph(const Graph& graph, const Node& node, std::span<const Tensor> inputs) {
  Graph single(graph.shared_registry());
  single.limits = graph.limits;
  std::vector<ValueId> operands;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool known = node.op->Is<Movement>() && i > 0;
    const OpDef& op = *single.registry().Find(known ? "Const" : "Input");
    Attrs attrs = known ? Attrs{{"value", inputs[i]}} : Attrs{{"type", inputs[i].type()}};
    TENFOLD_ASSIGN_OR_RETURN(NodeId id,
                             single.AddNode(op, {}, std::move(attrs), {absl::StrCat("in", i)}, {}));
    operands.push_back(single.node(id).outputs[0]);
  }
  TENFOLD_ASSIGN_OR_RETURN(NodeId id, single.AddNode(*node.op, operands, node.attrs,
                                                     {graph.DisplayName(node.outputs[0])}, node.provenance));
  for (size_t i = 0; i < single.node(id).outputs.size(); ++i) {
    TENFOLD_RETURN_IF_ERROR(single.AddOutput(absl::StrCat("out", i), single.node(id).outputs[i]));
  }
  return single;
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

absl::StatusOr<Tensors> RunFused(const Graph& single, const Node& node, std::span<const Tensor> inputs,
                                 const How& how) {
  TENFOLD_ASSIGN_OR_RETURN(LoweredKernel lowered, LowerToKernel(single, single.DisplayName(node.outputs[0])));
  const FusedKernel& kernel = lowered.kernel;
  std::vector<int64_t> dims;
  for (const Dim& d : kernel.DimExpressions()) dims.push_back(d.constant());
  Tensors dense, outputs;
  std::vector<const void*> in;
  for (int i : lowered.body_inputs) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, inputs[i].Materialize());
    in.push_back(tensor.data());
    dense.push_back(std::move(tensor));
  }
  std::vector<void*> out;
  for (const GraphOutput& output : single.outputs()) {
    const TensorType& type = single.value(output.value).type;
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type.dtype, type.shape.static_dims()));
    out.push_back(tensor.mutable_data());
    outputs.push_back(std::move(tensor));
  }
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
  if (error.code != kKernelOk) return KernelFailure(error, kernel, single, node);
  return outputs;
}

constexpr int64_t kElementsBetweenPolls = 1 << 16;

// Copies by strides, bytes alone: payloads are kept.
absl::StatusOr<Tensors> RunMovement(const Graph& single, const Node& node, const Tensor& input,
                                    const How& how) {
  const TensorType& type = single.value(node.outputs[0]).type;
  const Dims dims = type.shape.static_dims();
  const auto strides = std::get<Movement>(node.op->computation)
                           .strides(single.value(node.inputs[0]).type.shape, type.shape, node.attrs);
  if (input.is_splat()) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor splat, Tensor::Splat(type.dtype, dims, input.data()));
    return Tensors{std::move(splat)};
  }
  if (strides == RowMajorStrides(type.shape.dims())) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor alias, input.Reshape(dims));
    return Tensors{std::move(alias)};
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor output, Tensor::Allocate(type.dtype, dims));
  const size_t size = SizeOf(type.dtype);
  const auto* from = static_cast<const char*>(input.data());
  auto* to = static_cast<char*>(output.mutable_data());
  Dims index(dims.size(), 0);
  int64_t offset = 0;
  for (int64_t i = 0; i < output.num_elements(); ++i) {
    if (i % kElementsBetweenPolls == 0 && StopRequested(how.interrupt)) break;
    std::memcpy(to + i * size, from + offset * size, size);
    for (int d = static_cast<int>(dims.size()) - 1; d >= 0; --d) {  // an odometer
      offset += strides[d].constant();
      if (++index[d] < dims[d]) break;
      offset -= index[d] * strides[d].constant();
      index[d] = 0;
    }
  }
  return Tensors{std::move(output)};
}

Dims Constants(const std::vector<Dim>& dims) {
  Dims constants;
  for (const Dim& dim : dims) constants.push_back(dim.constant());
  return constants;
}

absl::StatusOr<Tensors> RunMatMul(const Graph& single, const Node& node, std::span<const Tensor> inputs,
                                  const How& how) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor lhs, inputs[0].Materialize());
  TENFOLD_ASSIGN_OR_RETURN(Tensor rhs, inputs[1].Materialize());
  const TensorType& type = single.value(node.outputs[0]).type;
  TENFOLD_ASSIGN_OR_RETURN(Tensor out, Tensor::Allocate(type.dtype, type.shape.static_dims()));
  const MatMulLayout layout = LayOutMatMul(lhs.type().shape, rhs.type().shape);
  const Dims batch = Constants(layout.batch), lhs_strides = Constants(layout.lhs_strides),
             rhs_strides = Constants(layout.rhs_strides);
  const MatMulExtents extents{
      batch, lhs_strides, rhs_strides, layout.m.constant(), layout.k.constant(), layout.n.constant()};
  const ScopedFloatEnvironment environment;
  MatMulReference(type.dtype, extents, lhs.data(), rhs.data(), out.mutable_data(), 0, extents.num_rows(),
                  how.level, how.interrupt);
  return Tensors{std::move(out)};
}

// The evaluation of a graph without the observation at its end.
absl::StatusOr<Tensors> EvaluateBody(const Graph& graph, std::span<const Tensor> feeds, const How& how) {
  absl::flat_hash_map<ValueId, Tensor> values;
  for (size_t i = 0; i < graph.inputs().size(); ++i) values[graph.inputs()[i]] = feeds[i];
  for (NodeId id : graph.nodes()) {
    const Node& node = graph.node(id);
    if (node.op->name == "Input") continue;
    Tensors inputs;
    for (ValueId input : node.inputs) inputs.push_back(values[input]);
    TENFOLD_ASSIGN_OR_RETURN(Tensors outputs, Evaluate(graph, node, inputs, how));
    for (size_t i = 0; i < outputs.size(); ++i) values[node.outputs[i]] = std::move(outputs[i]);
  }
  Tensors results;
  for (const GraphOutput& output : graph.outputs()) results.push_back(values[output.value]);
  return results;
}

// An elementwise op on splats alone: one element is computed.
absl::StatusOr<Tensors> EvaluateSplats(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                       const Dims& dims, const How& how) {
  Tensors elements;
  for (const Tensor& input : inputs) {
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
  if (node.body != nullptr) return EvaluateBody(*node.body, inputs, how);
  TENFOLD_ASSIGN_OR_RETURN(const Graph single, SingleNodeGraph(graph, node, inputs));
  const Node& alone = single.producer(single.outputs()[0].value);
  const Dims dims = single.value(alone.outputs[0]).type.shape.static_dims();
  const bool one_value_each = std::all_of(inputs.begin(), inputs.end(), [](const Tensor& t) {
    return t.num_elements() == 1 || (t.is_splat() && t.num_elements() > 0);
  });
  if (node.op->Is<Elementwise>() && one_value_each && NumElements(dims).value_or(0) > 1) {
    return EvaluateSplats(graph, node, inputs, dims, how);
  }
  if (node.op->Is<Elementwise>() || node.op->Is<Reduction>()) return RunFused(single, alone, inputs, how);
  if (node.op->Is<Movement>()) return RunMovement(single, alone, inputs[0], how);
  if (node.op->Is<Contraction>()) return RunMatMul(single, alone, inputs, how);
  if (node.op->Is<Composite>()) {
    std::vector<TensorType> types;
    for (const Tensor& input : inputs) types.push_back(input.type());
    TENFOLD_ASSIGN_OR_RETURN(const Graph body, ExpandComposite(graph, node, types));
    return EvaluateBody(body, inputs, how);
  }
  return MakeError("E9001", absl::StrCat(node.op->name, " cannot be evaluated"));
}

}  // namespace

absl::StatusOr<Tensors> EvaluateNode(const Graph& graph, const Node& node, std::span<const Tensor> inputs,
                                     std::optional<IsaLevel> level, const KernelInterrupt* interrupt) {
  return Evaluate(graph, node, inputs, {level, interrupt});
}

absl::StatusOr<Tensors> EvaluateGraph(const Graph& graph, std::span<const Tensor> feeds,
                                      std::optional<IsaLevel> level) {
  if (feeds.size() != graph.inputs().size()) {
    return MakeError(
        "E0103", absl::StrCat("the graph takes ", graph.inputs().size(), " inputs, but got ", feeds.size()));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensors results, EvaluateBody(graph, feeds, {level, nullptr}));
  for (Tensor& result : results) {
    if (!IsFloat(result.dtype())) continue;
    TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, result.Materialize());
    TENFOLD_ASSIGN_OR_RETURN(Tensor observed, Tensor::Allocate(dense.dtype(), dense.dims()));
    if (dense.num_elements() > 0) std::memcpy(observed.mutable_data(), dense.data(), dense.stored_bytes());
    CanonicalizeNans(observed.dtype(), observed.mutable_data(), observed.num_elements());
    result = std::move(observed);
  }
  return results;
}

std::optional<int64_t> EstimateOperations(const Graph& graph, const Node& node) {
  Dim work = 0;
  const auto elements = [&](ValueId id) {
    const Shape& shape = graph.value(id).type.shape;
    return shape.has_rank() ? shape.num_elements() : Dim::Symbol("?");
  };
  for (ValueId output : node.outputs) work = work + elements(output);
  for (ValueId input : node.inputs) work = work + elements(input);
  if (node.op->Is<Contraction>()) {
    const Shape& lhs = graph.value(node.inputs[0]).type.shape;
    if (lhs.has_rank()) work = work + elements(node.outputs[0]) * lhs.dim(lhs.rank() - 1);
  }
  if (!work.is_constant()) return std::nullopt;
  return work.constant();
}

}  // namespace tenfold
