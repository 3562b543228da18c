// SPDX-License-Identifier: Apache-2.0
//
// Kernels with reduced dims: a block of 64 threads takes row after row. Thread t computes the elements
// t, t + 64, t + 128, ... of the row, so that
//   - it holds accumulator t of every reduction: a chunk is a multiple of 64 elements;
//   - what it keeps in scratch for a later loop only it reads again, and no fence is needed.
// Values of a whole row are computed by every thread alike, and stored by thread 0.
#include <string>

#include "llvm/IR/Constants.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Intrinsics.h"
#include "llvm/IR/IntrinsicsNVPTX.h"
#include "tenfold/kernels/cuda/ptx_emitter.h"

namespace tenfold {
namespace {

using llvm::Value;
using Source = FusedKernel::Source;
using Stage = FusedKernel::Stage;
using Values = PtxEmitter::Values;

constexpr unsigned kSharedMemory = 3;  // NVPTX's address space of a block's own memory
constexpr int kWarp = 32;
// Partial results waiting to be combined: one for each bit of the number of chunks.
constexpr int kStackLevels = 63 - 12 + 1;
static_assert(kReduceChunk == 1 << 12 && kReduceLanes == 2 * kWarp);

class RowEmitter {
 public:
  explicit RowEmitter(PtxEmitter& emitter)
      : e_(emitter), kernel_(emitter.kernel()), schedule_(ScheduleLoops(kernel_)) {}

  void Emit() {
    thread_ = e_.ThreadIndex();
    is_first_ = e_.b().CreateICmpEQ(thread_, e_.I64(0));
    elements_ = e_.Product(kernel_.parallel_rank, kernel_.rank());
    LayOutScratch();
    e_.For(e_.BlockIndex(), e_.Product(0, kernel_.parallel_rank), e_.NumBlocks(), {},
           [&](Value* row, const Values&) {
             EmitRow(row);
             return Values();
           });
    e_.Return();
  }

 private:
  using Loop = LoopSchedule::Loop;

  // ---- The row.

  void EmitRow(Value* row) {
    LinearPoint point(row, 0, kernel_.parallel_rank);
    row_addresses_ = e_.AddressesAt(point, e_.parameters());
    first_element_ = e_.b().CreateMul(row, elements_);
    row_inputs_.assign(kernel_.inputs.size(), nullptr);
    row_values_.assign(kernel_.stages.size(), {});
    for (const Loop& loop : schedule_.loops) {
      LoadRowInputs(loop);
      if (loop.per_row) {
        EmitRowMaps(loop);
      } else {
        EmitElementLoop(loop);
      }
      StoreRowOutputs(loop);
    }
  }

  // What a loop reads of whole rows, before the loop.
  void LoadRowInputs(const Loop& loop) {
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      for (const Source& source : kernel_.stages[s].inputs) {
        if (source.kind != Source::kInput || !kernel_.IsPerRow(source)) continue;
        Value*& loaded = row_inputs_[source.index];
        if (loaded == nullptr) loaded = e_.LoadInput(source.index, row_addresses_);
      }
    }
  }

  void EmitRowMaps(const Loop& loop) {
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      Values args;
      for (const Source& source : kernel_.stages[s].inputs) args.push_back(ReadRow(source));
      row_values_[s] = e_.Evaluate(kernel_.stages[s].program, args);
    }
    // Every thread has the same failure, and the same word to report.
    e_.Report(first_element_);
    // An output may take the place of an input that a slower thread has yet to read.
    e_.Barrier();
  }

  Value* ReadRow(const Source& source) {
    return source.kind == Source::kInput ? row_inputs_[source.index]
                                         : row_values_[source.index][source.output];
  }

  void StoreRowOutputs(const Loop& loop) {
    std::vector<int> outputs;
    for (size_t o = 0; o < kernel_.outputs.size(); ++o) {
      const Source& source = kernel_.outputs[o].source;
      if (!InLoop(source, loop) || !kernel_.IsPerRow(source)) continue;
      outputs.push_back(static_cast<int>(o));
    }
    if (outputs.empty()) return;
    e_.If(is_first_, [&] {
      for (const int o : outputs) {
        e_.StoreOutput(o, ReadRow(kernel_.outputs[o].source), row_addresses_);
      }
    });
  }

  static bool InLoop(const Source& source, const Loop& loop) {
    return source.kind == Source::kStage && source.index >= loop.begin_stage && source.index < loop.end_stage;
  }

  // ---- A loop over the row's elements.

