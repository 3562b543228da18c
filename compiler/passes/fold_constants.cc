// SPDX-License-Identifier: Apache-2.0
#include "tenfold/compiler/passes/fold_constants.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "tenfold/compiler/inline_graph.h"
#include "tenfold/graph/composite.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/convolution_kernel.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"

namespace tenfold {
namespace {

bool AllInputsConstant(const Graph& graph, const Node& node) {
  return std::ranges::all_of(Present(node.inputs),
                             [&](ValueId id) { return graph.ConstantValue(id) != nullptr; });
}

// Whether one element of each input says all that there is to compute.
bool AllSplats(const Graph& graph, const Node& node) {
  return std::ranges::all_of(Present(node.inputs), [&](ValueId id) {
    const Tensor& t = *graph.ConstantValue(id);
    return t.is_splat() || t.num_elements() == 1;
  });
}

// Whether the results of splats are splats: EvaluateNode says when.
bool StaysSplat(const Graph& graph, const Node& node) {
  if (node.op->Is<Elementwise>()) return AllSplats(graph, node);
  if (!node.op->Is<Movement>() || IsComposite(graph, node)) return false;
  const absl::StatusOr<std::vector<Layout>> layouts = LayoutsOf(graph, node);
  return layouts.ok() && std::all_of(layouts->begin(), layouts->end(), [&](const Layout& layout) {
           if (layout.fill != Layout::kNoFill || layout.pieces.size() != 1) return false;
           const Tensor& from = *graph.ConstantValue(node.inputs[layout.pieces[0].input]);
           return from.is_splat();
         });
}

// Bytes that the results take, before they exist; a splat takes one element. nullopt: more than 64 bits
// count.
std::optional<int64_t> ResultBytes(const Graph& graph, const Node& node) {
  const bool splat = StaysSplat(graph, node);
  int64_t total = 0;
  for (ValueId output : node.outputs) {
    const TensorType& type = graph.value(output).type;
    int64_t bytes = splat ? 1 : type.shape.num_elements().constant();
    if (__builtin_mul_overflow(bytes, static_cast<int64_t>(SizeOf(type.dtype)), &bytes) ||
        __builtin_add_overflow(total, bytes, &total)) {
      return std::nullopt;
    }
  }
  return total;
}

// Bytes of splats that must be written out in full to compute the node.
int64_t WrittenOutBytes(const Graph& graph, const Node& node) {
  int64_t bytes = 0;
  const bool stays_splat = StaysSplat(graph, node);
  for (ValueId id : Present(node.inputs)) {
    const Tensor& tensor = *graph.ConstantValue(id);
    if (stays_splat || !tensor.is_splat()) continue;
    if (__builtin_add_overflow(bytes, static_cast<int64_t>(tensor.logical_bytes()), &bytes)) return INT64_MAX;
  }
  return bytes;
}

// Bytes of constants that nothing else reads and that folding therefore frees.
int64_t FreedBytes(const Graph& graph, const Node& node, const std::vector<std::vector<NodeId>>& readers) {
  int64_t bytes = 0;
  for (ValueId id : Present(node.inputs)) {
    if (readers[static_cast<size_t>(id)].size() == 1) bytes += graph.ConstantValue(id)->stored_bytes();
  }
  return bytes;
}

using NodeTest = bool (*)(const Graph&, const Node&);

// Whether it holds for any node of a graph, or in its bodies.
bool AnyNode(const Graph& graph, NodeTest holds) {
  bool any = false;
  const auto look = [&](const Graph& each) {
    for (NodeId id : each.nodes()) any = any || holds(each, each.node(id));
  };
  look(graph);
  VisitBodies(graph, [&](const auto& body) { look(*body); });
  return any;
}
bool AnyInBodies(const Node& node, NodeTest holds) {
  return std::any_of(node.bodies.begin(), node.bodies.end(),
                     [&](const auto& body) { return AnyNode(*body, holds); });
}

// Whether a library may compute the node, or a part of it, at run time.
bool HasLibraryForm(const Graph& graph, const Node& node) {
  if (IsComposite(graph, node)) {
    const absl::StatusOr<Graph> parts = ExpandComposite(graph, node);
    return parts.ok() && AnyNode(*parts, HasLibraryForm);
  }
  const auto* kernel = std::get_if<HostKernel>(&node.op->computation);
  const DType dtype = graph.value(node.outputs[0]).type.dtype;
  return (node.op->Is<Contraction>() || (kernel != nullptr && IsConvolution(*kernel))) &&
         (dtype == DType::kF32 || dtype == DType::kBF16);
}

Decision CanFold(const PassContext& context, const Graph& graph, const Node& node, const FoldHistory& spent,
                 int64_t bytes, int64_t growth, int64_t operations) {
  const FoldBudget& budget = context.options().fold_budget;
  const int64_t max_bytes = std::min(budget.max_result_bytes, context.options().limits.tensor_bytes);
  if (node.op->is_barrier || AnyInBodies(node, [](const Graph&, const Node& n) { return n.op->is_barrier; }))
    return Decision::No(node.op->is_barrier ? "it is a barrier" : "there is a barrier in it");
  const CompileOptions& options = context.options();
  if (options.numerics == Numerics::kExact && !options.reference_contractions &&
      (HasLibraryForm(graph, node) || AnyInBodies(node, HasLibraryForm))) {
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
  if (!HasNan(tensor.dtype()) || tensor.num_elements() == 0) return tensor;
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
  for (ValueId input : Present(node.inputs)) {
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

absl::Status ReplaceByConstant(Graph& graph, NodeId id, size_t output, Tensor tensor) {
  const ValueId old = graph.node(id).outputs[output];
  Provenance provenance = FoldedProvenance(graph, id);
  const OpDef& constant = *graph.registry().Find("Const");
  TENFOLD_ASSIGN_OR_RETURN(NodeId folded, graph.AddNode(constant, {}, {{"value", std::move(tensor)}},
                                                        {"folded"}, std::move(provenance)));
  const ValueId fresh = graph.node(folded).outputs[0];
  // The constant may say an extent that was a symbol.
  if (graph.value(old).type == graph.value(fresh).type) {
    TENFOLD_RETURN_IF_ERROR(graph.ReplaceAllUses(old, fresh));
  } else {
    graph.ReplaceAllUsesByRefined(old, fresh);
  }
  graph.SwapNames(old, fresh);
  return absl::OkStatus();
}

// The results, where inference knows them all as numbers though an input is no constant: what follows from
// shapes alone.
std::optional<std::vector<Tensor>> KnownResults(const Graph& graph, const Node& node) {
  std::vector<Tensor> results;
  for (ValueId output : node.outputs) {
    const ValueInfo& value = graph.value(output);
    const bool known = value.contents && value.type.dtype == DType::kI64 && value.type.shape.has_rank() &&
                       value.type.shape.is_static() &&
                       std::all_of(value.contents->begin(), value.contents->end(),
                                   [](const Dim& d) { return d.is_constant(); });
    if (!known) return std::nullopt;
    std::vector<int64_t> numbers;
    for (const Dim& d : *value.contents) numbers.push_back(d.constant());
    absl::StatusOr<Tensor> tensor = Tensor::FromVector(numbers, value.type.shape.static_dims());
    if (!tensor.ok()) return std::nullopt;
    results.push_back(*std::move(tensor));
  }
  return results;
}

// At most so many bytes, of results that a kernel selects from what it reads: an index for each dim of each
// element. nullopt: more than 64 bits count.
std::optional<int64_t> MostSelectedBytes(const Graph& graph, const Node& node) {
  int64_t total = 0;
  for (ValueId id : Present(node.inputs)) {
    const TensorType& type = graph.value(id).type;
    int64_t bytes = 8 * (type.shape.rank() + 4);
    if (__builtin_mul_overflow(bytes, type.shape.num_elements().constant(), &bytes) ||
        __builtin_add_overflow(total, bytes, &total)) {
      return std::nullopt;
    }
  }
  return total;
}

bool HasStaticResults(const Graph& graph, const Node& node) {
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId output) {
    const Shape& shape = graph.value(output).type.shape;
    return shape.has_rank() && shape.is_static();
  });
}

// A value that the bodies capture and that is constant becomes a constant of theirs, with which they go on.
absl::Status MoveConstantsIntoBodies(Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const size_t first = node.inputs.size() - NumCaptured(node);
  std::vector<size_t> constant;  // places among the operands
  for (size_t i = first; i < node.inputs.size(); ++i) {
    if (graph.ConstantValue(node.inputs[i]) != nullptr) constant.push_back(i);
  }
  if (constant.empty()) return absl::OkStatus();
  Bodies bodies;
  for (const auto& old : node.bodies) {
    Graph body = *old;
    const std::vector<ValueId> inputs = body.inputs();
    const size_t first_input = inputs.size() - (node.inputs.size() - first);
    for (size_t i : constant) {
      const ValueId input = inputs[first_input + (i - first)];
      const Node& producer = graph.producer(node.inputs[i]);
      TENFOLD_ASSIGN_OR_RETURN(const NodeId added,
                               body.AddNode(*producer.op, {}, producer.attrs,
                                            {graph.DisplayName(node.inputs[i])}, producer.provenance));
      TENFOLD_RETURN_IF_ERROR(body.ReplaceAllUses(input, body.node(added).outputs[0]));
      body.RemoveInput(input);
    }
    body.RemoveDeadNodes();
    TENFOLD_RETURN_IF_ERROR(body.SortTopologically());
    bodies.push_back(std::make_shared<const Graph>(std::move(body)));
  }
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (std::find(constant.begin(), constant.end(), i) == constant.end()) inputs.push_back(node.inputs[i]);
  }
  Attrs attrs = node.attrs;
  attrs.Set("captured", static_cast<int64_t>(node.inputs.size() - first - constant.size()));
  return graph.SetBodies(id, std::move(inputs), std::move(attrs), std::move(bodies));
}

// Puts a graph in the place of `graph` that says more of some types. False if it cannot be inferred, or a
// body would give another type than the graph around it knows; then nothing changes, and there is a remark.
absl::StatusOr<bool> Refine(PassContext& context, const std::string& name, Graph& graph, Graph refined) {
  absl::Status inferred = refined.SortTopologically();
  if (inferred.ok()) inferred = refined.Reinfer();
  bool same = true;
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    same =
        same && graph.value(graph.outputs()[i].value).type == refined.value(refined.outputs()[i].value).type;
  if (!inferred.ok() || (context.in_body() && !same)) {
    context.LeftUnfolded(name, inferred.ok() ? "it has other sizes than the body around it says"
                                             : DiagnosticsOf(inferred)[0].message);
    return false;
  }
  graph = std::move(refined);
  return true;
}

// The branch that is taken in the place of an If whose condition is constant; gives the nodes that are new.
// Nothing if that cannot be, with a remark.
absl::StatusOr<std::vector<NodeId>> InlineBranch(PassContext& context, Graph& graph, NodeId id) {
  const Node node = graph.node(id);
  const std::string name = PassContext::Describe(graph, id);
  const bool taken = graph.ConstantValue(node.inputs[0])->at<bool>(0);
  const std::shared_ptr<const Graph> branch = node.bodies[taken ? 0 : 1];
  const size_t before = graph.nodes().size();
  const std::vector<ValueId> passed(node.inputs.begin() + 1, node.inputs.end());
  TENFOLD_ASSIGN_OR_RETURN(const std::vector<ValueId> results,
                           InlineGraph(graph, *branch, passed, graph.DisplayName(id), nullptr));
  const std::vector<NodeId> added(graph.nodes().begin() + before, graph.nodes().end());
  const auto replace = [&](Graph& in) {
    for (size_t i = 0; i < results.size(); ++i) {
      in.ReplaceAllUsesByRefined(node.outputs[i], results[i]);
      // What comes from outside the branch keeps its own name.
      const bool is_new = std::find(added.begin(), added.end(), in.value(results[i]).producer) != added.end();
      if (is_new && !in.value(results[i]).name.empty()) in.SwapNames(node.outputs[i], results[i]);
    }
  };
  bool refines = false;  // the results of If have the sizes of both branches
  for (size_t i = 0; i < results.size(); ++i)
    refines = refines || graph.value(results[i]).type != graph.value(node.outputs[i]).type;
  if (!refines) {
    replace(graph);
  } else {
    Graph work = graph;
    replace(work);
    TENFOLD_ASSIGN_OR_RETURN(const bool done, Refine(context, name, graph, std::move(work)));
    if (!done) return std::vector<NodeId>();  // nobody reads what was added
  }
  context.Did(name, absl::StrCat("its condition is ", taken ? "true" : "false", ": only '", branch->name,
                                 "' is computed"));
  return added;
}

// What is done with a control node that cannot be folded; gives the nodes that came in its place.
absl::StatusOr<std::vector<NodeId>> SimplifyControl(PassContext& context, Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (std::get<Control>(node.op->computation).kind == ControlKind::kIf &&
      graph.ConstantValue(node.inputs[0]) != nullptr) {
    return InlineBranch(context, graph, id);
  }
  TENFOLD_RETURN_IF_ERROR(MoveConstantsIntoBodies(graph, id));
  return std::vector<NodeId>();
}

}  // namespace

absl::Status FoldConstants(PassContext& context, Graph& graph) {
  FoldHistory& spent = context.folding();
  std::vector<NodeId> pending(graph.nodes().rbegin(), graph.nodes().rend());  // the last is looked at next
  std::vector<std::vector<NodeId>> reads = graph.Readers();
  reads.resize(graph.num_values() +
               pending.size());  // folded constants are new values, read by who read the old
  const auto replace = [&](Graph& in, NodeId id, std::vector<Tensor> results) -> absl::Status {
    for (size_t i = 0; i < results.size(); ++i) {
      const ValueId old = in.node(id).outputs[i];
      TENFOLD_RETURN_IF_ERROR(ReplaceByConstant(in, id, i, std::move(results[i])));
      reads.resize(std::max<size_t>(reads.size(), in.num_values()));
      reads[in.num_values() - 1] = reads[static_cast<size_t>(old)];
    }
    return absl::OkStatus();
  };
  // A node of control ops that stays; what comes in its place is looked at next.
  const auto simplify = [&](NodeId id) -> absl::Status {
    if (!graph.node(id).op->Is<Control>()) return absl::OkStatus();
    TENFOLD_ASSIGN_OR_RETURN(const std::vector<NodeId> added, SimplifyControl(context, graph, id));
    pending.insert(pending.end(), added.rbegin(), added.rend());
    reads.resize(std::max<size_t>(reads.size(), graph.num_values()));
    return absl::OkStatus();
  };
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    const Node node = graph.node(id);
    // A kernel without inputs makes the same numbers every time.
    if (node.op->Is<Source>() || (node.inputs.empty() && !node.op->Is<HostKernel>())) continue;
    const std::string name = PassContext::Describe(graph, id);
    if (!AllInputsConstant(graph, node)) {
      TENFOLD_RETURN_IF_ERROR(simplify(id));
      if (node.op->is_barrier || !node.bodies.empty()) continue;
      if (std::optional<std::vector<Tensor>> known = KnownResults(graph, node)) {
        context.Did(name, "follows from shapes that are known");
        TENFOLD_RETURN_IF_ERROR(replace(graph, id, *std::move(known)));
      }
      continue;
    }
    const std::optional<int64_t> operations = EstimateOperations(graph, node);
    const bool selects = PlacesOutputs(*node.op);
    const bool is_static = operations && HasStaticResults(graph, node);
    const std::optional<int64_t> bytes = is_static               ? ResultBytes(graph, node)
                                         : operations && selects ? MostSelectedBytes(graph, node)
                                                                 : std::nullopt;
    if (!bytes) {
      const bool repeats = node.op->Is<Control>() && HasStaticResults(graph, node);
      context.LeftUnfolded(name, repeats ? "how long it takes is not known" : "its shape is not known");
      TENFOLD_RETURN_IF_ERROR(simplify(id));
      continue;
    }
    const int64_t growth = *bytes - FreedBytes(graph, node, reads);
    if (Decision d = CanFold(context, graph, node, spent, *bytes, growth, *operations); !d) {
      context.LeftUnfolded(name, d.reason());
      TENFOLD_RETURN_IF_ERROR(simplify(id));
      continue;
    }
    std::vector<Tensor> inputs;
    for (ValueId input : node.inputs) {
      inputs.push_back(input == kNoValue ? Tensor() : *graph.ConstantValue(input));
    }
    absl::StatusOr<std::vector<Tensor>> results =
        EvaluateNode(graph, node, inputs, std::nullopt, context.control().interrupt());
    if (context.control().ShouldStop()) return context.control().status();
    if (!results.ok()) {  // a bad value is an error of the run, which may never come to it
      context.LeftUnfolded(name, DiagnosticsOf(results.status())[0].message);
      TENFOLD_RETURN_IF_ERROR(simplify(id));
      continue;
    }
    int64_t values = 0, stored = 0;
    for (Tensor& result : *results) {
      TENFOLD_ASSIGN_OR_RETURN(result, Canonical(result));
      values += result.num_elements();
      stored += static_cast<int64_t>(result.stored_bytes());
    }
    spent.growth_bytes += std::max<int64_t>(0, is_static ? growth : stored);
    spent.operations += *operations;
    if (is_static) {
      TENFOLD_RETURN_IF_ERROR(replace(graph, id, *std::move(results)));
    } else {
      Graph refined = graph;
      TENFOLD_RETURN_IF_ERROR(replace(refined, id, *std::move(results)));
      TENFOLD_ASSIGN_OR_RETURN(const bool done, Refine(context, name, graph, std::move(refined)));
      if (!done) continue;
    }
    context.Did(name, absl::StrCat(values, values == 1 ? " value, " : " values, ", stored, " bytes"));
  }
  graph.RemoveDeadNodes();
  return graph.SortTopologically();
}

}  // namespace tenfold
