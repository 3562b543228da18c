// SPDX-License-Identifier: Apache-2.0
//
// Strips, and narrow ones down the reduced space.
#include <algorithm>
#include <bit>
#include <cstdint>

#include "tenfold/kernels/llvm/column_emitter.h"

namespace tenfold {
namespace {

constexpr int kStripVectors = 4;
constexpr int kWideStripVectors = 64;
constexpr int kFewestWideVectors = 8;
// Accumulators in the order in which halving combines them: 0, 32, 16, 48, 8, ...; as many wait for
// another as the tree has levels.
constexpr int kWaitingAccumulators = std::bit_width(unsigned{kReduceLanes});
constexpr int kMaxChunkLevels = 52;  // 2^63 / kReduceChunk chunks halve this often

}  // namespace

void ColumnEmitter::EmitRows(Value* begin, Value* end) {
  length_ = Extent(space_.reduced);
  schedule_ = ScheduleLoops(kernel_);
  has_wide_strips_ = schedule_.kept.empty() && std::count_if(schedule_.loops.begin(), schedule_.loops.end(),
                                                             [](const auto& l) { return !l.per_row; }) == 1;
  std::vector<LoopDim> outer = space_.parallel;
  if (!outer.empty()) {
    inner_ = &space_.parallel.back();
    outer.pop_back();
  }
  AllocateScratch();
  Value* line = inner_ == nullptr ? I64(1) : Extent(*inner_);
  If(b_.CreateICmpSLT(begin, end), [&] {
    Value* first_line = b_.CreateUDiv(begin, line);
    Value* last_line = b_.CreateUDiv(b_.CreateSub(end, I64(1)), line);
    const Odometer odometer = StartOdometer(outer, first_line, "outer");
    For(first_line, b_.CreateAdd(last_line, I64(1)), 1, [&](Value* i) {
      line_begin_ = b_.CreateMul(i, line);
      Value* from = b_.CreateBinaryIntrinsic(llvm::Intrinsic::smax, b_.CreateSub(begin, line_begin_), I64(0));
      Value* to = Min(b_.CreateSub(end, line_begin_), line);
      lines_.clear();
      for (int o = 0; o < OutputOperand(static_cast<int>(kernel_.outputs.size())); ++o) {
        lines_.push_back(ElementAddress(o, Base(o), Offset(odometer, o)));
      }
      EmitLine(from, to);
      Advance(odometer);
    });
  });
}

int ColumnEmitter::NarrowWidth() const { return kStripVectors * lanes(); }
int ColumnEmitter::WideWidth() const {
  return has_wide_strips_ ? kWideStripVectors * lanes() : NarrowWidth();
}

void ColumnEmitter::AllocateScratch() {
  const int accumulators = std::max(kReduceLanes * NarrowWidth(), kWaitingAccumulators * WideWidth());
  for (int s = 0; s < static_cast<int>(kernel_.stages.size()); ++s) {
    const FusedKernel::Stage& stage = kernel_.stages[s];
    if (stage.kind == FusedKernel::Stage::kReduce) {
      const DType type = AccumulatorType(s);
      reductions_.push_back(
          {s, type, ScratchArray(type, accumulators), ScratchArray(type, kMaxChunkLevels * WideWidth())});
    }
    for (int o = 0; o < static_cast<int>(stage.program.outputs.size()); ++o) {
      const Source source{.kind = Source::kStage, .index = s, .output = o};
      if (kernel_.IsPerRow(source)) {
        row_values_[KeyOf(source)] = ScratchArray(kernel_.SourceType(source), WideWidth());
      }
    }
  }
  for (const Source& kept : schedule_.kept) {
    kept_[KeyOf(kept)] = ScratchRow(kernel_.SourceType(kept), NarrowWidth(), length_);
  }
}

void ColumnEmitter::EmitLine(Value* from, Value* to) {
  Value* whole = WholeSteps(from, to, lanes());
  if (has_wide_strips_) {
    // Until less than the fewest vectors are left.
    Value* last = b_.CreateSub(whole, I64((kFewestWideVectors - 1) * lanes()));
    llvm::AllocaInst* next = Variable(b_.getInt64Ty(), from, "next");
    For(from, last, WideWidth(), [&](Value* first) {
      Value* columns = Min(b_.CreateSub(whole, first), I64(WideWidth()));
      Value* vectors = b_.CreateSDiv(columns, I64(lanes()));
      EmitStrip({lanes(), nullptr, first, vectors, WideWidth(), true});
      Set(next, b_.CreateAdd(first, columns));
    });
    from = Get(next);
  }
  For(from, whole, NarrowWidth(), [&](Value* first) {
    Value* vectors = b_.CreateSDiv(b_.CreateSub(whole, first), I64(lanes()));
    EmitStrip({lanes(), nullptr, first, Min(vectors, I64(kStripVectors)), NarrowWidth()});
  });
  If(b_.CreateICmpSLT(whole, to), [&] {
    Value* rest = b_.CreateSub(to, whole);
    if (target_.masked()) {
      EmitStrip({lanes(), MaskBelow(rest, lanes()), whole, I64(1), NarrowWidth()});
    } else {
      EmitStrip({1, nullptr, whole, rest, NarrowWidth()});
    }
  });
}

void ColumnEmitter::EmitStrip(const Strip& strip) {
  for (const LoopSchedule::Loop& loop : schedule_.loops) {
    if (loop.per_row) {
      ForEachVector(strip, [&](Value* c) { EmitRowStages(loop, strip, c); });
    } else {
      EmitElementLoop(loop, strip);
    }
  }
  ForEachVector(strip, [&](Value* c) {
    for (int o = 0; o < static_cast<int>(kernel_.outputs.size()); ++o) {
      const Source& source = kernel_.outputs[o].source;
      if (kernel_.IsPerRow(source)) StoreOutput(o, RowValue(source, strip, c), lines_, strip, c);
    }
  });
}

void ColumnEmitter::ForEachVector(const Strip& strip, const std::function<void(Value* c)>& body) {
  For(I64(0), b_.CreateMul(strip.count, I64(strip.lanes)), strip.lanes, body);
}

llvm::Value* ColumnEmitter::SlotAddress(DType type, Value* strips, Value* index, Value* c,
                                        const Strip& strip) {
  return At(type, strips, b_.CreateAdd(b_.CreateMul(index, I64(strip.width)), c));
}

llvm::Value* ColumnEmitter::LoadSlot(DType type, Value* strips, Value* index, Value* c, const Strip& strip) {
  return Load(type, SlotAddress(type, strips, index, c, strip), I64(1), strip.lanes, nullptr);
}

void ColumnEmitter::StoreSlot(DType type, Value* value, Value* strips, Value* index, Value* c,
                              const Strip& strip) {
  Store(type, value, SlotAddress(type, strips, index, c, strip), I64(1), strip.lanes, nullptr);
}

llvm::Value* ColumnEmitter::RowValue(const Source& source, const Strip& strip, Value* c) {
  return LoadSlot(kernel_.SourceType(source), row_values_[KeyOf(source)], I64(0), c, strip);
}

llvm::Value* ColumnEmitter::LoadInput(int input, const std::vector<Value*>& bases, const Strip& strip,
                                      Value* c) {
  Value* stride = inner_ == nullptr ? I64(0) : Stride(input, *inner_);
  Value* offset = b_.CreateMul(b_.CreateAdd(strip.first, c), stride);
  return Load(kernel_.inputs[input].dtype, ElementAddress(input, bases[input], offset), stride, strip.lanes,
              strip.mask);
}

void ColumnEmitter::StoreOutput(int output, Value* value, const std::vector<Value*>& bases,
                                const Strip& strip, Value* c) {
  const FusedKernel::Output& o = kernel_.outputs[output];
  const int operand = OutputOperand(output);
  if (o.canonicalize_nans) value = EmitCanonicalNan(b_, value, o.operand.dtype);
  Value* stride = inner_ == nullptr ? I64(0) : Stride(operand, *inner_);
  Value* offset = b_.CreateMul(b_.CreateAdd(strip.first, c), stride);
  Store(o.operand.dtype, value, ElementAddress(operand, bases[operand], offset), stride, strip.lanes,
        strip.mask);
}

KernelEmitter::Site ColumnEmitter::SiteAt(const Strip& strip, Value* c, Value* element) {
  Site site;
  site.lanes = strip.lanes;
  site.mask = strip.mask;
  site.index = [this, first = strip.first, c, element] {
    Value* row = b_.CreateAdd(line_begin_, b_.CreateAdd(first, c));
    return b_.CreateAdd(b_.CreateMul(row, length_), element);
  };
  site.index_step = length_;
  return site;
}

void ColumnEmitter::EmitRowStages(const LoopSchedule::Loop& loop, const Strip& strip, Value* c) {
  Site site = SiteAt(strip, c, I64(0));
  site.fetch = [&](const Source& source) {
    return source.kind == Source::kInput ? LoadInput(source.index, lines_, strip, c)
                                         : RowValue(source, strip, c);
  };
  Values values;
  for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
    const std::vector<Value*> outputs = EvaluateStage(s, site, values);
    for (int o = 0; o < static_cast<int>(outputs.size()); ++o) {
      const Source source{.kind = Source::kStage, .index = s, .output = o};
      StoreSlot(kernel_.SourceType(source), outputs[o], row_values_[KeyOf(source)], I64(0), c, strip);
    }
  }
}

