// SPDX-License-Identifier: Apache-2.0
//
// Arrays of one dtype made into another under a rule that the user named; docs/numerics.md has the table.
// This is the boundary, where a value that would change is refused or counted. The op Cast is something else:
// it converts inside a graph, where nobody can be asked.
#ifndef TENFOLD_GRAPH_INGEST_CAST_H_
#define TENFOLD_GRAPH_INGEST_CAST_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

enum class CastRule : uint8_t {
  kRefuse,    // another dtype is refused
  kExact,     // every value must be one of the target's
  kNearest,   // rounds half to even; refuses a finite value beyond the target's range
  kSaturate,  // rounds half to even; a finite value beyond the range becomes the end of the range
};
// Under every rule NaN and Inf are refused where the target has neither. A bool is the integer 0 or 1. -0 and
// +0 are one value: an integer has no other.

// "refuse", "exact", "nearest", "saturate".
absl::string_view Name(CastRule rule);
std::optional<CastRule> ParseCastRule(absl::string_view name);

// What a cast does to the values of an array, or would do.
struct CastSurvey {
  int64_t values = 0;
  // Values that round to another value of the target's range, how far the furthest goes, and the first one.
  int64_t changed = 0;
  double largest_change = 0;
  int64_t first_changed = -1;
  // Finite values that round to none, how far the furthest is from the range, and the first one.
  int64_t outside = 0;
  double largest_outside = 0;
  int64_t first_outside = -1;
  // NaN and Inf, where the target has neither, and the first one.
  int64_t not_finite = 0;
  int64_t first_not_finite = -1;
};
CastSurvey SurveyCast(const Tensor& array, DType target);

// "cast=nearest would change 431 of 1024 values, by 2.98e-08 at most", and the like: what the best rule would
// do, for an error that offers it. `survey` is that of the array and the target.
std::string DescribeCast(const Tensor& array, DType target, const CastSurvey& survey);
// The rule that keeps most: exact where nothing changes, nearest where all values are in range, saturate;
// nullopt where NaN or Inf forbid all of them.
std::optional<CastRule> BestRule(const CastSurvey& survey);

// The array as `target`; itself where it is that already. A splat stays one. `done`, if not null, receives
// what changed. Errors: E0320 cast-refused, E0321 value-outside, E0322 not-finite.
absl::StatusOr<Tensor> CastArray(const Tensor& array, DType target, CastRule rule, const ArrayName& name,
                                 CastSurvey* done = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_CAST_H_
