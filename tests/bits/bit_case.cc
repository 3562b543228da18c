// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/bits/bit_case.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"

namespace tenfold::testing {
namespace {

// --- The settings of an op: attributes, and the shapes of its operands -------------------------------------

const Dim kN = Dim::Symbol("N"), kR = Dim::Symbol("R"), kL = Dim::Symbol("L");
const Dim kM = Dim::Symbol("M"), kK = Dim::Symbol("K");

bool IsElementwiseShaped(const OpDef& op) { return op.Is<Elementwise>(); }

// Elementwise ops take vectors, the others matrices, whose rows and columns they walk differently.
Shape OperandShape(const OpDef& op, size_t port) {
  if (op.Is<Contraction>()) return port == 0 ? Shape{kM, kK} : Shape{kK, kN};
  if (IsElementwiseShaped(op)) return Shape{kN};
  return Shape{kR, kL};
}

// Values of an attribute that are worth a setting of their own; those that have the default are left out.
std::vector<AttrValue> Choices(const OpDef& op, const AttrDef& attr) {
  std::vector<AttrValue> values;
  for (const std::string& choice : attr.choices) values.push_back(choice);
  if (attr.kind == AttrKind::kDType) values.assign(std::begin(kComputedDTypes), std::end(kComputedDTypes));
  if (attr.name == "axis") values = {int64_t{-1}, int64_t{0}};
  if (attr.name == "axes") {
    values = {std::vector<int64_t>{1}, std::vector<int64_t>{0}, std::vector<int64_t>{}};
  }
  if (attr.kind == AttrKind::kBool && !op.Is<Movement>() && attr.name != "saturate") values = {true, false};
  return values;
}

std::vector<Attrs> Settings(const OpDef& op) {
  std::vector<Attrs> settings = {{}};
  for (const AttrDef& attr : op.attrs) {
    const std::vector<AttrValue> values = Choices(op, attr);
    if (values.empty()) continue;
    std::vector<Attrs> extended;
    for (const Attrs& setting : settings) {
      for (const AttrValue& value : values) {
        extended.push_back(setting);
        extended.back().Set(attr.name, value);
      }
    }
    settings = std::move(extended);
  }
  return settings;
}

std::string SettingName(const Attrs& attrs) {
  return absl::StrJoin(attrs, ", ", [](std::string* out, const auto& attr) {
    absl::StrAppend(out, attr.first, "=", ToString(attr.second));
  });
}

// --- The graphs --------------------------------------------------------------------------------------------

// The port that decides the case's dtype: the last that has a choice.
size_t DecidingPort(const OpDef& op) {
  size_t port = 0;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    if (!LiteralDType(op, i, 0, [](size_t) { return std::optional<DType>(); }).has_value()) port = i;
  }
  return port;
}

DType PortDType(const OpDef& op, size_t port, DType dtype) {
  const std::optional<DType> only = LiteralDType(op, port, 0, [](size_t) { return std::optional<DType>(); });
  const bool follows = !only.has_value() || op.inputs[port].type_var == op.inputs[DecidingPort(op)].type_var;
  return follows && op.inputs[port].dtypes.Contains(dtype) ? dtype : *only;
}

// Operand `port` is a shape that inference must know.
bool IsShapeOperand(const OpDef& op, size_t port) { return op.inputs[port].known; }

// Which kinds of ops are bit cases: those that compute, and the movements that kernels may read through or
// that pass every element on. What the others pick by operands of their own is for op cases to say.
bool HasBitCases(const OpDef& op) {
  if (op.inputs.empty() || op.is_internal || op.Is<Source>() || op.Is<HostKernel>() || op.Is<FromShapes>() ||
      op.Is<Control>())
    return false;
  if (const auto* composite = std::get_if<Composite>(&op.computation); composite != nullptr) {
    return !composite->only_moves;
  }
  return !op.Is<Movement>() || op.name == "Reshape" || op.name == "Transpose" || op.name == "Flatten" ||
         op.name == "Identity" || op.is_barrier;
}

// A cheap op that has an inverse.
Value Reversible(Value v) {
  if (IsBool(v.dtype())) return ApplyOp("Equal", {v, false});
  return IsUnsignedInteger(v.dtype()) ? v + 1 : -v;
}

// Cheap ops that round.
Value Rounding(Value v) { return IsFloat(v.dtype()) ? v * 0.75 + 1.0 : Reversible(v); }

std::vector<Value> DeclareInputs(GraphBuilder& g, const OpDef& op, DType dtype) {
  std::vector<Value> inputs;
  for (size_t i = 0; i < op.inputs.size(); ++i) {
    if (IsShapeOperand(op, i)) {
      inputs.push_back(g.Const(LiteralToTensor(std::vector<int64_t>{-1}, DType::kI64), "shape"));
    } else {
      inputs.push_back(g.Input(op.inputs[i].name, PortDType(op, i, dtype), OperandShape(op, i)));
    }
  }
  return inputs;
}

Value Apply(GraphBuilder& g, const OpDef& op, const std::vector<Value>& inputs, const Attrs& attrs) {
  const std::vector<Operand> operands(inputs.begin(), inputs.end());
  return g.ApplyMulti(op.name, operands, attrs, "", "")[0];
}

// Whether the operands fit whatever sizes they have.
bool FitsAlways(const Graph& graph) {
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), [&](NodeId id) {
    const auto assumptions = AssumptionsOf(graph, graph.node(id));
    return assumptions.ok() && assumptions->empty();
  });
}

