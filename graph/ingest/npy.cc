// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/npy.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tenfold/graph/allocation.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/atomic_file.h"
#include "tenfold/graph/ingest/element_bytes.h"
#include "tenfold/graph/ingest/files.h"
#include "tenfold/graph/ingest/fortran_order.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/graph/ingest/npy_header.h"
#include "tenfold/graph/ingest/npy_refusals.h"
#include "tenfold/graph/ingest/npy_text.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

std::string TypeText(const NpyHeader& header) {
  const bool number = header.type.kind == NpyType::Kind::kNumber;
  return absl::StrCat(number ? std::string(Name(header.type.dtype)) : Printable(header.type.descr),
                      DimsToString(header.shape));
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
    const std::string& file = name.file;
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

absl::Status CheckContents(const ArrayName& name, const NpyHeader& header, const void* data) {
  if (!IsBool(header.type.dtype)) return absl::OkStatus();
  const absl::string_view bytes(static_cast<const char*>(data), header.num_elements);
  return CheckBools(bytes, name, header.shape,
                    [&] { return NumpyCommand(name, "a.view(\"u1\") != 0", "bool"); });
}

// `stored` has the elements in Fortran order.
absl::StatusOr<Tensor> RowMajor(const NpyHeader& header, const Tensor& stored) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(stored.dtype(), header.shape));
  FortranToRowMajor(SizeOf(stored.dtype()), header.shape, stored.data(), tensor.mutable_data());
  return tensor;
}

absl::StatusOr<Tensor> ReadContents(const ArrayName& name, const NpyHeader& header, ByteSource& source) {
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Allocate(header.type.dtype, header.shape));
  char* const data = static_cast<char*>(tensor.mutable_data());
  TENFOLD_RETURN_IF_ERROR(source.Read({data, tensor.stored_bytes()}));
  TENFOLD_RETURN_IF_ERROR(source.Finish());
  if (header.fortran_order && !OrdersAgree(header.shape)) {
    TENFOLD_ASSIGN_OR_RETURN(tensor, RowMajor(header, tensor));
  }
  char* const contents = static_cast<char*>(tensor.mutable_data());
  if (header.type.swap) SwapBytes(SizeOf(header.type.dtype), contents, header.num_elements);
  TENFOLD_RETURN_IF_ERROR(CheckContents(name, header, contents));
  return tensor;
}

// Before any memory is asked for: a header of 100 bytes must not cost gigabytes.
absl::Status CheckSize(const ArrayName& name, const NpyHeader& header, const Limits& limits,
                       ByteSource& source) {
  const uint64_t item_bytes = header.type.item_bytes;
  const uint64_t count = header.num_elements;
  const uint64_t limit = std::max<int64_t>(limits.tensor_bytes, 0);
  if (item_bytes > 0 && count > limit / item_bytes) {
    return MakeError(
        "E0402",
        absl::StrCat(name.ToString(), " holds ", TypeText(header), ", more than ", limit,
                     " bytes, the limit tensor_bytes"),
        count <= INT64_MAX / item_bytes ? RaiseLimitHelp("tensor_bytes", count * item_bytes) : "");
  }
  const uint64_t wanted = count * item_bytes;
  const uint64_t found = source.remaining();
  if (found < wanted) return Truncated(name, header, wanted, found);
  if (found > wanted) return TrailingBytes(name, header, wanted, found, source);
  return absl::OkStatus();
}

// Why the elements do not lie in the file as in a tensor; empty if they do.
absl::string_view WhyNotInPlace(const NpyHeader& header) {
  if (header.type.kind != NpyType::Kind::kNumber) return "its elements are no numbers";
  if (header.type.swap) return "its elements are in the other byte order";
  if (header.fortran_order && !OrdersAgree(header.shape)) return "it is in Fortran order";
  return "";
}

// What cannot be used where it lies is copied, and refused if the caller insisted.
absl::StatusOr<Tensor> MapNpy(FileSource& opened, const ArrayName& name, const ReadOptions& options,
                              TextAs* text_as) {
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Map(opened, name.file));
  MemorySource source(file->bytes());
  TENFOLD_ASSIGN_OR_RETURN(const NpyHeader header, ReadNpyHeader(name, options.limits, source));
  const uint64_t begin = file->bytes().size() - source.remaining();
  const absl::string_view why_not = WhyNotInPlace(header);
  if (!why_not.empty() && options.storage == Storage::kMmap) {
    return CannotStay(name, Storage::kMmap, why_not);
  }
  if (!why_not.empty() || begin % SizeOf(header.type.dtype) != 0) {
    MemorySource whole(file->bytes());
    return ReadNpyFrom(whole, name, options.limits, text_as);
  }
  TENFOLD_RETURN_IF_ERROR(CheckSize(name, header, options.limits, source));
  const char* const data = file->bytes().data() + begin;
  TENFOLD_RETURN_IF_ERROR(CheckContents(name, header, data));
  return Tensor::Wrap(header.type.dtype, header.shape, data, file);
}

}  // namespace

