// SPDX-License-Identifier: Apache-2.0
//
// Row kernels: one reduced loop, vectors along it. A row's stages run loop after loop
// (ScheduleLoops), so that its elements are still in the first cache when the next loop reads them.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tenfold/kernels/llvm/kernel_emitter.h"

namespace tenfold {
namespace {

// Accumulators in registers cost a copy of the loop's body each; past these bounds they live on the
// stack.
constexpr int kMaxRegisterAccumulators = 8;  // vectors a reduction
constexpr int kMaxUnrolledInstrs = 1200;

// Elements of a row between polls: some microseconds to a few milliseconds.
constexpr int64_t kPollElements = 16 * kReduceChunk;

constexpr int kMaxChunkLevels = 52;  // 2^63 / kReduceChunk chunks halve this often

class RowEmitter : public KernelEmitter {
 public:
  using KernelEmitter::KernelEmitter;

 private:
  // The state of one reduce stage within a row.
  struct Reduction {
    int stage;
    DType type;
    std::vector<llvm::AllocaInst*> registers;  // kReduceLanes / lanes() vectors, or empty
    Value* memory;                             // kReduceLanes elements on the stack
    Value* chunk_values;                       // the pairwise combination's stack
  };

  void EmitRows(Value* begin, Value* end) override {
    reduced_ = &space_.reduced[0];
    length_ = Extent(*reduced_);
    schedule_ = ScheduleLoops(kernel_);
    for (const Source& kept : schedule_.kept) {
      const std::optional<int> output = OutputThatCanHold(kept);
      if (output.has_value()) {
        held_by_output_[KeyOf(kept)] = *output;
      } else {
        kept_[KeyOf(kept)] = ScratchRow(kernel_.SourceType(kept), 1, length_);
      }
    }
    for (int s = 0; s < static_cast<int>(kernel_.stages.size()); ++s) {
      if (kernel_.stages[s].kind != FusedKernel::Stage::kReduce) continue;
      const DType type = AccumulatorType(s);
      reductions_.push_back({s,
                             type,
                             {},
                             StackArray(type, kReduceLanes, "accumulators"),
                             FewChunks() ? nullptr : StackArray(type, kMaxChunkLevels, "chunks")});
    }
    If(b_.CreateICmpSLT(begin, end), [&] {
      const Odometer odometer = StartOdometer(space_.parallel, begin, "row");
      For(begin, end, 1, [&](Value* row) {
        EmitRow(odometer, row);
        Advance(odometer);
      });
    });
  }

  int LoopOf(int stage) const {
    int loop = 0;
    while (stage >= schedule_.loops[loop].end_stage) ++loop;
    return loop;
  }

  // A kept value may wait in the row of an output that the value's last reader, or a later loop, overwrites:
  // that saves a pass over other memory. Not if a later loop still reads an input's elements, since the input
  // may be the same memory as the output.
  std::optional<int> OutputThatCanHold(const Source& kept) const {
    const int written = LoopOf(kept.index);
    int last_read = written;
    for (int s = schedule_.loops[written].end_stage; s < static_cast<int>(kernel_.stages.size()); ++s) {
      for (const Source& source : kernel_.stages[s].inputs) {
        if (source == kept) last_read = LoopOf(s);
        if (source.kind == Source::kInput) return std::nullopt;
      }
    }
    for (int o = 0; o < static_cast<int>(kernel_.outputs.size()); ++o) {
      const FusedKernel::Output& output = kernel_.outputs[o];
      const bool taken = std::any_of(held_by_output_.begin(), held_by_output_.end(),
                                     [&](const auto& held) { return held.second == o; });
      if (!taken && !kernel_.IsPerRow(output.source) && LoopOf(output.source.index) >= last_read &&
          output.operand.dtype == kernel_.SourceType(kept) &&
          output.operand.strides[reduced_->stride_dim()] == Dim(1)) {
        return o;
      }
    }
    return std::nullopt;
  }

