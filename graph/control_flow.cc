// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/control_flow.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {

// One control node while it is built: its bodies are opened and closed one after the other, and share what
// they capture.
class ControlBuilder {
 public:
  ControlBuilder(GraphBuilder& builder, const char* op, std::string location)
      : builder_(builder), op_(*builder.graph_.registry().Find(op)), location_(std::move(location)) {}

  // False if an operand is poison, or refused.
  bool ReadOperands(std::span<const Operand> operands) {
    std::optional<std::vector<ValueId>> inputs = builder_.ReadOperands(op_, operands, location_);
    if (inputs) inputs_ = *std::move(inputs);
    return inputs.has_value();
  }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const TensorType& TypeOf(ValueId id) { return builder_.current().value(id).type; }

  // Calls fill(inputs) with the body open; it gives the body's outputs. False after an error.
  template <typename Fill>
  bool AddBody(const std::string& name, const std::vector<std::pair<std::string, TensorType>>& inputs,
               const std::vector<std::string>& prefixes, Fill&& fill) {
    Graph* const outer = &builder_.current();
    auto open = std::make_unique<GraphBuilder::OpenBody>(
        GraphBuilder::OpenBody{Graph(outer->shared_registry()), builder_.next_scope_++, {}, {}});
    open->graph.name = name;
    open->graph.limits = outer->limits;
    open->graph.SetEnclosing(outer);
    builder_.bodies_.push_back(std::move(open));
    GraphBuilder::OpenBody& body = *builder_.bodies_.back();
    const std::string prefix = std::exchange(builder_.prefix_, "");
    const size_t errors = builder_.errors_.size();
    bool good = true;
    std::vector<Value> given;
    for (const auto& [input_name, type] : inputs) {
      const auto node = body.graph.AddNode(*body.graph.registry().Find("Input"), {}, {{"type", type}},
                                           {input_name}, {location_, "", {}});
      if (!node.ok()) builder_.Fail(node.status(), location_), good = false;
      given.push_back(node.ok() ? builder_.ResultsOf(*node)[0] : Value(&builder_, -1));
    }
    // Every body takes what an earlier one captured.
    for (ValueId id : captured_) good = good && builder_.Capture(builder_.bodies_.size() - 1, id).ok();
    good = good && AddOutputs(fill(Values(std::move(given), Value(&builder_, -1))), prefixes, body);
    good = good && builder_.errors_.size() == errors;
    for (size_t i = captured_.size(); i < body.captured.size(); ++i) {
      for (Graph& earlier : bodies_) {
        good = good && AddCapturedInput(earlier, *outer, body.captured[i]).ok();
      }
    }
    captured_ = body.captured;
    body.graph.SetEnclosing(nullptr);
    bodies_.push_back(std::move(body.graph));
    builder_.bodies_.pop_back();
    builder_.prefix_ = prefix;
    return good;
  }

  // The node with the bodies so far.
  Values Finish(Attrs attrs) {
    if (op_.FindAttr("captured") != nullptr) attrs.Set("captured", static_cast<int64_t>(captured_.size()));
    inputs_.insert(inputs_.end(), captured_.begin(), captured_.end());
    Bodies bodies;
    for (Graph& body : bodies_) bodies.push_back(std::make_shared<const Graph>(std::move(body)));
    Graph& graph = builder_.current();
    absl::StatusOr<Bodies> relaxed = RelaxBodies(graph, op_, inputs_, attrs, std::move(bodies));
    if (!relaxed.ok()) return Fail(relaxed.status());
    return AddNode(std::move(attrs), *std::move(relaxed));
  }

  Values Fail(const absl::Status& status) {
    builder_.Fail(status, location_);
    return Poison();
  }
  Values Poison() { return Values({}, Value(&builder_, -1)); }

  static Function Define(GraphBuilder& builder, const std::string& name,
                         const std::vector<TensorType>& parameters, absl::FunctionRef<Values(Values)> body,
                         std::string location) {
    Function function;
    function.builder_ = &builder;
    function.name_ = name;
    ControlBuilder b(builder, "Call", std::move(location));
    std::vector<std::pair<std::string, TensorType>> inputs;
    for (size_t i = 0; i < parameters.size(); ++i)
      inputs.emplace_back(absl::StrCat("parameter", i), parameters[i]);
    if (!builder.functions_.insert(name).second) {
      b.Fail(MakeError("E0104", absl::StrCat("there is a function '", name, "' already"),
                       "give one of them another name"));
      return function;
    }
    if (!b.AddBody(name, inputs, {"result"}, body)) return function;
    function.body_ = std::make_shared<const Graph>(std::move(b.bodies_[0]));
    for (ValueId id : b.captured_)
      function.captured_.push_back(Value(&builder, static_cast<int32_t>(id), builder.current_scope()));
    return function;
  }

