// SPDX-License-Identifier: Apache-2.0
#include "tenfold/graph/ingest/safetensors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tenfold/graph/diagnostic.h"
#include "tenfold/graph/ingest/array_name.h"
#include "tenfold/graph/ingest/file_errors.h"
#include "tenfold/graph/ingest/foreign_file.h"
#include "tenfold/graph/ingest/mapped_file.h"
#include "tenfold/graph/ingest/printable.h"

namespace tenfold {
namespace {

// What this reader cannot take, and a command that makes it something that it can.
absl::Status UnsupportedDType(const ArrayName& name, absl::string_view dtype, const Dims& dims) {
  std::string help;
  if (absl::StartsWith(dtype, "F8_")) {
    help = absl::StrCat("f32 holds every such value: ",
                        SafetensorsCommand(name, "torch", "d[n].float()", "f32"));
  } else if (dtype == "C64") {
    help =
        absl::StrCat("to read it as f32 with a last dim of real and imaginary parts: ",
                     SafetensorsCommand(name, "torch", "__import__(\"torch\").view_as_real(d[n])", "parts"));
  }
  return MakeError("E0303",
                   absl::StrCat(name.ToString(), " holds ", Printable(dtype), DimsToString(dims),
                                ", which Tenfold does not have"),
                   std::move(help));
}

bool ElementAligned(const void* data, DType dtype) {
  return reinterpret_cast<uintptr_t>(data) % SizeOf(dtype) == 0;
}

absl::Status CannotStore(absl::string_view file, absl::string_view why, std::string help) {
  return MakeError("E0334", absl::StrCat(Quoted(file), " ", why), std::move(help));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::Open(absl::string_view path,
                                                                             const ReadOptions& options) {
  if (options.storage == Storage::kBorrow)
    return CannotStore(path, "is a file, and only memory can be borrowed", "use storage = mmap for files");
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->name_ = std::string(path);
  file->options_ = options;
  TENFOLD_ASSIGN_OR_RETURN(file->source_, FileSource::Open(path));
  const uint64_t size = file->source_->remaining();
  const bool large = options.storage == Storage::kAuto && size >= kMapThreshold;
  if (large || options.storage == Storage::kMmap) {
    TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped,
                             MappedFile::Map(*file->source_, path));
    file->source_ = nullptr;
    file->bytes_ = mapped->bytes();
    file->owner_ = mapped;
    file->in_place_ = true;
  }
  TENFOLD_RETURN_IF_ERROR(file->ReadHeader(file->in_place_ ? file->bytes_.size() : size));
  return file;
}

absl::StatusOr<std::shared_ptr<const SafetensorsFile>> SafetensorsFile::FromBytes(
    absl::string_view bytes, absl::string_view file_name, const ReadOptions& options,
    std::shared_ptr<const void> owner) {
  if (options.storage == Storage::kMmap)
    return CannotStore(file_name, "is memory, and only a file can be mapped",
                       "use storage = borrow for memory");
  std::shared_ptr<SafetensorsFile> file(new SafetensorsFile);
  file->name_ = std::string(file_name);
  file->options_ = options;
  file->bytes_ = bytes;
  file->owner_ = std::move(owner);
  file->in_place_ = options.storage == Storage::kBorrow;
  TENFOLD_RETURN_IF_ERROR(file->ReadHeader(bytes.size()));
  return file;
}

absl::Status SafetensorsFile::Read(uint64_t offset, std::span<char> out) const {
  if (source_ != nullptr) return source_->ReadAt(offset, out);
  if (!out.empty()) std::copy_n(bytes_.data() + offset, out.size(), out.data());
  return absl::OkStatus();
}

absl::Status SafetensorsFile::ReadHeader(uint64_t file_bytes) {
  std::string prefix(std::min(file_bytes, kSafetensorsPrefix), '\0');
  TENFOLD_RETURN_IF_ERROR(Read(0, {prefix.data(), prefix.size()}));
  const absl::StatusOr<uint64_t> header_bytes = ReadHeaderLength(name_, prefix, file_bytes, options_.limits);
  if (!header_bytes.ok()) {
    std::string start(std::min<uint64_t>(file_bytes, kForeignStart), '\0');
    TENFOLD_RETURN_IF_ERROR(Read(0, {start.data(), start.size()}));
    const std::string mend = MendForeignFile(name_, start, ".safetensors");
    if (mend.empty()) return header_bytes.status();
    return MakeError("E0330",
                     absl::StrCat("'", Printable(name_), "' is no .safetensors file: it begins with '",
                                  Printable(absl::string_view(start).substr(0, kSafetensorsPrefix)), "'"),
                     mend);
  }
  const uint64_t length = *header_bytes;
  data_begin_ = kSafetensorsPrefix + length;
  data_bytes_ = file_bytes - data_begin_;
  std::string json(length, '\0');
  TENFOLD_RETURN_IF_ERROR(Read(kSafetensorsPrefix, {json.data(), json.size()}));
  TENFOLD_ASSIGN_OR_RETURN(header_, ParseSafetensorsHeader(name_, json, data_bytes_, options_.limits));
  for (size_t i = 0; i < header_.entries.size(); ++i) by_name_.emplace(header_.entries[i].name, i);
  return absl::OkStatus();
}

absl::StatusOr<Tensor> SafetensorsFile::Load(const SafetensorsEntry& entry) const {
  const ArrayName name{name_, entry.name};
  if (!entry.dtype) return UnsupportedDType(name, entry.dtype_name, entry.dims);
  const uint64_t size = entry.end - entry.begin;
  const uint64_t limit = std::max<int64_t>(options_.limits.tensor_bytes, 0);
  if (size > limit) {
    return MakeError("E0402",
                     absl::StrCat(name.ToString(), " holds ", Name(*entry.dtype), DimsToString(entry.dims),
                                  ", more than ", limit, " bytes, the limit tensor_bytes"));
  }
  Tensor tensor;
  const char* const here = bytes_.data() + data_begin_ + entry.begin;
  if (in_place_ && ElementAligned(here, *entry.dtype)) {
    TENFOLD_ASSIGN_OR_RETURN(tensor, Tensor::Wrap(*entry.dtype, entry.dims, here, owner_));
  } else {
    TENFOLD_ASSIGN_OR_RETURN(tensor, Tensor::Allocate(*entry.dtype, entry.dims));
    TENFOLD_RETURN_IF_ERROR(
        Read(data_begin_ + entry.begin, {static_cast<char*>(tensor.mutable_data()), size}));
  }
  if (!IsBool(*entry.dtype)) return tensor;
  TENFOLD_RETURN_IF_ERROR(CheckBools({static_cast<const char*>(tensor.data()), size}, name, entry.dims, [&] {
    return SafetensorsCommand(name, "numpy", "d[n].view(\"u1\") != 0", "bool");
  }));
  return tensor;
}

absl::StatusOr<Tensor> SafetensorsFile::Load(absl::string_view name, absl::string_view reference) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return Load(header_.entries[found->second]);
  std::vector<std::string> names;
  for (const SafetensorsEntry& entry : header_.entries) names.push_back(entry.name);
  return NoSuchArray({name_, std::string(name), "", std::string(reference)}, names);
}

absl::Status SafetensorsFile::ReadData(ByteSink sink) const {
  constexpr uint64_t kPiece = uint64_t{1} << 18;
  std::string piece;
  for (uint64_t at = 0; at < data_bytes_; at += piece.size()) {
    piece.resize(std::min(kPiece, data_bytes_ - at));
    TENFOLD_RETURN_IF_ERROR(Read(data_begin_ + at, {piece.data(), piece.size()}));
    TENFOLD_RETURN_IF_ERROR(sink(piece));
  }
  return absl::OkStatus();
}

namespace {

absl::StatusOr<NamedTensors> LoadAll(const SafetensorsFile& file) {
  NamedTensors tensors;
  for (const SafetensorsEntry& entry : file.entries()) {
    TENFOLD_ASSIGN_OR_RETURN(Tensor tensor, file.Load(entry));
    tensors.emplace_back(entry.name, std::move(tensor));
  }
  return tensors;
}

}  // namespace

absl::StatusOr<NamedTensors> LoadSafetensors(absl::string_view path, const ReadOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                           SafetensorsFile::Open(path, options));
  return LoadAll(*file);
}

absl::StatusOr<NamedTensors> ReadSafetensors(absl::string_view bytes, absl::string_view file_name,
                                             const ReadOptions& options, std::shared_ptr<const void> owner) {
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                           SafetensorsFile::FromBytes(bytes, file_name, options, std::move(owner)));
  return LoadAll(*file);
}

absl::StatusOr<Tensor> LoadSafetensorsMember(const ArrayName& name, const ReadOptions& options) {
  TENFOLD_ASSIGN_OR_RETURN(const std::shared_ptr<const SafetensorsFile> file,
                           SafetensorsFile::Open(name.file, options));
  return file->Load(name.member, name.reference);
}

}  // namespace tenfold
