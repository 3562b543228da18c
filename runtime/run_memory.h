// SPDX-License-Identifier: Apache-2.0
//
// How much memory a run holds, known before it begins, and the refusals of what is too much.
#ifndef TENFOLD_RUNTIME_RUN_MEMORY_H_
#define TENFOLD_RUNTIME_RUN_MEMORY_H_

#include <cstdint>

#include "absl/status/status.h"
#include "tenfold/graph/dim.h"
#include "tenfold/graph/limits.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// In bytes.
struct RunMemory {
  int64_t constants = 0;
  int64_t intermediates = 0;  // the arena, in which values that are never live together share
  int64_t outputs = 0;
  int64_t scratch = 0;  // of all threads
  int64_t total = 0;
};

// E0402 if a value that a step of the stage writes, or the arena of the stage, is larger than
// limits.tensor_bytes.
absl::Status CheckValueSizes(const Plan& plan, int stage, const SymbolValues& symbols, const Limits& limits);

// The size of a stage's arena.
const Dim& ArenaBytes(const Plan& plan, int stage);

// E0404: `memory` is more than `limit`. Shows what it is made of, its largest values, and how it follows from
// the symbols.
absl::Status OverMemoryLimit(const Plan& plan, const SymbolValues& symbols, const RunMemory& memory,
                             int64_t limit);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_RUN_MEMORY_H_
