// SPDX-License-Identifier: Apache-2.0
//
// Recurrent layers: what each step reads of its input is computed for all steps by one matrix product; then a
// Scan has a body of the product that depends on the step before, and the gates. So the weights are
// constants of a MatMul, which packs them once, and the gates are one kernel.
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/control_flow.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/recurrent_activations.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

enum Input { kX, kW, kR, kB, kSequenceLens, kInitialH, kInitialC, kP };

// What tells the three ops apart, but for their steps.
struct CellKind {
  int gates;                               // w and r are so many matrices
  std::span<const char* const> functions;  // of one direction, by default
  int most_functions;                      // admitted of one direction
  int states;
};

constexpr const char* kRnnFunctions[] = {"Tanh"};
constexpr const char* kGruFunctions[] = {"Sigmoid", "Tanh"};
constexpr const char* kLstmFunctions[] = {"Sigmoid", "Tanh", "Tanh"};
// The specification's own default of RNN has two names, one for a direction that need not be there.
constexpr CellKind kRnn = {1, kRnnFunctions, 2, 1}, kGru = {3, kGruFunctions, 2, 1},
                   kLstm = {4, kLstmFunctions, 3, 2};

int NumDirections(const Attrs& attrs) {
  return attrs.Get<std::string>("direction") == "bidirectional" ? 2 : 1;
}

// The attribute, or what r says.
int64_t HiddenSize(const Attrs& attrs, const Shape& r) {
  const AttrValue* const given = attrs.Find("hidden_size");
  return given != nullptr ? std::get<int64_t>(*given) : r.dim(2).constant();
}

// --- Building ----------------------------------------------------------------------------------------------

class RecurrentBuilder {
 public:
  RecurrentBuilder(const CellKind& kind, std::span<const Value> in, const Attrs& attrs)
      : kind_(kind),
        in_(in),
        attrs_(attrs),
        directions_(NumDirections(attrs)),
        hidden_(HiddenSize(attrs, in[kR].shape())),
        by_batch_(attrs.Get<int64_t>("layout") == 1),
        x_(by_batch_ ? ApplyOp("Transpose", {in[kX]}, {{"perm", Ints{1, 0, 2}}}) : in[kX]),
        functions_(ReadActivations(attrs, kind.functions, directions_, kind.most_functions)) {}
  virtual ~RecurrentBuilder() = default;

  std::vector<Value> Build() {
    if (!functions_.ok()) return {};  // inference has refused it
    FindMasks();
    std::vector<std::vector<Value>> results(1 + kind_.states);  // y and the states, by direction
    for (int d = 0; d < directions_; ++d) {
      const LoopResults run = Run(d);
      Value y = run.rows[0];  // [steps, batch, hidden]
      if (by_batch_) y = ApplyOp("Transpose", {y}, {{"perm", Ints{1, 0, 2}}});
      results[0].push_back(y);
      for (int s = 0; s < kind_.states; ++s) results[1 + s].push_back(WhereAnyStep(run.carried[s]));
    }
    std::vector<Value> outputs = {Stacked(results[0], by_batch_ ? 2 : 1)};
    for (int s = 0; s < kind_.states; ++s) outputs.push_back(Stacked(results[1 + s], by_batch_ ? 1 : 0));
    return outputs;
  }

 protected:
  // What the steps of one direction have in common.
  struct Direction {
    std::vector<Value> r;                     // see CutRecurrence
    std::vector<Value> w_bias, r_bias, bias;  // by gate, [hidden], the last their sum; empty without b
    std::vector<Value> peepholes;             // [hidden]; empty without p
    std::span<const RecurrentActivation> functions;
  };

  // The states after a step of all sequences, hidden first. `projected` is x_t * w^T.
  virtual std::vector<Value> Step(const Direction& direction, Value projected, const Values& states) = 0;
  // r^T, [hidden, gates * hidden], in the matrices that a step multiplies by.
  virtual std::vector<Value> CutRecurrence(Value r) const { return {r}; }

  const Attrs& attrs() const { return attrs_; }
  int64_t hidden() const { return hidden_; }

