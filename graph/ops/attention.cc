// SPDX-License-Identifier: Apache-2.0
//
// Scaled dot-product attention: its forms by heads and by hidden size, with keys shared by several heads,
// with the keys of the past, and with masks. All are one: two products of matrices, and Softmax between them.
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

constexpr double kNegativeInfinity = -std::numeric_limits<double>::infinity();

enum Input { kQ, kK, kV, kMask, kPastKey, kPastValue, kNonpad };

// --- Shapes ------------------------------------------------------------------------------------------------

// The extents of an attention, whichever form its operands have.
struct Extents {
  Dim batch, q_heads, kv_heads, queries, keys, past, head, v_head;
  bool by_hidden = false;  // operands are [batch, sequence, heads * head size]

  Dim total() const { return past + keys; }
};

// The extent if it is a number, else -1, which Reshape takes for what is left.
int64_t NumberOrRest(const Dim& dim) { return dim.is_constant() ? dim.constant() : -1; }

// Of operands that inference admits.
Extents ExtentsOf(const Shape& q, const Shape& k, const Shape& v, const Shape* past_key, const Attrs& attrs) {
  Extents e;
  e.batch = q.dim(0);
  e.by_hidden = q.rank() == 3;
  if (e.by_hidden) {
    e.q_heads = attrs.Get<int64_t>("q_num_heads");
    e.kv_heads = attrs.Get<int64_t>("kv_num_heads");
    e.queries = q.dim(1), e.keys = k.dim(1);
    e.head = Dim::DivideExactly(q.dim(2), e.q_heads).value_or(Dim(0));
    e.v_head = Dim::DivideExactly(v.dim(2), e.kv_heads).value_or(Dim(0));
  } else {
    e.q_heads = q.dim(1), e.kv_heads = k.dim(1);
    e.queries = q.dim(2), e.keys = k.dim(2);
    e.head = q.dim(3), e.v_head = v.dim(3);
  }
  e.past = past_key == nullptr ? Dim(0) : past_key->dim(2);
  return e;
}

// --- Building ----------------------------------------------------------------------------------------------

class AttentionBuilder {
 public:
  AttentionBuilder(std::span<const Value> in, const Attrs& attrs)
      : in_(in),
        attrs_(attrs),
        e_(ExtentsOf(in[kQ].shape(), in[kK].shape(), in[kV].shape(),
                     IsThere(in, kPastKey) ? &in[kPastKey].shape() : nullptr, attrs)) {}

  std::vector<Value> Build() {
    const Value q = ByHeads(in_[kQ], e_.q_heads), k = WithPast(ByHeads(in_[kK], e_.kv_heads), kPastKey),
                v = WithPast(ByHeads(in_[kV], e_.kv_heads), kPastValue);
    const Value product = Apart(
        ApplyOp("MatMul", {Together(q * Scale(q)), ApplyOp("Transpose", {k}, {{"perm", Ints{0, 1, 3, 2}}})}));
    const Value capped = Capped(product);
    const Value masked = Masked(capped);
    const Value weights = Weights(masked);
    Value y = Apart(ApplyOp("MatMul", {Together(weights), As(v, weights.dtype())}));
    if (e_.by_hidden) {
      const int64_t hidden = NumberOrRest(e_.q_heads * e_.v_head);
      y = ApplyOp("Reshape", {ApplyOp("Transpose", {y}, {{"perm", Ints{0, 2, 1, 3}}}), {0, 0, hidden}});
    }
    const Value by_mode[] = {product, capped, masked, weights};
    return {y, k, v, by_mode[attrs_.Get<int64_t>("qk_matmul_output_mode")]};
  }

 private:
  // [batch, heads, sequence, head size].
  Value ByHeads(Value x, const Dim& heads) const {
    if (!e_.by_hidden) return x;
    const std::optional<Dim> head = Dim::DivideExactly(x.shape().dim(2), heads);
    const Ints apart = {0, 0, heads.constant(), head ? NumberOrRest(*head) : -1};
    return ApplyOp("Transpose", {ApplyOp("Reshape", {x, apart})}, {{"perm", Ints{0, 2, 1, 3}}});
  }

  Value WithPast(Value x, Input past) const {
    if (!IsThere(in_, past)) return x;
    const Operand both[] = {in_[past], x};
    return ApplyOpMulti("Concat", both, {{"axis", int64_t{2}}})[0];
  }

