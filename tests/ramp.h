// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_TESTS_RAMP_H_
#define TENFOLD_TESTS_RAMP_H_

#include "tenfold/graph/tensor.h"

namespace tenfold {

// Small values that differ from element to element and, where the dtype has them, have both signs.
inline Tensor Ramp(DType dtype, const Dims& dims) {
  Tensor tensor = *Tensor::Allocate(dtype, dims);
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    std::span<T> values = tensor.mutable_values<T>();
    for (size_t i = 0; i < values.size(); ++i) {
      const double x = static_cast<double>((i * 37) % 101) / 16.0 - 3.0;
      if constexpr (std::is_same_v<T, F16>)
        values[i] = ToF16(x);
      else if constexpr (std::is_same_v<T, BF16>)
        values[i] = ToBF16(x);
      else if constexpr (std::is_same_v<T, bool>)
        values[i] = x > 0;
      else
        values[i] = static_cast<T>(std::is_unsigned_v<T> ? x + 4 : x);
    }
  });
  return tensor;
}

}  // namespace tenfold

#endif  // TENFOLD_TESTS_RAMP_H_
