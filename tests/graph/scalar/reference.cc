// SPDX-License-Identifier: Apache-2.0

#include "tenfold/tests/graph/scalar/reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>

namespace tenfold::testing {
namespace {

__extension__ typedef __int128 Int128;

struct FloatFormat {
  int precision;  // with the hidden bit
  int min_exponent;
  int max_exponent;
  int exponent_bits;
};

FloatFormat FormatOf(DType type) {
  switch (type) {
    case DType::kF16:
      return {11, -14, 15, 5};
    case DType::kBF16:
      return {8, -126, 127, 8};
    case DType::kF32:
      return {24, -126, 127, 8};
    default:
      return {53, -1022, 1023, 11};
  }
}

// The value of a float's bits, from the definition of the format.
long double FloatValue(DType type, uint64_t bits) {
  const FloatFormat f = FormatOf(type);
  const int fraction_bits = f.precision - 1;
  const uint64_t fraction = bits & ((uint64_t{1} << fraction_bits) - 1);
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << f.exponent_bits) - 1);
  const bool negative = (bits >> (BitWidth(type) - 1)) & 1;
  long double magnitude;
  if (exponent == (1 << f.exponent_bits) - 1) {
    magnitude = fraction != 0 ? std::numeric_limits<long double>::quiet_NaN()
                              : std::numeric_limits<long double>::infinity();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<long double>(fraction), f.min_exponent - fraction_bits);
  } else {
    magnitude = std::ldexp(static_cast<long double>(fraction | (uint64_t{1} << fraction_bits)),
                           exponent - f.max_exponent - fraction_bits);
  }
  return std::copysign(magnitude, negative ? -1.0L : 1.0L);
}

Int128 IntValue(DType type, uint64_t bits) {
  const int unused = 64 - BitWidth(type);
  if (IsSignedInteger(type)) return static_cast<int64_t>(bits << unused) >> unused;
  return bits;
}

uint64_t IntBits(DType type, Int128 value) {
  const int unused = 64 - BitWidth(type);
  return static_cast<uint64_t>(value) << unused >> unused;
}

Int128 MinOf(DType type) { return IsSignedInteger(type) ? -(Int128{1} << (BitWidth(type) - 1)) : 0; }
Int128 MaxOf(DType type) { return (Int128{1} << (BitWidth(type) - IsSignedInteger(type))) - 1; }

uint64_t ConvertReference(DType to, DType from, uint64_t bits) {
  if (IsFloat(from)) {
    const long double value = FloatValue(from, bits);
    if (IsBool(to)) return value != 0;
    if (IsFloat(to)) return RoundReference(to, value);
    if (std::isnan(value)) return 0;
    const long double whole = std::trunc(value);
    if (whole <= static_cast<long double>(MinOf(to))) return IntBits(to, MinOf(to));
    if (whole >= static_cast<long double>(MaxOf(to))) return IntBits(to, MaxOf(to));
    return IntBits(to, static_cast<Int128>(whole));
  }
  const Int128 value = IsBool(from) ? static_cast<Int128>(bits) : IntValue(from, bits);
  if (IsBool(to)) return value != 0;
  if (IsFloat(to)) return RoundReference(to, static_cast<long double>(value));
  return IntBits(to, value);
}

uint64_t IntReference(const Instr& instr, DType type, const uint64_t* bits, bool* failed) {
  const Int128 a = IntValue(type, bits[0]);
  const Int128 b = NumArgs(instr.prim) > 1 ? IntValue(type, bits[1]) : 0;
  const int width = BitWidth(type);
  const uint64_t count = NumArgs(instr.prim) > 1 ? bits[1] : 0;
  switch (instr.prim) {
    case Prim::kAdd:
      return IntBits(type, a + b);
    case Prim::kSub:
      return IntBits(type, a - b);
    case Prim::kMul:  // of the operands modulo 2^64, since 128 bits do not hold every product of two u64
      return IntBits(type, static_cast<Int128>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)));
    case Prim::kDiv:
    case Prim::kRem:
      if (b == 0) *failed = true;
      if (b == 0) return 0;
      return IntBits(type, instr.prim == Prim::kDiv ? a / b : a % b);
    case Prim::kNeg:
      return IntBits(type, -a);
    case Prim::kAbs:
      return IntBits(type, a < 0 ? -a : a);
    case Prim::kMin:
      return IntBits(type, std::min(a, b));
    case Prim::kMax:
      return IntBits(type, std::max(a, b));
    case Prim::kAnd:
      return IntBits(type, a & b);
    case Prim::kOr:
      return IntBits(type, a | b);
    case Prim::kXor:
      return IntBits(type, a ^ b);
    case Prim::kNot:
      return IntBits(type, ~a);
    case Prim::kShl:
      return count >= static_cast<uint64_t>(width) ? 0 : IntBits(type, a * (Int128{1} << count));
    case Prim::kShr:
      return IntBits(type, a >> std::min<uint64_t>(count, 127));
    case Prim::kEq:
      return a == b;
    case Prim::kNe:
      return a != b;
    case Prim::kLt:
      return a < b;
    case Prim::kLe:
      return a <= b;
    default:
      std::abort();
  }
}

