// SPDX-License-Identifier: Apache-2.0
//
// Layers that read a sequence piece by piece: what a piece leaves behind is an output, and an input of the
// next.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
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

using Ints = std::vector<int64_t>;

// --- TensorScatter -----------------------------------------------------------------------------------------

enum ScatterInput { kCache, kUpdate, kWriteIndices };

absl::Status InferTensorScatter(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  const Shape &cache = c.shape(kCache), &update = c.shape(kUpdate);
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", cache.rank()));
  if (axis == 0) return c.Fail("E0203", "axis is 0, but that is the dim of batches");
  if (update.rank() != cache.rank()) {
    return c.Fail("E0207", absl::StrCat("ranks differ: ", c.InputText(kCache), ", ", c.InputText(kUpdate)));
  }
  for (int d = 0; d < cache.rank(); ++d) {
    if (d != axis) TENFOLD_RETURN_IF_ERROR(c.SameDim(kCache, d, kUpdate, d, "extents"));
  }
  const Dim room = cache.dim(axis) - update.dim(axis);
  if (room.is_constant() && room.constant() < 0) {
    return c.Fail("E0212",
                  absl::StrCat(c.InputText(kUpdate), ", which is longer than ", c.InputText(kCache)));
  }
  if (c.has(kWriteIndices)) {
    if (c.shape(kWriteIndices).rank() != 1)
      return c.Fail("E0207", absl::StrCat(c.InputText(kWriteIndices), ", but must be a list"));
    TENFOLD_RETURN_IF_ERROR(c.SameDim(kCache, 0, kWriteIndices, 0, "batches"));
  }
  return c.SetOutput(0, cache);
}

// A unit is what stands before the axis: a slice of the cache, which its own update is written into.
absl::Status RunTensorScatter(KernelContext& c) {
  const KernelTensor &cache = c.input(kCache), &update = c.input(kUpdate), &y = c.output();
  const int axis = c.Axis("axis", cache);
  const bool circular = c.attrs().Get<std::string>("mode") == "circular";
  const int64_t extent = cache.dims[axis], length = update.dims[axis];
  if (length > extent) {
    return c.Fail("E0615", absl::StrCat("the update has ", length, " elements along axis ", axis,
                                        ", but the cache has ", extent));
  }
  const int64_t units = cache.Outer(axis), each = units / cache.dims[0];
  const int64_t bytes = cache.Inner(axis) * cache.element_size();
  return c.ForEachRange(
      units, extent * cache.Inner(axis), [&](int64_t begin, int64_t end, void*) -> absl::Status {
        for (int64_t unit = begin; unit < end; ++unit) {
          const int64_t batch = unit / each;
          int64_t at = c.has(kWriteIndices) ? IndexAt(c.input(kWriteIndices), batch) : 0;
          if (circular) {
            at = (at % extent + extent) % extent;
          } else if (at < 0 || at > extent - length) {
            return c.OutOfRange(kWriteIndices, "write_indices", batch, at, 0, extent - length + 1);
          }
          char* const to = y.mutable_bytes() + unit * extent * bytes;
          const char* const from = update.bytes() + unit * length * bytes;
          std::memcpy(to, cache.bytes() + unit * extent * bytes, extent * bytes);
          const int64_t before_end = std::min(length, extent - at);
          if (length == 0) continue;  // there may be no memory to copy from
          std::memcpy(to + at * bytes, from, before_end * bytes);
          std::memcpy(to, from + before_end * bytes, (length - before_end) * bytes);
        }
        return absl::OkStatus();
      });
}

// --- CausalConvWithState -----------------------------------------------------------------------------------

enum ConvInput { kSequence, kWeight, kBias, kPastColumns };

