// SPDX-License-Identifier: Apache-2.0
//
// Compares a result with a reference, and says where they are furthest apart.
#ifndef TENFOLD_TOOLS_COMPARE_H_
#define TENFOLD_TOOLS_COMPARE_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

// An element passes if it equals the reference (-0 equals +0), or
//   |got - want| <= atol + rtol * |want|, or
//   got and want are at most max_ulp representable values apart (integers: max_ulp units).
// An infinity passes only against itself, NaN only against NaN and only with equal_nan.
struct Tolerance {
  double rtol = 0;
  double atol = 0;
  int64_t max_ulp = 0;
  bool equal_nan = false;
  // "rtol 1e-05, atol 1e-06"; "exactly" without any.
  std::string ToString() const;
};

struct Difference {
  int64_t index = -1;  // row-major; -1: the tensors have no elements
  std::string got, want;
  double absolute = 0;
  double relative = 0;  // to the reference
  // Representable values between the two; meaningless if one of them is NaN.
  uint64_t ulp = 0;
};

struct Comparison {
  // Not empty if the types differ, and nothing could be compared: "got f32[2], want f64[2]".
  std::string types_differ;
  Dims dims;
  int64_t elements = 0;
  int64_t mismatches = 0;
  int64_t first_mismatch = -1;  // row-major; -1: there is none
  // The mismatch furthest outside the tolerance, or the largest difference if all pass.
  Difference worst;

  bool passed() const { return types_differ.empty() && mismatches == 0; }
  // One or more lines for people, no newline at the end.
  std::string ToString(absl::string_view name, const Tolerance& tolerance) const;
};

Comparison Compare(const Tensor& got, const Tensor& want, const Tolerance& tolerance);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_COMPARE_H_
