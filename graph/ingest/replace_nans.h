// SPDX-License-Identifier: Apache-2.0
//
// What becomes of the NaNs of an array, by a rule that the user named. Infinities are values like others, but
// take no part in a mean or median. Integers have no NaN, so every rule leaves them alone.
#ifndef TENFOLD_GRAPH_INGEST_REPLACE_NANS_H_
#define TENFOLD_GRAPH_INGEST_REPLACE_NANS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/tensor.h"

namespace tenfold {

enum class NanRule : uint8_t { kKeep, kRefuse, kZero, kMean, kMedian };

// With kMean and kMedian, a NaN becomes the mean or median of the finite values that differ from it only in
// their index along `axis` (as numpy.nanmean(a, axis) means it), computed in f64 and rounded once. The axis,
// in [-rank, rank), may be left out for rank 0 and 1 only.
struct NanPolicy {
  NanRule rule = NanRule::kKeep;
  std::optional<int64_t> axis = std::nullopt;
  bool operator==(const NanPolicy&) const = default;
  // "keep", "mean", "mean:axis=0".
  std::string ToString() const;
};
// The inverse of ToString; nullopt for anything else.
std::optional<NanPolicy> ParseNanPolicy(absl::string_view text);

// The array, itself where nothing is to be replaced. `replaced`, if not null, receives how many were. Errors:
// E0323 nan-refused; E0324 no-finite-value, if a mean or median has no values; E0325 bad-policy, for an axis
// that is missing or out of range.
absl::StatusOr<Tensor> ReplaceNans(const Tensor& array, const NanPolicy& policy, const ArrayName& name,
                                   int64_t* replaced = nullptr);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_REPLACE_NANS_H_
