// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/element_bytes.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"

namespace tenfold {
namespace {

static_assert(std::endian::native == std::endian::little,
              "elements are copied to files as they lie in memory");

constexpr size_t kPieceBytes = size_t{1} << 16;

}  // namespace

absl::Status WriteStoredElements(const Tensor& tensor, ByteSink sink) {
  if (tensor.num_elements() == 0) return absl::OkStatus();
  const absl::string_view bytes(static_cast<const char*>(tensor.data()), tensor.stored_bytes());
  if (!HasNan(tensor.dtype())) return sink(bytes);
  // Copied to where NaNs can be replaced.
  alignas(8) char piece[kPieceBytes];
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const size_t n = std::min(kPieceBytes, bytes.size() - at);
    std::memcpy(piece, bytes.data() + at, n);
    CanonicalizeNans(tensor.dtype(), piece, static_cast<int64_t>(n / SizeOf(tensor.dtype())));
    TENFOLD_RETURN_IF_ERROR(sink({piece, n}));
  }
  return absl::OkStatus();
}

absl::Status WriteElements(const Tensor& tensor, ByteSink sink) {
  if (!tensor.is_splat() || tensor.num_elements() == 0) return WriteStoredElements(tensor, sink);
  if (IsPacked(tensor.dtype())) {
    TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, tensor.Materialize());
    return WriteStoredElements(dense, sink);
  }
  const size_t size = SizeOf(tensor.dtype());
  alignas(8) char piece[kPieceBytes];
  for (size_t at = 0; at < kPieceBytes; at += size) std::memcpy(piece + at, tensor.data(), size);
  CanonicalizeNans(tensor.dtype(), piece, static_cast<int64_t>(kPieceBytes / size));
  for (size_t left = tensor.logical_bytes(); left > 0;) {
    const size_t n = std::min(kPieceBytes, left);
    TENFOLD_RETURN_IF_ERROR(sink({piece, n}));
    left -= n;
  }
  return absl::OkStatus();
}

void ElementReader::FillPiece(uint64_t begin) {
  piece_begin_ = begin;
  piece_.resize(std::min<uint64_t>(kPieceBytes, size() - begin));
  const size_t element = SizeOf(tensor_.dtype());
  const char* const data = static_cast<const char*>(tensor_.data());
  if (tensor_.is_splat()) {
    for (size_t at = 0; at < piece_.size(); at += element) std::memcpy(piece_.data() + at, data, element);
  } else {
    std::memcpy(piece_.data(), data + begin, piece_.size());
  }
  CanonicalizeNans(tensor_.dtype(), piece_.data(), static_cast<int64_t>(piece_.size() / element));
}

void ElementReader::Read(uint64_t offset, std::span<char> out) {
  while (!out.empty()) {
    const bool inside = offset >= piece_begin_ && offset - piece_begin_ < piece_.size();
    if (!inside) FillPiece(offset / kPieceBytes * kPieceBytes);
    const uint64_t at = offset - piece_begin_;
    const size_t n = std::min<uint64_t>(out.size(), piece_.size() - at);
    std::memcpy(out.data(), piece_.data() + at, n);
    offset += n;
    out = out.subspan(n);
  }
}

std::optional<BadBool> FindBadBool(absl::string_view bytes) {
  const auto bad = [](char c) { return static_cast<unsigned char>(c) > 1; };
  const auto* const first = std::find_if(bytes.begin(), bytes.end(), bad);
  if (first == bytes.end()) return std::nullopt;
  return BadBool{first - bytes.begin(), static_cast<unsigned char>(*first),
                 std::count_if(first, bytes.end(), bad)};
}

absl::Status CheckBools(absl::string_view bytes, const ArrayName& name, std::span<const int64_t> dims,
                        absl::FunctionRef<std::string()> mend) {
  const std::optional<BadBool> bad = FindBadBool(bytes);
  if (!bad) return absl::OkStatus();
  return MakeError(
      "E0304",
      absl::StrCat(name.ToString(), " holds bool, but the byte of ", ElementAt(dims, bad->first), " is ",
                   bad->value, " (", bad->count, " of ", Count(bytes.size(), "element"), " neither 0 nor 1)"),
      absl::StrCat("to read what is not 0 as true: ", mend()));
}

}  // namespace tenfold
