// SPDX-License-Identifier: Apache-2.0
//
// The order of a reduction (fused_kernel.h), in the two ways in which the interpreter walks: along a row, and
// over many rows side by side. Lanes past the end of a short chunk are left out, which gives the same bits as
// filling them with the identity. So does starting an accumulator at its first value where the combination is
// one primitive; others, whose identity may only hold from the right (select-based maxima, for NaN), start at
// the identity as written.
#ifndef TENFOLD_GRAPH_FUSED_REDUCTION_H_
#define TENFOLD_GRAPH_FUSED_REDUCTION_H_

#include <cstddef>
#include <cstdint>

#include "tenfold/graph/fused/combine.h"

namespace tenfold {

// Accumulates `width` rows at a time: element i of all of them is one array of `width` values. Arrays are
// blocks of BlockInterpreter::kBlock elements.
class ColumnReduction {
 public:
  // Bytes of `memory` (64-byte aligned) for rows of `row_length` elements.
  static size_t MemoryBytes(int element_size, int64_t row_length);

  ColumnReduction(const Combiner& combiner, uint64_t identity, int64_t row_length, int width, char* memory,
                  void* workspace);

  // Where the values of element `i` may be written directly, to be accumulated without a copy; null if
  // nowhere.
  char* DirectTarget(int64_t i) const;
  // Elements come in ascending order.
  void Add(int64_t i, const char* values);
  // The results, one a row; `empty` for a row without elements.
  const char* Finish(uint64_t empty);

 private:
  char* Lane(int64_t lane) const { return memory_ + lane * block_bytes_; }
  char* Spare() const { return memory_ - block_bytes_; }
  void FinishChunk(int64_t length);

  const Combiner& combiner_;
  uint64_t identity_;
  int64_t row_length_;
  int width_;
  size_t block_bytes_;
  char* memory_;  // the lanes; one block before them is spare
  char* stack_;
  int64_t depth_ = 0;
  int64_t chunks_ = 0;
  void* workspace_;
};

// Accumulates one row, a block of its elements at a time.
class RowReduction {
 public:
  static size_t MemoryBytes(int element_size);

  RowReduction(const Combiner& combiner, uint64_t identity, char* memory, void* workspace);

  // The next values of the row; blocks begin at multiples of kBlock.
  void Add(const char* values, int count);
  // The result of the row's `row_length` elements.
  const char* Finish(int64_t row_length, uint64_t empty);

 private:
  void FinishChunk();
  void Combine(char* accumulators, const char* values, int count) const;

  const Combiner& combiner_;
  uint64_t identity_;
  int size_;
  char* lanes_;
  char* spare_;
  char* upper_;
  char* stack_;  // chunk values, 64 bytes apart
  int64_t in_chunk_ = 0;
  int64_t depth_ = 0;
  int64_t chunks_ = 0;
  void* workspace_;
};

}  // namespace tenfold

#endif  // TENFOLD_GRAPH_FUSED_REDUCTION_H_
