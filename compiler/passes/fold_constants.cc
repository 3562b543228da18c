// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/fold_constants.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"

namespace tenfold {
namespace {

// What folding has spent of its budget.
struct Spent {
  int64_t growth_bytes = 0;
  int64_t operations = 0;
};

bool AllInputsConstant(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(),
                     [&](ValueId id) { return graph.ConstantValue(id) != nullptr; });
}

// Whether one element says all that there is to compute.
bool StaySplats(const Graph& graph, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
    const Tensor& t = *graph.ConstantValue(id);
    return t.is_splat() || t.num_elements() == 1;
  });
}

// Bytes that the result takes, before it exists; a splat of splats takes one element.
int64_t ResultBytes(const Graph& graph, const Node& node) {
  const TensorType& type = graph.value(node.outputs[0]).type;
  const bool stays_splat = (node.op->Is<Elementwise>() || node.op->Is<Movement>()) && StaySplats(graph, node);
  const int64_t count = stays_splat ? 1 : type.shape.num_elements().constant();
  return count * static_cast<int64_t>(SizeOf(type.dtype));
}

// Bytes of splats that must be written out in full to compute the node.
int64_t WrittenOutBytes(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  const bool stays_splat = node.op->Is<Movement>() || (node.op->Is<Elementwise>() && StaySplats(graph, node));
  for (ValueId id : node.inputs) {
    const Tensor& tensor = *graph.ConstantValue(id);
    if (stays_splat || !tensor.is_splat()) continue;
    if (__builtin_add_overflow(bytes, static_cast<int64_t>(tensor.logical_bytes()), &bytes)) return INT64_MAX;
  }
  return bytes;
}

// Bytes of constants that nothing else reads and that folding therefore frees.
int64_t FreedBytes(const Graph& graph, const Node& node, const std::vector<std::vector<NodeId>>& readers) {
  int64_t bytes = 0;
  for (ValueId id : node.inputs) {
    if (readers[static_cast<size_t>(id)].size() == 1) bytes += graph.ConstantValue(id)->stored_bytes();
  }
  return bytes;
}

Decision CanFold(const PassContext& context, const Graph& graph, const Node& node, const Spent& spent,
                 int64_t bytes, int64_t growth, int64_t operations) {
  const FoldBudget& budget = context.options().fold_budget;
  const int64_t max_bytes = std::min(budget.max_result_bytes, context.options().limits.tensor_bytes);
  if (node.op->is_barrier) return Decision::No("it is a barrier");
  const bool library = node.op->Is<Contraction>() && !context.options().reference_contractions &&
                       (graph.value(node.outputs[0]).type.dtype == DType::kF32 ||
                        graph.value(node.outputs[0]).type.dtype == DType::kBF16);
  if (library && context.options().numerics == Numerics::kExact) {
    return Decision::No("a library may sum in another order at run time [exact]");
  }
  if (bytes > max_bytes) {
    return Decision::No(
        absl::StrCat("its ", bytes, " bytes exceed the limit of ", max_bytes, " for a folded value"));
  }
  if (spent.growth_bytes + growth > budget.max_growth_bytes) {
    return Decision::No(absl::StrCat("constants would grow by ", spent.growth_bytes + growth,
                                     " bytes, over the limit of ", budget.max_growth_bytes));
  }
  if (const int64_t written_out = WrittenOutBytes(graph, node); written_out > max_bytes) {
    return Decision::No(absl::StrCat("its operands are one value each, which written out would take ",
                                     written_out, " bytes, over the limit of ", max_bytes));
  }
  if (operations > budget.max_operations - spent.operations) {
    return Decision::No(absl::StrCat("it takes about ", operations, " operations, and ",
                                     budget.max_operations - spent.operations, " are left of the budget"));
  }
  return Decision::Yes();
}

// A folded value is observed: its NaNs are canonical.
absl::StatusOr<Tensor> Canonical(const Tensor& tensor) {
  if (!IsFloat(tensor.dtype()) || tensor.num_elements() == 0) return tensor;
  if (tensor.is_splat()) {
    char element[8];
    std::memcpy(element, tensor.data(), SizeOf(tensor.dtype()));
    CanonicalizeNans(tensor.dtype(), element, 1);
    return Tensor::Splat(tensor.dtype(), tensor.dims(), element);
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor copy, Tensor::Allocate(tensor.dtype(), tensor.dims()));
  std::memcpy(copy.mutable_data(), tensor.data(), tensor.stored_bytes());
  CanonicalizeNans(copy.dtype(), copy.mutable_data(), copy.num_elements());
  return copy;
}

