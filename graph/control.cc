// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/control.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Shapes that still change after so many rounds are not what anybody meant.
constexpr int kMaxRounds = 16;

absl::StatusOr<std::vector<ControlLayout::Axis>> ReadAxes(const OpDef& op, const Attrs& attrs,
                                                          const std::string& axes_name,
                                                          const std::string& directions_name,
                                                          std::optional<int> count) {
  const auto axes = attrs.Get<std::vector<int64_t>>(axes_name);
  const auto directions = attrs.Get<std::vector<int64_t>>(directions_name);
  for (const auto& [name, list] : {std::pair(axes_name, &axes), std::pair(directions_name, &directions)}) {
    if (!count || list->empty() || static_cast<int>(list->size()) == *count) continue;
    return MakeError(
        "E0102", absl::StrCat(op.name, ": the attribute '", name, "' has ", CountText(list->size(), "value"),
                              " for ", CountText(*count, "scanned input")));
  }
  std::vector<ControlLayout::Axis> result(count.value_or(std::max(axes.size(), directions.size())));
  for (size_t i = 0; i < axes.size(); ++i) result[i].axis = axes[i];
  for (size_t i = 0; i < directions.size(); ++i) {
    if (directions[i] != 0 && directions[i] != 1) {
      return MakeError("E0102", absl::StrCat(op.name, ": the attribute '", directions_name, "' holds ",
                                             directions[i], ", but 0 is forward and 1 is reverse"));
    }
    result[i].reversed = directions[i] == 1;
  }
  return result;
}

// The symbols that occur in the types of the operands.
absl::flat_hash_set<std::string> SymbolsOf(const Graph& graph, std::span<const ValueId> inputs) {
  std::vector<std::string> names;
  for (ValueId input : inputs) {
    if (input == kNoValue || !graph.value(input).type.shape.has_rank()) continue;
    for (const Dim& dim : graph.value(input).type.shape.dims()) dim.CollectSymbols(names);
  }
  return {names.begin(), names.end()};
}

std::string SymbolHint(const Graph& body, ValueId input, int dim) {
  std::string hint;
  for (char c : body.DisplayName(input)) hint += absl::ascii_isalnum(c) ? c : '_';
  if (absl::ascii_isdigit(hint[0])) hint = absl::StrCat("_", hint);
  return absl::StrCat(hint, "_", dim);
}

// Dims of a carried value that are not given back as they are taken, and may not vary yet.
std::vector<int> DimsToRelax(const TensorType& in, const TensorType& out,
                             const absl::flat_hash_set<std::string>& outer) {
  std::vector<int> dims;
  if (in.dtype != out.dtype || !in.shape.has_rank() || !out.shape.has_rank() ||
      in.shape.rank() != out.shape.rank())
    return dims;
  for (int d = 0; d < in.shape.rank(); ++d) {
    if (in.shape.dim(d) == out.shape.dim(d)) continue;
    const std::optional<std::string> symbol = in.shape.dim(d).symbol();
    if (!symbol || outer.contains(*symbol)) dims.push_back(d);
  }
  return dims;
}

// One round; gives what was relaxed, as text, and nothing if all was as it should be.
absl::StatusOr<std::string> RelaxOnce(const ControlLayout& layout,
                                      const absl::flat_hash_set<std::string>& outer, Graph& body) {
  std::string relaxed;
  for (int i = 0; i < layout.carried; ++i) {
    const ValueId input = body.inputs()[layout.body_lead + i];
    const TensorType in = body.value(input).type;
    const TensorType& out = body.value(body.outputs()[layout.output_lead + i].value).type;
    const std::vector<int> dims = DimsToRelax(in, out, outer);
    if (dims.empty()) continue;
    std::vector<Dim> shape = in.shape.dims();
    const std::string before = in.ToString(), after = out.ToString();
    TensorType type = in;
    for (int d : dims) {
      // One after the other, so that each name is known when the next is looked for.
      shape[d] = Dim::Symbol(body.FreshSymbol(SymbolHint(body, input, d)));
      type.shape = Shape(shape);
      TENFOLD_RETURN_IF_ERROR(body.SetInputType(input, type));
    }
    absl::StrAppend(&relaxed, relaxed.empty() ? "" : ", ", "'", body.DisplayName(input), "' goes in as ",
                    before, " and comes out as ", after, ", so it was taken as ", type.ToString());
  }
  return relaxed;
}

// Dims of carried values that are not given back as they are taken.
absl::flat_hash_set<std::string> VaryingSymbols(const ControlLayout& layout, const Graph& body) {
  absl::flat_hash_set<std::string> varying;
  for (int i = 0; i < layout.carried; ++i) {
    const Shape& in = body.value(body.inputs()[layout.body_lead + i]).type.shape;
    const Shape& out = body.value(body.outputs()[layout.output_lead + i].value).type.shape;
    if (!in.has_rank() || !out.has_rank() || in.rank() != out.rank()) continue;
    for (int d = 0; d < in.rank(); ++d) {
      const std::optional<std::string> symbol = in.dim(d).symbol();
      if (symbol && !(in.dim(d) == out.dim(d))) varying.insert(*symbol);
    }
  }
  return varying;
}

