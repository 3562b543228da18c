// SPDX-License-Identifier: Apache-2.0
//
// The same element as another dtype.
#include <span>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/elementwise.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/scalar/scalar.h"

namespace tenfold {
namespace {

constexpr DTypeSet kAnyButBool = kNumeric;

Scalar CastFormula(std::span<const Scalar> in, const Attrs& attrs) {
  return Convert(in[0], attrs.Get<DType>("to"));
}

// Executors disagree about the bits of a NaN, so it is made canonical before anybody sees them.
Scalar BitCastFormula(std::span<const Scalar> in, const Attrs& attrs) {
  Scalar x = in[0];
  if (IsFloat(x.type())) {
    const Scalar wide = IsHalf(x.type()) ? Convert(x, DType::kF32) : x;
    x = Select(IsNan(wide), Like(x, __builtin_nan("")), x);
  }
  return Bitcast(x, attrs.Get<DType>("to"));
}

absl::Status InferBitCast(InferContext& c) {
  const DType from = c.dtype(0), to = c.attrs().Get<DType>("to");
  if (IsBool(to)) return c.Fail("E0206", "a bool has no bits of its own", "Cast(x, to=bool) is x != 0");
  if (SizeOf(from) != SizeOf(to)) {
    return c.Fail("E0206", absl::StrCat(Name(from), " has ", BitWidth(from), " bits, ", Name(to), " has ",
                                        BitWidth(to)));
  }
  return InferBroadcast(c);
}

absl::Status InferCastLike(InferContext& c) { return c.SetOutput(0, c.shape(0)); }

Value BuildCastLike(std::span<const Value> in, const Attrs&) {
  return ApplyOp("Cast", {in[0]}, {{"to", in[1].dtype()}});
}

}  // namespace

std::vector<OpDef> ConversionOps() {
  return {
      {.name = "Cast",
       .inputs = {{"x", "S", kAnyType, ""}},
       .attrs = {{"to", AttrKind::kDType, std::nullopt, "the dtype of the result"}},
       .outputs = {{"y", "to", kAnyType, ""}},
       .doc = "Converts to another dtype. A float to an integer truncates and saturates, NaN gives 0; an "
              "integer to a narrower one wraps; to a float rounds to nearest even; to bool is x != 0.",
       .infer = InferBroadcast,
       .computation = Elementwise{CastFormula}},
      {.name = "BitCast",
       .inputs = {{"x", "S", kAnyButBool, ""}},
       .attrs = {{"to", AttrKind::kDType, std::nullopt, "the dtype of the result, as wide as that of x"}},
       .outputs = {{"y", "to", kAnyButBool, ""}},
       .doc = "The same bits as another dtype. Those of a NaN are the canonical ones.",
       .infer = InferBitCast,
       .computation = Elementwise{BitCastFormula}},
      {.name = "CastLike",
       .inputs = {{"x", "S", kAnyType, ""}, {"like", "T", kAnyType, "only its dtype matters"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Converts to the dtype of another tensor, as Cast does.",
       .infer = InferCastLike,
       .computation = Composite{.build = BuildCastLike, .only_moves = true}},
  };
}

}  // namespace tenfold
