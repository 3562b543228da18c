// SPDX-License-Identifier: Apache-2.0
//
// Transposing a matrix from memory to memory, tile by tile.
#ifndef TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_
#define TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_

#include <cstdint>

namespace tenfold {

// out[r * out_step + c] = in[r + c * in_step] for r below `rows` and c below `columns`, for words of 1, 2, 4
// or 8 bytes. With `stream`, where the output is larger than the caches: it goes past them, and what is in
// them stays.
template <typename Word>
void TransposeBlock(const Word* in, int64_t in_step, Word* out, int64_t out_step, int64_t rows,
                    int64_t columns, bool stream);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_TRANSPOSE_BLOCK_H_
