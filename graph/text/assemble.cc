// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/assemble.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/no_such_op.h"
#include "tenfold/graph/text/attr_syntax.h"
#include "tenfold/graph/text/element.h"
#include "tenfold/graph/text/inline_literal.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

// Enough for a suggestion; comparing a wrong name with a million others is not worth the time.
constexpr size_t kCandidates = 1000;

constexpr char kNoCycles[] = "statements stand in the order of computation, and a graph has no cycles";

// "did you mean 'axis'?", and, if that is sure, its text in the place of what stands there.
Mend Instead(absl::string_view nearest, bool sure, Span span) {
  Mend mend = DidYouMean(nearest);
  if (sure && !nearest.empty()) mend.edits = {ReplaceText{span.begin, span.end, QuoteName(nearest)}};
  return mend;
}

// What NumPy, PyTorch and TensorFlow call attributes of ours, too.
std::string NearestAttr(const std::string& name, const std::vector<std::string>& known) {
  constexpr std::pair<absl::string_view, absl::string_view> kOtherNames[] = {
      {"dim", "axis"},  {"dim", "axes"}, {"axis", "axes"},          {"dims", "axes"},        {"dims", "perm"},
      {"axes", "perm"}, {"dtype", "to"}, {"keep_dims", "keepdims"}, {"keepdim", "keepdims"},
  };
  for (const auto& [other, ours] : kOtherNames) {
    if (name == other && std::find(known.begin(), known.end(), ours) != known.end()) return std::string(ours);
  }
  return NearestName(name, known);
}

// What stands behind the operands of `op`, as an attribute: "axes=[1]" for the 1 of ReduceSum(x, 1), "to=f32"
// for the f32 of Cast(x, f32); empty if no attribute would take it.
std::string AsAttr(const StatementSyntax& statement, const OpDef& op) {
  std::vector<absl::string_view> numbers;
  std::string dtype;
  for (size_t i = op.inputs.size(); i < statement.operands.size(); ++i) {
    const auto& value = statement.operands[i].value;
    if (const auto* number = std::get_if<NumberSyntax>(&value)) {
      numbers.push_back(number->text);
    } else if (const auto* list = std::get_if<NumberListSyntax>(&value)) {
      for (const auto& [text, span] : list->numbers) numbers.push_back(text);
    } else if (const auto* name = std::get_if<std::string>(&value)) {
      const std::optional<DType> own = ParseDType(*name), meant = own ? own : DTypeOfForeignName(*name);
      if (!meant) return "";
      dtype = std::string(Name(*meant));
    } else {
      return "";
    }
  }
  for (const AttrDef& attr : op.attrs) {
    if (attr.kind == AttrKind::kInts && dtype.empty())
      return absl::StrCat(attr.name, "=[", absl::StrJoin(numbers, ", "), "]");
    if (attr.kind == AttrKind::kInt && dtype.empty() && numbers.size() == 1)
      return absl::StrCat(attr.name, "=", numbers[0]);
    if (attr.kind == AttrKind::kDType && numbers.empty()) return absl::StrCat(attr.name, "=", dtype);
  }
  return "";
}

Span SpanOf(const StatementSyntax& statement) {
  return {statement.results.front().name.span.begin, statement.op.span.end};
}

}  // namespace

Graph GraphAssembler::Assemble(GraphSyntax& syntax) && {
  graph_.name = syntax.name.name;
  CollectNames(syntax);
  AddBounds(syntax);
  for (size_t i = 0; i < syntax.inputs.size(); ++i) {
    InputSyntax& input = syntax.inputs[i];
    if (!input.type && i < given_.size()) input.type = given_[i];
    AddInput(input);
  }
  for (ValueId id : std::exchange(captured_, {})) Capture(id);
  for (StatementSyntax& statement : syntax.statements) {
    if (errors_.full()) break;
    AddStatement(statement);
  }
  for (const OutputSyntax& output : syntax.outputs) AddOutput(output);
  graph_.SetEnclosing(nullptr);
  return std::move(graph_);
}