  // Heads that share a key lie behind one another: their queries are those of one head.
  Value Together(Value x) const {
    if (e_.q_heads == e_.kv_heads) return x;
    const int64_t each = e_.q_heads.constant() / e_.kv_heads.constant();
    return ApplyOp("Reshape", {x, {0, e_.kv_heads.constant(), NumberOrRest(e_.queries * Dim(each)), 0}});
  }
  Value Apart(Value x) const {
    if (e_.q_heads == e_.kv_heads) return x;
    return ApplyOp("Reshape", {x, {0, e_.q_heads.constant(), NumberOrRest(e_.queries), 0}});
  }

  Operand Scale(Value q) const {
    if (const AttrValue* given = attrs_.Find("scale")) return std::get<double>(*given);
    if (e_.head.is_constant()) return 1 / std::sqrt(static_cast<double>(e_.head.constant()));
    return ApplyOp("Reciprocal", {ApplyOp("Sqrt", {As(ExtentOf(q, 3), q.dtype())})});
  }

  Value Capped(Value scores) const {
    const double cap = attrs_.Get<double>("softcap");
    return cap == 0 ? scores : ApplyOp("Tanh", {scores / cap}) * cap;
  }

  Value Masked(Value scores) const {
    if (IsThere(in_, kMask)) {
      const Value mask = Padded(in_[kMask]);
      scores = IsBool(mask.dtype()) ? Where(mask, scores) : scores + As(mask, scores.dtype());
    }
    const Value key = PositionsAlong(scores, 3);
    const bool nonpad = IsThere(in_, kNonpad);
    const auto for_each_batch = [&] { return ApplyOp("Reshape", {in_[kNonpad], {-1, 1, 1, 1}}); };
    if (attrs_.Get<bool>("is_causal")) {
      // The last query sees the last key: of the cache, or those that are no padding.
      const Value query = PositionsAlong(scores, 2);
      const Value last = nonpad                   ? query + (for_each_batch() - ExtentOf(scores, 2))
                         : IsThere(in_, kPastKey) ? query + PastExtent()
                                                  : query;
      scores = Where(ApplyOp("LessOrEqual", {key, last}), scores);
    }
    return nonpad ? Where(ApplyOp("Less", {key, for_each_batch()}), scores) : scores;
  }
  static Value Where(Value condition, Value scores) {
    return ApplyOp("Where", {condition, scores, kNegativeInfinity});
  }
  Operand PastExtent() const {
    if (e_.past.is_constant()) return e_.past.constant();
    return ExtentOf(in_[kPastKey], 2);
  }
  // The keys that a shorter mask does not speak of are masked out.
  Value Padded(Value mask) const {
    const int rank = mask.shape().rank();
    const Dim missing = e_.total() - mask.shape().dim(rank - 1);
    if (missing == Dim(0)) return mask;
    Ints pads(2 * rank, 0);
    pads.back() = missing.constant();
    if (IsBool(mask.dtype())) return ApplyOp("Pad", {mask, pads});
    return ApplyOp("Pad", {mask, pads, kNegativeInfinity});
  }

  Value Weights(Value scores) const {
    const AttrValue* const precision = attrs_.Find("softmax_precision");
    if (precision == nullptr) return ApplyOp("Softmax", {scores});
    return As(ApplyOp("Softmax", {As(scores, std::get<DType>(*precision))}), scores.dtype());
  }

  const std::span<const Value> in_;
  const Attrs& attrs_;
  const Extents e_;
};

std::vector<Value> BuildAttention(std::span<const Value> in, const Attrs& attrs) {
  return AttentionBuilder(in, attrs).Build();
}

// --- Inference ---------------------------------------------------------------------------------------------

absl::Status CheckAttentionAttrs(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"scale", "softcap"}));
  const Attrs& attrs = c.attrs();
  if (const double cap = attrs.Get<double>("softcap"); cap < 0) {
    return c.Fail("E0102", absl::StrCat("attribute 'softcap' is ", cap, ", but must not be negative"));
  }
  if (const int64_t mode = attrs.Get<int64_t>("qk_matmul_output_mode"); mode < 0 || mode > 3) {
    return c.Fail("E0102",
                  absl::StrCat("attribute 'qk_matmul_output_mode' is ", mode, ", but must be 0, 1, 2 or 3"));
  }
  const AttrValue* const precision = attrs.Find("softmax_precision");
  if (precision != nullptr && !IsFloat(std::get<DType>(*precision))) {
    return c.Fail("E0102",
                  absl::StrCat("attribute 'softmax_precision' is ", Name(std::get<DType>(*precision)),
                               ", but must be ", kFloat.ToString()));
  }
  return absl::OkStatus();
}

