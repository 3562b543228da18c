// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/graph/fused/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace tenfold {
namespace {

template <typename T>
T FromBits(uint64_t bits) {
  T value;
  std::memcpy(static_cast<void*>(&value), &bits, sizeof(T));
  return value;
}

template <typename T>
uint64_t ToBits(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <typename T>
T FloatArithmetic(Prim prim, T a, T b, T c) {
  switch (prim) {
    case Prim::kAdd:
      return a + b;
    case Prim::kSub:
      return a - b;
    case Prim::kMul:
      return a * b;
    case Prim::kDiv:
      return a / b;
    case Prim::kFma:
      return std::fma(a, b, c);
    case Prim::kNeg:
      return -a;
    case Prim::kAbs:
      return std::fabs(a);
    case Prim::kSqrt:
      return std::sqrt(a);
    case Prim::kMin:
      if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
      return a == b ? (std::signbit(a) ? a : b) : std::min(a, b);
    case Prim::kMax:
      if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
      return a == b ? (std::signbit(a) ? b : a) : std::max(a, b);
    default:
      std::abort();  // the reference lacks a primitive that the test uses
  }
}

template <typename T>
T IntegerArithmetic(Prim prim, T a, T b, bool& failed) {
  using U = uint64_t;
  switch (prim) {
    case Prim::kAdd:
      return static_cast<T>(U(a) + U(b));
    case Prim::kSub:
      return static_cast<T>(U(a) - U(b));
    case Prim::kMul:
      return static_cast<T>(U(a) * U(b));
    case Prim::kDiv:
    case Prim::kRem:
      if (b == 0) {
        failed = true;
        return 0;
      }
      if (std::is_signed_v<T> && b == static_cast<T>(-1)) {
        return prim == Prim::kDiv ? static_cast<T>(0 - U(a)) : T{0};
      }
      return static_cast<T>(prim == Prim::kDiv ? a / b : a % b);
    case Prim::kMin:
      return std::min(a, b);
    case Prim::kMax:
      return std::max(a, b);
    case Prim::kAnd:
      return static_cast<T>(a & b);
    case Prim::kOr:
      return static_cast<T>(a | b);
    case Prim::kXor:
      return static_cast<T>(a ^ b);
    default:
      std::abort();
  }
}

double AsDouble(DType type, uint64_t bits) {
  return VisitComputed(type, [bits]<typename T>(std::type_identity<T>) -> double {
    const T value = FromBits<T>(bits);
    if constexpr (std::is_arithmetic_v<T>)
      return static_cast<double>(value);
    else
      return ToFloat(value);
  });
}

// To floats from anything of at most 53 significant bits, and between integers.
uint64_t Convert(DType from, DType to, uint64_t bits) {
  if (IsFloat(to)) {
    const double d = AsDouble(from, bits);
    switch (to) {
      case DType::kF16:
        return ToF16(d).bits;
      case DType::kBF16:
        return ToBF16(d).bits;
      case DType::kF32:
        return ToBits(static_cast<float>(d));
      default:
        return ToBits(d);
    }
  }
  if (IsFloat(from)) std::abort();
  const int64_t value = VisitComputed(from, [bits]<typename T>(std::type_identity<T>) -> int64_t {
    if constexpr (std::is_integral_v<T>)
      return static_cast<int64_t>(FromBits<T>(bits));
    else
      return 0;
  });
  return VisitComputed(to, [value]<typename T>(std::type_identity<T>) -> uint64_t {
    if constexpr (std::is_same_v<T, bool>)
      return value != 0;
    else if constexpr (std::is_integral_v<T>)
      return ToBits(static_cast<T>(value));
    else
      return 0;
  });
}

uint64_t Compare(Prim prim, DType type, uint64_t a, uint64_t b) {
  return VisitComputed(type, [&]<typename T>(std::type_identity<T>) -> uint64_t {
    if constexpr (std::is_arithmetic_v<T>) {
      const T x = FromBits<T>(a), y = FromBits<T>(b);
      switch (prim) {
        case Prim::kEq:
          return x == y;
        case Prim::kNe:
          return x != y;
        case Prim::kLt:
          return x < y;
        default:
          return x <= y;
      }
    } else {
      std::abort();
    }
  });
}

}  // namespace

std::vector<uint64_t> EvaluateScalar(const ScalarProgram& program, std::span<const uint64_t> inputs,
                                     bool& failed) {
  std::vector<uint64_t> values;
  for (const Instr& instr : program.instrs) {
    const auto arg = [&](int i) { return values[instr.args[i]]; };
    const auto arg_type = [&](int i) { return program.instrs[instr.args[i]].type; };
    const int num_args = NumArgs(instr.prim);
    const uint64_t a = num_args > 0 ? arg(0) : 0, b = num_args > 1 ? arg(1) : 0,
                   c = num_args > 2 ? arg(2) : 0;
    switch (instr.prim) {
      case Prim::kInput:
        values.push_back(inputs[instr.bits]);
        break;
      case Prim::kConst:
        values.push_back(instr.bits);
        break;
      case Prim::kSelect:
        values.push_back(a != 0 ? b : c);
        break;
      case Prim::kConvert:
        values.push_back(Convert(arg_type(0), instr.type, a));
        break;
      case Prim::kEq:
      case Prim::kNe:
      case Prim::kLt:
      case Prim::kLe:
        values.push_back(Compare(instr.prim, arg_type(0), a, b));
        break;
      default:
        values.push_back(VisitComputed(instr.type, [&]<typename T>(std::type_identity<T>) -> uint64_t {
          if constexpr (std::is_floating_point_v<T>) {
            return ToBits(FloatArithmetic<T>(instr.prim, FromBits<T>(a), FromBits<T>(b), FromBits<T>(c)));
          } else if constexpr (std::is_integral_v<T>) {
            return ToBits(IntegerArithmetic<T>(instr.prim, FromBits<T>(a), FromBits<T>(b), failed));
          } else {
            std::abort();
          }
        }));
    }
  }
  std::vector<uint64_t> outputs;
  for (int32_t o : program.outputs) outputs.push_back(values[o]);
  return outputs;
}

namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;

uint64_t Combine(const Stage& stage, uint64_t accumulator, uint64_t value) {
  bool failed = false;
  const uint64_t inputs[] = {accumulator, value};
  return EvaluateScalar(stage.combine, inputs, failed)[0];
}

// Steps 1 to 5 of fused_kernel.h.
uint64_t Reduce(const Stage& stage, const std::vector<uint64_t>& elements) {
  std::vector<uint64_t> level;
  for (size_t begin = 0; begin < elements.size(); begin += kReduceChunk) {
    const size_t end = std::min(elements.size(), begin + kReduceChunk);
    std::vector<uint64_t> acc(kReduceLanes, stage.identity);
    for (size_t i = begin; i < end; ++i) {
      uint64_t& lane = acc[(i - begin) % kReduceLanes];
      lane = Combine(stage, lane, elements[i]);
    }
    for (int h = kReduceLanes / 2; h > 0; h /= 2) {
      for (int j = 0; j < h; ++j) acc[j] = Combine(stage, acc[j], acc[j + h]);
    }
    level.push_back(acc[0]);
  }
  if (level.empty()) return stage.empty;
  while (level.size() > 1) {
    std::vector<uint64_t> next;
    for (size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(Combine(stage, level[i], level[i + 1]));
    if (level.size() % 2 == 1) next.push_back(level.back());
    level = next;
  }
  return level[0];
}

int64_t Product(std::span<const int64_t> extents) {
  int64_t product = 1;
  for (int64_t e : extents) product *= e;
  return product;
}

class Reference {
 public:
  Reference(const FusedKernel& kernel, std::span<const int64_t> dims, const std::vector<const void*>& inputs,
            const std::vector<void*>& outputs, KernelError& error)
      : kernel_(kernel), dims_(dims), inputs_(inputs), outputs_(outputs), error_(error) {}

  void Run() {
    const int64_t rows = Product(dims_.subspan(0, kernel_.parallel_rank));
    row_length_ = Product(dims_.subspan(kernel_.parallel_rank, kernel_.reduced_rank()));
    for (int64_t row = 0; row < rows; ++row) RunRow(row);
  }

 private:
  // Of the point with that number in the iteration space.
  int64_t Offset(int operand, int64_t point) const {
    int64_t offset = 0;
    for (int d = kernel_.rank() - 1; d >= 0; --d) {
      offset += point % dims_[d] * dims_[kernel_.rank() * (1 + operand) + d];
      point /= dims_[d];
    }
    return offset;
  }

  // An operand with one value a row has stride 0 in the reduced dims, which may be empty.
  int64_t RowOffset(int operand, int64_t row) const {
    int64_t offset = 0;
    for (int d = kernel_.parallel_rank - 1; d >= 0; --d) {
      offset += row % dims_[d] * dims_[kernel_.rank() * (1 + operand) + d];
      row /= dims_[d];
    }
    return offset;
  }

  uint64_t Value(const Source& source, int64_t row, int64_t i) const {
    if (source.kind == Source::kInput) {
      const size_t size = SizeOf(kernel_.inputs[source.index].dtype);
      const int64_t offset = kernel_.IsPerRow(source) ? RowOffset(source.index, row)
                                                      : Offset(source.index, row * row_length_ + i);
      uint64_t bits = 0;
      std::memcpy(&bits, static_cast<const char*>(inputs_[source.index]) + offset * size, size);
      return bits;
    }
    const std::vector<uint64_t>& values = values_[source.index][source.output];
    return kernel_.IsPerRow(source) ? values[0] : values[i];
  }

  void RunRow(int64_t row) {
    values_.assign(kernel_.stages.size(), {});
    for (size_t s = 0; s < kernel_.stages.size(); ++s) {
      const Stage& stage = kernel_.stages[s];
      values_[s].resize(stage.program.outputs.size());
      for (int64_t i = 0; i < (stage.per_row ? 1 : row_length_); ++i) {
        std::vector<uint64_t> args;
        for (const Source& source : stage.inputs) args.push_back(Value(source, row, i));
        bool failed = false;
        const std::vector<uint64_t> results = EvaluateScalar(stage.program, args, failed);
        for (size_t k = 0; k < results.size(); ++k) values_[s][k].push_back(results[k]);
        const int64_t index = row * row_length_ + i;
        if (failed && index < error_.index) error_ = {index, kIntegerDivisionByZero, 0};
      }
      if (stage.kind == Stage::kReduce) values_[s][0] = {Reduce(stage, values_[s][0])};
    }
    for (size_t o = 0; o < kernel_.outputs.size(); ++o) {
      const FusedKernel::Output& output = kernel_.outputs[o];
      const int operand = static_cast<int>(kernel_.inputs.size() + o);
      const size_t size = SizeOf(output.operand.dtype);
      const bool per_row = kernel_.IsPerRow(output.source);
      for (int64_t i = 0; i < (per_row ? 1 : row_length_); ++i) {
        const int64_t offset = per_row ? RowOffset(operand, row) : Offset(operand, row * row_length_ + i);
        const uint64_t bits = Value(output.source, row, i);
        std::memcpy(static_cast<char*>(outputs_[o]) + offset * size, &bits, size);
      }
    }
  }

  const FusedKernel& kernel_;
  std::span<const int64_t> dims_;
  const std::vector<const void*>& inputs_;
  const std::vector<void*>& outputs_;
  KernelError& error_;
  int64_t row_length_ = 1;
  std::vector<std::vector<std::vector<uint64_t>>> values_;  // of each stage's outputs in this row
};

}  // namespace

void RunReference(const FusedKernel& kernel, std::span<const int64_t> dims,
                  const std::vector<const void*>& inputs, const std::vector<void*>& outputs,
                  KernelError& error) {
  Reference(kernel, dims, inputs, outputs, error).Run();
}

}  // namespace tenfold
