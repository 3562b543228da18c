// SPDX-License-Identifier: Apache-2.0
#include "tenfold/tests/kernels/cuda/kernel_cases.h"

#include <bit>
#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/scalar/math.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold::testing {
namespace {

using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;
using Scalars = std::vector<Scalar>;
using Formula = std::function<Scalars(std::span<const Scalar>)>;

const Dim kN = Dim::Symbol("N");
const Dim kM = Dim::Symbol("M");

Source In(int i) { return {Source::kInput, i, 0}; }
Source Out(int stage, int output = 0) { return {Source::kStage, stage, output}; }

Stage Map(std::vector<DType> types, std::vector<Source> inputs, const Formula& formula) {
  Stage stage;
  stage.program = ScalarBuilder::Record(types, formula);
  stage.inputs = std::move(inputs);
  return stage;
}

Stage PerRow(Stage stage) {
  stage.per_row = true;
  return stage;
}

struct Monoid {
  std::function<Scalar(Scalar, Scalar)> combine;
  uint64_t identity, empty;
};

Stage Reduce(DType type, Source input, const Monoid& monoid, const Formula& value = nullptr) {
  const std::vector<DType> one = {type}, two = {type, type};
  Stage stage;
  stage.kind = Stage::kReduce;
  stage.program = ScalarBuilder::Record(
      one, value != nullptr ? value : [](std::span<const Scalar> in) { return Scalars{in[0]}; });
  stage.inputs = {input};
  stage.combine = ScalarBuilder::Record(
      two, [&](std::span<const Scalar> in) { return Scalars{monoid.combine(in[0], in[1])}; });
  stage.identity = monoid.identity;
  stage.empty = monoid.empty;
  return stage;
}

Scalar AddOf(Scalar a, Scalar b) { return a + b; }
const Monoid kSumF32 = {AddOf, 0x80000000, 0};
const Monoid kSumF64 = {AddOf, uint64_t{1} << 63, 0};
const Monoid kSumInt = {AddOf, 0, 0};
const Monoid kMaxF32 = {[](Scalar a, Scalar b) { return Max(a, b); }, 0xff800000, 0xff800000};
const Monoid kMinF64 = {[](Scalar a, Scalar b) { return Min(a, b); }, 0x7ff0000000000000, 0x7ff0000000000000};
const Monoid kMinI8 = {[](Scalar a, Scalar b) { return Min(a, b); }, 127, 127};
const Monoid kAny = {[](Scalar a, Scalar b) { return a | b; }, 0, 0};
const Monoid kProductF32 = {[](Scalar a, Scalar b) { return a * b; }, 0x3f800000, 0x3f800000};

// Builds a case operand by operand.
class CaseBuilder {
 public:
  CaseBuilder(std::string name, std::vector<Dim> parallel, std::vector<Dim> reduced = {}) {
    c_.kernel.name = std::move(name);
    c_.kernel.parallel_rank = static_cast<int>(parallel.size());
    c_.kernel.extents = std::move(parallel);
    c_.kernel.extents.insert(c_.kernel.extents.end(), reduced.begin(), reduced.end());
  }
  CaseBuilder& Symbols(SymbolValues symbols) {
    c_.symbols = std::move(symbols);
    return *this;
  }
  CaseBuilder& Wild() {
    c_.wild = true;
    return *this;
  }
  CaseBuilder& Input(DType type, std::vector<Dim> strides, std::vector<Dim> shape) {
    c_.kernel.inputs.push_back({type, std::move(strides)});
    c_.input_dims.push_back(*Shape(std::move(shape)).Evaluate(c_.symbols));
    return *this;
  }
  // Row-major over the whole iteration space.
  CaseBuilder& DenseInput(DType type) {
    return Input(type, RowMajorStrides(c_.kernel.extents), c_.kernel.extents);
  }
  CaseBuilder& Add(Stage stage) {
    c_.kernel.stages.push_back(std::move(stage));
    return *this;
  }
  // Row-major: over the parallel dims for a value a row, else over all.
  CaseBuilder& Output(Source source) {
    const bool per_row = c_.kernel.IsPerRow(source);
    std::vector<Dim> extents = c_.kernel.extents;
    if (per_row) extents.resize(c_.kernel.parallel_rank);
    std::vector<Dim> strides = RowMajorStrides(extents);
    strides.resize(c_.kernel.rank(), Dim(0));
    const DType type = c_.kernel.SourceType(source);
    c_.kernel.outputs.push_back({{type, std::move(strides)}, source, IsFloat(type)});
    c_.output_dims.push_back(*Shape(std::move(extents)).Evaluate(c_.symbols));
    return *this;
  }
  KernelCase Build() { return std::move(c_); }

