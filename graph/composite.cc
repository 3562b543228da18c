// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/composite.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold {

absl::StatusOr<Graph> ExpandComposite(const Graph& graph, const Node& node,
                                      const std::vector<TensorType>& inputs) {
  const auto* composite = std::get_if<Composite>(&node.op->computation);
  if (composite == nullptr) return MakeError("E9001", absl::StrCat(node.op->name, " is not a composite"));
  GraphBuilder builder(node.op->name, graph.shared_registry(), graph.limits);
  std::vector<Value> values;
  DType result = DType::kF32;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Value value = builder.Input(absl::StrCat("in", i), inputs[i].dtype, inputs[i].shape);
    if (i == 0) result = inputs[i].dtype;
    values.push_back(IsHalf(inputs[i].dtype) ? builder.Apply("Cast", {value}, {{"to", DType::kF32}}) : value);
  }
  Value out = composite->build(values, node.attrs);
  if (IsHalf(result)) out = builder.Apply("Cast", {out}, {{"to", result}});
  builder.Output("out0", out);
  return std::move(builder).Build();
}

}  // namespace tenfold
