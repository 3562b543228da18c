// SPDX-License-Identifier: Apache-2.0
//
// The flags that say how a graph is compiled, the same for every tool.
#ifndef TENFOLD_TOOLS_COMPILE_FLAGS_H_
#define TENFOLD_TOOLS_COMPILE_FLAGS_H_

#include "tenfold/compiler/compile.h"
#include "tenfold/tools/flags.h"

namespace tenfold {

// --device, -O, --numerics, --fetch.
void AddCompileFlags(Flags& flags, CompileOptions& options);

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_COMPILE_FLAGS_H_
