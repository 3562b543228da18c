// SPDX-License-Identifier: Apache-2.0
//
// Wide strips down the reduced space, one accumulator after the other.
#include <bit>
#include <cstdint>

#include "tenfold/kernels/llvm/column_emitter.h"

namespace tenfold {
namespace {

// How many elements are loaded at a time: several streams from memory.
constexpr int kTogether = 8;

}  // namespace

void ColumnEmitter::EmitChunkByAccumulator(const LoopSchedule::Loop& loop, const Strip& strip,
                                           const std::vector<Reduction*>& reductions, Value* begin,
                                           Value* end) {
  // Only accumulators that an element reaches are in use. The tree has the leaves of the next power of
  // two; number p is accumulator p with its bits reversed.
  Value* used = Min(b_.CreateSub(end, begin), I64(kReduceLanes));
  Value* unused_bits =
      b_.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, b_.CreateSub(used, I64(1)), b_.getFalse());
  Value* leaves = b_.CreateSelect(b_.CreateICmpEQ(used, I64(1)), I64(1),
                                  b_.CreateShl(I64(1), b_.CreateSub(I64(64), unused_bits)));
  const auto accumulator_of = [&](Value* p) {
    Value* reversed = b_.CreateUnaryIntrinsic(llvm::Intrinsic::bitreverse, p);
    // Of one leaf the shift would be by all bits; p is 0 then.
    return b_.CreateLShr(reversed, b_.CreateAnd(unused_bits, I64(63)));
  };
  llvm::AllocaInst* waiting = Variable(b_.getInt64Ty(), I64(0), "waiting");
  // Accumulator p stands in slot `waiting`, or all 2^from that end with p, combined. It is combined with
  // 2^k on its left while there are as many, unless it is unused.
  const auto combine = [&](Value* p, int64_t from) {
    Set(waiting, b_.CreateAdd(Get(waiting), I64(1)));
    Value* times = b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, b_.CreateNot(p), b_.getFalse());
    For(I64(from), times, 1, [&](Value* k) {
      Value* right = b_.CreateSub(Get(waiting), I64(1));
      Set(waiting, right);
      Value* first_leaf = b_.CreateAdd(b_.CreateSub(p, b_.CreateShl(I64(1), k)), I64(1));
      If(b_.CreateICmpSLT(accumulator_of(first_leaf), used),
         [&] { CombineSlots(reductions, strip, b_.CreateSub(right, I64(1)), right); });
    });
  };
  const auto one_by_one = [&](Value* from, Value* to) {
    For(from, to, 1, [&](Value* p) {
      Value* first = b_.CreateAdd(begin, accumulator_of(p));
      If(b_.CreateICmpSLT(first, end),
         [&] { EmitAccumulator(loop, strip, reductions, first, end, Get(waiting)); });
      combine(p, 0);
    });
  };
  if (Together(loop) == 1) return one_by_one(I64(0), leaves);
  // Where each has one element, kTogether accumulators are computed in registers.
  Value* step = b_.CreateLShr(leaves, I64(std::bit_width(unsigned{kTogether}) - 1));
  Value* single = b_.CreateAnd(b_.CreateICmpSLE(b_.CreateSub(end, begin), I64(kReduceLanes)),
                               b_.CreateICmpSGT(step, I64(0)));
  For(I64(0), leaves, kTogether, [&](Value* p) {
    Value* first = accumulator_of(p);
    Value* last = b_.CreateAdd(first, b_.CreateMul(step, I64(kTogether - 1)));
    Value* all = b_.CreateAnd(single, b_.CreateICmpSLT(last, used));
    If(all, [&] {
      EmitSingles(loop, strip, reductions, b_.CreateAdd(begin, first), step, Get(waiting));
      combine(b_.CreateAdd(p, I64(kTogether - 1)), std::bit_width(unsigned{kTogether}) - 1);
    });
    If(b_.CreateNot(all), [&] { one_by_one(p, Min(b_.CreateAdd(p, I64(kTogether)), leaves)); });
  });
}

int ColumnEmitter::Together(const LoopSchedule::Loop& loop) const {
  constexpr size_t kLongCode = 16;
  size_t instructions = 0;
  for (int s = loop.begin_stage; s < loop.end_stage; ++s)
    instructions += kernel_.stages[s].program.instrs.size();
  return instructions > kLongCode ? 1 : kTogether;
}

