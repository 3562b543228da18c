// SPDX-License-Identifier: Apache-2.0
#ifndef TENFOLD_COMPILER_PIPELINE_H_
#define TENFOLD_COMPILER_PIPELINE_H_

#include <vector>

#include "tenfold/compiler/pass.h"

namespace tenfold {

// The passes, in order.
const std::vector<PassEntry>& DefaultPipeline();

}  // namespace tenfold

#endif  // TENFOLD_COMPILER_PIPELINE_H_
