// SPDX-License-Identifier: Apache-2.0
//
// The floating-point environment in which everything is computed.
#ifndef TENFOLD_GRAPH_FLOAT_ENVIRONMENT_H_
#define TENFOLD_GRAPH_FLOAT_ENVIRONMENT_H_

#include <xmmintrin.h>

namespace tenfold {

// Sets round-to-nearest without flush-to-zero for the current thread and restores what was there.
class ScopedFloatEnvironment {
 public:
  ScopedFloatEnvironment() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~ScopedFloatEnvironment() { _mm_setcsr(saved_); }
  ScopedFloatEnvironment(const ScopedFloatEnvironment&) = delete;

 private:
  const unsigned saved_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FLOAT_ENVIRONMENT_H_