// The settings that the op takes with this dtype and these shapes: BitCast to as many bits, Mod of floats
// with fmod, Gemm of nothing transposed.
std::vector<Attrs> SettingsFor(const std::shared_ptr<const OpRegistry>& registry, const OpDef& op,
                               DType dtype) {
  std::vector<Attrs> admitted;
  for (const Attrs& attrs : Settings(op)) {
    GraphBuilder g(op.name, registry);
    g.Output("y", Apply(g, op, DeclareInputs(g, op, dtype), attrs));
    const absl::StatusOr<Graph> graph = std::move(g).Build();
    if (graph.ok() && FitsAlways(*graph)) admitted.push_back(attrs);
  }
  return admitted;
}

absl::StatusOr<Graph> Alone(const std::shared_ptr<const OpRegistry>& registry, const OpDef& op, DType dtype) {
  GraphBuilder g(op.name, registry);
  const std::vector<Value> inputs = DeclareInputs(g, op, dtype);
  for (const Attrs& attrs : SettingsFor(registry, op, dtype))
    g.Output(SettingName(attrs), Apply(g, op, inputs, attrs));
  return std::move(g).Build();
}

absl::StatusOr<Graph> Chained(const std::shared_ptr<const OpRegistry>& registry, const OpDef& op,
                              DType dtype) {
  GraphBuilder g(absl::StrCat(op.name, "_chained"), registry);
  const std::vector<Value> inputs = DeclareInputs(g, op, dtype);
  for (const Attrs& attrs : SettingsFor(registry, op, dtype)) {
    for (const bool rounding : {false, true}) {
      if (rounding && !IsFloat(dtype)) continue;
      // All operands but the last, which a division divides by.
      std::vector<Value> prepared = inputs;
      for (size_t i = 0; i < std::max<size_t>(1, inputs.size() - 1); ++i) {
        if (IsShapeOperand(op, i)) continue;
        prepared[i] = rounding ? Rounding(inputs[i]) : Reversible(inputs[i]);
      }
      const Value y = Apply(g, op, prepared, attrs);
      g.Output(absl::StrCat(SettingName(attrs), rounding ? ", scaled" : ", negated"),
               rounding ? Rounding(y) : Reversible(y));
    }
  }
  return std::move(g).Build();
}

// Of integers: a negative power divides by the base.
void AvoidDivisionsByZero(const OpDef& op, std::vector<Tensor>& tensors) {
  if (op.name == "Div" || op.name == "Mod") AvoidZeros(tensors[1]);
  if (op.name == "Pow") AvoidZeros(tensors[0]);
}

// --- Sizes -------------------------------------------------------------------------------------------------

constexpr int64_t kVectorElements = int64_t{1} << 18;

int64_t NumSpecials(const BitCase& c) { return static_cast<int64_t>(SpecialPatterns(c.dtype).size()); }

// Every combination of special values: of the operands of an elementwise op, else of the two elements of a
// row, a column, a product.
std::vector<SymbolValues> SpecialSizes(const BitCase& c) {
  const int64_t s = NumSpecials(c);
  if (c.op->Is<Contraction>()) return {{{"M", s}, {"K", 1}, {"N", s}}, {{"M", s}, {"K", 2}, {"N", s}}};
  if (!IsElementwiseShaped(*c.op)) return {{{"R", s * s}, {"L", 2}}, {{"R", 2}, {"L", s * s}}};
  int64_t combinations = 1;
  for (ValueId input : c.alone.inputs()) {
    combinations *= static_cast<int64_t>(SpecialPatterns(c.alone.value(input).type.dtype).size());
  }
  return {{{"N", combinations}}};
}

// Around 64, the number of accumulators, and 4096, the length of a chunk; long, short, narrow, wide.
std::vector<SymbolValues> RandomSizes(const BitCase& c) {
  std::vector<SymbolValues> sizes;
  if (c.op->Is<Contraction>()) {
    constexpr int64_t kSizes[][3] = {{2, 63, 3},    {3, 64, 5},    {5, 65, 64},   {1, 4097, 2},
                                     {64, 64, 65},  {1, 1000, 31}, {17, 129, 1},  {9, 4095, 2},
                                     {4, 4096, 33}, {33, 4097, 7}, {130, 257, 66}};
    for (const auto& [m, k, n] : kSizes) sizes.push_back({{"M", m}, {"K", k}, {"N", n}});
    return sizes;
  }
  if (IsElementwiseShaped(*c.op)) return {{{"N", kVectorElements}}};
  constexpr int64_t kSizes[][2] = {{65, 63},   {2, 4097},  {64, 65},   {4096, 3},  {33, 64},
                                   {257, 129}, {5, 4095},  {1, 8257},  {4097, 16}, {8321, 2},
                                   {70001, 1}, {1, 70001}, {511, 513}, {2, 65537}};
  for (const auto& [r, l] : kSizes) sizes.push_back({{"R", r}, {"L", l}});
  return sizes;
}

}  // namespace