// Done first, so that a use before the definition is told from a wrong name.
void GraphAssembler::CollectNames(const GraphSyntax& syntax) {
  const auto add = [&](const NameSyntax& name) {
    const auto [it, is_new] = places_.try_emplace(name.name, name.span);
    if (is_new) return;
    errors_.Add(name.span, "E0104",
                absl::StrCat("'", name.name, "' is defined twice: first at line ",
                             errors_.source().LineOf(it->second.begin)),
                "give one of them another name");
  };
  for (const InputSyntax& input : syntax.inputs) add(input.name);
  for (const StatementSyntax& statement : syntax.statements) {
    for (const TypedNameSyntax& result : statement.results) add(result.name);
  }
}

void GraphAssembler::AddBounds(const GraphSyntax& syntax) {
  for (const BoundSyntax& bound : syntax.bounds) {
    if (!graph_.symbol_bounds.emplace(bound.symbol.name, bound.bounds).second) {
      errors_.Add(bound.symbol.span, "E0104",
                  absl::StrCat("the symbol '", bound.symbol.name, "' has bounds already"));
    }
  }
}

void GraphAssembler::AddInput(const InputSyntax& input) {
  const OpDef* op = graph_.registry().Find("Input");
  if (op == nullptr || !input.type || graph_.FindValue(input.name.name)) return;
  const absl::StatusOr<NodeId> node = graph_.AddNode(*op, {}, {{"type", *input.type}}, {input.name.name},
                                                     ReadProvenance(input.provenance, input.name.span));
  if (!node.ok()) {
    errors_.Add(input.name.span, node.status());
  } else if (input.contract) {
    AddContract(input);
  }
}

void GraphAssembler::AddContract(const InputSyntax& input) {
  const ContractSyntax& syntax = *input.contract;
  Contract contract;
  contract.type = syntax.type.value_or(*input.type);
  contract.samples = syntax.samples;
  contract.rows = syntax.rows;
  contract.min = syntax.min;
  contract.max = syntax.max;
  contract.nans = syntax.nans;
  if (syntax.axis) contract.axis = static_cast<int>(std::clamp<int64_t>(*syntax.axis, -1, INT32_MAX));
  const std::string fault = FindContractFault(contract, *input.type);
  if (fault.empty()) {
    graph_.contracts.emplace(input.name.name, std::move(contract));
  } else {
    errors_.Add(syntax.span, "E0501", absl::StrCat("the contract of '", input.name.name, "': ", fault));
  }
}

void GraphAssembler::AddStatement(StatementSyntax& statement) {
  if (statement.bad) return;
  statement_begin_ = statement.results.front().name.span.begin;
  // A second definition is reported already, and must not take the first one's place.
  for (const TypedNameSyntax& result : statement.results) {
    if (places_[result.name.name].begin != result.name.span.begin) return;
  }
  if (statement.tensor || statement.reference) {
    AddConst(statement);
  } else {
    AddCall(statement);
  }
}

void GraphAssembler::AddConst(StatementSyntax& statement) {
  const OpDef* op = graph_.registry().Find("Const");
  if (op == nullptr) return;
  if (statement.reference) {
    const ReferenceSyntax& reference = *statement.reference;
    ArrayRequest request = {.file = reference.file, .member = reference.member, .checksum = std::nullopt};
    request.value = statement.results[0].name.name;
    if (reference.type) request.dtype = reference.type->type.dtype;
    absl::StatusOr<IngestedArray> array = ResolveArray(resolver_, request, nullptr);
    if (!array.ok()) return errors_.Add(reference.span, mends_.Rewrite(array.status(), statement));
    if (reference.type) {
      const std::string found = array->tensor.type().ToString();
      const Span& written = reference.type->span;
      const absl::Status right = CheckArrayType(request, array->tensor.type(), reference.type->type,
                                                {absl::StrCat("if the array is right, write ", found),
                                                 {ReplaceText{written.begin, written.end, found}}});
      if (!right.ok()) return errors_.Add(reference.span, right);
    }
    statement.tensor = std::move(array->tensor);
    statement.provenance.ingest = std::move(array->record);
    if (statement.provenance.array.empty()) {
      statement.provenance.array = ReferenceName(reference.file, reference.member);
    }
  }
  AddNode(*op, {}, {{"value", *std::move(statement.tensor)}}, statement, {});
}

