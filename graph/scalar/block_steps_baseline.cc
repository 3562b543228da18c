// SPDX-License-Identifier: Apache-2.0
//
// The interpreter's loops for x86-64: SSE2, no FMA.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tenfold/graph/scalar/block_steps.h"

#define TENFOLD_STEPS_INLINE inline __attribute__((always_inline))
#define TENFOLD_STEPS_FMA 0

namespace tenfold {
namespace steps_baseline {
namespace {

#include "tenfold/graph/scalar/block_steps.inc"

}  // namespace
}  // namespace steps_baseline

const StepTable kBaselineSteps = {&steps_baseline::FindStep, &steps_baseline::FindHorner,
                                  &steps_baseline::FindSplat};

}  // namespace tenfold
