// SPDX-License-Identifier: Apache-2.0

#include "tenfold/graph/scalar/scalar.h"

#include <bit>
#include <limits>
#include <tuple>
#include <utility>

#include "absl/hash/hash.h"

namespace tenfold {
namespace {

uint64_t Truncated(DType type, uint64_t bits) {
  if (IsBool(type)) return bits != 0;
  const int unused = 64 - BitWidth(type);
  return bits << unused >> unused;
}

// kConvert from f64, for one constant.
uint64_t BitsFromDouble(DType type, double value) {
  switch (type) {
    case DType::kBool:
      return value != 0;
    case DType::kF16:
      return ToF16(value).bits;
    case DType::kBF16:
      return ToBF16(value).bits;
    case DType::kF32:
      return std::bit_cast<uint32_t>(static_cast<float>(value));
    case DType::kF64:
      return std::bit_cast<uint64_t>(value);
    case DType::kF8E4M3FN:
      return ToFloat8<F8E4M3FN>(value).bits;
    case DType::kF8E5M2:
      return ToFloat8<F8E5M2>(value).bits;
    default:
      break;
  }
  return VisitDType(type, [&](auto tag) -> uint64_t {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      if (value != value) return 0;
      constexpr T kMin = std::numeric_limits<T>::min();
      constexpr T kMax = std::numeric_limits<T>::max();
      // kMax may round up to 2^width as a double, hence >=.
      if (value <= static_cast<double>(kMin)) return Truncated(type, static_cast<uint64_t>(kMin));
      if (value >= static_cast<double>(kMax)) return Truncated(type, static_cast<uint64_t>(kMax));
      return Truncated(type, static_cast<uint64_t>(static_cast<T>(value)));
    }
    return 0;
  });
}

uint64_t BitsFromInt(DType type, int64_t value) {
  if (type == DType::kF32) return std::bit_cast<uint32_t>(static_cast<float>(value));
  if (!IsFloat(type)) return Truncated(type, static_cast<uint64_t>(value));
  // Where f64 would round, keep it from being a first of two roundings: low bits become one sticky
  // bit.
  if (IsHalf(type) && (value > (int64_t{1} << 53) || value < -(int64_t{1} << 53))) {
    value = (value & ~int64_t{0xfff}) | ((value & 0xfff) != 0 ? 0x1000 : 0);
  }
  return BitsFromDouble(type, static_cast<double>(value));
}

Scalar Unary(Prim prim, Scalar a) {
  const Scalar args[] = {a};
  return a.builder()->Emit(prim, a.type(), args);
}

Scalar Binary(Prim prim, Scalar a, Scalar b) {
  const Scalar args[] = {a, b};
  return a.builder()->Emit(prim, a.type(), args);
}

Scalar Compare(Prim prim, Scalar a, Scalar b) {
  const Scalar args[] = {a, b};
  return a.builder()->Emit(prim, DType::kBool, args);
}

}  // namespace

DType Scalar::type() const { return builder_->type(id_); }

size_t ScalarBuilder::InstrHash::operator()(const Instr& i) const {
  return absl::HashOf(static_cast<int>(i.prim), static_cast<int>(i.type), i.args[0], i.args[1], i.args[2],
                      i.bits);
}

ScalarProgram ScalarBuilder::Record(
    std::span<const DType> inputs,
    const std::function<std::vector<Scalar>(std::span<const Scalar>)>& formula) {
  ScalarBuilder builder;
  std::vector<Scalar> values;
  for (DType type : inputs) values.push_back(builder.Input(type));
  const std::vector<Scalar> outputs = formula(values);
  return std::move(builder).Finish(outputs);
}

Scalar ScalarBuilder::Input(DType type) {
  program_.inputs.push_back(type);
  program_.instrs.push_back({.prim = Prim::kInput, .type = type, .bits = program_.inputs.size() - 1});
  return Scalar(this, static_cast<int32_t>(program_.instrs.size()) - 1);
}

