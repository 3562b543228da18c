// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/plan_memory.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/text_table.h"

namespace tenfold {
namespace {

constexpr int64_t kAlign = static_cast<int64_t>(kTensorAlignment);

Dim PadToAlignment(const Dim& bytes) {
  if (bytes.is_constant()) {
    int64_t padded;
    if (__builtin_add_overflow(bytes.constant(), kAlign - 1, &padded)) return bytes + Dim(kAlign - 1);
    return padded / kAlign * kAlign;
  }
  if (Dim::DivideExactly(bytes, kAlign)) return bytes;
  return FloorDiv(bytes + Dim(kAlign - 1), kAlign) * Dim(kAlign);
}

Dim PaddedBytes(const TensorType& type) {
  const Dim count = type.shape.num_elements();
  if (IsPacked(type.dtype)) return PadToAlignment(FloorDiv(count + Dim(1), Dim(2)));
  return PadToAlignment(count * Dim(static_cast<int64_t>(SizeOf(type.dtype))));
}

bool LiveTogether(const MemoryPlan::Slot& a, const MemoryPlan::Slot& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

// The arena values that have bytes, with their sizes and the steps between which they live.
std::vector<MemoryPlan::Slot> LiveRanges(const Plan& plan) {
  std::vector<MemoryPlan::Slot> ranges(plan.values.size());
  std::vector<bool> written(plan.values.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const int step = static_cast<int>(s);
    for (int v : StepOutputs(plan.steps[s])) {
      const int root = plan.Root(v);
      if (!written[root]) ranges[root].first_step = step;  // others may write further parts of it
      ranges[root].last_step = step;
      written[root] = true;
    }
    for (int v : StepInputs(plan.steps[s])) ranges[plan.Root(v)].last_step = step;
  }
  std::vector<MemoryPlan::Slot> live;
  for (size_t v = 0; v < plan.values.size(); ++v) {
    if (plan.values[v].storage != StorageKind::kArena || !written[v]) continue;
    ranges[v].value = static_cast<int>(v);
    ranges[v].size = PaddedBytes(plan.values[v].type);
    ranges[v].stage = plan.StageOf(plan.values[v].type);
    if (!(ranges[v].size == Dim(0))) live.push_back(std::move(ranges[v]));
  }
  return live;
}

// --- In place ----------------------------------------------------------------------------------------------

// Whether the kernel may write output `o` where the value `root` lies: each element is read before the one in
// its place is written, and for that one alone. So it is where both are walked alike from their beginning,
// the result is the only one of its stage, and no later stage reads the value again; a kernel that reduces
// may read a row after it has written a part of it.
bool IsReadWhereWritten(const Plan& plan, const FusedStep& step, int root, size_t o) {
  const FusedKernel& kernel = step.kernel;
  if (kernel.reduced_rank() > 0) return false;
  const FusedKernel::Output& out = kernel.outputs[o];
  if (kernel.stages[out.source.index].program.outputs.size() > 1) return false;
  if (!plan.IsWhole(step.outputs[o])) return false;  // it has its place already
  const auto is_root = [&](size_t input) { return plan.Root(step.inputs[input]) == root; };
  for (size_t i = 0; i < kernel.inputs.size(); ++i) {
    const FusedKernel::Operand& in = kernel.inputs[i];
    const bool alike =
        in.dtype == out.operand.dtype && in.offset == Dim(0) && in.strides == out.operand.strides;
    if (is_root(i) && !(alike && plan.OffsetOf(step.inputs[i]) == Dim(0))) return false;
  }
  for (size_t stage = out.source.index + 1; stage < kernel.stages.size(); ++stage) {
    for (const FusedKernel::Source& source : kernel.stages[stage].inputs) {
      if (source.kind == FusedKernel::Source::kInput && is_root(source.index)) return false;
    }
  }
  return true;
}

// Values that take over the memory of an operand which nobody reads after them, by value: the value whose
// memory it is; -1: they have memory of their own.
std::vector<int> TakenOver(const Plan& plan, const std::vector<MemoryPlan::Slot>& live) {
  std::vector<const MemoryPlan::Slot*> slots(plan.values.size());
  for (const MemoryPlan::Slot& slot : live) slots[slot.value] = &slot;
  std::vector<int> from(plan.values.size(), -1);
  std::vector<bool> taken(plan.values.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto* step = std::get_if<FusedStep>(&plan.steps[s].work);
    if (step == nullptr) continue;
    for (size_t o = 0; o < step->outputs.size(); ++o) {
      const MemoryPlan::Slot* const out = slots[plan.Root(step->outputs[o])];
      if (out == nullptr || out->first_step != static_cast<int>(s)) continue;
      for (const int input : step->inputs) {
        const MemoryPlan::Slot* const in = slots[plan.Root(input)];
        if (in == nullptr || in->last_step != static_cast<int>(s) || taken[in->value] ||
            !(in->size == out->size) || !IsReadWhereWritten(plan, *step, in->value, o)) {
          continue;
        }
        from[out->value] = in->value;
        taken[in->value] = true;
        break;
      }
    }
  }
  return from;
}

// --- Places ------------------------------------------------------------------------------------------------

// Largest first, each into the smallest gap that holds it between those it lives together with: the order
// that leaves the fewest holes. Gives the end of the part.
int64_t PlaceStatic(std::vector<MemoryPlan::Slot*> slots) {
  std::stable_sort(slots.begin(), slots.end(), [](const MemoryPlan::Slot* a, const MemoryPlan::Slot* b) {
    return a->size.constant() > b->size.constant();
  });
  int64_t end = 0;
  std::vector<MemoryPlan::Slot*> placed;  // by offset
  for (MemoryPlan::Slot* slot : slots) {
    const int64_t size = slot->size.constant();
    int64_t best = -1;
    int64_t best_gap = std::numeric_limits<int64_t>::max();
    int64_t free_from = 0;
    for (const MemoryPlan::Slot* other : placed) {
      if (!LiveTogether(*slot, *other)) continue;
      const int64_t gap = other->offset.constant() - free_from;
      if (gap >= size && gap < best_gap) {
        best = free_from;
        best_gap = gap;
      }
      free_from = std::max(free_from, other->offset.constant() + other->size.constant());
    }
    if (best < 0) best = free_from;
    slot->offset = best;
    end = std::max(end, best + size);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), slot,
                                   [](const MemoryPlan::Slot* a, const MemoryPlan::Slot* b) {
                                     return a->offset.constant() < b->offset.constant();
                                   }),
                  slot);
  }
  return end;
}