  bool RowIsAtMost(int64_t elements) const {
    const auto* n = llvm::dyn_cast<llvm::ConstantInt>(length_);
    return n != nullptr && n->getSExtValue() <= elements;
  }
  // True if a row is known to be at most one chunk.
  bool FewChunks() const { return RowIsAtMost(kReduceChunk); }

  void EmitRow(const Odometer& odometer, Value* row) {
    row_ = row;
    row_values_.clear();
    rows_.clear();
    for (int i = 0; i < OutputOperand(static_cast<int>(kernel_.outputs.size())); ++i) {
      rows_.push_back(ElementAddress(i, Base(i), Offset(odometer, i)));
    }
    for (const auto& [kept, output] : held_by_output_) kept_[kept] = rows_[OutputOperand(output)];
    for (int i = 0; i < static_cast<int>(kernel_.inputs.size()); ++i) {
      if (IsPerRowInput(i)) {
        row_values_[KeyOf({.kind = Source::kInput, .index = i})] =
            Load(kernel_.inputs[i].dtype, rows_[i], I64(0), 1, nullptr);
      }
    }
    for (const LoopSchedule::Loop& loop : schedule_.loops) {
      if (loop.per_row) {
        EmitRowStages(loop);
      } else {
        EmitElementLoop(loop);
      }
    }
    for (int o = 0; o < static_cast<int>(kernel_.outputs.size()); ++o) {
      const FusedKernel::Output& output = kernel_.outputs[o];
      if (!kernel_.IsPerRow(output.source)) continue;
      StoreOutput(o, row_values_[KeyOf(output.source)], I64(0), 1, nullptr);
    }
  }

  void EmitRowStages(const LoopSchedule::Loop& loop) {
    Site site;
    site.fetch = [&](const Source& source) { return row_values_[KeyOf(source)]; };
    site.index = [&] { return b_.CreateMul(row_, length_); };
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) EvaluateStage(s, site, row_values_);
  }

  void EmitElementLoop(const LoopSchedule::Loop& loop) {
    std::vector<Reduction*> reductions;
    for (Reduction& r : reductions_) {
      if (r.stage >= loop.begin_stage && r.stage < loop.end_stage) reductions.push_back(&r);
    }
    if (reductions.empty()) {
      const auto emit = [&](Value* begin, Value* end) {
        EmitVectors(loop, begin, end, [](int, Value*, Value*, Values&) {});
      };
      if (RowIsAtMost(kPollElements)) return emit(I64(0), length_);
      For(I64(0), length_, kPollElements, [&](Value* begin) {
        Poll(begin, kPollElements);
        emit(begin, Min(length_, b_.CreateAdd(begin, I64(kPollElements))));
      });
      return;
    }
    if (FewChunks()) {
      EmitChunk(loop, reductions, I64(0), length_);
      for (Reduction* r : reductions) Finish(*r, Tree(*r));
      return;
    }
    llvm::AllocaInst* depth = Variable(b_.getInt64Ty(), I64(0), "depth");
    llvm::AllocaInst* number = Variable(b_.getInt64Ty(), I64(0), "chunk");
    For(I64(0), length_, kReduceChunk, [&](Value* begin) {
      Poll(begin, kPollElements);
      EmitChunk(loop, reductions, begin, Min(length_, b_.CreateAdd(begin, I64(kReduceChunk))));
      PushChunk(reductions, depth, number);
    });
    PopChunks(reductions, depth);
  }

  // Adds the chunk that was just reduced. As in a binary counter, every trailing 1 of its number is
  // a value of as many chunks that waits for its partner.
  void PushChunk(const std::vector<Reduction*>& reductions, llvm::AllocaInst* depth,
                 llvm::AllocaInst* number) {
    std::vector<llvm::AllocaInst*> values;
    for (Reduction* r : reductions) values.push_back(Variable(Register(r->type, 1), Tree(*r), "value"));
    Value* chunk = Get(number);
    Set(number, b_.CreateAdd(chunk, I64(1)));
    Value* ones = b_.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, b_.CreateNot(chunk), b_.getFalse());
    For(I64(0), ones, 1, [&](Value*) { CombineWithTop(reductions, values, depth); });
    for (size_t i = 0; i < reductions.size(); ++i) {
      Store(reductions[i]->type, Get(values[i]),
            At(reductions[i]->type, reductions[i]->chunk_values, Get(depth)), I64(0), 1, nullptr);
    }
    Set(depth, b_.CreateAdd(Get(depth), I64(1)));
  }