absl::StatusOr<Tensor> ReadNpyFrom(ByteSource& source, const ArrayName& name, const Limits& limits,
                                   TextAs* text_as) {
  TENFOLD_ASSIGN_OR_RETURN(const NpyHeader header, ReadNpyHeader(name, limits, source));
  const bool text = header.type.kind == NpyType::Kind::kText || header.type.kind == NpyType::Kind::kBytes;
  const bool parse = text && text_as != nullptr;
  if (header.type.kind != NpyType::Kind::kNumber && !parse) return RefuseNpyType(name, header, source);

  TENFOLD_RETURN_IF_ERROR(CheckSize(name, header, limits, source));
  if (!parse) return ReadContents(name, header, source);
  TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, ParseNpyText(name, header, source, text_as->dtype, limits));
  text_as->used = true;
  return header.fortran_order && !OrdersAgree(header.shape) ? RowMajor(header, tensor) : tensor;
}

absl::StatusOr<Tensor> ReadNpy(absl::string_view bytes, absl::string_view file_name, const Limits& limits) {
  MemorySource source(bytes);
  return ReadNpyFrom(source, {std::string(file_name), ""}, limits);
}

absl::StatusOr<Tensor> LoadNpy(absl::string_view path, const Limits& limits) {
  return LoadNpy({std::string(path), ""}, {.limits = limits});
}

absl::StatusOr<Tensor> LoadNpy(const ArrayName& name, const ReadOptions& options, TextAs* text_as) {
  if (options.storage == Storage::kBorrow) {
    return CannotStay(name, Storage::kBorrow, "it is a file, which can be mapped or copied");
  }
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<FileSource> file, FileSource::Open(name.file));
  const bool large = options.storage == Storage::kAuto && file->remaining() >= kMapThreshold;
  if (options.storage == Storage::kMmap || large) return MapNpy(*file, name, options, text_as);
  return ReadNpyFrom(*file, name, options.limits, text_as);
}

absl::StatusOr<std::string> NpyHeaderOf(const Tensor& tensor) {
  const std::optional<std::string> descr = NpyDescr(tensor.dtype());
  if (!descr) {
    return MakeError("E0303",
                     absl::StrCat(tensor.type().ToString(), " cannot be written: the .npy format has no ",
                                  Name(tensor.dtype())),
                     IsPacked(tensor.dtype())
                         ? absl::StrCat("write it as ", Name(UnpackedType(tensor.dtype())),
                                        ", which holds every value: Cast(x, DType::k",
                                        tensor.dtype() == DType::kI4 ? "I8" : "U8", ")")
                         : absl::StrCat("write it as f32, which holds every ", Name(tensor.dtype()),
                                        " value: Cast(x, DType::kF32)"));
  }
  constexpr int kMaxRank = 1024;  // keeps the header within version 1.0's 65535 bytes
  if (tensor.rank() > kMaxRank) {
    return MakeError("E0402", absl::StrCat("a tensor of ", tensor.rank(),
                                           " dims cannot be written: .npy files hold at most ", kMaxRank));
  }
  return FormatNpyHeader(*descr, tensor.dims());
}

absl::StatusOr<std::string> WriteNpy(const Tensor& tensor) {
  TENFOLD_ASSIGN_OR_RETURN(std::string bytes, NpyHeaderOf(tensor));
  TENFOLD_RETURN_IF_ERROR(
      WriteElements(tensor, [&](absl::string_view piece) { return AppendOrRefuse(bytes, piece); }));
  return bytes;
}

absl::Status SaveNpy(const Tensor& tensor, absl::string_view path) {
  TENFOLD_ASSIGN_OR_RETURN(const std::string header, NpyHeaderOf(tensor));
  TENFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<AtomicFile> file, AtomicFile::Create(path));
  TENFOLD_RETURN_IF_ERROR(file->Write(header));
  TENFOLD_RETURN_IF_ERROR(WriteElements(tensor, [&](absl::string_view piece) { return file->Write(piece); }));
  return file->Commit();
}

}  // namespace tenfold
