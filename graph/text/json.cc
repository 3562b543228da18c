// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/text/json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "nlohmann/json.hpp"
#include "tenfold/graph/control.h"

namespace tenfold {
namespace {

using Json = nlohmann::ordered_json;

Json ElementToJson(const Tensor& tensor, int64_t i) {
  return VisitDType(tensor.dtype(), [&]<typename T>(std::type_identity<T>) -> Json {
    if constexpr (std::is_integral_v<T>) {
      return tensor.at<T>(i);
    } else {
      // By its shortest text: 0.1f is 0.1, not 0.10000000149011612.
      const std::string text = ElementToString(tensor, i);
      double value = 0;
      const std::from_chars_result result = std::from_chars(text.data(), text.data() + text.size(), value);
      if (result.ec != std::errc() || !std::isfinite(value)) return text;
      return value;
    }
  });
}

Json TensorToJson(const Tensor& tensor, const JsonOptions& options) {
  Json json = {{"type", tensor.type().ToString()}};
  if (tensor.is_splat() && tensor.num_elements() > 0) {
    json["splat"] = ElementToJson(tensor, 0);
  } else if (tensor.num_elements() <= options.max_elements) {
    Json values = Json::array();
    for (int64_t i = 0; i < tensor.num_elements(); ++i) values.push_back(ElementToJson(tensor, i));
    json["values"] = std::move(values);
  }
  return json;
}

Json AttrToJson(const AttrValue& value, const JsonOptions& options) {
  switch (KindOf(value)) {
    case AttrKind::kBool:
      return std::get<bool>(value);
    case AttrKind::kInt:
      return std::get<int64_t>(value);
    case AttrKind::kFloat:
      if (const double d = std::get<double>(value); std::isfinite(d)) return d;
      return ToString(value);
    case AttrKind::kString:
      return std::get<std::string>(value);
    case AttrKind::kInts:
      return std::get<std::vector<int64_t>>(value);
    case AttrKind::kFloats: {
      Json values = Json::array();
      for (double d : std::get<std::vector<double>>(value)) values.push_back(AttrToJson(d, options));
      return values;
    }
    case AttrKind::kStrings:
      return std::get<std::vector<std::string>>(value);
    case AttrKind::kDType:
    case AttrKind::kType:
      return ToString(value);
    case AttrKind::kTensor:
      break;
  }
  return TensorToJson(std::get<Tensor>(value), options);
}

Json GraphToJson(const Graph& graph, const JsonOptions& options);

Json NodeToJson(const Graph& graph, const Node& node, const JsonOptions& options) {
  Json json = {{"op", node.op->name}};
  Json& inputs = json["inputs"] = Json::array();
  for (ValueId id : node.inputs) {
    inputs.push_back(id == kNoValue ? Json() : Json(graph.DisplayName(id)));  // null: absent
  }
  Json& outputs = json["outputs"] = Json::array();
  for (ValueId id : node.outputs) {
    outputs.push_back({{"name", graph.DisplayName(id)}, {"type", graph.value(id).type.ToString()}});
  }
  Json& attrs = json["attributes"] = Json::object();
  for (const auto& [name, value] : node.attrs) attrs[name] = AttrToJson(value, options);
  const Provenance& provenance = node.provenance;
  if (!provenance.location.empty()) json["location"] = provenance.location;
  if (!provenance.array.empty()) json["array"] = provenance.array;
  if (!provenance.from.empty()) json["from"] = provenance.from;
  if (const IngestRecord& ingest = provenance.ingest; !ingest.empty()) {
    json["ingest"] = {{"source", ingest.source},
                      {"policy", ingest.policy},
                      {"values", ingest.values},
                      {"changed", ingest.changed},
                      {"largest_change", ingest.largest_change},
                      {"nans_replaced", ingest.nans_replaced}};
  }
  if (node.op->Is<FusedBody>()) {
    json["body"] = GraphToJson(*node.bodies[0], options);
  } else if (!node.bodies.empty() && !IsCall(*node.op)) {
    Json& bodies = json["bodies"] = Json::array();
    for (const auto& body : node.bodies) bodies.push_back(GraphToJson(*body, options));
  }
  return json;
}

Json ContractToJson(const Contract& contract, const JsonOptions& options) {
  Json json = {{"type", contract.type.ToString()}, {"samples", contract.samples}, {"rows", contract.rows}};
  if (contract.axis) json["axis"] = *contract.axis;
  json["min"] = TensorToJson(contract.min, options);
  json["max"] = TensorToJson(contract.max, options);
  if (contract.nans.num_elements() > 0) json["nans"] = TensorToJson(contract.nans, options);
  return json;
}

Json GraphToJson(const Graph& graph, const JsonOptions& options) {
  Json json = {{"name", graph.name}};
  Json& symbols = json["symbols"] = Json::object();
  for (const auto& [symbol, bounds] : graph.symbol_bounds) {
    symbols[symbol]["min"] = bounds.min;
    if (bounds.max) symbols[symbol]["max"] = *bounds.max;
  }
  Json& inputs = json["inputs"] = Json::array();
  for (ValueId id : graph.inputs()) {
    inputs.push_back({{"name", graph.DisplayName(id)}, {"type", graph.value(id).type.ToString()}});
    const auto contract = graph.contracts.find(graph.value(id).name);
    if (contract != graph.contracts.end())
      inputs.back()["contract"] = ContractToJson(contract->second, options);
  }
  Json& outputs = json["outputs"] = Json::array();
  for (const GraphOutput& output : graph.outputs()) {
    outputs.push_back({{"name", output.name},
                       {"value", graph.DisplayName(output.value)},
                       {"type", graph.value(output.value).type.ToString()}});
  }
  Json& nodes = json["nodes"] = Json::array();
  for (NodeId id : graph.nodes()) nodes.push_back(NodeToJson(graph, graph.node(id), options));
  return json;
}

}  // namespace

std::string PrintJson(const Graph& graph, const JsonOptions& options) {
  Json json = {{"format", "tenfold.graph"}, {"version", 1}};
  for (const auto& function : FunctionsOf(graph))
    json["functions"].push_back(GraphToJson(*function, options));
  json.update(GraphToJson(graph, options));
  // A name that is not UTF-8 is shown with replacement characters; `strict` would throw.
  return json.dump(options.indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tenfold