  static Values Call(const Function& function, std::vector<Operand> arguments, const Operand::Where& where) {
    if (function.builder_ == nullptr) return Values();
    ControlBuilder b(*function.builder_, "Call", function.builder_->PlaceOf(where));
    if (function.body_ == nullptr) return b.Poison();
    arguments.insert(arguments.end(), function.captured_.begin(), function.captured_.end());
    if (!b.ReadOperands(arguments)) return b.Poison();
    return b.AddNode({{"function", function.name_}}, {function.body_});
  }

 private:
  // Outputs are named by the prefixes: one each, and the last for all that follow.
  bool AddOutputs(const std::optional<std::vector<std::pair<int, Value>>>& outputs,
                  const std::vector<std::string>& prefixes, GraphBuilder::OpenBody& body) {
    if (!outputs) return false;
    std::vector<int> next(prefixes.size());
    for (const auto& [kind, value] : *outputs) {
      if (value.poison() && value.builder() != nullptr) return false;
      const std::string name = absl::StrCat(prefixes[kind], next[kind]++);
      absl::StatusOr<ValueId> id =
          builder_.Import(value, absl::StrCat("result '", name, "' of '", body.graph.name, "'"));
      const absl::Status status = id.ok() ? body.graph.AddOutput(name, *id) : id.status();
      if (!status.ok()) {
        builder_.Fail(status, location_);
        return false;
      }
    }
    return true;
  }
  bool AddOutputs(const Values& values, const std::vector<std::string>& prefixes,
                  GraphBuilder::OpenBody& body) {
    std::vector<std::pair<int, Value>> outputs;
    for (const Value& value : values) outputs.emplace_back(0, value);
    return AddOutputs(std::optional(std::move(outputs)), prefixes, body);
  }

  Values AddNode(Attrs attrs, Bodies bodies) {
    Graph& graph = builder_.current();
    auto node =
        graph.AddNode(op_, inputs_, std::move(attrs), {absl::StrCat(builder_.prefix_, DefaultValueName(op_))},
                      {location_, "", {}}, std::move(bodies));
    return node.ok() ? builder_.ResultsOf(*node) : Fail(node.status());
  }

  GraphBuilder& builder_;
  const OpDef& op_;
  const std::string location_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> captured_;
  std::vector<Graph> bodies_;
};

namespace {

using Outputs = std::optional<std::vector<std::pair<int, Value>>>;

void Append(Outputs& outputs, int kind, const Values& values) {
  for (const Value& value : values) outputs->emplace_back(kind, value);
}

LoopResults Divide(const Values& results, size_t carried) {
  const Value beyond = results[results.size()];
  std::vector<Value> first, rest;
  for (size_t i = 0; i < results.size(); ++i) (i < carried ? first : rest).push_back(results[i]);
  return {Values(std::move(first), beyond), Values(std::move(rest), beyond)};
}

}  // namespace

Values If(Operand condition, absl::FunctionRef<Values()> then, absl::FunctionRef<Values()> otherwise) {
  const Operand operands[] = {condition};
  GraphBuilder* const builder = BuilderOf(operands);
  if (builder == nullptr) return Values();
  ControlBuilder b(*builder, "If", builder->PlaceOf(condition.where()));
  if (!b.ReadOperands(operands)) return b.Poison();
  const bool first = b.AddBody("then", {}, {"result"}, [&](const Values&) { return then(); });
  const bool second = b.AddBody("else", {}, {"result"}, [&](const Values&) { return otherwise(); });
  return first && second ? b.Finish({}) : b.Poison();
}