// A piece of the arena that several values of symbolic size use, one after the other.
struct Shared {
  Dim size;
  int free_after;  // the last step that uses it
  std::vector<MemoryPlan::Slot*> users;
};

// How well `slot` suits: lower is better. A value that provably fits in what is there costs nothing; one that
// provably contains it makes it larger; where neither is known the maximum is kept as an expression, which
// must not grow without end.
enum class Fit { kFits, kGrows, kUnknown, kNone };
Fit FitOf(const Shared& shared, const MemoryPlan::Slot& slot) {
  if (shared.free_after >= slot.first_step) return Fit::kNone;
  const Dim both = Max(shared.size, slot.size);
  if (!both.valid()) return Fit::kNone;
  if (both == shared.size) return Fit::kFits;
  if (both == slot.size) return Fit::kGrows;
  return Fit::kUnknown;
}

Dim PlaceSymbolic(std::vector<MemoryPlan::Slot*> slots, Dim offset) {
  std::stable_sort(slots.begin(), slots.end(), [](const MemoryPlan::Slot* a, const MemoryPlan::Slot* b) {
    return a->first_step < b->first_step;
  });
  std::vector<Shared> pool;
  for (MemoryPlan::Slot* slot : slots) {
    Shared* best = nullptr;
    Fit best_fit = Fit::kNone;
    for (Shared& shared : pool) {
      const Fit fit = FitOf(shared, *slot);
      // Of those that hold it, the smallest.
      const bool tighter =
          fit == Fit::kFits && best_fit == Fit::kFits && Max(shared.size, best->size) == best->size;
      if (fit < best_fit || tighter) {
        best = &shared;
        best_fit = fit;
      }
    }
    if (best == nullptr) {
      pool.push_back({slot->size, 0, {}});
      best = &pool.back();
    }
    best->size = Max(best->size, slot->size);
    best->free_after = slot->last_step;
    best->users.push_back(slot);
  }
  for (Shared& shared : pool) {
    for (MemoryPlan::Slot* slot : shared.users) slot->offset = offset;
    offset = offset + shared.size;
  }
  return offset;
}

}  // namespace