// Heads, by attribute where the operands do not say how many there are.
absl::Status CheckHeads(InferContext& c) {
  const bool by_hidden = c.shape(kQ).rank() == 3;
  for (const auto& [name, input] :
       {std::pair("q_num_heads", kQ), {"kv_num_heads", kK}, {"kv_num_heads", kV}}) {
    const AttrValue* const attr = c.attrs().Find(name);
    if (attr == nullptr && !by_hidden) continue;
    if (attr == nullptr) {
      return c.Fail("E0102", absl::StrCat("attribute '", name, "' is missing, but ", c.InputText(input),
                                          " does not say how many heads it has"));
    }
    const int64_t heads = std::get<int64_t>(*attr);
    if (heads < 1)
      return c.Fail("E0102", absl::StrCat("attribute '", name, "' is ", heads, ", but must be at least 1"));
    if (!by_hidden && !(c.shape(input).dim(1) == Dim(heads))) {
      return c.Fail("E0102", absl::StrCat("attribute '", name, "' is ", heads, ", but ", c.InputText(input)),
                    "it may be left out: the operands have a dim of heads");
    }
    if (by_hidden && !Dim::DivideExactly(c.shape(input).dim(2), heads)) {
      return c.Fail("E0212", absl::StrCat("the last dim of ", c.InputText(input), " does not split into ",
                                          heads, " heads"));
    }
  }
  return absl::OkStatus();
}

// The operands against each other, all by heads.
absl::Status CheckOperands(InferContext& c, const Extents& e) {
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kQ, 0, kK, 0, "batches"));
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kK, 0, kV, 0, "batches"));
  const int sequence = e.by_hidden ? 1 : 2;
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kK, sequence, kV, sequence, "lengths of sequences"));
  if (!e.by_hidden) {
    TENFOLD_RETURN_IF_ERROR(c.SameDim(kK, 1, kV, 1, "heads"));
    TENFOLD_RETURN_IF_ERROR(c.SameDim(kQ, 3, kK, 3, "head sizes"));
  } else if (!(e.head * e.kv_heads == c.shape(kK).dim(2))) {
    return c.Fail("E0201",
                  absl::StrCat("head sizes differ: ", c.InputText(kQ), " with ", e.q_heads.ToString(),
                               " heads, ", c.InputText(kK), " with ", e.kv_heads.ToString()));
  }
  const bool shared = e.q_heads.is_constant() && e.kv_heads.is_constant() && e.kv_heads.constant() > 0 &&
                      e.q_heads.constant() % e.kv_heads.constant() == 0;
  if (!shared && !(e.q_heads == e.kv_heads)) {
    return c.Fail("E0212",
                  absl::StrCat("the ", e.q_heads.ToString(), " heads of queries are no multiple of the ",
                               e.kv_heads.ToString(), " heads of keys"));
  }
  if (c.has(kPastKey) != c.has(kPastValue)) {
    return c.Fail("E0103", c.has(kPastKey) ? "there is a past_key, but no past_value"
                                           : "there is a past_value, but no past_key");
  }
  for (const auto& [past, head] : {std::pair(kPastKey, e.head), {kPastValue, e.v_head}}) {
    if (!c.has(past)) continue;
    const Shape expected = {e.batch, e.kv_heads, e.past, head};
    if (c.TakeShape(past, expected)) continue;
    return c.Fail("E0201", absl::StrCat(c.InputText(past), ", but must be ", expected.ToString()));
  }
  if (!c.has(kNonpad)) return absl::OkStatus();
  if (c.has(kPastKey))
    return c.Fail("E0103",
                  "nonpad_kv_seqlen says how full a cache of keys is, which past_key is another form of");
  if (c.TakeShape(kNonpad, Shape{e.batch})) return absl::OkStatus();
  return c.Fail("E0201", absl::StrCat(c.InputText(kNonpad), ", but must be one number for each of the ",
                                      e.batch.ToString(), " batches"));
}

absl::Status CheckMask(InferContext& c, const Extents& e) {
  if (!c.has(kMask)) return absl::OkStatus();
  const Shape& mask = c.shape(kMask);
  const Shape scores = {e.batch, e.q_heads, e.queries, e.total()};
  if (mask.rank() < 2 || mask.rank() > 4) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kMask), ", but must have 2 to 4 dims"));
  }
  std::vector<Dim> padded = mask.dims();
  const Dim& last = padded.back();
  const bool shorter =
      last.is_constant() && e.total().is_constant() && last.constant() < e.total().constant();
  if (shorter) padded.back() = e.total();
  TENFOLD_ASSIGN_OR_RETURN(const Shape both, c.Broadcast(Shape(padded), scores, "attn_mask and the scores"));
  if (both == scores && padded.back() == e.total()) return absl::OkStatus();
  return c.Fail("E0202", absl::StrCat(c.InputText(kMask), ", which does not broadcast to the scores ",
                                      scores.ToString()));
}

