// SPDX-License-Identifier: Apache-2.0
//
// Windows put back where they were taken from: the inverses of taking blocks apart, and of choosing maxima.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/infer_context.h"
#include "tenfold/graph/kernel_context.h"
#include "tenfold/graph/ops/standard.h"
#include "tenfold/graph/ops/windows.h"

namespace tenfold {
namespace {

using Ints = std::vector<int64_t>;

// Element `i` of the attribute `name`, a list that may be empty.
int64_t Listed(const Attrs& attrs, const char* name, size_t i, int64_t otherwise) {
  const Ints list = attrs.Get<Ints>(name);
  return i < list.size() ? list[i] : otherwise;
}

// --- Col2Im ------------------------------------------------------------------------------------------------

enum ColumnsInput { kColumns, kImageShape, kBlockShape };

// How many blocks stand along one dim.
Dim BlocksAlong(const Dim& image, const Dim& block, const Attrs& attrs, size_t d, size_t rank) {
  const Dim padded = image + Dim(Listed(attrs, "pads", d, 0)) + Dim(Listed(attrs, "pads", d + rank, 0));
  const Dim reach = (block - 1) * Dim(Listed(attrs, "dilations", d, 1)) + 1;
  return FloorDiv(padded - reach, Dim(Listed(attrs, "strides", d, 1))) + 1;
}

absl::Status InferCol2Im(InferContext& c) {
  TENFOLD_ASSIGN_OR_RETURN(const Contents image, c.Known(kImageShape));
  TENFOLD_ASSIGN_OR_RETURN(const Contents block, c.Known(kBlockShape));
  if (image.empty() || image.size() != block.size()) {
    return c.Fail("E0212", absl::StrCat("an image of ", image.size(), " dims has blocks of ", block.size()));
  }
  const int rank = static_cast<int>(image.size());
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "dilations", rank, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "strides", rank, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "pads", 2 * rank, 0));
  Dim blocks = 1, block_elements = 1;
  for (int d = 0; d < rank; ++d) {
    const Dim along = BlocksAlong(image[d], block[d], c.attrs(), d, rank);
    const bool none = (along.is_constant() && along.constant() < 1) ||
                      (block[d].is_constant() && block[d].constant() < 1) ||
                      (image[d].is_constant() && image[d].constant() < 0);
    if (none) {
      return c.Fail("E0212", absl::StrCat("no block of ", block[d].ToString(), " stands in the ",
                                          image[d].ToString(), " elements of image dim ", d));
    }
    blocks = blocks * along;
    block_elements = block_elements * block[d];
  }
  const Shape& x = c.shape(kColumns);
  if (!x.has_rank()) return c.SetOutput(0, Shape::UnknownRank());
  if (x.rank() != 3) {
    return c.Fail("E0207",
                  absl::StrCat(c.InputText(kColumns), ", but must be [batch, channels * block, blocks]"));
  }
  const std::optional<Dim> channels = Dim::DivideExactly(x.dim(1), block_elements);
  if (!channels) {
    return c.Fail("E0212", absl::StrCat(c.InputText(kColumns), ", whose dim 1 is no multiple of the ",
                                        block_elements.ToString(), " elements of a block"));
  }
  if (!(x.dim(2) == blocks)) {
    return c.Fail("E0201", absl::StrCat(c.InputText(kColumns), ", but ", blocks.ToString(),
                                        " blocks stand in an image of ", Shape(image).ToString()));
  }
  std::vector<Dim> dims = {x.dim(0), *channels};
  dims.insert(dims.end(), image.begin(), image.end());
  return c.SetOutput(0, Shape(std::move(dims)));
}

// One dim of the image.
struct BlocksDim {
  int64_t image, block, blocks, stride, dilation, pad;
  // The block whose element `tap` is the image's element `at`; nullopt if there is none.
  std::optional<int64_t> BlockAt(int64_t at, int64_t tap) const {
    const int64_t first = at + pad - tap * dilation;
    if (first < 0 || first % stride != 0 || first / stride >= blocks) return std::nullopt;
    return first / stride;
  }
};

// The sum of all column elements that stand for one element of the image, in ascending order of the element
// within the block.
template <typename Sum, typename T>
Sum SumAt(std::span<const BlocksDim> dims, std::span<const int64_t> position, std::span<int64_t> tap,
          const T* columns, int64_t blocks) {
  Sum sum = 0;
  std::fill(tap.begin(), tap.end(), 0);
  for (int64_t row = 0;; ++row) {
    int64_t block = 0;
    bool inside = true;
    for (size_t d = 0; d < dims.size() && inside; ++d) {
      const std::optional<int64_t> along = dims[d].BlockAt(position[d], tap[d]);
      inside = along.has_value();
      block = block * dims[d].blocks + along.value_or(0);
    }
    if (inside) {
      const auto element = static_cast<Sum>(Widen(columns[row * blocks + block]));
      if constexpr (std::is_same_v<Sum, bool>) {
        sum = sum || element;
      } else {
        sum = sum + element;
      }
    }
    size_t d = dims.size();
    while (d > 0 && tap[d - 1] == dims[d - 1].block - 1) tap[--d] = 0;
    if (d == 0) return sum;
    ++tap[d - 1];
  }
}

