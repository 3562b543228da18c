// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_TESTS_CASES_DISTANCE_H_
#define TENFOLD_TESTS_CASES_DISTANCE_H_

#include <cstdint>
#include <string>

#include "tenfold/graph/tensor.h"

namespace tenfold::testing {

struct Tolerance {
  int64_t ulp = 0;      // representable numbers between; 0: the same bits
  double absolute = 0;  // enough by itself
};

// Empty if every element of `got` is as near to that of `want` as asked, else what the first one that is not
// looks like. Infinities, NaNs and signs of zeros are the same or wrong, whatever the tolerance.
std::string WhereFar(const Tensor& got, const Tensor& want, const Tolerance& tolerance);

}  // namespace tenfold::testing

#endif  // TENFOLD_TESTS_CASES_DISTANCE_H_