// Where the constant comes from: the node and what it reads. An input that was folded itself is named alone,
// or the lists along a chain of n constants would take n^2 names.
Provenance FoldedProvenance(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  std::vector<std::string> names;
  const auto add = [&](const std::string& name) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  };
  for (ValueId input : node.inputs) {
    const std::vector<std::string> sources = graph.SourceNames(graph.value(input).producer);
    const std::string& own = graph.value(input).name;
    if (std::find(sources.begin(), sources.end(), own) != sources.end()) {
      add(own);
    } else {
      std::for_each(sources.begin(), sources.end(), add);
    }
  }
  for (const std::string& name : graph.SourceNames(id)) add(name);
  return {node.provenance.location, node.provenance.array, std::move(names)};
}

absl::Status ReplaceByConstant(Graph& graph, NodeId id, Tensor tensor) {
  const ValueId old = graph.node(id).outputs[0];
  Provenance provenance = FoldedProvenance(graph, id);
  const OpDef& constant = *graph.registry().Find("Const");
  TENFOLD_ASSIGN_OR_RETURN(NodeId folded, graph.AddNode(constant, {}, {{"value", std::move(tensor)}},
                                                        {"folded"}, std::move(provenance)));
  const ValueId fresh = graph.node(folded).outputs[0];
  TENFOLD_RETURN_IF_ERROR(graph.ReplaceAllUses(old, fresh));
  graph.SwapNames(old, fresh);
  return absl::OkStatus();
}

}  // namespace

absl::Status FoldConstants(PassContext& context, Graph& graph) {
  Spent spent;
  const std::vector<NodeId> order = graph.nodes();
  const std::vector<std::vector<NodeId>> readers = graph.Readers();
  auto reads = readers;
  reads.resize(graph.num_values() +
               order.size());  // folded constants are new values, read by who read the old
  for (NodeId id : order) {
    const Node& node = graph.node(id);
    if (node.op->Is<Source>() || node.inputs.empty() || !AllInputsConstant(graph, node)) continue;
    const std::string name = PassContext::Describe(graph, id);
    const std::optional<int64_t> operations = EstimateOperations(graph, node);
    if (!operations || !graph.value(node.outputs[0]).type.shape.is_static() || node.outputs.size() != 1) {
      context.Missed(name, "its shape is not known");
      continue;
    }
    const int64_t bytes = ResultBytes(graph, node);
    const int64_t growth = bytes - FreedBytes(graph, node, reads);
    if (Decision d = CanFold(context, graph, node, spent, bytes, growth, *operations); !d) {
      context.Missed(name, d.reason());
      continue;
    }
    std::vector<Tensor> inputs;
    for (ValueId input : node.inputs) inputs.push_back(*graph.ConstantValue(input));
    absl::StatusOr<std::vector<Tensor>> result =
        EvaluateNode(graph, node, inputs, std::nullopt, context.control().interrupt());
    if (context.control().ShouldStop()) return context.control().status();
    if (!result.ok()) {  // a bad value is an error of the run, which may never come to it
      context.Missed(name, DiagnosticsOf(result.status())[0].message);
      continue;
    }
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Canonical((*result)[0]));
    context.Did(name,
                absl::StrCat(tensor.num_elements(), tensor.num_elements() == 1 ? " value, " : " values, ",
                             tensor.stored_bytes(), " bytes"));
    spent.growth_bytes += std::max<int64_t>(0, growth);
    spent.operations += *operations;
    const ValueId old = node.outputs[0];
    TENFOLD_RETURN_IF_ERROR(ReplaceByConstant(graph, id, std::move(tensor)));
    reads.resize(std::max<size_t>(reads.size(), graph.num_values()));
    reads[graph.num_values() - 1] = readers[static_cast<size_t>(old)];
  }
  graph.RemoveDeadNodes();
  return graph.SortTopologically();
}

}  // namespace tenfold
