// SPDX-License-Identifier: Apache-2.0
//
// Nodes with bodies, what those capture, and functions.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/text/assemble.h"

namespace tenfold {

void GraphAssembler::AddControl(StatementSyntax& statement, const OpDef& op, std::vector<ValueId> inputs,
                                Attrs attrs) {
  for (const AttrSyntax& attr : statement.attrs) {
    if (attr.name.name != "captured") continue;
    errors_.Add(attr.name.span, "E0102",
                "what a body reads of the graph around it is found, and not written as 'captured'",
                "leave it out");
    return;
  }
  const auto kind = std::get<Control>(op.computation).kind;
  const size_t wanted = kind == ControlKind::kCall ? 0 : op.NumBodies();
  if (statement.bodies.size() != wanted) {
    errors_.Add(statement.op.span, "E0501",
                wanted == 0 ? absl::StrCat(op.name, " takes no body: a function stands before the graph")
                            : absl::StrCat(op.name, " has ", wanted == 1 ? "one body" : "two bodies",
                                           " in { }, and ", statement.bodies.size(), " are written"),
                wanted == 2 ? "write If(c) { graph then() -> (y) { ... } graph else() -> (y) { ... } }"
                : wanted == 1
                    ? Mend(absl::StrCat("write ", op.name, "(...) { graph body(...) -> (...) { ... } }"))
                    : Mend());
    return;
  }
  if (wanted == 0) {
    const std::string name = attrs.Get<std::string>("function");
    const auto function = functions_.find(name);
    if (function == functions_.end()) {
      std::vector<std::string> names;
      for (const auto& [known, body] : functions_) names.push_back(known);
      std::sort(names.begin(), names.end());
      errors_.Add(statement.op.span, "E0107", absl::StrCat("there is no function '", name, "'"),
                  names.empty()
                      ? Mend("a function stands before the graph: function f(x: f32[N]) -> (y) { ... }")
                      : DidYouMean(NearestName(name, names)));
      return;
    }
    if (function->second == nullptr) return;  // refused already
    return AddNode(op, std::move(inputs), std::move(attrs), statement, {function->second});
  }
  std::optional<Bodies> bodies = AssembleBodies(statement, op, inputs, attrs);
  if (!bodies) return;
  absl::StatusOr<Bodies> relaxed = RelaxBodies(graph_, op, inputs, attrs, *std::move(bodies));
  if (!relaxed.ok()) return errors_.Add(statement.op.span, relaxed.status());
  AddNode(op, std::move(inputs), std::move(attrs), statement, *std::move(relaxed));
}

std::optional<Bodies> GraphAssembler::AssembleBodies(StatementSyntax& statement, const OpDef& op,
                                                     std::vector<ValueId>& inputs, Attrs& attrs) {
  const absl::StatusOr<ControlLayout> layout = LayOutControl(op, inputs.size(), attrs);
  if (!layout.ok()) {
    errors_.Add(statement.op.span, layout.status());
    return std::nullopt;
  }
  std::vector<TensorType> given;
  if (layout->kind == ControlKind::kLoop) given = {{DType::kI64, Shape()}, {DType::kBool, Shape()}};
  std::vector<TensorType> passed;
  for (size_t i = layout->lead; i < inputs.size(); ++i) passed.push_back(graph_.value(inputs[i]).type);
  const std::vector<TensorType> types = PassedTypes(*layout, passed).value_or(passed);
  given.insert(given.end(), types.begin(), types.end());
  inputs.resize(std::max<size_t>(inputs.size(), layout->lead), kNoValue);
  std::vector<Graph> graphs;
  std::vector<ValueId> captured;
  for (const auto& syntax : statement.bodies) {
    if (syntax->inputs.size() != given.size()) {
      errors_.Add(
          syntax->name.span, "E0504",
          absl::StrCat("'", syntax->name.name, "' takes ", CountText(syntax->inputs.size(), "input"),
                       ", but ", op.name, " gives it ", given.size()),
          layout->kind == ControlKind::kLoop
              ? Mend("a loop's body takes the iteration's number, the condition and the carried values")
              : Mend());
      return std::nullopt;
    }
    const int errors_before = errors_.count();
    GraphAssembler assembler(graph_.shared_registry(), resolver_, graph_.limits, errors_, functions_, this);
    assembler.given_ = given;
    assembler.captured_ = captured;
    // Assemble consumes the assembler, but what it captured is wanted, too.
    Graph body = std::move(assembler).Assemble(*syntax);
    if (errors_.count() > errors_before || !CheckNoContract(statement, body)) return std::nullopt;
    for (size_t i = captured.size(); i < assembler.captured_.size(); ++i) {
      for (Graph& earlier : graphs) {
        const absl::Status added = AddCapturedInput(earlier, graph_, assembler.captured_[i]).status();
        if (added.ok()) continue;
        errors_.Add(statement.op.span, added);
        return std::nullopt;
      }
    }
    captured = assembler.captured_;
    graphs.push_back(std::move(body));
  }
  inputs.insert(inputs.end(), captured.begin(), captured.end());
  attrs.Set("captured", static_cast<int64_t>(captured.size()));
  Bodies bodies;
  for (Graph& graph : graphs) bodies.push_back(std::make_shared<const Graph>(std::move(graph)));
  return bodies;
}

std::optional<ValueId> GraphAssembler::Capture(ValueId outer) {
  // What this graph defines itself has that name here.
  std::string name = outer_->graph_.value(outer).name;
  while (places_.contains(name)) name = absl::StrCat("outer/", name);
  const absl::StatusOr<ValueId> input = AddCapturedInput(graph_, outer_->graph_, outer, std::move(name));
  if (!input.ok()) {
    errors_.Add(Span{statement_begin_, statement_begin_ + 1}, input.status());
    return std::nullopt;
  }
  captured_.push_back(outer);
  return *input;
}

bool GraphAssembler::Knows(absl::string_view name) const {
  return places_.contains(std::string(name)) || (outer_ != nullptr && outer_->Knows(name));
}

void AddFunction(GraphSyntax& syntax, const std::shared_ptr<const OpRegistry>& registry,
                 const ArrayResolver& resolver, const Limits& limits, ErrorList& errors,
                 Functions& functions) {
  if (functions.contains(syntax.name.name)) {
    errors.Add(syntax.name.span, "E0104",
               absl::StrCat("there is a function '", syntax.name.name, "' already"),
               "give one of them another name");
    return;
  }
  const int errors_before = errors.count();
  Graph body = GraphAssembler(registry, resolver, limits, errors, functions).Assemble(syntax);
  if (errors.count() == errors_before && !body.contracts.empty()) {
    errors.Add(syntax.name.span, "E0501",
               "a parameter of a function has a contract: only inputs of the graph have");
  }
  functions[syntax.name.name] =
      errors.count() > errors_before ? nullptr : std::make_shared<const Graph>(std::move(body));
}

}  // namespace tenfold
