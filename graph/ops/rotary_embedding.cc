// SPDX-License-Identifier: Apache-2.0
//
// RotaryEmbedding: pairs of features are rotated by angles that follow from their positions.
#include <cstdint>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

enum Input { kX, kCos, kSin, kPositions };

// Of the operand that inference admits: features of a head, and how many of them are rotated.
struct Features {
  int64_t head = 0, rotated = 0;
};
Features FeaturesOf(const Shape& x, const Attrs& attrs) {
  const int64_t last = x.dim(x.rank() - 1).constant(), heads = attrs.Get<int64_t>("num_heads");
  const int64_t head = x.rank() == 3 && heads > 0 ? last / heads : last;
  const int64_t rotated = attrs.Get<int64_t>("rotary_embedding_dim");
  return {head, rotated == 0 ? head : rotated};
}

// Every `step`th feature of [begin, end).
Value FeaturesFrom(Value x, int64_t begin, int64_t end, int64_t step = 1) {
  return ApplyOp("Slice", {x, {begin}, {end}, {-1}, {step}});
}

Value Join(std::vector<Operand> parts) {
  return parts.size() == 1 ? *parts[0].value() : ApplyOpMulti("Concat", parts, {{"axis", int64_t{-1}}})[0];
}

Value BuildRotary(std::span<const Value> in, const Attrs& attrs) {
  const bool by_hidden = in[kX].shape().rank() == 3;
  const Features features = FeaturesOf(in[kX].shape(), attrs);
  const int64_t half = features.rotated / 2;
  // [batch, sequence, heads, head size] or [batch, heads, sequence, head size].
  const Value x = by_hidden
                      ? ApplyOp("Reshape", {in[kX], {0, 0, attrs.Get<int64_t>("num_heads"), features.head}})
                      : in[kX];
  const auto by_position = [&](Input cache) {
    const Value rows = IsThere(in, kPositions) ? ApplyOp("Gather", {in[cache], in[kPositions]}) : in[cache];
    return ApplyOp("Unsqueeze", {rows, {by_hidden ? 2 : 1}});
  };
  const Value cos = by_position(kCos), sin = by_position(kSin);
  const bool interleaved = attrs.Get<bool>("interleaved");
  const Value a = interleaved ? FeaturesFrom(x, 0, features.rotated, 2) : FeaturesFrom(x, 0, half);
  const Value b =
      interleaved ? FeaturesFrom(x, 1, features.rotated, 2) : FeaturesFrom(x, half, features.rotated);
  const Value real = cos * a - sin * b, imaginary = sin * a + cos * b;
  std::vector<Operand> parts = {real, imaginary};
  if (interleaved) {
    const Value pairs = Join({ApplyOp("Unsqueeze", {real, {-1}}), ApplyOp("Unsqueeze", {imaginary, {-1}})});
    parts = {ApplyOp("Reshape", {pairs, {0, 0, 0, features.rotated}})};
  }
  if (features.rotated < features.head) parts.push_back(FeaturesFrom(x, features.rotated, features.head));
  const Value y = Join(std::move(parts));
  if (!by_hidden) return y;
  const Value shape = ApplyOp("Shape", {in[kX]});
  return ApplyOp("Reshape", {y, shape});
}

absl::Status CheckFeatures(InferContext& c) {
  const Shape& x = c.shape(kX);
  const int64_t heads = c.attrs().Get<int64_t>("num_heads");
  const Dim& last = x.dim(x.rank() - 1);
  if (!last.is_constant())
    return c.Fail("E0212", absl::StrCat(c.InputText(kX), ", whose last dim must be a number"));
  if (x.rank() == 3 && heads < 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'num_heads' is ", heads, ", but ", c.InputText(kX),
                                        " does not say how many heads it has"));
  }
  if (x.rank() == 3 && last.constant() % heads != 0) {
    return c.Fail(
        "E0212", absl::StrCat("the last dim of ", c.InputText(kX), " does not split into ", heads, " heads"));
  }
  const Features features = FeaturesOf(x, c.attrs());
  if (features.rotated < 0 || features.rotated > features.head || features.rotated % 2 != 0) {
    return c.Fail("E0212",
                  absl::StrCat(features.rotated, " of ", features.head,
                               " features are to be rotated, but pairs are: an even number of them"));
  }
  return absl::OkStatus();
}

absl::Status InferRotary(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  const Shape& x = c.shape(kX);
  if (x.rank() != 3 && x.rank() != 4) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kX),
                                        ", but must be [batch, heads, sequence, head size] or "
                                        "[batch, sequence, heads * head size]"));
  }
  TENFOLD_RETURN_IF_ERROR(CheckFeatures(c));
  const Dim half = FeaturesOf(x, c.attrs()).rotated / 2, sequence = x.dim(x.rank() == 3 ? 1 : 2);
  for (const Input cache : {kCos, kSin}) {
    const Shape& shape = c.shape(cache);
    if (c.has(kPositions)) {
      if (shape.rank() == 2 && shape.dim(1) == half) continue;
      return c.Fail("E0201",
                    absl::StrCat(c.InputText(cache), ", but must be [positions, ", half.ToString(), "]"));
    }
    const Shape expected = {x.dim(0), sequence, half};
    if (c.TakeShape(cache, expected)) continue;
    return c.Fail("E0201", absl::StrCat(c.InputText(cache), ", but must be ", expected.ToString()),
                  "with position_ids a cache has a row for each position");
  }
  const Shape positions = {x.dim(0), sequence};
  if (c.has(kPositions) && !c.TakeShape(kPositions, positions)) {
    return c.Fail("E0201", absl::StrCat(c.InputText(kPositions), ", but must be ", positions.ToString()));
  }
  return c.SetOutput(0, x);
}

}  // namespace

std::vector<OpDef> RotaryEmbeddingOps() {
  return {
      {.name = "RotaryEmbedding",
       .inputs = {{"x", "T", kFloat,
                   "[batch, heads, sequence, head size] or [batch, sequence, heads * head size]"},
                  {"cos_cache", "T", kFloat,
                   "[positions, rotated / 2]; without position_ids [batch, sequence, rotated / 2]"},
                  {"sin_cache", "T", kFloat, "the same"},
                  {.name = "position_ids",
                   .type_var = "M",
                   .dtypes = {DType::kI64},
                   .doc = "[batch, sequence]: rows of the caches",
                   .arity = Arity::kOptional}},
       .attrs = {{"interleaved", AttrKind::kBool, AttrValue(false),
                  "neighbouring features are a pair, else those of the first and the second half"},
                 {"num_heads", AttrKind::kInt, AttrValue(int64_t{0}), "where x has no dim of heads"},
                 {"rotary_embedding_dim", AttrKind::kInt, AttrValue(int64_t{0}),
                  "how many features of a head are rotated, the first ones; 0: all"}},
       .outputs = {{"y", "T", kFloat, ""}},
       .doc = "Rotates pairs (a, b) of features to (cos a - sin b, sin a + cos b).",
       .bound = "Each operation is rounded once.",
       .infer = InferRotary,
       .computation = Composite{BuildRotary}},
  };
}

}  // namespace tenfold