template <class T>
T NearestEven(T x) {
  const T below = std::floor(x);
  const T distance = x - below;
  if (distance < T{0.5}) return std::copysign(below, x);
  if (distance > T{0.5}) return std::copysign(below + 1, x);
  return std::copysign(std::fmod(below, T{2}) == 0 ? below : below + 1, x);
}

template <class T, class Bits>
uint64_t FloatReference(const Instr& instr, const uint64_t* bits) {
  T v[3] = {};
  for (int i = 0; i < NumArgs(instr.prim); ++i) v[i] = std::bit_cast<T>(static_cast<Bits>(bits[i]));
  const auto [a, b, c] = v;
  const auto give = [](T value) -> uint64_t { return std::bit_cast<Bits>(value); };
  const Bits sign = Bits{1} << (8 * sizeof(T) - 1);
  switch (instr.prim) {
    case Prim::kAdd:
      return give(a + b);
    case Prim::kSub:
      return give(a - b);
    case Prim::kMul:
      return give(a * b);
    case Prim::kDiv:
      return give(a / b);
    case Prim::kFma:
      return give(std::fma(a, b, c));
    case Prim::kNeg:
      return bits[0] ^ sign;
    case Prim::kAbs:
      return bits[0] & ~sign;
    case Prim::kMin:
      if (std::isnan(a) || std::isnan(b)) return give(std::numeric_limits<T>::quiet_NaN());
      if (a == 0 && b == 0) return give(std::signbit(a) ? a : b);
      return give(std::min(a, b));
    case Prim::kMax:
      if (std::isnan(a) || std::isnan(b)) return give(std::numeric_limits<T>::quiet_NaN());
      if (a == 0 && b == 0) return give(std::signbit(a) ? b : a);
      return give(std::max(a, b));
    case Prim::kSqrt:
      return give(std::sqrt(a));
    case Prim::kFloor:
      return give(std::floor(a));
    case Prim::kCeil:
      return give(std::ceil(a));
    case Prim::kTrunc:
      return give(std::trunc(a));
    case Prim::kRoundEven:
      return give(std::isfinite(a) ? NearestEven(a) : a);
    case Prim::kEq:
      return a == b;
    case Prim::kNe:
      return !(a == b);
    case Prim::kLt:
      return a < b;
    case Prim::kLe:
      return a <= b;
    default:
      std::abort();
  }
}

uint64_t BoolReference(const Instr& instr, const uint64_t* bits) {
  switch (instr.prim) {
    case Prim::kAnd:
      return bits[0] && bits[1];
    case Prim::kOr:
      return bits[0] || bits[1];
    case Prim::kXor:
      return bits[0] != bits[1];
    case Prim::kNot:
      return !bits[0];
    default:
      std::abort();
  }
}

}  // namespace

uint64_t RoundReference(DType type, long double value) {
  const FloatFormat f = FormatOf(type);
  const int fraction_bits = f.precision - 1;
  const uint64_t sign = std::signbit(value) ? uint64_t{1} << (BitWidth(type) - 1) : 0;
  const uint64_t infinity = ((uint64_t{1} << f.exponent_bits) - 1) << fraction_bits;
  if (std::isnan(value)) return infinity | (uint64_t{1} << (fraction_bits - 1));
  const long double magnitude = std::fabs(value);
  if (std::isinf(magnitude)) return sign | infinity;
  if (magnitude == 0) return sign;
  // In units of the last place the rounding is to an integer.
  const int exponent = std::max(std::ilogb(magnitude), f.min_exponent);
  const long double rounded = std::rint(std::ldexp(magnitude, fraction_bits - exponent));
  if (std::ldexp(rounded, exponent - fraction_bits) >= std::ldexp(1.0L, f.max_exponent + 1)) {
    return sign | infinity;
  }
  // A carry out of the fraction increments the exponent; a missing hidden bit makes it that of a subnormal.
  const uint64_t biased = static_cast<uint64_t>(exponent - f.min_exponent);
  return sign | ((biased << fraction_bits) + static_cast<uint64_t>(rounded));
}

