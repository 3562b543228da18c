// SPDX-License-Identifier: Apache-2.0
//
// One row per reduction: map each element, combine in the fixed order of graph/fused/fused_kernel.h.
#include "tenfold/graph/ops/reductions.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

// Accumulators are f32 or f64 for floats, the dtype itself for integers.
uint64_t FloatBits(DType type, double value) {
  return type == DType::kF32 ? std::bit_cast<uint32_t>(static_cast<float>(value))
                             : std::bit_cast<uint64_t>(value);
}

uint64_t Zero(DType) { return 0; }
// x + -0 is x for every float x, also for -0; +0 would turn a sum of -0 into +0.
uint64_t SumIdentity(DType type) { return IsFloat(type) ? FloatBits(type, -0.0) : 0; }
uint64_t Lowest(DType type) {
  if (IsFloat(type)) return FloatBits(type, -std::numeric_limits<double>::infinity());
  return IsSignedInteger(type) ? uint64_t{1} << (BitWidth(type) - 1) : 0;  // false for bool
}

uint64_t Highest(DType type) {
  if (IsFloat(type)) return FloatBits(type, std::numeric_limits<double>::infinity());
  const uint64_t all = ~uint64_t{0} >> (64 - BitWidth(type));
  return IsBool(type) ? 1 : IsSignedInteger(type) ? all >> 1 : all;
}
uint64_t One(DType type) { return IsFloat(type) ? FloatBits(type, 1) : 1; }

struct ReductionRow {
  const char* name;
  DTypeSet dtypes;
  Formula map;
  Formula combine;
  uint64_t (*identity)(DType);
  uint64_t (*empty)(DType);
  const char* doc;
  bool is_internal = false;
};

constexpr DTypeSet kNumericOrBool = kNumeric | kBoolOnly;

const ReductionRow kRows[] = {
    {"ReduceSum", kNumeric, [](Scalar x) { return x; }, [](Scalar acc, Scalar x) { return acc + x; },
     SumIdentity, Zero,
     "The sum over the axes; 0 for an empty one. Integers wrap; f16 and bf16 accumulate in f32. The order of "
     "summation is fixed (docs/numerics.md)."},
    {"ReduceMax", kNumericOrBool, [](Scalar x) { return x; },
     [](Scalar acc, Scalar x) { return IsBool(x.type()) ? (acc | x) : Max(acc, x); }, Lowest, Lowest,
     "The largest element over the axes, by IEEE 754-2019 maximum: NaN if any is NaN. -inf, the lowest "
     "integer or "
     "false for an empty one."},
    {"ReduceMin", kNumericOrBool, [](Scalar x) { return x; },
     [](Scalar acc, Scalar x) { return IsBool(x.type()) ? (acc & x) : Min(acc, x); }, Highest, Highest,
     "The smallest element over the axes, by IEEE 754-2019 minimum: NaN if any is NaN. inf, the highest "
     "integer "
     "or true for an empty one."},
    {"ReduceProd", kNumeric, [](Scalar x) { return x; }, [](Scalar acc, Scalar x) { return acc * x; }, One,
     One,
     "The product over the axes; 1 for an empty one. Integers wrap; f16 and bf16 accumulate in f32. The "
     "order is "
     "that of ReduceSum."},
    {"ReduceL1", kNumeric, [](Scalar x) { return Abs(x); }, [](Scalar acc, Scalar x) { return acc + x; },
     SumIdentity, Zero, "The sum of the magnitudes over the axes; 0 for an empty one. As ReduceSum."},
    {"ReduceSumSquare", kNumeric, [](Scalar x) { return x * x; },
     [](Scalar acc, Scalar x) { return acc + x; }, SumIdentity, Zero,
     "The sum of the squares over the axes; 0 for an empty one. As ReduceSum; each square is rounded."},
    // The shift of Softmax. One instruction everywhere, where an exact maximum takes several: NaN and signed
    // zeros may be passed over, which no result shows that goes through exp(x - max) and its sum.
    {"ReduceMaxShift", kFloat, [](Scalar x) { return x; },
     [](Scalar acc, Scalar x) { return Select(acc < x, x, acc); }, Lowest, Lowest,
     "A maximum for shifting exponents: elements that are NaN may be passed over.", true},
};

}  // namespace

absl::Status InferReduction(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  TENFOLD_ASSIGN_OR_RETURN(std::vector<int> axes, c.Axes("axes", c.shape(0).rank()));
  const bool keep = c.attrs().Get<bool>("keepdims");
  std::vector<Dim> dims;
  size_t next = 0;
  for (int d = 0; d < c.shape(0).rank(); ++d) {
    if (next < axes.size() && axes[next] == d) {
      ++next;
      if (keep) dims.push_back(1);
    } else {
      dims.push_back(c.shape(0).dim(d));
    }
  }
  return c.SetOutput(0, Shape(std::move(dims)));
}

std::vector<AttrDef> ReductionAttrs() {
  return {{"axes", AttrKind::kInts, AttrValue(std::vector<int64_t>()), "the axes; empty: all"},
          {"keepdims", AttrKind::kBool, AttrValue(true), "keeps the reduced axes with extent 1"}};
}

std::vector<OpDef> ReductionOps() {
  std::vector<OpDef> ops;
  for (const ReductionRow& row : kRows) {
    ops.push_back({.name = row.name,
                   .inputs = {{"x", "T", row.dtypes, ""}},
                   .attrs = ReductionAttrs(),
                   .outputs = {{"y", "T", row.dtypes, ""}},
                   .doc = row.doc,
                   .infer = InferReduction,
                   .computation = Reduction{row.map, row.combine, row.identity, row.empty},
                   .is_internal = row.is_internal});
  }
  return ops;
}

}  // namespace tenfold