absl::StatusOr<std::vector<BitCase>> AllBitCases(const std::shared_ptr<const OpRegistry>& registry) {
  std::vector<BitCase> cases;
  for (const OpDef* op : registry->All()) {
    if (!HasBitCases(*op)) continue;
    for (DType dtype : kComputedDTypes) {
      if (!op->inputs[DecidingPort(*op)].dtypes.Contains(dtype)) continue;
      // Made of ops that have cases, over operands of other shapes than these.
      if (op->Is<Composite>() && SettingsFor(registry, *op, dtype).empty()) continue;
      TENFOLD_ASSIGN_OR_RETURN(Graph alone, Alone(registry, *op, dtype));
      TENFOLD_ASSIGN_OR_RETURN(Graph chained, Chained(registry, *op, dtype));
      cases.push_back({op, dtype, std::move(alone), std::move(chained)});
    }
  }
  return cases;
}

BitFeeds::BitFeeds(const BitCase& bit_case, int64_t random_elements, uint64_t seed)
    : case_(bit_case),
      special_sizes_(SpecialSizes(bit_case)),
      random_sizes_(RandomSizes(bit_case)),
      remaining_(random_elements),
      vector_elements_(std::min(kVectorElements, random_elements / 3 + 1)),  // each mix at least once
      source_(seed) {}

absl::StatusOr<std::vector<Tensor>> BitFeeds::Next() {
  return next_is_special() ? Specials(next_special_++) : Random();
}

absl::StatusOr<std::vector<Tensor>> BitFeeds::Allocate(const SymbolValues& sizes) const {
  std::vector<Tensor> tensors;
  for (ValueId input : case_.alone.inputs()) {
    const TensorType& type = case_.alone.value(input).type;
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(type.dtype, *type.shape.Evaluate(sizes)));
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

absl::StatusOr<std::vector<Tensor>> BitFeeds::Specials(size_t run) {
  TENFOLD_ASSIGN_OR_RETURN(std::vector<Tensor> tensors, Allocate(special_sizes_[run]));
  const bool elementwise = IsElementwiseShaped(*case_.op);
  int64_t stride = 1;  // of an operand's own digit in the number of a combination
  for (Tensor& tensor : tensors) {
    const std::vector<uint64_t>& specials = SpecialPatterns(tensor.dtype());
    const auto count = static_cast<int64_t>(specials.size());
    const int64_t pairs = tensor.num_elements() / 2;
    const bool rows_of_two = tensor.rank() == 2 && tensor.dims()[1] == 2;
    for (int64_t i = 0; i < tensor.num_elements(); ++i) {
      int64_t digit = i / stride;
      if (!elementwise && !case_.op->Is<Contraction>()) {
        const int64_t pair = rows_of_two ? i / 2 : i % pairs;
        const bool second = rows_of_two ? i % 2 == 1 : i >= pairs;
        digit = second ? pair / count : pair;
      }
      SetPattern(tensor, i, specials[digit % count]);
    }
    if (elementwise) stride *= count;
  }
  AvoidDivisionsByZero(*case_.op, tensors);
  return tensors;
}

absl::StatusOr<std::vector<Tensor>> BitFeeds::Random() {
  SymbolValues sizes = random_sizes_[next_random_ % random_sizes_.size()];
  const auto mix = static_cast<Mix>(next_random_ % 3);
  ++next_random_;
  if (IsElementwiseShaped(*case_.op)) sizes["N"] = std::min(vector_elements_, remaining_);
  TENFOLD_ASSIGN_OR_RETURN(std::vector<Tensor> tensors, Allocate(sizes));
  int64_t elements = 0;
  for (Tensor& tensor : tensors) {
    FillRandom(tensor, mix, source_);
    elements = std::max(elements, tensor.num_elements());
  }
  remaining_ -= elements;
  AvoidDivisionsByZero(*case_.op, tensors);
  if (case_.op->name == "Equal") {  // random values are hardly ever equal
    TENFOLD_ASSIGN_OR_RETURN(Tensor mixed, Tensor::Allocate(tensors[1].dtype(), tensors[1].dims()));
    VisitComputed(mixed.dtype(), [&]<typename T>(std::type_identity<T>) {
      for (int64_t i = 0; i < mixed.num_elements(); ++i) {
        mixed.mutable_values<T>()[i] = tensors[i % 2].at<T>(i);
      }
    });
    tensors[1] = std::move(mixed);
  }
  return tensors;
}

}  // namespace tenfold::testing