  // Columns of a gate, or of several that follow one another.
  Value Gate(Value x, int gate, int count = 1) const {
    return ApplyOp("Slice", {x, Ints{gate * hidden_}, Ints{(gate + count) * hidden_}, Ints{-1}});
  }
  static Value WithBias(const Direction& direction, Value x, int gate) {
    return direction.bias.empty() ? x : x + direction.bias[gate];
  }
  Value Activate(const RecurrentActivation& function, Value x) const {
    if (const AttrValue* const clip = attrs_.Find("clip")) {
      const double bound = std::get<double>(*clip);
      x = ApplyOp("Clip", {x, -bound, bound});
    }
    return function(x);
  }

 private:
  // What `x` has for direction `d` along `axis`.
  Value Part(Value x, int d, int64_t axis) const {
    if (directions_ > 1) x = ApplyOp("Slice", {x, Ints{d}, Ints{d + 1}, Ints{axis}});
    return ApplyOp("Squeeze", {x, Ints{axis}});
  }

  // The directions along a new axis.
  static Value Stacked(const std::vector<Value>& parts, int64_t axis) {
    std::vector<Operand> operands;
    for (Value part : parts) operands.emplace_back(ApplyOp("Unsqueeze", {part, Ints{axis}}));
    return operands.size() == 1 ? *operands[0].value()
                                : ApplyOpMulti("Concat", operands, {{"axis", axis}})[0];
  }

  Direction ReadDirection(int d) const {
    Direction direction;
    direction.r = CutRecurrence(ApplyOp("Transpose", {Part(in_[kR], d, 0)}));
    if (IsThere(in_, kB)) {
      const Value bias = Part(in_[kB], d, 0);
      for (int gate = 0; gate < kind_.gates; ++gate) {
        direction.w_bias.push_back(Gate(bias, gate));
        direction.r_bias.push_back(Gate(bias, kind_.gates + gate));
        direction.bias.push_back(direction.w_bias[gate] + direction.r_bias[gate]);
      }
    }
    if (IsThere(in_, kP)) {
      const Value peepholes = Part(in_[kP], d, 0);
      for (int gate = 0; gate < 3; ++gate) direction.peepholes.push_back(Gate(peepholes, gate));
    }
    direction.functions = std::span(*functions_).subspan(d * kind_.functions.size(), kind_.functions.size());
    return direction;
  }

  Value InitialState(int input, int d) const {
    if (IsThere(in_, input)) return Part(in_[input], d, by_batch_ ? 1 : 0);
    const Value zero = x_.builder()->Const(LiteralToTensor(0.0, x_.dtype()), "");
    const Operand dims[] = {ExtentOf(x_, 1), Ints{hidden_}};
    return ApplyOp("Expand", {zero, ApplyOpMulti("Concat", dims, {{"axis", int64_t{0}}})[0]});
  }

  LoopResults Run(int d) {
    const Direction direction = ReadDirection(d);
    std::vector<Operand> carried = {InitialState(kInitialH, d)}, scanned;
    if (kind_.states > 1) carried.emplace_back(InitialState(kInitialC, d));
    scanned.emplace_back(ApplyOp("MatMul", {x_, ApplyOp("Transpose", {Part(in_[kW], d, 0)})}));
    if (is_step_.builder() != nullptr) scanned.emplace_back(is_step_);
    ScanOptions options;
    if (d == 1 || attrs_.Get<std::string>("direction") == "reverse") {
      options.input_directions.assign(scanned.size(), 1);
      options.output_directions = {1};
    }
    const auto body = [&](const Values& states, const Values& elements) -> ScanStep {
      std::vector<Value> next = Step(direction, elements[0], states);
      if (elements.size() == 1) return {.carried = Values(next), .rows = {next[0]}};
      // Behind its end a sequence keeps its states. So backwards, it begins with them at its own end.
      const Value is_step = elements[1];
      const Value row = ApplyOp("Where", {is_step, next[0], 0.0});
      for (size_t s = 0; s < next.size(); ++s) next[s] = ApplyOp("Where", {is_step, next[s], states[s]});
      return {.carried = Values(next), .rows = {row}};
    };
    return Scan(std::move(carried), std::move(scanned), body, std::move(options));
  }