bool FitsBody(const ControlLayout& layout, const Graph& body) {
  return static_cast<int>(body.inputs().size()) == layout.body_lead + layout.num_passed() &&
         static_cast<int>(body.outputs().size()) >= layout.output_lead + layout.carried;
}

}  // namespace

std::string CountText(size_t count, absl::string_view what) {
  if (count != 1 && what == "body") return absl::StrCat(count, " bodies");
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

absl::StatusOr<ControlLayout> LayOutControl(const OpDef& op, size_t num_inputs, const Attrs& attrs) {
  ControlLayout layout;
  layout.kind = std::get<Control>(op.computation).kind;
  if (layout.kind == ControlKind::kIf) layout.lead = 1;
  if (layout.kind == ControlKind::kLoop) layout.lead = layout.body_lead = 2, layout.output_lead = 1;
  const int passed = std::max(0, static_cast<int>(num_inputs) - layout.lead);
  const int64_t captured = attrs.Get<int64_t>("captured");
  if (layout.kind == ControlKind::kCall) {
    layout.captured = passed;
    return layout;
  }
  if (captured < 0 || captured > passed) {
    return MakeError("E0102", absl::StrCat(op.name, ": the attribute 'captured' is ", captured,
                                           ", and there can be ", passed));
  }
  layout.captured = static_cast<int>(captured);
  if (layout.kind == ControlKind::kScan) {
    const int64_t scanned = attrs.Get<int64_t>("num_scan_inputs");
    if (scanned < 1 || scanned > passed - layout.captured) {
      return MakeError("E0102",
                       absl::StrCat(op.name, ": the attribute 'num_scan_inputs' is ", scanned, ", for ",
                                    CountText(passed - layout.captured, "operand"), " to carry or scan"),
                       "it counts the last operands, those that are scanned: at least 1");
    }
    layout.scanned = static_cast<int>(scanned);
    TENFOLD_ASSIGN_OR_RETURN(layout.scan_inputs,
                             ReadAxes(op, attrs, "scan_input_axes", "scan_input_directions", layout.scanned));
    TENFOLD_ASSIGN_OR_RETURN(layout.scan_outputs,
                             ReadAxes(op, attrs, "scan_output_axes", "scan_output_directions", std::nullopt));
  }
  layout.carried = passed - layout.captured - layout.scanned;
  if (layout.kind == ControlKind::kIf && layout.carried != 0) {
    return MakeError("E0103", absl::StrCat(op.name, " takes 1 operand, the condition, but got ",
                                           layout.carried + layout.lead));
  }
  return layout;
}

std::optional<TensorType> ElementType(const TensorType& type, int64_t axis) {
  if (!type.shape.has_rank()) return type;
  const std::optional<int> normal = NormalizeAxis(axis, type.shape.rank());
  if (!normal) return std::nullopt;
  std::vector<Dim> dims = type.shape.dims();
  dims.erase(dims.begin() + *normal);
  return TensorType{type.dtype, Shape(std::move(dims))};
}

std::optional<std::vector<TensorType>> PassedTypes(const ControlLayout& layout,
                                                   std::span<const TensorType> passed) {
  std::vector<TensorType> types(passed.begin(), passed.end());
  for (int i = 0; i < layout.scanned; ++i) {
    const std::optional<TensorType> element =
        ElementType(types[layout.carried + i], layout.scan_inputs[i].axis);
    if (!element) return std::nullopt;
    types[layout.carried + i] = *element;
  }
  return types;
}

absl::StatusOr<Bodies> RelaxBodies(const Graph& graph, const OpDef& op, std::span<const ValueId> inputs,
                                   const Attrs& attrs, Bodies bodies) {
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout, LayOutControl(op, inputs.size(), attrs));
  if (layout.carried == 0 || !FitsBody(layout, *bodies[0])) return bodies;
  Graph body = *bodies[0];
  body.SetEnclosing(&graph);
  const absl::flat_hash_set<std::string> outer = SymbolsOf(graph, inputs);
  std::string before;
  for (int round = 0;; ++round) {
    TENFOLD_ASSIGN_OR_RETURN(const std::string relaxed, RelaxOnce(layout, outer, body));
    if (relaxed.empty()) break;
    if (round == kMaxRounds) {
      return MakeError("E0221",
                       absl::StrCat("the shapes of the carried values of ", op.name, " still change after ",
                                    kMaxRounds, " rounds of relaxing them: ", relaxed),
                       "carry values of one shape: Pad or Reshape them in the body");
    }
    const absl::Status inferred = body.Reinfer();
    if (!inferred.ok()) {
      Diagnostic d = DiagnosticsOf(inferred)[0];
      d.notes.push_back(absl::StrCat("in the body of ", op.name, ", ", relaxed));
      d.help = {"let the body give it back in the shape that it takes"};
      return ToStatus(std::move(d));
    }
    before = relaxed;
  }
  if (before.empty()) return bodies;
  body.SetEnclosing(nullptr);
  return Bodies{std::make_shared<const Graph>(std::move(body))};
}

