// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/value_names.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/text/inline_literal.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

size_t Index(ValueId id) { return static_cast<size_t>(id); }

}  // namespace

ValueNames::ValueNames(const Graph& graph)
    : graph_(graph), texts_(graph.num_values()), inline_(graph.num_values()), read_(graph.num_values()) {
  for (NodeId id : graph.nodes()) {
    for (ValueId output : graph.node(id).outputs) {
      if (!graph.value(output).name.empty()) {
        texts_[Index(output)] = QuoteName(graph.value(output).name);
        continue;
      }
      const Tensor* tensor = graph.ConstantValue(output);
      std::optional<std::string> literal = tensor == nullptr ? std::nullopt : InlineLiteralText(*tensor);
      inline_[Index(output)] = literal.has_value();
      if (literal) texts_[Index(output)] = *std::move(literal);
    }
  }
  for (NodeId id : graph.nodes()) CheckReader(graph.node(id));
  for (const GraphOutput& output : graph.outputs()) {
    if (inline_[Index(output.value)]) GiveName(output.value);
  }
  for (NodeId id : graph.nodes()) {
    for (ValueId output : graph.node(id).outputs) {
      const bool unread_literal = inline_[Index(output)] && !read_[Index(output)];
      if (unread_literal || texts_[Index(output)].empty()) GiveName(output);
    }
  }
}

void ValueNames::GiveName(ValueId id) {
  const std::string base = DefaultValueName(*graph_.producer(id).op);
  std::string name;
  do {
    name = next_suffix_ == 0 ? base : absl::StrCat(base, ".", next_suffix_);
    ++next_suffix_;
  } while (graph_.FindValue(name).has_value());
  texts_[Index(id)] = QuoteName(name);
  inline_[Index(id)] = false;
}

// Ports are taken in order: a literal that finds no dtype gets a name, and then gives one to the next.
void ValueNames::CheckReader(const Node& node) {
  const auto dtype_of = [&](size_t k) -> std::optional<DType> {
    if (node.inputs[k] == kNoValue || inline_[Index(node.inputs[k])]) return std::nullopt;
    return graph_.value(node.inputs[k]).type.dtype;
  };
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId input = node.inputs[i];
    if (input == kNoValue) continue;
    read_[Index(input)] = true;
    if (!inline_[Index(input)]) continue;
    if (LiteralDType(*node.op, i, node.inputs.size(), dtype_of) != graph_.value(input).type.dtype)
      GiveName(input);
  }
}

}  // namespace tenfold
