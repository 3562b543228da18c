// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/host_array.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/element_bytes.h"

namespace tenfold {
namespace {

std::string TypeText(DType dtype, std::span<const int64_t> dims) {
  return absl::StrCat(Name(dtype), DimsToString(dims));
}

absl::Status CheckBools(DType dtype, std::span<const int64_t> dims, const void* data, int64_t count) {
  if (!IsBool(dtype)) return absl::OkStatus();
  const std::optional<BadBool> bad =
      FindBadBool({static_cast<const char*>(data), static_cast<size_t>(count)});
  if (!bad) return absl::OkStatus();
  return MakeError("E0304",
                   absl::StrCat("the memory of a ", TypeText(dtype, dims), " has the byte ", bad->value,
                                " as ", ElementAt(dims, bad->first), " (", bad->count, " of ",
                                Count(static_cast<uint64_t>(count), "element"), " neither 0 nor 1)"),
                   "hand it over as u8, and compare with 0 in the graph: Cast(x, DType::kBool)");
}

// A row-major walk, the innermost dim in a loop of its own with the element's size known.
template <size_t kSize>
void CopyElements(const char* from, std::span<const int64_t> dims, std::span<const int64_t> strides,
                  char* to) {
  const int64_t inner = dims.empty() ? 1 : dims.back();
  const int64_t step = dims.empty() ? 0 : strides.back();
  const size_t outer = dims.empty() ? 0 : dims.size() - 1;
  Dims index(outer, 0);
  while (true) {
    if (step == static_cast<int64_t>(kSize)) {
      std::memcpy(to, from, static_cast<size_t>(inner) * kSize);
    } else {
      for (int64_t i = 0; i < inner; ++i) std::memcpy(to + i * kSize, from + i * step, kSize);
    }
    to += inner * static_cast<int64_t>(kSize);
    size_t axis = outer;
    for (; axis > 0; --axis) {
      from += strides[axis - 1];
      if (++index[axis - 1] < dims[axis - 1]) break;
      from -= strides[axis - 1] * dims[axis - 1];
      index[axis - 1] = 0;
    }
    if (axis == 0) return;
  }
}

absl::Status BadView(DType dtype, std::span<const int64_t> dims, std::span<const int64_t> strides,
                     absl::string_view why) {
  return MakeError("E0332", absl::StrCat("the view ", TypeText(dtype, dims), " with byte strides ",
                                         DimsToString(strides), " ", why));
}

}  // namespace

absl::StatusOr<Tensor> Borrow(DType dtype, std::span<const int64_t> dims, std::span<const std::byte> memory,
                              std::shared_ptr<const void> owner) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Wrap(dtype, dims, memory.data(), std::move(owner)));
  const char* const help = "copy it: Tensor::FromSpan, or CopyStrided for memory without alignment";
  if (tensor.logical_bytes() != memory.size()) {
    return MakeError(
        "E0334",
        absl::StrCat("a ", TypeText(dtype, dims), " takes ", Count(tensor.logical_bytes(), "byte"),
                     ", but the memory to borrow has ", memory.size()),
        "hand over exactly the memory of the elements, or another shape");
  }
  if (reinterpret_cast<uintptr_t>(memory.data()) % SizeOf(dtype) != 0) {
    return MakeError("E0334",
                     absl::StrCat("the memory of a ", TypeText(dtype, dims),
                                  " cannot be borrowed: its address is no multiple of ", SizeOf(dtype)),
                     help);
  }
  TENFOLD_RETURN_IF_ERROR(CheckBools(dtype, dims, memory.data(), tensor.num_elements()));
  return tensor;
}

absl::StatusOr<ByteSpan> SpanOf(DType dtype, std::span<const int64_t> dims,
                                std::span<const int64_t> byte_strides) {
  if (dims.size() != byte_strides.size()) {
    return BadView(
        dtype, dims, byte_strides,
        absl::StrCat("has ", Count(dims.size(), "dim"), " and ", Count(byte_strides.size(), "stride")));
  }
  if (IsPacked(dtype)) {
    return BadView(dtype, dims, byte_strides,
                   "cannot be: two elements share a byte, so that none has an address");
  }
  ByteSpan span = {0, static_cast<int64_t>(SizeOf(dtype))};
  bool overflow = false;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] < 0) return BadView(dtype, dims, byte_strides, "has a negative extent");
    if (dims[i] == 0) return ByteSpan{};
    int64_t reach = 0;
    int64_t& end = byte_strides[i] < 0 ? span.first : span.behind;
    overflow |= __builtin_mul_overflow(byte_strides[i], dims[i] - 1, &reach) ||
                __builtin_add_overflow(end, reach, &end);
  }
  if (overflow) return BadView(dtype, dims, byte_strides, "reaches farther than can be addressed");
  return span;
}

absl::StatusOr<Tensor> CopyStrided(const StridedArray& array, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const ByteSpan span, SpanOf(array.dtype, array.dims, array.byte_strides));
  const int64_t size = static_cast<int64_t>(array.memory.size());
  int64_t first = 0, behind = 0;
  const bool outside = __builtin_add_overflow(array.offset, span.first, &first) ||
                       __builtin_add_overflow(array.offset, span.behind, &behind) || first < 0 ||
                       behind > size;
  if (outside && span.behind > 0) {
    return BadView(array.dtype, array.dims, array.byte_strides,
                   absl::StrCat("leaves its memory: from offset ", array.offset, " it reaches from byte ",
                                span.first, " up to byte ", span.behind,
                                ", relative to it, and the memory has ", Count(array.memory.size(), "byte")));
  }
  const std::optional<int64_t> count = NumElements(array.dims);
  const int64_t element = static_cast<int64_t>(SizeOf(array.dtype));
  // Strides of 0 can make gigabytes of a few bytes.
  if (!count || *count > std::max<int64_t>(limits.tensor_bytes, 0) / element) {
    return MakeError("E0402", absl::StrCat("a view ", TypeText(array.dtype, array.dims), " has more than ",
                                           limits.tensor_bytes, " bytes, the limit tensor_bytes"));
  }
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(array.dtype, array.dims));
  if (*count == 0) return tensor;
  const char* const from = reinterpret_cast<const char*>(array.memory.data()) + array.offset;
  char* const to = static_cast<char*>(tensor.mutable_data());
  switch (element) {
    case 1:
      CopyElements<1>(from, array.dims, array.byte_strides, to);
      break;
    case 2:
      CopyElements<2>(from, array.dims, array.byte_strides, to);
      break;
    case 4:
      CopyElements<4>(from, array.dims, array.byte_strides, to);
      break;
    default:
      CopyElements<8>(from, array.dims, array.byte_strides, to);
  }
  TENFOLD_RETURN_IF_ERROR(CheckBools(array.dtype, array.dims, tensor.data(), *count));
  return tensor;
}

}  // namespace tenfold