void ColumnEmitter::EmitElementLoop(const LoopSchedule::Loop& loop, const Strip& strip) {
  std::vector<Reduction*> reductions;
  for (Reduction& r : reductions_) {
    if (r.stage >= loop.begin_stage && r.stage < loop.end_stage) reductions.push_back(&r);
  }
  If(b_.CreateICmpSGT(length_, I64(0)), [&] {
    const Odometer odometer = StartOdometer(space_.reduced, I64(0), "reduced");
    if (reductions.empty()) {
      For(I64(0), length_, kReduceChunk, [&](Value* begin) {
        Poll(begin, kReduceChunk);
        EmitElements(loop, strip, odometer, begin, Min(length_, b_.CreateAdd(begin, I64(kReduceChunk))),
                     [](Value*, Value*, Values&) {});
      });
      return;
    }
    llvm::AllocaInst* depth = Variable(b_.getInt64Ty(), I64(0), "depth");
    llvm::AllocaInst* number = Variable(b_.getInt64Ty(), I64(0), "chunk");
    For(I64(0), length_, kReduceChunk, [&](Value* begin) {
      Poll(begin, kReduceChunk);
      Value* end = Min(length_, b_.CreateAdd(begin, I64(kReduceChunk)));
      if (strip.wide) {
        EmitChunkByAccumulator(loop, strip, reductions, begin, end);
      } else {
        EmitChunk(loop, strip, reductions, odometer, begin, end);
      }
      PushChunk(reductions, strip, depth, number);
    });
    PopChunks(reductions, strip, depth);
  });
  // A row without elements: what the strip holds is not looked at.
  ForEachVector(strip, [&](Value* c) {
    for (Reduction* r : reductions) {
      Value* slots = row_values_[{r->stage, 0}];
      Value* value = LoadSlot(r->type, slots, I64(0), c, strip);
      StoreSlot(r->type, OrEmpty(r->stage, value, length_, strip.lanes), slots, I64(0), c, strip);
    }
  });
}

