// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/executable_state.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

// Kernels in one module of the background: a module is what an early exit waits for.
constexpr size_t kBackgroundBatch = 8;

// Equal but for the name. Models repeat their layers, and code is what costs.
bool SameComputation(const FusedKernel& a, const FusedKernel& b) {
  return a.parallel_rank == b.parallel_rank && a.extents == b.extents && a.inputs == b.inputs &&
         a.stages == b.stages && a.outputs == b.outputs;
}

// Whether the walk stays at the first element.
bool StaysAtFirst(const Dim& offset, const std::vector<Dim>& strides) {
  return offset == Dim(0) &&
         std::all_of(strides.begin(), strides.end(), [](const Dim& d) { return d == Dim(0); });
}

// Marks the values that `step` reads at more than their first element.
void MarkReadWhole(const Plan& plan, const PlanStep& step, std::vector<bool>& whole) {
  for (int v : StepInputs(step)) {
    if (!(plan.OffsetOf(v) == Dim(0))) whole[plan.Root(v)] = true;
  }
  if (const auto* fused = std::get_if<FusedStep>(&step.work)) {
    for (size_t i = 0; i < fused->inputs.size(); ++i) {
      const FusedKernel::Operand& input = fused->kernel.inputs[i];
      if (!StaysAtFirst(input.offset, input.strides)) whole[plan.Root(fused->inputs[i])] = true;
    }
  } else if (const auto* copy = std::get_if<CopyStep>(&step.work)) {
    const bool packed = IsPacked(plan.values[copy->out].type.dtype);  // copied by its bytes, of two elements
    for (const Piece& piece : copy->layout.pieces) {
      if (packed || !StaysAtFirst(piece.from, piece.from_strides))
        whole[plan.Root(copy->in[piece.input])] = true;
    }
  } else {
    for (int v : StepInputs(step)) whole[plan.Root(v)] = true;
  }
}

}  // namespace

ExecutableState::ExecutableState() = default;

ExecutableState::~ExecutableState() {
  stop_compiling.store(true);
  if (compile_thread.joinable()) compile_thread.join();
}

