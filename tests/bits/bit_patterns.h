// SPDX-License-Identifier: Apache-2.0
//
// Element values that tell executors apart: those at the edges of a dtype, and random bit patterns.
#ifndef TENFOLD_TESTS_BITS_BIT_PATTERNS_H_
#define TENFOLD_TESTS_BITS_BIT_PATTERNS_H_

#include <cstdint>
#include <vector>

#include "tenfold/graph/tensor.h"

namespace tenfold::testing {

// SplitMix64 (Steele, Lea, Flood 2014): any seed is good, and it is the same everywhere.
class BitSource {
 public:
  explicit BitSource(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

 private:
  uint64_t state_;
};

// Bit patterns of `dtype`, in its low bits: signed zeros, NaNs of both signs with payloads, signalling ones
// too, infinities, denormals, the limits, values where exp and conversions overflow; integer limits; both
// bools.
const std::vector<uint64_t>& SpecialPatterns(DType dtype);

enum class Mix {
  kRaw,       // every bit pattern alike
  kModerate,  // floats of magnitude 2^-10 to 2^11, integers of few bits: sums and products stay finite
  kSprinkled  // moderate, with a special value now and then
};

// Element `i` of a tensor that is being filled.
void SetPattern(Tensor& tensor, int64_t i, uint64_t pattern);
void FillRandom(Tensor& tensor, Mix mix, BitSource& source);
// Makes every element that is 0 a 1.
void AvoidZeros(Tensor& tensor);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_BITS_BIT_PATTERNS_H_