void ColumnEmitter::EmitChunk(const LoopSchedule::Loop& loop, const Strip& strip,
                              const std::vector<Reduction*>& reductions, const Odometer& odometer,
                              Value* begin, Value* end) {
  Value* used = Min(b_.CreateSub(end, begin), I64(kReduceLanes));
  For(I64(0), used, 1, [&](Value* lane) {
    ForEachVector(strip, [&](Value* c) {
      for (Reduction* r : reductions) {
        StoreSlot(r->type, Identity(r->stage, strip.lanes), r->accumulators, lane, c, strip);
      }
    });
  });
  EmitElements(loop, strip, odometer, begin, end, [&](Value* i, Value* c, Values& values) {
    Value* lane = b_.CreateAnd(b_.CreateSub(i, begin), I64(kReduceLanes - 1));
    for (Reduction* r : reductions) {
      Value* old = LoadSlot(r->type, r->accumulators, lane, c, strip);
      Value* next = Combine(kernel_.stages[r->stage], old, values[{r->stage, 0}], strip.lanes);
      StoreSlot(r->type, next, r->accumulators, lane, c, strip);
    }
  });
  // Accumulators that no element reached hold the identity, which changes nothing: they are left
  // out.
  llvm::AllocaInst* live = Variable(b_.getInt64Ty(), used, "live");
  llvm::AllocaInst* half = Variable(b_.getInt64Ty(), I64(kReduceLanes / 2), "half");
  For(I64(0), I64(6), 1, [&](Value*) {
    Value* h = Get(half);
    For(I64(0), b_.CreateSub(Get(live), h), 1, [&](Value* lane) {
      ForEachVector(strip, [&](Value* c) {
        for (Reduction* r : reductions) {
          Value* low = LoadSlot(r->type, r->accumulators, lane, c, strip);
          Value* high = LoadSlot(r->type, r->accumulators, b_.CreateAdd(lane, h), c, strip);
          StoreSlot(r->type, Combine(kernel_.stages[r->stage], low, high, strip.lanes), r->accumulators, lane,
                    c, strip);
        }
      });
    });
    Set(live, Min(Get(live), h));
    Set(half, b_.CreateLShr(h, I64(1)));
  });
}