void GraphAssembler::AddCall(StatementSyntax& statement) {
  const OpDef* op = FindOp(statement);
  if (op == nullptr) return;
  Attrs attrs;
  std::vector<ValueId> inputs;
  const bool good_attrs = ReadAttrs(statement, *op, attrs);
  if (!ReadOperands(statement, *op, inputs) || !good_attrs) return;
  if (op->Is<Control>()) return AddControl(statement, *op, std::move(inputs), std::move(attrs));
  if (op->Is<FusedBody>() != (statement.bodies.size() == 1)) {
    errors_.Add(
        statement.op.span, "E0501",
        absl::StrCat(op->name, op->Is<FusedBody>()
                                   ? " needs a body, the graph that it stands for"
                                   : " takes no body: only a fused node, If, Loop and Scan have any"));
    return;
  }
  Bodies bodies;
  if (op->Is<FusedBody>()) {
    const int errors_before = errors_.count();
    Graph assembled = GraphAssembler(graph_.shared_registry(), resolver_, graph_.limits, errors_, functions_)
                          .Assemble(*statement.bodies[0]);
    if (errors_.count() > errors_before || !CheckNoContract(statement, assembled)) return;
    if (!CheckBody(statement, inputs, assembled)) return;
    bodies.push_back(std::make_shared<const Graph>(std::move(assembled)));
  }
  const size_t results = bodies.empty() ? op->outputs.size() : bodies[0]->outputs().size();
  if (!op->GivesAnyNumber() && !CheckResultCount(statement, *op, results)) return;
  AddNode(*op, std::move(inputs), std::move(attrs), statement, std::move(bodies));
}

bool GraphAssembler::CheckNoContract(const StatementSyntax& statement, const Graph& body) {
  if (body.contracts.empty()) return true;
  errors_.Add(statement.op.span, "E0501", "an input of a body has a contract: only those of the graph have");
  return false;
}

bool GraphAssembler::CheckResultCount(const StatementSyntax& statement, const OpDef& op, size_t results) {
  const size_t names = statement.results.size();
  if (results == names) return true;
  errors_.Add(SpanOf(statement), "E0103",
              absl::StrCat(op.name, " gives ", results, results == 1 ? " result" : " results", ", but ",
                           names, names == 1 ? " name stands" : " names stand", " before '='"));
  return false;
}

const OpDef* GraphAssembler::FindOp(const StatementSyntax& statement) {
  const std::string& name = statement.op.name;
  if (name == "Input") {
    errors_.Add(statement.op.span, "E0501", "an input stands in the graph's header, not in a statement",
                "write graph g(x: f32[N,64]) -> (...) {");
    return nullptr;
  }
  const OpDef* op = graph_.registry().Find(name);
  if (op == nullptr)
    errors_.Add(statement.op.span, mends_.Rewrite(NoSuchOp(name, graph_.registry()), statement));
  return op;
}

bool GraphAssembler::CheckBody(const StatementSyntax& statement, const std::vector<ValueId>& inputs,
                               const Graph& body) {
  bool same = inputs.size() == body.inputs().size();
  for (size_t i = 0; same && i < inputs.size(); ++i) {
    same = graph_.value(inputs[i]).type == body.value(body.inputs()[i]).type;
  }
  if (same) return true;
  const auto types = [](const Graph& graph, const std::vector<ValueId>& ids) {
    return absl::StrJoin(ids, ", ", [&](std::string* out, ValueId id) {
      absl::StrAppend(out, graph.value(id).type.ToString());
    });
  };
  errors_.Add(statement.op.span, "E0504",
              absl::StrCat("the body takes (", types(body, body.inputs()), "), but the operands are (",
                           types(graph_, inputs), ")"));
  return false;
}

