// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/executable.h"

#include <mutex>
#include <utility>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/executable_state.h"
#include "tenfold/runtime/feeds.h"
#include "tenfold/runtime/invocation_impl.h"

namespace tenfold {
namespace {

// Idle Invocations kept for the named form; more runs than that side by side make their own.
constexpr size_t kMaxIdle = 8;

int FindInput(const Plan& plan, absl::string_view name) {
  for (size_t i = 0; i < plan.inputs.size(); ++i) {
    if (plan.inputs[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

absl::StatusOr<Executable> Executable::Create(Plan plan, ExecutableOptions options) {
  TENFOLD_RETURN_IF_ERROR(VerifyPlan(plan));
  auto state = std::make_shared<ExecutableState>();
  state->plan = std::move(plan);
  state->options = std::move(options);
  TENFOLD_RETURN_IF_ERROR(state->Prepare());
  return Executable(std::move(state));
}

Invocation Executable::Prepare() const {
  Invocation invocation(std::make_unique<Invocation::Impl>(*state_));
  invocation.impl_->keep_alive = state_;
  return invocation;
}

Invocation Executable::TakeIdle() const {
  {
    const std::lock_guard<std::mutex> lock(state_->idle_mutex);
    if (!state_->idle.empty()) {
      Invocation invocation = std::move(state_->idle.back());
      state_->idle.pop_back();
      invocation.impl_->keep_alive = state_;
      return invocation;
    }
  }
  return Prepare();
}

void Executable::Park(Invocation invocation) const {
  invocation.impl_->Forget();
  const std::lock_guard<std::mutex> lock(state_->idle_mutex);
  if (state_->idle.size() >= kMaxIdle) return;
  // The list is the state's own: a reference from there would keep the state alive for ever.
  invocation.impl_->keep_alive = nullptr;
  state_->idle.push_back(std::move(invocation));
}

absl::StatusOr<NamedTensors> Executable::Run(const NamedTensors& feeds, const RunOptions& options) const {
  Invocation invocation = TakeIdle();
  absl::StatusOr<NamedTensors> results = RunWith(invocation, feeds, options);
  Park(std::move(invocation));
  return results;
}

absl::StatusOr<NamedTensors> Executable::RunWith(Invocation& invocation, const NamedTensors& feeds,
                                                 const RunOptions& options) const {
  Invocation::Impl& impl = *invocation.impl_;
  for (const auto& [name, tensor] : feeds) {
    const int i = FindInput(plan(), name);
    if (i < 0) return UnknownInput(plan(), name);
    if (impl.inputs[i].fed) return FedTwice(plan(), i);
    TENFOLD_RETURN_IF_ERROR(impl.FeedTensor(i, tensor, options.origins));
  }
  if (impl.missing > 0) return impl.MakeReady(options);  // says which
  if (impl.bound_stages == 0) TENFOLD_RETURN_IF_ERROR(impl.BindShapes(options));
  TENFOLD_RETURN_IF_ERROR(impl.CheckContracts(options));
  // Written in place: what is handed out is what the last step wrote.
  NamedTensors results;
  for (size_t i = 0; i < impl.outputs.size(); ++i) {
    Invocation::Impl::Output& output = impl.outputs[i];
    if (output.stage > 0) {  // only the run knows how large it is
      results.emplace_back(plan().outputs[i].name, Tensor());
      continue;
    }
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(output.dtype, output.dims));
    output.callers = tensor.mutable_data();
    output.callers_count = output.count;
    results.emplace_back(plan().outputs[i].name, std::move(tensor));
  }
  TENFOLD_RETURN_IF_ERROR(impl.PlaceOutputs(0));
  TENFOLD_RETURN_IF_ERROR(impl.Execute(options));
  for (size_t i = 0; i < impl.outputs.size(); ++i) {
    if (impl.outputs[i].stage == 0) continue;
    TENFOLD_ASSIGN_OR_RETURN(results[i].second, invocation.Output(static_cast<int>(i)).ToTensor());
  }
  return results;
}

const Plan& Executable::plan() const { return state_->plan; }

absl::Status Executable::WaitForCode() const {
  state_->compiling.wait(true);
  return state_->compile_status;
}

int Executable::num_compiled_steps() const {
  int count = 0;
  for (const KernelCode* code : state_->step_kernels)
    count += code != nullptr && code->compiled.load() != nullptr;
  return count;
}

}  // namespace tenfold
