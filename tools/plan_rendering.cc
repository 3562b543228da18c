// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tools/plan_rendering.h"

#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"
#include "tenfold/graph/text/quote.h"
#include "tenfold/runtime/step_work.h"

namespace tenfold {
namespace {

using Json = nlohmann::ordered_json;

const char* NameOf(StorageKind kind) {
  switch (kind) {
    case StorageKind::kInput:
      return "input";
    case StorageKind::kConstant:
      return "constant";
    case StorageKind::kArena:
      return "arena";
    case StorageKind::kOutput:
      return "output";
    case StorageKind::kStep:
      return "step";
    case StorageKind::kAlias:
      break;
  }
  return "alias";
}

Json NamesOf(const Plan& plan, const std::vector<int>& values) {
  Json names = Json::array();
  for (const int v : values) names.push_back(plan.values[v].name);
  return names;
}

Json ValueToJson(const Plan& plan, const PlanValue& value) {
  Json json = {{"name", value.name}, {"type", value.type.ToString()}, {"storage", NameOf(value.storage)}};
  if (value.storage == StorageKind::kAlias) {
    json["of"] = plan.values[value.index].name;
    if (!(value.offset == Dim(0))) json["offset"] = value.offset.ToString();
  }
  return json;
}

Json StepToJson(const Plan& plan, const PlanStep& step) {
  Json json = {{"kind", std::string(KindOf(step))}};
  if (const auto* fused = std::get_if<FusedStep>(&step.work)) json["kernel"] = fused->kernel.name;
  if (const auto* control = std::get_if<ControlStep>(&step.work)) {
    Json& bodies = json["bodies"] = Json::array();
    for (const auto& body : control->bodies) bodies.push_back(body->name);
  }
  json["inputs"] = NamesOf(plan, StepInputs(step));
  json["outputs"] = NamesOf(plan, StepOutputs(step));
  Json& nodes = json["nodes"] = Json::array();
  for (const PlanNode& node : step.nodes) {
    Json& entry =
        nodes.emplace_back(Json{{"op", node.op}, {"name", node.name}, {"type", node.type.ToString()}});
    if (!node.location.empty()) entry["location"] = node.location;
  }
  return json;
}

Json MemoryToJson(const Plan& plan) {
  const MemoryPlan& memory = plan.memory;
  Json json = {{"arena_bytes", memory.arena_bytes.ToString()},
               {"unshared_bytes", memory.unshared_bytes.ToString()},
               {"constant_bytes", memory.constant_bytes},
               {"output_bytes", memory.output_bytes.ToString()}};
  Json& slots = json["slots"] = Json::array();
  for (const MemoryPlan::Slot& slot : memory.slots) {
    slots.push_back({{"value", plan.values[slot.value].name},
                     {"offset", slot.offset.ToString()},
                     {"size", slot.size.ToString()},
                     {"first_step", slot.first_step},
                     {"last_step", slot.last_step}});
  }
  return json;
}

// What is written into a step's box.
std::string LabelOf(const PlanStep& step) {
  std::string label(KindOf(step));
  if (const auto* fused = std::get_if<FusedStep>(&step.work))
    absl::StrAppend(&label, " ", fused->kernel.name);
  for (const PlanNode& node : step.nodes) absl::StrAppend(&label, "\n", node.op, " ", node.name);
  return label;
}

}  // namespace

namespace {

Json PlanJson(const Plan& plan) {
  Json json = {{"name", plan.name}};
  Json& symbols = json["symbols"] = Json::array();
  for (const PlanSymbol& symbol : plan.symbols) {
    Json& entry = symbols.emplace_back(Json{{"name", symbol.name}, {"min", symbol.bounds.min}});
    if (symbol.bounds.max) entry["max"] = *symbol.bounds.max;
    if (symbol.from == PlanSymbol::From::kInput) entry["input"] = plan.inputs[symbol.input].name;
    if (symbol.from == PlanSymbol::From::kStep) entry["step"] = symbol.step;
    if (symbol.from != PlanSymbol::From::kAround) entry["dim"] = symbol.dim;
  }
  Json& inputs = json["inputs"] = Json::array();
  for (const PlanInput& input : plan.inputs) {
    inputs.push_back({{"name", input.name}, {"value", plan.values[input.value].name}});
    if (input.contract) inputs.back()["contract"] = input.contract->ToString();
  }
  Json& outputs = json["outputs"] = Json::array();
  for (const PlanOutput& output : plan.outputs) {
    outputs.push_back({{"name", output.name}, {"value", plan.values[output.value].name}});
  }
  Json& values = json["values"] = Json::array();
  for (const PlanValue& value : plan.values) values.push_back(ValueToJson(plan, value));
  Json& steps = json["steps"] = Json::array();
  for (const PlanStep& step : plan.steps) steps.push_back(StepToJson(plan, step));
  json["memory"] = MemoryToJson(plan);
  return json;
}

}  // namespace

std::string PlanToJson(const Plan& plan) {
  Json json = {{"format", "tenfold.plan"}, {"version", 1}};
  json.update(PlanJson(plan));
  for (const Plan* body : BodiesOf(plan)) json["bodies"].push_back(PlanJson(*body));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string PlanToDot(const Plan& plan) {
  std::string text =
      absl::StrCat("digraph ", QuoteString(plan.name), " {\n  node [fontname=\"monospace\"];\n");
  // The nodes of the drawing that write a root, or parts of it; a constant has none.
  std::vector<std::vector<std::string>> sources(plan.values.size());
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    sources[plan.inputs[i].value] = {absl::StrCat("in", i)};
    absl::StrAppend(&text, "  in", i, " [shape=oval, label=", QuoteString(plan.inputs[i].name), "];\n");
  }
  const auto edge = [&](int value, absl::string_view to) {
    const PlanValue& v = plan.values[value];
    for (const std::string& from : sources[plan.Root(value)]) {
      absl::StrAppend(&text, "  ", from, " -> ", to,
                      " [label=", QuoteString(absl::StrCat(v.name, ": ", v.type.ToString())), "];\n");
    }
  };
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const std::string id = absl::StrCat("step", s);
    absl::StrAppend(&text, "  ", id, " [shape=box, label=", QuoteString(LabelOf(plan.steps[s])), "];\n");
    for (const int v : StepInputs(plan.steps[s])) edge(v, id);
    for (const int v : StepOutputs(plan.steps[s])) sources[plan.Root(v)].push_back(id);
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const std::string id = absl::StrCat("out", i);
    absl::StrAppend(&text, "  ", id, " [shape=oval, label=", QuoteString(plan.outputs[i].name), "];\n");
    edge(plan.outputs[i].value, id);
  }
  return text + "}\n";
}

}  // namespace tenfold