  // Which steps are within their sequences, and which sequences have any.
  void FindMasks() {
    const Dim& steps = x_.shape().dim(0);
    const bool some_steps = steps.is_constant() && steps.constant() > 0;
    Value lengths;
    if (IsThere(in_, kSequenceLens)) {
      lengths = in_[kSequenceLens];
      is_step_ = ApplyOp("SequenceMask", {lengths, ExtentOf(x_, 0)});
      if (!some_steps) lengths = ApplyOp("Min", {lengths, As(ExtentOf(x_, 0), lengths.dtype())});
      lengths = ApplyOp("Unsqueeze", {lengths, Ints{1}});
    } else if (!some_steps) {
      lengths = ExtentOf(x_, 0);
    }
    if (lengths.builder() != nullptr) any_step_ = ApplyOp("Greater", {lengths, int64_t{0}});
  }
  Value WhereAnyStep(Value state) const {
    return any_step_.builder() == nullptr ? state : ApplyOp("Where", {any_step_, state, 0.0});
  }

  const CellKind& kind_;
  const std::span<const Value> in_;
  const Attrs& attrs_;
  const int directions_;
  const int64_t hidden_;
  const bool by_batch_;
  const Value x_;  // [steps, batch, input]
  const absl::StatusOr<std::vector<RecurrentActivation>> functions_;
  Value is_step_;   // [steps, batch, 1]; none: all are
  Value any_step_;  // [batch, 1] or [1]; none: there is one
};

class RnnBuilder final : public RecurrentBuilder {
 public:
  using RecurrentBuilder::RecurrentBuilder;

 private:
  std::vector<Value> Step(const Direction& direction, Value projected, const Values& states) override {
    const Value product = ApplyOp("MatMul", {states[0], direction.r[0]});
    return {Activate(direction.functions[0], WithBias(direction, projected + product, 0))};
  }
};

class GruBuilder final : public RecurrentBuilder {
 public:
  using RecurrentBuilder::RecurrentBuilder;

 private:
  enum { kUpdate, kReset, kHidden };

  bool linear_first() const { return attrs().Get<bool>("linear_before_reset"); }

  std::vector<Value> CutRecurrence(Value r) const override {
    if (linear_first()) return {r};
    return {Gate(r, kUpdate, /*count=*/2), Gate(r, kHidden)};
  }

  std::vector<Value> Step(const Direction& direction, Value projected, const Values& states) override {
    const Value h = states[0];
    const Value product = ApplyOp("MatMul", {h, direction.r[0]});
    const auto gate = [&](int g) {
      return Activate(direction.functions[0], WithBias(direction, Gate(projected, g) + Gate(product, g), g));
    };
    const Value update = gate(kUpdate), reset = gate(kReset);
    Value sum;
    if (!linear_first()) {
      const Value hidden = ApplyOp("MatMul", {reset * h, direction.r[1]});
      sum = WithBias(direction, Gate(projected, kHidden) + hidden, kHidden);
    } else if (direction.bias.empty()) {
      sum = Gate(projected, kHidden) + reset * Gate(product, kHidden);
    } else {
      sum = Gate(projected, kHidden) + reset * (Gate(product, kHidden) + direction.r_bias[kHidden]) +
            direction.w_bias[kHidden];
    }
    return {(1.0 - update) * Activate(direction.functions[1], sum) + update * h};
  }
};

class LstmBuilder final : public RecurrentBuilder {
 public:
  using RecurrentBuilder::RecurrentBuilder;

 private:
  enum { kIn, kOut, kForget, kCell };

  std::vector<Value> Step(const Direction& direction, Value projected, const Values& states) override {
    const RecurrentActivation &f = direction.functions[0], &g = direction.functions[1],
                              &h = direction.functions[2];
    const Value cell = states[1];
    const Value product = ApplyOp("MatMul", {states[0], direction.r[0]});
    const auto sum = [&](int gate) {
      return WithBias(direction, Gate(projected, gate) + Gate(product, gate), gate);
    };
    // A gate that looks at a state of the cell.
    const auto gate = [&](int which, Value seen) {
      const Value added =
          direction.peepholes.empty() ? sum(which) : sum(which) + direction.peepholes[which] * seen;
      return Activate(f, added);
    };
    const Value in = gate(kIn, cell);
    const Value forget = attrs().Get<bool>("input_forget") ? 1.0 - in : gate(kForget, cell);
    const Value next = forget * cell + in * Activate(g, sum(kCell));
    return {gate(kOut, next) * Activate(h, next), next};
  }
};

