// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/invocation.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/float_environment.h"
#include "tenfold/runtime/feeds.h"
#include "tenfold/runtime/invocation_impl.h"
#include "tenfold/runtime/plan_memory.h"
#include "tenfold/runtime/plan_views.h"
#include "tenfold/runtime/run_memory.h"
#include "tenfold/runtime/size_checks.h"

namespace tenfold {

Invocation::Impl::Impl(const ExecutableState& executable, BodyRuns* all_bodies)
    : state(executable),
      inputs(state.plan.inputs.size()),
      fed_dims(state.plan.inputs.size()),
      outputs(state.plan.outputs.size()),
      own_bodies(all_bodies == nullptr && state.keeps_memory ? std::make_unique<BodyRuns>() : nullptr),
      bodies(all_bodies == nullptr ? own_bodies.get() : all_bodies),
      is_body(all_bodies != nullptr),
      arena_slots(state.plan.memory.slots.size()),
      value_slots(state.plan.values.size()),
      offsets(state.plan.values.size()),
      arenas(state.plan.stages.size()),
      scratch(state.pool->num_threads()),
      missing(static_cast<int>(state.plan.inputs.size())) {
  const Plan& plan = state.plan;
  std::vector<Slots> slots(plan.values.size());  // by root
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    steps.push_back(BoundStep::Create(state, s, bodies));
    const std::vector<int>& values = steps.back()->values();
    for (size_t i = 0; i < values.size(); ++i) {
      slots[plan.Root(values[i])].operands.push_back({steps[s]->operand(i), &offsets[values[i]]});
    }
  }
  if (state.device_plan != nullptr) {
    device = state.device_plan->NewContext();
    device_errors.resize(steps.size());
  }
  bool all_static = true;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const TensorType& type = plan.values[plan.inputs[i].value].type;
    inputs[i].dtype = type.dtype;
    inputs[i].slots = std::move(slots[plan.inputs[i].value]);
    fed_dims[i].resize(type.shape.rank());
    if (type.shape.is_static()) fed_dims[i] = type.shape.static_dims();
    all_static = all_static && type.shape.is_static();
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i].dtype = plan.values[plan.outputs[i].value].type.dtype;
    outputs[i].slots = std::move(slots[plan.outputs[i].value]);
    outputs[i].stage = plan.StageOf(plan.values[plan.outputs[i].value].type);
  }
  for (size_t i = 0; i < arena_slots.size(); ++i) {
    arena_slots[i] = std::move(slots[plan.memory.slots[i].value]);
  }
  for (size_t v = 0; v < plan.values.size(); ++v) {
    const StorageKind storage = plan.values[v].storage;
    if (storage != StorageKind::kStep && storage != StorageKind::kConstant) continue;
    value_slots[v] = std::move(slots[v]);
    if (storage == StorageKind::kConstant) SetAddress(value_slots[v], state.constants[v].data());
  }
  FindViewSlots();
  // All that can be done before the first feed. If it fails now it will fail in Run, which can say so.
  if (all_static && !is_body) (void)BindShapes({});
}

Invocation::Impl::~Impl() = default;

void Invocation::Impl::Feed(int i, std::span<const int64_t> dims, const void* data, int64_t count,
                            bool shape_follows_count) {
  Input& input = inputs[i];
  if (!std::equal(dims.begin(), dims.end(), fed_dims[i].begin(), fed_dims[i].end())) {
    fed_dims[i].assign(dims.begin(), dims.end());
    bound_stages = 0;
  }
  if (!input.fed) {
    input.fed = true;
    --missing;
  }
  input.shape_follows_count = shape_follows_count;
  input.count = count;
  input.data = data;
  SetAddress(input.slots, data);
}

absl::Status Invocation::Impl::FeedTensor(int i, const Tensor& tensor, std::span<const FeedOrigin> origins) {
  TENFOLD_RETURN_IF_ERROR(CheckFeed(state.plan, i, tensor.dtype(), tensor.dims(), &tensor, origins));
  if (tensor.is_splat()) {
    TENFOLD_ASSIGN_OR_RETURN(inputs[i].tensor, tensor.Materialize());
  } else {
    inputs[i].tensor = tensor;
  }
  Feed(i, tensor.dims(), inputs[i].tensor.data(), tensor.num_elements(), false);
  return absl::OkStatus();
}

