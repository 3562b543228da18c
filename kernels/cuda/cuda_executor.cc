// SPDX-License-Identifier: Apache-2.0
#include "tenfold/kernels/cuda/cuda_executor.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/kernels/cuda/ptx_kernel.h"

namespace tenfold {
namespace {

// What all contexts of a program share; nothing in it changes once it is loaded.
struct LoadedProgram {
  struct Step {
    int kernel = -1;      // in `kernels`; -1: the host computes it
    int error_word = -1;  // -1: it cannot fail
    std::vector<Dim> dims;
  };

  const DeviceProgram* program = nullptr;
  std::shared_ptr<CudaDevice> device;  // declared first of those that need it
  CudaModule code;
  std::vector<DeviceKernel> kernels;
  std::vector<CuFunction> functions;  // by kernel
  std::vector<Step> steps;
  std::vector<CudaBuffer> constants;  // by value
  size_t num_error_words = 0;
};

// Memory of at least `bytes`. What was there goes first, so that both need not fit.
absl::Status Grow(CudaDevice& device, CudaBuffer& buffer, size_t bytes) {
  if (bytes <= buffer.bytes()) return absl::OkStatus();
  buffer = CudaBuffer();
  TENFOLD_ASSIGN_OR_RETURN(buffer, device.Allocate(bytes));
  return absl::OkStatus();
}

class CudaContext final : public DeviceContext {
 public:
  explicit CudaContext(std::shared_ptr<const LoadedProgram> loaded)
      : loaded_(std::move(loaded)),
        program_(*loaded_->program),
        device_(*loaded_->device),
        buffers_(program_.plan->values.size()),
        places_(program_.plan->values.size()),
        calls_(program_.steps.size()) {}

  absl::Status Bind(const SymbolValues& symbols) override;

  absl::Status Begin() override {
    return device_.ClearErrorWords(error_words_.address(), loaded_->num_error_words);
  }
  absl::Status CopyIn(int value, const void* from) override {
    return device_.CopyIn(places_[value].address, from, places_[value].bytes);
  }
  absl::Status CopyOut(int value, void* to) override {
    return device_.CopyOut(to, places_[value].address, places_[value].bytes);
  }
  absl::Status Launch(size_t step) override;
  absl::Status Wait() override { return device_.Synchronize(); }
  absl::Status Finish(std::span<KernelError> errors) override;

 private:
  struct Place {
    CuDevicePtr address = 0;
    size_t bytes = 0;
  };
  struct Call {
    bool empty = false;  // nothing to compute
    std::vector<int64_t> dims;
    std::vector<CuDevicePtr> inputs, outputs;
  };

  absl::Status PlaceValues(const SymbolValues& symbols);
  absl::Status PlaceArena(const SymbolValues& symbols);
  absl::Status PlaceAliases(const SymbolValues& symbols);
  absl::Status BindStep(size_t s, const SymbolValues& symbols);