 private:
  KernelCase c_;
};

// All outputs of one formula over dense inputs of `types`, N elements.
KernelCase Elementwise(std::string name, const std::vector<DType>& types, const Formula& formula) {
  CaseBuilder builder(std::move(name), {kN});
  builder.Symbols({{"N", 1000}}).Wild();
  std::vector<Source> inputs;
  for (const DType type : types) {
    inputs.push_back(In(static_cast<int>(inputs.size())));
    builder.DenseInput(type);
  }
  Stage stage = Map(types, inputs, formula);
  const int outputs = static_cast<int>(stage.program.outputs.size());
  builder.Add(std::move(stage));
  for (int o = 0; o < outputs; ++o) builder.Output(Out(0, o));
  return builder.Build();
}

Scalars ArithmeticOf(std::span<const Scalar> in) {
  const Scalar a = in[0], b = in[1], c = in[2];
  Scalars all = {a + b,     a - b,  a * b,  -a,    Abs(a), Min(a, b),
                 Max(a, b), a == b, a != b, a < b, a <= b, Select(b < c, a, c),
                 a * b + c};
  if (IsFloat(a.type())) {
    for (const Scalar extra : {a / b, Fma(a, b, c), Sqrt(a), Floor(a), Ceil(a), Trunc(a), RoundEven(a)}) {
      all.push_back(extra);
    }
  } else {
    for (const Scalar extra : {a & b, a | b, a ^ b, ~a, Shl(a, b), Shr(a, b), a << 3, a >> 3}) {
      all.push_back(extra);
    }
  }
  return all;
}

// ---- Values.

// xorshift: the same bits on every machine.
class Bits {
 public:
  uint64_t Next() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ * 0x2545f4914f6cdd1d;
  }

 private:
  uint64_t state_ = 0x9e3779b97f4a7c15;
};

constexpr double kSpecials[] = {0.0,
                                -0.0,
                                1,
                                -1,
                                0.5,
                                -0.5,
                                1.5,
                                2.5,
                                -2.5,
                                127.5,
                                128,
                                -128.9,
                                255.5,
                                256,
                                32767.9,
                                65504,
                                65519.9,
                                65520,
                                65536,
                                1e-45,
                                -1e-40,
                                1e-8,
                                6e-8,
                                3.4028236e38,
                                2147483648.0,
                                -2147483649.0,
                                4294967296.0,
                                9223372036854775808.0,
                                1e19,
                                -1e19,
                                1.8446744073709552e19,
                                5e-324,
                                1.7976931348623157e308,
                                88.7,
                                -104,
                                0.1,
                                3.14159};

template <typename T>
T Element(Bits& bits, bool wild, int64_t i) {
  const uint64_t random = bits.Next();
  if constexpr (std::is_same_v<T, bool>) {
    return (random & 1) != 0;
  } else if constexpr (std::is_integral_v<T>) {
    if (!wild) return static_cast<T>(1 + (random >> 33) % 100);
    constexpr T kEdges[] = {0,
                            1,
                            static_cast<T>(-1),
                            std::numeric_limits<T>::min(),
                            std::numeric_limits<T>::max(),
                            2,
                            7,
                            8,
                            31,
                            32,
                            63,
                            64};
    return i % 2 == 0 ? static_cast<T>(random) : kEdges[(random >> 20) % std::size(kEdges)];
  } else {
    double value = static_cast<double>(static_cast<int64_t>(random)) * 0x1p-61;  // [-4, 4)
    if (wild) {
      switch (i % 4) {
        case 0:  // any bits, NaNs among them
          if constexpr (std::is_same_v<T, float>) return std::bit_cast<float>(static_cast<uint32_t>(random));
          if constexpr (std::is_same_v<T, double>) return std::bit_cast<double>(random);
          break;
        case 1:
          value = kSpecials[(random >> 20) % std::size(kSpecials)];
          break;
        case 2:
          value = (random >> 40) % 3 == 0   ? std::numeric_limits<double>::infinity()
                  : (random >> 40) % 3 == 1 ? -std::numeric_limits<double>::infinity()
                                            : std::numeric_limits<double>::quiet_NaN();
          break;
        default:
          break;
      }
    }
    if constexpr (std::is_same_v<T, F16>)
      return wild && i % 4 == 0 ? F16{static_cast<uint16_t>(random)} : ToF16(value);
    else if constexpr (std::is_same_v<T, BF16>)
      return wild && i % 4 == 0 ? BF16{static_cast<uint16_t>(random)} : ToBF16(value);
    else
      return static_cast<T>(value);
  }
}

}  // namespace