template <typename Builder, const CellKind& kind>
std::vector<Value> BuildRecurrent(std::span<const Value> in, const Attrs& attrs) {
  return Builder(kind, in, attrs).Build();
}

// --- Inference ---------------------------------------------------------------------------------------------

absl::Status CheckRecurrentAttrs(InferContext& c, const CellKind& kind) {
  const Attrs& attrs = c.attrs();
  if (const int64_t layout = attrs.Get<int64_t>("layout"); layout != 0 && layout != 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'layout' is ", layout, ", but must be 0 or 1"));
  }
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"clip"}));
  const AttrValue* const clip = attrs.Find("clip");
  if (clip != nullptr && !(std::get<double>(*clip) > 0)) {
    return c.Fail("E0102",
                  absl::StrCat("attribute 'clip' is ", std::get<double>(*clip), ", but must be positive"));
  }
  const AttrValue* const hidden = attrs.Find("hidden_size");
  if (hidden != nullptr &&
      (std::get<int64_t>(*hidden) < 1 || std::get<int64_t>(*hidden) > std::numeric_limits<int32_t>::max())) {
    return c.Fail("E0102", absl::StrCat("attribute 'hidden_size' is ", std::get<int64_t>(*hidden),
                                        ", but must be from 1 to ", std::numeric_limits<int32_t>::max()));
  }
  const auto functions = ReadActivations(attrs, kind.functions, NumDirections(attrs), kind.most_functions);
  return functions.ok() ? absl::OkStatus() : c.Fail("E0102", functions.status().message());
}

// An input and how many dims it has.
struct Ranked {
  int input;
  int rank;
  const char* dims;
};
constexpr Ranked kRanked[] = {
    {kX, 3, "[steps, batch, input size], or [batch, steps, input size] with layout=1"},
    {kW, 3, "[directions, gates * hidden size, input size]"},
    {kR, 3, "[directions, gates * hidden size, hidden size]"},
    {kB, 2, "[directions, 2 * gates * hidden size]"},
    {kSequenceLens, 1, "a list, the length of each sequence of the batch"},
    {kInitialH, 3, "[directions, batch, hidden size], or [batch, directions, hidden size] with layout=1"},
    {kInitialC, 3, "[directions, batch, hidden size], or [batch, directions, hidden size] with layout=1"},
    {kP, 2, "[directions, 3 * hidden size]"},
};

absl::Status CheckShape(InferContext& c, int input, const Shape& expected, Mend help = {}) {
  if (!c.has(input) || c.shape(input) == expected) return absl::OkStatus();
  return c.Fail("E0201", absl::StrCat(c.InputText(input), ", but must be ", expected.ToString()),
                std::move(help));
}

absl::Status InferRecurrent(InferContext& c, const CellKind& kind) {
  TENFOLD_RETURN_IF_ERROR(CheckRecurrentAttrs(c, kind));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  for (const Ranked& ranked : kRanked) {
    if (!c.has(ranked.input) || c.shape(ranked.input).rank() == ranked.rank) continue;
    return c.Fail("E0207", absl::StrCat(c.InputText(ranked.input), ", but must be ", ranked.dims));
  }
  const Dim& r_size = c.shape(kR).dim(2);
  if (c.attrs().Find("hidden_size") == nullptr && !r_size.is_constant()) {
    return c.Fail("E0211", absl::StrCat("the hidden size must be known: ", c.InputText(kR)),
                  "declare r with numbers for its sizes");
  }
  const int64_t hidden_size = HiddenSize(c.attrs(), c.shape(kR));
  if (hidden_size < 1) return c.Fail("E0212", absl::StrCat("the hidden size is 0: ", c.InputText(kR)));
  const bool by_batch = c.attrs().Get<int64_t>("layout") == 1;
  const Dim directions = NumDirections(c.attrs()), hidden = hidden_size, columns = Dim(kind.gates) * hidden;
  const Dim &steps = c.shape(kX).dim(by_batch ? 1 : 0), &batch = c.shape(kX).dim(by_batch ? 0 : 1);
  Mend both;
  if (c.shape(kW).dim(0) == Dim(2) && directions == Dim(1)) {
    both = "weights of two directions need direction=\"bidirectional\"";
  }
  const Shape state = by_batch ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kW, {directions, columns, c.shape(kX).dim(2)}, both));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kR, {directions, columns, hidden}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kB, {directions, columns * Dim(2)}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kSequenceLens, {batch}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kInitialH, state));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kInitialC, state));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kP, {directions, hidden * Dim(3)}));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(
      0, by_batch ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden}));
  for (int s = 0; s < kind.states; ++s) TENFOLD_RETURN_IF_ERROR(c.SetOutput(1 + s, state));
  return absl::OkStatus();
}