absl::Status PlanMemory(Plan& plan) {
  MemoryPlan memory;
  memory.slots = LiveRanges(plan);
  for (const MemoryPlan::Slot& slot : memory.slots) {
    memory.unshared_bytes = memory.unshared_bytes + slot.size;
    if (!slot.size.valid() || (slot.size.is_constant() && !memory.unshared_bytes.valid())) {
      const PlanValue& v = plan.values[slot.value];
      return MakeError("E0402", absl::StrCat("'", v.name, "' is ", v.type.ToString(),
                                             ": its size in bytes does not fit 64 bits"));
    }
  }
  // A value that takes over another's memory lengthens the life of what is placed for the first of them.
  const std::vector<int> from = TakenOver(plan, memory.slots);
  const auto owner = [&](int value) {
    while (from[value] >= 0) value = from[value];
    return value;
  };
  std::vector<MemoryPlan::Slot> places = memory.slots;
  std::vector<MemoryPlan::Slot*> place_of(plan.values.size());
  for (MemoryPlan::Slot& place : places) place_of[place.value] = &place;
  std::vector<MemoryPlan::Slot*> fixed;
  std::vector<std::vector<MemoryPlan::Slot*>> symbolic(plan.stages.size());
  for (MemoryPlan::Slot& place : places) {
    if (from[place.value] < 0) {
      (place.size.is_constant() ? fixed : symbolic[place.stage]).push_back(&place);
    } else {
      MemoryPlan::Slot& first = *place_of[owner(place.value)];
      first.last_step = std::max(first.last_step, place.last_step);
    }
  }
  const int64_t fixed_bytes = PlaceStatic(std::move(fixed));
  memory.arena_bytes = PlaceSymbolic(std::move(symbolic[0]), fixed_bytes);
  bool valid = memory.arena_bytes.valid();
  for (size_t stage = 1; stage < symbolic.size(); ++stage) {
    memory.later_arena_bytes.push_back(PlaceSymbolic(std::move(symbolic[stage]), 0));
    valid = valid && memory.later_arena_bytes.back().valid();
  }
  for (MemoryPlan::Slot& slot : memory.slots) slot.offset = place_of[owner(slot.value)]->offset;
  for (const PlanValue& value : plan.values) {
    if (value.storage == StorageKind::kConstant) memory.constant_bytes += value.constant.stored_bytes();
    if (value.storage == StorageKind::kOutput) {
      memory.output_bytes = memory.output_bytes + PaddedBytes(value.type);
    }
  }
  if (!valid || !memory.output_bytes.valid()) {
    return MakeError("E0402",
                     absl::StrCat("the memory of plan '", plan.name,
                                  "' cannot be expressed: its size does not fit 64 bits, or depends on "
                                  "the symbols in too many ways"));
  }
  plan.memory = std::move(memory);
  return absl::OkStatus();
}

std::string MemoryTable(const Plan& plan) {
  std::vector<std::vector<std::string>> rows = {{"value", "type", "steps", "offset", "bytes"}};
  for (const MemoryPlan::Slot& slot : plan.memory.slots) {
    const PlanValue& v = plan.values[slot.value];
    rows.push_back({v.name, v.type.ToString(), absl::StrCat(slot.first_step, "..", slot.last_step),
                    slot.offset.ToString(), slot.size.ToString()});
  }
  std::string text = TextTable(rows, 2);
  const MemoryPlan& m = plan.memory;
  for (size_t i = 0; i < m.later_arena_bytes.size(); ++i) {
    absl::StrAppend(&text, "  arena from step ", plan.stages[i + 1], ": ", m.later_arena_bytes[i].ToString(),
                    " bytes\n");
  }
  absl::StrAppend(&text, "  arena: ", m.arena_bytes.ToString(), " bytes (",
                  m.unshared_bytes.valid() ? m.unshared_bytes.ToString() : "more than can be said",
                  " without sharing)\n  outputs: ", m.output_bytes.ToString(),
                  " bytes\n  constants: ", m.constant_bytes, " bytes\n");
  return text;
}

std::optional<int64_t> BytesOf(const TensorType& type, const SymbolValues& symbols) {
  const std::optional<Dims> dims = type.shape.Evaluate(symbols);
  const std::optional<int64_t> count = dims ? NumElements(*dims) : std::nullopt;
  int64_t bytes;
  if (!count || __builtin_mul_overflow(*count, static_cast<int64_t>(SizeOf(type.dtype)), &bytes)) {
    return std::nullopt;
  }
  return IsPacked(type.dtype) ? static_cast<int64_t>(BytesOf(type.dtype, *count)) : bytes;
}

std::string LargestValues(const Plan& plan, const SymbolValues& symbols) {
  constexpr size_t kMost = 8;
  std::vector<std::string> steps(plan.values.size());
  for (const MemoryPlan::Slot& slot : plan.memory.slots) {
    steps[slot.value] = absl::StrCat("steps ", slot.first_step, "..", slot.last_step);
  }
  std::vector<std::pair<int64_t, size_t>> largest;
  for (size_t v = 0; v < plan.values.size(); ++v) {
    const PlanValue& value = plan.values[v];
    if (value.storage == StorageKind::kInput || value.storage == StorageKind::kAlias) continue;
    if (value.storage == StorageKind::kConstant) steps[v] = "constant";
    if (value.storage == StorageKind::kOutput) steps[v] = "output";
    const bool constant = value.storage == StorageKind::kConstant;
    const int64_t bytes = constant ? static_cast<int64_t>(value.constant.stored_bytes())
                                   : BytesOf(value.type, symbols).value_or(0);
    if (bytes > 0) largest.emplace_back(bytes, v);
  }
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::vector<std::string>> rows = {{"value", "type", "kept for", "bytes"}};
  for (const auto& [bytes, v] : largest) {
    if (rows.size() > kMost) break;
    const TensorType& type = plan.values[v].type;
    const std::optional<Dims> dims = type.shape.Evaluate(symbols);
    rows.push_back({plan.values[v].name,
                    dims ? absl::StrCat(Name(type.dtype), DimsToString(*dims)) : type.ToString(), steps[v],
                    absl::StrCat(bytes)});
  }
  std::string text = TextTable(rows, 3);
  const size_t left_out = largest.size() - (rows.size() - 1);
  if (left_out > 0) return absl::StrCat(text, "  and ", left_out, " smaller ones");
  text.pop_back();
  return text;
}

}  // namespace tenfold
