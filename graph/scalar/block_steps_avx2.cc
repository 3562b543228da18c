// SPDX-License-Identifier: Apache-2.0
//
// The interpreter's loops for x86-64-v3: AVX2, FMA, F16C.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tenfold/graph/scalar/block_steps.h"

#define TENFOLD_STEPS_INLINE inline __attribute__((always_inline))
#define TENFOLD_STEPS_FMA 1

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v3")
#endif

namespace tenfold {
namespace steps_avx2 {
namespace {

#include "tenfold/graph/scalar/block_steps.inc"

}  // namespace
}  // namespace steps_avx2

}  // namespace tenfold

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace tenfold {

const StepTable kAvx2Steps = {&steps_avx2::FindStep, &steps_avx2::FindHorner, &steps_avx2::FindSplat};

}  // namespace tenfold