void Invocation::Impl::FindViewSlots() {
  const Plan& plan = state.plan;
  if (plan.views.empty()) return;
  std::vector<Slots*> by_root(plan.values.size());
  for (size_t v = 0; v < value_slots.size(); ++v) by_root[v] = &value_slots[v];
  for (size_t i = 0; i < inputs.size(); ++i) by_root[plan.inputs[i].value] = &inputs[i].slots;
  for (size_t i = 0; i < outputs.size(); ++i) by_root[plan.outputs[i].value] = &outputs[i].slots;
  for (size_t i = 0; i < arena_slots.size(); ++i) by_root[plan.memory.slots[i].value] = &arena_slots[i];
  for (const PlanView& view : plan.views) view_slots.push_back(by_root[plan.Root(view.value)]);
}

absl::Status Invocation::Impl::BindViews(int stage) {
  const Plan& plan = state.plan;
  for (size_t i = 0; i < plan.views.size(); ++i) {
    if (plan.StageOf(plan.views[i]) != stage) continue;
    TENFOLD_ASSIGN_OR_RETURN(const int64_t offset, EvaluateOffset(plan, plan.views[i], symbols));
    if (std::exchange(offsets[plan.views[i].value], offset) == offset) continue;
    SetAddress(*view_slots[i], view_slots[i]->address);
  }
  return absl::OkStatus();
}

absl::Status Invocation::Impl::BindOutputShapes(int stage) {
  const Plan& plan = state.plan;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].stage != stage) continue;
    const TensorType& type = plan.values[plan.outputs[i].value].type;
    const std::optional<Dims> dims = type.shape.Evaluate(symbols);
    const std::optional<int64_t> count = dims ? NumElements(*dims) : std::nullopt;
    if (!count || *count > (int64_t{1} << 60) / static_cast<int64_t>(SizeOf(type.dtype))) {
      return MakeError("E0402", absl::StrCat("output '", plan.outputs[i].name, "' ", type.ToString(),
                                             " has an extent or a size that cannot be"));
    }
    outputs[i].dims = *dims;
    outputs[i].count = *count;
  }
  return absl::OkStatus();
}

size_t Invocation::Impl::ScratchBytes() const {
  size_t most = 0;
  for (size_t s = 0; s < steps.size(); ++s) {
    if (device == nullptr || state.device_steps->OnHost(s)) most = std::max(most, steps[s]->scratch_bytes());
  }
  return most;
}

absl::StatusOr<RunMemory> Invocation::Impl::CountMemory(int stages) const {
  const Plan& plan = state.plan;
  const std::optional<int64_t> scratch_bytes = scratch.TotalBytes(ScratchBytes());
  RunMemory bytes = {.constants = is_body ? 0 : state.constant_bytes, .scratch = scratch_bytes.value_or(0)};
  bool overflows = !scratch_bytes;
  for (int stage = 0; stage < stages; ++stage) {
    const std::optional<int64_t> arena = ArenaBytes(plan, stage).Evaluate(symbols);
    overflows = overflows || !arena ||
                __builtin_add_overflow(bytes.intermediates, arena.value_or(0), &bytes.intermediates);
  }
  for (const Output& output : outputs) {
    if (output.stage >= stages) continue;
    const auto size = static_cast<int64_t>(BytesOf(output.dtype, output.count));
    overflows = overflows || __builtin_add_overflow(bytes.outputs, size, &bytes.outputs);
  }
  if (own_bodies != nullptr)
    overflows =
        overflows || __builtin_add_overflow(bytes.intermediates, own_bodies->held(), &bytes.intermediates);
  overflows = overflows || __builtin_add_overflow(bytes.constants, bytes.intermediates, &bytes.total) ||
              __builtin_add_overflow(bytes.total, bytes.outputs, &bytes.total) ||
              __builtin_add_overflow(bytes.total, bytes.scratch, &bytes.total);
  if (overflows) {
    return MakeError("E0402",
                     absl::StrCat("a run of '", plan.name, "' needs more bytes than 64 bits can count"));
  }
  return bytes;
}

