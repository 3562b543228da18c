// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/onnx/lengths.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold::onnx {
namespace {

// A chain that is longer computes no size.
constexpr int kLongestChain = 100;

// How an op passes lengths on.
struct Passing {
  absl::string_view op;
  bool all_inputs;  // or the first alone: the others say where elements go
  bool integers_only;
};
constexpr Passing kPassing[] = {
    {"Cast", false, false},    {"Identity", false, false}, {"Slice", false, false},
    {"Gather", false, false},  {"Squeeze", false, false},  {"Unsqueeze", false, false},
    {"Reshape", false, false}, {"Concat", true, false},    {"Min", true, false},
    {"Max", true, false},      {"Add", true, true},        {"Sub", true, true},
    {"Mul", true, true},       {"Div", true, true},
};

const Passing* FindPassing(const OpDef& op) {
  for (const Passing& passing : kPassing) {
    if (passing.op == op.name) return &passing;
  }
  return nullptr;
}

// The elements of a small constant, if all are integers.
std::optional<Tensor> AsI64(const Tensor& tensor) {
  if (tensor.num_elements() > kMaxKnownContents || IsPacked(tensor.dtype())) return std::nullopt;
  absl::StatusOr<Tensor> wide = Tensor::Allocate(DType::kI64, tensor.dims());
  if (!wide.ok()) return std::nullopt;
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    int64_t& out = wide->mutable_values<int64_t>()[static_cast<size_t>(i)];
    if (tensor.dtype() == DType::kI32) {
      out = tensor.at<int32_t>(i);
    } else if (tensor.dtype() == DType::kI64) {
      out = tensor.at<int64_t>(i);
    } else if (tensor.dtype() == DType::kF32) {
      const float value = tensor.at<float>(i);
      if (!(std::abs(value) < 0x1p24f) || std::floor(value) != value) return std::nullopt;
      out = static_cast<int64_t>(value);
    } else {
      return std::nullopt;
    }
  }
  return *std::move(wide);
}

class Follower {
 public:
  Follower(Graph& graph, FollowedLengths& followed) : graph_(graph), followed_(followed) {}

  std::optional<ValueId> Follow(ValueId value, int depth) {
    const ValueInfo& info = graph_.value(value);
    if (info.contents && info.type.dtype == DType::kI64) return value;
    if (const auto known = followed_.find(value); known != followed_.end()) return known->second;
    followed_[value] = std::nullopt;  // until it is known
    const std::optional<ValueId> result = Compute(value, depth);
    followed_[value] = result;
    return result;
  }

 private:
  std::optional<ValueId> Compute(ValueId value, int depth) {
    const auto& [dtype, shape] = graph_.value(value).type;
    // Sizes fit these; narrower ones cut them.
    const bool holds_sizes = kIndex.Contains(dtype) || dtype == DType::kF32 || dtype == DType::kF64;
    if (depth == kLongestChain || !holds_sizes || !shape.is_static() || shape.rank() > 1) return std::nullopt;
    const NodeId producer = graph_.value(value).producer;
    if (const Tensor* const constant = graph_.ConstantValue(value)) {
      std::optional<Tensor> wide = AsI64(*constant);
      return wide ? Add("Const", {}, {{"value", *std::move(wide)}}, producer) : std::nullopt;
    }
    const Passing* const passing = FindPassing(*graph_.node(producer).op);
    if (passing == nullptr || (passing->integers_only && !IsInteger(dtype))) return std::nullopt;
    std::vector<ValueId> inputs = graph_.node(producer).inputs;
    for (size_t i = 0; i < (passing->all_inputs ? inputs.size() : 1); ++i) {
      const std::optional<ValueId> input =
          inputs[i] == kNoValue ? std::nullopt : Follow(inputs[i], depth + 1);
      if (!input) return std::nullopt;
      inputs[i] = *input;
    }
    if (passing->op == "Cast") return inputs[0];
    const std::string op = graph_.node(producer).op->name;
    return Add(op, std::move(inputs), graph_.node(producer).attrs, producer);
  }

  std::optional<ValueId> Add(const std::string& op, std::vector<ValueId> inputs, Attrs attrs, NodeId like) {
    const std::string name = op == "Const" ? "" : graph_.DisplayName(like) + "/i64";
    const absl::StatusOr<NodeId> node =
        graph_.AddNode(*graph_.registry().Find(op), std::move(inputs), std::move(attrs), {name},
                       graph_.node(like).provenance);
    if (!node.ok()) return std::nullopt;
    const ValueId result = graph_.node(*node).outputs[0];
    return graph_.value(result).contents ? std::optional(result) : std::nullopt;
  }

  Graph& graph_;
  FollowedLengths& followed_;
};

}  // namespace

std::optional<ValueId> FollowLength(Graph& graph, ValueId value, FollowedLengths& followed) {
  return Follower(graph, followed).Follow(value, 0);
}

}  // namespace tenfold::onnx
