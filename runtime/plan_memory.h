// SPDX-License-Identifier: Apache-2.0
//
// Gives every intermediate value its place in one arena, so that values which are never live together share
// bytes, and the peak is known, as an expression over the symbols, before the first run.
#ifndef TENFOLD_RUNTIME_PLAN_MEMORY_H_
#define TENFOLD_RUNTIME_PLAN_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// Fills in plan.memory. A value is live from the first step that writes it, or a part of it, to the last that
// reads it, or what lies within it; every size is padded to kTensorAlignment. Values of constant size are
// placed best-fit into one static part; values whose size depends on symbols take slots in turn, each slot as
// large as the largest value that ever uses it. A map writes its result over an operand that it is the last
// to read, element by element, where neither is a part of something larger. E0402 if a size does not fit
// int64.
absl::Status PlanMemory(Plan& plan);

// The memory plan as a table: value, type, steps live, offset, size; then the totals.
std::string MemoryTable(const Plan& plan);

// What a value of `type` takes, in bytes, under `symbols`; nullopt if it cannot be counted.
std::optional<int64_t> BytesOf(const TensorType& type, const SymbolValues& symbols);

// The largest of the values that a run holds, as a table: value, type, steps live, bytes. No line end at the
// end.
std::string LargestValues(const Plan& plan, const SymbolValues& symbols);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_PLAN_MEMORY_H_