std::vector<KernelCase> PrimitiveCases() {
  std::vector<KernelCase> cases;
  for (const DType t : kComputedDTypes) {
    const std::string name(Name(t).data(), Name(t).size());
    if (IsBool(t)) {
      cases.push_back(Elementwise("bitwise_bool", {t, t, t}, [](std::span<const Scalar> in) {
        return Scalars{in[0] & in[1], in[0] | in[1], in[0] ^ in[1], ~in[0], Select(in[0], in[1], in[2])};
      }));
    } else if (!IsHalf(t)) {
      cases.push_back(Elementwise("arithmetic_" + name, {t, t, t}, ArithmeticOf));
    } else {
      cases.push_back(Elementwise("select_" + name, {t, t, DType::kBool}, [](std::span<const Scalar> in) {
        return Scalars{Select(in[2], in[0], in[1])};
      }));
    }
    if (IsInteger(t)) {
      cases.push_back(Elementwise("divide_" + name, {t, t}, [](std::span<const Scalar> in) {
        return Scalars{in[0] / in[1], in[0] % in[1], in[0] / Like(in[0], 7), in[0] % Like(in[0], 7)};
      }));
    }
    cases.push_back(Elementwise("convert_" + name, {t}, [](std::span<const Scalar> in) {
      Scalars all;
      for (const DType to : kComputedDTypes) all.push_back(Convert(in[0], to));
      return all;
    }));
    if (IsBool(t)) continue;
    cases.push_back(Elementwise("bitcast_" + name, {BitsType(t)}, [t](std::span<const Scalar> in) {
      Scalars all;
      for (const DType to : kComputedDTypes) {
        if (!IsBool(to) && SizeOf(to) == SizeOf(t)) all.push_back(Bitcast(Bitcast(in[0], t), to));
      }
      return all;
    }));
  }
  return cases;
}

std::vector<KernelCase> MapCases() {
  const DType f32 = DType::kF32, i32 = DType::kI32;
  const auto add = [](std::span<const Scalar> in) { return Scalars{in[0] + in[1]}; };
  const auto times_two = [](std::span<const Scalar> in) { return Scalars{in[0] * 2.0}; };
  std::vector<KernelCase> cases;
  cases.push_back(
      CaseBuilder("scalar", {}).DenseInput(f32).Add(Map({f32}, {In(0)}, times_two)).Output(Out(0)).Build());
  cases.push_back(CaseBuilder("empty", {kN, 3})
                      .Symbols({{"N", 0}})
                      .DenseInput(f32)
                      .Add(Map({f32}, {In(0)}, times_two))
                      .Output(Out(0))
                      .Build());
  // More elements than one pass of the grid on a small GPU.
  cases.push_back(CaseBuilder("long", {100003})
                      .DenseInput(f32)
                      .Add(Map({f32}, {In(0)}, times_two))
                      .Output(Out(0))
                      .Build());
  // A bias over the middle dim, a transposed operand, and a scalar.
  cases.push_back(CaseBuilder("broadcast", {kN, 5, kM})
                      .Symbols({{"N", 7}, {"M", 11}})
                      .Input(f32, {0, 1, 0}, {5})
                      .Input(f32, {1, kN, kN * 5}, {kM, 5, kN})
                      .Input(f32, {0, 0, 0}, {})
                      .Add(Map({f32, f32, f32}, {In(0), In(1), In(2)},
                               [](std::span<const Scalar> in) { return Scalars{(in[0] + in[1]) * in[2]}; }))
                      .Output(Out(0))
                      .Build());
  // A static shape: every index is a constant's multiple.
  cases.push_back(CaseBuilder("static_broadcast", {4, 6})
                      .Input(i32, {1, 0}, {4})
                      .Input(i32, {0, 1}, {6})
                      .Add(Map({i32, i32}, {In(0), In(1)}, add))
                      .Output(Out(0))
                      .Build());
  // Several stages and outputs, 16-bit storage around f32 arithmetic.
  cases.push_back(CaseBuilder("stages", {kN})
                      .Symbols({{"N", 777}})
                      .Wild()
                      .DenseInput(DType::kF16)
                      .DenseInput(DType::kBF16)
                      .Add(Map({DType::kF16, DType::kBF16}, {In(0), In(1)},
                               [](std::span<const Scalar> in) {
                                 return Scalars{Convert(in[0], DType::kF32), Convert(in[1], DType::kF32)};
                               }))
                      .Add(Map({f32, f32}, {Out(0, 0), Out(0, 1)}, add))
                      .Add(Map({f32}, {Out(1)},
                               [](std::span<const Scalar> in) {
                                 return Scalars{Convert(in[0], DType::kF16), Convert(in[0], DType::kBF16),
                                                in[0] < 0.0};
                               }))
                      .Output(Out(1))
                      .Output(Out(2, 0))
                      .Output(Out(2, 1))
                      .Output(Out(2, 2))
                      .Build());
  return cases;
}

