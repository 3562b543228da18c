// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/graph_builder.h"

#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/control.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/no_such_op.h"

namespace tenfold {
namespace {

template <typename T>
absl::Status StoreInteger(int64_t value, DType dtype, T* out) {
  T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  if (IsPacked(dtype)) low /= 16, high /= 16;  // T has twice the bits
  if (!std::in_range<T>(value) || static_cast<T>(value) < low || static_cast<T>(value) > high) {
    return MakeError("E0204", absl::StrCat("the literal ", value, " does not fit ", Name(dtype),
                                           ", which holds ", static_cast<int64_t>(low), " to ", high));
  }
  *out = static_cast<T>(value);
  return absl::OkStatus();
}

// Writes one number as one element of `dtype`.
template <typename Number>
absl::Status StoreNumber(Number value, DType dtype, void* out) {
  return VisitDType(dtype, [&]<typename T>(std::type_identity<T>) -> absl::Status {
    T& element = *static_cast<T*>(out);
    if constexpr (std::is_same_v<Number, bool> || std::is_same_v<T, bool>) {
      if (!std::is_same_v<Number, bool> || !std::is_same_v<T, bool>) {
        return MakeError("E0204", absl::StrCat("the literal ", value, " is not a ", Name(dtype)),
                         std::is_same_v<T, bool> ? "write true or false" : "write a number");
      }
      element = static_cast<T>(value);
    } else if constexpr (std::is_integral_v<T>) {
      if constexpr (std::is_floating_point_v<Number>) {
        return MakeError("E0204",
                         absl::StrCat("the literal ", value, std::floor(value) == value ? ".0" : "",
                                      " is floating-point, but the tensor is ", Name(dtype)),
                         "Cast(x, to=f32) of the tensor x computes in f32");
      } else {
        return StoreInteger<T>(value, dtype, &element);
      }
    } else if constexpr (std::is_integral_v<Number>) {
      // An integer literal must fit exactly, in a floating tensor too.
      if constexpr (std::is_floating_point_v<T>) {
        element = static_cast<T>(value);
      } else {
        element = Narrow<T>(static_cast<double>(value));
      }
      const double back = Widen(element);
      const bool representable = std::abs(back) < 0x1p63 || value == std::numeric_limits<int64_t>::min();
      if (!representable || static_cast<int64_t>(back) != value) {
        return MakeError("E0204",
                         absl::StrCat("the integer literal ", value, " is not exact in ", Name(dtype)),
                         absl::StrCat("write ", value, ".0 to round it to nearest"));
      }
    } else {
      element = Narrow<T>(value);
      // An e4m3fn has a NaN where others have an infinity.
      if (!std::isfinite(Widen(element)) && !std::isnan(value) &&
          (std::isfinite(value) || std::isnan(Widen(element)))) {
        return MakeError("E0204", absl::StrCat("the literal ", value, " overflows ", Name(dtype)));
      }
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<Tensor> UnpackedList(const std::vector<int64_t>& list, DType dtype) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor bytes,
                           Tensor::Allocate(UnpackedType(dtype), Dims{static_cast<int64_t>(list.size())}));
  auto* out = static_cast<char*>(bytes.mutable_data());
  for (int64_t number : list) TENFOLD_RETURN_IF_ERROR(StoreNumber(number, dtype, out++));
  return bytes;
}

}  // namespace

absl::StatusOr<Tensor> LiteralToTensor(const Literal& literal, DType dtype) {
  const auto* list = std::get_if<std::vector<int64_t>>(&literal);
  const Dims dims = list == nullptr ? Dims{} : Dims{static_cast<int64_t>(list->size())};
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, dims));
  if (list == nullptr) {
    TENFOLD_RETURN_IF_ERROR(std::visit(
        [&](const auto& number) -> absl::Status {
          if constexpr (std::is_arithmetic_v<std::decay_t<decltype(number)>>) {
            return StoreNumber(number, dtype, tensor.mutable_data());
          }
          return absl::OkStatus();
        },
        literal));
    if (IsPacked(dtype)) ClearUnusedHalf(tensor.mutable_data(), 1);
    return tensor;
  }
  if (IsPacked(dtype)) {
    TENFOLD_ASSIGN_OR_RETURN(const Tensor bytes, UnpackedList(*list, dtype));
    return bytes.Pack(dtype);
  }
  auto* out = static_cast<char*>(tensor.mutable_data());
  for (int64_t number : *list) {
    TENFOLD_RETURN_IF_ERROR(StoreNumber(number, dtype, out));
    out += SizeOf(dtype);
  }
  return tensor;
}

const TensorType& Value::type() const {
  static const auto* const kUnknown = new TensorType{DType::kF32, Shape::UnknownRank()};
  return poison() || builder_ == nullptr ? *kUnknown : builder_->TypeOf(*this);
}

GraphBuilder::DimArg::DimArg(const char* text) {
  absl::StatusOr<Dim> parsed = Dim::Parse(text);
  ok = parsed.ok();
  if (ok) dim = *std::move(parsed);
}

GraphBuilder::GraphBuilder(absl::string_view name, std::shared_ptr<const OpRegistry> registry,
                           const Limits& limits)
    : graph_(std::move(registry)) {
  graph_.limits = limits;
  graph_.name = std::string(name);
}

const Graph* GraphBuilder::GraphOf(Value value) const {
  if (value.scope_ == 0) return &graph_;
  for (const auto& body : bodies_) {
    if (body->scope == value.scope_) return &body->graph;
  }
  return nullptr;
}

const TensorType& GraphBuilder::TypeOf(Value value) const {
  const Graph* const graph = GraphOf(value);
  return graph == nullptr ? Value().type() : graph->value(value.id()).type;
}

absl::StatusOr<ValueId> GraphBuilder::Import(Value value, absl::string_view what) {
  if (value.builder() != this) return MakeError("E0105", absl::StrCat(what, " is not a value of this graph"));
  size_t level = 0;  // 0: the graph itself, then the bodies
  if (value.scope_ != 0) {
    while (level < bodies_.size() && bodies_[level]->scope != value.scope_) ++level;
    if (level++ == bodies_.size()) {
      return MakeError("E0105", absl::StrCat(what, " belongs to a body that has ended"),
                       "let the body give it as a result");
    }
  }
  ValueId id = value.id();
  for (; level < bodies_.size(); ++level) {
    TENFOLD_ASSIGN_OR_RETURN(id, Capture(level, id));
  }
  return id;
}

absl::StatusOr<ValueId> GraphBuilder::Capture(size_t level, ValueId outer) {
  OpenBody& body = *bodies_[level];
  if (const auto it = body.inputs.find(outer); it != body.inputs.end()) return it->second;
  const Graph& around = level == 0 ? graph_ : bodies_[level - 1]->graph;
  TENFOLD_ASSIGN_OR_RETURN(const ValueId input, AddCapturedInput(body.graph, around, outer));
  body.captured.push_back(outer);
  body.inputs[outer] = input;
  return input;
}

std::string GraphBuilder::LocationOf(const Where& where) const {
  return location_.empty() ? absl::StrCat(where.file_name(), ":", where.line()) : location_;
}

Value GraphBuilder::Fail(const absl::Status& status, const std::string& location) {
  for (Diagnostic& d : DiagnosticsOf(WithLocation(status, location))) errors_.push_back(std::move(d));
  return Value(this, -1);
}

Value GraphBuilder::Input(absl::string_view name, DType dtype, Shape shape, Where where) {
  const std::string location = LocationOf(where);
  if (!bodies_.empty()) {
    return Fail(MakeError("E0105", absl::StrCat("the input '", name, "' stands within a body"),
                          "declare it before, and name it in the body"),
                location);
  }
  if (graph_.FindValue(name).has_value()) {
    return Fail(MakeError("E0104", absl::StrCat("the graph already has a value '", name, "'"),
                          "give one of them another name"),
                location);
  }
  auto node =
      graph_.AddNode(*graph_.registry().Find("Input"), {}, {{"type", TensorType{dtype, std::move(shape)}}},
                     {std::string(name)}, {location, "", {}});
  if (!node.ok()) return Fail(node.status(), location);
  return Value(this, static_cast<int32_t>(graph_.node(*node).outputs[0]));
}

Value GraphBuilder::Input(absl::string_view name, DType dtype, std::initializer_list<DimArg> dims,
                          Where where) {
  std::vector<Dim> shape;
  for (const DimArg& arg : dims) {
    if (!arg.ok) {
      return Fail(MakeError("E0210", absl::StrCat("dim ", shape.size(), " of input '", name,
                                                  "' is not an integer expression over symbols")),
                  LocationOf(where));
    }
    shape.push_back(arg.dim);
  }
  return Input(name, dtype, Shape(std::move(shape)), where);
}

Value GraphBuilder::Const(Tensor tensor, absl::string_view name, Where where) {
  return Const(IngestedArray{std::move(tensor), {}, ""}, name, where);
}

Value GraphBuilder::Const(absl::StatusOr<IngestedArray> array, absl::string_view name, Where where) {
  const std::string location = LocationOf(where);
  if (!array.ok()) return Fail(array.status(), location);
  auto node = current().AddNode(*graph_.registry().Find("Const"), {}, {{"value", std::move(array->tensor)}},
                                {name.empty() ? std::string() : absl::StrCat(prefix_, name)},
                                {location, std::move(array->origin), {}, std::move(array->record)});
  if (!node.ok()) return Fail(node.status(), location);
  return Value(this, static_cast<int32_t>(current().node(*node).outputs[0]), current_scope());
}

Value GraphBuilder::Const(absl::StatusOr<Tensor> tensor, absl::string_view name, Where where) {
  if (!tensor.ok()) return Fail(tensor.status(), LocationOf(where));
  return Const(*std::move(tensor), name, where);
}

void GraphBuilder::Output(absl::string_view name, Value value, Where where) {
  if (value.poison() && value.builder() != nullptr) return;  // reported where it failed
  const std::string location = LocationOf(where);
  if (value.builder() != this || value.scope_ != 0 || !bodies_.empty()) {
    Fail(MakeError("E0105",
                   absl::StrCat("output '", name, "' ",
                                value.builder() != this ? "is not a value of this graph"
                                : bodies_.empty()       ? "belongs to a body that has ended"
                                                        : "is declared within a body"),
                   value.builder() != this ? "" : "let the body give it as a result"),
         location);
    return;
  }
  if (absl::Status status = graph_.AddOutput(name, value.id()); !status.ok()) Fail(status, location);
}

void GraphBuilder::Bound(absl::string_view symbol, DimBounds bounds) {
  graph_.symbol_bounds[std::string(symbol)] = bounds;
}

Value GraphBuilder::Named(Value value, absl::string_view name) {
  if (!value.poison() && value.builder() == this && value.scope_ == current_scope())
    (void)current().Rename(value.id(), absl::StrCat(prefix_, name));
  return value;
}

std::optional<std::vector<ValueId>> GraphBuilder::ReadOperands(const OpDef& op,
                                                               std::span<const Operand> operands,
                                                               const std::string& location) {
  // First of all, so that a literal beside poison is silent too.
  for (const Operand& operand : operands) {
    const Value* value = operand.value();
    if (value != nullptr && value->builder() == this && value->poison()) return std::nullopt;
  }
  // A literal takes the dtype that the other operands bind, or the only one that its port admits.
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (operands[i].absent()) {
      inputs.push_back(kNoValue);
      continue;
    }
    if (const Value* value = operands[i].value()) {
      const absl::StatusOr<ValueId> id = Import(*value, absl::StrCat("operand ", i, " of ", op.name));
      if (!id.ok()) {
        Fail(id.status(), location);
        return std::nullopt;
      }
      inputs.push_back(*id);
      continue;
    }
    const std::optional<DType> dtype =
        LiteralDType(op, i, operands.size(), [&](size_t k) -> std::optional<DType> {
          const Value* value = operands[k].value();
          if (value == nullptr || value->builder() != this) return std::nullopt;
          return value->dtype();
        });
    absl::StatusOr<Tensor> tensor =
        dtype.has_value() ? LiteralToTensor(*operands[i].literal(), *dtype)
                          : MakeError("E0204", "a literal, and no other operand gives it a dtype",
                                      "make it a Const with the dtype that is meant");
    if (!tensor.ok()) {
      Diagnostic refusal = DiagnosticsOf(tensor.status()).front();
      refusal.message = absl::StrCat("operand ", i, " of ", op.name, ": ", refusal.message);
      Fail(ToStatus(std::move(refusal)), location);
      return std::nullopt;
    }
    const Value literal = Const(*std::move(tensor), "", operands[i].where());
    if (literal.poison()) return std::nullopt;
    inputs.push_back(literal.id());
  }
  return inputs;
}