template <typename T>
struct SumType {
  using type =
      std::conditional_t<std::is_same_v<T, bool>, bool,
                         std::conditional_t<std::is_integral_v<T>, uint64_t,
                                            std::conditional_t<std::is_same_v<T, double>, double, float>>>;
};

absl::Status RunCol2Im(KernelContext& c) {
  const KernelTensor &x = c.input(kColumns), &y = c.output();
  const size_t rank = y.dims.size() - 2;
  std::vector<BlocksDim> dims;
  int64_t blocks = 1, block_elements = 1;
  for (size_t d = 0; d < rank; ++d) {
    const int64_t image = y.dims[d + 2], block = IndexAt(c.input(kBlockShape), static_cast<int64_t>(d));
    const Dim along = BlocksAlong(image, block, c.attrs(), d, rank);
    if (!along.is_constant() || along.constant() < 1 || block < 1) {
      return c.Fail("E0615", absl::StrCat("no block of ", block, " stands in the ", image,
                                          " elements of image dim ", d));
    }
    dims.push_back({image, block, along.constant(), Listed(c.attrs(), "strides", d, 1),
                    Listed(c.attrs(), "dilations", d, 1), Listed(c.attrs(), "pads", d, 0)});
    blocks *= along.constant();
    block_elements *= block;
  }
  const int64_t plane = y.Inner(1);
  const int64_t cost = std::min<int64_t>(block_elements, 1 << 20) * static_cast<int64_t>(4 * rank);
  return c.ForEachRange(y.count, cost, [&](int64_t begin, int64_t end, void*) {
    Dims position(rank), tap(rank);
    for (int64_t i = begin; i < end && !c.ShouldStop(); ++i) {
      int64_t rest = i % plane;
      for (size_t d = rank; d-- > 0;) {
        position[d] = rest % dims[d].image;
        rest /= dims[d].image;
      }
      VisitComputed(x.dtype, [&]<typename T>(std::type_identity<T>) {
        const T* const columns = x.values<T>().data() + i / plane * block_elements * blocks;
        y.mutable_values<T>()[i] =
            Narrow<T>(SumAt<typename SumType<T>::type>(dims, position, tap, columns, blocks));
      });
    }
    return absl::OkStatus();
  });
}

// --- MaxUnpool ---------------------------------------------------------------------------------------------

enum UnpoolInput { kPooled, kIndices, kOutputShape };

// The extent that was pooled to `in`, as far as that is known.
Dim Unpooled(const Dim& in, const Attrs& attrs, size_t d, size_t rank) {
  return (in - 1) * Dim(Listed(attrs, "strides", d, 1)) + Dim(attrs.Get<Ints>("kernel_shape")[d]) -
         Dim(Listed(attrs, "pads", d, 0)) - Dim(Listed(attrs, "pads", d + rank, 0));
}

absl::Status InferMaxUnpool(InferContext& c) {
  const Shape& x = c.shape(kPooled);
  if (!x.has_rank()) return c.Fail("E0209", "the rank of x is not known");
  if (x.rank() < 3) {
    return c.Fail("E0207", absl::StrCat(c.InputText(kPooled), ", but must be [batch, channels, dims...]"));
  }
  if (c.shape(kIndices).has_rank() && !(c.shape(kIndices) == x)) {
    return c.Fail("E0201", absl::StrCat("an index is needed for each element: ", c.InputText(kPooled), ", ",
                                        c.InputText(kIndices)));
  }
  const int rank = x.rank() - 2;
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "kernel_shape", rank, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "strides", rank, 1));
  TENFOLD_RETURN_IF_ERROR(CheckList(c, "pads", 2 * rank, 0));
  if (c.attrs().Get<Ints>("kernel_shape").empty()) {
    return c.Fail("E0102", absl::StrCat("attribute 'kernel_shape' is [], 0 numbers, but must have ", rank));
  }
  std::vector<Dim> dims = {x.dim(0), x.dim(1)};
  for (int d = 0; d < rank; ++d) dims.push_back(Unpooled(x.dim(d + 2), c.attrs(), d, rank));
  if (c.has(kOutputShape)) {
    TENFOLD_ASSIGN_OR_RETURN(const Contents wanted, c.Known(kOutputShape));
    bool fits = wanted.size() == dims.size();
    for (size_t d = 0; d < dims.size() && fits; ++d) {
      const Dim more = wanted[d] - dims[d];
      fits = d < 2 ? more == Dim(0) : !more.is_constant() || more.constant() >= 0;
    }
    if (!fits) {
      return c.Fail("E0212", absl::StrCat("output_shape is ", Shape(wanted).ToString(),
                                          ", but what was pooled is at least ", Shape(dims).ToString()));
    }
    dims = wanted;
  }
  return c.SetOutput(0, Shape(std::move(dims)));
}

