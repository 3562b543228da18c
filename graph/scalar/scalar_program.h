// SPDX-License-Identifier: Apache-2.0
//
// ScalarProgram: the one definition of every elementwise computation. A short SSA list over total
// primitives, which the interpreter, the CPU code generator and the GPU code generator all execute
// with the same bits. docs/numerics.md specifies every primitive.
#ifndef TENFOLD_GRAPH_SCALAR_SCALAR_PROGRAM_H_
#define TENFOLD_GRAPH_SCALAR_SCALAR_PROGRAM_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/dtype.h"

namespace tenfold {

// Arithmetic is defined on i8..i64, u8..u64 (wrapping modulo 2^width), f32 and f64 (IEEE 754, round
// to nearest even, never contracted). f16 and bf16 values can only be loaded, selected, converted
// and bit-cast; f8 values are not converted either, which is done in other primitives (WidenFloat8).
// i4 and u4, which have no addresses, do not occur. kBool is true or false; bitwise And, Or, Xor, Not work on
// it.
enum class Prim : uint8_t {
  kInput,  // program input `bits`
  kConst,  // the value whose bit pattern is `bits` (low SizeOf(type) bytes; a bool is 0 or 1)
  kAdd,    // a + b
  kSub,    // a - b
  kMul,    // a * b
  kDiv,    // a / b. Integers truncate; x / 0 is 0 and sets the kernel's error word; INT_MIN / -1
           // wraps
  kRem,    // integers only: a - (a / b) * b with the sign of a; x % 0 is 0 and sets the error word
  kFma,    // floats only: a * b + c rounded once
  kNeg,    // flips a float's sign bit; integers wrap
  kAbs,    // clears a float's sign bit; integers wrap
  kMin,    // IEEE 754-2019 minimum: NaN wins, -0 < +0
  kMax,    // IEEE 754-2019 maximum
  kSqrt,   // correctly rounded
  kFloor,  // floats, as the next four
  kCeil,
  kTrunc,
  kRoundEven,
  kAnd,  // integers and bool
  kOr,
  kXor,
  kNot,
  kShl,  // a shift by the width or more gives 0
  kShr,  // arithmetic for signed (gives the sign), logical for unsigned (gives 0); count as
         // unsigned
  kEq,   // -> bool; ordered: false if either is NaN
  kNe,   // -> bool; true if either is NaN
  kLt,   // -> bool; ordered
  kLe,
  kSelect,   // a ? b : c, a is bool
  kConvert,  // to `type`. Float to int truncates, saturates, NaN gives 0. Int to int wraps. Rounds
             // once, to nearest even. To bool: a != 0 (NaN is true). From bool: 0 or 1
  kBitcast,  // same width. Of a NaN: unspecified payload inside a program
};
inline constexpr int kNumPrims = static_cast<int>(Prim::kBitcast) + 1;

absl::string_view Name(Prim prim);
// How many of Instr::args the primitive reads: 0 to 3.
int NumArgs(Prim prim);

struct Instr {
  Prim prim;
  DType type;                      // of the result
  int32_t args[3] = {-1, -1, -1};  // earlier instructions
  uint64_t bits = 0;               // kConst: the value; kInput: the input's index
  bool operator==(const Instr&) const = default;
};

struct ScalarProgram {
  std::vector<DType> inputs;     // types of the inputs as loaded
  std::vector<Instr> instrs;     // in order of definition
  std::vector<int32_t> outputs;  // instruction indices; at least one

  DType output_type(int i) const { return instrs[outputs[i]].type; }
  bool operator==(const ScalarProgram&) const = default;

  // Types of all args fit the primitive, args are earlier instructions, inputs are in range.
  absl::Status Verify() const;
  // One line an instruction: "%3 = fma f32 %0, %1, %2".
  std::string ToString() const;
  // True if some instruction can set the error word (integer kDiv, kRem).
  bool CanFail() const;
};

// Copies of `program` appended to another program under construction (see ScalarBuilder::Inline)
// are how fusion works: substitution of one program into another.

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SCALAR_SCALAR_PROGRAM_H_
