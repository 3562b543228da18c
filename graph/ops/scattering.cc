// SPDX-License-Identifier: Apache-2.0
//
// Elements put, or combined with what is there, where indices point. Updates of one element are applied in
// the order in which they stand, so the result does not depend on threads.
#include <cmath>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/indexing.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

enum class How { kNone, kAdd, kMul, kMax, kMin };

How HowOf(const std::string& reduction) {
  return reduction == "add"   ? How::kAdd
         : reduction == "mul" ? How::kMul
         : reduction == "max" ? How::kMax
         : reduction == "min" ? How::kMin
                              : How::kNone;
}

// IEEE 754-2019 maximum and minimum, as of the op Max: NaN wins, and -0 is below +0.
template <typename T>
T Extremum(T a, T b, bool largest) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a) return a;
    if (b != b) return b;
    if (a == b) return std::signbit(a) == largest ? b : a;
  }
  return (a < b) == largest ? b : a;
}

template <typename T>
T Combined(T a, T b, How how) {
  if constexpr (std::is_integral_v<T>) {  // integers wrap
    const auto x = static_cast<uint64_t>(a), y = static_cast<uint64_t>(b);
    if (how == How::kAdd) return static_cast<T>(x + y);
    if (how == How::kMul) return static_cast<T>(x * y);
  } else {
    if (how == How::kAdd) return a + b;
    if (how == How::kMul) return a * b;
  }
  return Extremum(a, b, how == How::kMax);
}

// Puts or combines `count` elements that lie densely.
void Apply(DType dtype, How how, const char* from, char* to, int64_t count) {
  if (how == How::kNone) {
    std::memcpy(to, from, count * SizeOf(dtype));
    return;
  }
  VisitComputed(dtype, [&]<typename T>(std::type_identity<T>) {
    const T* const updates = reinterpret_cast<const T*>(from);
    T* const elements = reinterpret_cast<T*>(to);
    for (int64_t i = 0; i < count; ++i) {
      elements[i] = Narrow<T>(Combined(Widen(elements[i]), Widen(updates[i]), how));
    }
  });
}

absl::Status CopyData(const KernelContext& c) {
  const KernelTensor &data = c.input(0), &y = c.output();
  const int64_t size = data.element_size();
  return c.ForEachRange(data.count, 1, [&](int64_t begin, int64_t end, void*) {
    std::memcpy(y.mutable_bytes() + begin * size, data.bytes() + begin * size, (end - begin) * size);
    return absl::OkStatus();
  });
}

absl::Status CheckReduction(InferContext& c) {
  if (kNumeric.Contains(c.dtype(0)) || c.attrs().Get<std::string>("reduction") == "none")
    return absl::OkStatus();
  return c.Fail("E0206", absl::StrCat(c.InputText(0), ", which no reduction combines"),
                "reduction=\"none\" puts the updates in its place");
}

// --- ScatterElements ---------------------------------------------------------------------------------------

absl::Status InferScatterElements(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckReduction(c));
  TENFOLD_RETURN_IF_ERROR(CheckElementIndices(c));
  const Shape &indices = c.shape(1), &updates = c.shape(2);
  if (indices.has_rank() && updates.has_rank() && !(indices == updates)) {
    return c.Fail("E0201",
                  absl::StrCat("an update is needed for each index: ", c.InputText(1), ", ", c.InputText(2)));
  }
  return c.SetOutput(0, c.shape(0));
}

// A unit is a line of indices along the axis: what it writes, no other line does.
absl::Status RunScatterElements(KernelContext& c) {
  TENFOLD_RETURN_IF_ERROR(CopyData(c));
  const KernelTensor &data = c.input(0), &indices = c.input(1), &updates = c.input(2), &y = c.output();
  if (indices.count == 0) return absl::OkStatus();
  const How how = HowOf(c.attrs().Get<std::string>("reduction"));
  const int axis = c.Axis("axis", data);
  const int64_t extent = data.dims[axis], length = indices.dims[axis], inner = indices.Inner(axis);
  const int64_t size = data.element_size(), stride = data.Inner(axis);
  const Dims strides = RowMajorStrides(data.dims);
  return c.ForEachRange(indices.count / length, 4 * length,
                        [&](int64_t begin, int64_t end, void*) -> absl::Status {
                          for (int64_t line = begin; line < end; ++line) {
                            const int64_t first = line / inner * inner * length + line % inner;
                            int64_t rest = first, base = 0;
                            for (int d = indices.rank() - 1; d >= 0; --d) {
                              if (d != axis) base += rest % indices.dims[d] * strides[d];
                              rest /= indices.dims[d];
                            }
                            for (int64_t i = 0; i < length; ++i) {
                              const int64_t at = first + i * inner;
                              const std::optional<int64_t> index = IndexInto(indices, at, extent);
                              if (!index) return BadIndex(c, at, extent);
                              Apply(data.dtype, how, updates.bytes() + at * size,
                                    y.mutable_bytes() + (base + *index * stride) * size, 1);
                            }
                          }
                          return absl::OkStatus();
                        });
}