  void EmitElementLoop(const Loop& loop) {
    std::vector<int> reduces;
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      if (kernel_.stages[s].kind == Stage::kReduce) reduces.push_back(s);
    }
    if (reduces.empty()) {
      e_.For(thread_, elements_, e_.I64(kReduceLanes), {}, [&](Value* i, const Values&) {
        EmitElement(loop, i, {});
        return Values();
      });
      return;
    }
    ReserveShared(reduces);
    Value* chunks =
        e_.b().CreateUDiv(e_.b().CreateAdd(elements_, e_.I64(kReduceChunk - 1)), e_.I64(kReduceChunk));
    e_.For(e_.I64(0), chunks, e_.I64(1), {}, [&](Value* chunk, const Values&) {
      Value* begin = e_.b().CreateMul(chunk, e_.I64(kReduceChunk));
      Value* end = e_.b().CreateAdd(begin, e_.I64(kReduceChunk));
      end = e_.b().CreateBinaryIntrinsic(llvm::Intrinsic::smin, end, elements_);
      Values accumulators;
      for (const int s : reduces) accumulators.push_back(e_.Constant(Type(s), kernel_.stages[s].identity));
      accumulators = e_.For(e_.b().CreateAdd(begin, thread_), end, e_.I64(kReduceLanes), accumulators,
                            [&](Value* i, const Values& now) { return EmitElement(loop, i, now); });
      CombineChunk(reduces, accumulators, chunk);
      return Values();
    });
    FinishReductions(reduces, chunks);
  }

  // All stages of the loop for element `i`; gives the accumulators with the element in them.
  Values EmitElement(const Loop& loop, Value* i, Values accumulators) {
    LinearPoint point(i, kernel_.parallel_rank, kernel_.rank());
    element_ = i;
    element_addresses_ = e_.AddressesAt(point, row_addresses_);
    element_inputs_.assign(kernel_.inputs.size(), nullptr);
    element_values_.assign(kernel_.stages.size(), {});
    // All loads before all stores: an output may take the place of an input.
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      for (const Source& source : kernel_.stages[s].inputs) {
        if (source.kind == Source::kInput || !InLoop(source, loop)) ReadElement(source);
      }
    }
    size_t next_accumulator = 0;
    for (int s = loop.begin_stage; s < loop.end_stage; ++s) {
      const Stage& stage = kernel_.stages[s];
      Values args;
      for (const Source& source : stage.inputs) args.push_back(ReadElement(source));
      Values results = e_.Evaluate(stage.program, args);
      if (stage.kind == Stage::kMap) {
        element_values_[s] = std::move(results);
      } else {
        Value*& accumulator = accumulators[next_accumulator++];
        accumulator = Combine(s, accumulator, results[0]);
      }
    }
    e_.Report(e_.b().CreateAdd(first_element_, i));
    StoreElement(loop);
    return accumulators;
  }

  Value* ReadElement(const Source& source) {
    if (kernel_.IsPerRow(source)) return ReadRow(source);
    if (source.kind == Source::kInput) {
      Value*& loaded = element_inputs_[source.index];
      if (loaded == nullptr) loaded = e_.LoadInput(source.index, element_addresses_);
      return loaded;
    }
    Values& values = element_values_[source.index];
    if (values.empty()) values.resize(kernel_.stages[source.index].program.outputs.size());
    Value*& value = values[source.output];
    if (value == nullptr) value = e_.Load(KeptAddress(source), kernel_.SourceType(source));
    return value;
  }

  void StoreElement(const Loop& loop) {
    for (const Source& kept : schedule_.kept) {
      if (InLoop(kept, loop)) e_.Store(KeptAddress(kept), ReadElement(kept), kernel_.SourceType(kept));
    }
    for (size_t o = 0; o < kernel_.outputs.size(); ++o) {
      const Source& source = kernel_.outputs[o].source;
      if (!InLoop(source, loop) || kernel_.IsPerRow(source)) continue;
      e_.StoreOutput(static_cast<int>(o), ReadElement(source), element_addresses_);
    }
  }

  // ---- Scratch: a row for each kept value, each block its own (device_kernel.cc computes the same sizes).

  void LayOutScratch() {
    llvm::IRBuilder<>& b = e_.b();
    Value* offset = e_.I64(0);
    for (const Source& kept : schedule_.kept) {
      kept_rows_.push_back(offset);
      Value* bytes = b.CreateMul(elements_, e_.I64(SizeOf(kernel_.SourceType(kept))));
      offset = b.CreateAdd(offset, b.CreateAnd(b.CreateAdd(bytes, e_.I64(63)), e_.I64(~int64_t{63})));
    }
    if (schedule_.kept.empty()) return;
    Value* block = b.CreateGEP(b.getInt8Ty(), e_.scratch(), b.CreateMul(e_.BlockIndex(), offset));
    for (Value*& row : kept_rows_) row = b.CreateGEP(b.getInt8Ty(), block, row);
  }

  Value* KeptAddress(const Source& source) {
    size_t k = 0;
    while (!(schedule_.kept[k] == source)) ++k;
    return e_.b().CreateGEP(MemoryType(e_.b().getContext(), kernel_.SourceType(source), 1), kept_rows_[k],
                            element_);
  }

  // ---- Reductions.

  DType Type(int stage) const { return kernel_.stages[stage].program.output_type(0); }

  Value* Combine(int stage, Value* accumulator, Value* value) {
    return e_.Combine(stage, accumulator, value);
  }

  struct Shared {
    llvm::GlobalVariable* upper;  // accumulators 32 .. 63, on their way to the first warp
    llvm::GlobalVariable* stack;  // level k: the combined value of 2^k chunks
    llvm::GlobalVariable* total;
  };

  void ReserveShared(const std::vector<int>& reduces) {
    shared_.resize(kernel_.stages.size());
    const auto reserve = [&](int s, const char* what, int count) {
      llvm::Type* type = llvm::ArrayType::get(MemoryType(e_.b().getContext(), Type(s), 1), count);
      return new llvm::GlobalVariable(e_.module(), type, false, llvm::GlobalValue::InternalLinkage,
                                      llvm::PoisonValue::get(type), what, nullptr,
                                      llvm::GlobalValue::NotThreadLocal, kSharedMemory);
    };
    for (const int s : reduces) {
      shared_[s] = {reserve(s, "upper", kWarp), reserve(s, "stack", kStackLevels), reserve(s, "total", 1)};
    }
  }

  Value* Slot(int stage, llvm::GlobalVariable* array, Value* index) {
    return e_.b().CreateGEP(MemoryType(e_.b().getContext(), Type(stage), 1), array, index);
  }

  // The halving tree over the block's accumulators, whose result goes on the stack as chunk `chunk`.
  void CombineChunk(const std::vector<int>& reduces, Values accumulators, Value* chunk) {
    llvm::IRBuilder<>& b = e_.b();
    Value* in_first_warp = b.CreateICmpULT(thread_, e_.I64(kWarp));
    e_.If(b.CreateNot(in_first_warp), [&] {
      for (size_t r = 0; r < reduces.size(); ++r) {
        Value* index = b.CreateSub(thread_, e_.I64(kWarp));
        e_.Store(Slot(reduces[r], shared_[reduces[r]].upper, index), accumulators[r], Type(reduces[r]));
      }
    });
    e_.Barrier();
    e_.If(in_first_warp, [&] {
      for (size_t r = 0; r < reduces.size(); ++r) {
        const int s = reduces[r];
        Value*& value = accumulators[r];
        value = Combine(s, value, e_.Load(Slot(s, shared_[s].upper, thread_), Type(s)));
        // Lanes at h and above compute what nobody reads.
        for (int h = kWarp / 2; h > 0; h /= 2) value = Combine(s, value, FromLaneAbove(value, h));
      }
      e_.If(is_first_, [&] { PushChunk(reduces, accumulators, chunk); });
    });
    // The next chunk's upper half waits until this one's is read.
    e_.Barrier();
  }

  // The value that the thread `distance` lanes above holds.
  Value* FromLaneAbove(Value* value, int distance) {
    llvm::IRBuilder<>& b = e_.b();
    llvm::Type* type = value->getType();
    const unsigned width = type->getPrimitiveSizeInBits();
    const auto shuffle = [&](Value* word) -> Value* {
      return b.CreateIntrinsic(llvm::Intrinsic::nvvm_shfl_sync_down_i32, {},
                               {b.getInt32(-1), word, b.getInt32(distance), b.getInt32(kWarp - 1)});
    };
    Value* bits = b.CreateBitCast(value, b.getIntNTy(width));
    if (width <= 32) {
      Value* moved = shuffle(b.CreateZExt(bits, b.getInt32Ty()));
      return b.CreateBitCast(b.CreateTrunc(moved, bits->getType()), type);
    }
    Value* low = shuffle(b.CreateTrunc(bits, b.getInt32Ty()));
    Value* high = shuffle(b.CreateTrunc(b.CreateLShr(bits, 32), b.getInt32Ty()));
    bits = b.CreateOr(b.CreateZExt(low, b.getInt64Ty()), b.CreateShl(b.CreateZExt(high, b.getInt64Ty()), 32));
    return b.CreateBitCast(bits, type);
  }

  // Like adding one to a binary counter: the value is combined with those waiting on the levels that are the
  // low ones of `chunk`, and waits on the next. That combines adjacent pairs, then pairs of those, ...
  void PushChunk(const std::vector<int>& reduces, const Values& values, Value* chunk) {
    llvm::IRBuilder<>& b = e_.b();
    Values carried = {chunk, e_.I64(0)};
    carried.insert(carried.end(), values.begin(), values.end());
    carried = e_.While(
        carried, [&](const Values& now) { return b.CreateTrunc(now[0], b.getInt1Ty()); },
        [&](const Values& now) {
          Values next = {b.CreateLShr(now[0], 1), b.CreateAdd(now[1], e_.I64(1))};
          for (size_t r = 0; r < reduces.size(); ++r) {
            const int s = reduces[r];
            Value* earlier = e_.Load(Slot(s, shared_[s].stack, now[1]), Type(s));
            next.push_back(Combine(s, earlier, now[2 + r]));
          }
          return next;
        });
    for (size_t r = 0; r < reduces.size(); ++r) {
      const int s = reduces[r];
      e_.Store(Slot(s, shared_[s].stack, carried[1]), carried[2 + r], Type(s));
    }
  }

  // Thread 0 combines what waits on the stack, the last chunks first, and tells the others.
  void FinishReductions(const std::vector<int>& reduces, Value* chunks) {
    llvm::IRBuilder<>& b = e_.b();
    const auto lowest_bit = [&](Value* bits) -> Value* {
      return b.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, bits, b.getFalse());
    };
    const auto without_lowest_bit = [&](Value* bits) {
      return b.CreateAnd(bits, b.CreateSub(bits, e_.I64(1)));
    };
    e_.If(is_first_, [&] {
      Value* none = b.CreateICmpEQ(chunks, e_.I64(0));
      Value* level = b.CreateSelect(none, e_.I64(0), lowest_bit(chunks));
      Values carried = {b.CreateSelect(none, e_.I64(0), without_lowest_bit(chunks))};
      for (const int s : reduces) {
        Value* last = e_.Load(Slot(s, shared_[s].stack, level), Type(s));
        carried.push_back(b.CreateSelect(none, e_.Constant(Type(s), kernel_.stages[s].empty), last));
      }
      carried = e_.While(
          carried, [&](const Values& now) { return b.CreateICmpNE(now[0], e_.I64(0)); },
          [&](const Values& now) {
            Values next = {without_lowest_bit(now[0])};
            Value* above = lowest_bit(now[0]);
            for (size_t r = 0; r < reduces.size(); ++r) {
              const int s = reduces[r];
              next.push_back(Combine(s, e_.Load(Slot(s, shared_[s].stack, above), Type(s)), now[1 + r]));
            }
            return next;
          });
      for (size_t r = 0; r < reduces.size(); ++r) {
        const int s = reduces[r];
        e_.Store(Slot(s, shared_[s].total, e_.I64(0)), carried[1 + r], Type(s));
      }
    });
    e_.Barrier();
    for (const int s : reduces) {
      row_values_[s] = {e_.Load(Slot(s, shared_[s].total, e_.I64(0)), Type(s))};
    }
    // Rows without elements pass no barrier between this read and the next row's write.
    e_.Barrier();
  }

  PtxEmitter& e_;
  const FusedKernel& kernel_;
  const LoopSchedule schedule_;
  Value* thread_ = nullptr;
  Value* is_first_ = nullptr;
  Value* elements_ = nullptr;   // of a row
  Values kept_rows_;            // one per schedule_.kept: where this block keeps it
  std::vector<Shared> shared_;  // per stage; set for reductions

  // Of the row under way.
  Value* first_element_ = nullptr;  // its number in the iteration space
  Values row_addresses_;
  Values row_inputs_;
  std::vector<Values> row_values_;

  // Of the element under way.
  Value* element_ = nullptr;
  Values element_addresses_;
  Values element_inputs_;
  std::vector<Values> element_values_;
};

}  // namespace

void EmitPtxRows(PtxEmitter& emitter) { RowEmitter(emitter).Emit(); }

}  // namespace tenfold
