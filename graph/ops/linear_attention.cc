// SPDX-License-Identifier: Apache-2.0
//
// Attention that keeps a state of one size, however long the sequence is.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/graph_builder.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/composing.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

enum AttentionInput { kQuery, kKey, kValue, kPastState, kDecay, kBeta };

// [batch, sequence, heads * size] operands, and the sizes that follow.
struct Heads {
  int64_t query = 0, shared = 0;  // heads of queries, and of keys and values
  Dim key_size, value_size;
};

absl::StatusOr<Heads> CheckHeads(InferContext& c) {
  Heads heads = {c.attrs().Get<int64_t>("q_num_heads"), c.attrs().Get<int64_t>("kv_num_heads"), {}, {}};
  if (heads.shared < 1 || heads.query < 1 || heads.query % heads.shared != 0) {
    return c.Fail("E0102",
                  absl::StrCat("q_num_heads is ", heads.query, ", but must be a multiple of kv_num_heads, ",
                               heads.shared, ", which is at least 1"));
  }
  for (const int i : {kQuery, kKey, kValue, kDecay, kBeta}) {
    if (c.has(i) && c.shape(i).rank() != 3) {
      return c.Fail("E0207", absl::StrCat(c.InputText(i), ", but must be [batch, sequence, heads * size]"));
    }
  }
  for (const int i : {kKey, kValue, kDecay, kBeta}) {
    if (!c.has(i)) continue;
    TENFOLD_RETURN_IF_ERROR(c.SameDim(kQuery, 0, i, 0, "batches"));
    TENFOLD_RETURN_IF_ERROR(c.SameDim(kQuery, 1, i, 1, "lengths of sequences"));
  }
  for (const auto& [input, count, size] : {std::tuple(kQuery, heads.query, &heads.key_size),
                                           std::tuple(kValue, heads.shared, &heads.value_size)}) {
    const std::optional<Dim> each = Dim::DivideExactly(c.shape(input).dim(2), count);
    if (!each) {
      return c.Fail("E0212", absl::StrCat("the last dim of ", c.InputText(input), " does not split into ",
                                          count, " heads"));
    }
    *size = *each;
  }
  return heads;
}

absl::Status CheckGates(InferContext& c, const Heads& heads) {
  const std::string rule = c.attrs().Get<std::string>("update_rule");
  const bool decays = rule == "gated" || rule == "gated_delta",
             corrects = rule == "delta" || rule == "gated_delta";
  const Dim shared = heads.shared;
  for (const auto& [input, needed, wide, narrow] :
       {std::tuple(kDecay, decays, shared * heads.key_size, shared),
        std::tuple(kBeta, corrects, shared, Dim(1))}) {
    const std::string name = c.op().InputPort(input).name;
    if (!c.has(input) && needed)
      return c.Fail("E0103", absl::StrCat("the update rule \"", rule, "\" needs ", name));
    if (!c.has(input)) continue;
    const Dim& last = c.shape(input).dim(2);
    if (last == wide || last == narrow) continue;
    return c.Fail("E0201", absl::StrCat(c.InputText(input), ", whose last dim must be ", wide.ToString(),
                                        " or ", narrow.ToString()));
  }
  return absl::OkStatus();
}

// Of the op, and of its recurrence, which has the same operands.
absl::Status InferLinearAttention(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"scale"}));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  TENFOLD_ASSIGN_OR_RETURN(const Heads heads, CheckHeads(c));
  const Shape& query = c.shape(kQuery);
  if (!(c.shape(kKey).dim(2) == heads.key_size * Dim(heads.shared))) {
    return c.Fail("E0201", absl::StrCat("head sizes differ: ", c.InputText(kQuery), " with ", heads.query,
                                        " heads, ", c.InputText(kKey), " with ", heads.shared));
  }
  TENFOLD_RETURN_IF_ERROR(CheckGates(c, heads));
  const Shape state = {query.dim(0), heads.shared, heads.key_size, heads.value_size};
  if (c.has(kPastState) && !(c.shape(kPastState) == state)) {
    return c.Fail("E0201", absl::StrCat(c.InputText(kPastState), ", but must be ", state.ToString()));
  }
  TENFOLD_RETURN_IF_ERROR(
      c.SetOutput(0, Shape{query.dim(0), query.dim(1), heads.value_size * Dim(heads.query)}));
  return c.SetOutputType(1, {c.dtype(c.has(kPastState) ? kPastState : kQuery), state});
}

