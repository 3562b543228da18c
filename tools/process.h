// SPDX-License-Identifier: Apache-2.0
//
// What the tools have to do with the system that runs them.
#ifndef TENFOLD_TOOLS_PROCESS_H_
#define TENFOLD_TOOLS_PROCESS_H_

#include <atomic>

namespace tenfold {

// For the beginning of main. A write beyond what `ulimit -f` allows fails, and is reported, instead of
// killing the process with a temporary file left behind. An exception that nothing catches, std::bad_alloc,
// ends it with status 70 and a line that says so.
void PrepareProcess();

// True once Ctrl-C was pressed, from the first call on. The first one ends what is under way in good order,
// the second one the process.
const std::atomic<bool>* CancelledByInterrupt();

}  // namespace tenfold

#endif  // TENFOLD_TOOLS_PROCESS_H_
