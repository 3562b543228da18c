// SPDX-License-Identifier: Apache-2.0
#include "tenfold/runtime/body_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/invocation_impl.h"

namespace tenfold {

BodyRun::BodyRun(const ExecutableState& state, BodyRuns& all)
    : impl_(std::make_unique<Invocation::Impl>(state, &all)) {}

BodyRun::~BodyRun() = default;

void BodyRun::Feed(int i, std::span<const int64_t> dims, const void* data) {
  impl_->Feed(i, dims, data, 0, false);
}

void BodyRun::SetOutput(int i, void* memory) {
  Invocation::Impl::Output& output = impl_->outputs[i];
  if (output.callers == memory) return;
  output.callers = memory;
  output.callers_count = memory == nullptr ? 0 : INT64_MAX;
  impl_->outputs_placed = 0;
}

absl::Status BodyRun::Bind(const SymbolValues& around, RunControl& control) {
  impl_->SetAround(around);
  return impl_->bound_stages > 0 ? absl::OkStatus() : impl_->BindStage(0, {}, control);
}

absl::Status BodyRun::Run(RunContext& around) {
  TENFOLD_RETURN_IF_ERROR(Bind(around.symbols, around.control));
  RunContext context = {around.pool,    around.threads,    around.control,
                        impl_->scratch, around.steps_left, impl_->symbols};
  ProfileRecorder no_recorder(impl_->state.plan, impl_->symbols, nullptr);
  return impl_->RunSteps(context, no_recorder);
}

std::span<const int64_t> BodyRun::dims(int i) const { return impl_->outputs[i].dims; }
const void* BodyRun::data(int i) const { return impl_->outputs[i].data; }

void BodyRun::SwapOutput(int i, AlignedBuffer& other) {
  std::swap(impl_->outputs[i].own, other);
  impl_->outputs_placed = 0;
}

BodyRuns::BodyRuns() = default;
BodyRuns::~BodyRuns() = default;

BodyRun& BodyRuns::For(const ExecutableState& body) {
  if (const auto it = runs_.find(&body); it != runs_.end()) return *it->second;
  auto run = std::make_unique<BodyRun>(body, *this);  // which asks for those of its own bodies
  return *(runs_[&body] = std::move(run));
}

absl::Status BodyRuns::Grow(AlignedBuffer& buffer, size_t bytes, absl::string_view node,
                            const Limits& limits) {
  if (bytes <= buffer.size()) return absl::OkStatus();
  const auto most = static_cast<size_t>(limits.tensor_bytes);
  if (bytes > most) {
    return MakeError(
        "E0402", absl::StrCat(node, ": a result takes ", bytes, " bytes; the limit tensor_bytes is ", most),
        RaiseLimitHelp("tensor_bytes", static_cast<int64_t>(bytes)));
  }
  // Twice as large at least, so that what grows little by little is not copied each time.
  const size_t wanted = std::max(bytes, std::min(2 * buffer.size(), most));
  TENFOLD_RETURN_IF_ERROR(Hold(static_cast<int64_t>(wanted - buffer.size())));
  AlignedBuffer larger;
  if (!larger.Grow(wanted)) {
    return MakeError("E0402", absl::StrCat("no memory for ", wanted, " bytes of a result of ", node));
  }
  if (buffer.size() > 0) std::memcpy(larger.data(), buffer.data(), buffer.size());
  buffer = std::move(larger);
  return absl::OkStatus();
}

absl::Status BodyRuns::Hold(int64_t bytes) {
  int64_t held = INT64_MAX, total = INT64_MAX;
  const bool overflows =
      __builtin_add_overflow(held_, bytes, &held) || __builtin_add_overflow(held, besides_, &total);
  if (!overflows && (bytes <= 0 || total <= limit_)) {
    held_ = held;
    return absl::OkStatus();
  }
  return MakeError("E0404",
                   absl::StrCat("the bodies of a run would hold ", held, " bytes, besides ", besides_,
                                " of the graph itself; the memory limit is ", limit_),
                   MendByFlag("allow it: ", "--memory-limit", absl::StrCat(total),
                              " (in C++, memory_limit of CompileOptions or RunOptions)"));
}

}  // namespace tenfold
