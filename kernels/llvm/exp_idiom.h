// SPDX-License-Identifier: Apache-2.0
//
// math::Exp, found inside programs. AVX-512 has an instruction, vscalefps, that multiplies by a power of two
// of any size with one rounding; portable code spends ten on that. The bits are the same (tests walk all
// floats).
#ifndef TENFOLD_KERNELS_LLVM_EXP_IDIOM_H_
#define TENFOLD_KERNELS_LLVM_EXP_IDIOM_H_

#include <cstdint>
#include <optional>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

// What math::Exp of a type looks like, recorded from math::Exp itself.
struct ExpIdiom {
  ScalarProgram program;  // one input, one output
  int32_t scaled;         // the instruction p of p * 2^n
  int32_t exponent;       // n, as a float
  uint64_t lowest;        // below this number, exp is 0 without a look at it
};

// Null for a type without exp, and if math::Exp has lost the form that this file knows.
const ExpIdiom* ExpIdiomOf(DType type);

// The argument x if instruction `root` of `program` is exp(x), instruction by instruction.
std::optional<int32_t> MatchExp(const ScalarProgram& program, int32_t root);

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_EXP_IDIOM_H_
