// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_TESTS_FLOAT_BITS_H_
#define TENFOLD_TESTS_FLOAT_BITS_H_

#include <bit>
#include <cstdint>

#include "tenfold/graph/dtype.h"

namespace tenfold {

// The bit pattern of `value`, rounded to the float dtype.
inline uint64_t FloatBits(DType dtype, double value) {
  switch (dtype) {
    case DType::kF16:
      return ToF16(value).bits;
    case DType::kBF16:
      return ToBF16(value).bits;
    case DType::kF32:
      return std::bit_cast<uint32_t>(static_cast<float>(value));
    default:
      return std::bit_cast<uint64_t>(value);
  }
}

}  // namespace tenfold

#endif  // TENFOLD_TESTS_FLOAT_BITS_H_