absl::Status InferCausalConv(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckRanksKnown(c));
  for (const auto& [input, form] :
       {std::pair(kSequence, "[batch, channels, length]"), std::pair(kWeight, "[channels, 1, kernel]"),
        std::pair(kPastColumns, "[batch, channels, kernel - 1]")}) {
    if (c.has(input) && c.shape(input).rank() != 3)
      return c.Fail("E0207", absl::StrCat(c.InputText(input), ", but must be ", form));
  }
  const Shape &x = c.shape(kSequence), &weight = c.shape(kWeight);
  TENFOLD_RETURN_IF_ERROR(c.SameDim(kSequence, 1, kWeight, 0, "channels"));
  const Dim &channels = x.dim(1), &kernel = weight.dim(2);
  if (!channels.is_constant() || !kernel.is_constant() || kernel.constant() < 1 || channels.constant() < 1 ||
      !(weight.dim(1) == Dim(1))) {
    return c.Fail("E0212", absl::StrCat(c.InputText(kWeight),
                                        ", but must be [channels, 1, kernel], numbers of at least 1"));
  }
  if (x.dim(2) == Dim(0))
    return c.Fail("E0212", absl::StrCat(c.InputText(kSequence), ", which has no columns"));
  if (c.has(kBias)) TENFOLD_RETURN_IF_ERROR(CheckOneForEach(c, kBias, 1, "channels"));
  const Shape state = {x.dim(0), channels, kernel - 1};
  if (c.has(kPastColumns) && !(c.shape(kPastColumns) == state)) {
    return c.Fail("E0201", absl::StrCat(c.InputText(kPastColumns), ", but must be ", state.ToString()));
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, x));
  return c.SetOutput(1, state);
}

std::vector<Value> BuildCausalConv(std::span<const Value> in, const Attrs& attrs) {
  const Value x = in[kSequence], weight = in[kWeight];
  const int64_t channels = weight.shape().dim(0).constant(), past = weight.shape().dim(2).constant() - 1;
  Value columns;
  if (IsThere(in, kPastColumns)) {
    const Operand both[] = {in[kPastColumns], x};
    columns = ApplyOpMulti("Concat", both, {{"axis", int64_t{2}}})[0];
  } else {
    columns = ApplyOp("Pad", {x, {0, 0, past, 0, 0, 0}});
  }
  const Operand bias = IsThere(in, kBias) ? Operand(in[kBias]) : Operand(std::nullopt);
  Value y = ApplyOp("Conv", {columns, weight, bias}, {{"group", channels}});
  if (attrs.Get<std::string>("activation") != "none") y = ApplyOp("Swish", {y});
  const Value state = ApplyOp("Slice", {columns, ExtentOf(x, 2), ExtentOf(columns, 2), {2}});
  return {y, state};
}

// --- Definitions -------------------------------------------------------------------------------------------

}  // namespace

std::vector<OpDef> StatefulOps() {
  return {
      {.name = "TensorScatter",
       .inputs = {{"past_cache", "T", kAnyType, "[batch, ..., most, ...]"},
                  {"update", "T", kAnyType, "the same with a part of the sequence along the axis"},
                  OptionalPort("write_indices", "I", {DType::kI64},
                               "[batch]: where each update starts; absent: 0")},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-2}), "of the sequence; not 0"},
                 {"mode",
                  AttrKind::kString,
                  AttrValue(std::string("linear")),
                  "\"linear\": an update ends within the cache; \"circular\": it goes on at its start",
                  {"linear", "circular"}}},
       .outputs = {{"present_cache", "T", kAnyType, ""}},
       .doc = "A copy of a cache of keys or values, into which a piece of the sequence is written.",
       .infer = InferTensorScatter,
       .computation = HostKernel{.run = RunTensorScatter}},
      {.name = "CausalConvWithState",
       .inputs = {{"input", "T", kFloat, "[batch, channels, length]"},
                  {"weight", "T", kFloat, "[channels, 1, kernel]"},
                  OptionalPort("bias", "T", kFloat, "[channels]"),
                  OptionalPort("past_state", "T", kFloat,
                               "[batch, channels, kernel - 1]: what stands before input; absent: 0")},
       .attrs = {{"activation",
                  AttrKind::kString,
                  AttrValue(std::string("none")),
                  "applied to the result: x * sigmoid(x), or nothing",
                  {"none", "silu", "swish"}}},
       .outputs = {{"output", "T", kFloat, ""},
                   {"present_state", "T", kFloat, "the last columns, for the next piece"}},
       .doc = "A convolution of each channel by itself, in which an element sees those before it alone.",
       .bound = "Follows from Conv and Swish.",
       .infer = InferCausalConv,
       .computation = Composite{.build_several = BuildCausalConv}},
  };
}

}  // namespace tenfold
