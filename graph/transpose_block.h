// SPDX-License-Identifier: Apache-2.0
//
// Transposing a matrix from memory to memory, tile by tile.
#ifndef TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_
#define TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_

#include <cstdint>

#include "tenfold/graph/move_run.h"
#include "tenfold/graph/scalar/interpreter.h"

namespace tenfold {

// What is streamed is put together from tiles of at most so many rows: blocks need not be higher.
inline constexpr int64_t kMaxStreamedRows = 1024;

// out[r * out_step + c] = in[r + c * in_step] for r below `rows` and c below `columns`, for words of 1, 2, 4
// or 8 bytes. `level` is one that this CPU has; all write the same.
template <typename Word>
void TransposeBlock(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows,
                    int64_t columns, const MoveOptions& options, IsaLevel level = HostIsaLevel());

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_