std::vector<std::shared_ptr<const Graph>> FunctionsOf(const Graph& graph) {
  absl::flat_hash_set<const Graph*> called;
  const auto note_calls = [&](const Graph& g) {
    if (g.depth() == 0) return;
    for (NodeId id : g.nodes()) {
      if (IsCall(*g.node(id).op)) called.insert(g.node(id).bodies[0].get());
    }
  };
  note_calls(graph);
  std::vector<std::shared_ptr<const Graph>> all;
  VisitBodies(graph, [&](const std::shared_ptr<const Graph>& body) {
    note_calls(*body);
    all.push_back(body);
  });
  std::erase_if(all, [&](const auto& body) { return !called.contains(body.get()); });
  return all;
}

size_t NumCaptured(const Node& node) {
  if (!node.op->Is<Control>()) return 0;
  const int64_t captured = node.attrs.Get<int64_t>("captured");
  return static_cast<size_t>(std::clamp<int64_t>(captured, 0, static_cast<int64_t>(node.inputs.size())));
}

absl::StatusOr<ValueId> AddCapturedInput(Graph& body, const Graph& graph, ValueId outer, std::string name) {
  const ValueInfo& value = graph.value(outer);
  if (name.empty()) name = value.name.empty() ? "captured" : value.name;
  TENFOLD_ASSIGN_OR_RETURN(const NodeId node,
                           body.AddNode(*body.registry().Find("Input"), {}, {{"type", value.type}}, {name},
                                        {graph.producer(outer).provenance.location, "", {}}));
  const ValueId input = body.node(node).outputs[0];
  if (value.contents) body.AssumeContents(input, *value.contents);
  return input;
}

absl::StatusOr<Bodies> RetypeBodies(const Graph& graph, const Node& node) {
  if (std::get<Control>(node.op->computation).kind == ControlKind::kCall) return node.bodies;
  TENFOLD_ASSIGN_OR_RETURN(const ControlLayout layout,
                           LayOutControl(*node.op, node.inputs.size(), node.attrs));
  std::vector<TensorType> operands;
  for (size_t i = layout.lead; i < node.inputs.size(); ++i)
    operands.push_back(graph.value(node.inputs[i]).type);
  const std::optional<std::vector<TensorType>> types = PassedTypes(layout, operands);
  if (!types) return node.bodies;  // inference says so
  Bodies bodies;
  for (const auto& old : node.bodies) {
    if (!FitsBody(layout, *old)) return node.bodies;
    const absl::flat_hash_set<std::string> varying = VaryingSymbols(layout, *old);
    Graph body = *old;
    body.SetEnclosing(&graph);
    bool changed = false;
    for (int i = 0; i < layout.num_passed(); ++i) {
      const ValueId input = body.inputs()[layout.body_lead + i];
      TensorType type = (*types)[i];
      const TensorType& declared = body.value(input).type;
      const bool same_rank =
          type.shape.has_rank() && declared.shape.has_rank() && type.shape.rank() == declared.shape.rank();
      if (i < layout.carried && same_rank) {  // what varies goes on to vary
        std::vector<Dim> dims = type.shape.dims();
        for (size_t d = 0; d < dims.size(); ++d) {
          const std::optional<std::string> symbol = declared.shape.dims()[d].symbol();
          if (symbol && varying.contains(*symbol)) dims[d] = declared.shape.dims()[d];
        }
        type.shape = Shape(std::move(dims));
      }
      std::optional<Contents> contents;
      if (i >= layout.carried + layout.scanned) contents = graph.value(node.inputs[layout.lead + i]).contents;
      if (type == declared && contents == body.value(input).contents) continue;
      TENFOLD_RETURN_IF_ERROR(body.SetInputType(input, std::move(type), std::move(contents)));
      changed = true;
    }
    if (changed) {
      const absl::Status inferred = body.Reinfer();
      if (!inferred.ok()) return inferred;
    }
    body.SetEnclosing(nullptr);
    bodies.push_back(changed ? std::make_shared<const Graph>(std::move(body)) : old);
  }
  return RelaxBodies(graph, *node.op, node.inputs, node.attrs, std::move(bodies));
}

}  // namespace tenfold