template <const CellKind& kind>
absl::Status Infer(InferContext& c) {
  return InferRecurrent(c, kind);
}

// --- Lengths of sequences ----------------------------------------------------------------------------------

absl::Status InferSequenceMask(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents steps, c.Known(1));
  return c.SetOutput(0, {steps[0], c.shape(0).dim(0), 1});
}

absl::Status RunSequenceMask(KernelContext& c) {
  const KernelTensor &lengths = c.input(0), &mask = c.output();
  const int64_t steps = mask.dims[0], batch = mask.dims[1];
  return c.ForEachRange(batch, steps, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    for (int64_t b = begin; b < end; ++b) {
      const int64_t length = IndexAt(lengths, b);
      if (length < 0 || length > steps) return c.OutOfRange(0, "sequence_lens", b, length, 0, steps + 1);
      for (int64_t t = 0; t < steps; ++t) mask.mutable_values<bool>()[t * batch + b] = t < length;
    }
    return absl::OkStatus();
  });
}

// --- The ops -----------------------------------------------------------------------------------------------

PortDef OptionalPort(const char* name, const char* type_var, DTypeSet dtypes, const char* doc) {
  return {.name = name, .type_var = type_var, .dtypes = dtypes, .doc = doc, .arity = Arity::kOptional};
}

// Ports of all three; `gates` in the order of the specification.
std::vector<PortDef> Inputs(const char* w, const char* r, const char* b) {
  return {{"x", "T", kFloat, "[steps, batch, input size], or [batch, steps, input size] with layout=1"},
          {"w", "T", kFloat, w},
          {"r", "T", kFloat, r},
          OptionalPort("b", "T", kFloat, b),
          OptionalPort("sequence_lens", "L", kIndex,
                       "[batch]: how many steps each sequence has; absent: all. Behind them y is 0. A "
                       "reverse direction begins at a sequence's own end"),
          OptionalPort("initial_h", "T", kFloat,
                       "[directions, batch, hidden size], or [batch, directions, hidden size] with "
                       "layout=1; absent: 0")};
}

std::vector<PortDef> Outputs() {
  return {
      {"y", "T", kFloat,
       "h of every step: [steps, directions, batch, hidden size], or [batch, steps, directions, hidden "
       "size] with layout=1"},
      {"y_h", "T", kFloat, "h after the last step of each sequence, as initial_h; 0 where there is none"}};
}

std::vector<AttrDef> RecurrentAttrs(const char* activations) {
  std::vector<AttrDef> attrs = ActivationAttrs(activations);
  attrs.push_back({.name = "clip",
                   .kind = AttrKind::kFloat,
                   .default_value = std::nullopt,
                   .doc = "what activations are given is first clamped to [-clip, clip]",
                   .is_optional = true});
  attrs.push_back({"direction",
                   AttrKind::kString,
                   AttrValue(std::string("forward")),
                   "bidirectional: forward is direction 0, reverse is 1",
                   {"forward", "reverse", "bidirectional"}});
  attrs.push_back({.name = "hidden_size",
                   .kind = AttrKind::kInt,
                   .default_value = std::nullopt,
                   .doc = "absent: the last dim of r",
                   .is_optional = true});
  attrs.push_back({"layout", AttrKind::kInt, AttrValue(int64_t{0}), "1: the batch stands first"});
  return attrs;
}

template <typename Def>
std::vector<Def> With(std::vector<Def> defs, std::vector<Def> more) {
  defs.insert(defs.end(), more.begin(), more.end());
  return defs;
}

constexpr char kBound[] = "Follows from MatMul and the activations, step after step.";

}  // namespace

