// SPDX-License-Identifier: Apache-2.0
//
// Moving bytes: copies, fills and strided reads, payloads kept.
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

// `count` elements from every `stride`-th of `from`.
template <typename T>
void CopyRun(const T* from, int64_t stride, T* to, int64_t count) {
  if (stride == 1) {
    std::memcpy(to, from, count * sizeof(T));
  } else if (stride == 0) {
    std::fill(to, to + count, *from);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * stride];
  }
}

// Elements [begin, end) of the result.
template <typename T>
void CopyElements(const Dims& dims, const Dims& strides, const T* from, T* to, int64_t begin, int64_t end) {
  const int64_t inner = dims.back();
  while (begin < end) {
    int64_t rest = begin / inner;
    const int64_t first = begin % inner;
    int64_t offset = first * strides.back();
    for (size_t d = dims.size() - 1; d-- > 0;) {
      offset += rest % dims[d] * strides[d];
      rest /= dims[d];
    }
    const int64_t count = std::min(inner - first, end - begin);
    CopyRun(from + offset, strides.back(), to + begin, count);
    begin += count;
  }
}

class BoundCopy final : public BoundStep {
 public:
  BoundCopy(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]),
        copy_(std::get<CopyStep>(step_.work)),
        type_(state.plan.values[copy_.out].type) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl&) override {
    Dims dims, strides;
    TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, type_.shape.dims(), symbols, dims));
    TENFOLD_RETURN_IF_ERROR(EvaluateDims(step_, copy_.strides, symbols, strides));
    const std::optional<int64_t> elements = NumElements(dims);
    if (!elements) {
      return MakeError("E0402", absl::StrCat(NodeText(step_.nodes[0]), ": ", DimsToString(dims),
                                             " has more elements than 64 bits can count"));
    }
    // Dims that lie in one line become one, so that the inner run is as long as can be.
    dims_.clear();
    strides_.clear();
    for (size_t d = 0; d < dims.size(); ++d) {
      if (dims[d] == 1) continue;
      if (!dims_.empty() && strides_.back() == strides[d] * dims[d]) {
        dims_.back() *= dims[d];
        strides_.back() = strides[d];
      } else {
        dims_.push_back(dims[d]);
        strides_.push_back(strides[d]);
      }
    }
    if (dims_.empty()) {
      dims_.push_back(1);
      strides_.push_back(0);
    }
    // Elements that lie apart may each cost a line of memory.
    const bool apart = strides_.back() != 0 && strides_.back() != 1;
    CutIntoBlocks(*elements, apart ? 16 : 4, 4096);
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& context) override {
    TENFOLD_RETURN_IF_ERROR(RunBlocks(context, [&](int64_t begin, int64_t end, int) {
      VisitDType(BitsType(type_.dtype), [&]<typename T>(std::type_identity<T>) {
        CopyElements(dims_, strides_, static_cast<const T*>(operands_[0]), static_cast<T*>(operands_[1]),
                     begin, end);
      });
    }));
    return copy_.canonicalize_nans ? CanonicalizeOutput(context, type_.dtype, units_) : absl::OkStatus();
  }

 private:
  const CopyStep& copy_;
  const TensorType& type_;
  Dims dims_, strides_;
};

}  // namespace

std::unique_ptr<BoundStep> CreateBoundCopy(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundCopy>(state, step);
}

}  // namespace tenfold