absl::Status Invocation::Impl::PlaceArena(int stage) {
  const Plan& plan = state.plan;
  // The host's side of the arena holds operands of the steps that stay here.
  if (device != nullptr && !state.device_steps->any_on_host) return absl::OkStatus();
  const int64_t bytes = ArenaBytes(plan, stage).Evaluate(symbols).value_or(0);
  if (!arenas[stage].Grow(bytes)) {
    return MakeError("E0402", absl::StrCat("no memory for ", bytes, " bytes of intermediates of a run of '",
                                           plan.name, "'"));
  }
  for (size_t i = 0; i < arena_slots.size(); ++i) {
    if (plan.memory.slots[i].stage != stage) continue;
    const std::optional<int64_t> offset = plan.memory.slots[i].offset.Evaluate(symbols);
    if (!offset) return MakeError("E9001", "an offset of the memory plan has no value");
    SetAddress(arena_slots[i], arenas[stage].data() + *offset);
  }
  return absl::OkStatus();
}

absl::Status Invocation::Impl::BindShapes(const RunOptions& options) {
  RunControl control(options);
  run_limit = options.memory_limit;
  return BindStage(0, options.origins, control);
}

absl::Status Invocation::Impl::BindStage(int stage, std::span<const FeedOrigin> origins,
                                         RunControl& control) {
  const Plan& plan = state.plan;
  bound_stages = stage;
  outputs_placed = std::min(outputs_placed, stage);
  if (own_bodies != nullptr && stage == 0)
    own_bodies->SetLimit(0, std::min(run_limit, state.options.memory_limit));
  if (stage == 0) TENFOLD_RETURN_IF_ERROR(ResolveSymbols(plan, fed_dims, symbols, origins, around));
  TENFOLD_RETURN_IF_ERROR(CheckSizes(plan, stage, symbols));
  TENFOLD_RETURN_IF_ERROR(BindOutputShapes(stage));
  TENFOLD_RETURN_IF_ERROR(BindViews(stage));
  TENFOLD_RETURN_IF_ERROR(CheckValueSizes(plan, stage, symbols, state.options.limits));
  const size_t next = stage + 1;
  const size_t end = next < plan.stages.size() ? plan.stages[next] : steps.size();
  for (size_t s = plan.stages[stage]; s < end; ++s) {
    TENFOLD_RETURN_IF_ERROR(steps[s]->Bind(symbols, control));
  }
  TENFOLD_ASSIGN_OR_RETURN(memory, CountMemory(stage + 1));
  if (is_body) {
    TENFOLD_RETURN_IF_ERROR(bodies->Hold(memory.total - held));
    held = memory.total;
  } else {
    TENFOLD_RETURN_IF_ERROR(CheckMemory(std::min(run_limit, state.options.memory_limit)));
  }
  TENFOLD_RETURN_IF_ERROR(PlaceArena(stage));
  if (!scratch.Grow(ScratchBytes())) {
    return MakeError("E0402", absl::StrCat("no memory for ", memory.scratch,
                                           " bytes of scratch of a run of '", plan.name, "'"));
  }
  if (device != nullptr) TENFOLD_RETURN_IF_ERROR(device->Bind(symbols));
  bound_stages = stage + 1;
  return absl::OkStatus();
}

void Invocation::Impl::SetAround(const SymbolValues& values) {
  around = &values;
  for (const PlanSymbol& symbol : state.plan.symbols) {
    if (symbol.from != PlanSymbol::From::kAround) continue;
    const auto known = symbols.find(symbol.name);
    const auto now = values.find(symbol.name);
    if (known == symbols.end() || now == values.end() || known->second != now->second) bound_stages = 0;
  }
}

