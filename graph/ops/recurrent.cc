// SPDX-License-Identifier: Apache-2.0
//
// Recurrent layers: LSTM, GRU and RNN. graph/ops/recurrent_cells.h has what they compute.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/checks.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/recurrent_activations.h"
#include "tenfold/graph/ops/recurrent_cells.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// --- Inference ---------------------------------------------------------------------------------------------

absl::Status CheckRecurrentAttrs(InferContext& c, const CellKind& kind) {
  const Attrs& attrs = c.attrs();
  if (const int64_t layout = attrs.Get<int64_t>("layout"); layout != 0 && layout != 1) {
    return c.Fail("E0102", absl::StrCat("attribute 'layout' is ", layout, ", but must be 0 or 1"));
  }
  TENFOLD_RETURN_IF_ERROR(CheckFinite(c, {"clip"}));
  const AttrValue* const clip = attrs.Find("clip");
  if (clip != nullptr && !(std::get<double>(*clip) > 0)) {
    return c.Fail("E0102",
                  absl::StrCat("attribute 'clip' is ", std::get<double>(*clip), ", but must be positive"));
  }
  const AttrValue* const hidden = attrs.Find("hidden_size");
  if (hidden != nullptr &&
      (std::get<int64_t>(*hidden) < 1 || std::get<int64_t>(*hidden) > std::numeric_limits<int32_t>::max())) {
    return c.Fail("E0102", absl::StrCat("attribute 'hidden_size' is ", std::get<int64_t>(*hidden),
                                        ", but must be from 1 to ", std::numeric_limits<int32_t>::max()));
  }
  const auto functions = ReadActivations(attrs, kind.functions, NumDirections(attrs), kind.most_functions);
  return functions.ok() ? absl::OkStatus() : c.Fail("E0102", functions.status().message());
}

// An input and how many dims it has.
struct Ranked {
  int input;
  int rank;
  const char* dims;
};
constexpr Ranked kRanked[] = {
    {kX, 3, "[steps, batch, input size], or [batch, steps, input size] with layout=1"},
    {kW, 3, "[directions, gates * hidden size, input size]"},
    {kR, 3, "[directions, gates * hidden size, hidden size]"},
    {kB, 2, "[directions, 2 * gates * hidden size]"},
    {kSequenceLens, 1, "a list, the length of each sequence of the batch"},
    {kInitialH, 3, "[directions, batch, hidden size], or [batch, directions, hidden size] with layout=1"},
    {kInitialC, 3, "[directions, batch, hidden size], or [batch, directions, hidden size] with layout=1"},
    {kP, 2, "[directions, 3 * hidden size]"},
};

absl::Status CheckShape(InferContext& c, int input, const Shape& expected, Mend help = {}) {
  if (!c.has(input) || c.TakeShape(input, expected)) return absl::OkStatus();
  return c.Fail("E0201", absl::StrCat(c.InputText(input), ", but must be ", expected.ToString()),
                std::move(help));
}

absl::Status InferRecurrent(InferContext& c, const CellKind& kind) {
  TENFOLD_RETURN_IF_ERROR(CheckRecurrentAttrs(c, kind));
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  for (const Ranked& ranked : kRanked) {
    if (!c.has(ranked.input) || c.shape(ranked.input).rank() == ranked.rank) continue;
    return c.Fail("E0207", absl::StrCat(c.InputText(ranked.input), ", but must be ", ranked.dims));
  }
  const Dim& r_size = c.shape(kR).dim(2);
  if (c.attrs().Find("hidden_size") == nullptr && !r_size.is_constant()) {
    return c.Fail("E0211", absl::StrCat("the hidden size must be known: ", c.InputText(kR)),
                  "declare r with numbers for its sizes");
  }
  const int64_t hidden_size = HiddenSize(c.attrs(), c.shape(kR));
  if (hidden_size < 1) return c.Fail("E0212", absl::StrCat("the hidden size is 0: ", c.InputText(kR)));
  const bool by_batch = c.attrs().Get<int64_t>("layout") == 1;
  const Dim directions = NumDirections(c.attrs()), hidden = hidden_size, columns = Dim(kind.gates) * hidden;
  const Dim &steps = c.shape(kX).dim(by_batch ? 1 : 0), &batch = c.shape(kX).dim(by_batch ? 0 : 1);
  Mend both;
  if (c.shape(kW).dim(0) == Dim(2) && directions == Dim(1)) {
    both = "weights of two directions need direction=\"bidirectional\"";
  }
  const Shape state = by_batch ? Shape{batch, directions, hidden} : Shape{directions, batch, hidden};
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kW, {directions, columns, c.shape(kX).dim(2)}, both));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kR, {directions, columns, hidden}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kB, {directions, columns * Dim(2)}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kSequenceLens, {batch}));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kInitialH, state));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kInitialC, state));
  TENFOLD_RETURN_IF_ERROR(CheckShape(c, kP, {directions, hidden * Dim(3)}));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(
      0, by_batch ? Shape{batch, steps, directions, hidden} : Shape{steps, directions, batch, hidden}));
  for (int s = 0; s < kind.states; ++s) TENFOLD_RETURN_IF_ERROR(c.SetOutput(1 + s, state));
  return absl::OkStatus();
}

