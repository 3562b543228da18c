// SPDX-License-Identifier: Apache-2.0
//
// From Fortran order (first index fastest) to row-major order (last index fastest).
#ifndef TENFOLD_GRAPH_INGEST_FORTRAN_ORDER_H_
#define TENFOLD_GRAPH_INGEST_FORTRAN_ORDER_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace tenfold {

// True if both orders lay the elements out alike: at most one extent is not 1, or one is 0.
bool OrdersAgree(std::span<const int64_t> dims);

// Copies all elements, `size` bytes each (1, 2, 4 or 8). The buffers must not overlap.
void FortranToRowMajor(size_t size, std::span<const int64_t> dims, const void* fortran, void* row_major);

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_INGEST_FORTRAN_ORDER_H_
