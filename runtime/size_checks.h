// SPDX-License-Identifier: Apache-2.0
//
// What a plan takes for granted of sizes that only a run knows.
#ifndef TENFOLD_RUNTIME_SIZE_CHECKS_H_
#define TENFOLD_RUNTIME_SIZE_CHECKS_H_

#include "absl/status/status.h"
#include "tenfold/runtime/plan.h"

namespace tenfold {

// Refuses (E0619) sizes of which the plan says that they agree, where they do not. Of the checks whose sizes
// are known from `stage` on.
absl::Status CheckSizes(const Plan& plan, int stage, const SymbolValues& symbols);

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_SIZE_CHECKS_H_