template <const CellKind& kind>
absl::Status Infer(InferContext& c) {
  return InferRecurrent(c, kind);
}

// --- Lengths of sequences ----------------------------------------------------------------------------------

absl::Status InferSequenceMask(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents steps, c.Known(1));
  return c.SetOutput(0, {steps[0], c.shape(0).dim(0), 1});
}

absl::Status RunSequenceMask(KernelContext& c) {
  const KernelTensor &lengths = c.input(0), &mask = c.output();
  const int64_t steps = mask.dims[0], batch = mask.dims[1];
  return c.ForEachRange(mask.count, /*cost=*/4, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t b = unit % batch, length = IndexAt(lengths, b);
      if (length < 0 || length > steps) return c.OutOfRange(0, "sequence_lens", b, length, 0, steps + 1);
      mask.mutable_values<bool>()[unit] = unit / batch < length;
    }
    return absl::OkStatus();
  });
}

// --- The ops -----------------------------------------------------------------------------------------------

// What all three have, with what the weights are said to be.
std::vector<PortDef> Inputs(const char* w, const char* r, const char* b) {
  return {{"x", "T", kFloat, "[steps, batch, input size], or [batch, steps, input size] with layout=1"},
          {"w", "T", kFloat, w},
          {"r", "T", kFloat, r},
          OptionalPort("b", "T", kFloat, b),
          OptionalPort("sequence_lens", "L", kIndex,
                       "[batch]: how many steps each sequence has; absent: all. Behind them y is 0. A "
                       "reverse direction begins at a sequence's own end"),
          OptionalPort("initial_h", "T", kFloat,
                       "[directions, batch, hidden size], or [batch, directions, hidden size] with "
                       "layout=1; absent: 0")};
}

std::vector<PortDef> Outputs() {
  return {
      {"y", "T", kFloat,
       "h of every step: [steps, directions, batch, hidden size], or [batch, steps, directions, hidden "
       "size] with layout=1"},
      {"y_h", "T", kFloat, "h after the last step of each sequence, as initial_h; 0 where there is none"}};
}

std::vector<AttrDef> RecurrentAttrs(const char* activations) {
  std::vector<AttrDef> attrs = ActivationAttrs(activations);
  attrs.push_back(
      OptionalAttr("clip", AttrKind::kFloat, "what activations are given is first clamped to [-clip, clip]"));
  attrs.push_back({"direction",
                   AttrKind::kString,
                   AttrValue(std::string("forward")),
                   "bidirectional: forward is direction 0, reverse is 1",
                   {"forward", "reverse", "bidirectional"}});
  attrs.push_back(OptionalAttr("hidden_size", AttrKind::kInt, "absent: the last dim of r"));
  attrs.push_back({"layout", AttrKind::kInt, AttrValue(int64_t{0}), "1: the batch stands first"});
  return attrs;
}

template <typename Def>
std::vector<Def> With(std::vector<Def> defs, std::vector<Def> more) {
  defs.insert(defs.end(), more.begin(), more.end());
  return defs;
}

constexpr char kBound[] = "Follows from MatMul and the activations, step after step.";

}  // namespace

