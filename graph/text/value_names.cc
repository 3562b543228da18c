// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/value_names.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/text/inline_literal.h"
#include "tenfold/graph/text/quote.h"

namespace tenfold {
namespace {

size_t Index(ValueId id) { return static_cast<size_t>(id); }

}  // namespace

ValueNames::ValueNames(const Graph& graph, const std::vector<std::string>& captured)
    : graph_(graph),
      texts_(graph.num_values()),
      names_(graph.num_values()),
      inline_(graph.num_values()),
      read_(graph.num_values()) {
  const size_t first_captured = graph.inputs().size() - std::min(captured.size(), graph.inputs().size());
  std::vector<bool> reads(graph.num_values());
  for (NodeId id : graph.nodes()) {
    for (ValueId input : Present(graph.node(id).inputs)) reads[Index(input)] = true;
  }
  for (const GraphOutput& output : graph.outputs()) reads[Index(output.value)] = true;
  for (size_t i = first_captured; i < graph.inputs().size(); ++i) {
    // What only another body of the node reads is no name here.
    if (reads[Index(graph.inputs()[i])]) captured_.insert(captured[i - first_captured]);
    names_[Index(graph.inputs()[i])] = captured[i - first_captured];
    texts_[Index(graph.inputs()[i])] = QuoteName(captured[i - first_captured]);
  }
  for (NodeId id : graph.nodes()) {
    for (ValueId output : graph.node(id).outputs) {
      if (!texts_[Index(output)].empty()) continue;
      if (const std::string& name = graph.value(output).name; !name.empty()) {
        std::string unique = name;
        for (int i = 1; captured_.contains(unique) || (i > 1 && IsTaken(unique)); ++i)
          unique = absl::StrCat(name, ".", i);
        names_[Index(output)] = unique;
        texts_[Index(output)] = QuoteName(unique);
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

std::vector<std::string> ValueNames::CapturedBy(const Node& node) const {
  std::vector<std::string> names;
  for (size_t i = node.inputs.size() - NumCaptured(node); i < node.inputs.size(); ++i)
    names.push_back(names_[Index(node.inputs[i])]);
  return names;
}

bool ValueNames::IsTaken(const std::string& name) const {
  return captured_.contains(name) || graph_.FindValue(name).has_value();
}

void ValueNames::GiveName(ValueId id) {
  const std::string base = DefaultValueName(*graph_.producer(id).op);
  std::string name;
  do {
    name = next_suffix_ == 0 ? base : absl::StrCat(base, ".", next_suffix_);
    ++next_suffix_;
  } while (IsTaken(name));
  names_[Index(id)] = name;
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