ReferenceResult EvaluateReference(const ScalarProgram& program, std::span<const uint64_t> inputs) {
  ReferenceResult result;
  std::vector<uint64_t> values(program.instrs.size());
  for (size_t i = 0; i < program.instrs.size(); ++i) {
    const Instr& instr = program.instrs[i];
    uint64_t bits[3] = {};
    for (int a = 0; a < NumArgs(instr.prim); ++a) bits[a] = values[instr.args[a]];
    const DType arg_type = NumArgs(instr.prim) > 0 ? program.instrs[instr.args[0]].type : instr.type;
    switch (instr.prim) {
      case Prim::kInput:
        values[i] = inputs[instr.bits];
        break;
      case Prim::kConst:
        values[i] = instr.bits;
        break;
      case Prim::kSelect:
        values[i] = bits[0] != 0 ? bits[1] : bits[2];
        break;
      case Prim::kBitcast:
        values[i] = bits[0];
        break;
      case Prim::kConvert:
        values[i] = ConvertReference(instr.type, arg_type, bits[0]);
        break;
      default:
        if (IsBool(arg_type)) {
          values[i] = BoolReference(instr, bits);
        } else if (arg_type == DType::kF32) {
          values[i] = FloatReference<float, uint32_t>(instr, bits);
        } else if (arg_type == DType::kF64) {
          values[i] = FloatReference<double, uint64_t>(instr, bits);
        } else {
          values[i] = IntReference(instr, arg_type, bits, &result.failed);
        }
    }
  }
  for (int32_t output : program.outputs) result.outputs.push_back(values[output]);
  return result;
}

bool IsNanBits(DType type, uint64_t bits) { return IsFloat(type) && std::isnan(FloatValue(type, bits)); }

bool SameValue(DType type, uint64_t a, uint64_t b) {
  return a == b || (IsNanBits(type, a) && IsNanBits(type, b));
}

BlockResult RunBlocks(const BlockInterpreter& interpreter, const ScalarProgram& program,
                      const std::vector<std::vector<uint64_t>>& inputs, const std::vector<bool>& is_uniform,
                      int64_t count) {
  // Storage of exactly the promised size, so that the sanitizer sees any access beyond it.
  constexpr size_t kBlockBytes = BlockInterpreter::kBlock * sizeof(uint64_t);
  const auto allocate = [](size_t bytes) {
    return std::unique_ptr<void, decltype(&std::free)>(std::aligned_alloc(64, (bytes + 63) / 64 * 64),
                                                       &std::free);
  };
  std::vector<std::unique_ptr<void, decltype(&std::free)>> buffers;
  std::vector<const void*> input_pointers;
  std::vector<void*> output_pointers;
  const auto uniform = std::make_unique<bool[]>(inputs.size() + 1);
  for (size_t i = 0; i < inputs.size(); ++i) {
    buffers.push_back(allocate(kBlockBytes));
    std::memset(buffers.back().get(), 0, kBlockBytes);
    input_pointers.push_back(buffers.back().get());
    uniform[i] = is_uniform[i];
  }
  for (size_t o = 0; o < program.outputs.size(); ++o) {
    buffers.push_back(allocate(kBlockBytes));
    output_pointers.push_back(buffers.back().get());
  }
  const auto workspace = allocate(interpreter.WorkspaceBytes());

  BlockResult result;
  result.outputs.resize(program.outputs.size());
  for (int64_t begin = 0; begin < count; begin += BlockInterpreter::kBlock) {
    const int n = static_cast<int>(std::min<int64_t>(BlockInterpreter::kBlock, count - begin));
    for (size_t i = 0; i < inputs.size(); ++i) {
      const size_t size = SizeOf(program.inputs[i]);
      char* to = static_cast<char*>(const_cast<void*>(input_pointers[i]));
      const int elements = is_uniform[i] ? 1 : n;
      for (int e = 0; e < elements; ++e) {
        std::memcpy(to + e * size, &inputs[i][is_uniform[i] ? 0 : begin + e], size);
      }
    }
    const int error =
        interpreter.RunBlock(input_pointers, std::span<const bool>(uniform.get(), inputs.size()),
                             output_pointers, n, workspace.get());
    if (error >= 0 && result.first_error < 0) result.first_error = begin + error;
    for (size_t o = 0; o < output_pointers.size(); ++o) {
      const size_t size = SizeOf(program.output_type(static_cast<int>(o)));
      for (int e = 0; e < n; ++e) {
        uint64_t bits = 0;
        std::memcpy(&bits, static_cast<const char*>(output_pointers[o]) + e * size, size);
        result.outputs[o].push_back(bits);
      }
    }
  }
  return result;
}