absl::Status InferAttention(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckAttentionAttrs(c));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  const int rank = c.shape(kQ).rank();
  for (const Input input : {kQ, kK, kV}) {
    if ((rank == 3 || rank == 4) && c.shape(input).rank() == rank) continue;
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(input),
                               ", but q, k and v must all be [batch, heads, sequence, head size], or "
                               "all [batch, sequence, heads * head size]"));
  }
  TENFOLD_RETURN_IF_ERROR(CheckHeads(c));
  if (c.has(kPastKey) && c.shape(kPastKey).rank() != 4) {
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(kPastKey), ", but must be [batch, heads, sequence, head size]"));
  }
  const Extents e = ExtentsOf(c.shape(kQ), c.shape(kK), c.shape(kV),
                              c.has(kPastKey) ? &c.shape(kPastKey) : nullptr, c.attrs());
  TENFOLD_RETURN_IF_ERROR(CheckOperands(c, e));
  TENFOLD_RETURN_IF_ERROR(CheckMask(c, e));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, e.by_hidden ? Shape{e.batch, e.queries, e.q_heads * e.v_head}
                                                     : Shape{e.batch, e.q_heads, e.queries, e.v_head}));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(1, {e.batch, e.kv_heads, e.total(), e.head}));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(2, {e.batch, e.kv_heads, e.total(), e.v_head}));
  return c.SetOutput(3, {e.batch, e.q_heads, e.queries, e.total()});
}

}  // namespace

std::vector<OpDef> AttentionOps() {
  return {
      {.name = "Attention",
       .inputs =
           {{"q", "T1", kFloat, "[batch, heads, queries, head size], or [batch, queries, heads * head size]"},
            {"k", "T1", kFloat, "the same of keys"},
            {"v", "T2", kFloat, "the same of values, whose heads may have another size"},
            OptionalPort("attn_mask", "U", kFloat | kBoolOnly,
                         "broadcast to [batch, heads, queries, keys]: false masks a key out, a number is "
                         "added to its score; keys behind its last dim are masked out"),
            OptionalPort("past_key", "T1", kFloat, "[batch, heads, past keys, head size]: stand before k"),
            OptionalPort("past_value", "T2", kFloat, "the same before v"),
            OptionalPort("nonpad_kv_seqlen", "N", {DType::kI64},
                         "[batch]: so many keys are no padding; not with past_key")},
       .attrs =
           {{"is_causal", AttrKind::kBool, AttrValue(false),
             "a query sees no later key than its own, the first one being behind those of the past; with "
             "nonpad_kv_seqlen the last query sees the last key"},
            OptionalAttr("kv_num_heads", AttrKind::kInt, "heads of k and v where they have no dim of them"),
            OptionalAttr("q_num_heads", AttrKind::kInt,
                         "heads of q where it has no dim of them; a multiple of those of k, each of which "
                         "serves as many neighbouring ones of q"),
            {"qk_matmul_output_mode", AttrKind::kInt, AttrValue(int64_t{0}),
             "which scores qk_matmul_output is: 0 the product, 1 after softcap, 2 after the masks, 3 the "
             "weights"},
            OptionalAttr("scale", AttrKind::kFloat, "factor of the product; absent: 1 / sqrt(head size)"),
            {"softcap", AttrKind::kFloat, AttrValue(0.0),
             "scores become softcap * tanh(score / softcap); 0: they stay"},
            OptionalAttr("softmax_precision", AttrKind::kDType,
                         "what scores are rounded to before Softmax, and weights after it; absent: they "
                         "are not")},
       .outputs = {{"y", "T1", kFloat, "as q, with the head size of v"},
                   {"present_key", "T1", kFloat, "past_key and k, by heads"},
                   {"present_value", "T2", kFloat, "past_value and v, by heads"},
                   {"qk_matmul_output", "T1", kFloat, "[batch, heads, queries, keys]"}},
       .doc =
           "Softmax(scale * q x k^T + mask) x v: each query's mean of the values, weighted by how it meets "
           "their keys. A query that is to see no key gives NaN.",
       .bound = "Follows from MatMul and Softmax.",
       .infer = InferAttention,
       .computation = Composite{.build_several = BuildAttention}},
  };
}

}  // namespace tenfold
