// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/fortran_order.h"
#include "tenfold/graph/ingest/npy_header.h"
#include "tenfold/graph/ingest/npy_refusals.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

std::string TypeText(const NpyHeader& header) {
  return absl::StrCat(Name(header.type.dtype), DimsToString(header.shape));
}

absl::Status Truncated(const ArrayName& name, const NpyHeader& header, uint64_t wanted, uint64_t found) {
  return MakeError("E0305",
                   absl::StrCat(name.ToString(), " is truncated: ", TypeText(header), " takes ",
                                Count(wanted, "byte"), " after the header, ", found, " found"),
                   "the file was cut off while it was written or copied: write or copy it again");
}

absl::Status TrailingBytes(const ArrayName& name, const NpyHeader& header, uint64_t wanted, uint64_t found,
                           ByteSource& source) {
  Diagnostic d;
  d.code = "E0306";
  d.message = absl::StrCat(name.ToString(), " goes on after its array: ", TypeText(header), " takes ",
                           Count(wanted, "byte"), " after the header, ", found, " found");
  std::string skipped;
  constexpr uint64_t kChunk = uint64_t{1} << 16;
  for (uint64_t left = wanted; left > 0; left -= skipped.size()) {
    skipped.resize(std::min(left, kChunk));
    TENFOLD_RETURN_IF_ERROR(source.Read({skipped.data(), skipped.size()}));
  }
  std::string next(std::min<uint64_t>(found - wanted, kNpyMagic.size()), '\0');
  TENFOLD_RETURN_IF_ERROR(source.Read({next.data(), next.size()}));
  if (next == kNpyMagic && name.member.empty()) {
    // numpy.load stops at the end of each array, so that a loop over one open file finds them all.
    const std::string file = Printable(name.file, 4096);
    d.notes.emplace_back("another array begins there: numpy.save was called again on the open file");
    d.help.push_back(absl::StrCat(
        "make an .npz of them, arr_0, arr_1, ...: python3 -c 'import os, sys, numpy as np; "
        "f = open(sys.argv[1], \"rb\"); n = os.path.getsize(sys.argv[1]); "
        "np.savez(sys.argv[2], *[np.load(f) for _ in iter(lambda: f.tell() < n, False)])' ",
        ShellQuote(file), " ", ShellQuote(absl::StrCat(absl::StripSuffix(file, ".npy"), ".npz"))));
  } else {
    d.help.push_back(
        absl::StrCat("if only the array matters, save it alone: ", NumpyCommand(name, "a", "alone")));
  }
  return ToStatus(std::move(d));
}

void SwapBytes(size_t size, char* data, int64_t count) {
  const auto swap_all = [&]<typename T>(T) {
    for (int64_t i = 0; i < count; ++i) {
      T value;
      std::memcpy(&value, data + i * sizeof(T), sizeof(T));
      T swapped = 0;
      for (size_t b = 0; b < sizeof(T); ++b)
        swapped = static_cast<T>(swapped << 8) | (value >> (8 * b) & 0xff);
      std::memcpy(data + i * sizeof(T), &swapped, sizeof(T));
    }
  };
  if (size == 2) swap_all(uint16_t{});
  if (size == 4) swap_all(uint32_t{});
  if (size == 8) swap_all(uint64_t{});
}

// A bool is a byte that must be 0 or 1: any other is undefined behaviour in C++, and a guess
// anyway.
absl::Status CheckBools(const ArrayName& name, const NpyHeader& header, const void* data) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  int64_t first = -1, bad = 0;
  for (int64_t i = 0; i < header.num_elements; ++i) {
    if (bytes[i] <= 1) continue;
    if (first < 0) first = i;
    ++bad;
  }
  if (bad == 0) return absl::OkStatus();
  return MakeError(
      "E0304",
      absl::StrCat(name.ToString(), " holds bool, but the byte of ", ElementAt(header.shape, first), " is ",
                   bytes[first], " (", bad, " of ", Count(header.num_elements, "element"),
                   " neither 0 nor 1)"),
      absl::StrCat("to read what is not 0 as true: ", NumpyCommand(name, "a.view(\"u1\") != 0", "bool")));
}

