// SPDX-License-Identifier: Apache-2.0
//
// The interpreter's loops for x86-64-v4: AVX-512 with full-width vectors.

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tenfold/graph/scalar/block_steps.h"

#define TENFOLD_STEPS_INLINE inline __attribute__((always_inline))
#define TENFOLD_STEPS_FMA 1

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("arch=x86-64-v4,prefer-vector-width=512")
#endif

namespace tenfold {
namespace steps_avx512 {
namespace {

#include "tenfold/graph/scalar/block_steps.inc"

}  // namespace
}  // namespace steps_avx512

}  // namespace tenfold

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

namespace tenfold {

const StepTable kAvx512Steps = {&steps_avx512::FindStep, &steps_avx512::FindHorner, &steps_avx512::FindSplat};

}  // namespace tenfold
