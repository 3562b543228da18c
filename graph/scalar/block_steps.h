// SPDX-License-Identifier: Apache-2.0
//
// The loops of the BlockInterpreter: one function a primitive, type and ISA level. block_steps.inc
// defines them; block_steps_<level>.cc compile that file for each level.
#ifndef TENFOLD_GRAPH_SCALAR_BLOCK_STEPS_H_
#define TENFOLD_GRAPH_SCALAR_BLOCK_STEPS_H_

#include <cstddef>

#include "tenfold/graph/dtype.h"
#include "tenfold/graph/scalar/scalar_program.h"

namespace tenfold {

// Computes n elements of dst; n is a positive multiple of kStepGranule. Arrays are 64-byte aligned;
// dst may be one of the operands if their elements have the same size. A bool is a byte, 0 or 1.
using StepFn = void (*)(void* dst, const void* a, const void* b, const void* c, int n);
inline constexpr int kStepGranule = 16;

// fn[mask] reads only the first element of operand i where bit i of mask is set, as the value of
// every element. Null where there is no such form; fn[0] always exists.
struct StepForms {
  StepFn fn[8] = {};
};

// The longest polynomial that is one step.
inline constexpr int kMaxHornerFmas = 15;

struct StepTable {
  // `arg` is the type of the first operand (select: of the second). Not for kInput, kConst and
  // kBitcast.
  StepForms (*find)(Prim prim, DType type, DType arg);
  // fma(... fma(fma(c[0], x, c[1]), x, c[2]) ..., x, c[num_fmas]) with x from a and c from b, for f32 and
  // f64 and 2 to kMaxHornerFmas: a polynomial without the trips through memory, which cost more than the
  // fmas. Null at a level without fma, where it is the other way round.
  StepFn (*find_horner)(DType type, int num_fmas);
  // Copies a's first element to all of dst, by element size.
  StepFn (*find_splat)(size_t element_size);
};

extern const StepTable kBaselineSteps;
extern const StepTable kAvx2Steps;
extern const StepTable kAvx512Steps;

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_SCALAR_BLOCK_STEPS_H_