bool GraphAssembler::ReadAttrs(const StatementSyntax& statement, const OpDef& op, Attrs& attrs) {
  bool good = true;
  const auto fail = [&](Span span, std::string message, Mend help = {}) {
    errors_.Add(span, "E0102", std::move(message), std::move(help));
    good = false;
  };
  for (const AttrSyntax& attr : statement.attrs) {
    const AttrDef* def = op.FindAttr(attr.name.name);
    if (def == nullptr) {
      std::vector<std::string> known;
      for (const AttrDef& each : op.attrs) known.push_back(each.name);
      const std::string near = NearestAttr(attr.name.name, known);
      const bool is_port = std::any_of(op.inputs.begin(), op.inputs.end(),
                                       [&](const PortDef& port) { return port.name == attr.name.name; });
      if (is_port) {
        const absl::string_view value =
            errors_.source().text().substr(attr.span.begin, attr.span.end - attr.span.begin);
        const bool list = std::holds_alternative<NumberListSyntax>(attr.value);
        const std::string operand =
            list ? absl::StrCat("{", value.substr(1, value.size() - 2), "}") : std::string(value);
        fail(attr.name.span,
             absl::StrCat("'", attr.name.name, "' is an operand of ", op.name,
                          ", and operands are written without their names"),
             {absl::StrCat("write ", operand), {ReplaceText{attr.name.span.begin, attr.span.end, operand}}});
        continue;
      }
      const AttrDef* const meant = near.empty() ? nullptr : op.FindAttr(near);
      if (meant != nullptr && !ReadAttrValue(attr, meant->kind)) {
        const std::string value = NearestAttrText(attr, meant->kind);
        if (!value.empty()) {
          const std::string both = absl::StrCat(QuoteName(near), "=", value);
          fail(attr.name.span, absl::StrCat(op.name, " has no attribute '", attr.name.name, "'"),
               {DidYouMean(both), {ReplaceText{attr.name.span.begin, attr.span.end, both}}});
          continue;
        }
      }
      fail(attr.name.span, absl::StrCat(op.name, " has no attribute '", attr.name.name, "'"),
           !near.empty()   ? Instead(near, true, attr.name.span)
           : known.empty() ? absl::StrCat(op.name, " has no attributes")
                           : absl::StrCat("its attributes are ", absl::StrJoin(known, ", ")));
    } else if (attrs.Find(attr.name.name) != nullptr) {
      fail(attr.name.span, absl::StrCat("the attribute '", attr.name.name, "' is given twice"));
    } else if (attr.braces) {
      const absl::string_view inside =
          errors_.source().text().substr(attr.span.begin + 1, attr.span.end - attr.span.begin - 2);
      const std::string list = absl::StrCat("[", inside, "]");
      fail(attr.span, "an attribute's list of integers stands in []",
           {absl::StrCat("write ", list), {ReplaceText{attr.span.begin, attr.span.end, list}}});
    } else if (std::optional<AttrValue> value = ReadAttrValue(attr, def->kind)) {
      attrs.Set(attr.name.name, *std::move(value));
    } else {
      const std::string near = NearestAttrText(attr, def->kind);
      Mend mend;
      if (!near.empty()) {
        mend = {absl::StrCat("write ", QuoteName(attr.name.name), "=", near),
                {ReplaceText{attr.span.begin, attr.span.end, near}}};
      }
      fail(attr.span,
           absl::StrCat("the attribute '", attr.name.name, "' of ", op.name, " is ",
                        DescribeAttrKind(def->kind)),
           std::move(mend));
    }
  }
  return good;
}

