// SPDX-License-Identifier: Apache-2.0
//
// Words from one run of memory to another.
#ifndef TENFOLD_GRAPH_MOVE_RUN_H_
#define TENFOLD_GRAPH_MOVE_RUN_H_

#include <cstdint>

#include "tenfold/graph/nan_pattern.h"

namespace tenfold {

struct MoveOptions {
  // Past the caches, for what is larger than they are: what lies in them stays. FinishStreaming ends it.
  bool stream = false;
  // NaNs become canonical on the way, if there are any.
  NanPattern nans;
};

// `count` words of 1, 2, 4 or 8 bytes.
template <typename Word>
void MoveRun(const Word* from, Word* to, int64_t count, const MoveOptions& options);

// 64 bytes past the caches, to an address that is a multiple of 64.
void StreamLine(const void* line, void* to);

// Called by the thread that moved: whoever hears from it afterwards sees what it streamed.
void FinishStreaming(const MoveOptions& options);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_MOVE_RUN_H_