std::vector<KernelCase> MathCases() {
  std::vector<KernelCase> cases;
  for (const DType t : {DType::kF32, DType::kF64}) {
    cases.push_back(Elementwise(
        absl::StrCat("math_", t == DType::kF32 ? "f32" : "f64"), {t}, [](std::span<const Scalar> in) {
          const Scalar x = in[0];
          return Scalars{math::Exp(x), math::Log(x), math::Tanh(x), math::Erf(x), math::Sigmoid(x)};
        }));
  }
  return cases;
}

namespace {

KernelCase SimpleReduction(std::string name, DType type, const Monoid& monoid, Dim n, int64_t value) {
  return CaseBuilder(absl::StrCat(name, "_", value), {3}, {std::move(n)})
      .Symbols({{"N", value}})
      .DenseInput(type)
      .Add(Reduce(type, In(0), monoid))
      .Output(Out(0))
      .Build();
}

KernelCase SoftmaxCase(int64_t n) {
  const DType f32 = DType::kF32;
  return CaseBuilder(absl::StrCat("softmax_", n), {kM}, {kN})
      .Symbols({{"M", 5}, {"N", n}})
      .DenseInput(f32)
      .Add(Reduce(f32, In(0), kMaxF32))
      .Add(Map({f32, f32}, {In(0), Out(0)},
               [](std::span<const Scalar> in) { return Scalars{math::Exp(in[0] - in[1])}; }))
      .Add(Reduce(f32, Out(1), kSumF32))
      .Add(Map({f32, f32}, {Out(1), Out(2)},
               [](std::span<const Scalar> in) { return Scalars{in[0] / in[1]}; }))
      .Output(Out(3))
      .Build();
}

KernelCase LayerNormCase(Dim n, int64_t value) {
  const DType f32 = DType::kF32;
  const auto scaled = [value](Scalar sum) { return sum / static_cast<double>(value); };
  return CaseBuilder(absl::StrCat("layer_norm_", value), {4}, {n})
      .Symbols({{"N", value}})
      .DenseInput(f32)
      .Input(f32, {0, 1}, {n})
      .Input(f32, {1, 0}, {4})
      .Add(Reduce(f32, In(0), kSumF32))
      .Add(PerRow(Map({f32}, {Out(0)}, [&](std::span<const Scalar> in) { return Scalars{scaled(in[0])}; })))
      .Add(
          Map({f32, f32}, {In(0), Out(1)}, [](std::span<const Scalar> in) { return Scalars{in[0] - in[1]}; }))
      .Add(Reduce(f32, Out(2), kSumF32, [](std::span<const Scalar> in) { return Scalars{in[0] * in[0]}; }))
      .Add(PerRow(Map({f32, f32}, {Out(3), In(2)},
                      [&](std::span<const Scalar> in) {
                        return Scalars{1.0 / Sqrt(scaled(in[0]) + 1e-5), in[1] + in[1]};
                      })))
      .Add(Map({f32, f32, f32, f32}, {Out(2), Out(4, 0), In(1), Out(4, 1)},
               [](std::span<const Scalar> in) { return Scalars{in[0] * in[1] * in[2] + in[3]}; }))
      .Output(Out(5))
      .Output(Out(1))
      .Output(Out(4, 0))
      .Build();
}

}  // namespace

