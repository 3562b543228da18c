// SPDX-License-Identifier: Apache-2.0
//
// The inside of an Invocation: where every operand of every step is, and what must be redone when an input's
// shape or an address changes.
#ifndef TENFOLD_RUNTIME_INVOCATION_IMPL_H_
#define TENFOLD_RUNTIME_INVOCATION_IMPL_H_

#include <memory>
#include <vector>

#include "tenfold/runtime/aligned_buffer.h"
#include "tenfold/runtime/body_run.h"
#include "tenfold/runtime/bound_step.h"
#include "tenfold/runtime/device_executor.h"
#include "tenfold/runtime/executable_state.h"
#include "tenfold/runtime/invocation.h"
#include "tenfold/runtime/profile_recorder.h"
#include "tenfold/runtime/run_memory.h"

namespace tenfold {

struct Invocation::Impl {
  // `bodies`: of a body, the runs of all of them, its own among them; null: it is none, and keeps them
  // itself.
  explicit Impl(const ExecutableState& executable, BodyRuns* bodies = nullptr);
  ~Impl();

  // The places in steps that hold the address of a value, or of one that lies within it.
  struct Slots {
    struct Operand {
      void** place;
      const int64_t* offset;  // in bytes; in `offsets`
    };
    std::vector<Operand> operands;
    const void* address = nullptr;  // of the value
  };
  static void SetAddress(Slots& slots, const void* address) {
    slots.address = address;
    for (const Slots::Operand& operand : slots.operands) {
      *operand.place = address == nullptr
                           ? nullptr
                           : const_cast<char*>(static_cast<const char*>(address)) + *operand.offset;
    }
  }

  struct Input {
    DType dtype;
    bool fed = false;
    bool shape_follows_count = false;  // the last feed gave a count only
    const void* data = nullptr;
    int64_t count = 0;
    Tensor tensor;  // keeps `data` alive if a Tensor was fed
    Slots slots;
  };

  struct Output {
    DType dtype;
    Dims dims;
    int64_t count = 0;
    void* data = nullptr;     // where the last run wrote
    void* callers = nullptr;  // memory given by SetOutput
    int64_t callers_count = 0;
    AlignedBuffer own;
    Slots slots;
    int stage = 0;  // of the plan: from then on its extents are known
  };

  // Takes data of checked type and extents as input `i`.
  void Feed(int i, std::span<const int64_t> dims, const void* data, int64_t count, bool shape_follows_count);

  // Checks a tensor, takes it and keeps it. `origins` as in RunOptions.
  absl::Status FeedTensor(int i, const Tensor& tensor, std::span<const FeedOrigin> origins);

  // Everything that depends on the shapes of inputs. What follows from symbols that steps give comes later.
  absl::Status BindShapes(const RunOptions& options);
  // Everything that depends on the extents which are known from this stage of the plan on: symbols, steps,
  // arena, scratch, extents of outputs. Sizes are checked before any memory is asked for. Earlier stages are
  // bound.
  absl::Status BindStage(int stage, std::span<const FeedOrigin> origins, RunControl& control);
  // The memory of the outputs of a stage, once that is bound; earlier ones have theirs.
  absl::Status PlaceOutputs(int stage);
  // Of a body: the symbols of the plan around, which must stay until it has run.
  void SetAround(const SymbolValues& symbols);
  // Whatever of that is due.
  absl::Status MakeReady(const RunOptions& options);
  // E0404 if a run holds more than `limit` bytes.
  absl::Status CheckMemory(int64_t limit) const;
  // What was fed against the contracts, if there are any. Once shapes are bound.
  absl::Status CheckContracts(const RunOptions& options) const {
    return state.contracts.empty() ? absl::OkStatus() : HoldAgainstContracts(options);
  }
  absl::Status Execute(const RunOptions& options);
  // The steps, on the host. Binds later stages as symbols come to be known, and places their outputs.
  absl::Status RunSteps(RunContext& context, ProfileRecorder& recorder);
  // Lets go of what was fed and of the caller's memory.
  void Forget();

  const ExecutableState& state;
  // Null while idle in the executable's own list. Declared before all that refers to the state.
  std::shared_ptr<const ExecutableState> keep_alive;
  std::vector<Input> inputs;
  std::vector<Dims> fed_dims;  // by input
  std::vector<Output> outputs;
  std::unique_ptr<BodyRuns> own_bodies;
  BodyRuns* bodies;  // null: there are none
  const bool is_body;
  std::vector<std::unique_ptr<BoundStep>> steps;
  std::vector<Slots> arena_slots;  // by slot of the memory plan
  std::vector<Slots> value_slots;  // by value, of constants and of those whose storage is their step's
  std::vector<int64_t> offsets;    // by value, in bytes: where in its root it begins
  std::vector<Slots*> view_slots;  // by view of the plan, of its root
  SymbolValues symbols;
  const SymbolValues* around = nullptr;  // of a body
  std::vector<AlignedBuffer> arenas;     // by stage
  Scratch scratch;
  RunMemory memory;               // once shapes are bound
  int64_t run_limit = INT64_MAX;  // RunOptions::memory_limit
  int64_t held = 0;               // of a body: what it has counted in `bodies`
  int missing;                    // inputs not fed yet
  int bound_stages = 0;           // how many stages are bound, and have their outputs placed
  int outputs_placed = 0;
  std::unique_ptr<DeviceContext> device;   // null: everything runs on the host
  std::vector<KernelError> device_errors;  // by step

 private:
  absl::Status ExecuteOnDevice(RunContext& context, ProfileRecorder& recorder);
  absl::Status EnqueueOnDevice(RunContext& context, ProfileRecorder& recorder);
  // A step that the device has no code for, between copies.
  absl::Status RunOnHost(size_t s, RunContext& context);
  absl::Status BindOutputShapes(int stage);
  void FindViewSlots();
  // Where views begin whose extents are known from this stage on.
  absl::Status BindViews(int stage);
  // The symbols that step `s`, the last of a stage, has given, and where its results are. False: as they
  // were.
  absl::StatusOr<bool> TakeResults(size_t s);
  absl::Status HoldAgainstContracts(const RunOptions& options) const;
  // The bytes that the run holds, all of them; E0402 if there are more than 64 bits can count.
  absl::StatusOr<RunMemory> CountMemory(int stages) const;
  size_t ScratchBytes() const;  // of one participant
  absl::Status PlaceArena(int stage);
};

}  // namespace tenfold

#endif  // TENFOLD_RUNTIME_INVOCATION_IMPL_H_