// Indices count in the tensor that was pooled, which is a corner of one that output_shape makes larger. Of
// several values with one index the last stays, so they are put one after the other.
absl::Status RunMaxUnpool(KernelContext& c) {
  const KernelTensor &x = c.input(kPooled), &indices = c.input(kIndices), &y = c.output();
  const int64_t size = y.element_size();
  TENFOLD_RETURN_IF_ERROR(c.ForEachRange(y.count, 1, [&](int64_t begin, int64_t end, void*) {
    std::memset(y.mutable_bytes() + begin * size, 0, (end - begin) * size);
    return absl::OkStatus();
  }));
  const size_t rank = x.dims.size() - 2;
  Dims pooled = {x.dims[0], x.dims[1]};
  for (size_t d = 0; d < rank; ++d) {
    const Dim extent = Unpooled(x.dims[d + 2], c.attrs(), d, rank);
    if (!extent.is_constant() || extent.constant() < 0 || extent.constant() > y.dims[d + 2]) {
      return c.Fail("E0615",
                    absl::StrCat("dim ", d + 2, " of output_shape is ", y.dims[d + 2],
                                 ", but what was pooled has ", extent.ToString(), " elements there"));
    }
    pooled.push_back(extent.constant());
  }
  const int64_t count = NumElements(pooled).value_or(0);
  const Dims strides = RowMajorStrides(y.dims);
  constexpr int64_t kBetweenPolls = 1 << 16;
  for (int64_t i = 0; i < x.count; ++i) {
    if (i % kBetweenPolls == 0 && c.ShouldStop()) break;
    const int64_t index = IndexAt(indices, i);
    if (index < 0 || index >= count) return c.OutOfRange(kIndices, "indices", i, index, 0, count);
    int64_t rest = index, at = 0;
    for (size_t d = pooled.size(); d-- > 0;) {
      at += rest % pooled[d] * strides[d];
      rest /= pooled[d];
    }
    std::memcpy(y.mutable_bytes() + at * size, x.bytes() + i * size, size);
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<OpDef> UnpoolingOps() {
  const auto known = [](const char* name, const char* doc, Arity arity) {
    return PortDef{
        .name = name, .type_var = "I", .dtypes = {DType::kI64}, .doc = doc, .arity = arity, .known = true};
  };
  const AttrDef strides = {"strides", AttrKind::kInts, AttrValue(Ints{}),
                           "distances of neighbouring blocks, one for each dim; default 1"};
  const AttrDef pads = {"pads", AttrKind::kInts, AttrValue(Ints{}),
                        "elements of padding before each dim, then those behind each; default 0"};
  return {
      {.name = "Col2Im",
       .inputs = {{"x", "T", kComputed, "[batch, channels * elements of a block, blocks]"},
                  known("image_shape", "the dims of the image", Arity::kRequired),
                  known("block_shape", "the dims of a block, before dilation", Arity::kRequired)},
       .attrs = {{"dilations", AttrKind::kInts, AttrValue(Ints{}),
                  "distances of the elements of a block, one for each dim; default 1"},
                 pads,
                 strides},
       .outputs = {{"y", "T", kComputed, "[batch, channels, image dims...]"}},
       .doc = "An image of blocks: each element is the sum of those that stand for it, added in the order of "
              "their place in the block; f16 and bf16 accumulate in f32, integers wrap, bools combine by or.",
       .bound = "Follows from the order of summation.",
       .infer = InferCol2Im,
       .computation = HostKernel{.run = RunCol2Im, .cost = 16}},
      {.name = "MaxUnpool",
       .inputs =
           {{"x", "T", kFloat, "[batch, channels, dims...]: what MaxPool gave"},
            {"indices", "I", {DType::kI64}, "where each element stood in the whole tensor, as of MaxPool"},
            known("output_shape",
                  "of the result, which the windows alone do not say; indices count as if it were "
                  "absent, and what is more is 0",
                  Arity::kOptional)},
       .attrs = {{"kernel_shape", AttrKind::kInts, std::nullopt, "extents of the windows"},
                 pads,
                 {"strides", AttrKind::kInts, AttrValue(Ints{}),
                  "distances of neighbouring windows, one for each dim; default 1"}},
       .outputs = {{"y", "T", kFloat, ""}},
       .doc =
           "Puts maxima back where MaxPool found them, with zeros elsewhere. Of several with one index the "
           "last stays.",
       .infer = InferMaxUnpool,
       .computation = HostKernel{.run = RunMaxUnpool, .cost = 4}},
  };
}

}  // namespace tenfold
