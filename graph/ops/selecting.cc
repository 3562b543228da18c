// SPDX-License-Identifier: Apache-2.0
//
// Ops whose results have as many elements as values say: extents that only a run knows.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <optional>
#include <type_traits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/ports.h"
#include "tenfold/graph/ops/standard.h"

namespace tenfold {
namespace {

// Elements that are looked at as one block.
constexpr int64_t kChunk = int64_t{1} << 16;

// A list of `count` numbers; a tensor, since there may be no memory for it.
absl::StatusOr<Tensor> Numbers(int64_t count) { return Tensor::Allocate(DType::kI64, Dims{count}); }

template <typename T>
bool IsNonZero(T x) {
  return Widen(x) != 0;
}

// The numbers of the elements of `x` that are not zero, in order.
absl::StatusOr<Tensor> FindNonZeros(const KernelContext& c, const KernelTensor& x) {
  const int64_t chunks = x.count / kChunk + (x.count % kChunk != 0);
  TENFOLD_ASSIGN_OR_RETURN(Tensor counts, Numbers(chunks + 1));
  const std::span<int64_t> before = counts.mutable_values<int64_t>();
  const auto for_each_chunk = [&](auto&& body) {
    return c.ForEachRange(chunks, kChunk, [&](int64_t begin, int64_t end, void*) {
      for (int64_t chunk = begin; chunk < end; ++chunk) {
        VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
          body(chunk, x.values<T>().subspan(chunk * kChunk, std::min(kChunk, x.count - chunk * kChunk)));
        });
      }
      return absl::OkStatus();
    });
  };
  TENFOLD_RETURN_IF_ERROR(for_each_chunk([&](int64_t chunk, auto values) {
    before[chunk] = std::count_if(values.begin(), values.end(), [](auto v) { return IsNonZero(v); });
  }));
  // A run that was stopped has not counted all.
  if (c.ShouldStop()) return Numbers(0);
  std::exclusive_scan(before.begin(), before.end(), before.begin(), int64_t{0});
  TENFOLD_ASSIGN_OR_RETURN(Tensor found, Numbers(before[chunks]));
  const std::span<int64_t> numbers = found.mutable_values<int64_t>();
  TENFOLD_RETURN_IF_ERROR(for_each_chunk([&](int64_t chunk, auto values) {
    int64_t at = before[chunk];
    for (size_t i = 0; i < values.size(); ++i) {
      if (IsNonZero(values[i])) numbers[at++] = chunk * kChunk + static_cast<int64_t>(i);
    }
  }));
  return found;
}

// --- NonZero -----------------------------------------------------------------------------------------------

absl::Status InferNonZero(InferContext& c) {
  if (!c.shape(0).has_rank()) return c.Fail("E0209", "the rank of x is not known");
  return c.SetOutput(0, Shape{c.shape(0).rank(), c.RunTimeDim()});
}

absl::Status RunNonZero(KernelContext& c) {
  const KernelTensor& x = c.input(0);
  TENFOLD_ASSIGN_OR_RETURN(const Tensor found, FindNonZeros(c, x));
  const int64_t count = found.num_elements();
  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(0, {x.rank(), count}));
  const std::span<const int64_t> numbers = found.values<int64_t>();
  const std::span<int64_t> y = c.output().mutable_values<int64_t>();
  return c.ForEachRange(count, 8 * x.rank(), [&](int64_t begin, int64_t end, void*) {
    for (int64_t k = begin; k < end; ++k) {
      int64_t rest = numbers[k];
      for (int d = x.rank() - 1; d >= 0; --d) {
        y[d * count + k] = rest % x.dims[d];
        rest /= x.dims[d];
      }
    }
    return absl::OkStatus();
  });
}

// --- Compress ----------------------------------------------------------------------------------------------