Scalar ScalarBuilder::ConstBits(DType type, uint64_t bits) {
  const Instr instr{.prim = Prim::kConst, .type = type, .bits = Truncated(type, bits)};
  const auto [it, is_new] = known_.try_emplace(instr, static_cast<int32_t>(program_.instrs.size()));
  if (is_new) program_.instrs.push_back(instr);
  return Scalar(this, it->second);
}

Scalar ScalarBuilder::Const(DType type, double value) { return ConstBits(type, BitsFromDouble(type, value)); }

Scalar ScalarBuilder::ConstInt(DType type, int64_t value) {
  return ConstBits(type, BitsFromInt(type, value));
}

Scalar ScalarBuilder::Emit(Prim prim, DType type, std::span<const Scalar> args) {
  Instr instr{.prim = prim, .type = type};
  for (size_t i = 0; i < args.size() && i < 3; ++i) instr.args[i] = args[i].id();
  const auto [it, is_new] = known_.try_emplace(instr, static_cast<int32_t>(program_.instrs.size()));
  if (is_new) program_.instrs.push_back(instr);
  return Scalar(this, it->second);
}

std::vector<Scalar> ScalarBuilder::Inline(const ScalarProgram& program, std::span<const Scalar> inputs) {
  std::vector<Scalar> values;
  values.reserve(program.instrs.size());
  for (const Instr& instr : program.instrs) {
    if (instr.prim == Prim::kInput) {
      values.push_back(inputs[instr.bits]);
    } else if (instr.prim == Prim::kConst) {
      values.push_back(ConstBits(instr.type, instr.bits));
    } else {
      Scalar args[3];
      const int num_args = NumArgs(instr.prim);
      for (int i = 0; i < num_args; ++i) args[i] = values[instr.args[i]];
      values.push_back(Emit(instr.prim, instr.type, std::span<const Scalar>(args, num_args)));
    }
  }
  std::vector<Scalar> outputs;
  for (int32_t output : program.outputs) outputs.push_back(values[output]);
  return outputs;
}

ScalarProgram ScalarBuilder::Finish(std::span<const Scalar> outputs) && {
  const std::vector<Instr>& all = program_.instrs;
  std::vector<bool> needed(all.size(), false);
  for (Scalar output : outputs) needed[output.id()] = true;
  for (size_t i = all.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (int a = 0; a < NumArgs(all[i].prim); ++a) needed[all[i].args[a]] = true;
  }

  ScalarProgram result;
  result.inputs = std::move(program_.inputs);
  std::vector<int32_t> renumbered(all.size(), -1);
  for (size_t i = 0; i < all.size(); ++i) {
    if (!needed[i]) continue;
    renumbered[i] = static_cast<int32_t>(result.instrs.size());
    Instr instr = all[i];
    for (int a = 0; a < NumArgs(instr.prim); ++a) instr.args[a] = renumbered[instr.args[a]];
    result.instrs.push_back(instr);
  }
  for (Scalar output : outputs) result.outputs.push_back(renumbered[output.id()]);
  return result;
}

Scalar operator+(Scalar a, Scalar b) { return Binary(Prim::kAdd, a, b); }
Scalar operator-(Scalar a, Scalar b) { return Binary(Prim::kSub, a, b); }
Scalar operator*(Scalar a, Scalar b) { return Binary(Prim::kMul, a, b); }
Scalar operator/(Scalar a, Scalar b) { return Binary(Prim::kDiv, a, b); }
Scalar operator%(Scalar a, Scalar b) { return Binary(Prim::kRem, a, b); }
Scalar operator-(Scalar a) { return Unary(Prim::kNeg, a); }
Scalar operator+(Scalar a, double b) { return a + Like(a, b); }
Scalar operator+(double a, Scalar b) { return Like(b, a) + b; }
Scalar operator-(Scalar a, double b) { return a - Like(a, b); }
Scalar operator-(double a, Scalar b) { return Like(b, a) - b; }
Scalar operator*(Scalar a, double b) { return a * Like(a, b); }
Scalar operator*(double a, Scalar b) { return Like(b, a) * b; }
Scalar operator/(Scalar a, double b) { return a / Like(a, b); }
Scalar operator/(double a, Scalar b) { return Like(b, a) / b; }