  const std::shared_ptr<const LoadedProgram> loaded_;  // declared first: buffers go back to its device
  const DeviceProgram& program_;
  CudaDevice& device_;
  CudaBuffer arena_, scratch_, error_words_;
  std::vector<CudaBuffer> buffers_;  // by value; of inputs and outputs
  std::vector<Place> places_;        // by value
  std::vector<Call> calls_;          // by step
  std::vector<KernelError> words_;
};

absl::Status CudaContext::Bind(const SymbolValues& symbols) {
  TENFOLD_RETURN_IF_ERROR(PlaceValues(symbols));
  TENFOLD_RETURN_IF_ERROR(PlaceArena(symbols));
  TENFOLD_RETURN_IF_ERROR(PlaceAliases(symbols));
  size_t scratch_bytes = 0;
  for (size_t s = 0; s < calls_.size(); ++s) {
    const LoadedProgram::Step& step = loaded_->steps[s];
    if (step.kernel < 0) continue;
    TENFOLD_RETURN_IF_ERROR(BindStep(s, symbols));
    if (calls_[s].empty) continue;
    const LaunchShape shape =
        ShapeOfLaunch(loaded_->kernels[step.kernel], calls_[s].dims, device_.info().multiprocessors);
    scratch_bytes = std::max(scratch_bytes, shape.scratch_bytes);
  }
  // Kernels run one after another, so one piece serves all.
  TENFOLD_RETURN_IF_ERROR(Grow(device_, scratch_, scratch_bytes));
  return Grow(device_, error_words_, loaded_->num_error_words * sizeof(CudaErrorWord));
}

absl::Status CudaContext::PlaceValues(const SymbolValues& symbols) {
  for (size_t v = 0; v < places_.size(); ++v) {
    if (!program_.OnDevice(static_cast<int>(v))) continue;
    const PlanValue& value = program_.plan->values[v];
    const std::optional<Dims> dims = value.type.shape.Evaluate(symbols);
    const std::optional<int64_t> count = dims ? NumElements(*dims) : std::nullopt;
    size_t bytes;
    if (!count || __builtin_mul_overflow(static_cast<size_t>(*count), SizeOf(value.type.dtype), &bytes)) {
      return MakeError("E0402", absl::StrCat("value '", value.name, "' ", value.type.ToString(),
                                             " has an extent or a size that cannot be"));
    }
    places_[v].bytes = BytesOf(value.type.dtype, static_cast<uint64_t>(*count));
    if (value.storage == StorageKind::kConstant) places_[v].address = loaded_->constants[v].address();
    if (value.storage != StorageKind::kInput && value.storage != StorageKind::kOutput) continue;
    TENFOLD_RETURN_IF_ERROR(Grow(device_, buffers_[v], bytes));
    places_[v].address = buffers_[v].address();
  }
  return absl::OkStatus();
}

// As the host's arena, at the same offsets.
absl::Status CudaContext::PlaceArena(const SymbolValues& symbols) {
  const MemoryPlan& memory = program_.plan->memory;
  const auto on_device = [this](const MemoryPlan::Slot& slot) { return program_.OnDevice(slot.value); };
  if (std::none_of(memory.slots.begin(), memory.slots.end(), on_device)) return absl::OkStatus();
  const std::optional<int64_t> bytes = memory.arena_bytes.Evaluate(symbols);
  if (!bytes || *bytes < 0) return MakeError("E9001", "the size of the arena has no value");
  TENFOLD_RETURN_IF_ERROR(Grow(device_, arena_, static_cast<size_t>(*bytes)));
  for (const MemoryPlan::Slot& slot : memory.slots) {
    const std::optional<int64_t> offset = slot.offset.Evaluate(symbols);
    if (!offset) return MakeError("E9001", "an offset of the memory plan has no value");
    places_[slot.value].address = arena_.address() + static_cast<CuDevicePtr>(*offset);
  }
  return absl::OkStatus();
}

absl::Status CudaContext::PlaceAliases(const SymbolValues& symbols) {
  const Plan& plan = *program_.plan;
  for (size_t v = 0; v < places_.size(); ++v) {
    const PlanValue& value = plan.values[v];
    const int alias = static_cast<int>(v);
    if (value.storage != StorageKind::kAlias || !program_.OnDevice(alias)) continue;
    const std::optional<int64_t> offset = plan.OffsetOf(alias).Evaluate(symbols);
    if (!offset) return MakeError("E9001", absl::StrCat("where '", value.name, "' begins has no value"));
    places_[v].address =
        places_[plan.Root(alias)].address +
        static_cast<CuDevicePtr>(*offset) * static_cast<CuDevicePtr>(SizeOf(value.type.dtype));
  }
  return absl::OkStatus();
}

absl::Status CudaContext::BindStep(size_t s, const SymbolValues& symbols) {
  const DeviceProgram::Step& step = program_.steps[s];
  Call& call = calls_[s];
  call.dims.clear();
  call.empty = false;
  for (const Dim& dim : loaded_->steps[s].dims) {
    const std::optional<int64_t> value = dim.Evaluate(symbols);
    if (!value) {
      // An empty space may have strides that overflow; nobody walks them.
      if (call.empty) return absl::OkStatus();
      return MakeError("E9001", absl::StrCat("the extent ", dim.ToString(), " has no value"));
    }
    call.empty |= *value == 0 && static_cast<int>(call.dims.size()) < step.kernel->parallel_rank;
    call.dims.push_back(*value);
  }
  call.inputs.clear();
  call.outputs.clear();
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const FusedKernel::Operand& operand = step.kernel->inputs[i];
    const std::optional<int64_t> offset = operand.offset.Evaluate(symbols);
    if (!offset) return MakeError("E9001", "the offset of an operand has no value");
    call.inputs.push_back(places_[step.inputs[i]].address +
                          static_cast<CuDevicePtr>(*offset) * SizeOf(operand.dtype));
  }
  for (const int v : step.outputs) call.outputs.push_back(places_[v].address);
  return absl::OkStatus();
}

absl::Status CudaContext::Launch(size_t s) {
  const LoadedProgram::Step& step = loaded_->steps[s];
  const Call& call = calls_[s];
  if (call.empty) return absl::OkStatus();
  const CuDevicePtr word =
      step.error_word < 0 ? 0 : error_words_.address() + step.error_word * sizeof(CudaErrorWord);
  return LaunchDeviceKernel(device_, loaded_->kernels[step.kernel], loaded_->functions[step.kernel],
                            {.inputs = call.inputs,
                             .outputs = call.outputs,
                             .dims = call.dims,
                             .scratch = scratch_.address(),
                             .error_word = word});
}

absl::Status CudaContext::Finish(std::span<KernelError> errors) {
  std::fill(errors.begin(), errors.end(), DecodeErrorWord(kNoCudaError));
  if (loaded_->num_error_words == 0) return Wait();
  words_.resize(loaded_->num_error_words);
  TENFOLD_RETURN_IF_ERROR(device_.ReadErrorWords(error_words_.address(), words_));
  for (size_t s = 0; s < errors.size(); ++s) {
    if (loaded_->steps[s].error_word >= 0) errors[s] = words_[loaded_->steps[s].error_word];
  }
  return absl::OkStatus();
}

// ---------------------------------------------------------------------------------------------------------
// Loading.

class CudaPlan final : public DevicePlan {
 public:
  explicit CudaPlan(std::shared_ptr<const LoadedProgram> loaded) : loaded_(std::move(loaded)) {}
  std::unique_ptr<DeviceContext> NewContext() const override {
    return std::make_unique<CudaContext>(loaded_);
  }