std::vector<Value> BuildLinearAttention(std::span<const Value> in, const Attrs& attrs) {
  const DType dtype = in[kQuery].dtype();
  std::vector<Operand> operands = {in[kQuery], in[kKey], in[kValue]};
  const auto optional = [&](size_t i, bool read, auto&& prepare) {
    operands.push_back(read && IsThere(in, i) ? Operand(prepare(in[i])) : Operand(std::nullopt));
  };
  const std::string rule = attrs.Get<std::string>("update_rule");
  const auto as_it_is = [&](Value x) { return As(x, dtype); };
  optional(kPastState, true, as_it_is);
  optional(kDecay, rule == "gated" || rule == "gated_delta", [](Value x) { return ApplyOp("Exp", {x}); });
  optional(kBeta, rule == "delta" || rule == "gated_delta", as_it_is);
  Attrs passed;
  for (const char* name : {"kv_num_heads", "q_num_heads", "scale", "update_rule"})
    passed.Set(name, *attrs.Find(name));
  const Values results = ApplyOpMulti("LinearAttentionRecurrence", operands, passed);
  const DType state = IsThere(in, kPastState) ? in[kPastState].dtype() : dtype;
  return {results[0], As(results[1], state)};
}

// What one head of keys and values, and the heads of queries that share it, do.
template <typename T>
struct Recurrence {
  const KernelContext& c;
  int64_t length = c.input(kQuery).dims[1];
  int64_t heads = c.attrs().Get<int64_t>("kv_num_heads");
  int64_t sharing = c.attrs().Get<int64_t>("q_num_heads") / heads;
  int64_t key_size = c.input(kKey).dims[2] / heads, value_size = c.input(kValue).dims[2] / heads;
  bool corrects = c.has(kBeta);
  T scale =
      static_cast<T>(c.attrs().Get<double>("scale") != 0 ? c.attrs().Get<double>("scale")
                                                         : 1 / std::sqrt(static_cast<double>(key_size)));

  // Row `t` of a batch's input `i`.
  const T* Row(int i, int64_t batch, int64_t t) const {
    return c.input(i).values<T>().data() + (batch * length + t) * c.input(i).dims[2];
  }

  // state [key_size, value_size]; `written` and `sums` have room for value_size each.
  void Step(int64_t batch, int64_t head, int64_t t, T* state, T* written, T* sums) const {
    const T* const key = Row(kKey, batch, t) + head * key_size;
    const T* const value = Row(kValue, batch, t) + head * value_size;
    if (c.has(kDecay)) {
      const bool each = c.input(kDecay).dims[2] != heads;  // one factor for each row of the state
      const T* const decay = Row(kDecay, batch, t) + head * (each ? key_size : 1);
      for (int64_t i = 0; i < key_size; ++i) {
        for (int64_t j = 0; j < value_size; ++j) state[i * value_size + j] *= decay[each ? i : 0];
      }
    }
    std::copy_n(value, value_size, written);
    if (corrects) {
      Multiply(key, state, sums);
      const T beta = Row(kBeta, batch, t)[c.input(kBeta).dims[2] == 1 ? 0 : head];
      for (int64_t j = 0; j < value_size; ++j) written[j] = beta * (value[j] - sums[j]);
    }
    for (int64_t i = 0; i < key_size; ++i) {
      for (int64_t j = 0; j < value_size; ++j) {
        const T part = key[i] * written[j];
        state[i * value_size + j] += part;
      }
    }
    const KernelTensor& y = c.output(0);
    if (y.absent) return;
    for (int64_t q = head * sharing; q < (head + 1) * sharing; ++q) {
      Multiply(Row(kQuery, batch, t) + q * key_size, state, sums);
      T* const to = y.mutable_values<T>().data() + (batch * length + t) * y.dims[2] + q * value_size;
      for (int64_t j = 0; j < value_size; ++j) to[j] = scale * sums[j];
    }
  }

  // row x state, added in ascending order.
  void Multiply(const T* row, const T* state, T* sums) const {
    std::fill_n(sums, value_size, T(0));
    for (int64_t i = 0; i < key_size; ++i) {
      for (int64_t j = 0; j < value_size; ++j) {
        const T part = row[i] * state[i * value_size + j];
        sums[j] += part;
      }
    }
  }
};

// The state, and two rows.
int64_t RecurrenceScratch(const KernelContext& c) {
  if (c.output(0).count == 0 && c.output(1).count == 0) return 0;
  const int64_t heads = c.attrs().Get<int64_t>("kv_num_heads");
  const int64_t keys = c.input(kKey).dims[2] / heads, values = c.input(kValue).dims[2] / heads;
  return (keys + 2) * values * c.input(kKey).element_size();
}