std::vector<KernelCase> RowCases() {
  const DType f32 = DType::kF32, i32 = DType::kI32;
  std::vector<KernelCase> cases;
  // Around the widths of a warp, a block, a chunk, and numbers of chunks that are no power of two.
  for (const int64_t n : {0, 1, 5, 31, 33, 64, 65, 1000, 4096, 4097, 12289, 20480, 28673}) {
    cases.push_back(SimpleReduction("sum_f32", f32, kSumF32, kN, n));
  }
  cases.push_back(SimpleReduction("sum_f32_static", f32, kSumF32, 100, 100));
  cases.push_back(SimpleReduction("sum_f32_static", f32, kSumF32, 9000, 9000));
  cases.push_back(SimpleReduction("sum_f32_static", f32, kSumF32, 0, 0));
  cases.push_back(SimpleReduction("sum_f64", DType::kF64, kSumF64, kN, 9001));
  cases.push_back(SimpleReduction("sum_i32", i32, kSumInt, kN, 9001));
  cases.push_back(SimpleReduction("sum_i64", DType::kI64, kSumInt, kN, 9001));
  cases.push_back(SimpleReduction("sum_u16", DType::kU16, kSumInt, kN, 9001));
  cases.push_back(SimpleReduction("max_f32", f32, kMaxF32, kN, 5000));
  cases.push_back(SimpleReduction("min_f64", DType::kF64, kMinF64, kN, 5000));
  cases.push_back(SimpleReduction("min_i8", DType::kI8, kMinI8, kN, 5000));
  cases.push_back(SimpleReduction("any", DType::kBool, kAny, kN, 5000));
  cases.push_back(SimpleReduction("product_f32", f32, kProductF32, kN, 50));
  cases.push_back(SimpleReduction("max_f32_wild", f32, kMaxF32, kN, 3));
  cases.back().wild = true;
  cases.push_back(SimpleReduction("min_f64_wild", DType::kF64, kMinF64, kN, 3));
  cases.back().wild = true;
  for (const int64_t n : {0, 1, 70, 1000, 5000}) cases.push_back(SoftmaxCase(n));
  cases.push_back(LayerNormCase(kN, 768));
  cases.push_back(LayerNormCase(kN, 4500));
  cases.push_back(LayerNormCase(200, 200));

  // Two reductions in one loop, of the same elements.
  cases.push_back(
      CaseBuilder("moments", {2, 3}, {kN})
          .Symbols({{"N", 8200}})
          .DenseInput(f32)
          .Add(Reduce(f32, In(0), kSumF32))
          .Add(Reduce(f32, In(0), kSumF32, [](std::span<const Scalar> in) { return Scalars{in[0] * in[0]}; }))
          .Add(Reduce(f32, In(0), kMaxF32))
          .Output(Out(0))
          .Output(Out(1))
          .Output(Out(2))
          .Build());
  // The outer and the inner of three dims.
  cases.push_back(CaseBuilder("strided", {5}, {kN, kM})
                      .Symbols({{"N", 37}, {"M", 41}})
                      .Input(f32, {kM, kM * 5, 1}, {kN, 5, kM})
                      .Add(Reduce(f32, In(0), kSumF32))
                      .Output(Out(0))
                      .Build());
  // Everything is reduced.
  cases.push_back(CaseBuilder("to_scalar", {}, {kN, kM})
                      .Symbols({{"N", 100}, {"M", 101}})
                      .DenseInput(f32)
                      .Add(Reduce(f32, In(0), kSumF32))
                      .Output(Out(0))
                      .Build());
  // f16 in, f32 accumulators, f16 out; many rows.
  cases.push_back(
      CaseBuilder("sum_f16", {1500}, {kN})
          .Symbols({{"N", 130}})
          .DenseInput(DType::kF16)
          .Add(Map({DType::kF16}, {In(0)},
                   [](std::span<const Scalar> in) { return Scalars{Convert(in[0], DType::kF32)}; }))
          .Add(Reduce(f32, Out(0), kSumF32))
          .Add(PerRow(Map({f32}, {Out(1)},
                          [](std::span<const Scalar> in) { return Scalars{Convert(in[0], DType::kF16)}; })))
          .Output(Out(2))
          .Build());
  // Kept values of three widths, and a division that fails in some element.
  cases.push_back(CaseBuilder("failing_rows", {3}, {kN})
                      .Symbols({{"N", 100}})
                      .Wild()
                      .DenseInput(i32)
                      .DenseInput(i32)
                      .Add(Map({i32, i32}, {In(0), In(1)},
                               [](std::span<const Scalar> in) {
                                 return Scalars{in[0] / in[1], Convert(in[0], DType::kI8),
                                                Convert(in[1], DType::kI64)};
                               }))
                      .Add(Reduce(i32, Out(0, 0), kSumInt))
                      .Add(Map({i32, DType::kI8, i32, DType::kI64}, {Out(0, 0), Out(0, 1), Out(1), Out(0, 2)},
                               [](std::span<const Scalar> in) {
                                 return Scalars{in[0] + Convert(in[1], DType::kI32) + in[2],
                                                Convert(in[1], DType::kI64) - in[3]};
                               }))
                      .Output(Out(2, 0))
                      .Output(Out(2, 1))
                      .Output(Out(0, 1))
                      .Build());
  // The first offence is in no first row.
  cases.push_back(CaseBuilder("failing_later_row", {60}, {kN})
                      .Symbols({{"N", 5}})
                      .DenseInput(i32)
                      .Add(Map({i32}, {In(0)},
                               [](std::span<const Scalar> in) {
                                 return Scalars{Like(in[0], 1000) / (in[0] - Like(in[0], 42))};
                               }))
                      .Add(Reduce(i32, Out(0), kSumInt))
                      .Output(Out(1))
                      .Build());
  // Only a value of the whole row fails.
  cases.push_back(
      CaseBuilder("failing_per_row", {6}, {kN})
          .Symbols({{"N", 70}})
          .DenseInput(i32)
          .Input(i32, {1, 0}, {6})
          .Add(Reduce(i32, In(0), kSumInt))
          .Add(PerRow(Map({i32, i32}, {Out(0), In(1)},
                          [](std::span<const Scalar> in) { return Scalars{in[0] / (in[1] - in[1])}; })))
          .Output(Out(1))
          .Build());
  // Reduced dims, but no reduction.
  cases.push_back(
      CaseBuilder("rows_without_reduction", {3}, {kN})
          .Symbols({{"N", 70}})
          .DenseInput(f32)
          .Add(Map({f32}, {In(0)}, [](std::span<const Scalar> in) { return Scalars{in[0] * 2.0}; }))
          .Output(Out(0))
          .Build());
  return cases;
}