 private:
  const std::shared_ptr<const LoadedProgram> loaded_;
};

class CudaExecutor final : public DeviceExecutor {
 public:
  CudaExecutor(std::shared_ptr<CudaDevice> device, CudaCodeObserver observer)
      : device_(std::move(device)), observer_(std::move(observer)) {}

  absl::StatusOr<std::unique_ptr<DevicePlan>> Load(const DeviceProgram& program) override {
    auto loaded = std::make_shared<LoadedProgram>();
    loaded->program = &program;
    loaded->device = device_;
    TENFOLD_RETURN_IF_ERROR(LoadCode(*loaded));
    const absl::Status uploaded = UploadConstants(*loaded);
    // After a failure too: copies under way still use the constants.
    const absl::Status done = device_->Synchronize();
    TENFOLD_RETURN_IF_ERROR(uploaded);
    TENFOLD_RETURN_IF_ERROR(done);
    return std::make_unique<CudaPlan>(std::move(loaded));
  }

 private:
  absl::Status LoadCode(LoadedProgram& loaded) const;
  absl::Status UploadConstants(LoadedProgram& loaded) const;

  const std::shared_ptr<CudaDevice> device_;
  const CudaCodeObserver observer_;
};

absl::Status CudaExecutor::LoadCode(LoadedProgram& loaded) const {
  std::vector<const FusedKernel*> kernels;
  absl::flat_hash_map<const FusedKernel*, int> numbers;
  for (const DeviceProgram::Step& step : loaded.program->steps) {
    LoadedProgram::Step& out = loaded.steps.emplace_back();
    if (step.kernel == nullptr) continue;
    const auto [it, is_new] = numbers.try_emplace(step.kernel, static_cast<int>(kernels.size()));
    if (is_new) kernels.push_back(step.kernel);
    out.kernel = it->second;
    out.dims = step.kernel->DimExpressions();
  }
  if (kernels.empty()) return absl::OkStatus();
  TENFOLD_ASSIGN_OR_RETURN(PtxModule module,
                           CompileToPtx(kernels, {.compute_capability = device_->info().compute_capability}));
  if (observer_ != nullptr) observer_(module, kernels);
  TENFOLD_ASSIGN_OR_RETURN(loaded.code, device_->LoadModule(module.ptx));
  loaded.kernels = std::move(module.kernels);
  for (const DeviceKernel& kernel : loaded.kernels) {
    TENFOLD_ASSIGN_OR_RETURN(const CuFunction function, loaded.code.Function(kernel.symbol));
    loaded.functions.push_back(function);
  }
  for (LoadedProgram::Step& step : loaded.steps) {
    if (step.kernel < 0 || !loaded.kernels[step.kernel].can_fail) continue;
    step.error_word = static_cast<int>(loaded.num_error_words++);
  }
  return absl::OkStatus();
}

absl::Status CudaExecutor::UploadConstants(LoadedProgram& loaded) const {
  const DeviceProgram& program = *loaded.program;
  loaded.constants.resize(program.plan->values.size());
  for (size_t v = 0; v < loaded.constants.size(); ++v) {
    if (!program.reads[v] || program.plan->values[v].storage != StorageKind::kConstant) continue;
    const Tensor& tensor = program.constants[v];
    TENFOLD_ASSIGN_OR_RETURN(loaded.constants[v], device_->Allocate(tensor.stored_bytes()));
    TENFOLD_RETURN_IF_ERROR(
        device_->CopyIn(loaded.constants[v].address(), tensor.data(), tensor.stored_bytes()));
  }
  return absl::OkStatus();
}

}  // namespace

std::shared_ptr<DeviceExecutor> CreateCudaExecutor(std::shared_ptr<CudaDevice> device,
                                                   CudaCodeObserver observer) {
  return std::make_shared<CudaExecutor>(std::move(device), std::move(observer));
}

}  // namespace tenfold
