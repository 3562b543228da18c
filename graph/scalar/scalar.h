// SPDX-License-Identifier: Apache-2.0
//
// How formulas are written: `Scalar` reads like the mathematics and records a ScalarProgram.
//
//   ScalarProgram p = ScalarBuilder::Record({DType::kF32}, [](std::span<const Scalar> in) {
//     return std::vector<Scalar>{in[0] * Sigmoid(in[0])};
//   });
#ifndef TENFOLD_GRAPH_SCALAR_SCALAR_H_
#define TENFOLD_GRAPH_SCALAR_SCALAR_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

class ScalarBuilder;

// A value inside a program under construction: two words, copied freely. Both operands of an
// operator must have the same type; a C++ number takes the type of the other operand.
class Scalar {
 public:
  Scalar() = default;
  DType type() const;
  ScalarBuilder* builder() const { return builder_; }
  int32_t id() const { return id_; }

 private:
  friend class ScalarBuilder;
  Scalar(ScalarBuilder* builder, int32_t id) : builder_(builder), id_(id) {}
  ScalarBuilder* builder_ = nullptr;
  int32_t id_ = -1;
};

// Records instructions with hash-consing (equal instructions become one) and no other rewriting.
class ScalarBuilder {
 public:
  static ScalarProgram Record(std::span<const DType> inputs,
                              const std::function<std::vector<Scalar>(std::span<const Scalar>)>& formula);

  Scalar Input(DType type);
  Scalar ConstBits(DType type, uint64_t bits);
  // `value` converted to `type` once (a double rounds to nearest even; an integer type takes its
  // integer part).
  Scalar Const(DType type, double value);
  Scalar ConstInt(DType type, int64_t value);
  Scalar Emit(Prim prim, DType type, std::span<const Scalar> args);
  // Substitutes `inputs` for the inputs of `program`; gives its outputs.
  std::vector<Scalar> Inline(const ScalarProgram& program, std::span<const Scalar> inputs);
  // Ends the recording. Instructions that no output needs are dropped.
  ScalarProgram Finish(std::span<const Scalar> outputs) &&;

  DType type(int32_t id) const { return program_.instrs[id].type; }

 private:
  struct InstrHash {
    size_t operator()(const Instr& i) const;
  };
  ScalarProgram program_;
  absl::flat_hash_map<Instr, int32_t, InstrHash> known_;
};

Scalar operator+(Scalar a, Scalar b);
Scalar operator-(Scalar a, Scalar b);
Scalar operator*(Scalar a, Scalar b);
Scalar operator/(Scalar a, Scalar b);
Scalar operator%(Scalar a, Scalar b);
Scalar operator-(Scalar a);
Scalar operator+(Scalar a, double b);
Scalar operator+(double a, Scalar b);
Scalar operator-(Scalar a, double b);
Scalar operator-(double a, Scalar b);
Scalar operator*(Scalar a, double b);
Scalar operator*(double a, Scalar b);
Scalar operator/(Scalar a, double b);
Scalar operator/(double a, Scalar b);

// Bitwise on integers and bool.
Scalar operator&(Scalar a, Scalar b);
Scalar operator|(Scalar a, Scalar b);
Scalar operator^(Scalar a, Scalar b);
Scalar operator~(Scalar a);
Scalar operator<<(Scalar a, int count);
Scalar operator>>(Scalar a, int count);
Scalar Shl(Scalar a, Scalar count);
Scalar Shr(Scalar a, Scalar count);

// Comparisons give bool.
Scalar operator==(Scalar a, Scalar b);
Scalar operator!=(Scalar a, Scalar b);
Scalar operator<(Scalar a, Scalar b);
Scalar operator<=(Scalar a, Scalar b);
Scalar operator>(Scalar a, Scalar b);
Scalar operator>=(Scalar a, Scalar b);
Scalar operator<(Scalar a, double b);
Scalar operator<=(Scalar a, double b);
Scalar operator>(Scalar a, double b);
Scalar operator>=(Scalar a, double b);
Scalar operator==(Scalar a, double b);

Scalar Select(Scalar condition, Scalar if_true, Scalar if_false);
Scalar Fma(Scalar a, Scalar b, Scalar c);
Scalar Abs(Scalar x);
Scalar Min(Scalar a, Scalar b);
Scalar Max(Scalar a, Scalar b);
Scalar Sqrt(Scalar x);
Scalar Floor(Scalar x);
Scalar Ceil(Scalar x);
Scalar Trunc(Scalar x);
Scalar RoundEven(Scalar x);
Scalar IsNan(Scalar x);
Scalar Convert(Scalar x, DType type);
Scalar Bitcast(Scalar x, DType type);
// f8 is stored alone: Convert from and to it is made of other primitives, and to it saturates. As f32, exact:
Scalar WidenFloat8(Scalar x);
// `type` is an f8.
Scalar ConvertToFloat8(Scalar x, DType type, Overflow overflow);
Scalar IsNanFloat8(Scalar x);
// A constant of x's type.
Scalar Like(Scalar x, double value);
// |magnitude| with the sign bit of `sign`.
Scalar CopySign(Scalar magnitude, Scalar sign);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SCALAR_SCALAR_H_
