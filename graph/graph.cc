// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/graph.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_inference.h"

namespace tenfold {
namespace {

size_t Index(ValueId id) { return static_cast<size_t>(id); }
size_t Index(NodeId id) { return static_cast<size_t>(id); }

}  // namespace

std::optional<Contents> ContentsOf(const Tensor& tensor) {
  if (!IsSignedInteger(tensor.dtype()) || tensor.rank() > 1 || tensor.num_elements() > kMaxKnownContents) {
    return std::nullopt;
  }
  return VisitDType(tensor.dtype(), [&]<typename T>(std::type_identity<T>) -> std::optional<Contents> {
    if constexpr (!std::is_integral_v<T> || !std::is_signed_v<T>) {
      return std::nullopt;
    } else {
      Contents contents;
      for (int64_t i = 0; i < tensor.num_elements(); ++i) contents.push_back(Dim(tensor.at<T>(i)));
      return contents;
    }
  });
}

const Tensor& Node::tensor() const {
  static const auto* const kEmpty = new Tensor();
  const AttrValue* value = attrs.Find("value");
  const Tensor* tensor = value == nullptr ? nullptr : std::get_if<Tensor>(value);
  return tensor == nullptr ? *kEmpty : *tensor;
}

std::optional<ValueId> Graph::FindValue(absl::string_view wanted) const {
  auto it = by_name_.find(std::string(wanted));
  return it == by_name_.end() ? std::nullopt : std::optional<ValueId>(it->second);
}

std::string Graph::DisplayName(ValueId id) const {
  const std::string& known = value(id).name;
  return known.empty() ? absl::StrCat("%", Index(id)) : known;
}

std::string Graph::DescribeOrigin(ValueId id) const {
  const Node& from = producer(id);
  std::string text = from.op->name;
  if (!value(id).name.empty()) absl::StrAppend(&text, " '", value(id).name, "'");
  const std::string& place = from.provenance.array.empty() ? from.provenance.location : from.provenance.array;
  if (!place.empty()) absl::StrAppend(&text, " (", place, ")");
  return text;
}

std::vector<std::string> Graph::SourceNames(NodeId id) const {
  std::vector<std::string> names = node(id).provenance.from;
  if (!names.empty()) return names;
  for (ValueId output : node(id).outputs) {
    if (!value(output).name.empty()) names.push_back(value(output).name);
  }
  return names;
}

Provenance Graph::MergedProvenance(NodeId place, std::span<const NodeId> nodes) const {
  Provenance merged = node(place).provenance;
  merged.from.clear();
  absl::flat_hash_set<std::string> seen;
  for (NodeId id : nodes) {
    for (std::string& name : SourceNames(id)) {
      if (seen.insert(name).second) merged.from.push_back(std::move(name));
    }
  }
  return merged;
}

std::vector<std::vector<NodeId>> Graph::Readers() const {
  std::vector<std::vector<NodeId>> readers(values_.size());
  for (NodeId id : order_) {
    for (ValueId input : Present(node(id).inputs)) {
      std::vector<NodeId>& list = readers[Index(input)];
      if (list.empty() || list.back() != id) list.push_back(id);
    }
  }
  return readers;
}

const Tensor* Graph::ConstantValue(ValueId id) const {
  const Node& from = producer(id);
  return from.op->name == "Const" ? &from.tensor() : nullptr;
}

std::string Graph::UniqueName(absl::string_view wanted) {
  if (!by_name_.contains(std::string(wanted))) return std::string(wanted);
  for (int64_t& suffix = next_suffix_.try_emplace(std::string(wanted), 1).first->second;; ++suffix) {
    std::string candidate = absl::StrCat(wanted, ".", suffix);
    if (!by_name_.contains(candidate)) return candidate;
  }
}

void Graph::FreeName(ValueId id) {
  const auto it = by_name_.find(value(id).name);
  if (it == by_name_.end() || it->second != id) return;
  const size_t dot = it->first.rfind('.');
  int64_t suffix = 0;
  if (dot != std::string::npos && absl::SimpleAtoi(absl::string_view(it->first).substr(dot + 1), &suffix)) {
    const auto next = next_suffix_.find(it->first.substr(0, dot));
    if (next != next_suffix_.end() && suffix >= 1) next->second = std::min(next->second, suffix);
  }
  by_name_.erase(it);
}

absl::StatusOr<NodeId> Graph::AddNode(const OpDef& op, std::vector<ValueId> inputs, Attrs attrs,
                                      std::vector<std::string> names, Provenance provenance, Bodies bodies) {
  while (!inputs.empty() && inputs.back() == kNoValue) inputs.pop_back();
  for (ValueId id : Present(inputs)) {
    if (Index(id) >= values_.size()) return MakeError("E0105", "an operand is not a value of this graph");
  }
  auto results = InferInGraph(*this, op, names.empty() ? "" : names[0], inputs, attrs, bodies);
  if (!results.ok()) return WithLocation(results.status(), provenance.location);
  absl::Status allowed = CheckLimits(op, names, *results, bodies);
  if (allowed.ok()) allowed = TakeSymbols(op, attrs, *results);
  if (!allowed.ok()) return WithLocation(allowed, provenance.location);

  const auto id = static_cast<NodeId>(nodes_.size());
  auto node = std::make_shared<Node>();
  node->op = &op;
  node->inputs = std::move(inputs);
  node->attrs = std::move(attrs);
  node->provenance = std::move(provenance);
  for (const auto& body : bodies) depth_ = std::max(depth_, body->depth() + 1);
  node->bodies = std::move(bodies);
  const bool is_const = op.name == "Const";
  for (size_t i = 0; i < results->size(); ++i) {
    ValueInfo info;
    const bool named = i < names.size() && (!names[i].empty() || is_const);
    if (!(named && names[i].empty())) info.name = UniqueName(named ? names[i] : DefaultValueName(op));
    info.type = (*results)[i].type;
    info.contents = is_const ? ContentsOf(node->tensor()) : (*results)[i].contents;
    info.producer = id;
    info.output_index = static_cast<int>(i);
    const auto value_id = static_cast<ValueId>(values_.size());
    if (!info.name.empty()) by_name_[info.name] = value_id;
    values_.push_back(std::move(info));
    users_.emplace_back();
    node->outputs.push_back(value_id);
  }
  for (ValueId input : Present(node->inputs)) users_[Index(input)].push_back(id);
  if (op.name == "Input") inputs_.push_back(node->outputs[0]);
  nodes_.push_back(std::move(node));
  order_.push_back(id);
  ++mutation_count_;
  return id;
}

absl::Status Graph::CheckLimits(const OpDef& op, const std::vector<std::string>& names,
                                const std::vector<InferResult>& results, const Bodies& bodies) const {
  const auto refuse = [&](auto what, int64_t count, absl::string_view of, int64_t limit, const char* flag) {
    return MakeError("E0402",
                     absl::StrCat(op.name, names.empty() ? "" : absl::StrCat(" '", names[0], "'"), what,
                                  count, of, "; the limit is ", limit),
                     RaiseLimitHelp(flag, count));
  };
  if (const auto count = static_cast<int64_t>(results.size()); count > limits.node_values)
    return refuse(" would give ", count, " results", limits.node_values, "node_values");
  for (const auto& result : results) {
    const Shape& shape = result.type.shape;
    if (shape.has_rank() && shape.rank() > limits.rank)
      return refuse(" would have ", shape.rank(), " dims", limits.rank, "rank");
  }
  for (const auto& body : bodies) {
    if (body->depth() >= limits.nesting)
      return refuse(" would nest bodies ", body->depth() + 1, " levels deep", limits.nesting, "nesting");
  }
  return absl::OkStatus();
}

void Graph::RemoveInput(ValueId input) {
  const NodeId node = value(input).producer;
  std::erase(inputs_, input);
  std::erase(order_, node);
  FreeName(input);
  ++mutation_count_;
}

void Graph::AssumeContents(ValueId input, Contents contents) {
  values_[Index(input)].contents = std::move(contents);
  ++mutation_count_;
}

absl::Status Graph::AddOutput(absl::string_view output_name, ValueId value) {
  if (Index(value) >= values_.size()) return MakeError("E0105", "an output is not a value of this graph");
  for (const GraphOutput& output : outputs_) {
    if (output.name == output_name) {
      return MakeError("E0104", absl::StrCat("the graph already has an output '", output_name, "'"),
                       "give one of them another name");
    }
  }
  outputs_.push_back({std::string(output_name), value});
  ++mutation_count_;
  return absl::OkStatus();
}

absl::Status Graph::ReplaceAllUses(ValueId from, ValueId to) {
  if (value(from).type != value(to).type) {
    return MakeError("E9001",
                     absl::StrCat("a rewrite replaces ", value(from).type.ToString(), " '", DisplayName(from),
                                  "' by ", value(to).type.ToString(), " '", DisplayName(to), "'"));
  }
  ReplaceAllUsesByRefined(from, to);
  return absl::OkStatus();
}

void Graph::ReplaceAllUsesByRefined(ValueId from, ValueId to) {
  if (from == to) return;
  for (NodeId id : std::exchange(users_[Index(from)], {})) {
    if (std::find(node(id).inputs.begin(), node(id).inputs.end(), from) == node(id).inputs.end()) continue;
    users_[Index(to)].push_back(id);
    auto copy = std::make_shared<Node>(node(id));  // nodes are shared between copies of the graph
    std::replace(copy->inputs.begin(), copy->inputs.end(), from, to);
    nodes_[Index(id)] = std::move(copy);
  }
  for (GraphOutput& output : outputs_) {
    if (output.value == from) output.value = to;
  }
  ++mutation_count_;
}

absl::Status Graph::Rename(ValueId id, absl::string_view wanted) {
  std::string& current = values_[Index(id)].name;
  if (current == wanted) return absl::OkStatus();
  if (wanted.empty()) return MakeError("E9001", "a value cannot lose its name");
  std::string unique = UniqueName(wanted);
  FreeName(id);
  if (producer(id).op->name == "Input") RenameContract(current, unique);
  current = std::move(unique);
  by_name_[current] = id;
  ++mutation_count_;
  return absl::OkStatus();
}

void Graph::RenameContract(const std::string& from, const std::string& to) {
  auto contract = contracts.extract(from);
  if (contract.empty()) return;
  contract.key() = to;
  contracts.insert(std::move(contract));
}

void Graph::SwapNames(ValueId a, ValueId b) {
  if (!contracts.empty()) {
    auto of_a = contracts.extract(value(a).name), of_b = contracts.extract(value(b).name);
    if (!of_a.empty()) of_a.key() = value(b).name, contracts.insert(std::move(of_a));
    if (!of_b.empty()) of_b.key() = value(a).name, contracts.insert(std::move(of_b));
  }
  std::swap(values_[Index(a)].name, values_[Index(b)].name);
  for (ValueId id : {a, b}) {
    if (!value(id).name.empty()) by_name_[value(id).name] = id;
  }
  ++mutation_count_;
}

void Graph::SetProvenance(NodeId id, Provenance provenance) {
  auto copy = std::make_shared<Node>(node(id));
  copy->provenance = std::move(provenance);
  nodes_[Index(id)] = std::move(copy);
  ++mutation_count_;
}

int Graph::RemoveDeadNodes() {
  std::vector<bool> needed(nodes_.size());
  std::vector<NodeId> pending;
  const auto need = [&](NodeId id) {
    if (!needed[Index(id)]) needed[Index(id)] = true, pending.push_back(id);
  };
  for (const GraphOutput& output : outputs_) need(value(output.value).producer);
  for (ValueId input : inputs_) need(value(input).producer);
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    for (ValueId input : Present(node(id).inputs)) need(value(input).producer);
  }
  int removed = 0;
  std::vector<NodeId> kept;
  for (NodeId id : order_) {
    if (needed[Index(id)]) {
      kept.push_back(id);
      continue;
    }
    ++removed;
    for (ValueId output : node(id).outputs) FreeName(output);
  }
  if (removed > 0) order_ = std::move(kept), ++mutation_count_;
  return removed;
}