absl::Status InferCompress(InferContext& c) {
  const Shape& x = c.shape(0);
  if (c.shape(1).has_rank() && c.shape(1).rank() != 1) {
    return c.Fail("E0207", absl::StrCat(c.InputText(1), ", but must be a list"));
  }
  if (c.attrs().Find("axis") == nullptr) return c.SetOutput(0, Shape{c.RunTimeDim()});
  if (!x.has_rank()) return c.Fail("E0209", "the rank of x is not known");
  TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
  TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", x.rank()));
  std::vector<Dim> dims = x.dims();
  dims[axis] = c.RunTimeDim();
  return c.SetOutput(0, Shape(std::move(dims)));
}

// What is selected of x: along an axis, or of all elements as one list.
struct Line {
  int64_t outer = 1, extent = 1, inner = 1;
  std::optional<int> axis;

  explicit Line(const KernelContext& c) {
    const KernelTensor& x = c.input(0);
    if (c.attrs().Find("axis") == nullptr) {
      extent = x.count;
      return;
    }
    axis = c.Axis("axis", x);
    outer = x.Outer(*axis), extent = x.dims[*axis], inner = x.Inner(*axis);
  }

  // The dims of a result with `count` of them.
  Dims WithCount(const KernelTensor& x, int64_t count) const {
    if (!axis) return {count};
    Dims dims = x.dims;
    dims[*axis] = count;
    return dims;
  }
};

// Copies those of x whose numbers along the line are listed.
absl::Status CopySelected(const KernelContext& c, const Line& line, std::span<const int64_t> numbers) {
  const KernelTensor &x = c.input(0), &y = c.output();
  const auto count = static_cast<int64_t>(numbers.size());
  const int64_t bytes = line.inner * x.element_size();
  if (bytes == 0) return absl::OkStatus();  // there may be no memory to copy from
  return c.ForEachRange(line.outer * count, std::max<int64_t>(1, bytes / 8),
                        [&](int64_t begin, int64_t end, void*) {
                          for (int64_t unit = begin; unit < end; ++unit) {
                            const int64_t from = unit / count * line.extent + numbers[unit % count];
                            std::memcpy(y.mutable_bytes() + unit * bytes, x.bytes() + from * bytes, bytes);
                          }
                          return absl::OkStatus();
                        });
}

absl::Status RunCompress(KernelContext& c) {
  const KernelTensor &x = c.input(0), &condition = c.input(1);
  const Line line(c);
  TENFOLD_ASSIGN_OR_RETURN(const Tensor found, FindNonZeros(c, condition));
  const std::span<const int64_t> numbers = found.values<int64_t>();
  if (!numbers.empty() && numbers.back() >= line.extent) {
    const int64_t first = *std::lower_bound(numbers.begin(), numbers.end(), line.extent);
    return c.Fail("E0615", absl::StrCat("condition[", first, "] is true, but there are only ", line.extent,
                                        " to choose from"));
  }
  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(0, line.WithCount(x, found.num_elements())));
  return CopySelected(c, line, numbers);
}

// --- Unique ------------------------------------------------------------------------------------------------

enum UniqueResult { kValues, kIndices, kInverse, kCounts };

absl::Status InferUnique(InferContext& c) {
  const Shape& x = c.shape(0);
  if (!x.has_rank()) return c.Fail("E0209", "the rank of x is not known");
  const Dim count = c.RunTimeDim();
  std::vector<Dim> dims = {count};
  Dim extent = x.num_elements();
  if (c.attrs().Find("axis") != nullptr) {
    TENFOLD_RETURN_IF_ERROR(c.RankAtLeast(0, 1));
    TENFOLD_ASSIGN_OR_RETURN(const int axis, c.Axis("axis", x.rank()));
    dims = x.dims();
    extent = dims[axis];
    dims[axis] = count;
  }
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(kValues, Shape(std::move(dims))));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(kIndices, Shape{count}));
  TENFOLD_RETURN_IF_ERROR(c.SetOutput(kInverse, Shape{extent}));
  return c.SetOutput(kCounts, Shape{count});
}