Values GraphBuilder::ResultsOf(NodeId node) {
  std::vector<Value> outputs;
  for (ValueId id : current().node(node).outputs)
    outputs.push_back(Value(this, static_cast<int32_t>(id), current_scope()));
  return Values(std::move(outputs), Value(this, -1));
}

Values GraphBuilder::ApplyMulti(absl::string_view op_name, std::span<const Operand> operands, Attrs attrs,
                                absl::string_view name, const std::string& location) {
  const Values poison({}, Value(this, -1));
  const OpDef* op = graph_.registry().Find(op_name);
  if (op == nullptr) {
    Fail(NoSuchOp(op_name, graph_.registry()), location);
    return poison;
  }
  std::optional<std::vector<ValueId>> inputs = ReadOperands(*op, operands, location);
  if (!inputs) return poison;
  const std::string full_name =
      absl::StrCat(prefix_, name.empty() ? DefaultValueName(*op) : std::string(name));
  auto node = current().AddNode(*op, *std::move(inputs), std::move(attrs), {full_name}, {location, "", {}});
  if (!node.ok()) {
    Fail(node.status(), location);
    return poison;
  }
  return ResultsOf(*node);
}

Values GraphBuilder::ApplyMulti(absl::string_view op, std::span<const Operand> operands, Attrs attrs) {
  const std::string location = operands.empty() ? location_ : LocationOf(operands.front().where());
  return ApplyMulti(op, operands, std::move(attrs), "", location);
}

