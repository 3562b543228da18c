// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/printer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/text/attr_syntax.h"
#include "tenfold/graph/text/quote.h"
#include "tenfold/graph/text/tensor_literal.h"
#include "tenfold/graph/text/value_names.h"

namespace tenfold {
namespace {

// As dims write them: only identifiers go without quotes.
std::string SymbolText(const std::string& symbol) {
  return symbol.find_first_of("./") == std::string::npos ? QuoteName(symbol) : QuoteString(symbol);
}

class Printer {
 public:
  // `captured`: of a body, the names of its last inputs in the graph around it.
  Printer(const Graph& graph, const PrintOptions& options, std::string indent, std::string* out,
          const std::vector<std::string>& captured = {})
      : graph_(graph),
        options_(options),
        names_(graph, captured),
        num_captured_(captured.size()),
        indent_(std::move(indent)),
        out_(*out) {}

  void Print(absl::string_view keyword) {
    Header(keyword);
    for (NodeId id : graph_.nodes()) {
      const Node& node = graph_.node(id);
      if (node.op->name == "Input" || names_.is_inline(node.outputs[0])) continue;
      Statement(id, node);
    }
    absl::StrAppend(&out_, indent_, "}\n");
  }

 private:
  void Header(absl::string_view keyword) {
    absl::StrAppend(&out_, indent_, keyword, " ", QuoteName(graph_.name), "(");
    const char* separator = "";
    for (size_t i = 0; i + num_captured_ < graph_.inputs().size(); ++i) {
      const ValueId input = graph_.inputs()[i];
      absl::StrAppend(&out_, separator, names_[input], ": ", graph_.value(input).type.ToString());
      const auto contract = graph_.contracts.find(graph_.value(input).name);
      if (contract != graph_.contracts.end()) ContractOf(contract->second, graph_.value(input).type);
      ProvenanceOf(graph_.producer(input));
      separator = ", ";
    }
    out_ += ")";
    separator = " where ";
    for (const auto& [symbol, bounds] : graph_.symbol_bounds) {
      absl::StrAppend(&out_, separator, SymbolText(symbol), " in [", bounds.min, ",",
                      bounds.max ? absl::StrCat(*bounds.max) : "", "]");
      separator = ", ";
    }
    out_ += " -> (";
    separator = "";
    for (const GraphOutput& output : graph_.outputs()) {
      const std::string name = QuoteName(output.name);
      const std::string& value = names_[output.value];
      absl::StrAppend(&out_, separator, name, name == value ? "" : absl::StrCat("=", value));
      separator = ", ";
    }
    out_ += ") {\n";
  }

  void ContractOf(const Contract& contract, const TensorType& declared) {
    out_ += " contract(";
    for (const std::string& sample : contract.samples) absl::StrAppend(&out_, QuoteString(sample), ", ");
    if (!(contract.type == declared)) absl::StrAppend(&out_, "type=", contract.type.ToString(), ", ");
    absl::StrAppend(&out_, "rows=", contract.rows);
    if (contract.axis) absl::StrAppend(&out_, ", axis=", *contract.axis);
    const auto tensor = [&](absl::string_view name, const Tensor& values) {
      absl::StrAppend(&out_, ", ", name, "=", TensorLiteral(values, options_.max_elements, indent_));
    };
    tensor("min", contract.min);
    tensor("max", contract.max);
    if (contract.nans.num_elements() > 0) tensor("nans", contract.nans);
    out_ += ")";
  }

  void Statement(NodeId id, const Node& node) {
    const std::string inner = indent_ + "  ";
    out_ += inner;
    const char* separator = "";
    for (ValueId output : node.outputs) {
      absl::StrAppend(&out_, separator, names_[output]);
      if (options_.types) absl::StrAppend(&out_, ": ", graph_.value(output).type.ToString());
      separator = ", ";
    }
    if (node.op->name == "Const") {
      absl::StrAppend(&out_, " = Const ", TensorLiteral(node.tensor(), options_.max_elements, inner));
    } else {
      Call(node, inner);
    }
    ProvenanceOf(node);
    if (options_.comment) {
      const std::string comment = options_.comment(graph_, id);
      if (!comment.empty()) absl::StrAppend(&out_, "  # ", absl::StrReplaceAll(comment, {{"\n", " "}}));
    }
    out_ += "\n";
  }

  void Call(const Node& node, const std::string& inner) {
    absl::StrAppend(&out_, " = ", QuoteName(node.op->name), "(");
    const char* separator = "";
    size_t operands = node.inputs.size() - NumCaptured(node);
    while (operands > 0 && node.inputs[operands - 1] == kNoValue) --operands;
    for (size_t i = 0; i < operands; ++i) {
      const ValueId input = node.inputs[i];
      absl::StrAppend(&out_, separator, input == kNoValue ? "_" : names_[input]);
      separator = ", ";
    }
    for (const auto& [name, value] : node.attrs) {
      if (node.op->Is<Control>() && name == "captured") continue;  // found by who reads it
      const AttrDef* def = node.op->FindAttr(name);
      if (def != nullptr && def->default_value && *def->default_value == value) continue;
      absl::StrAppend(&out_, separator, QuoteName(name), "=",
                      AttrValueText(value, options_.max_elements, inner));
      separator = ", ";
    }
    out_ += ")";
    if (node.bodies.empty() || IsCall(*node.op)) return;
    out_ += " {\n";
    const std::vector<std::string> captured = names_.CapturedBy(node);
    for (const auto& body : node.bodies) {
      Printer(*body, options_, inner + "  ", &out_, captured).Print("graph");
    }
    absl::StrAppend(&out_, inner, "}");
  }

  void ProvenanceOf(const Node& node) {
    const Provenance& provenance = node.provenance;
    if (options_.from && !provenance.from.empty()) {
      absl::StrAppend(&out_, " from(",
                      absl::StrJoin(provenance.from, ", ",
                                    [](std::string* out, const std::string& n) { *out += QuoteName(n); }),
                      ")");
    }
    if (!options_.locations) return;
    if (!provenance.location.empty()) absl::StrAppend(&out_, " at ", QuoteString(provenance.location));
    if (!provenance.array.empty()) absl::StrAppend(&out_, " array ", QuoteString(provenance.array));
    const IngestRecord& ingest = provenance.ingest;
    if (ingest.empty()) return;
    absl::StrAppend(&out_, " ingest(", QuoteString(ingest.source), ", ", QuoteString(ingest.policy),
                    ", values=", ingest.values, ", changed=", ingest.changed,
                    ", by=", ElementToString(Tensor::Scalar(ingest.largest_change), 0),
                    ", nans=", ingest.nans_replaced, ")");
  }

  const Graph& graph_;
  const PrintOptions& options_;
  const ValueNames names_;
  const size_t num_captured_;
  const std::string indent_;
  std::string& out_;
};

}  // namespace

std::string PrintText(const Graph& graph, const PrintOptions& options) {
  std::string out = options.header ? "tenfold 1\n\n" : "";
  for (const auto& function : FunctionsOf(graph)) {
    Printer(*function, options, "", &out).Print("function");
    out += "\n";
  }
  Printer(graph, options, "", &out).Print("graph");
  return out;
}

}  // namespace tenfold