  void CombineWithTop(const std::vector<Reduction*>& reductions, const std::vector<llvm::AllocaInst*>& values,
                      llvm::AllocaInst* depth) {
    Value* top = b_.CreateSub(Get(depth), I64(1));
    Set(depth, top);
    for (size_t i = 0; i < reductions.size(); ++i) {
      const Reduction& r = *reductions[i];
      Value* left = Load(r.type, At(r.type, r.chunk_values, top), I64(0), 1, nullptr);
      Set(values[i], Combine(kernel_.stages[r.stage], left, Get(values[i]), 1));
    }
  }

  // What waits at the end is combined from the shortest on: an odd one out passed up unchanged.
  void PopChunks(const std::vector<Reduction*>& reductions, llvm::AllocaInst* depth) {
    std::vector<llvm::AllocaInst*> values;
    for (Reduction* r : reductions) {
      values.push_back(Variable(Register(r->type, 1), Identity(r->stage, 1), "value"));
    }
    If(b_.CreateICmpSGT(Get(depth), I64(0)), [&] {
      Value* top = b_.CreateSub(Get(depth), I64(1));
      Set(depth, top);
      for (size_t i = 0; i < reductions.size(); ++i) {
        const Reduction& r = *reductions[i];
        Set(values[i], Load(r.type, At(r.type, r.chunk_values, top), I64(0), 1, nullptr));
      }
      For(I64(0), top, 1, [&](Value*) { CombineWithTop(reductions, values, depth); });
    });
    for (size_t i = 0; i < reductions.size(); ++i) Finish(*reductions[i], Get(values[i]));
  }

  void Finish(const Reduction& r, Value* value) {
    row_values_[{r.stage, 0}] = OrEmpty(r.stage, value, length_, 1);
  }

  // Reduces elements [begin, end), at most a chunk, into the accumulators.
  void EmitChunk(const LoopSchedule::Loop& loop, const std::vector<Reduction*>& reductions, Value* begin,
                 Value* end) {
    if (!FitsRegisters(loop)) {
      for (Reduction* r : reductions) {
        r->registers.clear();
        For(I64(0), I64(kReduceLanes), lanes(), [&](Value* i) {
          Store(r->type, Identity(r->stage, lanes()), At(r->type, r->memory, i), I64(1), lanes(), nullptr);
        });
      }
      EmitVectors(loop, begin, end, [&](int lanes, Value* i, Value* mask, Values& values) {
        AccumulateInMemory(reductions, lanes, b_.CreateSub(i, begin), mask, values);
      });
      return;
    }
    const int vectors = kReduceLanes / lanes();
    for (Reduction* r : reductions) {
      r->registers.clear();
      for (int v = 0; v < vectors; ++v) {
        r->registers.push_back(Variable(Register(r->type, lanes()), Identity(r->stage, lanes()), "acc"));
      }
    }
    Value* whole = WholeSteps(begin, end, kReduceLanes);
    const std::map<SourceKey, Value*> splats = Splats(loop, lanes());
    For(begin, whole, kReduceLanes, [&](Value* i) {
      for (int v = 0; v < vectors; ++v) {
        Values values;
        EvaluateElements(loop, lanes(), b_.CreateAdd(i, I64(v * lanes())), nullptr, splats, values);
        for (Reduction* r : reductions) {
          const FusedKernel::Stage& stage = kernel_.stages[r->stage];
          Set(r->registers[v], Combine(stage, Get(r->registers[v]), values[{r->stage, 0}], lanes()));
        }
      }
    });
    If(b_.CreateICmpSLT(whole, end), [&] {
      for (Reduction* r : reductions) Spill(*r);
      EmitVectors(loop, whole, end, [&](int lanes, Value* i, Value* mask, Values& values) {
        AccumulateInMemory(reductions, lanes, b_.CreateSub(i, whole), mask, values);
      });
      for (Reduction* r : reductions) {
        for (int v = 0; v < vectors; ++v) {
          Value* address = At(r->type, r->memory, I64(v * lanes()));
          Set(r->registers[v], Load(r->type, address, I64(1), lanes(), nullptr));
        }
      }
    });
  }