absl::StatusOr<bool> Invocation::Impl::TakeResults(size_t s) {
  const Plan& plan = state.plan;
  bool changed = false;
  for (const PlanSymbol& symbol : plan.symbols) {
    if (symbol.from != PlanSymbol::From::kStep || symbol.step != static_cast<int>(s)) continue;
    const std::span<const int64_t> dims = steps[s]->result_dims(symbol.input);
    if (symbol.dim >= static_cast<int>(dims.size())) return MakeError("E9001", "a result has no such dim");
    const auto [it, is_new] = symbols.try_emplace(symbol.name, dims[symbol.dim]);
    changed = changed || is_new || it->second != dims[symbol.dim];
    it->second = dims[symbol.dim];
  }
  const std::vector<int> results = StepOutputs(plan.steps[s]);
  for (size_t i = 0; i < results.size(); ++i) {
    const PlanValue& value = plan.values[results[i]];
    if (value.storage != StorageKind::kStep) continue;
    // Readers are bound by the type, and must find what it says.
    const std::optional<Dims> dims = value.type.shape.Evaluate(symbols);
    const std::span<const int64_t> given = steps[s]->result_dims(i);
    if (!dims || !std::equal(dims->begin(), dims->end(), given.begin(), given.end())) {
      return MakeError("E9001", absl::StrCat("'", value.name, "' came out as ", Name(value.type.dtype),
                                             DimsToString(given), ", not as ", value.type.ToString()));
    }
    SetAddress(value_slots[results[i]], steps[s]->result_data(i));
  }
  return changed;
}

absl::Status Invocation::Impl::CheckMemory(int64_t limit) const {
  if (memory.total <= limit) [[likely]]
    return absl::OkStatus();
  return OverMemoryLimit(state.plan, symbols, memory, limit);
}

absl::Status Invocation::Impl::PlaceOutputs(int stage) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    Output& output = outputs[i];
    if (output.stage != stage) continue;
    const std::string& name = state.plan.outputs[i].name;
    output.data = output.callers;
    if (output.callers != nullptr) {
      if (output.callers_count < output.count) {
        return MakeError(
            "E0403",
            absl::StrCat("output '", name, "' is ", Name(output.dtype), DimsToString(output.dims), ": ",
                         output.count, " values, the memory given for it holds ", output.callers_count));
      }
    } else {
      if (!output.own.Grow(std::max<size_t>(BytesOf(output.dtype, output.count), 1))) {
        return MakeError("E0402", absl::StrCat("no memory for output '", name, "' ", Name(output.dtype),
                                               DimsToString(output.dims)));
      }
      output.data = output.own.data();
    }
    SetAddress(output.slots, output.data);
  }
  outputs_placed = stage + 1;
  return absl::OkStatus();
}

absl::Status Invocation::Impl::MakeReady(const RunOptions& options) {
  if (missing > 0) {
    std::vector<int> which;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (!inputs[i].fed) which.push_back(static_cast<int>(i));
    }
    return MissingInputs(state.plan, which);
  }
  if (bound_stages == 0) TENFOLD_RETURN_IF_ERROR(BindShapes(options));
  if (outputs_placed == 0) TENFOLD_RETURN_IF_ERROR(PlaceOutputs(0));
  return absl::OkStatus();
}

absl::Status Invocation::Impl::Execute(const RunOptions& options) {
  TENFOLD_RETURN_IF_ERROR(CheckMemory(options.memory_limit));  // shapes may be bound since another run
  const ScopedFloatEnvironment environment;
  RunControl control(options);
  const int all = state.pool->num_threads();
  run_limit = options.memory_limit;
  int64_t steps_left = state.options.limits.loop_steps;
  RunContext context = {*state.pool, options.threads > 0 ? std::min(options.threads, all) : all,
                        control,     scratch,
                        steps_left,  symbols};
  if (own_bodies != nullptr) {
    own_bodies->SetLimit(memory.total - std::min(memory.total, own_bodies->held()),
                         std::min(options.memory_limit, state.options.memory_limit));
  }
  ProfileRecorder recorder(state.plan, symbols, options.profile);
  return device != nullptr ? ExecuteOnDevice(context, recorder) : RunSteps(context, recorder);
}

absl::Status Invocation::Impl::RunSteps(RunContext& context, ProfileRecorder& recorder) {
  const int stages = static_cast<int>(state.plan.stages.size());
  for (int stage = 0; stage < stages; ++stage) {
    if (bound_stages <= stage) TENFOLD_RETURN_IF_ERROR(BindStage(stage, {}, context.control));
    if (outputs_placed <= stage) TENFOLD_RETURN_IF_ERROR(PlaceOutputs(stage));
    const size_t end = stage + 1 < stages ? state.plan.stages[stage + 1] : steps.size();
    for (size_t s = state.plan.stages[stage]; s < end; ++s) {
      if (context.control.ShouldStop()) return context.control.status();
      recorder.Begin(s);
      TENFOLD_RETURN_IF_ERROR(steps[s]->Run(context));
      recorder.End(s);
    }
    if (stage + 1 == stages) break;
    TENFOLD_ASSIGN_OR_RETURN(const bool changed, TakeResults(end - 1));
    if (changed) bound_stages = std::min(bound_stages, stage + 1);
  }
  return absl::OkStatus();
}

