// SPDX-License-Identifier: Apache-2.0
//
// What a run is fed, held against what the plan's inputs declare. Every refusal names both sides: where the
// input was declared and as what, and what came.
#ifndef TENFOLD_RUNTIME_FEEDS_H_
#define TENFOLD_RUNTIME_FEEDS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/shape.h"
#include "tenfold/graph/tensor.h"
#include "tenfold/runtime/plan.h"
#include "tenfold/runtime/run_options.h"

namespace tenfold {

// Where the feed of input `i` comes from; null if nobody said.
const FeedOrigin* FindOrigin(const Plan& plan, int i, std::span<const FeedOrigin> origins);

// The dtype (E0604), rank and constant extents (E0605) of what is fed to input `i`. With `values`, the
// refusal of a dtype says what a cast would do to them. `origins` are the caller's, here and below.
absl::Status CheckFeed(const Plan& plan, int i, DType dtype, std::span<const int64_t> dims,
                       const Tensor* values = nullptr, std::span<const FeedOrigin> origins = {});

// The extents of input `i` if it holds `count` values: E0403, or E0605 if they do not follow from it.
absl::StatusOr<Dims> DimsForCount(const Plan& plan, int i, DType dtype, int64_t count);

// The value of each symbol that does not come from a step, given the extents of every input; every dim is
// checked: E0605 to E0607. `around` has those of the plan that this is a body of.
absl::Status ResolveSymbols(const Plan& plan, std::span<const Dims> fed, SymbolValues& symbols,
                            std::span<const FeedOrigin> origins = {}, const SymbolValues* around = nullptr);

// The refusals of feeds by name.
absl::Status UnknownInput(const Plan& plan, absl::string_view name);         // E0602
absl::Status FedTwice(const Plan& plan, int i);                              // E0609
absl::Status MissingInputs(const Plan& plan, std::span<const int> missing);  // E0603, one for each

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_FEEDS_H_