LoopResults Loop(Operand trip_count, Operand condition, std::vector<Operand> carried,
                 absl::FunctionRef<LoopStep(Value, Value, Values)> body) {
  std::vector<Operand> operands = {trip_count, condition};
  operands.insert(operands.end(), carried.begin(), carried.end());
  GraphBuilder* const builder = BuilderOf(operands);
  if (builder == nullptr) return {};
  ControlBuilder b(*builder, "Loop", builder->PlaceOf(trip_count.where()));
  if (!b.ReadOperands(operands)) return {b.Poison(), b.Poison()};
  std::vector<std::pair<std::string, TensorType>> inputs = {{"iteration", {DType::kI64, Shape()}},
                                                            {"condition", {DType::kBool, Shape()}}};
  for (size_t i = 0; i < carried.size(); ++i)
    inputs.emplace_back(absl::StrCat("carried", i), b.TypeOf(b.inputs()[2 + i]));
  bool counts_agree = true;
  const bool good = b.AddBody("body", inputs, {"condition", "next", "row"}, [&](const Values& given) {
    std::vector<Value> values(given.begin() + 2, given.end());
    const LoopStep step = body(given[0], given[1], Values(std::move(values), given[given.size()]));
    counts_agree = step.carried.size() == carried.size();
    Outputs outputs(std::in_place);
    const Value* go_on = step.condition.value();
    if (step.condition.literal() != nullptr) {
      const auto* const constant = std::get_if<bool>(step.condition.literal());
      outputs->emplace_back(0, constant == nullptr ? builder->Const(absl::StatusOr<Tensor>(LiteralToTensor(
                                                         *step.condition.literal(), DType::kBool)))
                                                   : builder->Const(Tensor::Scalar(*constant), "condition"));
    } else {
      outputs->emplace_back(0, go_on == nullptr ? given[1] : *go_on);
    }
    Append(outputs, 1, step.carried);
    Append(outputs, 2, step.rows);
    return outputs;
  });
  if (!good) return {b.Poison(), b.Poison()};
  if (!counts_agree) {
    const Values poison =
        b.Fail(MakeError("E0103", absl::StrCat("the body of Loop does not give ",
                                               CountText(carried.size(), "carried value"), " back")));
    return {poison, poison};
  }
  return Divide(b.Finish({}), carried.size());
}

LoopResults Scan(std::vector<Operand> carried, std::vector<Operand> scanned,
                 absl::FunctionRef<ScanStep(Values, Values)> body, ScanOptions options) {
  std::vector<Operand> operands = carried;
  operands.insert(operands.end(), scanned.begin(), scanned.end());
  GraphBuilder* const builder = BuilderOf(operands);
  if (builder == nullptr) return {};
  ControlBuilder b(*builder, "Scan", builder->PlaceOf(operands[0].where()));
  if (!b.ReadOperands(operands)) return {b.Poison(), b.Poison()};
  std::vector<std::pair<std::string, TensorType>> inputs;
  for (size_t i = 0; i < carried.size(); ++i)
    inputs.emplace_back(absl::StrCat("carried", i), b.TypeOf(b.inputs()[i]));
  for (size_t i = 0; i < scanned.size(); ++i) {
    const TensorType& type = b.TypeOf(b.inputs()[carried.size() + i]);
    const int64_t axis = i < options.input_axes.size() ? options.input_axes[i] : 0;
    // A wrong axis is refused once the node is there; till then the element is anything.
    inputs.emplace_back(absl::StrCat("element", i), ElementType(type, axis).value_or(type));
  }
  bool counts_agree = true;
  const bool good = b.AddBody("body", inputs, {"next", "row"}, [&](const Values& given) {
    std::vector<Value> states(given.begin(), given.begin() + carried.size());
    std::vector<Value> elements(given.begin() + carried.size(), given.end());
    const Value beyond = given[given.size()];
    const ScanStep step = body(Values(std::move(states), beyond), Values(std::move(elements), beyond));
    counts_agree = step.carried.size() == carried.size();
    Outputs outputs(std::in_place);
    Append(outputs, 0, step.carried);
    Append(outputs, 1, step.rows);
    return outputs;
  });
  if (!good) return {b.Poison(), b.Poison()};
  if (!counts_agree) {
    const Values poison =
        b.Fail(MakeError("E0103", absl::StrCat("the body of Scan does not give ",
                                               CountText(carried.size(), "carried value"), " back")));
    return {poison, poison};
  }
  return Divide(b.Finish({{"num_scan_inputs", static_cast<int64_t>(scanned.size())},
                          {"scan_input_axes", std::move(options.input_axes)},
                          {"scan_input_directions", std::move(options.input_directions)},
                          {"scan_output_axes", std::move(options.output_axes)},
                          {"scan_output_directions", std::move(options.output_directions)}}),
                carried.size());
}

Function DefineFunction(GraphBuilder& builder, const std::string& name, std::vector<TensorType> parameters,
                        absl::FunctionRef<Values(Values)> body, Operand::Where where) {
  return ControlBuilder::Define(builder, name, parameters, body, builder.PlaceOf(where));
}

Values Call(const Function& function, std::vector<Operand> arguments, Operand::Where where) {
  return ControlBuilder::Call(function, std::move(arguments), where);
}

}  // namespace tenfold