Value GraphBuilder::Apply(absl::string_view op, std::initializer_list<Operand> operands, Attrs attrs,
                          absl::string_view name) {
  const std::string location = operands.size() == 0 ? location_ : LocationOf(operands.begin()->where());
  return ApplyMulti(op, std::span(operands.begin(), operands.size()), std::move(attrs), name, location)[0];
}

absl::StatusOr<Graph> GraphBuilder::Build() && {
  if (!errors_.empty()) return ToStatus(std::move(errors_));
  TENFOLD_RETURN_IF_ERROR(graph_.SortTopologically());
  return std::move(graph_);
}

GraphBuilder::Scope::Scope(GraphBuilder& builder, absl::string_view name, Where where)
    : builder_(builder), prefix_length_(builder.prefix_.size()), saved_location_(builder.location_) {
  if (!name.empty()) absl::StrAppend(&builder.prefix_, name, "/");
  builder.location_ = builder.LocationOf(where);
}

GraphBuilder::Scope::~Scope() {
  builder_.prefix_.resize(prefix_length_);
  builder_.location_ = std::move(saved_location_);
}

GraphBuilder* BuilderOf(std::span<const Operand> operands) {
  for (const Operand& operand : operands) {
    if (const Value* value = operand.value(); value != nullptr && value->builder() != nullptr)
      return value->builder();
  }
  return nullptr;
}

Value ApplyOp(absl::string_view op, std::initializer_list<Operand> operands, Attrs attrs) {
  return ApplyOpMulti(op, std::span(operands.begin(), operands.size()), std::move(attrs))[0];
}

Values ApplyOpMulti(absl::string_view op, std::span<const Operand> operands, Attrs attrs) {
  GraphBuilder* builder = BuilderOf(operands);
  return builder == nullptr ? Values() : builder->ApplyMulti(op, operands, std::move(attrs));
}

Value operator+(Operand a, Operand b) { return ApplyOp("Add", {a, b}); }
Value operator-(Operand a, Operand b) { return ApplyOp("Sub", {a, b}); }
Value operator*(Operand a, Operand b) { return ApplyOp("Mul", {a, b}); }
Value operator/(Operand a, Operand b) { return ApplyOp("Div", {a, b}); }
Value operator-(Operand a) { return ApplyOp("Neg", {a}); }

}  // namespace tenfold
