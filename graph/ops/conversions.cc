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

constexpr DTypeSet kAnyButBool = kNumeric | kFloat8;

Scalar CastFormula(std::span<const Scalar> in, const Attrs& attrs) {
  const DType to = attrs.Get<DType>("to");
  if (!IsFloat8(to)) return Convert(in[0], to);
  const Scalar x = IsFloat8(in[0].type()) && in[0].type() != to ? WidenFloat8(in[0]) : in[0];
  return ConvertToFloat8(x, to, attrs.Get<bool>("saturate") ? Overflow::kSaturate : Overflow::kBeyond);
}

// To 4 bits: of a float, which truncates, the ends of the range; an integer wraps when it is packed.
Value BuildPackedCast(std::span<const Value> in, const Attrs& attrs) {
  const DType to = attrs.Get<DType>("to");
  if (!IsPacked(to)) return ApplyOp("Cast", {in[0]}, attrs);
  const Value bytes = ApplyOp("Cast", {in[0]}, {{"to", UnpackedType(to)}});
  if (!HasNan(in[0].dtype())) return bytes;
  if (to == DType::kU4) return ApplyOp("Min", {bytes, 15});
  return ApplyOp("Max", {ApplyOp("Min", {bytes, 7}), -8});
}

// Executors disagree about the bits of a NaN, so it is made canonical before anybody sees them.
Scalar BitCastFormula(std::span<const Scalar> in, const Attrs& attrs) {
  Scalar x = in[0];
  if (IsFloat8(x.type())) {
    const uint8_t nan =
        x.type() == DType::kF8E4M3FN ? Float8Format<F8E4M3FN>::kNan : Float8Format<F8E5M2>::kNan;
    x = Select(IsNanFloat8(x), x.builder()->ConstBits(x.type(), nan), x);
  } else if (IsFloat(x.type())) {
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

// A length is the same in another integer, unless it does not fit: then it is not followed.
absl::Status InferCast(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, c.shape(0)));
  const bool followed = c.contents(0).has_value() && kIndex.Contains(c.attrs().Get<DType>("to"));
  return followed ? c.SetContents(0, *c.contents(0)) : absl::OkStatus();
}

absl::Status InferCastLike(InferContext& c) { return c.SetOutput(0, c.shape(0)); }

Value BuildCastLike(std::span<const Value> in, const Attrs& attrs) {
  return ApplyOp("Cast", {in[0]}, {{"to", in[1].dtype()}, {"saturate", attrs.Get<bool>("saturate")}});
}

}  // namespace

std::vector<OpDef> ConversionOps() {
  return {
      {.name = "Cast",
       .inputs = {{"x", "S", kAnyType, ""}},
       .attrs = {{"to", AttrKind::kDType, std::nullopt, "the dtype of the result"},
                 {"saturate", AttrKind::kBool, AttrValue(true),
                  "to f8, what lies beyond the range becomes the largest number; else an infinity, of "
                  "f8e4m3fn NaN"}},
       .outputs = {{"y", "to", kAnyType, ""}},
       .doc = "Converts to another dtype. A float to an integer truncates and saturates, NaN gives 0; an "
              "integer to a narrower one wraps; to a float rounds to nearest even; to bool is x != 0.",
       .infer = InferCast,
       .computation = Elementwise{CastFormula},
       .packed = BuildPackedCast},
      {.name = "BitCast",
       .inputs = {{"x", "S", kAnyButBool, ""}},
       .attrs = {{"to", AttrKind::kDType, std::nullopt, "the dtype of the result, as wide as that of x"}},
       .outputs = {{"y", "to", kAnyButBool, ""}},
       .doc = "The same bits as another dtype. Those of a NaN are the canonical ones.",
       .infer = InferBitCast,
       .computation = Elementwise{BitCastFormula}},
      {.name = "CastLike",
       .inputs = {{"x", "S", kAnyType, ""}, {"like", "T", kAnyType, "only its dtype matters"}},
       .attrs = {{"saturate", AttrKind::kBool, AttrValue(true), "as of Cast"}},
       .outputs = {{"y", "T", kAnyType, ""}},
       .doc = "Converts to the dtype of another tensor, as Cast does.",
       .infer = InferCastLike,
       .computation = Composite{.build = BuildCastLike, .only_moves = true}},
  };
}

}  // namespace tenfold
