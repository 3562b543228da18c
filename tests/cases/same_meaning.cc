// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/cases/same_meaning.h"

#include <algorithm>
#include <random>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/evaluate.h"

namespace tenfold::testing {
namespace {

constexpr int64_t kMaxElements = 1 << 20;

SymbolValues ChooseSymbols(const Graph& graph, int64_t extent) {
  std::vector<std::string> symbols;
  for (ValueId input : graph.inputs()) {
    const Shape& shape = graph.value(input).type.shape;
    if (!shape.has_rank()) continue;
    for (const Dim& dim : shape.dims()) dim.CollectSymbols(symbols);
  }
  SymbolValues values;
  for (const std::string& symbol : symbols) {
    int64_t value = extent + static_cast<int64_t>(values.size());
    if (const auto bounds = graph.symbol_bounds.find(symbol); bounds != graph.symbol_bounds.end()) {
      value = std::max(value, bounds->second.min);
      value = std::min(value, bounds->second.max.value_or(value));
    }
    values.try_emplace(symbol, value);
  }
  return values;
}

Tensor RandomTensor(DType dtype, const Dims& dims, std::mt19937& random) {
  Tensor tensor = *Tensor::Allocate(dtype, dims);
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    for (T& value : tensor.mutable_values<T>()) {
      const int sixteenths = static_cast<int>(random() % 97) - 48;
      const double x = sixteenths / 16.0;
      if constexpr (std::is_same_v<T, F16>)
        value = ToF16(x);
      else if constexpr (std::is_same_v<T, BF16>)
        value = ToBF16(x);
      else if constexpr (std::is_same_v<T, bool>)
        value = x > 0;
      else if constexpr (std::is_floating_point_v<T>)
        value = static_cast<T>(x);
      else
        value = static_cast<T>(sixteenths == 0 ? 1 : sixteenths);  // a divisor, perhaps
    }
  });
  return tensor;
}

bool IsLarge(const Graph& graph) {
  const SymbolValues symbols = ChooseSymbols(graph, 3);
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [&](NodeId id) {
    const Shape& shape = graph.value(graph.node(id).outputs[0]).type.shape;
    if (!shape.has_rank()) return true;
    const std::optional<Dims> dims = shape.Evaluate(symbols);
    return dims.has_value() && NumElements(*dims).value_or(kMaxElements + 1) > kMaxElements;
  });
}

}  // namespace

absl::StatusOr<NamedTensors> MakeFeeds(const Graph& graph, uint32_t seed, int64_t extent) {
  const SymbolValues symbols = ChooseSymbols(graph, extent);
  std::mt19937 random(seed);
  NamedTensors feeds;
  for (ValueId input : graph.inputs()) {
    const ValueInfo& value = graph.value(input);
    const std::optional<Dims> dims = value.type.shape.Evaluate(symbols);
    if (!dims.has_value())
      return absl::InvalidArgumentError(absl::StrCat("no extents for ", value.type.ToString()));
    feeds.emplace_back(value.name, RandomTensor(value.type.dtype, *dims, random));
  }
  return feeds;
}

std::string WhereMeaningDiffers(const Graph& source, const Graph& after) {
  Graph before = source;
  before.RemoveDeadNodes();  // they may fail, and then no run would
  if (IsLarge(before) || IsLarge(after)) return "";
  const absl::StatusOr<NamedTensors> feeds = MakeFeeds(before, 1);
  if (!feeds.ok()) return std::string(feeds.status().message());
  std::vector<Tensor> in_order;
  for (const auto& [name, tensor] : *feeds) in_order.push_back(tensor);
  const absl::StatusOr<std::vector<Tensor>> want = EvaluateGraph(before, in_order);
  const absl::StatusOr<std::vector<Tensor>> got = EvaluateGraph(after, in_order);
  // A bad value may be met in either order.
  if (!want.ok() && !got.ok()) return "";
  if (!want.ok()) return absl::StrCat("only the graph before fails: ", want.status().message());
  if (!got.ok()) return absl::StrCat("only the graph after fails: ", got.status().message());
  for (size_t i = 0; i < want->size(); ++i) {
    if (SameBits((*got)[i], (*want)[i])) continue;
    return absl::StrCat("output '", before.outputs()[i].name, "' was ", (*want)[i].ToString(), " and is now ",
                        (*got)[i].ToString());
  }
  return "";
}

}  // namespace tenfold::testing