absl::Status ExecutableState::Prepare() {
  RunControl control(options.deadline, std::exchange(options.cancelled, nullptr), nullptr, "compilation");
  pool = options.pool != nullptr ? options.pool : std::make_shared<ThreadPool>(options.threads);
  TENFOLD_RETURN_IF_ERROR(PrepareContracts());
  Preparation preparation = {control, *this, {}, {}};
  TENFOLD_RETURN_IF_ERROR(PrepareSteps(preparation));
  if (options.device != nullptr) TENFOLD_RETURN_IF_ERROR(LoadOnDevice());
  for (const auto& code : kernels) {
    if (!code->on_device) host_kernels.push_back(code.get());
  }
  const bool compiles = options.compiler != nullptr && options.jit != JitMode::kOff && !host_kernels.empty();
  if (compiles && options.jit == JitMode::kWait) TENFOLD_RETURN_IF_ERROR(CompileAll(control));
  for (const auto& code : kernels) {  // also those of a device: binding asks them for sizes
    if (code->compiled.load() == nullptr) {
      code->interpreter = std::make_unique<const KernelInterpreter>(*code->kernel);
    }
  }
  if (compiles && options.jit == JitMode::kBackground) {
    compiling.store(true);
    try {
      compile_thread = std::thread([this] { CompileInBackground(); });
    } catch (const std::system_error& error) {  // interpreted for good, with the same bits
      compile_status = MakeError("E0402", absl::StrCat("no thread to compile on: ", error.what()));
      compiling.store(false);
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::PrepareSteps(Preparation& preparation) {
  TENFOLD_RETURN_IF_ERROR(KeepConstants(preparation));
  ShareKernels(preparation.root);
  TENFOLD_RETURN_IF_ERROR(PackMatMuls(preparation.control));
  TENFOLD_RETURN_IF_ERROR(PackConvolutions(preparation.control));
  return PrepareBodies(preparation);
}

absl::Status ExecutableState::PrepareBodies(Preparation& preparation) {
  step_bodies.resize(plan.steps.size());
  for (const PlanValue& value : plan.values) keeps_memory |= value.storage == StorageKind::kStep;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto* control = std::get_if<ControlStep>(&plan.steps[s].work);
    if (control == nullptr) continue;
    keeps_memory = true;
    for (const auto& body : control->bodies) {
      std::shared_ptr<ExecutableState>& shared = preparation.bodies[body.get()];
      if (shared == nullptr) {
        TENFOLD_RETURN_IF_ERROR(VerifyPlan(*body));
        auto made = std::make_shared<ExecutableState>();
        made->plan = *body;
        made->options = options;
        made->options.device = nullptr;
        made->pool = pool;
        TENFOLD_RETURN_IF_ERROR(made->PrepareSteps(preparation));
        preparation.bodies[body.get()] = made;
      }
      step_bodies[s].push_back(preparation.bodies[body.get()]);
    }
  }
  return absl::OkStatus();
}

void ExecutableState::ShareKernels(ExecutableState& root) {
  step_kernels.resize(plan.steps.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto* fused = std::get_if<FusedStep>(&plan.steps[s].work);
    if (fused == nullptr) continue;
    const bool on_device = options.device != nullptr;
    const auto same = std::find_if(root.kernels.begin(), root.kernels.end(), [&](const auto& code) {
      return code->on_device == on_device && SameComputation(*code->kernel, fused->kernel);
    });
    if (same != root.kernels.end()) {
      step_kernels[s] = same->get();
      continue;
    }
    root.kernels.push_back(std::make_unique<KernelCode>());
    root.kernels.back()->kernel = &fused->kernel;
    root.kernels.back()->on_device = on_device;
    step_kernels[s] = root.kernels.back().get();
  }
}

absl::Status ExecutableState::PrepareContracts() {
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    const PlanInput& input = plan.inputs[i];
    if (!input.contract) continue;
    contracts.resize(plan.inputs.size());
    TENFOLD_ASSIGN_OR_RETURN(contracts[i],
                             ContractChecker::Create(input.name, input.location, *input.contract));
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::KeepConstants(Preparation& preparation) {
  std::vector<bool> whole(plan.values.size());
  for (const PlanStep& step : plan.steps) MarkReadWhole(plan, step, whole);
  constants.resize(plan.values.size());
  for (size_t v = 0; v < plan.values.size(); ++v) {
    const PlanValue& value = plan.values[v];
    if (value.storage != StorageKind::kConstant) continue;
    const bool write_out = value.constant.is_splat() && whole[v];
    const int64_t bytes =
        static_cast<int64_t>(write_out ? value.constant.logical_bytes() : value.constant.stored_bytes());
    // What a body shares with the graph around it is there once.
    const bool is_new = write_out || preparation.counted.insert(value.constant.data()).second;
    TENFOLD_RETURN_IF_ERROR(preparation.root.CheckConstant(value, is_new ? bytes : 0));
    if (write_out) {
      TENFOLD_ASSIGN_OR_RETURN(constants[v], value.constant.Materialize());
    } else {
      constants[v] = value.constant;
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::CheckConstant(const PlanValue& value, int64_t bytes) {
  if (bytes > options.limits.tensor_bytes) {
    return MakeError("E0402",
                     absl::StrCat("the constant '", value.name, "' is ", value.type.ToString(), ": ", bytes,
                                  " bytes where all of it is read; the limit tensor_bytes is ",
                                  options.limits.tensor_bytes),
                     RaiseLimitHelp("tensor_bytes", bytes));
  }
  if (__builtin_add_overflow(constant_bytes, bytes, &constant_bytes) ||
      constant_bytes > options.memory_limit) {
    return MakeError("E0404",
                     absl::StrCat("the constants of '", plan.name, "' up to '", value.name, "' take ",
                                  constant_bytes, " bytes; the memory limit is ", options.memory_limit));
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::PackMatMuls(RunControl& control) {
  step_matmuls.resize(plan.steps.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto* matmul = std::get_if<MatMulStep>(&plan.steps[s].work);
    if (matmul == nullptr) continue;
    step_matmuls[s] = std::make_unique<MatMulCache>();
    // Those of constant extents now, so that a failure shows here and the first run is quick.
    const Shape& out = plan.values[matmul->out].type.shape;
    if (out.is_static() && matmul->layout.k.is_constant()) {
      TENFOLD_RETURN_IF_ERROR(BoundStep::Create(*this, s)->Bind({}, control));
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::PackConvolutions(RunControl& control) {
  step_convolutions.resize(plan.steps.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const auto* kernel = std::get_if<KernelStep>(&plan.steps[s].work);
    if (kernel == nullptr || !kernel->convolution) continue;
    step_convolutions[s] = std::make_unique<ConvolutionCache>();
    const auto is_static = [&](int value) { return plan.values[value].type.shape.is_static(); };
    // Those of constant extents now, as products are.
    if (is_static(kernel->inputs[0]) && is_static(kernel->inputs[1])) {
      TENFOLD_RETURN_IF_ERROR(BoundStep::Create(*this, s)->Bind({}, control));
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::LoadOnDevice() {
  if (plan.stages.size() > 1) {
    const PlanNode& node = plan.steps[plan.stages[1] - 1].nodes[0];
    return MakeError("E0711",
                     absl::StrCat(NodeText(node),
                                  " gives results whose sizes only a run knows, and device memory is "
                                  "placed before it"),
                     "--device cpu computes it, and so does --device auto");
  }
  std::vector<const FusedKernel*> shared;
  for (const KernelCode* code : step_kernels) shared.push_back(code == nullptr ? nullptr : code->kernel);
  device_steps = std::make_unique<const DeviceSteps>(plan, shared, constants);
  TENFOLD_ASSIGN_OR_RETURN(device_plan, options.device->Load(device_steps->program));
  return absl::OkStatus();
}

absl::Status ExecutableState::CompileBatch(size_t begin, size_t end) {
  std::vector<const FusedKernel*> batch;
  for (size_t i = begin; i < end; ++i) batch.push_back(host_kernels[i]->kernel);
  TENFOLD_ASSIGN_OR_RETURN(std::vector<CompiledKernel> compiled,
                           options.compiler->Compile(batch, options.compile));
  if (compiled.size() != batch.size())
    return MakeError("E9001", "the compiler gave another number of kernels");
  for (size_t i = begin; i < end; ++i) {
    KernelCode& code = *host_kernels[i];
    code.machine_code = std::move(compiled[i - begin]);
    // From here on runs may use it.
    if (code.machine_code.function != nullptr) {
      code.compiled.store(&code.machine_code, std::memory_order_release);
    }
  }
  return absl::OkStatus();
}

absl::Status ExecutableState::CompileAll(RunControl& control) {
  // One module a thread: many kernels together cost less than one at a time. A module is not given up half
  // way, so those that somebody may want to stop are small.
  size_t batches = std::min<size_t>(pool->num_threads(), (host_kernels.size() + 3) / 4);
  if (control.armed())
    batches = std::max(batches, (host_kernels.size() + kBackgroundBatch - 1) / kBackgroundBatch);
  std::vector<absl::Status> statuses(batches);
  pool->ParallelFor(static_cast<int64_t>(batches), [&](int64_t b, int) {
    if (control.ShouldStop()) return;
    statuses[b] = CompileBatch(host_kernels.size() * b / batches, host_kernels.size() * (b + 1) / batches);
  });
  for (const absl::Status& status : statuses) TENFOLD_RETURN_IF_ERROR(status);
  return control.status();
}

void ExecutableState::CompileInBackground() {
  for (size_t begin = 0; begin < host_kernels.size() && !stop_compiling.load(); begin += kBackgroundBatch) {
    compile_status = CompileBatch(begin, std::min(begin + kBackgroundBatch, host_kernels.size()));
    if (!compile_status.ok()) break;  // what is not compiled stays interpreted, with the same bits
  }
  compiling.store(false);
  compiling.notify_all();
}

absl::StatusOr<std::shared_ptr<const MatMulKernel>> ExecutableState::MatMulFor(size_t step,
                                                                               const MatMulSpec& spec,
                                                                               RunControl& control) const {
  if (options.matmuls == nullptr) return std::shared_ptr<const MatMulKernel>();
  MatMulCache& cache = *step_matmuls[step];
  const std::lock_guard<std::mutex> lock(cache.mutex);
  for (auto it = cache.entries.begin(); it != cache.entries.end(); ++it) {
    if (it->batch == spec.batch && it->m == spec.m && it->k == spec.k && it->n == spec.n &&
        it->lhs_batched == spec.lhs_batched && it->rhs_batched == spec.rhs_batched) {
      std::rotate(it, it + 1, cache.entries.end());
      return cache.entries.back().kernel;
    }
  }
  TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<const MatMulKernel> kernel,
                           options.matmuls->Create(spec, control.interrupt()));
  // What was stopped on the way is not whole.
  TENFOLD_RETURN_IF_ERROR(control.status());
  if (cache.entries.size() == MatMulCache::kCapacity) cache.entries.erase(cache.entries.begin());
  cache.entries.push_back({spec.batch, spec.m, spec.k, spec.n, spec.lhs_batched, spec.rhs_batched, kernel});
  return kernel;
}

absl::StatusOr<std::shared_ptr<const ConvolutionKernel>> ExecutableState::ConvolutionFor(
    size_t step, const ConvolutionSpec& spec, RunControl& control) const {
  if (options.convolutions == nullptr) return std::shared_ptr<const ConvolutionKernel>();
  ConvolutionCache& cache = *step_convolutions[step];
  const std::lock_guard<std::mutex> lock(cache.mutex);
  for (auto it = cache.entries.begin(); it != cache.entries.end(); ++it) {
    if (!(it->extents == spec.extents)) continue;
    std::rotate(it, it + 1, cache.entries.end());
    return cache.entries.back().kernel;
  }
  TENFOLD_ASSIGN_OR_RETURN(std::shared_ptr<const ConvolutionKernel> kernel,
                           options.convolutions->Create(spec, control.interrupt()));
  // What was stopped on the way is not whole.
  TENFOLD_RETURN_IF_ERROR(control.status());
  if (cache.entries.size() == ConvolutionCache::kCapacity) cache.entries.erase(cache.entries.begin());
  cache.entries.push_back({spec.extents, kernel});
  return kernel;
}

}  // namespace tenfold