absl::Status RunRecurrence(KernelContext& c) {
  const int64_t batches = c.input(kQuery).dims[0], heads = c.attrs().Get<int64_t>("kv_num_heads");
  const auto run = [&]<typename T>(std::type_identity<T>) {
    const Recurrence<T> recurrence = {c};
    const int64_t size = recurrence.key_size * recurrence.value_size;
    const int64_t cost = std::min<int64_t>(size, 1 << 20) * std::min<int64_t>(recurrence.length, 1 << 20);
    return c.ForEachRange(batches * heads, cost, [&](int64_t begin, int64_t end, void* scratch) {
      T *const state = static_cast<T*>(scratch), *const written = state + size,
               *const sums = written + recurrence.value_size;
      for (int64_t unit = begin; unit < end; ++unit) {
        if (c.has(kPastState)) {
          std::copy_n(c.input(kPastState).values<T>().data() + unit * size, size, state);
        } else {
          std::fill_n(state, size, T(0));
        }
        for (int64_t t = 0; t < recurrence.length && !c.ShouldStop(); ++t) {
          recurrence.Step(unit / heads, unit % heads, t, state, written, sums);
        }
        if (c.output(1).absent) continue;
        std::copy_n(state, size, c.output(1).mutable_values<T>().data() + unit * size);
      }
      return absl::OkStatus();
    });
  };
  return c.input(kQuery).dtype == DType::kF64 ? run(std::type_identity<double>{})
                                              : run(std::type_identity<float>{});
}

// --- Definitions -------------------------------------------------------------------------------------------

std::vector<PortDef> AttentionInputs(DTypeSet dtypes, const char* state) {
  return {
      {"query", "T", dtypes, "[batch, sequence, q_num_heads * key size]"},
      {"key", "T", dtypes, "[batch, sequence, kv_num_heads * key size]"},
      {"value", "T", dtypes, "[batch, sequence, kv_num_heads * value size]"},
      OptionalPort("past_state", state, dtypes,
                   "[batch, kv_num_heads, key size, value size]: what an earlier piece left; absent: 0"),
      OptionalPort("decay", "T", dtypes,
                   "as key, or one number for each head of keys: logarithms of what the state, or each row "
                   "of it, is multiplied by; of the gated rules"),
      OptionalPort(
          "beta", "T", dtypes,
          "[batch, sequence, kv_num_heads], or 1 for all: how much is corrected; of the delta rules")};
}

std::vector<AttrDef> AttentionAttrs() {
  return {{"kv_num_heads", AttrKind::kInt, std::nullopt, "heads of keys and values"},
          {"q_num_heads", AttrKind::kInt, std::nullopt,
           "heads of queries; a multiple, and as many neighbouring ones share a head of keys"},
          {"scale", AttrKind::kFloat, AttrValue(0.0), "factor of the output; 0: 1 / sqrt(key size)"},
          {"update_rule",
           AttrKind::kString,
           AttrValue(std::string("gated_delta")),
           "\"linear\": S + k x v; \"gated\": exp(decay) S + k x v; \"delta\": S + beta k x (v - k^T S); "
           "\"gated_delta\": the same of exp(decay) S",
           {"linear", "gated", "delta", "gated_delta"}}};
}

}  // namespace

std::vector<OpDef> LinearAttentionOps() {
  std::vector<AttrDef> attention_attrs = AttentionAttrs();
  attention_attrs.insert(attention_attrs.begin(), {"chunk_size", AttrKind::kInt, AttrValue(int64_t{64}),
                                                   "a hint, which has no effect"});
  constexpr DTypeSet kInner = {DType::kF32, DType::kF64};
  return {
      {.name = "LinearAttention",
       .inputs = AttentionInputs(kFloat, "S"),
       .attrs = std::move(attention_attrs),
       .outputs = {{"output", "T", kFloat, "[batch, sequence, q_num_heads * value size]"},
                   {"present_state", "S", kFloat, "as past_state, whose dtype it has, or that of query"}},
       .doc = "Attention without softmax: each head of keys keeps a state S, a matrix that each step of the "
              "sequence updates, and a query q gives scale * q^T S. Computed in f32, of f64 in f64, step by "
              "step.",
       .bound = "Follows from Exp and the order of summation.",
       .infer = InferLinearAttention,
       .computation = Composite{.build_several = BuildLinearAttention}},
      {.name = "LinearAttentionRecurrence",
       .inputs = AttentionInputs(kInner, "T"),
       .attrs = AttentionAttrs(),
       .outputs = {{"output", "T", kInner, ""}, {"present_state", "T", kInner, ""}},
       .doc = "The steps of LinearAttention, with factors for logarithms in decay.",
       .infer = InferLinearAttention,
       .computation = HostKernel{.run = RunRecurrence, .scratch_bytes = RecurrenceScratch, .cost = 64},
       .is_internal = true},
  };
}

}  // namespace tenfold