void ColumnEmitter::PushChunk(const std::vector<Reduction*>& reductions, const Strip& strip,
                              llvm::AllocaInst* depth, llvm::AllocaInst* number) {
  Value* chunk = Get(number);
  Set(number, b_.CreateAdd(chunk, I64(1)));
  Value* ones = b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, b_.CreateNot(chunk), b_.getFalse());
  For(I64(0), ones, 1, [&](Value*) {
    Value* top = b_.CreateSub(Get(depth), I64(1));
    Set(depth, top);
    CombineLeft(reductions, strip, top, [](Reduction* r) { return r->accumulators; });
  });
  Value* top = Get(depth);
  ForEachVector(strip, [&](Value* c) {
    for (Reduction* r : reductions) {
      StoreSlot(r->type, LoadSlot(r->type, r->accumulators, I64(0), c, strip), r->chunk_values, top, c,
                strip);
    }
  });
  Set(depth, b_.CreateAdd(top, I64(1)));
}

void ColumnEmitter::PopChunks(const std::vector<Reduction*>& reductions, const Strip& strip,
                              llvm::AllocaInst* depth) {
  const auto row_value = [&](Reduction* r) { return row_values_[{r->stage, 0}]; };
  Value* last = b_.CreateSub(Get(depth), I64(1));
  ForEachVector(strip, [&](Value* c) {
    for (Reduction* r : reductions) {
      StoreSlot(r->type, LoadSlot(r->type, r->chunk_values, last, c, strip), row_value(r), I64(0), c, strip);
    }
  });
  For(I64(0), last, 1, [&](Value* i) {
    CombineLeft(reductions, strip, b_.CreateSub(b_.CreateSub(last, i), I64(1)), row_value);
  });
}

void ColumnEmitter::CombineLeft(const std::vector<Reduction*>& reductions, const Strip& strip, Value* level,
                                const std::function<Value*(Reduction*)>& right) {
  ForEachVector(strip, [&](Value* c) {
    for (Reduction* r : reductions) {
      Value* left = LoadSlot(r->type, r->chunk_values, level, c, strip);
      Value* old = LoadSlot(r->type, right(r), I64(0), c, strip);
      StoreSlot(r->type, Combine(kernel_.stages[r->stage], left, old, strip.lanes), right(r), I64(0), c,
                strip);
    }
  });
}

std::vector<llvm::Value*> ColumnEmitter::BasesAt(const Odometer& odometer) {
  std::vector<Value*> bases;
  for (int o = 0; o < static_cast<int>(lines_.size()); ++o) {
    bases.push_back(ElementAddress(o, lines_[o], Offset(odometer, o)));
  }
  return bases;
}

void ColumnEmitter::EmitElements(const LoopSchedule::Loop& loop, const Strip& strip, const Odometer& odometer,
                                 Value* begin, Value* end,
                                 const std::function<void(Value* i, Value* c, Values& values)>& use) {
  For(begin, end, 1, [&](Value* i) {
    const std::vector<Value*> bases = BasesAt(odometer);
    ForEachVector(strip, [&](Value* c) {
      Values values;
      EvaluateElements(loop, strip, i, c, bases, values);
      use(i, c, values);
    });
    Advance(odometer);
  });
}

void ColumnEmitter::EvaluateElements(const LoopSchedule::Loop& loop, const Strip& strip, Value* i, Value* c,
                                     const std::vector<Value*>& bases, Values& values) {
  Site site = SiteAt(strip, c, i);
  site.fetch = [&](const Source& source) -> Value* {
    if (source.kind == Source::kInput) return LoadInput(source.index, bases, strip, c);
    if (kernel_.IsPerRow(source)) return RowValue(source, strip, c);
    return LoadSlot(kernel_.SourceType(source), kept_[KeyOf(source)], i, c, strip);
  };
  for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
    const std::vector<Value*> outputs = EvaluateStage(s, site, values);
    if (kernel_.stages[s].kind == FusedKernel::Stage::kReduce) continue;
    for (int o = 0; o < static_cast<int>(outputs.size()); ++o) {
      const Source source{.kind = Source::kStage, .index = s, .output = o};
      const auto kept = kept_.find(KeyOf(source));
      if (kept != kept_.end()) {
        StoreSlot(kernel_.SourceType(source), outputs[o], kept->second, i, c, strip);
      }
      for (int k = 0; k < static_cast<int>(kernel_.outputs.size()); ++k) {
        if (kernel_.outputs[k].source == source) StoreOutput(k, outputs[o], bases, strip, c);
      }
    }
  }
}

ScratchSize EmitColumnKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                             const std::string& symbol) {
  return ColumnEmitter(module, kernel, target, symbol).Emit();
}

}  // namespace tenfold
