// SPDX-License-Identifier: Apache-2.0
//
// Ops along a line whose elements depend on their order: the largest, and running sums and products.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// Of long lines.
constexpr int64_t kStepsBetweenPolls = int64_t{1} << 16;

// The first element of line `unit` along `axis`.
int64_t FirstOf(const KernelTensor& tensor, int axis, int64_t unit) {
  const int64_t inner = tensor.Inner(axis);
  return unit / inner * inner * tensor.dims[axis] + unit % inner;
}

// --- TopK --------------------------------------------------------------------------------------------------

absl::Status InferTopK(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of x is not known");
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", c.shape(0).rank()));
  TENFOLD_ASSIGN_OR_RETURN(const Contents k, c.Known(1));
  std::vector<Dim> dims = c.shape(0).dims();
  // A symbol is held against k when it is known.
  const bool too_many = k.size() == 1 && k[0].is_constant() && dims[axis].is_constant() &&
                        k[0].constant() > dims[axis].constant();
  if (k.size() != 1 || !(Max(k[0], 0) == k[0]) || too_many) {
    return c.Fail("E0212", absl::StrCat("k is ", Shape(k).ToString(), ", but it is one number from 0 to ",
                                        dims[axis].ToString(), ", the extent of the axis"));
  }
  dims[axis] = k[0];
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(0, Shape(dims)));
  return c.SetOutput(1, Shape(dims));
}

// NaN stands above every number, as NumPy sorts it.
template <typename T>
bool Below(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (b != b) return a == a;
  }
  return a < b;
}

int64_t TopKScratch(const KernelContext& c) {
  if (c.input(0).count == 0) return 0;
  return c.input(0).dims[c.Axis("axis", c.input(0))] * static_cast<int64_t>(sizeof(int64_t));
}

// The numbers of the elements are sorted; of equal ones the first stands first.
template <typename T>
void TopKOfLine(const KernelContext& c, const T* x, int64_t extent, int64_t stride, bool largest, int64_t k,
                int64_t* order) {
  std::iota(order, order + extent, 0);
  int64_t comparisons = 0;
  bool stopped = false;
  std::partial_sort(order, order + k, order + extent, [&](int64_t i, int64_t j) {
    // Nothing moves any more once nobody wants the result.
    if (++comparisons % kStepsBetweenPolls == 0) stopped = stopped || c.ShouldStop();
    if (stopped) return false;
    const auto a = Widen(x[i * stride]), b = Widen(x[j * stride]);
    if (largest ? Below(b, a) : Below(a, b)) return true;
    if (largest ? Below(a, b) : Below(b, a)) return false;
    return i < j;
  });
}

absl::Status RunTopK(KernelContext& c) {
  const KernelTensor &x = c.input(0), &values = c.output(0), &indices = c.output(1);
  const int axis = c.Axis("axis", x);
  const int64_t extent = x.dims[axis], k = values.dims[axis], stride = x.Inner(axis);
  const bool largest = c.attrs().Get<bool>("largest");
  if (k > extent) {
    return c.Fail("E0615", absl::StrCat("k is ", k, ", but the axis has ", extent, " elements"));
  }
  return c.ForEachRange(x.count / extent, 16 * extent, [&](int64_t begin, int64_t end, void* scratch) {
    int64_t* const order = static_cast<int64_t*>(scratch);
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t from = FirstOf(x, axis, unit), to = FirstOf(values, axis, unit);
      VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
        const T* const line = x.values<T>().data() + from;
        TopKOfLine(c, line, extent, stride, largest, k, order);
        for (int64_t i = 0; i < k; ++i) {
          values.mutable_values<T>()[to + i * stride] = line[order[i] * stride];
          indices.mutable_values<int64_t>()[to + i * stride] = order[i];
        }
      });
      if (c.ShouldStop()) break;
    }
    return absl::OkStatus();
  });
}

// --- CumSum, CumProd ---------------------------------------------------------------------------------------

absl::Status InferCumulative(InferContext& c) {
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  if (c.shape(1).has_rank() && !(c.shape(1).num_elements() == Dim(1))) {
    return c.Fail("E0212", absl::StrCat(c.InputText(1), ", but it is one value"));
  }
  return c.SetOutput(0, c.shape(0));
}