  bool FitsRegisters(const LoopSchedule::Loop& loop) const {
    const int vectors = kReduceLanes / lanes();
    size_t instrs = 0;
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      instrs += kernel_.stages[s].program.instrs.size() + kernel_.stages[s].combine.instrs.size();
    }
    return vectors <= kMaxRegisterAccumulators && instrs * vectors <= kMaxUnrolledInstrs;
  }

  void Spill(const Reduction& r) {
    for (size_t v = 0; v < r.registers.size(); ++v) {
      Store(r.type, Get(r.registers[v]), At(r.type, r.memory, I64(static_cast<int64_t>(v) * lanes())), I64(1),
            lanes(), nullptr);
    }
  }

  void AccumulateInMemory(const std::vector<Reduction*>& reductions, int lanes, Value* position, Value* mask,
                          Values& values) {
    Value* lane = b_.CreateAnd(position, I64(kReduceLanes - 1));
    for (Reduction* r : reductions) {
      Value* address = At(r->type, r->memory, lane);
      Value* old = Load(r->type, address, I64(1), lanes, nullptr);
      Value* next = Combine(kernel_.stages[r->stage], old, values[{r->stage, 0}], lanes);
      if (mask != nullptr) next = b_.CreateSelect(mask, next, old);
      Store(r->type, next, address, I64(1), lanes, nullptr);
    }
  }

  // Halves the accumulators until one is left: whole vectors first, then within one.
  Value* Tree(const Reduction& r) {
    const FusedKernel::Stage& stage = kernel_.stages[r.stage];
    std::vector<Value*> v;
    for (int i = 0; i < kReduceLanes / lanes(); ++i) {
      v.push_back(r.registers.empty()
                      ? Load(r.type, At(r.type, r.memory, I64(i * lanes())), I64(1), lanes(), nullptr)
                      : Get(r.registers[i]));
    }
    while (v.size() > 1) {
      const size_t half = v.size() / 2;
      for (size_t i = 0; i < half; ++i) v[i] = Combine(stage, v[i], v[i + half], lanes());
      v.resize(half);
    }
    Value* value = v[0];
    for (int width = lanes(); width > 1; width /= 2) {
      std::vector<int> low, high;
      for (int i = 0; i < width / 2; ++i) {
        low.push_back(i);
        high.push_back(i + width / 2);
      }
      if (width == 2) {
        return Combine(stage, b_.CreateExtractElement(value, uint64_t{0}),
                       b_.CreateExtractElement(value, uint64_t{1}), 1);
      }
      value =
          Combine(stage, b_.CreateShuffleVector(value, low), b_.CreateShuffleVector(value, high), width / 2);
    }
    return value;
  }

  // Elements [begin, end) in vectors, then the rest under a mask or one by one. `use` sees the
  // values of each.
  void EmitVectors(const LoopSchedule::Loop& loop, Value* begin, Value* end,
                   const std::function<void(int lanes, Value* i, Value* mask, Values& values)>& use) {
    const auto body = [&](int lanes, Value* i, Value* mask, const std::map<SourceKey, Value*>& splats) {
      Values values;
      EvaluateElements(loop, lanes, i, mask, splats, values);
      use(lanes, i, mask, values);
    };
    const std::map<SourceKey, Value*> splats = Splats(loop, lanes());
    Value* whole = WholeSteps(begin, end, lanes());
    For(begin, whole, lanes(), [&](Value* i) { body(lanes(), i, nullptr, splats); });
    if (target_.masked()) {
      If(b_.CreateICmpSLT(whole, end),
         [&] { body(lanes(), whole, MaskBelow(b_.CreateSub(end, whole), lanes()), splats); });
    } else {
      For(whole, end, 1, [&](Value* i) { body(1, i, nullptr, row_values_); });
    }
  }

  // Per-row values that the loop reads, spread over vectors ahead of it.
  std::map<SourceKey, Value*> Splats(const LoopSchedule::Loop& loop, int lanes) {
    std::map<SourceKey, Value*> splats;
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      for (const Source& source : kernel_.stages[s].inputs) {
        const auto it = row_values_.find(KeyOf(source));
        if (it != row_values_.end()) splats[it->first] = Splat(it->second, lanes);
      }
    }
    return splats;
  }

  // The loop's stages for `lanes` elements from `i` on; stores what is an output or read by a later
  // loop.
  void EvaluateElements(const LoopSchedule::Loop& loop, int lanes, Value* i, Value* mask,
                        const std::map<SourceKey, Value*>& splats, Values& values) {
    Site site;
    site.lanes = lanes;
    site.mask = mask;
    site.fetch = [&](const Source& source) -> Value* {
      const auto splat = splats.find(KeyOf(source));
      if (splat != splats.end()) return splat->second;
      if (source.kind == Source::kInput) {
        Value* stride = Stride(source.index, *reduced_);
        Value* address = ElementAddress(source.index, rows_[source.index], b_.CreateMul(i, stride));
        return Load(kernel_.inputs[source.index].dtype, address, stride, lanes, mask);
      }
      const DType type = kernel_.SourceType(source);
      return Load(type, At(type, kept_[KeyOf(source)], i), I64(1), lanes, mask);
    };
    site.index = [&] { return b_.CreateAdd(b_.CreateMul(row_, length_), i); };
    site.index_step = I64(1);
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      const std::vector<Value*> outputs = EvaluateStage(s, site, values);
      if (kernel_.stages[s].kind == FusedKernel::Stage::kReduce) continue;
      for (int o = 0; o < static_cast<int>(outputs.size()); ++o) {
        UseElementValue({.kind = Source::kStage, .index = s, .output = o}, outputs[o], i, lanes, mask);
      }
    }
  }

  void UseElementValue(const Source& source, Value* value, Value* i, int lanes, Value* mask) {
    const auto kept = kept_.find(KeyOf(source));
    if (kept != kept_.end()) {
      const DType type = kernel_.SourceType(source);
      Store(type, value, At(type, kept->second, i), I64(1), lanes, mask);
    }
    for (int o = 0; o < static_cast<int>(kernel_.outputs.size()); ++o) {
      if (kernel_.outputs[o].source == source) StoreOutput(o, value, i, lanes, mask);
    }
  }

  void StoreOutput(int output, Value* value, Value* i, int lanes, Value* mask) {
    const FusedKernel::Output& o = kernel_.outputs[output];
    const int operand = OutputOperand(output);
    if (o.canonicalize_nans) value = EmitCanonicalNan(b_, value, o.operand.dtype);
    Value* stride = Stride(operand, *reduced_);
    Value* address = ElementAddress(operand, rows_[operand], b_.CreateMul(i, stride));
    Store(o.operand.dtype, value, address, stride, lanes, mask);
  }

  const LoopDim* reduced_ = nullptr;
  Value* length_ = nullptr;
  LoopSchedule schedule_;
  std::map<SourceKey, Value*> kept_;         // addresses of rows
  std::map<SourceKey, int> held_by_output_;  // those that wait in an output
  std::vector<Reduction> reductions_;
  // Of the row under construction.
  Value* row_ = nullptr;
  std::vector<Value*> rows_;  // addresses, per operand
  Values row_values_;         // scalars
};

}  // namespace

ScratchSize EmitRowKernel(llvm::Module& module, const FusedKernel& kernel, const CodegenTarget& target,
                          const std::string& symbol) {
  return RowEmitter(module, kernel, target, symbol).Emit();
}

}  // namespace tenfold