bool GraphAssembler::ReadOperands(const StatementSyntax& statement, const OpDef& op,
                                  std::vector<ValueId>& inputs) {
  const size_t count = statement.operands.size();
  if (!op.TakesInputs(count) && !op.Is<FusedBody>()) {
    if (count > op.inputs.size()) {
      const Span extra = {statement.operands[op.inputs.size()].span.begin,
                          statement.operands.back().span.end};
      const std::string attr = AsAttr(statement, op);
      if (!attr.empty()) {
        errors_.Add(extra, "E0103",
                    absl::StrCat(op.name, " takes ", op.InputCountText("operand"), ", but got ", count),
                    {absl::StrCat("write ", attr), {ReplaceText{extra.begin, extra.end, attr}}});
        return false;
      }
    }
    errors_.Add(statement.op.span, "E0103",
                absl::StrCat(op.name, " takes ", op.InputCountText("operand"), ", but got ", count),
                absl::StrCat("it is written ", op.name, "(",
                             absl::StrJoin(op.inputs, ", ",
                                           [](std::string* out, const PortDef& port) { *out += port.name; }),
                             ")"));
    return false;
  }
  bool good = true;
  const auto absent = [&](size_t i) {
    return std::holds_alternative<AbsentSyntax>(statement.operands[i].value);
  };
  for (size_t i = 0; i < count; ++i) {
    if (!absent(i) || (!op.Is<FusedBody>() && op.InputPort(i).arity == Arity::kOptional)) continue;
    errors_.Add(statement.operands[i].span, "E0103",
                op.Is<FusedBody>()
                    ? std::string("the inputs of a body are all there")
                    : absl::StrCat(op.name, " needs its operand '", op.InputPort(i).name, "'"));
    return false;
  }
  std::vector<std::optional<ValueId>> values(count);
  for (size_t i = 0; i < count; ++i) {
    const auto* name = std::get_if<std::string>(&statement.operands[i].value);
    if (name == nullptr) continue;
    values[i] = Lookup(*name, statement.operands[i].span, statement_begin_);
    good = good && values[i].has_value();
  }
  if (!good) return false;
  const auto dtype_of = [&](size_t k) -> std::optional<DType> {
    if (!std::holds_alternative<std::string>(statement.operands[k].value)) return std::nullopt;
    return graph_.value(*values[k]).type.dtype;
  };
  for (size_t i = 0; i < count; ++i) {
    const OperandSyntax& operand = statement.operands[i];
    if (absent(i)) {
      inputs.push_back(kNoValue);
      continue;
    }
    if (values[i]) {
      inputs.push_back(*values[i]);
      continue;
    }
    const std::optional<DType> dtype = LiteralDType(op, i, count, dtype_of);
    if (!dtype) {
      errors_.Add(operand.span, "E0204",
                  absl::StrCat("no other operand of ", op.name, " gives this literal a dtype"),
                  "make it a Const with the dtype that is meant");
      return false;
    }
    absl::StatusOr<Tensor> tensor = ReadInlineLiteral(operand, *dtype);
    const OpDef* constant = graph_.registry().Find("Const");
    if (tensor.ok() && constant != nullptr) {
      const absl::StatusOr<NodeId> node = graph_.AddNode(*constant, {}, {{"value", *std::move(tensor)}}, {""},
                                                         ReadProvenance({}, operand.span));
      if (node.ok()) {
        inputs.push_back(graph_.node(*node).outputs[0]);
        continue;
      }
      tensor = node.status();
    }
    errors_.Add(operand.span, WithCastOfOperand(statement, op, i, *dtype, tensor.status()));
    return false;
  }
  return true;
}

// A fraction beside integers: they are what can be cast.
absl::Status GraphAssembler::WithCastOfOperand(const StatementSyntax& statement, const OpDef& op,
                                               size_t literal, DType dtype, const absl::Status& error) {
  std::vector<Diagnostic> diagnostics = DiagnosticsOf(error);
  const auto* number = std::get_if<NumberSyntax>(&statement.operands[literal].value);
  double value = 0;
  if (diagnostics.size() != 1 || !IsInteger(dtype) || number == nullptr ||
      !ReadElement(number->text, DType::kF64, &value))
    return error;
  for (size_t k = 0; k < statement.operands.size(); ++k) {
    const auto* name = std::get_if<std::string>(&statement.operands[k].value);
    if (name == nullptr || std::max(k, literal) >= op.inputs.size() ||
        op.inputs[k].type_var != op.inputs[literal].type_var)
      continue;
    diagnostics[0].help = {{absl::StrCat("Cast(", *name, ", to=f32) computes in f32"),
                            {WrapOperand{static_cast<int>(k), "Cast", "to=f32"}}}};
    return mends_.Rewrite(ToStatus(std::move(diagnostics)), statement);
  }
  return error;
}