struct Direction {
  bool product, exclusive, reverse;
};

// One line in order; the accumulator of halves is f32, of which each element is rounded.
template <typename T>
void Accumulate(const KernelContext& c, const T* x, T* y, int64_t extent, int64_t stride,
                const Direction& how) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, decltype(Widen(T()))>;
  Sum sum = how.product ? Sum(1) : Sum(0);
  for (int64_t n = 0; n < extent; ++n) {
    if (n % kStepsBetweenPolls == kStepsBetweenPolls - 1 && c.ShouldStop()) return;
    const int64_t i = how.reverse ? extent - 1 - n : n;
    const auto element = static_cast<Sum>(Widen(x[i * stride]));
    if (how.exclusive) y[i * stride] = Narrow<T>(sum);
    // The first element as it is: 0 + -0 would lose its sign.
    sum = n == 0 ? element : how.product ? sum * element : sum + element;
    if (!how.exclusive) y[i * stride] = Narrow<T>(sum);
  }
}

template <bool product>
absl::Status RunCumulative(KernelContext& c) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const int64_t wanted = IndexAt(c.input(1), 0);
  const std::optional<int> axis = NormalizeAxis(wanted, x.rank());
  if (!axis) return c.OutOfRange(1, "axis", 0, wanted, -x.rank(), x.rank());
  const Direction how = {product, c.attrs().Get<bool>("exclusive"), c.attrs().Get<bool>("reverse")};
  const int64_t extent = x.dims[*axis], stride = x.Inner(*axis);
  return c.ForEachRange(x.count / extent, 2 * extent, [&](int64_t begin, int64_t end, void*) {
    for (int64_t unit = begin; unit < end; ++unit) {
      const int64_t first = FirstOf(x, *axis, unit);
      VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
        if constexpr (!std::is_same_v<T, bool>) {
          Accumulate(c, x.values<T>().data() + first, y.mutable_values<T>().data() + first, extent, stride,
                     how);
        }
      });
    }
    return absl::OkStatus();
  });
}

OpDef CumulativeOp(const char* name, const char* doc, absl::Status (*run)(KernelContext&)) {
  return {.name = name,
          .inputs = {{"x", "T", kNumeric, ""}, {"axis", "I", kIndex, "one number, which a run may be fed"}},
          .attrs = {{"exclusive", AttrKind::kBool, AttrValue(false), "leaves the element itself out"},
                    {"reverse", AttrKind::kBool, AttrValue(false), "from the end of the axis"}},
          .outputs = {{"y", "T", kNumeric, ""}},
          .doc = doc,
          .infer = InferCumulative,
          .computation = HostKernel{run}};
}

}  // namespace

std::vector<OpDef> OrderingOps() {
  return {
      {.name = "TopK",
       .inputs = {{"x", "T", kNumeric, ""},
                  {.name = "k",
                   .type_var = "K",
                   .dtypes = {DType::kI64},
                   .doc = "how many; at most the extent of the axis",
                   .known = true}},
       .attrs = {{"axis", AttrKind::kInt, AttrValue(int64_t{-1}), "the axis along which they are looked for"},
                 {"largest", AttrKind::kBool, AttrValue(true), "the largest, else the smallest"},
                 {"sorted", AttrKind::kBool, AttrValue(true), "results are sorted in any case"}},
       .outputs = {{"values", "T", kNumeric, ""}, {"indices", "I", {DType::kI64}, ""}},
       .doc = "The largest elements along an axis, in order, and where they stand. Of equal ones the first "
              "stands "
              "first; -0 equals +0; NaN counts as larger than every number, as NumPy sorts it.",
       .infer = InferTopK,
       .computation = HostKernel{RunTopK, TopKScratch, 16}},
      CumulativeOp(
          "CumSum",
          "Running sums along an axis, added one after the other; f16 and bf16 accumulate in f32, integers "
          "wrap.",
          RunCumulative<false>),
      CumulativeOp(
          "CumProd",
          "Running products along an axis, multiplied one after the other; f16 and bf16 accumulate in f32, "
          "integers wrap.",
          RunCumulative<true>),
  };
}

}  // namespace tenfold
