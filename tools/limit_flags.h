// SPDX-License-Identifier: Apache-2.0
//
// A flag for each field of Limits, the same for every tool.
#ifndef TENFOLD_TOOLS_LIMIT_FLAGS_H_
#define TENFOLD_TOOLS_LIMIT_FLAGS_H_

#include "tenfold/graph/limits.h"
#include "tenfold/tools/flags.h"

namespace tenfold {

// --file-bytes, --graph-bytes, ...: as LimitFields() lists them.
void AddLimitFlags(Flags& flags, Limits& limits);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_LIMIT_FLAGS_H_