Scalar operator&(Scalar a, Scalar b) { return Binary(Prim::kAnd, a, b); }
Scalar operator|(Scalar a, Scalar b) { return Binary(Prim::kOr, a, b); }
Scalar operator^(Scalar a, Scalar b) { return Binary(Prim::kXor, a, b); }
Scalar operator~(Scalar a) { return Unary(Prim::kNot, a); }
Scalar operator<<(Scalar a, int count) { return Shl(a, a.builder()->ConstInt(a.type(), count)); }
Scalar operator>>(Scalar a, int count) { return Shr(a, a.builder()->ConstInt(a.type(), count)); }
Scalar Shl(Scalar a, Scalar count) { return Binary(Prim::kShl, a, count); }
Scalar Shr(Scalar a, Scalar count) { return Binary(Prim::kShr, a, count); }

// The comparison primitives are not defined on bool, where equality is a bitwise operation.
Scalar operator==(Scalar a, Scalar b) { return IsBool(a.type()) ? ~(a ^ b) : Compare(Prim::kEq, a, b); }
Scalar operator!=(Scalar a, Scalar b) { return IsBool(a.type()) ? a ^ b : Compare(Prim::kNe, a, b); }
Scalar operator<(Scalar a, Scalar b) { return Compare(Prim::kLt, a, b); }
Scalar operator<=(Scalar a, Scalar b) { return Compare(Prim::kLe, a, b); }
Scalar operator>(Scalar a, Scalar b) { return b < a; }
Scalar operator>=(Scalar a, Scalar b) { return b <= a; }
Scalar operator<(Scalar a, double b) { return a < Like(a, b); }
Scalar operator<=(Scalar a, double b) { return a <= Like(a, b); }
Scalar operator>(Scalar a, double b) { return a > Like(a, b); }
Scalar operator>=(Scalar a, double b) { return a >= Like(a, b); }
Scalar operator==(Scalar a, double b) { return a == Like(a, b); }

Scalar Select(Scalar condition, Scalar if_true, Scalar if_false) {
  const Scalar args[] = {condition, if_true, if_false};
  return condition.builder()->Emit(Prim::kSelect, if_true.type(), args);
}

Scalar Fma(Scalar a, Scalar b, Scalar c) {
  const Scalar args[] = {a, b, c};
  return a.builder()->Emit(Prim::kFma, a.type(), args);
}

Scalar Abs(Scalar x) { return Unary(Prim::kAbs, x); }
Scalar Min(Scalar a, Scalar b) { return Binary(Prim::kMin, a, b); }
Scalar Max(Scalar a, Scalar b) { return Binary(Prim::kMax, a, b); }
Scalar Sqrt(Scalar x) { return Unary(Prim::kSqrt, x); }
Scalar Floor(Scalar x) { return Unary(Prim::kFloor, x); }
Scalar Ceil(Scalar x) { return Unary(Prim::kCeil, x); }
Scalar Trunc(Scalar x) { return Unary(Prim::kTrunc, x); }
Scalar RoundEven(Scalar x) { return Unary(Prim::kRoundEven, x); }
Scalar IsNan(Scalar x) { return x != x; }

Scalar Convert(Scalar x, DType type) {
  if (x.type() == type) return x;
  if (IsFloat8(x.type())) return Convert(WidenFloat8(x), type);
  if (IsFloat8(type)) return ConvertToFloat8(x, type, Overflow::kSaturate);
  const Scalar args[] = {x};
  return x.builder()->Emit(Prim::kConvert, type, args);
}

Scalar Bitcast(Scalar x, DType type) {
  if (x.type() == type) return x;
  const Scalar args[] = {x};
  return x.builder()->Emit(Prim::kBitcast, type, args);
}

Scalar Like(Scalar x, double value) { return x.builder()->Const(x.type(), value); }

Scalar CopySign(Scalar magnitude, Scalar sign) {
  const DType bits = BitsType(magnitude.type());
  const Scalar mask = magnitude.builder()->ConstBits(bits, uint64_t{1} << (BitWidth(bits) - 1));
  return Bitcast((Bitcast(magnitude, bits) & ~mask) | (Bitcast(sign, bits) & mask), magnitude.type());
}

}  // namespace tenfold
