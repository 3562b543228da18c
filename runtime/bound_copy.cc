// SPDX-License-Identifier: Apache-2.0
//
// Moving bytes: copies, fills and strided reads, payloads kept.
#include <utility>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/box_copy.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/nan_pattern.h"
#include "tenfold/runtime/bound_step.h"

namespace tenfold {
namespace {

class BoundCopy final : public BoundStep {
 public:
  BoundCopy(const ExecutableState& state, size_t step)
      : BoundStep(state.plan.steps[step]),
        state_(state),
        copy_(std::get<CopyStep>(step_.work)),
        dtype_(state.plan.values[copy_.out].type.dtype) {}

  absl::Status Bind(const SymbolValues& symbols, RunControl&) override {
    const auto size = static_cast<int64_t>(SizeOf(dtype_));
    TENFOLD_ASSIGN_OR_RETURN(out_count_, CountOf(copy_.out, symbols));
    parts_.clear();
    total_units_ = 0;
    unit_cost_ = 1;
    for (const Piece& piece : copy_.layout.pieces) {
      TENFOLD_ASSIGN_OR_RETURN(const int64_t in_count, CountOf(copy_.in[piece.input], symbols));
      std::optional<BoxCopy> copy = BindPiece(piece, symbols, size, in_count, out_count_);
      if (!copy) {
        return MakeError("E0605", absl::StrCat(NodeText(step_.nodes[0]),
                                               ": with the extents that were fed, it would read or write "
                                               "outside its tensors"));
      }
      if (copy->units() == 0) continue;
      unit_cost_ = std::max(unit_cost_, copy->unit_cost());
      parts_.push_back({*std::move(copy), piece.input, total_units_});
      total_units_ += parts_.back().copy.units();
    }
    fill_ = BoxCopy({out_count_}, 0, {0}, 0, {1}, size);
    return absl::OkStatus();
  }

  absl::Status Run(RunContext& context) override {
    const NanPattern nans = copy_.canonicalize_nans ? NanPatternOf(dtype_) : NanPattern();
    char* const out = static_cast<char*>(operands_[num_inputs_]);
    if (copy_.layout.fill != Layout::kNoFill && out_count_ > 0) {
      static constexpr uint64_t kZero = 0;
      const void* const value = copy_.layout.fill == Layout::kZeros ? &kZero : operands_[copy_.layout.fill];
      CutIntoBlocks(out_count_, kElementCost, kGranule);
      TENFOLD_RETURN_IF_ERROR(RunBlocks(
          context, [&](int64_t begin, int64_t end, int) { fill_.Run(value, out, begin, end, nans); }));
    }
    CutIntoBlocks(total_units_, kElementCost * unit_cost_, std::max<int64_t>(1, kGranule / unit_cost_));
    return RunBlocks(context, [&](int64_t begin, int64_t end, int) {
      for (const Part& part : parts_) {
        const int64_t from = std::max(begin, part.first_unit);
        const int64_t to = std::min(end, part.first_unit + part.copy.units());
        if (from < to) {
          part.copy.Run(operands_[part.input], out, from - part.first_unit, to - part.first_unit, nans);
        }
      }
    });
  }

 private:
  // Element-instructions (see CutIntoBlocks) of moving one element, and how many are moved in one go.
  static constexpr int64_t kElementCost = 4, kGranule = 4096;

  // A piece, and the number of its first unit among those of all.
  struct Part {
    BoxCopy copy;
    int input;
    int64_t first_unit;
  };

  absl::StatusOr<int64_t> CountOf(int value, const SymbolValues& symbols) const {
    TENFOLD_ASSIGN_OR_RETURN(const Dims dims, EvaluateShape(step_, state_.plan.values[value].type, symbols));
    // Packed elements are copied whole tensors at a time (see BuildPlan), as bytes.
    return static_cast<int64_t>(BytesOf(IsPacked(dtype_) ? dtype_ : DType::kU8, *NumElements(dims)));
  }

  const ExecutableState& state_;
  const CopyStep& copy_;
  const DType dtype_;
  std::vector<Part> parts_;
  BoxCopy fill_;
  int64_t out_count_ = 0, total_units_ = 0, unit_cost_ = 1;
};

}  // namespace

std::unique_ptr<BoundStep> CreateBoundCopy(const ExecutableState& state, size_t step) {
  return std::make_unique<BoundCopy>(state, step);
}

}  // namespace tenfold