void GraphAssembler::AddNode(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs,
                             const StatementSyntax& statement, Bodies bodies) {
  std::vector<std::string> names;
  for (const TypedNameSyntax& result : statement.results) names.push_back(result.name.name);
  const absl::StatusOr<NodeId> node =
      graph_.AddNode(op, std::move(inputs), std::move(attrs), std::move(names),
                     ReadProvenance(statement.provenance, statement.results[0].name.span), std::move(bodies));
  if (!node.ok()) {
    absl::Status status = node.status();
    if (statement.provenance.location) {
      status = WithNote(status, absl::StrCat("built at ", *statement.provenance.location));
    }
    errors_.Add(statement.op.span, mends_.Rewrite(status, statement));
    return;
  }
  const std::vector<ValueId>& outputs = graph_.node(*node).outputs;
  if (op.GivesAnyNumber() && !CheckResultCount(statement, op, outputs.size())) return;
  for (size_t i = 0; i < std::min(outputs.size(), statement.results.size()); ++i) {
    const TypedNameSyntax& result = statement.results[i];
    const TensorType& inferred = graph_.value(outputs[i]).type;
    if (!result.type || result.type->type == inferred) continue;
    const Span& written = result.type->span;
    errors_.Add(result.name.span, "E0504",
                absl::StrCat("'", result.name.name, "' is written as ", result.type->type.ToString(),
                             ", but ", op.name, " gives ", inferred.ToString()),
                {"types of results may be left out: they are inferred",
                 {ReplaceText{written.begin, written.end, inferred.ToString()}}});
  }
}

void GraphAssembler::AddOutput(const OutputSyntax& output) {
  // A value that failed is known by its place alone; its error is recorded.
  const std::string& name = output.value.name;
  std::optional<ValueId> value = graph_.FindValue(name);
  if (!value && !places_.contains(name)) value = Lookup(name, output.value.span, SIZE_MAX);
  if (!value) return;
  const absl::Status status = graph_.AddOutput(output.name.name, *value);
  if (!status.ok()) errors_.Add(output.name.span, status);
}

std::optional<ValueId> GraphAssembler::Lookup(absl::string_view name, Span span, size_t above) {
  if (std::optional<ValueId> value = graph_.FindValue(name)) return value;
  const auto place = places_.find(std::string(name));
  if (place == places_.end() && outer_ != nullptr && outer_->Knows(name)) {
    const std::optional<ValueId> outer = outer_->Lookup(name, span, above);
    return outer ? Capture(*outer) : std::nullopt;
  }
  if (place == places_.end()) {
    std::vector<std::string> candidates;
    for (const GraphAssembler* graph = this; graph != nullptr; graph = graph->outer_) {
      for (const auto& [known, where] : graph->places_) {
        if (candidates.size() == kCandidates) break;
        if (where.begin < above) candidates.push_back(known);
      }
    }
    std::sort(candidates.begin(), candidates.end());
    std::string near = NearestName(name, candidates);
    // Any letter is near another.
    if (name.size() == 1 && !IsSlip(name, near)) near.clear();
    errors_.Add(span, "E0107", absl::StrCat("there is no value '", name, "'"),
                Instead(near, IsSlip(name, near), span));
    return std::nullopt;
  }
  if (place->second.begin < span.begin) {
    // What stands above and gave no value failed there, and is reported there.
    const bool own_result = place->second.begin >= statement_begin_;
    if (own_result) errors_.Add(span, "E0106", absl::StrCat("'", name, "' depends on itself"), kNoCycles);
    return std::nullopt;
  }
  errors_.Add(span, "E0106",
              absl::StrCat("'", name, "' is read before it is computed, at line ",
                           errors_.source().LineOf(place->second.begin)),
              kNoCycles);
  return std::nullopt;
}

Provenance GraphAssembler::ReadProvenance(const ProvenanceSyntax& syntax, Span span) const {
  return {syntax.location ? *syntax.location : errors_.source().PlaceOf(span.begin), syntax.array,
          syntax.from, syntax.ingest};
}

}  // namespace tenfold
