// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/kernel_context.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

// Operations of one block: long against the cost of handing it to a thread, short enough to be stopped
// between.
constexpr int64_t kBlockOperations = int64_t{1} << 16;

int64_t Product(std::span<const int64_t> dims) {
  int64_t product = 1;  // of a tensor's own dims: it does not overflow unless an extent is 0
  for (int64_t d : dims) {
    if (d == 0) return 0;
    product *= d;
  }
  return product;
}

}  // namespace

int64_t KernelTensor::Outer(int axis) const { return Product(std::span(dims).first(axis)); }
int64_t KernelTensor::Inner(int axis) const { return Product(std::span(dims).subspan(axis + 1)); }

int KernelContext::Axis(absl::string_view name, const KernelTensor& tensor) const {
  return NormalizeAxis(attrs_.Get<int64_t>(name), tensor.rank()).value_or(0);
}

absl::Status KernelContext::ForEachRange(int64_t units, int64_t cost, Body body) const {
  if (units <= 0) return absl::OkStatus();
  const int64_t block = std::max<int64_t>(1, kBlockOperations / std::max<int64_t>(cost, 1));
  const int64_t blocks = units / block + (units % block != 0);
  std::mutex mutex;
  absl::Status first_error;
  std::atomic<int64_t> failed = blocks;  // the first block that has failed so far
  runner->Run(blocks, [&](int64_t b, void* scratch) {
    // Blocks before a failed one still run: one of them may hold the first error.
    if (b > failed.load(std::memory_order_relaxed) || runner->ShouldStop()) return;
    absl::Status status = body(b * block, std::min(units, (b + 1) * block), scratch);
    if (status.ok()) [[likely]]
      return;
    const std::lock_guard<std::mutex> lock(mutex);
    if (b >= failed.load()) return;
    failed.store(b);
    first_error = std::move(status);
  });
  return first_error;
}

absl::Status KernelContext::PlaceOutput(size_t i, Dims dims) {
  KernelTensor& output = outputs[i];
  const std::optional<int64_t> count = NumElements(dims);
  int64_t bytes;
  if (!count || __builtin_mul_overflow(*count, output.element_size(), &bytes)) {
    return Fail("E0402", absl::StrCat("a result of extents ", DimsToString(dims), " does not fit 64 bits"));
  }
  output.dims = std::move(dims);
  output.count = *count;
  TENFOLD_ASSIGN_OR_RETURN(output.data, placer->Place(i, output.dims, bytes));
  return absl::OkStatus();
}

absl::Status CallKernel(const HostKernel& kernel, KernelContext& context) {
  const bool some = std::any_of(context.outputs.begin(), context.outputs.end(),
                                [](const KernelTensor& output) { return output.count > 0; });
  return some || kernel.places_outputs ? kernel.run(context) : absl::OkStatus();
}

absl::Status KernelContext::Fail(absl::string_view code, absl::string_view message, Mend help) const {
  return WithLocation(MakeError(code, absl::StrCat(node_, ": ", message), std::move(help)), location_);
}

absl::Status KernelContext::OutOfRange(size_t i, absl::string_view what, int64_t position, int64_t value,
                                       int64_t low, int64_t high) const {
  const Dims& dims = inputs[i].dims;
  Dims index(dims.size());
  for (size_t d = dims.size(); d-- > 0;) {
    index[d] = position % std::max<int64_t>(dims[d], 1);
    position /= std::max<int64_t>(dims[d], 1);
  }
  return Fail("E0615", absl::StrCat(what, dims.empty() ? "" : DimsToString(index), " is ", value,
                                    ", outside [", low, ", ", high, ")"));
}

}  // namespace tenfold