void ColumnEmitter::CombineSlots(const std::vector<Reduction*>& reductions, const Strip& strip, Value* left,
                                 Value* right) {
  ForEachVector(strip, [&](Value* c) {
    for (Reduction* r : reductions) {
      Value* low = LoadSlot(r->type, r->accumulators, left, c, strip);
      Value* high = LoadSlot(r->type, r->accumulators, right, c, strip);
      StoreSlot(r->type, Combine(kernel_.stages[r->stage], low, high, strip.lanes), r->accumulators, left, c,
                strip);
    }
  });
}

std::map<ColumnEmitter::Reduction*, llvm::Value*> ColumnEmitter::Reduced(
    const LoopSchedule::Loop& loop, const Strip& strip, const std::vector<Reduction*>& reductions, Value* i,
    Value* c, const std::vector<Value*>& bases) {
  Values values;
  EvaluateElements(loop, strip, i, c, bases, values);
  std::map<Reduction*, Value*> reduced;
  for (Reduction* r : reductions) reduced[r] = values[{r->stage, 0}];
  return reduced;
}

std::vector<std::pair<llvm::Value*, std::vector<llvm::Value*>>> ColumnEmitter::Elements(Value* first,
                                                                                        int count,
                                                                                        Value* distance) {
  std::vector<std::pair<Value*, std::vector<Value*>>> elements;
  for (int n = 0; n < count; ++n) {
    Value* i = b_.CreateAdd(first, b_.CreateMul(distance, I64(n)));
    elements.emplace_back(i, BasesAt(StartOdometer(space_.reduced, i, "element")));
  }
  return elements;
}

void ColumnEmitter::EmitAccumulator(const LoopSchedule::Loop& loop, const Strip& strip,
                                    const std::vector<Reduction*>& reductions, Value* first, Value* end,
                                    Value* slot) {
  const auto combine = [&](Value* from, int count, bool fresh) {
    const auto elements = Elements(from, count, I64(kReduceLanes));
    ForEachVector(strip, [&](Value* c) {
      std::map<Reduction*, Value*> sums;
      for (Reduction* r : reductions) {
        sums[r] =
            fresh ? Identity(r->stage, strip.lanes) : LoadSlot(r->type, r->accumulators, slot, c, strip);
      }
      for (const auto& [i, bases] : elements) {
        for (const auto& [r, value] : Reduced(loop, strip, reductions, i, c, bases)) {
          sums[r] = Combine(kernel_.stages[r->stage], sums[r], value, strip.lanes);
        }
      }
      for (Reduction* r : reductions) StoreSlot(r->type, sums[r], r->accumulators, slot, c, strip);
    });
  };
  const int together = Together(loop);
  llvm::AllocaInst* rest = Variable(b_.getInt64Ty(), b_.CreateAdd(first, I64(kReduceLanes)), "rest");
  Value* last = b_.CreateSub(end, I64((together - 1) * kReduceLanes));
  Value* many = b_.CreateICmpSLT(first, last);
  If(many, [&] {
    combine(first, together, true);
    Value* second = b_.CreateAdd(first, I64(together * kReduceLanes));
    Set(rest, second);
    For(second, last, together * kReduceLanes, [&](Value* i) {
      combine(i, together, false);
      Set(rest, b_.CreateAdd(i, I64(together * kReduceLanes)));
    });
  });
  if (together == 1) return;
  If(b_.CreateNot(many), [&] { combine(first, 1, true); });
  For(Get(rest), end, kReduceLanes, [&](Value* i) { combine(i, 1, false); });
}

void ColumnEmitter::EmitSingles(const LoopSchedule::Loop& loop, const Strip& strip,
                                const std::vector<Reduction*>& reductions, Value* first, Value* step,
                                Value* slot) {
  const auto elements = Elements(first, kTogether, step);
  ForEachVector(strip, [&](Value* c) {
    std::vector<std::map<Reduction*, Value*>> accumulators;
    for (const auto& [i, bases] : elements) {
      accumulators.push_back(Reduced(loop, strip, reductions, i, c, bases));
      for (auto& [r, value] : accumulators.back()) {
        value = Combine(kernel_.stages[r->stage], Identity(r->stage, strip.lanes), value, strip.lanes);
      }
    }
    for (int half = kTogether / 2; half > 0; half /= 2) {
      for (int n = 0; n < half; ++n) {
        for (auto& [r, value] : accumulators[n]) {
          value = Combine(kernel_.stages[r->stage], value, accumulators[n + half][r], strip.lanes);
        }
      }
    }
    for (Reduction* r : reductions) StoreSlot(r->type, accumulators[0][r], r->accumulators, slot, c, strip);
  });
}

}  // namespace tenfold