// --- ScatterND ---------------------------------------------------------------------------------------------

absl::Status InferScatterNd(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(CheckReduction(c));
  const Shape &data = c.shape(0), &indices = c.shape(1), &updates = c.shape(2);
  if (!data.has_rank() || !indices.has_rank()) return c.SetOutput(0, data);
  TENFOLD_ASSIGN_OR_RETURN(const int tuple, TupleLength(c, 0));
  std::vector<Dim> want(indices.dims().begin(), indices.dims().end() - 1);
  want.insert(want.end(), data.dims().begin() + tuple, data.dims().end());
  if (updates.has_rank() && !(updates == Shape(want))) {
    return c.Fail("E0201", absl::StrCat(c.InputText(2), ", but ", c.InputText(1), " and ", c.InputText(0),
                                        " take updates of ", Shape(want).ToString()));
  }
  return c.SetOutput(0, data);
}

// A unit is an element of a slice: all updates of one element are one unit's.
absl::Status RunScatterNd(KernelContext& c) {
  TENFOLD_RETURN_IF_ERROR(CopyData(c));
  const KernelTensor &data = c.input(0), &indices = c.input(1), &updates = c.input(2), &y = c.output();
  const How how = HowOf(c.attrs().Get<std::string>("reduction"));
  const int64_t tuple = indices.dims.back(), count = indices.Outer(indices.rank() - 1);
  if (count == 0) return absl::OkStatus();
  const int64_t slice = data.Inner(static_cast<int>(tuple) - 1), size = data.element_size();
  return c.ForEachRange(slice, 4 * count, [&](int64_t begin, int64_t end, void*) -> absl::Status {
    for (int64_t i = 0; i < count; ++i) {
      if (i % 4096 == 4095 && c.ShouldStop()) return absl::OkStatus();
      TENFOLD_ASSIGN_OR_RETURN(const int64_t at, SliceAt(c, data, 0, i));
      Apply(data.dtype, how, updates.bytes() + (i * slice + begin) * size,
            y.mutable_bytes() + (at * slice + begin) * size, end - begin);
    }
    return absl::OkStatus();
  });
}

}  // namespace

std::vector<OpDef> ScatteringOps() {
  const PortDef data = {"data", "T", kAnyType, ""}, result = {"y", "T", kAnyType, ""};
  const AttrDef reduction = {
      "reduction",
      AttrKind::kString,
      AttrValue(std::string("none")),
      "how an update meets what is there, in the order of the updates; none: it replaces it",
      {"none", "add", "mul", "max", "min"}};
  return {
      {.name = "ScatterElements",
       .inputs = {data,
                  {"indices", "I", kIndex, "negative ones count from the end"},
                  {"updates", "T", kAnyType, "one for each index"}},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{0}), "the axis that the indices point into"},
                 reduction},
       .outputs = {result},
       .doc =
           "A copy in which elements are replaced: each index names one where it stands, but for the axis.",
       .infer = InferScatterElements,
       .computation = HostKernel{.run = RunScatterElements, .cost = 2}},
      {.name = "ScatterND",
       .inputs = {data,
                  {"indices", "I", {DType::kI64}, "[..., k]: tuples of k, which point into the first k dims"},
                  {"updates", "T", kAnyType, "a slice for each tuple"}},
       .attrs = {reduction},
       .outputs = {result},
       .doc = "A copy in which slices are replaced where tuples of indices point.",
       .infer = InferScatterNd,
       .computation = HostKernel{.run = RunScatterNd, .cost = 2}},
  };
}

}  // namespace tenfold