// -1, 0 or 1. NaNs equal each other and stand above every number.
template <typename T>
int Compare(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (a != a || b != b) return static_cast<int>(a != a) - static_cast<int>(b != b);
  }
  return static_cast<int>(b < a) - static_cast<int>(a < b);
}

// Slices `i` and `j` along the line, element by element.
template <typename T>
int CompareSlices(const T* x, const Line& line, int64_t i, int64_t j) {
  for (int64_t o = 0; o < line.outer; ++o) {
    const T *const a = x + (o * line.extent + i) * line.inner, *const b =
                                                                   x + (o * line.extent + j) * line.inner;
    for (int64_t k = 0; k < line.inner; ++k) {
      if (const int order = Compare(Widen(a[k]), Widen(b[k]))) return order;
    }
  }
  return 0;
}

// Sorts `order`, by merging sorted runs, with `spare` of the same size; the one of the two that holds the
// result is given. `less` may stop telling the truth at any time: merging, unlike quicksort, stays in bounds.
template <typename Less>
std::span<int64_t> MergeSort(std::span<int64_t> order, std::span<int64_t> spare, const Less& less) {
  for (size_t length = 1; length < order.size(); length *= 2) {
    for (size_t at = 0; at < order.size(); at += 2 * length) {
      const auto begin = order.begin() + at;
      const auto middle = order.begin() + std::min(at + length, order.size());
      const auto end = order.begin() + std::min(at + 2 * length, order.size());
      std::merge(begin, middle, middle, end, spare.begin() + at, less);
    }
    std::swap(order, spare);
  }
  return order;
}

// The numbers along the line, sorted, of equal ones the first first; `group` says for each place in that
// order how many different ones stand before it. Gives how many there are. `order` and `spare` are room for
// both.
template <typename T>
int64_t SortSlices(const KernelContext& c, const T* x, const Line& line, std::span<int64_t>& order,
                   std::span<int64_t> spare, std::span<int64_t> group) {
  int64_t compared = 0;
  bool stopped = false;
  const auto compare = [&](int64_t i, int64_t j) {
    compared += line.outer * line.inner;
    if (compared > kChunk) {
      compared = 0;
      stopped = stopped || c.ShouldStop();
    }
    return stopped ? 0 : CompareSlices(x, line, i, j);
  };
  std::iota(order.begin(), order.end(), 0);
  // Merging is stable.
  order = MergeSort(order, spare, [&](int64_t i, int64_t j) { return compare(i, j) < 0; });
  int64_t groups = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    if (k > 0 && compare(order[k - 1], order[k]) != 0) ++groups;
    group[k] = groups;
  }
  return order.empty() ? 0 : groups + 1;
}

