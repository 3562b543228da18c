// SPDX-License-Identifier: Apache-2.0
//
// Column kernels: vectors run along the innermost parallel loop, so that each lane is a row of its
// own and the reduced loops, however many, are plain counters. A strip of vectors goes down the
// reduced space together, which keeps the memory walk in whole cache lines.
//
// Strips are narrow or wide. A narrow one takes the elements in order and keeps all accumulators in
// the first-level cache; what later loops read again stays near, too. A wide one is a piece of memory
// that prefetchers see, and has too many accumulators for that: it takes the elements of one
// accumulator after the other, so that only that one is in use, and combines those that are done.
#ifndef TENFOLD_KERNELS_LLVM_COLUMN_EMITTER_H_
#define TENFOLD_KERNELS_LLVM_COLUMN_EMITTER_H_

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "tenfold/kernels/llvm/kernel_emitter.h"

namespace tenfold {

class ColumnEmitter : public KernelEmitter {
 public:
  using KernelEmitter::KernelEmitter;

 private:
  // All memory is strips: Strip::width elements, of which the first count * lanes are in use.
  struct Reduction {
    int stage;
    DType type;
    Value* accumulators;  // kReduceLanes narrow strips, or kWaitingAccumulators wide ones
    Value* chunk_values;  // kMaxChunkLevels strips: the pairwise combination's stack
  };

  // A strip under construction: `count` vectors of `lanes` columns from column `first` on.
  struct Strip {
    int lanes;
    Value* mask;  // null: all lanes are columns
    Value* first;
    Value* count;
    int width;  // elements of memory
    bool wide = false;
  };

  void EmitRows(Value* begin, Value* end) override;

  int NarrowWidth() const;
  int WideWidth() const;

  void AllocateScratch();

  // Columns [from, to) of one line of the innermost loop.
  void EmitLine(Value* from, Value* to);

  void EmitStrip(const Strip& strip);

  // `c` counts columns within the strip.
  void ForEachVector(const Strip& strip, const std::function<void(Value* c)>& body);

  Value* SlotAddress(DType type, Value* strips, Value* index, Value* c, const Strip& strip);
  Value* LoadSlot(DType type, Value* strips, Value* index, Value* c, const Strip& strip);
  void StoreSlot(DType type, Value* value, Value* strips, Value* index, Value* c, const Strip& strip);
  Value* RowValue(const Source& source, const Strip& strip, Value* c);
  Value* LoadInput(int input, const std::vector<Value*>& bases, const Strip& strip, Value* c);
  void StoreOutput(int output, Value* value, const std::vector<Value*>& bases, const Strip& strip, Value* c);
  Site SiteAt(const Strip& strip, Value* c, Value* element);

  void EmitRowStages(const LoopSchedule::Loop& loop, const Strip& strip, Value* c);

  void EmitElementLoop(const LoopSchedule::Loop& loop, const Strip& strip);

  // Reduces elements [begin, end) of each column of the strip; the chunk's value is accumulator 0.
  void EmitChunk(const LoopSchedule::Loop& loop, const Strip& strip,
                 const std::vector<Reduction*>& reductions, const Odometer& odometer, Value* begin,
                 Value* end);

  // The same, one accumulator after the other, in the order of the tree by which they are combined.
  void EmitChunkByAccumulator(const LoopSchedule::Loop& loop, const Strip& strip,
                              const std::vector<Reduction*>& reductions, Value* begin, Value* end);

  // How many elements are loaded at a time: one where the code is long.
  int Together(const LoopSchedule::Loop& loop) const;

  // left = combine(left, right), of slots.
  void CombineSlots(const std::vector<Reduction*>& reductions, const Strip& strip, Value* left, Value* right);

  // The values that are reduced, of elements at these bases.
  std::map<Reduction*, Value*> Reduced(const LoopSchedule::Loop& loop, const Strip& strip,
                                       const std::vector<Reduction*>& reductions, Value* i, Value* c,
                                       const std::vector<Value*>& bases);

  // Elements first, first + distance, ...: their indices, and the operands' addresses there.
  std::vector<std::pair<Value*, std::vector<Value*>>> Elements(Value* first, int count, Value* distance);

  // Elements first, first + kReduceLanes, ... before `end` into the strip `slot`.
  void EmitAccumulator(const LoopSchedule::Loop& loop, const Strip& strip,
                       const std::vector<Reduction*>& reductions, Value* first, Value* end, Value* slot);

  // kTogether accumulators of one element each, combined, into the strip `slot`: elements first, first +
  // step, ..., in the order of the tree, which reverses the bits of their numbers.
  void EmitSingles(const LoopSchedule::Loop& loop, const Strip& strip,
                   const std::vector<Reduction*>& reductions, Value* first, Value* step, Value* slot);

  // As in the row form: a binary counter of chunk values, a strip each.
  void PushChunk(const std::vector<Reduction*>& reductions, const Strip& strip, llvm::AllocaInst* depth,
                 llvm::AllocaInst* number);
  void PopChunks(const std::vector<Reduction*>& reductions, const Strip& strip, llvm::AllocaInst* depth);

  // strip 0 of right(r) = combine(chunk value `level`, strip 0 of right(r))
  void CombineLeft(const std::vector<Reduction*>& reductions, const Strip& strip, Value* level,
                   const std::function<Value*(Reduction*)>& right);

  // Addresses of the operands' line for the element at which the odometer stands.
  std::vector<Value*> BasesAt(const Odometer& odometer);

  // Elements [begin, end) of the strip's columns; the odometer stands at `begin` and is moved to
  // `end`.
  void EmitElements(const LoopSchedule::Loop& loop, const Strip& strip, const Odometer& odometer,
                    Value* begin, Value* end,
                    const std::function<void(Value* i, Value* c, Values& values)>& use);

  void EvaluateElements(const LoopSchedule::Loop& loop, const Strip& strip, Value* i, Value* c,
                        const std::vector<Value*>& bases, Values& values);

  const LoopDim* inner_ = nullptr;
  bool has_wide_strips_ = false;
  Value* length_ = nullptr;
  LoopSchedule schedule_;
  std::vector<Reduction> reductions_;
  std::map<SourceKey, Value*> row_values_;  // a strip each
  std::map<SourceKey, Value*> kept_;        // a strip for each element of a row
  // Of the line under construction.
  Value* line_begin_ = nullptr;  // its first row
  std::vector<Value*> lines_;    // addresses, per operand
};

}  // namespace tenfold

#endif  // TENFOLD_KERNELS_LLVM_COLUMN_EMITTER_H_