std::vector<OpDef> RecurrentOps() {
  const AttrDef input_forget = {"input_forget", AttrKind::kBool, AttrValue(false),
                                "f is 1 - i, and w, r, b and p of f are not used"};
  const AttrDef linear_before_reset = {"linear_before_reset", AttrKind::kBool, AttrValue(false),
                                       "which form the hidden gate has"};
  return {
      {.name = "SequenceMask",
       .inputs = {{"sequence_lens", "L", kIndex, ""},
                  {.name = "steps", .type_var = "S", .dtypes = {DType::kI64}, .doc = "", .known = true}},
       .outputs = {{"mask", "", kBoolOnly, ""}},
       .doc = "Which steps are within their sequences: [steps, batch, 1].",
       .infer = InferSequenceMask,
       .computation = HostKernel{.run = RunSequenceMask},
       .is_internal = true},
      {.name = "RNN",
       .inputs = Inputs("[directions, hidden size, input size]", "[directions, hidden size, hidden size]",
                        "[directions, 2 * hidden size]: wb, then rb; absent: 0"),
       .attrs = RecurrentAttrs("f of each direction, of the same functions as LSTM; empty: Tanh"),
       .outputs = Outputs(),
       .doc = "The simple recurrent layer: the next h is f(x w^T + h r^T + wb + rb).",
       .bound = kBound,
       .infer = Infer<kRnn>,
       .computation = Composite{.build_several = BuildRnn}},
      {.name = "GRU",
       .inputs = Inputs("[directions, 3 * hidden size, input size]: z, r, h",
                        "[directions, 3 * hidden size, hidden size]: z, r, h",
                        "[directions, 6 * hidden size]: wb of z, r, h, then rb; absent: 0"),
       .attrs = With(RecurrentAttrs("f and g of each direction, of the same functions as LSTM; empty: "
                                    "Sigmoid, Tanh"),
                     {linear_before_reset}),
       .outputs = Outputs(),
       .doc = "The gated recurrent unit: zt = f(x wz^T + h rz^T + wbz + rbz), rt = f(x wr^T + h rr^T + wbr + "
              "rbr), ht = g(x wh^T + (rt * h) rh^T + wbh + rbh), with linear_before_reset g(x wh^T + rt * (h "
              "rh^T + rbh) + wbh); the next h is (1 - zt) * ht + zt * h. The products of gates are those of "
              "elements.",
       .bound = kBound,
       .infer = Infer<kGru>,
       .computation = Composite{.build_several = BuildGru}},
      {.name = "LSTM",
       .inputs = With(Inputs("[directions, 4 * hidden size, input size]: i, o, f, c",
                             "[directions, 4 * hidden size, hidden size]: i, o, f, c",
                             "[directions, 8 * hidden size]: wb of i, o, f, c, then rb; absent: 0"),
                      {OptionalPort("initial_c", "T", kFloat, "as initial_h"),
                       OptionalPort("p", "T", kFloat,
                                    "[directions, 3 * hidden size]: peepholes of i, o, f; absent: 0")}),
       .attrs = With(RecurrentAttrs(
                         "f, g and h of each direction, one after the other, in either case: Affine (alpha x "
                         "+ beta), Elu, HardSigmoid, LeakyRelu, Relu, ScaledTanh (alpha tanh(beta x)), "
                         "Sigmoid, Softplus, Softsign, Tanh, ThresholdedRelu; empty: Sigmoid, Tanh, Tanh"),
                     {input_forget}),
       .outputs = With(Outputs(), {{"y_c", "T", kFloat, "c after it, as y_h"}}),
       .doc =
           "The long short-term memory: it = f(x wi^T + h ri^T + pi * c + wbi + rbi), ft likewise, ct = "
           "g(x wc^T + h rc^T + wbc + rbc); the next c is ft * c + it * ct; ot = f(x wo^T + h ro^T + po * "
           "next c + wbo + rbo); the next h is ot * h(next c). The products of gates are those of elements.",
       .bound = kBound,
       .infer = Infer<kLstm>,
       .computation = Composite{.build_several = BuildLstm}},
  };
}

}  // namespace tenfold
