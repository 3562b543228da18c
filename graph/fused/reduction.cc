// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/fused/reduction.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "tenfold/graph/fused/fused_kernel.h"

namespace tenfold {
namespace {

constexpr int kBlock = BlockInterpreter::kBlock;
static_assert(kBlock % kReduceLanes == 0 && kReduceChunk % kBlock == 0);

// The pairs of pairs of a list of unknown length, by a stack on which chunk number c merges once for each
// trailing 1 bit of c: as carries run in a binary counter. No row has 2^52 chunks.
constexpr int kMaxStackDepth = 52;
constexpr size_t kStackSlotBytes = 64;

void Fill(char* values, uint64_t bits, int count, int size) {
  for (int i = 0; i < count; ++i) std::memcpy(values + i * size, &bits, size);
}

}  // namespace

// ---- Along a row ----------------------------------------------------------------------------------------

size_t RowReduction::MemoryBytes(int element_size) {
  return 3 * size_t{kBlock} * element_size + kMaxStackDepth * kStackSlotBytes;
}

RowReduction::RowReduction(const Combiner& combiner, uint64_t identity, char* memory, void* workspace)
    : combiner_(combiner),
      identity_(identity),
      size_(combiner.element_size()),
      lanes_(memory),
      spare_(memory + kBlock * size_),
      upper_(memory + 2 * kBlock * size_),
      stack_(memory + 3 * kBlock * size_),
      workspace_(workspace) {}

void RowReduction::Combine(char* accumulators, const char* values, int count) const {
  combiner_.Combine(accumulators, values, count, spare_, workspace_);
}

void RowReduction::Add(const char* values, int count) {
  int done = 0;
  if (in_chunk_ == 0) {
    if (combiner_.takes_any_array()) {
      done = std::min(kReduceLanes, count);
      std::memcpy(lanes_, values, static_cast<size_t>(done) * size_);
    } else {
      Fill(lanes_, identity_, kReduceLanes, size_);
    }
  }
  combiner_.CombineLanes(lanes_, values + done * size_, count - done, spare_, workspace_);
  in_chunk_ += count;
  if (in_chunk_ == kReduceChunk) FinishChunk();
}

void RowReduction::FinishChunk() {
  int lanes = static_cast<int>(std::min<int64_t>(in_chunk_, kReduceLanes));
  for (int half = kReduceLanes / 2; half > 0; half /= 2) {
    if (lanes <= half) continue;
    const char* upper = lanes_ + half * size_;
    if (!combiner_.takes_any_array()) {
      std::memcpy(upper_, upper, static_cast<size_t>(lanes - half) * size_);
      upper = upper_;
    }
    Combine(lanes_, upper, lanes - half);
    lanes = half;
  }
  char* top = stack_ + depth_ * kStackSlotBytes;
  std::memcpy(top, lanes_, size_);
  for (int64_t carries = chunks_; (carries & 1) != 0; carries >>= 1) {
    Combine(top - kStackSlotBytes, top, 1);
    top -= kStackSlotBytes;
    --depth_;
  }
  ++depth_;
  ++chunks_;
  in_chunk_ = 0;
}

const char* RowReduction::Finish(int64_t row_length, uint64_t empty) {
  if (row_length == 0) {
    Fill(stack_, empty, 1, size_);
    return stack_;
  }
  if (in_chunk_ > 0) FinishChunk();
  for (; depth_ > 1; --depth_) {
    char* const top = stack_ + (depth_ - 1) * kStackSlotBytes;
    Combine(top - kStackSlotBytes, top, 1);
  }
  depth_ = 0;
  chunks_ = 0;
  return stack_;
}

// ---- Over rows side by side -----------------------------------------------------------------------------

size_t ColumnReduction::MemoryBytes(int element_size, int64_t row_length) {
  const int64_t lanes = std::clamp<int64_t>(row_length, 1, kReduceLanes);
  const int64_t chunks = (row_length + kReduceChunk - 1) / kReduceChunk;
  const int64_t depth = std::bit_width(static_cast<uint64_t>(chunks)) + 1;
  return (1 + lanes + depth) * size_t{kBlock} * element_size;
}

ColumnReduction::ColumnReduction(const Combiner& combiner, uint64_t identity, int64_t row_length, int width,
                                 char* memory, void* workspace)
    : combiner_(combiner),
      identity_(identity),
      row_length_(row_length),
      width_(width),
      block_bytes_(size_t{kBlock} * combiner.element_size()),
      memory_(memory + block_bytes_),
      stack_(memory_ + std::clamp<int64_t>(row_length, 1, kReduceLanes) * block_bytes_),
      workspace_(workspace) {}

char* ColumnReduction::DirectTarget(int64_t i) const {
  const int64_t in_chunk = i % kReduceChunk;
  return in_chunk < kReduceLanes && combiner_.takes_any_array() ? Lane(in_chunk) : nullptr;
}

void ColumnReduction::Add(int64_t i, const char* values) {
  const int64_t in_chunk = i % kReduceChunk;
  char* const lane = Lane(in_chunk % kReduceLanes);
  if (in_chunk < kReduceLanes && combiner_.takes_any_array()) {
    if (values != lane) std::memcpy(lane, values, static_cast<size_t>(width_) * combiner_.element_size());
  } else {
    if (in_chunk < kReduceLanes) Fill(lane, identity_, width_, combiner_.element_size());
    combiner_.Combine(lane, values, width_, Spare(), workspace_);
  }
  if (in_chunk + 1 == kReduceChunk || i + 1 == row_length_) FinishChunk(in_chunk + 1);
}

void ColumnReduction::FinishChunk(int64_t length) {
  int64_t lanes = std::min<int64_t>(length, kReduceLanes);
  for (int half = kReduceLanes / 2; half > 0; half /= 2) {
    for (int64_t j = 0; j + half < lanes; ++j) {
      combiner_.Combine(Lane(j), Lane(j + half), width_, Spare(), workspace_);
    }
    lanes = std::min<int64_t>(lanes, half);
  }
  char* top = stack_ + depth_ * block_bytes_;
  std::memcpy(top, Lane(0), static_cast<size_t>(width_) * combiner_.element_size());
  for (int64_t carries = chunks_; (carries & 1) != 0; carries >>= 1) {
    combiner_.Combine(top - block_bytes_, top, width_, Spare(), workspace_);
    top -= block_bytes_;
    --depth_;
  }
  ++depth_;
  ++chunks_;
}

const char* ColumnReduction::Finish(uint64_t empty) {
  if (row_length_ == 0) {
    Fill(stack_, empty, width_, combiner_.element_size());
    return stack_;
  }
  for (; depth_ > 1; --depth_) {
    char* const top = stack_ + (depth_ - 1) * block_bytes_;
    combiner_.Combine(top - block_bytes_, top, width_, Spare(), workspace_);
  }
  return stack_;
}

}  // namespace tenfold