std::vector<OpDef> RecurrentOps() {
  const AttrDef input_forget = {"input_forget", AttrKind::kBool, AttrValue(false),
                                "f is 1 - i, and w, r, b and p of f are not used"};
  const AttrDef linear_before_reset = {"linear_before_reset", AttrKind::kBool, AttrValue(false),
                                       "which form the hidden gate has"};
  return {
      {.name = "SequenceMask",
       .inputs = {{"sequence_lens", "L", kIndex, ""},
                  {.name = "steps", .type_var = "S", .dtypes = {DType::kI64}, .doc = "", .known = true}},
       .outputs = {{"mask", "", kBoolOnly, ""}},
       .doc = "Which steps are within their sequences: [steps, batch, 1].",
       .infer = InferSequenceMask,
       .computation = HostKernel{.run = RunSequenceMask},
       .is_internal = true},
      {.name = "RNN",
       .inputs = Inputs("[directions, hidden size, input size]", "[directions, hidden size, hidden size]",
                        "[directions, 2 * hidden size]: wb, then rb; absent: 0"),
       .attrs = RecurrentAttrs("f of each direction, of the same functions as LSTM; empty: Tanh"),
       .outputs = Outputs(),
       .doc = "The simple recurrent layer: the next h is f(x w^T + h r^T + wb + rb).",
       .bound = kBound,
       .infer = Infer<kRnn>,
       .computation = Composite{.build_several = BuildRecurrent<RnnBuilder, kRnn>}},
      {.name = "GRU",
       .inputs = Inputs("[directions, 3 * hidden size, input size]: z, r, h",
                        "[directions, 3 * hidden size, hidden size]: z, r, h",
                        "[directions, 6 * hidden size]: wb of z, r, h, then rb; absent: 0"),
       .attrs = With(RecurrentAttrs("f and g of each direction, of the same functions as LSTM; empty: "
                                    "Sigmoid, Tanh"),
                     {linear_before_reset}),
       .outputs = Outputs(),
       .doc = "The gated recurrent unit: zt = f(x wz^T + h rz^T + wbz + rbz), rt = f(x wr^T + h rr^T + wbr + "
              "rbr), ht = g(x wh^T + (rt * h) rh^T + wbh + rbh), with linear_before_reset g(x wh^T + rt * (h "
              "rh^T + rbh) + wbh); the next h is (1 - zt) * ht + zt * h. The products of gates are those of "
              "elements.",
       .bound = kBound,
       .infer = Infer<kGru>,
       .computation = Composite{.build_several = BuildRecurrent<GruBuilder, kGru>}},
      {.name = "LSTM",
       .inputs = With(Inputs("[directions, 4 * hidden size, input size]: i, o, f, c",
                             "[directions, 4 * hidden size, hidden size]: i, o, f, c",
                             "[directions, 8 * hidden size]: wb of i, o, f, c, then rb; absent: 0"),
                      {OptionalPort("initial_c", "T", kFloat, "as initial_h"),
                       OptionalPort("p", "T", kFloat,
                                    "[directions, 3 * hidden size]: peepholes of i, o, f; absent: 0")}),
       .attrs = With(RecurrentAttrs(
                         "f, g and h of each direction, one after the other, in either case: Affine (alpha x "
                         "+ beta), Elu, HardSigmoid, LeakyRelu, Relu, ScaledTanh (alpha tanh(beta x)), "
                         "Sigmoid, Softplus, Softsign, Tanh, ThresholdedRelu; empty: Sigmoid, Tanh, Tanh"),
                     {input_forget}),
       .outputs = With(Outputs(), {{"y_c", "T", kFloat, "c after it, as y_h"}}),
       .doc =
           "The long short-term memory: it = f(x wi^T + h ri^T + pi * c + wbi + rbi), ft likewise, ct = "
           "g(x wc^T + h rc^T + wbc + rbc); the next c is ft * c + it * ct; ot = f(x wo^T + h ro^T + po * "
           "next c + wbo + rbo); the next h is ot * h(next c). The products of gates are those of elements.",
       .bound = kBound,
       .infer = Infer<kLstm>,
       .computation = Composite{.build_several = BuildRecurrent<LstmBuilder, kLstm>}},
  };
}

}  // namespace tenfold