absl::Status Graph::SortTopologically() {
  enum class Mark : uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(nodes_.size(), Mark::kNew);
  std::vector<NodeId> sorted;
  sorted.reserve(order_.size());
  std::vector<std::pair<NodeId, size_t>> stack;  // node, next input: depth is bounded by the heap alone
  for (NodeId root : order_) {
    if (marks[Index(root)] != Mark::kNew) continue;
    stack.emplace_back(root, 0);
    marks[Index(root)] = Mark::kOpen;
    while (!stack.empty()) {
      auto& [id, next] = stack.back();
      if (next == node(id).inputs.size()) {
        marks[Index(id)] = Mark::kDone;
        sorted.push_back(id);
        stack.pop_back();
        continue;
      }
      const ValueId input = node(id).inputs[next++];
      if (input == kNoValue) continue;
      const NodeId from = value(input).producer;
      if (marks[Index(from)] == Mark::kOpen) {
        // What the stack holds from `from` on is the cycle: each reads the next, and the last reads the
        // first.
        const auto first =
            std::find_if(stack.begin(), stack.end(), [&](const auto& s) { return s.first == from; });
        std::vector<std::string> names;
        for (auto it = first; it != stack.end(); ++it)
          names.push_back(absl::StrCat("'", DisplayName(it->first), "'"));
        names.push_back(names.front());
        return MakeError("E0106",
                         absl::StrCat("a value depends on itself: ", absl::StrJoin(names, " reads ")));
      }
      if (marks[Index(from)] == Mark::kNew) {
        marks[Index(from)] = Mark::kOpen;
        stack.emplace_back(from, 0);
      }
    }
  }
  if (order_ != sorted) order_ = std::move(sorted), ++mutation_count_;
  return absl::OkStatus();
}

std::string DefaultValueName(const OpDef& op) { return absl::AsciiStrToLower(op.name); }

std::optional<DType> LiteralDType(const OpDef& op, size_t port, size_t num_operands,
                                  const std::function<std::optional<DType>(size_t)>& dtype_of) {
  const size_t ports = op.TakesAnyNumber() ? SIZE_MAX : op.inputs.size();
  if (port >= ports) return std::nullopt;
  for (DType t : kAllDTypes) {
    if (op.InputPort(port).dtypes == DTypeSet{t}) return t;
  }
  if (op.InputPort(port).type_var.empty()) return std::nullopt;
  for (size_t k = 0; k < std::min(num_operands, ports); ++k) {
    if (k == port || op.InputPort(k).type_var != op.InputPort(port).type_var) continue;
    if (std::optional<DType> dtype = dtype_of(k)) return dtype;
  }
  return op.InputPort(port).dtypes == kIndex ? std::optional(DType::kI64) : std::nullopt;
}

}  // namespace tenfold