std::vector<IsaLevel> TestedLevels() {
  std::vector<IsaLevel> levels;
  for (IsaLevel level : {IsaLevel::kBaseline, IsaLevel::kAvx2, IsaLevel::kAvx512}) {
    if (level <= HostIsaLevel()) levels.push_back(level);
  }
  return levels;
}

std::vector<uint64_t> SpecialValues(DType type) {
  std::vector<uint64_t> values;
  const auto add = [&](uint64_t bits) {
    if (std::find(values.begin(), values.end(), bits) == values.end()) values.push_back(bits);
  };
  if (IsBool(type)) return {0, 1};
  if (IsInteger(type)) {
    for (int v : {0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 63, 64, 65, 100, 127}) {
      add(IntBits(type, v));
      add(IntBits(type, -v));
    }
    for (Int128 limit : {MinOf(type), MaxOf(type), MaxOf(type) / 2}) {
      for (int d : {-2, -1, 0, 1}) add(IntBits(type, limit + d));
    }
    // Where f32, f64 and bf16 stop being exact, and halfway cases beyond.
    for (int shift : {8, 9, 17, 24, 25, 53, 54, 55, 62}) {
      for (int d : {-1, 0, 1}) add(IntBits(type, (Int128{1} << shift) + d));
      add(IntBits(type, (Int128{1} << shift) + (Int128{1} << (shift / 2))));
    }
    return values;
  }
  const FloatFormat f = FormatOf(type);
  const uint64_t sign = uint64_t{1} << (BitWidth(type) - 1);
  const uint64_t infinity = ((uint64_t{1} << f.exponent_bits) - 1) << (f.precision - 1);
  const uint64_t smallest_normal = uint64_t{1} << (f.precision - 1);
  std::vector<uint64_t> positive = {0,
                                    1,
                                    2,
                                    smallest_normal - 1,
                                    smallest_normal,
                                    smallest_normal + 1,
                                    infinity - 1,
                                    infinity,
                                    infinity | (smallest_normal >> 1)};
  for (long double v :
       {0.25L, 0.5L,   0.75L, 1.0L,   1.5L,      2.0L,      2.5L,       3.0L,     3.5L,     10.0L,   100.5L,
        1e-3L, 1e-30L, 1e30L, 1e300L, 0x1p-149L, 0x1p-150L, 0x1.8p-25L, 65504.0L, 65519.0L, 65520.0L}) {
    positive.push_back(RoundReference(type, v));
  }
  for (int bits : {7, 8, 15, 16, 23, 24, 31, 32, 52, 53, 63, 64}) {
    const uint64_t power = RoundReference(type, std::ldexp(1.0L, bits));
    for (int d : {-1, 0, 1}) positive.push_back(power + d);
    positive.push_back(RoundReference(type, std::ldexp(1.0L, bits) + 0.5L));
    positive.push_back(RoundReference(type, std::ldexp(1.0L, bits) - 0.5L));
  }
  for (uint64_t bits : positive) {
    add(bits);
    add(bits | sign);
  }
  return values;
}

uint64_t Random::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t Random::Value(DType type) {
  if (IsBool(type)) return Next() & 1;
  switch (Below(4)) {
    case 0: {
      const std::vector<uint64_t> values = SpecialValues(type);
      return values[Below(static_cast<int>(values.size()))];
    }
    case 1: {
      const int small = Below(65) - 32;
      return IsFloat(type) ? RoundReference(type, small / 8.0L) : IntBits(type, small);
    }
    default:
      return IntBits(BitsType(type), static_cast<Int128>(Next()));
  }
}

}  // namespace tenfold::testing