void Invocation::Impl::Forget() {
  for (Input& input : inputs) {
    input.fed = false;
    input.data = nullptr;
    input.tensor = Tensor();
  }
  missing = static_cast<int>(inputs.size());
  for (Output& output : outputs) output.callers = nullptr;
  outputs_placed = 0;
}

// ---------------------------------------------------------------------------------------------------------

Invocation::Invocation(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Invocation::Invocation(Invocation&&) noexcept = default;
Invocation& Invocation::operator=(Invocation&&) noexcept = default;

Invocation::~Invocation() = default;

absl::Status Invocation::CheckIndex(int i, size_t count, const char* what) {
  if (i >= 0 && static_cast<size_t>(i) < count) return absl::OkStatus();
  return MakeError("E0602", absl::StrCat("there is no ", what, " ", i, ": the graph has ", count));
}

absl::Status Invocation::SetInputData(int i, DType dtype, const void* data, int64_t count) {
  TENFOLD_RETURN_IF_ERROR(CheckIndex(i, impl_->inputs.size(), "input"));
  Impl::Input& input = impl_->inputs[i];
  if (input.shape_follows_count && input.count == count && input.dtype == dtype) [[likely]] {
    impl_->Feed(i, impl_->fed_dims[i], data, count, true);
    return absl::OkStatus();
  }
  TENFOLD_ASSIGN_OR_RETURN(const Dims dims, DimsForCount(impl_->state.plan, i, dtype, count));
  impl_->Feed(i, dims, data, count, true);
  input.tensor = Tensor();
  return absl::OkStatus();
}

absl::Status Invocation::SetInput(int i, DType dtype, std::span<const int64_t> dims, const void* data) {
  TENFOLD_RETURN_IF_ERROR(CheckIndex(i, impl_->inputs.size(), "input"));
  TENFOLD_RETURN_IF_ERROR(CheckFeed(impl_->state.plan, i, dtype, dims));
  impl_->Feed(i, dims, data, NumElements(dims).value_or(0), false);
  impl_->inputs[i].tensor = Tensor();
  return absl::OkStatus();
}

absl::Status Invocation::SetInput(int i, const Tensor& tensor) {
  TENFOLD_RETURN_IF_ERROR(CheckIndex(i, impl_->inputs.size(), "input"));
  return impl_->FeedTensor(i, tensor, {});
}

absl::Status Invocation::SetOutputData(int i, DType dtype, void* data, int64_t count) {
  TENFOLD_RETURN_IF_ERROR(CheckIndex(i, impl_->outputs.size(), "output"));
  Impl::Output& output = impl_->outputs[i];
  if (dtype != output.dtype) {
    return MakeError("E0604", absl::StrCat("output '", impl_->state.plan.outputs[i].name, "' is ",
                                           Name(output.dtype), ", the memory given for it is ", Name(dtype)));
  }
  if (data != output.callers || count != output.callers_count) impl_->outputs_placed = 0;
  output.callers = count > 0 ? data : nullptr;
  output.callers_count = count;
  return absl::OkStatus();
}

TensorView Invocation::Output(int i) const {
  if (i < 0 || static_cast<size_t>(i) >= impl_->outputs.size()) return {};
  const Impl::Output& output = impl_->outputs[i];
  return {output.dtype, output.dims, output.data, output.data == nullptr ? 0 : output.count};
}

absl::Status Invocation::Run(const RunOptions& options) {
  if (impl_->bound_stages == 0 || impl_->outputs_placed == 0 || impl_->missing > 0) [[unlikely]] {
    TENFOLD_RETURN_IF_ERROR(impl_->MakeReady(options));
  }
  TENFOLD_RETURN_IF_ERROR(impl_->CheckContracts(options));
  return impl_->Execute(options);
}

absl::StatusOr<Tensor> TensorView::ToTensor() const {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(dtype, dims));
  if (num_elements > 0) std::memcpy(tensor.mutable_data(), data, BytesOf(dtype, num_elements));
  return tensor;
}

}  // namespace tenfold