std::vector<KernelCase> AllKernelCases() {
  std::vector<KernelCase> all;
  for (const auto& part : {PrimitiveCases(), MapCases(), MathCases(), RowCases()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<int64_t> EvaluateDims(const KernelCase& c) {
  std::vector<int64_t> dims;
  for (const Dim& dim : c.kernel.DimExpressions()) dims.push_back(*dim.Evaluate(c.symbols));
  return dims;
}

std::vector<Tensor> MakeInputs(const KernelCase& c) {
  Bits bits;
  std::vector<Tensor> inputs;
  for (size_t i = 0; i < c.input_dims.size(); ++i) {
    const DType type = c.kernel.inputs[i].dtype;
    Tensor tensor = *Tensor::Allocate(type, c.input_dims[i]);
    VisitComputed(type, [&](auto tag) {
      using T = typename decltype(tag)::type;
      int64_t position = 0;
      for (T& value : tensor.mutable_values<T>()) value = Element<T>(bits, c.wild, position++);
    });
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

std::vector<Tensor> MakeOutputs(const KernelCase& c) {
  std::vector<Tensor> outputs;
  for (size_t o = 0; o < c.output_dims.size(); ++o) {
    Tensor tensor = *Tensor::Allocate(c.kernel.outputs[o].operand.dtype, c.output_dims[o]);
    uint8_t* bytes = static_cast<uint8_t*>(tensor.mutable_data());
    for (size_t i = 0; i < tensor.stored_bytes(); ++i) bytes[i] = 0xa5;
    outputs.push_back(std::move(tensor));
  }
  return outputs;
}

}  // namespace tenfold::testing
