// SPDX-License-Identifier: Apache-2.0
//
// What each step reads of its input is computed for all steps by one matrix product; then a Scan has a body
// of the product that depends on the step before, and the gates. So the weights are constants of a MatMul,
// which packs them once, and the gates are one kernel.
#include "tenfold/graph/ops/recurrent_cells.h"

#include <array>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "tenfold/graph/control_flow.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/recurrent_activations.h"

namespace tenfold {

int NumDirections(const Attrs& attrs) {
  return attrs.Get<std::string>("direction") == "bidirectional" ? 2 : 1;
}

int64_t HiddenSize(const Attrs& attrs, const Shape& r) {
  const AttrValue* const given = attrs.Find("hidden_size");
  return given != nullptr ? std::get<int64_t>(*given) : r.dim(2).constant();
}

namespace {

using Ints = std::vector<int64_t>;

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
    for (int input : {kW, kR, kB, kP}) CutDirections(input, 0);
    for (int input : {kInitialH, kInitialC}) CutDirections(input, by_batch_ ? 1 : 0);
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
    Values r;                                 // see CutRecurrence
    std::vector<Value> w_bias, r_bias, bias;  // by gate, [hidden], the last their sum; empty without b
    Values peepholes;                         // by gate, [hidden]; none without p
    std::span<const RecurrentActivation> functions;
  };

  // The states after a step of all sequences, hidden first. `projected` is x_t * w^T.
  virtual std::vector<Value> Step(const Direction& direction, Value projected, const Values& states) = 0;
  // r^T, [hidden, gates * hidden], in the matrices that a step multiplies by.
  virtual Values CutRecurrence(Value r) const { return {r}; }

  const Attrs& attrs() const { return attrs_; }

  // Columns of a gate. A kernel reads such a slice in place.
  Value Gate(Value x, int gate) const {
    return ApplyOp("Slice", {x, Ints{gate * hidden_}, Ints{(gate + 1) * hidden_}, Ints{-1}});
  }
  // What is cut into all its parts at once is not needed any more, so that folding takes no more memory.
  Values Cut(Value x, int64_t axis, Ints gates) const {
    for (int64_t& extent : gates) extent *= hidden_;
    const Operand operands[] = {x, std::move(gates)};
    return ApplyOpMulti("Split", operands, {{"axis", axis}});
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
  void CutDirections(int input, int64_t axis) {
    if (!IsThere(in_, input)) return;
    const Operand operands[] = {in_[input], std::nullopt};
    const Values parts =
        directions_ == 1 ? Values{in_[input]}
                         : ApplyOpMulti("Split", operands, {{"axis", axis}, {"num_outputs", directions_}});
    for (int64_t d = 0; d < directions_; ++d)
      parts_[input].push_back(ApplyOp("Squeeze", {parts[d], Ints{axis}}));
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
    direction.r = CutRecurrence(ApplyOp("Transpose", {parts_[kR][d]}));
    if (IsThere(in_, kB)) {
      const Values biases = Cut(parts_[kB][d], 0, Ints(2 * kind_.gates, 1));
      for (int gate = 0; gate < kind_.gates; ++gate) {
        direction.w_bias.push_back(biases[gate]);
        direction.r_bias.push_back(biases[kind_.gates + gate]);
        direction.bias.push_back(biases[gate] + biases[kind_.gates + gate]);
      }
    }
    if (IsThere(in_, kP)) direction.peepholes = Cut(parts_[kP][d], 0, {1, 1, 1});
    direction.functions = std::span(*functions_).subspan(d * kind_.functions.size(), kind_.functions.size());
    return direction;
  }

  Value InitialState(int input, int d) const {
    if (IsThere(in_, input)) return parts_[input][d];
    const Value zero = x_.builder()->Const(LiteralToTensor(0.0, x_.dtype()), "");
    const Operand dims[] = {ExtentOf(x_, 1), Ints{hidden_}};
    return ApplyOp("Expand", {zero, ApplyOpMulti("Concat", dims, {{"axis", int64_t{0}}})[0]});
  }

  LoopResults Run(int d) {
    const Direction direction = ReadDirection(d);
    std::vector<Operand> carried = {InitialState(kInitialH, d)}, scanned;
    if (kind_.states > 1) carried.emplace_back(InitialState(kInitialC, d));
    scanned.emplace_back(ApplyOp("MatMul", {x_, ApplyOp("Transpose", {parts_[kW][d]})}));
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
  const int64_t directions_;
  const int64_t hidden_;
  const bool by_batch_;
  const Value x_;  // [steps, batch, input]
  const absl::StatusOr<std::vector<RecurrentActivation>> functions_;
  std::array<std::vector<Value>, kP + 1> parts_;  // by input, by direction
  Value is_step_;                                 // [steps, batch, 1]; none: all are
  Value any_step_;                                // [batch, 1] or [1]; none: there is one
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

  Values CutRecurrence(Value r) const override { return linear_first() ? Values{r} : Cut(r, 1, {2, 1}); }

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
          direction.peepholes.size() == 0 ? sum(which) : sum(which) + direction.peepholes[which] * seen;
      return Activate(f, added);
    };
    const Value in = gate(kIn, cell);
    const Value forget = attrs().Get<bool>("input_forget") ? 1.0 - in : gate(kForget, cell);
    const Value next = forget * cell + in * Activate(g, sum(kCell));
    return {gate(kOut, next) * Activate(h, next), next};
  }
};

}  // namespace

std::vector<Value> BuildRnn(std::span<const Value> in, const Attrs& attrs) {
  return RnnBuilder(kRnn, in, attrs).Build();
}
std::vector<Value> BuildGru(std::span<const Value> in, const Attrs& attrs) {
  return GruBuilder(kGru, in, attrs).Build();
}
std::vector<Value> BuildLstm(std::span<const Value> in, const Attrs& attrs) {
  return LstmBuilder(kLstm, in, attrs).Build();
}

}  // namespace tenfold