absl::Status RunUnique(KernelContext& c) {
  const KernelTensor& x = c.input(0);
  const Line line(c);
  TENFOLD_ASSIGN_OR_RETURN(Tensor order_tensor, Numbers(line.extent));
  TENFOLD_ASSIGN_OR_RETURN(Tensor group_tensor, Numbers(line.extent));
  TENFOLD_ASSIGN_OR_RETURN(Tensor spare_tensor, Numbers(line.extent));
  std::span<int64_t> order = order_tensor.mutable_values<int64_t>();
  const std::span<int64_t> group = group_tensor.mutable_values<int64_t>();
  const int64_t groups = VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
    return SortSlices(c, x.values<T>().data(), line, order, spare_tensor.mutable_values<int64_t>(), group);
  });
  // The first of each group, and where the group stands in the result.
  TENFOLD_ASSIGN_OR_RETURN(Tensor first_tensor, Numbers(groups));
  TENFOLD_ASSIGN_OR_RETURN(Tensor place_tensor, Numbers(groups));
  TENFOLD_ASSIGN_OR_RETURN(Tensor count_tensor, Numbers(groups));
  const std::span<int64_t> first = first_tensor.mutable_values<int64_t>();
  const std::span<int64_t> place = place_tensor.mutable_values<int64_t>();
  const std::span<int64_t> counts = count_tensor.mutable_values<int64_t>();
  std::fill(counts.begin(), counts.end(), 0);
  for (size_t k = order.size(); k-- > 0;) {
    first[group[k]] = order[k];
    ++counts[group[k]];
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor chosen_tensor, Numbers(groups));
  const std::span<int64_t> chosen = chosen_tensor.mutable_values<int64_t>();  // groups, as they stand
  std::iota(chosen.begin(), chosen.end(), 0);
  if (!c.attrs().Get<bool>("sorted")) {
    std::sort(chosen.begin(), chosen.end(), [&](int64_t a, int64_t b) { return first[a] < first[b]; });
  }
  for (int64_t p = 0; p < groups; ++p) place[chosen[p]] = p;

  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(kValues, line.WithCount(x, groups)));
  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(kIndices, {groups}));
  TENFOLD_RETURN_IF_ERROR(c.PlaceOutput(kCounts, {groups}));
  if (!c.output(kInverse).absent) {
    const std::span<int64_t> inverse = c.output(kInverse).mutable_values<int64_t>();
    for (size_t k = 0; k < order.size(); ++k) inverse[order[k]] = place[group[k]];
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor number_tensor, Numbers(groups));
  const std::span<int64_t> numbers = number_tensor.mutable_values<int64_t>();
  for (int64_t p = 0; p < groups; ++p) {
    numbers[p] = c.output(kIndices).mutable_values<int64_t>()[p] = first[chosen[p]];
    c.output(kCounts).mutable_values<int64_t>()[p] = counts[chosen[p]];
  }
  return CopySelected(c, line, numbers);
}

AttrDef AxisAttr(const char* doc) { return OptionalAttr("axis", AttrKind::kInt, doc); }

}  // namespace

std::vector<OpDef> SelectingOps() {
  return {
      {.name = "NonZero",
       .inputs = {{"x", "T", kComputed, ""}},
       .attrs = {SymbolsAttr()},
       .outputs = {{"y", "I", {DType::kI64}, "[rank, how many]: a column of indices for each"}},
       .doc = "Where the elements are that are not zero, in order. NaN is none, false is one.",
       .infer = InferNonZero,
       .computation = HostKernel{.run = RunNonZero, .cost = 2, .places_outputs = true}},
      {.name = "Compress",
       .inputs = {{"x", "T", kComputed, ""},
                  {"condition", "B", kBoolOnly, "a list; what it is too short for counts as false"}},
       .attrs = {AxisAttr("along which is chosen; absent: of all elements as one list"), SymbolsAttr()},
       .outputs = {{"y", "T", kComputed, ""}},
       .doc = "The elements, or slices along an axis, for which the condition is true.",
       .infer = InferCompress,
       .computation = HostKernel{.run = RunCompress, .cost = 2, .places_outputs = true}},
      {.name = "Unique",
       .inputs = {{"x", "T", kComputed, ""}},
       .attrs = {AxisAttr("along which slices are compared; absent: all elements as one list"),
                 {"sorted", AttrKind::kBool, AttrValue(true), "in ascending order, else as they come first"},
                 SymbolsAttr()},
       .outputs = {{"y", "T", kComputed, "each once"},
                   {"indices", "I", {DType::kI64}, "where each comes first"},
                   {"inverse_indices", "I", {DType::kI64}, "for each of x, where it stands in y"},
                   {"counts", "I", {DType::kI64}, "how often each comes"}},
       .doc = "The different elements, or slices along an axis. -0 equals 0, and the first stands for both; "
              "NaNs equal each other and come last, as NumPy sorts them.",
       .infer = InferUnique,
       .computation = HostKernel{.run = RunUnique, .cost = 32, .places_outputs = true}},
  };
}

}  // namespace tenfold
