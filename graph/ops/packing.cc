// SPDX-License-Identifier: Apache-2.0
//
// i4 and u4 from two to a byte to a byte each, and back: what other ops on them are made of
// (graph/composite.h).
#include <algorithm>
#include <vector>

#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/packed.h"

namespace tenfold {
namespace {

// Operations for a byte of packed elements, roughly.
constexpr int64_t kCostOfByte = 2;

absl::Status InferSameShape(InferContext& c) { return c.SetOutput(0, c.shape(0)); }

// A unit is a packed byte.
absl::Status RunUnpack(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  return c.ForEachRange((x.count + 1) / 2, kCostOfByte, [&](int64_t begin, int64_t end, void*) {
    UnpackElements(x.dtype, x.bytes(), 2 * begin, std::min(2 * end, x.count), y.mutable_bytes() + 2 * begin);
    return absl::OkStatus();
  });
}

absl::Status RunPack(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  return c.ForEachRange((x.count + 1) / 2, kCostOfByte, [&](int64_t begin, int64_t end, void*) {
    PackElements(x.bytes() + 2 * begin, std::min(2 * end, x.count) - 2 * begin, y.mutable_bytes() + begin);
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<OpDef> PackingOps() {
  const AttrDef to = {"to", AttrKind::kDType, std::nullopt, "the dtype of the result"};
  const DTypeSet packed = {DType::kI4, DType::kU4}, bytes = {DType::kI8, DType::kU8};
  return {{.name = "UnpackElements",
           .inputs = {{"x", "T", packed, ""}},
           .attrs = {to},
           .outputs = {{"y", "to", bytes, ""}},
           .doc = "The elements with a byte for each.",
           .infer = InferSameShape,
           .computation = HostKernel{.run = RunUnpack},
           .is_internal = true},
          {.name = "PackElements",
           .inputs = {{"x", "T", bytes, ""}},
           .attrs = {to},
           .outputs = {{"y", "to", packed, ""}},
           .doc = "The low four bits of each element, two to a byte.",
           .infer = InferSameShape,
           .computation = HostKernel{.run = RunPack},
           .is_internal = true}};
}

}  // namespace tenfold