absl::StatusOr<Tensor> ReadContents(const ArrayName& name, const NpyHeader& header, ByteSource& source) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(header.type.dtype, header.shape));
  char* const data = static_cast<char*>(tensor.mutable_data());
  const size_t bytes = tensor.stored_bytes();
  if (!header.fortran_order || OrdersAgree(header.shape)) {
    TENFOLD_RETURN_IF_ERROR(source.Read({data, bytes}));
  } else {
    // A tensor serves as the buffer, since it reports lack of memory as an error.
    TENFOLD_ASSIGN_OR_RETURN(Tensor stored, Tensor::Allocate(header.type.dtype, header.shape));
    char* const buffer = static_cast<char*>(stored.mutable_data());
    TENFOLD_RETURN_IF_ERROR(source.Read({buffer, bytes}));
    FortranToRowMajor(SizeOf(header.type.dtype), header.shape, buffer, data);
  }
  TENFOLD_RETURN_IF_ERROR(source.Finish());
  if (header.type.swap) SwapBytes(SizeOf(header.type.dtype), data, header.num_elements);
  if (IsBool(header.type.dtype)) TENFOLD_RETURN_IF_ERROR(CheckBools(name, header, data));
  return tensor;
}

}  // namespace

absl::StatusOr<Tensor> ReadNpyFrom(ByteSource& source, const ArrayName& name, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const NpyHeader header, ReadNpyHeader(name, limits, source));
  if (header.type.kind != NpyType::Kind::kNumber) return RefuseNpyType(name, header, source);

  const uint64_t item_bytes = header.type.item_bytes;
  const uint64_t count = header.num_elements;
  const uint64_t limit = std::max<int64_t>(limits.tensor_bytes, 0);
  if (count > limit / item_bytes) {
    return MakeError(
        "E0402",
        absl::StrCat(name.ToString(), " holds ", TypeText(header), ", more than ", limit,
                     " bytes, the limit tensor_bytes"),
        count <= INT64_MAX / item_bytes ? RaiseLimitHelp("tensor_bytes", count * item_bytes) : "");
  }
  // Before any memory is asked for: a header of 100 bytes must not cost gigabytes.
  const uint64_t wanted = count * item_bytes;
  const uint64_t found = source.remaining();
  if (found < wanted) return Truncated(name, header, wanted, found);
  if (found > wanted) return TrailingBytes(name, header, wanted, found, source);
  return ReadContents(name, header, source);
}

absl::StatusOr<Tensor> ReadNpy(absl::string_view bytes, absl::string_view file_name, const Limits& limits) {
  MemorySource source(bytes);
  return ReadNpyFrom(source, {std::string(file_name), ""}, limits);
}

absl::StatusOr<Tensor> LoadNpy(absl::string_view path, const Limits& limits) {
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(path));
  return ReadNpyFrom(*file, {std::string(path), ""}, limits);
}

absl::StatusOr<std::string> WriteNpy(const Tensor& tensor) {
  const std::optional<std::string> descr = NpyDescr(tensor.dtype());
  if (!descr) {
    return MakeError("E0303",
                     absl::StrCat(tensor.type().ToString(), " cannot be written: the .npy format has no ",
                                  Name(tensor.dtype())),
                     "write it as f32, which holds every bf16 value: Cast(x, DType::kF32)");
  }
  constexpr int kMaxRank = 1024;  // keeps the header within version 1.0's 65535 bytes
  if (tensor.rank() > kMaxRank) {
    return MakeError("E0402", absl::StrCat("a tensor of ", tensor.rank(),
                                           " dims cannot be written: .npy files hold at most ", kMaxRank));
  }
  TENFOLD_ASSIGN_OR_RETURN(const Tensor dense, tensor.Materialize());
  std::string bytes = FormatNpyHeader(*descr, tensor.dims());
  const size_t header_bytes = bytes.size();
  const size_t size = SizeOf(tensor.dtype());
  bytes.append(static_cast<const char*>(dense.data() != nullptr ? dense.data() : ""), dense.stored_bytes());
  char* const contents = bytes.data() + header_bytes;
  // The header's size is a multiple of 64, and the string's memory aligned for any element.
  CanonicalizeNans(tensor.dtype(), contents, tensor.num_elements());
  if (std::endian::native == std::endian::big) SwapBytes(size, contents, tensor.num_elements());
  return bytes;
}

absl::Status SaveNpy(const Tensor& tensor, absl::string_view path) {
  return RefuseIfOutOfMemory("write", path, [&]() -> absl::Status {
    TENFOLD_ASSIGN_OR_RETURN(const std::string bytes, WriteNpy(tensor));
    return WriteFileAtomically(path, bytes);
  });
}

}  // namespace tenfold
